"""What a host does with a connection: choose calendars, look again, disconnect."""

from collections.abc import Sequence

from meetings.application.grants import give_back, note_lost_grant
from meetings.application.plan_sync import close_channels
from meetings.application.ports.calendars import CalendarsOf, Providers, PushOf, ReauthorizationNeeded
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.sync_schedule import SyncSchedule
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.store_mailbox import Replaced, is_unused
from meetings.domain.base import NotFound
from meetings.domain.calendar_connection import CalendarConnection, NotConnected
from meetings.domain.identifiers import CalendarId, ConnectionId


async def select_calendars(
    connection_id: ConnectionId, calendars: Sequence[CalendarId], *, caller: Caller, begin: Begin, clock: Clock
) -> None:
    """Choose exactly which calendars block time, all or nothing (S52 to S56).

    Raises:
        NotFound, NotConnected: no such connection of the caller's, or it was disconnected.
        InvalidInput: an id is not eligible, or the default calendar is missing.
    """
    async with begin(caller.account_id) as work:
        connection = await _own(work, caller, connection_id)
        connection.select(calendars, now=clock())
        await work.commit()


async def choose_default_calendar(
    connection_id: ConnectionId, calendar: CalendarId, *, caller: Caller, begin: Begin, clock: Clock
) -> None:
    """Have bookings written to another calendar.

    Raises:
        NotFound, NotConnected: as `select_calendars`.
        InvalidInput: not eligible or not writable.
    """
    async with begin(caller.account_id) as work:
        connection = await _own(work, caller, connection_id)
        connection.choose_default(calendar, now=clock())
        await work.commit()


async def refresh_connection(
    connection_id: ConnectionId,
    *,
    caller: Caller,
    begin: Begin,
    look: Begin,
    calendars_of: CalendarsOf,
    schedule: SyncSchedule,
    clock: Clock,
) -> None:
    """Ask the provider for its list of calendars and have every selected one read again.

    Raises:
        NotFound, NotConnected: as `select_calendars`.
        ProviderError: the provider cannot be reached, or wants the host to sign in again (then also written down).
    """
    async with look(caller.account_id) as work:
        connection = await _own(work, caller, connection_id)
    try:
        listed = await calendars_of(connection).list_calendars()
    except ReauthorizationNeeded:
        await note_lost_grant(connection, begin=begin, clock=clock)
        raise
    async with begin(caller.account_id) as work:
        connection = await _own(work, caller, connection_id)
        connection.take_list(listed, now=clock())
        await work.commit()
    for calendar in connection.selected_calendars:
        await schedule.request(calendar.id)


async def disconnect_calendar(
    connection_id: ConnectionId,
    *,
    caller: Caller,
    begin: Begin,
    look: Begin,
    providers: Providers,
    push_of: PushOf,
    schedule: SyncSchedule,
    clock: Clock,
) -> None:
    """Delete the credentials, then try to give the grant back; pages are offline at once, even if that fails (A-CC8).

    A mailbox that borrowed the credentials keeps them, and the grant is not given back while it is connected (X11).
    Disconnecting twice succeeds.

    Raises:
        NotFound: no such connection of the caller's.
    """
    async with look(caller.account_id) as work:
        connection = await _own(work, caller, connection_id, connected=False)
    await close_channels(connection, connection.selected_calendars, push_of=push_of, schedule=schedule)
    async with begin(caller.account_id) as work:
        connection = await _own(work, caller, connection_id, connected=False)
        connection.disconnect(now=clock())
        credentials = await work.connections.replace_credentials(connection.id, None)
        borrower = await work.mailboxes.borrowing(connection.id)
        if borrower is not None:
            await work.mailboxes.replace_credentials(borrower.id, credentials)
            borrower.stand_alone()
        returned = None
        if credentials is not None:
            returned = Replaced(connection.provider, connection.account_email, credentials)
        unused = returned is not None and await is_unused(returned, work, caller)
        await work.commit()
    if returned is not None and unused:
        await give_back(providers, returned.provider, returned.credentials)


async def _own(
    work: UnitOfWork, caller: Caller, connection_id: ConnectionId, *, connected: bool = True
) -> CalendarConnection:
    connection = await work.connections.get(connection_id)
    if connection.user_id != caller.user_id:
        raise NotFound("calendar connection", ("connectionId",))
    if connected and not connection.usable:
        raise NotConnected
    return connection
