"""A host's calendar account: which calendars block time, which one receives bookings, and whether all can be read."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from uuid import uuid4

from meetings.domain.base import Aggregate, DomainError, DomainEvent, Problem, ProblemCode, Rule, refuse
from meetings.domain.identifiers import AccountId, CalendarId, ConnectionId, UserId


class Provider(Enum):
    """Whose calendar it is."""

    GOOGLE = "GOOGLE"
    OFFICE365 = "OFFICE365"
    EXCHANGE = "EXCHANGE"

    @property
    def brand(self) -> str:
        """What people call it."""
        return {"GOOGLE": "Google", "OFFICE365": "Office 365", "EXCHANGE": "Exchange"}[self.value]


class Capability(Enum):
    """What can be done with a connected calendar beyond reading busy time and writing a new booking."""

    CHANGE_BOOKINGS = "CHANGE_BOOKINGS"
    CALENDAR_SYNC = "CALENDAR_SYNC"
    CRM_INVITATIONS = "CRM_INVITATIONS"
    CLICKABLE_TIMES = "CLICKABLE_TIMES"


LIMITS: Mapping[Provider, frozenset[Capability]] = {
    Provider.EXCHANGE: frozenset(Capability),
}
"""What a provider's calendars cannot do (S94 to S98); one that is not named here can do everything."""

FULL_SYNC: Mapping[Provider, frozenset[Capability]] = {
    Provider.EXCHANGE: frozenset(Capability),
}
"""What an account that switched full sync on lifts of these limits (B-EX1 to B-EX3)."""

WITH_PASSWORD = frozenset({Provider.EXCHANGE})
"""Where people connect with a password of theirs, and not on a consent page."""


def lifted_limits(provider: Provider, *, exchange_full_sync: bool) -> frozenset[Capability]:
    """What a provider's calendars can do beyond its limits in an account with, or without, the switch."""
    return FULL_SYNC.get(provider, frozenset()) if exchange_full_sync else frozenset()


class CapabilityUnsupported(DomainError):
    """The provider of the host's calendar cannot do this."""

    def __init__(self, provider: Provider, capability: Capability) -> None:
        self.provider = provider
        self.capability = capability
        super().__init__(f"{provider.value} does not support {capability.value}")


class ConsentRequired(DomainError):
    """The current disclosure has to be read and accepted before a calendar is connected (S16)."""


class AlreadyConnected(DomainError):
    """The person has a working calendar account already; one at a time (A-CC4)."""


class NotConnected(DomainError):
    """There is no calendar account, or it was disconnected."""


class CalendarAccess(Enum):
    """What the connected account may do with a calendar, as its provider says."""

    OWNER = "OWNER"
    WRITER = "WRITER"
    READER = "READER"
    FREE_BUSY = "FREE_BUSY"

    @property
    def can_write(self) -> bool:
        return self in (CalendarAccess.OWNER, CalendarAccess.WRITER)

    @property
    def can_read_events(self) -> bool:
        """Seeing only that time is taken is not enough to block by it (A-CS1)."""
        return self is not CalendarAccess.FREE_BUSY


class CalendarHealth(Enum):
    """Whether a calendar can be read: never tried yet, yes, or access was lost (S60)."""

    UNREAD = "UNREAD"
    READABLE = "READABLE"
    LOST = "LOST"


class ConnectionStatus(Enum):
    """How a connection is doing. Derived from its state and its calendars, never stored."""

    SYNCING = "SYNCING"
    ACTIVE = "ACTIVE"
    DEGRADED = "DEGRADED"
    REAUTH_REQUIRED = "REAUTH_REQUIRED"
    DISCONNECTED = "DISCONNECTED"


class ConnectionAction(Enum):
    """What the host should do about a connection's status."""

    SIGN_IN_AGAIN = "SIGN_IN_AGAIN"
    UPDATE_PASSWORD = "UPDATE_PASSWORD"  # noqa: S105 - a word
    GRANT_ACCESS = "GRANT_ACCESS"


class Grant(Enum):
    """What stands between us and the account: a grant that works, one that does not any more, or none."""

    HELD = "HELD"
    LOST = "LOST"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True)
