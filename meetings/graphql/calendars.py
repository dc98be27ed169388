"""Calendar connections: what is connected, how it is doing, connecting and choosing."""

import enum
from datetime import datetime
from typing import Annotated

import strawberry

from meetings.application.connect_calendar import StartConnection
from meetings.application.manage_connection import (
    choose_default_calendar,
    disconnect_calendar,
    refresh_connection,
    select_calendars,
)
from meetings.application.ports.calendars import CalendarProvider as OfferedProvider
from meetings.application.ports.unit_of_work import MirrorState
from meetings.application.uses import disclosure_of, usual_uses
from meetings.domain import calendar_connection as domain
from meetings.domain.account_use import CALENDAR_ONLY
from meetings.domain.base import InvalidInput, Problem
from meetings.domain.calendar_connection import AlreadyConnected, ConsentRequired, NotConnected
from meetings.domain.identifiers import CalendarId, ConnectionId
from meetings.graphql.consent_trips import StartConnectionPayload, begin_trip
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.enums import (
    AccountUse,
    CalendarAccess,
    CalendarHealth,
    Capability,
    ConnectionAction,
    ConnectionStatus,
    Provider,
    Rule,
)
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, RefusedError, UserError, Wording, as_user_errors, mutation
from meetings.graphql.node_ids import Kind, from_id, to_id
from meetings.graphql.nodes import Node
from meetings.graphql.scalars import URL, EmailAddress, TimeZone

_STATUS_MESSAGES = {
    ConnectionStatus.SYNCING: "The selected calendars are being read for the first time.",
    ConnectionStatus.REAUTH_REQUIRED: "The provider does not accept our access any more. Please sign in again.",
    ConnectionStatus.DISCONNECTED: "The calendar was disconnected.",
}


@strawberry.enum(description="What the sync of a connection's calendars is doing.")
class SyncPhase(enum.Enum):
    """Derived from how far the copy of each selected calendar has come."""

    INITIAL = strawberry.enum_value("INITIAL", description="A selected calendar is being read for the first time.")
    IDLE = strawberry.enum_value("IDLE", description="All are read; changes are taken as they come.")
    BACKING_OFF = strawberry.enum_value("BACKING_OFF", description="A read failed; it is tried again by itself.")


@strawberry.enum(description="Why a calendar cannot be selected.")
class ExcludedReason(enum.Enum):
    """Null where it can."""

    FREE_BUSY_ONLY = strawberry.enum_value(
        "FREE_BUSY_ONLY", description="Its owner shares only that time is taken; ask for all event details."
    )
    NOT_LISTED = strawberry.enum_value("NOT_LISTED", description="The provider does not list it any more.")


@strawberry.type(description="How far reading the selected calendars has come.")
class SyncState:
    """Counts calendars."""

    phase: SyncPhase = strawberry.field(description="What is being done.")
    processed: int = strawberry.field(description="How many selected calendars have been read.")
    total: int = strawberry.field(description="How many calendars are selected.")
    last_synced_at: datetime | None = strawberry.field(
        description="Up to when all of them are known; null while one was never read."
    )

    @classmethod
    def of(cls, connection: domain.CalendarConnection, states: dict[CalendarId, MirrorState]) -> "SyncState":
        selected = [states.get(calendar.id) for calendar in connection.selected_calendars]
        confirmed = [state.confirmed_at for state in selected if state and state.confirmed_at]
        failing = any(state.failures for state in selected if state)
        complete = len(confirmed) == len(selected)
        phase = SyncPhase.BACKING_OFF if failing else SyncPhase.IDLE if complete else SyncPhase.INITIAL
        return cls(
            phase=phase,
            processed=len(confirmed),
            total=len(selected),
            last_synced_at=min(confirmed) if confirmed and complete else None,
        )


