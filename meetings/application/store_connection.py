"""What happens to a calendar account once its provider let us in, whichever way that came about."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from meetings.application.grants import give_back
from meetings.application.ports.calendars import Providers
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.calendar_connection import (
    AlreadyConnected,
    CalendarConnection,
    Consent,
    ListedCalendar,
    MailServer,
    Provider,
)
from meetings.domain.identifiers import ConnectionId
from meetings.domain.user import Permission

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConnection:
    """An account that let us in, and what we know of it."""

    provider: Provider
    account_email: str
    credentials: str = field(repr=False)
    listed: Sequence[ListedCalendar]
    consent: Consent
    server: MailServer | None = None


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """A connection that stands. `selection_kept` is false when its calendars are others than before."""

    connection_id: ConnectionId
    selection_kept: bool


async def store_connection(
    new: NewConnection,
    *,
    caller: Caller,
    reconnect: ConnectionId | None,
    begin: Begin,
    providers: Providers,
    clock: Clock,
) -> StoredConnection:
    """Keep the account as the caller's connection, with its credentials sealed.

    One that is there already is taken over: with its pages, and with its selection while provider and address stay the
    same (B-CC1). The grant of another account that it had before is given back (OA-4).

    Raises:
        AlreadyConnected: there is one that works, and it is not the one to reconnect.
        NotFound: the one to reconnect is not there any more.
        ConcurrentChange: somebody kept changing it.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            stored, replaced = await _store(new, caller=caller, reconnect=reconnect, begin=begin, clock=clock)
            break
        except ConcurrentChange:  # a calendar was just read; nobody should have to sign in again for that
            if attempt == _TRIES:
                raise
    if replaced is not None and replaced.provider in providers:
        await give_back(providers[replaced.provider], replaced.credentials)
    return stored


@dataclass(frozen=True, slots=True)
class _Replaced:
    """What let us into the account that was connected before."""

    provider: Provider
    credentials: str = field(repr=False)


async def _store(
    new: NewConnection, *, caller: Caller, reconnect: ConnectionId | None, begin: Begin, clock: Clock
) -> tuple[StoredConnection, _Replaced | None]:
    async with begin(caller.account_id) as work:
        await work.host_times.lock([caller.user_id])  # or two at once would both find nothing
        connection = await existing_connection(work, caller, reconnect)
        if connection is None:
            connection = _first(new, caller, clock)
            work.connections.add(connection, new.credentials)
            kept, replaced = True, None
        else:
            provider = connection.provider
            kept = connection.reconnect(
                provider=new.provider,
                account_email=new.account_email,
                consent=new.consent,
                listed=new.listed,
                server=new.server,
                now=clock(),
            )
            before = await work.connections.replace_credentials(connection.id, new.credentials)
            replaced = None if kept or before is None else _Replaced(provider, before)
        await work.commit()
    return StoredConnection(connection.id, kept), replaced


def _first(new: NewConnection, caller: Caller, clock: Clock) -> CalendarConnection:
    return CalendarConnection.connect(
        ConnectionId(uuid4()),
        account_id=caller.account_id,
        user_id=caller.user_id,
        provider=new.provider,
        account_email=new.account_email,
        consent=new.consent,
        listed=new.listed,
        server=new.server,
        now=clock(),
    )


async def existing_connection(
    work: UnitOfWork, caller: Caller, reconnect: ConnectionId | None
) -> CalendarConnection | None:
    """The person's connection, working or not.

    Raises:
        PermissionMissing: the person was not allowed to connect a calendar (A-CC1).
        AlreadyConnected: it works and is not the one named to be reconnected.
        NotFound: the one named is not theirs.
    """
    (await work.users.get(caller.user_id)).check_permission(Permission.PERSONAL_EMAIL_ACCESS)
    connection = (await work.connections.of_users([caller.user_id])).get(caller.user_id)
    if reconnect is not None and (connection is None or connection.id != reconnect):
        raise NotFound("calendar connection", ("reconnect",))
    if connection is not None and connection.usable and reconnect is None:
        raise AlreadyConnected
    return connection
