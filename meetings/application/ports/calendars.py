"""Calendars of somebody else's system: signing in, reading busy time, following changes, writing events, push.

Every method may raise any `ProviderError` and keeps its own time limit; nothing here is retried inside.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from meetings.domain.calendar_connection import CalendarConnection, ListedCalendar, Provider
from meetings.domain.timespan import TimeSpan


class ProviderError(Exception):
    """A call to a provider did not succeed. The text holds no secret and no personal data."""


class ProviderUnavailable(ProviderError):
    """Time-out, reset, 5xx, or an answer that cannot be read. For a write: its outcome is unknown; repeat it."""


class RateLimited(ProviderError):
    """Too many calls. `retry_after` is in seconds, None when the provider did not say."""

    def __init__(self, text: str = "rate limited", *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(text)


class ReauthorizationNeeded(ProviderError):
    """The grant was revoked or expired; only the person can mend it."""


class CalendarUnreadable(ProviderError):
    """This one calendar may not be read any more, or is gone (403, 404), while the account works."""


class CursorExpired(ProviderError):
    """The change feed cannot go on from this cursor; a full read is due."""


class EventRefused(ProviderError):
    """The provider refuses this write for good; repeating it will not help."""


class EventRemoved(ProviderError):
    """The event existed under this key and was removed at the provider; it cannot be written again under it."""


class BusyStatus(Enum):
    """What an event says about its owner's time. FREE and WORKING_ELSEWHERE do not block (A-AV2, X12)."""

    BUSY = "BUSY"
    TENTATIVE = "TENTATIVE"
    OUT_OF_OFFICE = "OUT_OF_OFFICE"
    UNKNOWN = "UNKNOWN"
    FREE = "FREE"
    WORKING_ELSEWHERE = "WORKING_ELSEWHERE"

    @property
    def blocks(self) -> bool:
        return self not in (BusyStatus.FREE, BusyStatus.WORKING_ELSEWHERE)


@dataclass(frozen=True, slots=True)
class EventTime:
    """When one event, or one instance of a series, is, and whether it blocks. No title, no people.

    `start` and `end` are minutes since the epoch, half-open, widened to whole minutes. An event the owner declined
    arrives as FREE. `booking_key` is set on events this product wrote.
    """

    event_id: str
    start: int
    end: int
    status: BusyStatus
    series_id: str | None = None
    booking_key: str | None = None


