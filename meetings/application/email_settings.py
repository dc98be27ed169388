"""What people set about mail: which conversations they have seen; and for the account, which mails are logged."""

from collections.abc import Sequence

from meetings.application.ports.clock import Clock
from meetings.application.ports.fan_out import mails_topic
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.base import NotFound
from meetings.domain.identifiers import EmailThreadId
from meetings.domain.reply_logging import EmailLogging, LoggingRule


async def set_email_logging(
    rule: LoggingRule, never_log: Sequence[str] | None, *, caller: Caller, begin: Begin, clock: Clock
) -> None:
    """Decide for the account which mails are logged from here on (A-IN3); without `never_log` the list stays.

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        InvalidInput: an entry is neither an address nor a domain, or there are too many.
    """
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        account = await work.account()
        entries = account.email_logging.never_log if never_log is None else never_log
        account.log_emails(EmailLogging.of(rule, entries), now=clock())
        await work.commit()


async def mark_thread(thread_id: EmailThreadId, *, read: bool, caller: Caller, begin: Begin) -> None:
    """Note that the caller has seen a conversation of theirs, or wants to see it again.

    Raises:
        NotFound: no such conversation, or somebody else's.
    """
    async with begin(caller.account_id) as work:
        thread = await work.emails.thread(thread_id)
        if thread.user_id != caller.user_id:
            raise NotFound("email thread", ("threadId",))
        thread.mark_read(read=read)
        work.poke(mails_topic(caller.user_id))
        await work.commit()
