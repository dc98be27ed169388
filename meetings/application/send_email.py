"""A person writes to a contact: one mail, through their own mailbox (S85)."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import Contact, CrmOf
from meetings.application.ports.identities import Caller
from meetings.application.ports.outbox import NewIntent
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.reactions import SEND_EMAIL
from meetings.application.repeated_commands import (
    CommandKey,
    KeptMeanwhile,
    earlier_result,
    keep_result,
    result_of_rival,
)
from meetings.application.written_mail import write_mail
from meetings.domain.base import NotFound
from meetings.domain.email import Correspondent, DailyMailLimit, Email, EmailOrigin, EmailText
from meetings.domain.email_thread import EmailThread
from meetings.domain.identifiers import EmailId, EmailThreadId, MailboxId, UserId
from meetings.domain.mailbox import InboxNotConnected, Mailbox
from meetings.domain.user import User

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SendEmail:
    """A mail to a contact (the CRM's id), new or as one more of a conversation; through a certain mailbox, or the one
    the conversation goes through, or the person's first."""

    contact_id: str
    subject: str
    body_markdown: str
    idempotency_key: str
    thread_id: EmailThreadId | None = None
    include_meeting_link: bool = False
    mailbox_id: MailboxId | None = None

    def command(self, caller: Caller) -> CommandKey:
        given = asdict(self)
        del given["idempotency_key"]
        return CommandKey.of("sendEmail", str(caller.user_id), self.idempotency_key, given)


async def send_email(
    wish: SendEmail, *, caller: Caller, link: str | None, begin: Begin, look: Begin, crm_of: CrmOf, clock: Clock,
    policy: Policy,
) -> EmailId:  # fmt: skip
    """Queue the mail, with the intent to hand it over. The same command again gives the same mail.

    `link` is where the caller's default page is now; a mail keeps the link it was written with (S47).

    Raises:
        InvalidInput: the mail itself, everything at once.
        NotFound: the contact, the conversation, or the caller's page, where its link is wanted.
        InboxNotConnected: there is no mailbox that works, or not the one that was asked for.
        DailyMailLimit: the mailbox has sent enough today.
        IdempotencyConflict: the key was used for another mail.
        ConcurrentChange: the conversation changed meanwhile; worth another try.
        ProviderError: the contact could not be looked up just now.
    """
    command = wish.command(caller)
    async with look(caller.account_id) as work:
        earlier = await earlier_result(work, command)
        sender = await work.users.get(caller.user_id)
    if earlier:
        return EmailId(earlier)
    content = write_mail(
        wish.subject, wish.body_markdown, sender=sender, link=link, include_meeting_link=wish.include_meeting_link
    )
    contact = (await (await crm_of(caller.account_id)).contacts_by_id([wish.contact_id])).get(wish.contact_id)
    if contact is None:
        raise NotFound("contact", ("contactId",))
    try:
        return await _queue(wish, command, contact, content, caller=caller, begin=begin, clock=clock, policy=policy)
    except KeptMeanwhile:
        return EmailId(await result_of_rival(caller.account_id, command, look))


async def _queue(
    wish: SendEmail, command: CommandKey, contact: Contact, content: EmailText, *, caller: Caller, begin: Begin,
    clock: Clock, policy: Policy,
) -> EmailId:  # fmt: skip
    async with begin(caller.account_id) as work:
        sender = await work.users.get(caller.user_id)
        thread = None if wish.thread_id is None else await _own_thread(work, wish.thread_id, contact, caller.user_id)
        mailbox = await _mailbox(work, caller.user_id, wish.mailbox_id or (thread.mailbox_id if thread else None), wish)
        now = clock()
        await check_daily_limit(work, mailbox, now=now, policy=policy)
        if thread is None:
            thread = begin_thread(work, mailbox, contact, content, now=now)
        email = queue_email(work, thread, mailbox, sender, contact.email, content, now=now)
        await keep_result(work, command, email.id)
        await work.commit()
    return email.id


def begin_thread(
    work: UnitOfWork, mailbox: Mailbox, contact: Contact, content: EmailText, *, now: datetime
) -> EmailThread:
    """A new conversation with a contact, about what its first mail is about."""
    thread = EmailThread.begin(
        EmailThreadId(uuid4()),
        account_id=work.account_id,
        mailbox=mailbox,
        contact=contact.id,
        contact_email=contact.email,
        subject=content.subject,
        now=now,
    )
    work.emails.add_thread(thread)
    return thread


def queue_email(
    work: UnitOfWork,
    thread: EmailThread,
    mailbox: Mailbox,
    sender: User,
    to: str,
    content: EmailText,
    *,
    now: datetime,
    origin: EmailOrigin = EmailOrigin.PERSON,
    unsubscribe: str | None = None,
) -> Email:
    """Have a mail leave with this transaction's commit. Mails of one conversation leave one after the other.

    One of a PERSON leaves at least once, and twice only if its provider hid the first for long; one of a SEQUENCE at
    most once: when nobody can say whether it left, it is listed (OB-7).
    """
    email_id = EmailId(uuid4())
    email = thread.compose(
        email_id,
        mailbox=mailbox,
        contact_email=to,
        sender=Correspondent(sender.name, mailbox.email),
        content=content,
        message_id=f"<{email_id}@{mailbox.email.rpartition('@')[2]}>",
        now=now,
        origin=origin,
        unsubscribe=unsubscribe,
    )
    work.emails.add(email)
    work.intend(NewIntent(SEND_EMAIL, email.id, f"{SEND_EMAIL}:{thread.id}"))
    return email


async def check_daily_limit(work: UnitOfWork, mailbox: Mailbox, *, now: datetime, policy: Policy) -> None:
    """Raise `DailyMailLimit` when people and sequences together have sent as much as a mailbox may in 24 hours."""
    most = policy.mails_per_day
    written = await work.emails.written_since(mailbox.id, now - DAY, most)
    if len(written) >= most:
        raise DailyMailLimit(most, written[0] + DAY - now if written else DAY)


async def _own_thread(work: UnitOfWork, thread_id: EmailThreadId, contact: Contact, user_id: UserId) -> EmailThread:
    missing = NotFound("email thread", ("threadId",))
    try:
        thread = await work.emails.thread(thread_id)
    except NotFound:
        raise missing from None
    if thread.user_id != user_id or thread.contact != contact.id:
        raise missing
    return thread


async def _mailbox(work: UnitOfWork, user_id: UserId, preferred: MailboxId | None, wish: SendEmail) -> Mailbox:
    usable = [mailbox for mailbox in await work.mailboxes.of_user(user_id) if mailbox.usable]
    found = next((mailbox for mailbox in usable if mailbox.id == preferred), None)
    if found is None and wish.mailbox_id is None:
        found = usable[0] if usable else None
    if found is None:
        raise InboxNotConnected
    return found
