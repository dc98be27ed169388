"""Live mails for the person whose they are."""

from collections.abc import AsyncGenerator

from meetings.application.ports.email_reads import EmailReads
from meetings.application.ports.fan_out import FanOut, mails_topic
from meetings.application.ports.identities import Caller
from meetings.application.ports.reads import BadCursor, JournalEntry, Reads
from meetings.domain.email import (
    AutomaticReplyReceived,
    Email,
    MailBounced,
    MailNotSent,
    MailQueued,
    MailReceived,
    MailSent,
    MailSentByPerson,
    MailUncertain,
    ReplyReceived,
)
from meetings.domain.email_thread import EmailThread
from meetings.domain.identifiers import EmailId

MAIL_NEWS = tuple(
    kind.__name__
    for kind in (
        MailQueued,
        MailSent,
        MailNotSent,
        MailUncertain,
        MailBounced,
        ReplyReceived,
        AutomaticReplyReceived,
        MailReceived,
        MailSentByPerson,
    )
)
"""The journal entries that are news about a mail."""

_LOOK_EVERY = 30.0
_AT_ONCE = 100


async def watch_emails(
    caller: Caller, after: str | None, *, reads: Reads, email_reads: EmailReads, fan_out: FanOut
) -> AsyncGenerator[tuple[JournalEntry, Email, EmailThread]]:
    """What happens to the caller's own mails, in order, none left out and none twice, each with its conversation as it
    is now.

    Starts after the cursor `after` (a journal position as text), or with what happens from now on.

    Raises:
        BadCursor: `after` is no cursor of this list.
    """
    account_id = caller.account_id
    position = _position(after) if after is not None else await reads.journal_end(account_id)
    async with fan_out.listen({mails_topic(caller.user_id)}) as ear:
        while True:
            entries = await reads.journal(account_id, after=position, kinds=MAIL_NEWS, limit=_AT_ONCE)
            own = [entry for entry in entries if entry.details.get("user_id") == str(caller.user_id)]
            found = await email_reads.emails_by_id(account_id, {EmailId(entry.subject) for entry in own})
            threads = await email_reads.threads_by_id(account_id, {email.thread_id for email in found.values()})
            for entry in own:
                email = found.get(EmailId(entry.subject))
                thread = threads.get(email.thread_id) if email else None
                if email and thread:
                    yield entry, email, thread
            position = entries[-1].position if entries else position
            if len(entries) < _AT_ONCE:
                await ear.wait(_LOOK_EVERY)


def _position(cursor: str) -> int:
    if not cursor.isdecimal() or len(cursor) > 18:
        raise BadCursor
    return int(cursor)
