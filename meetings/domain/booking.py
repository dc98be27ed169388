"""A meeting somebody booked or asked for."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from meetings.domain.base import Aggregate, DomainError, DomainEvent
from meetings.domain.booking_form import Answer, GivenConsent
from meetings.domain.erasure import ERASED_EMAIL, ERASED_TITLE
from meetings.domain.identifiers import BookingId, CalendarId, PageId, UserId
from meetings.domain.page_settings import MeetingLocation
from meetings.domain.timespan import TimeSpan


class BookingState(Enum):
    """PENDING and CONFIRMED occupy the hosts' time; CONFIRMED means the event exists at the provider."""

    REQUESTED = "REQUESTED"
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"


OCCUPYING = frozenset({BookingState.PENDING, BookingState.CONFIRMED})


class CancelledBy(Enum):
    """Who called a meeting off. SYSTEM: its event could not be written."""

    HOST = "HOST"
    INVITEE = "INVITEE"
    SYSTEM = "SYSTEM"


class BookingChannel(Enum):
    """Where the visitor came from."""

    PAGE = "PAGE"
    EMBED = "EMBED"
    CHAT = "CHAT"
    API = "API"


class BookingStateInvalid(DomainError):
    """The booking is not in a state in which this can be done."""

    def __init__(self, state: BookingState, wanted: str) -> None:
        self.state = state
        self.wanted = wanted
        super().__init__(f"cannot {wanted} a booking that is {state.value}")