class Consent:
    """The disclosure the person accepted, and when (S16)."""

    version: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server of one's own that a mailbox was connected on: where it is called, and what it says it is (S30)."""

    url: str
    version: str


@dataclass(frozen=True, slots=True)
class ListedCalendar:
    """A calendar as its provider lists it. `external_id` is the provider's id, unique within the account."""

    external_id: str
    name: str
    access: CalendarAccess
    primary: bool = False
    color: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectedCalendar:
    """One calendar of the account. `listed` is false once the provider stops listing it."""

    id: CalendarId
    external_id: str
    name: str
    access: CalendarAccess
    primary: bool = False
    color: str | None = None
    time_zone: str | None = None
    selected: bool = False
    listed: bool = True
    health: CalendarHealth = CalendarHealth.UNREAD

    @property
    def eligible(self) -> bool:
        """Whether it may block time: the provider lists it and shows its events (S57, A-CS1)."""
        return self.listed and self.access.can_read_events


@dataclass(frozen=True, kw_only=True)
class ConnectionEvent(DomainEvent):
    """Something happened to a connection."""

    connection_id: ConnectionId
    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class CalendarConnected(ConnectionEvent):
    """An account was connected, or connected again."""


@dataclass(frozen=True, kw_only=True)
class CalendarDisconnected(ConnectionEvent):
    """The host disconnected the account; what the provider granted is to be given back."""


@dataclass(frozen=True, kw_only=True)
class GrantLost(ConnectionEvent):
    """The provider no longer accepts our grant; the host has to sign in again."""


@dataclass(frozen=True, kw_only=True)
class CalendarSelectionChanged(ConnectionEvent):
    """Other calendars block time, or another one receives bookings."""


@dataclass(frozen=True, kw_only=True)
class CalendarsListed(ConnectionEvent):
    """The provider's list of calendars differs from what we knew."""


@dataclass(frozen=True, kw_only=True)
class CalendarAccessLost(ConnectionEvent):
    """A calendar cannot be read any more."""

    calendar_id: CalendarId


@dataclass(frozen=True, kw_only=True)
class CalendarAccessRegained(ConnectionEvent):
    """A calendar that could not be read, or was never read before, can be read."""

    calendar_id: CalendarId


