"""A conversation by mail between one person of ours and a contact."""

from dataclasses import dataclass
from datetime import datetime

from meetings.domain.base import Aggregate, DomainEvent
from meetings.domain.email import (
    AutomaticReplyReceived,
    Correspondent,
    Email,
    EmailOrigin,
    EmailState,
    EmailText,
    MailQueued,
    MailReceived,
    MailSentByPerson,
    ReplyReceived,
)
from meetings.domain.identifiers import AccountId, EmailId, EmailThreadId, MailboxId, UserId
from meetings.domain.mailbox import Mailbox


@dataclass(frozen=True, kw_only=True)
class ContactWrote(DomainEvent):
    """The contact wrote to the conversation's owner outside of it, and no machine did. Nothing of that mail is kept."""

    thread_id: EmailThreadId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class FoundMail:
    """A mail found in a mailbox, cut to lengths that are kept. `message_id` is the one it has for everybody."""

    message_id: str
    sender: Correspondent
    recipients: tuple[str, ...]
    content: EmailText
    at: datetime
    automatic: bool = False


@dataclass(kw_only=True, eq=False)
class EmailThread(Aggregate):
    """Mails that answer each other. `contact` is the CRM's id of whom it is with, `contact_email` their address.

    `provider_thread` is what the provider calls the conversation in the mailbox `mailbox_id`. `last_at` is when its
    newest mail came or was written; `unread` says that something came since its owner looked. `heard_at` is when the
    contact last wrote to the owner without answering.
    """

    id: EmailThreadId
    user_id: UserId
    mailbox_id: MailboxId
    contact: str
    contact_email: str
    subject: str
    created_at: datetime
    last_at: datetime
    provider_thread: str | None = None
    unread: bool = False
    heard_at: datetime | None = None

    @classmethod
    def begin(
        cls,
        thread_id: EmailThreadId,
        *,
        account_id: AccountId,
        mailbox: Mailbox,
        contact: str,
        contact_email: str,
        subject: str,
        now: datetime,
    ) -> "EmailThread":
        return cls(
            id=thread_id,
            account_id=account_id,
            user_id=mailbox.user_id,
            mailbox_id=mailbox.id,
            contact=contact,
            contact_email=contact_email.casefold(),
            subject=subject,
            created_at=now,
            last_at=now,
        )

    def compose(
        self,
        email_id: EmailId,
        *,
        mailbox: Mailbox,
        contact_email: str,
        sender: Correspondent,
        content: EmailText,
        message_id: str,
        now: datetime,
        origin: EmailOrigin = EmailOrigin.PERSON,
        unsubscribe: str | None = None,
    ) -> Email:
        """A mail to the contact, at the address they have now, about to leave through a mailbox of the owner's."""
        self.contact_email = contact_email.casefold()
        if mailbox.id != self.mailbox_id:
            self.mailbox_id, self.provider_thread = mailbox.id, None
        self.last_at = max(self.last_at, now)
        mail = Email(
            id=email_id,
            account_id=self.account_id,
            thread_id=self.id,
            mailbox_id=mailbox.id,
            user_id=self.user_id,
            origin=origin,
            state=EmailState.QUEUED,
            contacts=(self.contact,),
            sender=sender,
            recipients=(self.contact_email,),
            content=content,
            message_id=message_id,
            created_at=now,
            unsubscribe=unsubscribe,
        )
        mail.tell(MailQueued, now=now)
        return mail

    def take_sent(
        self, email_id: EmailId, found: FoundMail, *, mailbox: Mailbox, contacts: tuple[str, ...], now: datetime
    ) -> Email:
        """A mail that its owner sent with another program."""
        self.last_at = max(self.last_at, found.at)
        mail = self._found(email_id, found, EmailOrigin.OTHER_PROGRAM, EmailState.SENT, mailbox, contacts, now)
        mail.tell(MailSentByPerson, now=now)
        return mail

    def receive(
        self,
        email_id: EmailId,
        found: FoundMail,
        *,
        mailbox: Mailbox,
        contacts: tuple[str, ...],
        answers: bool,
        now: datetime,
    ) -> Email:
        """A mail that came. `answers` says that it answers one of ours; a machine's answer is none of the contact's."""
        self.last_at = max(self.last_at, found.at)
        self.unread = True
        mail = self._found(email_id, found, EmailOrigin.RECEIVED, EmailState.RECEIVED, mailbox, contacts, now)
        mail.tell(
            AutomaticReplyReceived if found.automatic else ReplyReceived if answers else MailReceived,
            now=now,
        )
        return mail

    def _found(
        self,
        email_id: EmailId,
        found: FoundMail,
        origin: EmailOrigin,
        state: EmailState,
        mailbox: Mailbox,
        contacts: tuple[str, ...],
        now: datetime,
    ) -> Email:
        return Email(
            id=email_id,
            account_id=self.account_id,
            thread_id=self.id,
            mailbox_id=mailbox.id,
            user_id=self.user_id,
            origin=origin,
            state=state,
            contacts=contacts,
            sender=found.sender,
            recipients=found.recipients,
            content=found.content,
            message_id=found.message_id,
            created_at=now,
            sent_at=found.at,
            automatic=found.automatic,
        )

    def hear(self, at: datetime, *, now: datetime) -> None:
        """The contact wrote at this time, and answered nothing. What was heard before is no news."""
        if self.heard_at is None or at > self.heard_at:
            self.heard_at = at
            self.record(ContactWrote(at=now, thread_id=self.id, user_id=self.user_id))

    def mark_read(self, *, read: bool) -> None:
        """Its owner has seen what came, or wants to see it again."""
        self.unread = not read
