"""Somebody plans a meeting on a contact's record (S19, S20)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import CrmOf
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.base import NotFound, Problem, Rule, refuse
from meetings.domain.calendar_connection import CalendarConnection, Capability
from meetings.domain.engagement import MOST_ATTENDEES, MeetingEngagement, MeetingOutcome, MeetingText
from meetings.domain.identifiers import CalendarId, EngagementId
from meetings.domain.text import email_problem
from meetings.domain.timespan import TimeSpan
from meetings.domain.user import User

MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class CreateEngagement:
    """The wish for a meeting with a contact (by the CRM's id) and whoever else is to come (by address).

    Without `invite` nobody is invited, whatever the settings say.
    """

    contact: str
    attendees: tuple[str, ...]
    text: MeetingText
    start: datetime
    end: datetime
    outcome: MeetingOutcome = MeetingOutcome.SCHEDULED
    invite: bool = True


async def create_engagement(
    wish: CreateEngagement, *, caller: Caller, begin: Begin, crm_of: CrmOf, clock: Clock
) -> EngagementId:
    """Put the meeting on record. With calendar sync on, and calendars that can, the contact is invited by an event in
    the default calendar; else no calendar is touched and no mail is sent (S20, S96, X2). Both follow as intents.

    Raises:
        NotFound: no such contact.
        InvalidInput: everything wrong.
        ProviderError: the records cannot be reached.
    """
    refuse(*span_problems(wish.start, wish.end), *attendee_problems(wish.attendees))
    crm = await crm_of(caller.account_id)
    contact = (await crm.contacts_by_id([wish.contact])).get(wish.contact)
    if contact is None:
        raise NotFound("contact", ("contactId",))
    async with begin(caller.account_id) as work:
        owner = await work.users.get(caller.user_id)
        connection = (await work.connections.of_users([owner.id])).get(owner.id)
        engagement = MeetingEngagement.on_record(
            EngagementId(uuid4()),
            account_id=caller.account_id,
            owner=owner.id,
            contacts=(contact.email, *wish.attendees),
            text=wish.text,
            slot=TimeSpan(wish.start, wish.end),
            time_zone=owner.settings.time_zone,
            calendar_id=_inviting_calendar(owner, connection) if wish.invite else None,
            now=clock(),
            outcome=wish.outcome,
        )
        work.engagements.add(engagement)
        await work.commit()
    return engagement.id


def span_problems(start: datetime, end: datetime) -> list[Problem | None]:
    """What is wrong with the time of a meeting."""
    if end <= start:
        return [Problem(("end",), Rule.END_BEFORE_START)]
    too_long = (end - start).days >= MOST_DAYS
    return [Problem(("end",), Rule.TOO_LARGE, values={"most": f"{MOST_DAYS} d"}) if too_long else None]


def attendee_problems(attendees: Sequence[str]) -> list[Problem | None]:
    """What is wrong with the addresses of those who are to come besides the contact."""
    most = MOST_ATTENDEES - 1
    if len(attendees) > most:
        return [Problem(("attendees",), Rule.TOO_MANY, values={"most": most})]
    return [email_problem(email.strip(), "attendees", str(index)) for index, email in enumerate(attendees)]


def _inviting_calendar(owner: User, connection: CalendarConnection | None) -> CalendarId | None:
    """Where an event would invite from; None where meetings of the record stay on the record."""
    if connection is None or not connection.usable or not owner.settings.calendar_sync:
        return None
    if not (connection.can(Capability.CALENDAR_SYNC) and connection.can(Capability.CRM_INVITATIONS)):
        return None
    calendar = connection.default_calendar
    return calendar.id if calendar else None