class BookingClosed(DomainError):
    """Too late: the meeting began, or the page's cancellation notice has passed."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(f"changes were possible until {until.isoformat()}")


class NotProposed(DomainError):
    """The time to accept is none of those the invitee proposed."""


@dataclass(frozen=True, slots=True)
class Invitee:
    """Who books. `time_zone` is the zone they booked in (B-BO2), `locale` the language they are written to."""

    first_name: str
    last_name: str
    email: str
    time_zone: str
    locale: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class UtmTag:
    """One `utm_*` value of the link the visitor followed."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class BookingSource:
    """How the visitor came here."""

    channel: BookingChannel = BookingChannel.PAGE
    utm: tuple[UtmTag, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Who called the meeting off, why, when."""

    by: CancelledBy
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class BookedEvent:
    """The event at the provider: under which id, and where people see and join it. `ical_uid` is what it is called in
    everybody's calendar, as far as the provider tells."""

    event_id: str
    url: str | None = None
    join_url: str | None = None
    ical_uid: str | None = None


@dataclass(frozen=True, kw_only=True)
class BookingEvent(DomainEvent):
    """Something happened to a booking. `hosts` are those whose availability it touches."""

    booking_id: BookingId
    page_id: PageId
    hosts: tuple[UserId, ...]


@dataclass(frozen=True, kw_only=True)
class MeetingRequested(BookingEvent):
    """A visitor proposed times on an offline page."""


@dataclass(frozen=True, kw_only=True)
class SlotReserved(BookingEvent):
    """A slot is held for good; the calendar write comes next."""


@dataclass(frozen=True, kw_only=True)
class BookingConfirmed(BookingEvent):
    """The event exists at the provider for the first time."""


@dataclass(frozen=True, kw_only=True)
class BookingMoved(BookingEvent):
    """The meeting has another time; its event has to follow."""

    previous_start: datetime


@dataclass(frozen=True, kw_only=True)
class MoveConfirmed(BookingEvent):
    """The event has followed the move."""

    previous_start: datetime


@dataclass(frozen=True, kw_only=True)
class BookingFailed(BookingEvent):
    """The provider refused the event for good; the slot is free again."""


@dataclass(frozen=True, kw_only=True)
class BookingDeclined(BookingEvent):
    """The host declined a request."""


@dataclass(frozen=True, kw_only=True)
class BookingCancelled(BookingEvent):
    """The meeting was called off."""

    by: CancelledBy


@dataclass(frozen=True, kw_only=True)
class BookingPersonErased(BookingEvent):
    """The booking lost its invitee or a guest, because that person was to be forgotten."""


@dataclass(kw_only=True, eq=False)
class Booking(Aggregate):
    """A meeting between an invitee and one or more hosts.

    CONFIRMED has exactly one event in the default calendar of its (first) host; REQUESTED has none. `sequence` grows
    with every change people are told about; `generation` with every event that has to be made anew because an
    earlier one was removed; both go into what the provider and mail programs see. `proposed` are the starts a visitor
    asked for on an offline page, the first one equal to `start`. `rescheduled_from` is the start before the last move.
    `calendar_id` is the calendar that receives the event, chosen when the slot is reserved; None while nothing is.
    `settled_at` is when the event was last known to be as the booking says.
    """

    id: BookingId
    page_id: PageId
    hosts: tuple[UserId, ...]
    invitee: Invitee
    start: datetime
    end: datetime
    title: str
    location: MeetingLocation
    state: BookingState
    created_at: datetime
    answers: tuple[Answer, ...] = ()
    guests: tuple[str, ...] = ()
    consents: tuple[GivenConsent, ...] = ()
    message: str | None = None
    proposed: tuple[datetime, ...] = ()
    source: BookingSource = BookingSource()
    sequence: int = 0
    generation: int = 0
    calendar_id: CalendarId | None = None
    event: BookedEvent | None = None
    settled_at: datetime | None = None
    rescheduled_from: datetime | None = None
    cancellation: Cancellation | None = None
    failure: str | None = None

    @property
    def slot(self) -> TimeSpan:
        return TimeSpan(self.start, self.end)

    @property
    def host(self) -> UserId:
        """The host whose calendar holds the event."""
        return self.hosts[0]

    @property
    def occupies(self) -> bool:
        """Whether it takes its hosts' time."""
        return self.state in OCCUPYING

    def confirm(self, event: BookedEvent, *, now: datetime) -> None:
        """The event exists as this booking says. Confirming again only refreshes the event's details.

        Raises:
            BookingStateInvalid: neither PENDING nor CONFIRMED any more; the event has to go.
        """
        if self.state is BookingState.CONFIRMED:
            self.event = event
            self.settled_at = now
            return
        if self.state is not BookingState.PENDING:
            raise BookingStateInvalid(self.state, "confirm")
        moved = self.event is not None and self.rescheduled_from is not None
        self.event = event
        self.settled_at = now
        self.state = BookingState.CONFIRMED
        if moved and self.rescheduled_from:
            self._record(MoveConfirmed, now, previous_start=self.rescheduled_from)
        else:
            self._record(BookingConfirmed, now)

    def fail(self, reason: str, *, now: datetime) -> None:
        """The provider refused for good; only a PENDING booking can fail, else nothing happens."""
        if self.state is BookingState.PENDING:
            self.state = BookingState.FAILED
            self.failure = reason
            self.sequence += 1
            self._record(BookingFailed, now)

    def start_over(self) -> None:
        """The event of this generation was removed before the booking was confirmed; the next write makes another."""
        self.generation += 1
        self.event = None

    def cancel(self, by: CancelledBy, reason: str | None, *, now: datetime) -> None:
        """Call the meeting off; a request is withdrawn the same way, at any time. Cancelling twice succeeds.

        Raises:
            BookingStateInvalid: it failed or was declined.
            BookingClosed: the meeting is over.
        """
        if self.state is BookingState.CANCELLED:
            return
        if self.state in (BookingState.FAILED, BookingState.DECLINED):
            raise BookingStateInvalid(self.state, "cancel")
        if self.occupies and now >= self.end:
            raise BookingClosed(self.end)
        self.state = BookingState.CANCELLED
        self.cancellation = Cancellation(by, reason, now)
        self.sequence += 1
        self._record(BookingCancelled, now, by=by)

    def check_movable(self, *, now: datetime) -> None:
        """Raise what `move` would raise."""
        if not self.occupies:
            raise BookingStateInvalid(self.state, "reschedule")
        if now >= self.start:
            raise BookingClosed(self.start)

    def move(self, slot: TimeSpan, *, now: datetime) -> None:
        """Give the meeting another time; same booking, same event. It is PENDING until the event has followed.

        Moving to where it already is changes nothing.

        Raises:
            BookingStateInvalid: it does not occupy time.
            BookingClosed: the meeting began.
        """
        self.check_movable(now=now)
        if slot == self.slot:
            return
        previous = self.start
        self.rescheduled_from = previous
        self.start, self.end = slot.start, slot.end
        self.state = BookingState.PENDING
        self.sequence += 1
        self._record(BookingMoved, now, previous_start=previous)

    def follow(self, slot: TimeSpan, *, now: datetime) -> None:
        """The host moved the event in their own calendar: the booking takes its time. Nothing to write, all to tell."""
        if self.state is BookingState.CONFIRMED and slot != self.slot:
            previous = self.start
            self.rescheduled_from = previous
            self.start, self.end = slot.start, slot.end
            self.sequence += 1
            self._record(MoveConfirmed, now, previous_start=previous)

    def accept(self, start: datetime, *, calendar_id: CalendarId, now: datetime) -> None:
        """The host takes one of the proposed times; the slot is reserved from here on.

        Raises:
            BookingStateInvalid: not a request (any more).
            NotProposed: the invitee did not propose this time.
        """
        self.check_acceptable(start)
        self.start, self.end = start, start + (self.end - self.start)
        self.calendar_id = calendar_id
        self.state = BookingState.PENDING
        self.sequence += 1
        self._record(SlotReserved, now)

    def check_acceptable(self, start: datetime) -> None:
        """Raise what `accept` would raise."""
        if self.state is not BookingState.REQUESTED:
            raise BookingStateInvalid(self.state, "accept")
        if start not in self.proposed:
            raise NotProposed

    def decline(self, message: str | None, *, now: datetime) -> None:
        """The host declines a request. Declining twice succeeds.

        Raises:
            BookingStateInvalid: not a request (any more).
        """
        if self.state is BookingState.DECLINED:
            return
        if self.state is not BookingState.REQUESTED:
            raise BookingStateInvalid(self.state, "decline")
        self.state = BookingState.DECLINED
        self.cancellation = Cancellation(CancelledBy.HOST, message, now)
        self.sequence += 1
        self._record(BookingDeclined, now)

    # ---- forgetting people ------------------------------------------------------------------------------------------

    @property
    def erased(self) -> bool:
        """Whether its invitee was forgotten: nobody is told anything about it any more."""
        return self.invitee.email == ERASED_EMAIL

    def is_by(self, email: str) -> bool:
        """Whether this is the invitee's address, in whatever letter case."""
        return _same(self.invitee.email, email)

    def is_ahead(self, *, now: datetime) -> bool:
        """Whether it is still to take place, or to be answered."""
        if self.state is BookingState.REQUESTED:
            return any(start > now for start in (self.start, *self.proposed))
        return self.occupies and self.end > now

    def forget(self, email: str, *, now: datetime) -> None:
        """Lose a person. With its invitee it loses all they said; its time, hosts and state stay. Again, or for
        somebody who has no part in it, nothing changes."""
        guests = tuple(guest for guest in self.guests if not _same(guest, email))
        if self.erased or (guests == self.guests and not self.is_by(email)):
            return
        self.guests = guests
        if self.is_by(email):
            self.invitee = Invitee("", "", ERASED_EMAIL, "UTC", "en")
            self.title = ERASED_TITLE
            self.answers, self.guests, self.consents, self.message = (), (), (), None
            self.source = BookingSource(self.source.channel)
            self.cancellation = replace(self.cancellation, reason=None) if self.cancellation else None
            self.failure = None
        self._record(BookingPersonErased, now)

    def announce(self, *, now: datetime) -> None:
        """Record that this new booking exists, as a reserved slot or as a request."""
        self._record(MeetingRequested if self.state is BookingState.REQUESTED else SlotReserved, now)

    def _record(self, kind: type[BookingEvent], now: datetime, **details: object) -> None:
        self.record(kind(at=now, booking_id=self.id, page_id=self.page_id, hosts=self.hosts, **details))


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()