@strawberry.type(description="One calendar of a connected account.")
class Calendar:
    """Also one that cannot be selected, with the reason."""

    id: strawberry.ID = strawberry.field(description="Opaque.")
    name: str = strawberry.field(description="As the provider calls it.")
    color: str | None = strawberry.field(description="As the provider shows it.")
    primary: bool = strawberry.field(description="Whether it is the account's main calendar.")
    access: CalendarAccess = strawberry.field(description="What the account may do with it.")
    can_write: bool = strawberry.field(description="Whether bookings can be written into it.")
    time_zone: TimeZone | None = strawberry.field(description="Its own zone, if the provider tells.")
    selected: bool = strawberry.field(description="Whether its events block bookings.")
    is_default: bool = strawberry.field(description="Whether bookings are written into it.")
    eligible: bool = strawberry.field(description="Whether it can be selected.")
    excluded_reason: ExcludedReason | None = strawberry.field(description="Why it cannot be selected; null if it can.")
    health: CalendarHealth = strawberry.field(description="Whether it can be read; only selected ones are.")
    provider: strawberry.Private[Provider]

    @strawberry.field(description="The provider's help on making and sharing calendars.")
    def help_url(self, info: Info) -> URL | None:
        offered = info.context.tools.providers.get(self.provider)
        return URL(offered.help_url) if offered and offered.help_url else None

    @classmethod
    def of(cls, calendar: domain.ConnectedCalendar, connection: domain.CalendarConnection) -> "Calendar":
        excluded = None
        if not calendar.listed:
            excluded = ExcludedReason.NOT_LISTED
        elif not calendar.eligible:
            excluded = ExcludedReason.FREE_BUSY_ONLY
        return cls(
            id=to_id(Kind.CALENDAR, calendar.id),
            name=calendar.name,
            color=calendar.color,
            primary=calendar.primary,
            access=calendar.access,
            can_write=calendar.access.can_write,
            time_zone=TimeZone(calendar.time_zone) if calendar.time_zone else None,
            selected=calendar.selected,
            is_default=calendar.id == connection.default_calendar_id,
            eligible=calendar.eligible,
            excluded_reason=excluded,
            health=calendar.health,
            provider=connection.provider,
        )


@strawberry.type(description="A person's calendar account.")
class CalendarConnection(Node):
    """Holds no secret: tokens are never part of the API."""

    provider: Provider = strawberry.field(description="Whose calendars they are.")
    account_email: EmailAddress = strawberry.field(description="The account that was signed in to.")
    status: ConnectionStatus = strawberry.field(description="How it is doing.")
    status_message: str | None = strawberry.field(description="The status in words; null while all is well.")
    needs_action: ConnectionAction | None = strawberry.field(description="What to do about it; null for nothing.")
    connected_at: datetime = strawberry.field(description="When it was last signed in to.")
    server_url: URL | None = strawberry.field(
        description="Where its server is called; null where it is the provider's own."
    )
    server_version: str | None = strawberry.field(
        description="What its server said it is, such as `Exchange 2016 (15.1.2507.0)`; null for the provider's own."
    )
    capabilities: list[Capability] = strawberry.field(
        description="What can be done with it beyond showing busy time and taking bookings."
    )
    available_calendars: list[Calendar] = strawberry.field(
        description="Every calendar of the account, also those that cannot be selected, with the reason."
    )
    default_calendar: Calendar | None = strawberry.field(description="The one that bookings are written into.")
    busy_calendars: list[Calendar] = strawberry.field(
        description="Calendars whose events block bookings, the default one included."
    )
    connection: strawberry.Private[domain.CalendarConnection]

    @strawberry.field(description="How far reading its calendars has come.")
    async def sync(self, info: Info) -> SyncState:
        loaders = info.context.loaders(self.connection.account_id)
        return SyncState.of(self.connection, await loaders.mirror_states(self.connection.id))

    @classmethod
    def of(cls, connection: domain.CalendarConnection) -> "CalendarConnection":
        calendars = [Calendar.of(calendar, connection) for calendar in connection.calendars]
        return cls(
            id=to_id(Kind.CONNECTION, connection.id),
            provider=connection.provider,
            account_email=EmailAddress(connection.account_email),
            status=connection.status,
            status_message=_status_message(connection),
            needs_action=connection.needs_action,
            connected_at=connection.connected_at,
            server_url=URL(connection.server.url) if connection.server else None,
            server_version=connection.server.version if connection.server else None,
            capabilities=[capability for capability in Capability if connection.can(capability)],
            available_calendars=calendars,
            default_calendar=next((calendar for calendar in calendars if calendar.is_default), None),
            busy_calendars=[calendar for calendar in calendars if calendar.selected],
            connection=connection,
        )


