"""Mails and their conversations, as a unit of work gets and saves them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.exc import IntegrityError

from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.email import Correspondent, Email, EmailOrigin, EmailState, EmailText
from meetings.domain.email_thread import EmailThread
from meetings.domain.identifiers import EmailId, EmailThreadId, MailboxId, UserId
from meetings.infrastructure.database.engines import broken_constraint
from meetings.infrastructure.database.tables import email_threads, emails
from meetings.infrastructure.database.transaction import AnyRow, Image, Transaction

LONGEST_CONVERSATION = 100
_IDS_AT_ONCE = 400
"""Databases take some thousand values in one statement; each of these stands there twice."""

MAILS = select(emails).where(emails.c.account_id == bindparam("account"))
THREADS = select(email_threads).where(email_threads.c.account_id == bindparam("account"))
MAIL_BY_ID = MAILS.where(emails.c.id == bindparam("id"))
THREAD_BY_ID = THREADS.where(email_threads.c.id == bindparam("id"))
BY_MESSAGE_IDS = MAILS.where(
    or_(
        emails.c.message_id.in_(bindparam("ids", expanding=True)),
        emails.c.sent_as.in_(bindparam("ids", expanding=True)),
    )
)
OF_THREAD = MAILS.where(emails.c.thread_id == bindparam("thread"))
CONVERSATION = (
    OF_THREAD.where(
        emails.c.state.in_([state.value for state in (EmailState.SENT, EmailState.BOUNCED, EmailState.RECEIVED)])
    )
    .order_by(emails.c.at.desc(), emails.c.id.desc())
    .limit(LONGEST_CONVERSATION)
)
IN_BETWEEN = MAILS.where(
    emails.c.mailbox_id == bindparam("mailbox"),
    emails.c.state.in_([EmailState.QUEUED.value, EmailState.UNCERTAIN.value]),
    emails.c.handed_over_at.is_not(None),
)
WITH_CONTACTS = THREADS.where(
    email_threads.c.user_id == bindparam("user"),
    email_threads.c.contact_email.in_(bindparam("addresses", expanding=True)),
).order_by(email_threads.c.last_at, email_threads.c.id)
WRITTEN = (
    select(emails.c.created_at)
    .where(
        emails.c.account_id == bindparam("account"),
        emails.c.mailbox_id == bindparam("mailbox"),
        emails.c.created_at > bindparam("since", type_=emails.c.created_at.type),
        emails.c.origin.in_([EmailOrigin.PERSON.value, EmailOrigin.SEQUENCE.value]),
        emails.c.state != EmailState.FAILED.value,
    )
    .order_by(emails.c.created_at.desc())
    .limit(bindparam("most"))
)


def email_from(row: AnyRow) -> Email:
    return Email(
        id=EmailId(row.id),
        account_id=row.account_id,
        version=row.version,
        thread_id=EmailThreadId(row.thread_id),
        mailbox_id=MailboxId(row.mailbox_id),
        user_id=UserId(row.user_id),
        origin=EmailOrigin(row.origin),
        state=EmailState(row.state),
        contacts=tuple(row.contacts),
        sender=Correspondent(row.sender_name, row.sender_email),
        recipients=tuple(row.recipients),
        content=EmailText(row.subject, row.text, row.html),
        message_id=row.message_id,
        created_at=row.created_at,
        sent_at=row.sent_at,
        sent_as=row.sent_as,
        handed_over_at=row.handed_over_at,
        failure=row.failure,
        automatic=row.automatic,
        unsubscribe=row.unsubscribe,
    )


def email_row(email: Email) -> dict[str, Any]:
    return {
        "id": email.id,
        "account_id": email.account_id,
        "thread_id": email.thread_id,
        "mailbox_id": email.mailbox_id,
        "user_id": email.user_id,
        "origin": email.origin.value,
        "state": email.state.value,
        "contacts": list(email.contacts),
        "sender_name": email.sender.name,
        "sender_email": email.sender.email,
        "recipients": list(email.recipients),
        "subject": email.content.subject,
        "text": email.content.text,
        "html": email.content.html,
        "message_id": email.message_id,
        "created_at": email.created_at,
        "at": email.at,
        "sent_at": email.sent_at,
        "sent_as": email.sent_as,
        "handed_over_at": email.handed_over_at,
        "failure": email.failure,
        "automatic": email.automatic,
        "unsubscribe": email.unsubscribe,
    }


def email_thread_from(row: AnyRow) -> EmailThread:
    return EmailThread(
        id=EmailThreadId(row.id),
        account_id=row.account_id,
        version=row.version,
        user_id=UserId(row.user_id),
        mailbox_id=MailboxId(row.mailbox_id),
        contact=row.contact,
        contact_email=row.contact_email,
        subject=row.subject,
        created_at=row.created_at,
        last_at=row.last_at,
        provider_thread=row.provider_thread,
        unread=row.unread,
        heard_at=row.heard_at,
    )


def email_thread_row(thread: EmailThread) -> dict[str, Any]:
    return {
        "id": thread.id,
        "account_id": thread.account_id,
        "user_id": thread.user_id,
        "mailbox_id": thread.mailbox_id,
        "contact": thread.contact,
        "contact_email": thread.contact_email,
        "subject": thread.subject,
        "created_at": thread.created_at,
        "last_at": thread.last_at,
        "provider_thread": thread.provider_thread,
        "unread": thread.unread,
        "heard_at": thread.heard_at,
    }


class SqlEmails:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, email_id: EmailId) -> Email:
        known = self._transaction.known(Email, email_id)
        if known is not None:
            return known
        for email in await self._mails(MAIL_BY_ID, id=email_id):
            return email
        raise NotFound("email")

    async def thread(self, thread_id: EmailThreadId) -> EmailThread:
        known = self._transaction.known(EmailThread, thread_id)
        if known is not None:
            return known
        for thread in await self._threads(THREAD_BY_ID, id=thread_id):
            return thread
        raise NotFound("email thread")

    def add(self, email: Email) -> None:
        self._transaction.added(email)

    def add_thread(self, thread: EmailThread) -> None:
        self._transaction.added(thread)

    async def by_message_ids(self, message_ids: Collection[str]) -> Mapping[str, Email]:
        found: dict[str, Email] = {}
        wanted = sorted(set(message_ids))
        for start in range(0, len(wanted), _IDS_AT_ONCE):
            some = wanted[start : start + _IDS_AT_ONCE]
            for email in await self._mails(BY_MESSAGE_IDS, ids=some):
                found |= {each: email for each in (email.message_id, email.sent_as) if each in some}
        return found

    async def conversation(self, thread_id: EmailThreadId) -> Sequence[Email]:
        return (await self._mails(CONVERSATION, thread=thread_id))[::-1]

    async def in_between(self, mailbox_id: MailboxId) -> Sequence[Email]:
        return await self._mails(IN_BETWEEN, mailbox=mailbox_id)

    async def newest_threads(self, user_id: UserId, emails: Collection[str]) -> Mapping[str, EmailThread]:
        if not emails:
            return {}
        addresses = [email.casefold() for email in emails]
        found = await self._threads(WITH_CONTACTS, user=user_id, addresses=addresses)
        return {thread.contact_email: thread for thread in found}

    async def written_since(self, mailbox_id: MailboxId, since: datetime, most: int) -> Sequence[datetime]:
        values = {"account": self._transaction.account_id, "mailbox": mailbox_id, "since": since, "most": most}
        await self._transaction.lock_names([f"written:{mailbox_id}"])
        return [row.created_at for row in await self._transaction.rows(WRITTEN, values)][::-1]

    async def save(self, email: Email, before: Image | None, after: Image) -> None:
        """Write a mail down.

        Raises:
            ConcurrentChange: somebody else did since, or a mail of the account has the message id.
        """
        try:
            await self._transaction.save(emails, email.version, before, after)
        except IntegrityError as error:
            if broken_constraint(error) in (
                "emails_account_id_message_id_idx",
                "emails.account_id, emails.message_id",
            ):
                raise ConcurrentChange from error
            raise

    async def save_thread(self, thread: EmailThread, before: Image | None, after: Image) -> None:
        """Write a conversation down. Raises `ConcurrentChange` when somebody else did since."""
        await self._transaction.save(email_threads, thread.version, before, after)

    async def _mails(self, query: Select[*tuple[Any, ...]], **values: object) -> list[Email]:
        rows = await self._transaction.rows(query, {"account": self._transaction.account_id, **values})
        return [self._transaction.loaded(email_from(row), email_row) for row in rows]

    async def _threads(self, query: Select[*tuple[Any, ...]], **values: object) -> list[EmailThread]:
        rows = await self._transaction.rows(query, {"account": self._transaction.account_id, **values})
        return [self._transaction.loaded(email_thread_from(row), email_thread_row) for row in rows]
