"""What a person does with a mailbox of theirs once it is connected."""

from meetings.application.grants import give_back
from meetings.application.ports.calendars import Providers
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.store_mailbox import Replaced, is_unused
from meetings.domain.base import NotFound
from meetings.domain.identifiers import MailboxId
from meetings.domain.mailbox import Mailbox


async def disconnect_inbox(
    mailbox_id: MailboxId, *, caller: Caller, begin: Begin, providers: Providers, clock: Clock
) -> None:
    """Send and read nothing more; the calendar of the same account, and its pages, stay as they are (A-CC3).

    The mailbox's own credentials are deleted, and the grant is given back unless the calendar, or another mailbox,
    uses it. Disconnecting twice succeeds.

    Raises:
        NotFound: no such mailbox of the caller's.
    """
    async with begin(caller.account_id) as work:
        mailbox = await own_mailbox(work, caller, mailbox_id)
        mailbox.disconnect(now=clock())
        credentials = await work.mailboxes.replace_credentials(mailbox.id, None)
        returned = None
        if credentials is not None and mailbox.provider.calendar_provider is not None:
            returned = Replaced(mailbox.provider.calendar_provider, mailbox.email, credentials)
        unused = returned is not None and await is_unused(returned, work, caller)
        await work.commit()
    if returned is not None and unused:
        await give_back(providers, returned.provider, returned.credentials)


async def own_mailbox(
    work: UnitOfWork, caller: Caller, mailbox_id: MailboxId, *, named: str = "connectionId"
) -> Mailbox:
    """A mailbox of the caller's, connected or not. Raises `NotFound` for everybody else's, and for a team's; `named`
    is the argument that names it."""
    for mailbox in await work.mailboxes.of_user(caller.user_id):
        if mailbox.id == mailbox_id:
            return mailbox
    raise NotFound("mailbox", (named,))
