"""What happens to an account once its provider let us in, whichever way that came about: its calendar, its mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from meetings.application.grants import give_back
from meetings.application.ports.calendars import Providers
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.store_mailbox import OpenedAccount, Replaced, check_not_a_teams, is_unused, keep_mailbox
from meetings.domain.account_use import CALENDAR_ONLY, AccountUse
from meetings.domain.base import ConcurrentChange, DomainError, NotFound
from meetings.domain.calendar_connection import AlreadyConnected, CalendarConnection, ListedCalendar, Provider
from meetings.domain.identifiers import ConnectionId, MailboxId
from meetings.domain.mailbox import MailboxAlreadyConnected
from meetings.domain.user import Permission

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedUses:
    """What an account is to be used for here; `listed` are its calendars, where that is one of the uses."""

    uses: frozenset[AccountUse] = CALENDAR_ONLY
    listed: Sequence[ListedCalendar] = ()
    reconnect: ConnectionId | None = None
    reconnect_mailbox: MailboxId | None = None


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """What stands. `connection_id` and `mailbox_id` are those of the uses that were wanted and came about.

    `selection_kept` is false when the calendars are others than before. `mailbox_refused` says why there is no mailbox
    beside the calendar.
    """

    connection_id: ConnectionId | None = None
    selection_kept: bool = True
    mailbox_id: MailboxId | None = None
    mailbox_refused: DomainError | None = None


async def store_account(
    opened: OpenedAccount, wanted: WantedUses, *, caller: Caller, begin: Begin, providers: Providers, clock: Clock
) -> StoredAccount:
    """Keep the account as the caller's calendar, mailbox or both, with its credentials sealed (X11).

    A connection that is there already is taken over: with its pages, and with its selection while provider and address
    stay the same (B-CC1). The grant of another account that it had before is given back (OA-4), unless a mailbox goes
    on using it. A mailbox that cannot be connected does not keep the calendar from being.

    Raises:
        AlreadyConnected: there is a calendar that works, and it is not the one to reconnect.
        MailboxAlreadyConnected: nothing but the mailbox was wanted, and somebody has its address.
        TeamMailboxNotAllowed: the address is a team's (A-CC2).
        NotFound: the one to reconnect is not there any more.
        ConcurrentChange: somebody kept changing it.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            stored, replaced = await _store(opened, wanted, caller=caller, begin=begin, clock=clock)
            break
        except (ConcurrentChange, MailboxAlreadyConnected) as rival:
            # a calendar was just read, or the address just connected; nobody should have to sign in again for that
            if attempt == _TRIES or (isinstance(rival, MailboxAlreadyConnected) and not _both(wanted)):
                raise
    for each in replaced:
        await give_back(providers, each.provider, each.credentials)
    return stored


def _both(wanted: WantedUses) -> bool:
    return len(wanted.uses) > 1


@dataclass(slots=True)
class _Done:
    """What one transaction has come to so far."""

    connection: CalendarConnection | None = None
    selection_kept: bool = True
    replaced: list[Replaced] = field(default_factory=list)


async def _store(
    opened: OpenedAccount, wanted: WantedUses, *, caller: Caller, begin: Begin, clock: Clock
) -> tuple[StoredAccount, list[Replaced]]:
    done, mailbox_id, refused = _Done(), None, None
    async with begin(caller.account_id) as work:
        await work.host_times.lock([caller.user_id])  # or two at once would both find nothing
        await check_may_connect(work, caller)
        await check_not_a_teams(work, opened.email)
        if AccountUse.CALENDAR in wanted.uses:
            await _keep_calendar(opened, wanted, done, work=work, caller=caller, clock=clock)
        if AccountUse.EMAIL in wanted.uses:
            try:
                mailbox, before = await keep_mailbox(
                    opened,
                    caller=caller,
                    reconnect=wanted.reconnect_mailbox,
                    beside=done.connection,
                    work=work,
                    clock=clock,
                )
            except MailboxAlreadyConnected as taken:
                if done.connection is None:
                    raise
                refused = taken
            else:
                mailbox_id = mailbox.id
                done.replaced += before
        replaced = [each for each in done.replaced if await is_unused(each, work, caller)]
        await work.commit()
    connection_id = done.connection.id if done.connection else None
    return StoredAccount(connection_id, done.selection_kept, mailbox_id, refused), replaced


async def _keep_calendar(
    opened: OpenedAccount, wanted: WantedUses, done: _Done, *, work: UnitOfWork, caller: Caller, clock: Clock
) -> None:
    connection = await existing_connection(work, caller, wanted.reconnect)
    provider = Provider(opened.provider.value)
    if connection is None:
        done.connection = CalendarConnection.connect(
            ConnectionId(uuid4()),
            account_id=caller.account_id,
            user_id=caller.user_id,
            provider=provider,
            account_email=opened.email,
            consent=opened.consent,
            listed=wanted.listed,
            server=opened.server,
            now=clock(),
        )
        work.connections.add(done.connection, opened.credentials)
        return
    old = (connection.provider, connection.account_email)
    done.connection = connection
    done.selection_kept = connection.reconnect(
        provider=provider,
        account_email=opened.email,
        consent=opened.consent,
        listed=wanted.listed,
        server=opened.server,
        now=clock(),
    )
    before = await work.connections.replace_credentials(connection.id, opened.credentials)
    borrower = await work.mailboxes.borrowing(connection.id)
    if borrower is not None and done.selection_kept and AccountUse.EMAIL in opened.opens:
        borrower.reconnect(
            provider=opened.provider,
            consent=borrower.consent,
            connection_id=connection.id,
            server=opened.server,
            now=clock(),
        )
    elif borrower is not None:  # it goes on with what it had
        await work.mailboxes.replace_credentials(borrower.id, before)
        borrower.stand_alone()
    elif before is not None and not done.selection_kept:
        done.replaced.append(Replaced(*old, before))


async def check_may_connect(work: UnitOfWork, caller: Caller) -> None:
    """Raise `PermissionMissing` unless the person may connect a calendar or mailbox of theirs (A-CC1)."""
    (await work.users.get(caller.user_id)).check_permission(Permission.PERSONAL_EMAIL_ACCESS)


async def existing_connection(
    work: UnitOfWork, caller: Caller, reconnect: ConnectionId | None
) -> CalendarConnection | None:
    """The person's connection, working or not.

    Raises:
        PermissionMissing: as `check_may_connect`.
        AlreadyConnected: it works and is not the one named to be reconnected.
        NotFound: the one named is not theirs.
    """
    await check_may_connect(work, caller)
    connection = (await work.connections.of_users([caller.user_id])).get(caller.user_id)
    if reconnect is not None and (connection is None or connection.id != reconnect):
        raise NotFound("calendar connection", ("reconnect",))
    if connection is not None and connection.usable and reconnect is None:
        raise AlreadyConnected
    return connection