@dataclass(kw_only=True, eq=False)
class CalendarConnection(Aggregate):
    """A calendar account of one person.

    Always holds: consent recorded; exactly one default calendar, and it blocks; what is selected was eligible when
    chosen; a selected calendar that cannot be read makes the owner not bookable (S57, S59, S60).

    `server` is set where there is one of the customer's own. `lifted` comes from the account, and is not kept here.
    """

    id: ConnectionId
    user_id: UserId
    provider: Provider
    account_email: str
    consent: Consent
    connected_at: datetime
    grant: Grant = Grant.HELD
    calendars: list[ConnectedCalendar] = field(default_factory=list)
    default_calendar_id: CalendarId | None = None
    server: MailServer | None = None
    lifted: frozenset[Capability] = frozenset()

    @classmethod
    def connect(
        cls,
        connection_id: ConnectionId,
        *,
        account_id: AccountId,
        user_id: UserId,
        provider: Provider,
        account_email: str,
        consent: Consent,
        listed: Iterable[ListedCalendar],
        now: datetime,
        server: MailServer | None = None,
    ) -> "CalendarConnection":
        """A new connection whose primary calendar receives bookings and blocks time; all others wait to be chosen."""
        connection = cls(
            id=connection_id,
            account_id=account_id,
            user_id=user_id,
            provider=provider,
            account_email=account_email,
            consent=consent,
            connected_at=now,
            server=server,
        )
        connection._merge(listed)
        connection._select_primary()
        connection._record(CalendarConnected, now)
        return connection

    def reconnect(
        self,
        *,
        provider: Provider,
        account_email: str,
        consent: Consent,
        listed: Iterable[ListedCalendar],
        now: datetime,
        server: MailServer | None = None,
    ) -> bool:
        """Sign in again. Gives whether the selection was kept: with the same provider and address it is (B-CC1).

        Another address, or another provider, starts over with its own calendars, the primary one selected.
        """
        same = provider is self.provider and account_email.casefold() == self.account_email.casefold()
        if not same:
            self.calendars = []
            self.default_calendar_id = None
        self.provider = provider
        self.account_email = account_email
        self.server = server
        self.consent = consent
        self.connected_at = now
        self.grant = Grant.HELD
        self._merge(listed)
        if self.default_calendar_id is None:
            self._select_primary()
        self._record(CalendarConnected, now)
        return same

    def disconnect(self, *, now: datetime) -> None:
        """Give the grant back; pages of the owner are offline from here on. A second call changes nothing."""
        if self.grant is not Grant.RETURNED:
            self.grant = Grant.RETURNED
            self._record(CalendarDisconnected, now)

    def lose_grant(self, *, now: datetime) -> None:
        """The provider refused our grant. Only the first call is news."""
        if self.grant is Grant.HELD:
            self.grant = Grant.LOST
            self._record(GrantLost, now)

    def take_list(self, listed: Iterable[ListedCalendar], *, now: datetime) -> None:
        """Take the provider's current list: new calendars appear, missing ones stop being listed."""
        before = list(self.calendars)
        self._merge(listed)
        if self.calendars != before:
            self._record(CalendarsListed, now)

    def select(self, chosen: Collection[CalendarId], *, now: datetime) -> None:
        """Choose exactly these calendars to block time, all or nothing (S52 to S56). The same choice changes nothing.

        A calendar that was selected and cannot be read any more may stay in the choice.

        Raises:
            InvalidInput: the default calendar is missing; an id is unknown (CALENDAR_NOT_ELIGIBLE).
        """
        known = {calendar.id: calendar for calendar in self.calendars}
        problems = []
        for index, calendar_id in enumerate(chosen):
            calendar = known.get(calendar_id)
            if calendar is None or not (calendar.eligible or calendar.selected):
                problems.append(Problem(("calendarIds", str(index)), Rule.UNKNOWN, ProblemCode.CALENDAR_NOT_ELIGIBLE))
        if self.default_calendar_id not in chosen:
            problems.append(Problem(("calendarIds",), Rule.DEFAULT_CALENDAR_MUST_BLOCK))
        refuse(*problems)
        before = list(self.calendars)
        self.calendars = [replace(calendar, selected=calendar.id in chosen) for calendar in self.calendars]
        self.calendars = [calendar if calendar.selected else _forget_health(calendar) for calendar in self.calendars]
        if self.calendars != before:
            self._record(CalendarSelectionChanged, now)

    def choose_default(self, calendar_id: CalendarId, *, now: datetime) -> None:
        """Have bookings written to another calendar of the account; it blocks time from now on.

        Raises:
            InvalidInput: unknown, not listed any more, or not writable.
        """
        calendar = next((c for c in self.calendars if c.id == calendar_id), None)
        if calendar is None or not calendar.eligible:
            refuse(Problem(("calendarId",), Rule.UNKNOWN, ProblemCode.CALENDAR_NOT_ELIGIBLE))
        elif not calendar.access.can_write:
            refuse(Problem(("calendarId",), Rule.NOT_WRITABLE, ProblemCode.CALENDAR_NOT_ELIGIBLE))
        if calendar_id != self.default_calendar_id:
            self.default_calendar_id = calendar_id
            self._replace(replace(self.calendar(calendar_id), selected=True))
            self._record(CalendarSelectionChanged, now)

    def mark_lost(self, calendar_id: CalendarId, *, now: datetime) -> None:
        """A calendar answered that we may not read it, or that it is gone. Only the first call is news."""
        calendar = self.calendar(calendar_id)
        if calendar.health is not CalendarHealth.LOST:
            self._replace(replace(calendar, health=CalendarHealth.LOST))
            self._record(CalendarAccessLost, now, calendar_id=calendar_id)

    def mark_readable(self, calendar_id: CalendarId, *, now: datetime) -> None:
        """A calendar was read. Only the first call after a change is news (S62)."""
        calendar = self.calendar(calendar_id)
        if calendar.health is not CalendarHealth.READABLE:
            self._replace(replace(calendar, health=CalendarHealth.READABLE))
            self._record(CalendarAccessRegained, now, calendar_id=calendar_id)

    def calendar(self, calendar_id: CalendarId) -> ConnectedCalendar:
        """The calendar with this id.

        Raises:
            KeyError: not of this account.
        """
        for calendar in self.calendars:
            if calendar.id == calendar_id:
                return calendar
        raise KeyError(calendar_id)

    @property
    def default_calendar(self) -> ConnectedCalendar | None:
        return next((c for c in self.calendars if c.id == self.default_calendar_id), None)

    @property
    def selected_calendars(self) -> list[ConnectedCalendar]:
        """The calendars that block time, the default one included, in the provider's order."""
        return [calendar for calendar in self.calendars if calendar.selected]

    @property
    def lost_calendars(self) -> list[ConnectedCalendar]:
        """Selected calendars that cannot be read: while there is one, nobody can book the owner (S60)."""
        return [calendar for calendar in self.selected_calendars if calendar.health is CalendarHealth.LOST]

    @property
    def usable(self) -> bool:
        """Whether there is a grant to work with; without one the owner's pages are offline (X1)."""
        return self.grant is Grant.HELD

    @property
    def status(self) -> ConnectionStatus:
        if self.grant is Grant.RETURNED:
            return ConnectionStatus.DISCONNECTED
        if self.grant is Grant.LOST:
            return ConnectionStatus.REAUTH_REQUIRED
        if self.lost_calendars:
            return ConnectionStatus.DEGRADED
        if any(calendar.health is CalendarHealth.UNREAD for calendar in self.selected_calendars):
            return ConnectionStatus.SYNCING
        return ConnectionStatus.ACTIVE

    @property
    def needs_action(self) -> ConnectionAction | None:
        """What the host should do now, None when nothing."""
        if self.status in (ConnectionStatus.REAUTH_REQUIRED, ConnectionStatus.DISCONNECTED):
            return ConnectionAction.UPDATE_PASSWORD if self.with_password else ConnectionAction.SIGN_IN_AGAIN
        return ConnectionAction.GRANT_ACCESS if self.status is ConnectionStatus.DEGRADED else None

    @property
    def with_password(self) -> bool:
        """Whether the person connects it with a password."""
        return self.provider in WITH_PASSWORD

    def can(self, capability: Capability) -> bool:
        """Whether the provider can do this, or the account lifted that limit. A lost grant takes no part in it."""
        return capability not in LIMITS.get(self.provider, ()) or capability in self.lifted

    def require(self, capability: Capability) -> None:
        """Raise `CapabilityUnsupported` unless it can."""
        if not self.can(capability):
            raise CapabilityUnsupported(self.provider, capability)

    def _merge(self, listed: Iterable[ListedCalendar]) -> None:
        known = {calendar.external_id: calendar for calendar in self.calendars}
        merged = [_merged(known.pop(item.external_id, None), item) for item in listed]
        gone = [replace(calendar, listed=False) for calendar in known.values() if calendar.selected]
        self.calendars = merged + gone

    def _select_primary(self) -> None:
        writable = [calendar for calendar in self.calendars if calendar.access.can_write]
        chosen = next((calendar for calendar in writable if calendar.primary), None) or next(iter(writable), None)
        if chosen:
            self.default_calendar_id = chosen.id
            self._replace(replace(chosen, selected=True))

    def _replace(self, changed: ConnectedCalendar) -> None:
        self.calendars = [changed if calendar.id == changed.id else calendar for calendar in self.calendars]

    def _record(self, kind: type[ConnectionEvent], now: datetime, **details: object) -> None:
        self.record(kind(at=now, connection_id=self.id, user_id=self.user_id, **details))


def _merged(known: ConnectedCalendar | None, item: ListedCalendar) -> ConnectedCalendar:
    if known is None:
        return ConnectedCalendar(
            id=CalendarId(uuid4()),
            external_id=item.external_id,
            name=item.name,
            access=item.access,
            primary=item.primary,
            color=item.color,
            time_zone=item.time_zone,
        )
    return replace(
        known,
        name=item.name,
        access=item.access,
        primary=item.primary,
        color=item.color,
        time_zone=item.time_zone,
        listed=True,
    )


def _forget_health(calendar: ConnectedCalendar) -> ConnectedCalendar:
    """What is not selected is not read, so what was known of it grows stale."""
    return replace(calendar, health=CalendarHealth.UNREAD)