@dataclass(frozen=True, slots=True)
class RemovedEvent:
    """An event, instance or whole series that is gone; `booking_key` as far as the provider still tells."""

    event_id: str
    booking_key: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """One page of a calendar's changes. Only the last page has a `cursor` to go on from."""

    changed: tuple[EventTime, ...]
    removed: tuple[RemovedEvent, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who is invited."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class EventKey:
    """What makes a write repeatable: one booking, one host, one generation make exactly one event (PW-1 to PW-3).

    `booking` is also stored on the event, so that its echo in the change feed is recognised.
    """

    booking: str
    host: str
    generation: int


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """An event as it should stand in the calendar.

    `start` and `end` are aware UTC instants, to be shown in `time_zone`. With `conference`, the provider is asked for
    a conference link. `sequence` grows with each change.
    """

    key: EventKey
    title: str
    description: str
    start: datetime
    end: datetime
    time_zone: str
    attendees: tuple[Attendee, ...]
    location: str | None = None
    conference: bool = False
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """The event as the provider holds it: its id there, where its owner sees it, where people join."""

    event_id: str
    url: str | None = None
    join_url: str | None = None


BusyAnswer = tuple[EventTime, ...] | ProviderError
"""What one calendar said about its busy time: blocking events (any order), or why it could not be read."""


class Calendars(Protocol):
    """The calendars behind one connection."""

    async def list_calendars(self) -> tuple[ListedCalendar, ...]:
        """Every calendar the account owns or can reach, the primary one first."""

    async def busy(self, calendars: Sequence[str], span: TimeSpan) -> Mapping[str, BusyAnswer]:
        """What is busy in `span` right now, asked live, per calendar (external ids), one answer for each.

        An error that concerns one calendar is that calendar's answer, never "free"; one that concerns the account
        is raised.
        """

    def changes(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[Changes]:
        """The changes since `cursor`, in pages; without a cursor every event that touches `window`.

        Events outside `window` may come along. Free and declined events come as EventTime with a status that does
        not block; cancelled ones as removed.

        Raises:
            CursorExpired: read again without a cursor.
            CalendarUnreadable: access to this calendar is lost.
        """

    async def put_event(self, calendar: str, event: CalendarEvent) -> WrittenEvent:
        """Create or update the one event that carries `event.key`; calling twice changes nothing. Invites attendees.

        Safe to repeat after an unknown outcome: it looks the event up by its key before it creates another.

        Raises:
            EventRemoved: an event with this key existed and was removed.
            EventRefused: will never be accepted, or the key belongs to a foreign event (left untouched).
            CalendarUnreadable: the calendar cannot be written any more.
        """

    async def remove_event(self, calendar: str, key: EventKey) -> None:
        """Make sure no live event carries `key`, and tell attendees; one that is already gone is success."""


class Credentials(Protocol):
    """The sealed credentials of one connection, opened. What the text holds is the provider adapter's business."""

    async def current(self) -> str:
        """The newest credentials.

        Raises:
            ReauthorizationNeeded: there are none any more.
        """

    async def renew(self, stale: str, refresh: Callable[[str], Awaitable[str]]) -> str:
        """The credentials that follow `stale`, made by `refresh` unless somebody else already did.

        One refresh at a time per connection over all processes; no transaction is open during the call. When
        `refresh` raises `ReauthorizationNeeded`, the stored credentials are read again first: changed meanwhile, they
        are the answer (OA-6).
        """


@dataclass(frozen=True, slots=True)
class Authorization:
    """Where to send the person, and the secret that proves later that it was us who sent them (PKCE verifier)."""

    url: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Granted:
    """What signing in gave: whose account it is, and credentials to seal."""

    account_email: str
    credentials: str


class AuthorizationDenied(ProviderError):
    """The person, or their administrator, said no."""


class CodeRejected(ProviderError):
    """The code of the callback is not accepted: used, expired, or not ours."""


class AccessNotGranted(ProviderError):
    """The person granted less than is needed; `missing` says what."""

    def __init__(self, missing: str) -> None:
        self.missing = missing
        super().__init__(f"not granted: {missing}")


class SignIn(Protocol):
    """A provider's consent page."""

    def begin(self, *, state: str, redirect_uri: str, login_hint: str | None) -> Authorization:
        """An address with our one-time `state`, a PKCE challenge and the scopes calendars need. No network call."""

    async def finish(self, *, code: str, verifier: str, redirect_uri: str) -> Granted:
        """Trade the code of the callback in.

        Raises:
            CodeRejected: the code is no good.
            AccessNotGranted: a scope we cannot do without is missing.
        """

    async def revoke(self, credentials: str) -> None:
        """Give the grant back. Success when the provider does not know it any more."""


@dataclass(frozen=True, slots=True)
class PushChannel:
    """A provider's promise to call us: our id, the provider's id of what is watched, and until when (aware UTC)."""

    channel_id: str
    resource_id: str
    expires_at: datetime


class PushChannels(Protocol):
    """Asking a provider to call us when a calendar changes; bound to one connection like `Calendars`."""

    async def open_channel(self, calendar: str, *, channel_id: str, secret: str, address: str) -> PushChannel:
        """Ask for calls to `address` that carry `channel_id` and `secret`. As long-lived as the provider allows."""

    async def close_channel(self, channel: PushChannel) -> None:
        """Ask for no more calls; a channel the provider does not know is success."""


@dataclass(frozen=True, slots=True)
class CalendarProvider:
    """Everything one provider offers. `push` is None where it cannot call us."""

    provider: Provider
    sign_in: SignIn
    calendars: Callable[[Credentials], Calendars]
    push: Callable[[Credentials], PushChannels] | None = None


Providers = Mapping[Provider, CalendarProvider]

CalendarsOf = Callable[[CalendarConnection], Calendars]
"""The calendars behind a stored connection, with its stored credentials."""

PushOf = Callable[[CalendarConnection], PushChannels | None]
"""The push channels behind a stored connection; None where its provider has none or nobody can call us."""
