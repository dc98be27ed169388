"""Calendars of somebody else's system: signing in, reading busy time, following changes, writing events, push.

Every method may raise any `ProviderError` and keeps its own time limit; nothing here is retried inside.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from meetings.application.ports.clock import Clock
from meetings.domain.account_use import CALENDAR_ONLY, AccountUse
from meetings.domain.calendar_connection import CalendarConnection, ListedCalendar, Provider
from meetings.domain.disclosure import Disclosure
from meetings.domain.timespan import TimeSpan

if TYPE_CHECKING:
    from meetings.application.ports.mail_accounts import InboxOffer


class ProviderError(Exception):
    """A call to a provider did not succeed. The text holds no secret and no personal data."""


class ProviderUnavailable(ProviderError):
    """Time-out, reset, 5xx, or an answer that cannot be read. For a write: its outcome is unknown; repeat it."""


class ProviderResting(ProviderUnavailable):
    """It was not asked at all, because it failed too often just now. `retry_after` is in seconds."""

    def __init__(self, text: str, *, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(text)


class RateLimited(ProviderError):
    """Too many calls. `retry_after` is in seconds, None when the provider did not say."""

    def __init__(self, text: str = "rate limited", *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(text)


class ReauthorizationNeeded(ProviderError):
    """The grant was revoked or expired; only the person can mend it."""


class CalendarUnreadable(ProviderError):
    """This one calendar may not be read any more, or is gone (403, 404), while the account works."""


class MailboxNotFound(ProviderError):
    """The account works but has no mailbox, and so no calendar. `hybrid`: it is elsewhere, or on the move (A-CC7)."""

    def __init__(self, text: str = "no mailbox", *, hybrid: bool = False) -> None:
        self.hybrid = hybrid
        super().__init__(text)


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


class GuestAnswer(Enum):
    """What somebody said to an invitation. NONE: nothing yet, or the provider does not tell."""

    NONE = "NONE"
    ACCEPTED = "ACCEPTED"
    TENTATIVE = "TENTATIVE"
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True)
class EventGuest:
    """Somebody who is invited to an event, by address."""

    email: str
    answer: GuestAnswer = GuestAnswer.NONE


@dataclass(frozen=True, slots=True)
class EventDetails:
    """An event as its owner sees it. A series is one event, at its first occurrence.

    `ical_uid` is the same in everybody's calendar, whoever keeps it (see `domain.ical_uid`). `start` and `end` are
    aware UTC instants; whole days begin and end at midnight where the calendar is. `description` is plain text.
    `organizer` is an address. `organized_here`: the calendar's owner called it, or nobody else takes part. `declined`:
    the owner said no. `private`: its owner marked it so. `booking_key` is set on events this product wrote.
    """

    event_id: str
    ical_uid: str
    title: str = field(repr=False)
    start: datetime
    end: datetime
    description: str | None = field(default=None, repr=False)
    location: str | None = field(default=None, repr=False)
    join_url: str | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    organizer: str | None = field(default=None, repr=False)
    guests: tuple[EventGuest, ...] = field(default=(), repr=False)
    organized_here: bool = True
    declined: bool = False
    private: bool = False
    whole_days: bool = False
    is_series: bool = False
    booking_key: str | None = None


@dataclass(frozen=True, slots=True)
class EventNews:
    """One page of a calendar's events with their details. Only the last page has a `cursor` to go on from.

    `removed` are ids of events that are gone; some were perhaps never told of before.
    """

    changed: tuple[EventDetails, ...]
    removed: tuple[str, ...]
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
    a conference link. `sequence` grows with each change. `written_as` is the provider's id of the event as far as a
    write was acknowledged before; providers that forget removed events need it to tell "removed" from "never written".
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
    written_as: str | None = None


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """The event as the provider holds it: its id there, where its owner sees it, where people join, and the id that it
    has in everybody's calendar (RFC 5545, UID)."""

    event_id: str
    url: str | None = None
    join_url: str | None = None
    ical_uid: str | None = None


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

    def event_news(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[EventNews]:
        """What was added, changed and removed since `cursor`, with details, in pages; without a cursor every event that
        touches `window`. A cursor of this feed is none of `changes`, nor the reverse.

        Events outside `window` may come along, and an event may come again unchanged. Of a series one event is told,
        at its first occurrence, whatever happens to single ones of it. Cancelled events come as removed. An event that
        leaves the window may be told as removed, too.

        Raises:
            CursorExpired: read again without a cursor.
            CalendarUnreadable: access to this calendar is lost.
        """

    async def put_event(self, calendar: str, event: CalendarEvent) -> WrittenEvent:
        """Create or update the one event that carries `event.key`; calling twice changes nothing. Invites attendees.

        Safe to repeat after an unknown outcome: it looks the event up by its key before it creates another.

        Raises:
            EventRemoved: an event with this key existed and was removed, as far as the provider or `written_as` tell.
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
    """Where to send the person, and the secret that proves later that it was us who sent them (the PKCE verifier, with
    whatever else the adapter has to remember until then)."""

    url: str
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Granted:
    """What signing in gave: whose account it is, credentials to seal, and what they open."""

    account_email: str
    credentials: str = field(repr=False)
    uses: frozenset[AccountUse] = CALENDAR_ONLY


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

    async def begin(
        self, *, state: str, redirect_uri: str, login_hint: str | None, uses: frozenset[AccountUse] = CALENDAR_ONLY
    ) -> Authorization:
        """An address with our one-time `state`, a PKCE challenge and the scopes that `uses` need, no more (OA-3).

        Nothing about the person is asked or told; a provider's public description of itself may be read.
        """

    async def finish(self, *, code: str, verifier: str, redirect_uri: str) -> Granted:
        """Trade the code of the callback in.

        Raises:
            CodeRejected: the code is no good.
            AccessNotGranted: what was granted opens neither the calendars nor the mailbox.
        """

    async def revoke(self, credentials: str) -> None:
        """Give the grant back. Success when the provider does not know it any more."""


class ServerAuth(Enum):
    """How a password is shown to a server. AUTO: the best that the server offers."""

    AUTO = "AUTO"
    BASIC = "BASIC"
    NTLM = "NTLM"


@dataclass(frozen=True, slots=True)
class MailboxCredentials:
    """What a person types in to connect a mailbox on a server of their own (S24 to S31).

    Without `server_url` the server is looked for by the address; without `username` the address, then the part before
    the "@", is tried (X9). `ca_certificate` is PEM of a private authority, believed for this connection alone.
    """

    email: str
    password: str = field(repr=False)
    username: str | None = None
    server_url: str | None = None
    auth: ServerAuth = ServerAuth.AUTO
    ca_certificate: str | None = field(default=None, repr=False)


class LoginProblem(Enum):
    """Why a mailbox cannot be connected with what was typed in."""

    CREDENTIALS_REJECTED = "CREDENTIALS_REJECTED"
    APP_PASSWORD_REQUIRED = "APP_PASSWORD_REQUIRED"  # noqa: S105 - a word
    USERNAME_REQUIRED = "USERNAME_REQUIRED"
    URL_REQUIRED = "URL_REQUIRED"
    URL_INVALID = "URL_INVALID"
    ADDRESS_FORBIDDEN = "ADDRESS_FORBIDDEN"
    UNREACHABLE = "UNREACHABLE"
    CERTIFICATE_INVALID = "CERTIFICATE_INVALID"
    VERSION_UNSUPPORTED = "VERSION_UNSUPPORTED"
    USE_OFFICE365 = "USE_OFFICE365"
    SHARED_MAILBOX = "SHARED_MAILBOX"
    MAILBOX_NOT_FOUND = "MAILBOX_NOT_FOUND"


class LoginRefused(ProviderError):
    """A mailbox cannot be connected. `suggestion` is a better value for what was typed in, or a version, or a help
    address, whichever fits the problem."""

    def __init__(self, problem: LoginProblem, *, suggestion: str | None = None) -> None:
        self.problem = problem
        self.suggestion = suggestion
        super().__init__(problem.value)


class LoginStep(Enum):
    """What connecting a mailbox goes through, in this order."""

    ADDRESS = "ADDRESS"
    DISCOVERY = "DISCOVERY"
    TLS = "TLS"
    AUTHENTICATION = "AUTHENTICATION"
    VERSION = "VERSION"
    MAILBOX = "MAILBOX"
    CALENDAR = "CALENDAR"
    FREE_BUSY = "FREE_BUSY"


class StepOutcome(Enum):
    """SKIPPED: not needed, or an earlier step failed."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class LoginCheck:
    """What became of one step. `detail` is one sentence for the person; `problem` is set when it failed."""

    step: LoginStep
    outcome: StepOutcome
    detail: str
    problem: LoginProblem | None = None


@dataclass(frozen=True, slots=True)
class ConnectedMailbox:
    """What a login gave: whose mailbox on which server, credentials to seal, and its calendars, the primary first."""

    account_email: str
    credentials: str = field(repr=False)
    server_url: str
    server_version: str
    calendars: tuple[ListedCalendar, ...]


class MailboxLogin(Protocol):
    """Connecting with an address and a password instead of a consent page. A wrong password is tried once (S38)."""

    static_ranges: tuple[str, ...]
    """The addresses all calls leave from, for the allowlist of a server's firewall; empty when that is off (S80)."""

    async def connect(self, given: MailboxCredentials) -> ConnectedMailbox:
        """Sign in, and prove that the mailbox can be used. Writes nothing there.

        Raises:
            LoginRefused: what was typed in has to change.
            RateLimited: the server asked us to wait.
            ProviderUnavailable: no answer that can be read.
        """

    async def examine(self, given: MailboxCredentials) -> tuple[LoginCheck, ...]:
        """The same as a dry run: one check per step, in order; after one that failed the rest is skipped."""


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


class News(Enum):
    """What a provider's call is about. GREETING only says that the channel stands; CHANNEL_ENDING that it stops, or
    will unless it is replaced now, and that notices may have been lost."""

    GREETING = "GREETING"
    CHANGED = "CHANGED"
    CHANNEL_ENDING = "CHANNEL_ENDING"


@dataclass(frozen=True, slots=True)
class Notice:
    """A call about one channel. Believe nothing before `secret` was compared."""

    channel_id: str
    secret: str = field(repr=False)
    news: News = News.CHANGED


@dataclass(frozen=True, slots=True)
class PushCall:
    """A call to our address as it came in; names of headers in lower case."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PushMessage:
    """What a call says: any number of notices, or a text to be given back as plain text to prove that we are here."""

    notices: tuple[Notice, ...] = ()
    echo: str | None = None


class ChangeListener(Protocol):
    """Being told of changes over a connection that we hold open, where a provider cannot call us."""

    def changes(self, calendars: Sequence[str]) -> AsyncIterator[str]:
        """The external id of each calendar that changed, as it happens.

        Ends after the provider's longest time for one connection; ask again. Whatever happens between two
        connections is not told: read once after each start. Raises any `ProviderError`.
        """


@dataclass(frozen=True, slots=True)
class CallQuota:
    """How many requests a minute a provider answers: those for one account, and those for all accounts together."""

    per_account: int
    altogether: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarProvider:
    """Everything one provider offers. People sign in on a consent page (`sign_in`) or with a password (`login`).

    `push` is None where it cannot call us; `listen` is what it has instead, if anything. `help_url` explains how to
    make and share calendars there (S58). `quota` is None where none is known that would matter. `inbox` is what the
    same accounts offer for mail (X11); None where that is nothing.
    """

    provider: Provider
    disclosure: Disclosure
    calendars: Callable[[Credentials], Calendars]
    sign_in: SignIn | None = None
    login: MailboxLogin | None = None
    push: Callable[[Credentials], PushChannels] | None = None
    listen: Callable[[Credentials], ChangeListener] | None = None
    help_url: str | None = None
    quota: CallQuota | None = None
    inbox: "InboxOffer | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """How a provider joins the product; the one thing of its folder that the rest of the product names.

    `settings` is a frozen dataclass. Each of its fields is read from `MEETINGS_<PROVIDER>_<FIELD>`; the provider is
    there once all fields without a default are set. `make` gets these settings, and is called once per process.
    `set_up` tells the operator what to do; `{callback}` stands for the redirect address. `addresses` are asked by
    `meetings doctor` whether they can be reached. `read_push` is None for calls that are not the provider's.
    """

    settings: type[Any]
    make: Callable[[Any, Clock], CalendarProvider]
    set_up: str
    addresses: Callable[[Any], tuple[str, ...]] = lambda settings: ()
    read_push: Callable[[PushCall], PushMessage | None] | None = None


Providers = Mapping[Provider, CalendarProvider]

CalendarsOf = Callable[[CalendarConnection], Calendars]
"""The calendars behind a stored connection, with its stored credentials."""

ListenerOf = Callable[[CalendarConnection], ChangeListener | None]
"""Whom to listen to about changes behind a stored connection; None where its provider tells nothing that way."""

PushOf = Callable[[CalendarConnection], PushChannels | None]
"""The push channels behind a stored connection; None where its provider has none or nobody can call us."""
