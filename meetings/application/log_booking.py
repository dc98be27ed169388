"""Putting a booking on the record of whoever booked (A-CR3)."""

from collections.abc import Mapping

from meetings.application.event_description import describe
from meetings.application.ports.crm import ContactDetails, CrmOf, MeetingRecord
from meetings.application.ports.outbox import Intent
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.booking import Booking, BookingChannel, BookingState
from meetings.domain.engagement import MeetingOutcome, MeetingSource
from meetings.domain.identifiers import BookingId, UserId
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.user import User

COMPANY = "company"
"""What a question of a form is called that asks for the company."""


async def log_booking(intent: Intent, *, look: Begin, crm_of: CrmOf) -> None:
    """Have the record say what the booking says now; doing it again changes nothing.

    The contact is created or completed. A meeting stands on its timeline once the booking was confirmed, and stays
    there when the booking is called off; what was only asked for makes none (A-OF2).

    Raises:
        ProviderError: worth another try, but for `RecordRefused`.
    """
    async with look(intent.account_id) as work:
        booking = await work.bookings.get(BookingId(intent.subject))
        if booking.erased:
            return
        page = await work.pages.get(booking.page_id)
        hosts = await work.users.of(booking.hosts)
    crm = await crm_of(intent.account_id)
    contact = await crm.put_contact(_details(booking, page, hosts))
    if booking.event is not None:
        await crm.put_meeting(_record(booking, page, hosts, contact.id))


def _details(booking: Booking, page: SchedulingPage, hosts: Mapping[UserId, User]) -> ContactDetails:
    """Who booked, with what they answered to questions about themselves; the host looks after them (A-CR9)."""
    asked_for = {field.key: field.contact_property for field in page.settings.form_fields if field.contact_property}
    told = {
        asked_for[answer.key]: ";".join(answer.values)
        for answer in booking.answers
        if answer.key in asked_for and any(answer.values)
    }
    host = hosts.get(booking.host)
    return ContactDetails(
        booking.invitee.email,
        first_name=booking.invitee.first_name or None,
        last_name=booking.invitee.last_name or None,
        company=told.pop(COMPANY, None),
        owner=host.email if host else None,
        properties=told,
    )


def _record(booking: Booking, page: SchedulingPage, hosts: Mapping[UserId, User], contact: str) -> MeetingRecord:
    by_program = booking.source.channel is BookingChannel.API
    return MeetingRecord(
        key=booking.id,
        contacts=(contact,),
        owners=tuple(hosts[host].email for host in booking.hosts if host in hosts),
        title=booking.title,
        body=describe(booking, page, None) or None,
        start=booking.start,
        end=booking.end,
        outcome=_outcome(booking),
        source=MeetingSource.API if by_program else MeetingSource.PAGE,
        location=booking.location.text,
        join_url=booking.event.join_url if booking.event else None,
        activity_type=page.settings.internal_name,
    )


def _outcome(booking: Booking) -> MeetingOutcome:
    """A-BO10."""
    if booking.state in (BookingState.CANCELLED, BookingState.FAILED):
        return MeetingOutcome.CANCELLED
    return MeetingOutcome.RESCHEDULED if booking.rescheduled_from else MeetingOutcome.SCHEDULED
