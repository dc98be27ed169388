"""Mails with contacts, and the conversations they belong to: what we sent, what came back, what became of each."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from html import escape

from meetings.domain.base import Aggregate, DomainError, DomainEvent
from meetings.domain.identifiers import EmailId, EmailThreadId, MailboxId, UserId

MAX_SUBJECT = 250
MAX_BODY = 50_000
MAX_LOGGED_TEXT = 20_000


class EmailOrigin(Enum):
    """Where a mail came from: a person wrote it here, a sequence did, the person used another program, or somebody
    else sent it."""

    PERSON = "PERSON"
    SEQUENCE = "SEQUENCE"
    OTHER_PROGRAM = "OTHER_PROGRAM"
    RECEIVED = "RECEIVED"


class EmailState(Enum):
    """How a mail stands.

    QUEUED: it is about to leave. SENT: the provider has it. FAILED: it did not leave and will not. UNCERTAIN: it was
    handed over, nobody said whether it left, and it is not sent again by itself. BOUNCED: it left and came back.
    RECEIVED: somebody else sent it.
    """

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"
    UNCERTAIN = "UNCERTAIN"
    BOUNCED = "BOUNCED"
    RECEIVED = "RECEIVED"


class DailyMailLimit(DomainError):
    """The mailbox has sent as many mails as it may in 24 hours. After `wait` another one can leave."""

    def __init__(self, most: int, wait: timedelta) -> None:
        self.most = most
        self.wait = wait
        super().__init__(f"at most {most} mails in 24 hours")


@dataclass(frozen=True, slots=True)
class EmailText:
    """What a mail says: as plain text, and as HTML where it has any."""

    subject: str
    text: str
    html: str | None = None

    def with_footer(self, words: str, address: str) -> "EmailText":
        """The same with a last line: words, and where to go."""
        text = f"{self.text.rstrip()}\n\n-- \n{words} {address}\n"
        if self.html is None:
            return replace(self, text=text)
        link = f'<a href="{escape(address)}">{escape(address)}</a>'
        return replace(self, text=text, html=f"{self.html}<hr><p><small>{escape(words)} {link}</small></p>")


@dataclass(frozen=True, slots=True)
class Correspondent:
    """A name, which may be empty, and an address."""

    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class EmailEvent(DomainEvent):
    """Something happened to a mail of a conversation of this person's."""

    email_id: EmailId
    thread_id: EmailThreadId
    user_id: UserId
    origin: EmailOrigin


@dataclass(frozen=True, kw_only=True)
class MailQueued(EmailEvent):
    """A mail is about to leave."""


@dataclass(frozen=True, kw_only=True)
class MailSent(EmailEvent):
    """The provider has the mail that we handed over."""


@dataclass(frozen=True, kw_only=True)
class MailNotSent(EmailEvent):
    """The mail did not leave, and will not."""


@dataclass(frozen=True, kw_only=True)
class MailUncertain(EmailEvent):
    """Nobody can say whether the mail left; people have to look."""


@dataclass(frozen=True, kw_only=True)
class MailBounced(EmailEvent):
    """A mail of ours could not be delivered."""


@dataclass(frozen=True, kw_only=True)
class ReplyReceived(EmailEvent):
    """Somebody answered a mail of ours; from whatever address, it counts as the contact's answer (A-IN1)."""


@dataclass(frozen=True, kw_only=True)
class AutomaticReplyReceived(EmailEvent):
    """An answering machine answered. It is logged, and is no answer of the contact."""


@dataclass(frozen=True, kw_only=True)
class MailSentByPerson(EmailEvent):
    """The person sent a mail with another program, and it was logged."""


@dataclass(frozen=True, kw_only=True)
class MailReceived(EmailEvent):
    """A contact sent a mail that answers none of ours, and it was logged, because the account logs all mail."""


@dataclass(kw_only=True, eq=False)
class Email(Aggregate):
    """One mail. `contacts` are the CRM's ids of the people whose records it belongs to, `recipients` addresses.

    `message_id` is the one of its header: of a mail of ours the one it was handed over with, and `sent_as` the one it
    has for everybody, which some providers choose themselves. `sent_at` is when it left, or came. `text` of a received
    mail is what its sender wrote, without what they quoted. `handed_over_at` is set right before a provider gets it.
    `unsubscribe` is an address for the one-click header of a mail of a sequence (RFC 8058).
    """

    id: EmailId
    thread_id: EmailThreadId
    mailbox_id: MailboxId
    user_id: UserId
    origin: EmailOrigin
    state: EmailState
    contacts: tuple[str, ...]
    sender: Correspondent
    recipients: tuple[str, ...]
    content: EmailText
    message_id: str
    created_at: datetime
    sent_at: datetime | None = None
    sent_as: str | None = None
    handed_over_at: datetime | None = None
    failure: str | None = None
    automatic: bool = False
    unsubscribe: str | None = None

    @property
    def outgoing(self) -> bool:
        """Whether somebody of ours sent it."""
        return self.origin is not EmailOrigin.RECEIVED

    @property
    def known_as(self) -> str:
        """The message id that others know it by."""
        return self.sent_as or self.message_id

    @property
    def at(self) -> datetime:
        """Where it stands in its conversation."""
        return self.sent_at or self.created_at

    def hand_over(self, *, now: datetime) -> None:
        """The provider gets it next; from here on it may have left."""
        self.handed_over_at = now

    def take_back(self) -> None:
        """The provider has certainly not got it."""
        self.handed_over_at = None

    def sent(self, known_as: str, *, now: datetime) -> None:
        """The provider has it. Only the first call is news."""
        if self.state in (EmailState.QUEUED, EmailState.UNCERTAIN):
            self.state = EmailState.SENT
            self.sent_as = known_as if known_as != self.message_id else None
            self.sent_at = self.handed_over_at or now
            self.tell(MailSent, now=now)

    def fail(self, why: str, *, now: datetime) -> None:
        """It did not leave and will not. Only the first call is news."""
        if self.state in (EmailState.QUEUED, EmailState.UNCERTAIN):
            self.state, self.failure = EmailState.FAILED, why[:500]
            self.tell(MailNotSent, now=now)

    def leave_uncertain(self, *, now: datetime) -> None:
        """It may have left; it is not sent again by itself. Only the first call is news."""
        if self.state is EmailState.QUEUED:
            self.state = EmailState.UNCERTAIN
            self.tell(MailUncertain, now=now)

    def bounce(self, *, now: datetime) -> None:
        """Its recipient's server gave it back; so it has left. Only the first call is news."""
        if self.state in (EmailState.SENT, EmailState.QUEUED, EmailState.UNCERTAIN):
            self.state = EmailState.BOUNCED
            self.sent_at = self.sent_at or self.handed_over_at or now
            self.tell(MailBounced, now=now)

    def tell(self, kind: type[EmailEvent], *, now: datetime) -> None:
        """Record what happened to it."""
        told = kind(at=now, email_id=self.id, thread_id=self.thread_id, user_id=self.user_id, origin=self.origin)
        self.record(told)
