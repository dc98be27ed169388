"""A meeting on the record of a contact that was not booked on a page: made on the record, or found in a calendar."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from meetings.domain.base import Aggregate, DomainEvent, Problem, Rule, refuse
from meetings.domain.erasure import ERASED_TITLE
from meetings.domain.identifiers import AccountId, CalendarId, EngagementId, UserId
from meetings.domain.text import email_problem, text_problem
from meetings.domain.timespan import TimeSpan

MAX_TITLE = 250
MAX_BODY = 20_000
MOST_ATTENDEES = 50


class MeetingOutcome(Enum):
    """What became of a meeting."""

    SCHEDULED = "SCHEDULED"
    COMPLETED = "COMPLETED"
    RESCHEDULED = "RESCHEDULED"
    NO_SHOW = "NO_SHOW"
    CANCELLED = "CANCELLED"


class MeetingSource(Enum):
    """Where a meeting came from: a scheduling page, a program, the contact's record, or the provider's calendar."""

    PAGE = "PAGE"
    API = "API"
    RECORD = "RECORD"
    CALENDAR = "CALENDAR"


@dataclass(frozen=True, slots=True)
class EngagementEvent:
    """The event at the provider that stands for the meeting. `ical_uid` is the same in everybody's calendar."""

    calendar_id: CalendarId
    event_id: str
    ical_uid: str | None = None
    url: str | None = None
    join_url: str | None = None


@dataclass(frozen=True, slots=True)
class MeetingText:
    """What a meeting is about, cut to lengths a CRM takes."""

    title: str
    body: str | None = None
    location: str | None = None


@dataclass(frozen=True, kw_only=True)
class EngagementChange(DomainEvent):
    """Something happened to an engagement."""

    engagement_id: EngagementId


@dataclass(frozen=True, kw_only=True)
class EngagementCreated(EngagementChange):
    """A meeting was put on a record."""


@dataclass(frozen=True, kw_only=True)
class EngagementChanged(EngagementChange):
    """Its time, text, people or outcome are others now."""


@dataclass(frozen=True, kw_only=True)
class InvitationSettled(EngagementChange):
    """The event in the calendar agrees with the meeting now."""


@dataclass(frozen=True, kw_only=True)
class EngagementPersonErased(EngagementChange):
    """The meeting lost a contact, because that person was to be forgotten."""