def _status_message(connection: domain.CalendarConnection) -> str | None:
    if connection.status is ConnectionStatus.DEGRADED:
        names = ", ".join(calendar.name for calendar in connection.lost_calendars)
        return f"These selected calendars cannot be read, so nobody can book: {names}."
    if connection.needs_action is ConnectionAction.UPDATE_PASSWORD and connection.grant is domain.Grant.LOST:
        return "The server does not accept the password any more. Please enter the one that is valid now."
    return _STATUS_MESSAGES.get(connection.status)


@strawberry.type(description="What a person must read and accept before a calendar is connected.")
class Disclosure:
    """Accepted by its version, in `startCalendarConnection`."""

    provider: Provider = strawberry.field(description="For whose calendars.")
    version: str = strawberry.field(description="Names this very text.")
    title: str = strawberry.field(description="Its headline.")
    body_markdown: str = strawberry.field(description="What access is asked for, and what it is used for.")
    notes: list[str] = strawberry.field(description="What to keep in mind before going on.")
    accepted_at: datetime | None = strawberry.field(
        description="When this person accepted this version, for the connection they have now."
    )

    @classmethod
    def of(
        cls,
        offered: OfferedProvider,
        connection: domain.CalendarConnection | None,
        uses: frozenset[AccountUse] | None = None,
    ) -> "Disclosure":
        disclosure = disclosure_of(offered, usual_uses(offered) if uses is None else uses)
        accepted = connection is not None and connection.consent.version == disclosure.version
        return cls(
            provider=offered.provider,
            version=disclosure.version,
            title=disclosure.title,
            body_markdown=disclosure.body_markdown,
            notes=list(disclosure.notes),
            accepted_at=connection.consent.accepted_at if connection and accepted else None,
        )


@strawberry.enum(description="How people let this product into their calendar.")
class ConnectWith(enum.Enum):
    """Which mutation begins it."""

    CONSENT_PAGE = strawberry.enum_value(
        "CONSENT_PAGE", description="On the provider's own page: `startCalendarConnection`, `startInboxConnection`."
    )
    PASSWORD = strawberry.enum_value(
        "PASSWORD",
        description="With a password: `connectExchangeCalendar`, `connectExchangeInbox`, `connectImapInbox`.",
    )


@strawberry.type(description="A kind of calendar that can be connected here.")
class ConnectableCalendar:
    """What a dialog for connecting needs."""

    provider: Provider = strawberry.field(description="Whose calendars.")
    connect_with: ConnectWith = strawberry.field(description="How.")
    disclosure: Disclosure = strawberry.field(description="What to read and accept before.")
    help_url: URL | None = strawberry.field(description="The provider's help on making and sharing calendars.")

    @classmethod
    def of(cls, offered: OfferedProvider, connection: domain.CalendarConnection | None) -> "ConnectableCalendar":
        return cls(
            provider=offered.provider,
            connect_with=ConnectWith.CONSENT_PAGE if offered.sign_in is not None else ConnectWith.PASSWORD,
            disclosure=Disclosure.of(offered, connection),
            help_url=URL(offered.help_url) if offered.help_url else None,
        )


@strawberry.input(description="The wish to connect a calendar account.")
class StartCalendarConnectionInput:
    """Nothing is stored of a provider's until the person comes back from its consent page."""

    provider: Provider = strawberry.field(description="Whose calendars.")
    accepted_disclosure: str = strawberry.field(description="The version of the disclosure that was accepted.")
    return_to: URL = strawberry.field(
        description="Where the browser goes afterwards; on this server, its dashboard, or an allowed origin."
    )
    reconnect: strawberry.ID | None = strawberry.field(
        default=None, description="The connection to sign in to again; pages and chosen calendars are kept."
    )
    login_hint: str | None = strawberry.field(default=None, description="The address the person wants to sign in with.")
    uses: list[AccountUse] | None = strawberry.field(
        default=None,
        description="What the account is to be used for. Left out, for its calendars and, as far as that is offered, "
        "its mailbox; on signing in again for what it was used for.",
    )


