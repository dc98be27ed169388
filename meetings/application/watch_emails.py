"""Live mails for the person whose they are."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from meetings.application.journal_news import journal_news
from meetings.application.ports.email_reads import EmailReads
from meetings.application.ports.fan_out import FanOut, mails_topic
from meetings.application.ports.identities import Caller
from meetings.application.ports.reads import JournalEntry, Reads
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


async def watch_emails(
    caller: Caller, after: str | None, *, reads: Reads, email_reads: EmailReads, fan_out: FanOut
) -> AsyncGenerator[tuple[JournalEntry, Email, EmailThread]]:
    """What happens to the caller's own mails, in order, none left out and none twice, each with its conversation as it
    is now.

    Starts after the cursor `after` (a journal position as text), or with what happens from now on.

    Raises:
        BadCursor: `after` is no cursor of this list.
    """
    account_id, topic = caller.account_id, mails_topic(caller.user_id)
    news = journal_news(account_id, after, topic=topic, kinds=MAIL_NEWS, reads=reads, fan_out=fan_out)
    async with aclosing(news):
        async for entries in news:
            own = [entry for entry in entries if entry.details.get("user_id") == str(caller.user_id)]
            found = await email_reads.emails_by_id(account_id, {EmailId(entry.subject) for entry in own})
            threads = await email_reads.threads_by_id(account_id, {email.thread_id for email in found.values()})
            for entry in own:
                email = found.get(EmailId(entry.subject))
                thread = threads.get(email.thread_id) if email else None
                if email and thread:
                    yield entry, email, thread