@dataclass(kw_only=True, eq=False)
class MeetingEngagement(Aggregate):
    """A meeting with contacts. `owners` holds the people of ours, the responsible one first; `contacts` addresses.

    One made on a record with a `calendar_id` invites the contacts by an event in that calendar of the responsible
    person's (S19); `generation` and `sequence` make its writes repeatable, as with bookings. `ical_uid` is what its
    event is called in everybody's calendar, known from the beginning for one that was found there.
    """

    id: EngagementId
    owners: tuple[UserId, ...]
    contacts: tuple[str, ...]
    text: MeetingText
    start: datetime
    end: datetime
    time_zone: str
    source: MeetingSource
    created_at: datetime
    outcome: MeetingOutcome = MeetingOutcome.SCHEDULED
    calendar_id: CalendarId | None = None
    event: EngagementEvent | None = None
    ical_uid: str | None = None
    sequence: int = 0
    generation: int = 0
    settled_at: datetime | None = None

    @classmethod
    def on_record(
        cls,
        engagement_id: EngagementId,
        *,
        account_id: AccountId,
        owner: UserId,
        contacts: Iterable[str],
        text: MeetingText,
        slot: TimeSpan,
        time_zone: str,
        calendar_id: CalendarId | None,
        now: datetime,
        outcome: MeetingOutcome = MeetingOutcome.SCHEDULED,
    ) -> "MeetingEngagement":
        """A meeting made on a contact's record; without a calendar to invite from it stays there (S20).

        Raises:
            InvalidInput: no or too many contacts, an address that is none, a title or body that is missing or too long.
        """
        people = _addresses(contacts)
        _check(people, text)
        made = cls(
            id=engagement_id,
            account_id=account_id,
            owners=(owner,),
            contacts=people,
            text=text,
            start=slot.start,
            end=slot.end,
            time_zone=time_zone,
            source=MeetingSource.RECORD,
            created_at=now,
            outcome=outcome,
            calendar_id=calendar_id,
        )
        made.record(EngagementCreated(at=now, engagement_id=made.id))
        return made

    @classmethod
    def in_calendar(
        cls,
        engagement_id: EngagementId,
        *,
        account_id: AccountId,
        owner: UserId,
        contacts: Iterable[str],
        text: MeetingText,
        slot: TimeSpan,
        time_zone: str,
        event: EngagementEvent,
        ical_uid: str,
        now: datetime,
    ) -> "MeetingEngagement":
        """A meeting that somebody made in their own calendar, with contacts we know (S18)."""
        found = cls(
            id=engagement_id,
            account_id=account_id,
            owners=(owner,),
            contacts=_addresses(contacts),
            text=text,
            start=slot.start,
            end=slot.end,
            time_zone=time_zone,
            source=MeetingSource.CALENDAR,
            created_at=now,
            calendar_id=event.calendar_id,
            event=event,
            ical_uid=ical_uid,
        )
        found.record(EngagementCreated(at=now, engagement_id=found.id))
        return found

    def follow(
        self,
        *,
        owner: UserId,
        contacts: Iterable[str],
        text: MeetingText,
        slot: TimeSpan,
        now: datetime,
        join_url: str | None = None,
    ) -> None:
        """Take over how the event stands in a calendar (A-CR2); a colleague's copy of it adds the colleague (B-CR1).

        Nobody is taken off: what happened with a contact stays on their record. The same again changes nothing. One
        that has no contact left, because they were forgotten, takes no words over.
        """
        before = (self.owners, self.contacts, self.text, self.start, self.end, self.outcome, self.event)
        moved = (slot.start, slot.end) != (self.start, self.end)
        self.owners = self.owners if owner in self.owners else (*self.owners, owner)
        self.contacts = _addresses((*self.contacts, *contacts))
        self.text = text if self.contacts else self.text
        self.start, self.end = slot.start, slot.end
        if self.event is not None and join_url is not None:
            self.event = replace(self.event, join_url=join_url)
        if moved:
            self.outcome = MeetingOutcome.RESCHEDULED
        elif self.outcome is MeetingOutcome.CANCELLED:
            self.outcome = MeetingOutcome.SCHEDULED
        if before != (self.owners, self.contacts, self.text, self.start, self.end, self.outcome, self.event):
            self.record(EngagementChanged(at=now, engagement_id=self.id))

    def vanish(self, *, now: datetime) -> None:
        """The event is gone from the calendar: the record keeps it as cancelled (A-BO11). Once."""
        if self.outcome is not MeetingOutcome.CANCELLED:
            self.outcome = MeetingOutcome.CANCELLED
            self.record(EngagementChanged(at=now, engagement_id=self.id))

    def change(
        self,
        *,
        now: datetime,
        contacts: Iterable[str] | None = None,
        text: MeetingText | None = None,
        slot: TimeSpan | None = None,
        outcome: MeetingOutcome | None = None,
    ) -> None:
        """Have it say something else; what is None stays. The same again changes nothing.

        Raises:
            InvalidInput: as `on_record`; or the meeting was found in a calendar and its time or text would change,
                which only its owner can do there.
        """
        people = self.contacts if contacts is None else _addresses(contacts)
        words = text or self.text
        times = slot or TimeSpan(self.start, self.end)
        _check(people, words)
        other = words != self.text or (times.start, times.end) != (self.start, self.end)
        refuse(Problem((), Rule.CANNOT_CHANGE) if other and self.source is MeetingSource.CALENDAR else None)
        wanted = outcome or self.outcome
        if not other and people == self.contacts and wanted is self.outcome:
            return
        self.contacts, self.text, self.start, self.end, self.outcome = people, words, times.start, times.end, wanted
        self.sequence += 1
        self.record(EngagementChanged(at=now, engagement_id=self.id))

    def is_ahead(self, *, now: datetime) -> bool:
        """Whether an invitation of ours for it stands, and it is still to take place."""
        return self.invites and self.takes_place and self.end > now

    def forget(self, email: str, *, now: datetime) -> None:
        """Lose a contact, and what was said; its time and people of ours stay. Again nothing changes."""
        left = tuple(contact for contact in self.contacts if contact != email.strip().casefold())
        if left != self.contacts:
            self.contacts, self.text = left, MeetingText(ERASED_TITLE)
            self.record(EngagementPersonErased(at=now, engagement_id=self.id))

    def settle(self, event: EngagementEvent, *, now: datetime) -> None:
        """The event in the calendar says what the meeting says. The same event again is no news."""
        before = self.event
        self.event, self.ical_uid, self.settled_at = event, event.ical_uid or self.ical_uid, now
        if event != before:
            self.record(InvitationSettled(at=now, engagement_id=self.id))

    def start_over(self) -> None:
        """The event of this generation is gone; should there be one again, it is another."""
        self.generation += 1
        self.event = None

    @property
    def invites(self) -> bool:
        """Whether an event of ours stands for it in a calendar while it takes place."""
        return self.source is MeetingSource.RECORD and self.calendar_id is not None

    @property
    def takes_place(self) -> bool:
        """Whether there should be an event for it."""
        return self.outcome is not MeetingOutcome.CANCELLED

    @property
    def owner(self) -> UserId:
        """Who is responsible, and whose calendar holds the event."""
        return self.owners[0]

    @property
    def slot(self) -> TimeSpan:
        return TimeSpan(self.start, self.end)


def _addresses(given: Iterable[str]) -> tuple[str, ...]:
    """Each address once, in lower case, in the order given."""
    return tuple(dict.fromkeys(address.strip().casefold() for address in given))


def _check(people: tuple[str, ...], text: MeetingText) -> None:
    refuse(
        Problem(("contacts",), Rule.REQUIRED) if not people else None,
        Problem(("contacts",), Rule.TOO_MANY, values={"most": MOST_ATTENDEES})
        if len(people) > MOST_ATTENDEES
        else None,
        *(email_problem(address, "contacts", str(index)) for index, address in enumerate(people)),
        text_problem(text.title, "title", most=MAX_TITLE),
        text_problem(text.body or "", "body", most=MAX_BODY, required=False, lines=True),
        text_problem(text.location or "", "location", most=MAX_TITLE, required=False),
    )
