"""Which mailbox an account that let us in becomes, and what its credentials are (X11, A-IN6, S83)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import UnitOfWork
from meetings.domain.account_use import AccountUse
from meetings.domain.base import NotFound
from meetings.domain.calendar_connection import CalendarConnection, Consent, Grant, MailServer, Provider
from meetings.domain.identifiers import ConnectionId, MailboxId
from meetings.domain.mailbox import InboxProvider, Mailbox, MailboxAlreadyConnected, TeamMailboxNotAllowed


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAccount:
    """An account that let us in. `opens` is what its credentials are good for."""

    provider: InboxProvider
    email: str
    credentials: str = field(repr=False)
    opens: frozenset[AccountUse]
    consent: Consent
    server: MailServer | None = None


@dataclass(frozen=True, slots=True)
class Replaced:
    """What let us into an account that is not used any more, or not by this."""

    provider: Provider
    email: str
    credentials: str = field(repr=False)


async def check_not_a_teams(work: UnitOfWork, email: str) -> None:
    """Raise `TeamMailboxNotAllowed` when the address is a team's (A-CC2)."""
    held = await work.mailboxes.by_email(email)
    if held is not None and held.team:
        raise TeamMailboxNotAllowed


async def keep_mailbox(
    opened: OpenedAccount,
    *,
    caller: Caller,
    reconnect: MailboxId | None,
    beside: CalendarConnection | None,
    work: UnitOfWork,
    clock: Clock,
) -> tuple[Mailbox, Sequence[Replaced]]:
    """Keep the account as a mailbox of the caller's; gives it, and what let us in there before by another way.

    One that the person had at this address is taken over with all that was logged, also one of another provider (S83).
    It borrows the credentials of the person's calendar at the same account where these open both; `beside` is the
    calendar that was connected with them just now.

    Raises:
        MailboxAlreadyConnected: a colleague has the address; or the person has, it works, and it is not the one to
            reconnect (A-IN6).
        NotFound: the one to reconnect is not theirs.
    """
    held = await work.mailboxes.by_email(opened.email)
    if held is not None and (held.user_id != caller.user_id or held.team):
        raise MailboxAlreadyConnected
    own = await work.mailboxes.of_user(caller.user_id)
    if reconnect is not None and reconnect not in [each.id for each in own]:
        raise NotFound("mailbox", ("reconnect",))
    if held is not None and held.usable and held.provider is opened.provider and reconnect != held.id and not beside:
        raise MailboxAlreadyConnected
    lender = await _lender(opened, beside, work, caller)
    kept = None if lender is not None else opened.credentials
    mailbox = held or next((each for each in reversed(own) if each.has_address(opened.email)), None)
    if mailbox is None:
        mailbox = _first(opened, caller, lender, clock)
        work.mailboxes.add(mailbox, kept)
        return mailbox, ()
    old, old_email = mailbox.provider, mailbox.email
    mailbox.reconnect(
        provider=opened.provider, consent=opened.consent, connection_id=lender, server=opened.server, now=clock()
    )
    before = await work.mailboxes.replace_credentials(mailbox.id, kept)
    if before is None or old is opened.provider or old.calendar_provider is None:
        return mailbox, ()
    return mailbox, (Replaced(old.calendar_provider, old_email, before),)


async def _lender(
    opened: OpenedAccount, beside: CalendarConnection | None, work: UnitOfWork, caller: Caller
) -> ConnectionId | None:
    """The calendar connection whose credentials open the mailbox; they are the newest when this is done."""
    if len(opened.opens) < len(AccountUse):
        return None
    if beside is not None:
        return beside.id
    connection = (await work.connections.of_users([caller.user_id])).get(caller.user_id)
    if connection is None or not connection.usable or not _same_account(connection, opened):
        return None
    await work.connections.replace_credentials(connection.id, opened.credentials)
    return connection.id


def _same_account(connection: CalendarConnection, opened: OpenedAccount) -> bool:
    same_address = connection.account_email.casefold() == opened.email.casefold()
    return connection.provider is opened.provider.calendar_provider and same_address


def _first(opened: OpenedAccount, caller: Caller, lender: ConnectionId | None, clock: Clock) -> Mailbox:
    return Mailbox.connect(
        MailboxId(uuid4()),
        account_id=caller.account_id,
        user_id=caller.user_id,
        provider=opened.provider,
        email=opened.email,
        consent=opened.consent,
        connection_id=lender,
        server=opened.server,
        now=clock(),
    )


async def is_unused(replaced: Replaced, work: UnitOfWork, caller: Caller) -> bool:
    """Whether nothing of the person's, and no mailbox of the account, goes on using this provider's account: revoking
    one grant may end all that we have there."""
    connection = (await work.connections.of_users([caller.user_id])).get(caller.user_id)
    if (
        connection is not None
        and connection.grant is not Grant.RETURNED
        and connection.provider is replaced.provider
        and connection.account_email.casefold() == replaced.email.casefold()
    ):
        return False
    held = await work.mailboxes.by_email(replaced.email)
    return held is None or held.grant is Grant.RETURNED or held.provider.calendar_provider is not replaced.provider