@strawberry.type(description="What became of a calendar connection.")
class CalendarConnectionPayload:
    """Either a connection or errors."""

    connection: CalendarConnection | None = strawberry.field(default=None, description="The connection as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


ConnectionArgument = Annotated[strawberry.ID, strawberry.argument(description="Which connection.")]


@strawberry.type(description="Mutations of calendar connections.")
class CalendarMutations:
    """Part of the schema's mutations."""

    @mutation(
        StartConnectionPayload,
        Access.SIGNED_IN,
        "Begin to connect a calendar account. Returns the provider's consent page and sets a cookie that lasts as long "
        "as the trip; the server's own callback finishes and redirects to `returnTo` with `calendar=connected` in its "
        "query, and `inbox=connected` where the account's mailbox was connected too, or `inbox=failed` with an "
        "`inboxReason` where only that was not (and `account=other` for another address than the one hinted at, "
        "`selection=reset` where calendars have to be chosen again), or with `calendar=failed` and a `reason`: "
        "`OAUTH_DENIED` (the person or their "
        "administrator said no), `TOKEN_INVALID` (the trip has to begin anew), `PERMISSION_MISSING` (less was granted "
        "than is needed), `CALENDAR_NOT_ELIGIBLE` (no calendar that can be written), `MAILBOX_NOT_FOUND` (the account "
        "has no mailbox), `MAILBOX_MIGRATION_OR_HYBRID` (its mailbox is on a server elsewhere, or being moved), "
        "`ALREADY_CONNECTED` (another window was faster), `SHARED_MAILBOX_NOT_ALLOWED` (the address is a team's), "
        "`PROVIDER_UNAVAILABLE` (worth another try).",
        Code.CONSENT_REQUIRED,
        Code.ALREADY_CONNECTED,
        Code.NOT_FOUND,
        Code.VALIDATION,
    )
    async def start_calendar_connection(
        self,
        info: Info,
        input: Annotated[StartCalendarConnectionInput, strawberry.argument(description="What to connect.")],
    ) -> StartConnectionPayload:
        operation = info.context
        offered = operation.tools.providers.get(input.provider)
        if offered is None or offered.sign_in is None:
            raise InvalidInput([Problem(("provider",), Rule.NOT_AVAILABLE_YET)])
        return await begin_trip(
            operation,
            StartConnection(
                provider=input.provider,
                accepted_disclosure=input.accepted_disclosure,
                return_to=input.return_to,
                reconnect=None if input.reconnect is None else ConnectionId(from_id(Kind.CONNECTION, input.reconnect)),
                login_hint=input.login_hint,
                uses=await _uses(operation, offered, input),
            ),
        )

    @mutation(
        CalendarConnectionPayload,
        Access.SIGNED_IN,
        "Have bookings written into another calendar of the account; it blocks time from now on.",
        Code.CALENDAR_NOT_ELIGIBLE,
        Code.NOT_CONNECTED,
        Code.NOT_FOUND,
        Code.CONCURRENT_CHANGE,
    )
    async def set_default_calendar(
        self,
        info: Info,
        connection_id: ConnectionArgument,
        calendar_id: Annotated[strawberry.ID, strawberry.argument(description="The calendar to write into.")],
    ) -> CalendarConnectionPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        connection = ConnectionId(from_id(Kind.CONNECTION, connection_id))
        calendar = CalendarId(from_id(Kind.CALENDAR, calendar_id))
        await again_on_conflict(
            lambda: choose_default_calendar(
                connection, calendar, caller=caller, begin=operation.begin, clock=tools.clock
            )
        )
        return await _payload(operation, connection)

    @mutation(
        CalendarConnectionPayload,
        Access.SIGNED_IN,
        "Choose exactly which calendars block time, all or nothing. The default calendar has to be among them. A lost "
        "calendar that is left out does not block any more.",
        Code.VALIDATION,
        Code.CALENDAR_NOT_ELIGIBLE,
        Code.NOT_CONNECTED,
        Code.NOT_FOUND,
        Code.CONCURRENT_CHANGE,
    )
    async def set_busy_calendars(
        self,
        info: Info,
        connection_id: ConnectionArgument,
        calendar_ids: Annotated[list[strawberry.ID], strawberry.argument(description="The calendars that block.")],
    ) -> CalendarConnectionPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        connection = ConnectionId(from_id(Kind.CONNECTION, connection_id))
        calendars = [CalendarId(from_id(Kind.CALENDAR, given)) for given in calendar_ids]
        await again_on_conflict(
            lambda: select_calendars(connection, calendars, caller=caller, begin=operation.begin, clock=tools.clock)
        )
        return await _payload(operation, connection)

    @mutation(
        CalendarConnectionPayload,
        Access.SIGNED_IN,
        "Ask the provider for its calendars now, and read every selected one again.",
        Code.PROVIDER_UNAVAILABLE,
        Code.CREDENTIALS_REJECTED,
        Code.NOT_CONNECTED,
        Code.NOT_FOUND,
        Code.CONCURRENT_CHANGE,
    )
    async def refresh_calendar_connection(
        self, info: Info, connection_id: ConnectionArgument
    ) -> CalendarConnectionPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        connection = ConnectionId(from_id(Kind.CONNECTION, connection_id))
        await again_on_conflict(
            lambda: refresh_connection(
                connection,
                caller=caller,
                begin=operation.begin,
                look=tools.look,
                calendars_of=tools.calendars_of,
                schedule=tools.schedule,
                clock=tools.clock,
            )
        )
        return await _payload(operation, connection)

    @mutation(
        CalendarConnectionPayload,
        Access.SIGNED_IN,
        "Give the account back: its secrets are deleted at once and revoked at the provider, pages take requests only. "
        "Its mailbox, if connected, stays, and the access for it is not revoked. "
        "Booked meetings stay in the calendar. Disconnecting twice succeeds.",
        Code.NOT_FOUND,
        Code.CONCURRENT_CHANGE,
    )
    async def disconnect_calendar(self, info: Info, connection_id: ConnectionArgument) -> CalendarConnectionPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        connection = ConnectionId(from_id(Kind.CONNECTION, connection_id))
        await again_on_conflict(
            lambda: disconnect_calendar(
                connection,
                caller=caller,
                begin=operation.begin,
                look=tools.look,
                providers=tools.providers,
                push_of=tools.push_of,
                schedule=tools.schedule,
                clock=tools.clock,
            )
        )
        return await _payload(operation, connection)


async def _uses(
    operation: Operation, offered: OfferedProvider, input: StartCalendarConnectionInput
) -> frozenset[AccountUse]:
    if input.uses is not None:
        return frozenset(input.uses)
    if input.reconnect is None:
        return usual_uses(offered)
    async with operation.tools.look(operation.signed_in().account_id) as work:
        borrower = await work.mailboxes.borrowing(ConnectionId(from_id(Kind.CONNECTION, input.reconnect)))
    return usual_uses(offered) if borrower is not None else CALENDAR_ONLY


async def _payload(operation: Operation, connection_id: ConnectionId) -> CalendarConnectionPayload:
    return CalendarConnectionPayload(connection=await shown_connection(operation, connection_id))


async def shown_connection(operation: Operation, connection_id: ConnectionId | None) -> CalendarConnection | None:
    """A connection of the caller's account as it is after a change; None for none."""
    operation.forget_loaded()
    if connection_id is None:
        return None
    connection = await operation.loaders(operation.signed_in().account_id).connections.load(connection_id)
    return CalendarConnection.of(connection) if connection else None


@as_user_errors.register
def _(error: ConsentRequired, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.CONSENT_REQUIRED, ("acceptedDisclosure",)))]


@as_user_errors.register
def _(error: AlreadyConnected, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.ALREADY_CONNECTED))]


@as_user_errors.register
def _(error: NotConnected, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.NOT_CONNECTED))]
