"""Somebody changes a meeting on a record, or says what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from meetings.application.cleared import Cleared
from meetings.application.create_engagement import attendee_problems, span_problems
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import CrmOf
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.domain.base import NotFound, Problem, Rule, refuse
from meetings.domain.engagement import MeetingEngagement, MeetingOutcome, MeetingText
from meetings.domain.identifiers import BookingId, EngagementId
from meetings.domain.timespan import TimeSpan
from meetings.domain.user import Role


@dataclass(frozen=True, slots=True)
class ChangeEngagement:
    """What shall be other; None stays. `contact` (the CRM's id) takes the place of the first one."""

    contact: str | None = None
    attendees: Sequence[str] | None = None
    title: str | None = None
    body: str | Cleared | None = None
    location: str | Cleared | None = None
    start: datetime | None = None
    end: datetime | None = None
    outcome: MeetingOutcome | None = None


async def change_engagement(
    engagement_id: EngagementId,
    wish: ChangeEngagement,
    *,
    caller: Caller,
    begin: Begin,
    look: Begin,
    crm_of: CrmOf,
    clock: Clock,
) -> None:
    """Have a meeting say something else; records and calendar follow as intents. The same again changes nothing.

    A start without an end moves the meeting as it is long.

    Raises:
        NotFound: no such meeting of the caller's (owners and admins have everybody's), or no such contact.
        InvalidInput: everything wrong; also for a meeting that was booked on a page, which is moved or cancelled as a
            booking, and for time or words of one that was found in a calendar, which its owner changes there.
        ProviderError: the records cannot be reached.
    """
    refuse(*attendee_problems(wish.attendees or ()))
    async with look(caller.account_id) as work:
        await own_engagement(work, caller, engagement_id)
    first = await _address_of(wish.contact, caller, crm_of)
    async with begin(caller.account_id) as work:
        engagement = await own_engagement(work, caller, engagement_id)
        slot = _slot(engagement, wish)
        engagement.change(
            contacts=_people(engagement, first, wish.attendees),
            text=_text(engagement.text, wish),
            slot=slot,
            outcome=wish.outcome,
            now=clock(),
        )
        await work.commit()


async def own_engagement(work: UnitOfWork, caller: Caller, engagement_id: EngagementId) -> MeetingEngagement:
    """A meeting the caller holds; owners and admins have everybody's.

    Raises:
        NotFound: no such meeting, or not theirs: both read the same.
        InvalidInput: it is a booking.
    """
    try:
        engagement = await work.engagements.get(engagement_id)
    except NotFound as missing:
        await _refuse_bookings(work, BookingId(engagement_id))
        raise NotFound("meeting engagement", ("id",)) from missing
    if caller.user_id not in engagement.owners:
        user = await work.users.get(caller.user_id)
        if user.role is Role.MEMBER:
            raise NotFound("meeting engagement", ("id",))
    return engagement


async def _refuse_bookings(work: UnitOfWork, booking_id: BookingId) -> None:
    try:
        await work.bookings.get(booking_id)
    except NotFound:
        return
    refuse(Problem(("id",), Rule.CANNOT_CHANGE))


async def _address_of(contact: str | None, caller: Caller, crm_of: CrmOf) -> str | None:
    if contact is None:
        return None
    crm = await crm_of(caller.account_id)
    found = (await crm.contacts_by_id([contact])).get(contact)
    if found is None:
        raise NotFound("contact", ("contactId",))
    return found.email


def _people(engagement: MeetingEngagement, first: str | None, others: Sequence[str] | None) -> tuple[str, ...]:
    now = engagement.contacts
    return (*((first,) if first else now[:1]), *(now[1:] if others is None else others))


def _slot(engagement: MeetingEngagement, wish: ChangeEngagement) -> TimeSpan | None:
    if wish.start is None and wish.end is None:
        return None
    start = wish.start or engagement.start
    end = wish.end or start + (engagement.end - engagement.start)
    refuse(*span_problems(start, end))
    return TimeSpan(start, end)


def _text(now: MeetingText, wish: ChangeEngagement) -> MeetingText:
    return MeetingText(
        now.title if wish.title is None else wish.title,
        _either(now.body, wish.body),
        _either(now.location, wish.location),
    )


def _either(now: str | None, wished: str | Cleared | None) -> str | None:
    if isinstance(wished, Cleared):
        return None
    return now if wished is None else wished
