"""Mailboxes of somebody else's system: sending as their owner, and finding what came and went since.

Every method may raise any `ProviderError` and keeps its own time limit; nothing here is retried inside. Message ids are
those of the header, with their angle brackets (RFC 5322, 3.6.4).
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from meetings.application.ports.calendars import (
    AccessNotGranted,
    Credentials,
    CursorExpired,
    MailboxCredentials,
    ProviderError,
    SignIn,
)
from meetings.domain.disclosure import Disclosure
from meetings.domain.mailbox import InboxProvider, Mailbox

__all__ = ["AccessNotGranted", "CursorExpired"]


class MailNotAccepted(ProviderError):
    """The mail will never be accepted: the address or the content. Repeating it will not help."""


@dataclass(frozen=True, slots=True)
class MailPerson:
    """A name, which may be empty, and an address."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail as it should leave. `message_id` is ours and new for each mail; a repetition has the same.

    `references` are the message ids of the conversation, oldest first, the one that is answered last. `thread` is the
    provider's own name of the conversation, as an earlier mail of it told. `unsubscribe` is an address for the
    one-click header (RFC 8058), for mails of sequences.
    """

    message_id: str
    sender: MailPerson
    to: tuple[MailPerson, ...]
    subject: str
    text: str
    html: str
    references: tuple[str, ...] = ()
    thread: str | None = None
    unsubscribe: str | None = None


@dataclass(frozen=True, slots=True)
class SentMail:
    """What became of a mail. `message_id` is the one it has for everybody, which some providers choose themselves."""

    message_id: str
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class MailHeader:
    """What stands above a mail that came or went since. Nothing of its text.

    `mail_id` is the provider's. `outgoing`: the owner of the mailbox sent it. `automatic`: an answering machine or a
    list sent it (Auto-Submitted other than "no", X-Autoreply, Precedence, or the provider's own sign; RFC 3834).
    `bounce`: it reports that a mail could not be delivered (a delivery status notification, RFC 3464); `references`
    then also holds the message id of that mail as far as the report tells.
    """

    mail_id: str
    message_id: str
    sender: MailPerson
    recipients: tuple[str, ...]
    subject: str
    at: datetime
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    thread: str | None = None
    outgoing: bool = False
    automatic: bool = False
    bounce: bool = False


@dataclass(frozen=True, slots=True)
class MailNews:
    """One page of what is new. Only the last page has a `cursor` to go on from."""

    mails: tuple[MailHeader, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class MailBody:
    """The text of one mail, made from its HTML where it has no other; cut at 100,000 characters. Attachments are not
    read."""

    text: str


class MailAccount(Protocol):
    """The mailbox behind one connection."""

    async def send(self, mail: OutgoingMail) -> SentMail:
        """Hand the mail over; a copy is among the owner's sent mails.

        Not to be repeated before `find_sent` was asked: after `ProviderUnavailable` the outcome is unknown.

        Raises:
            MailNotAccepted: it was not sent and never will be.
        """

    async def find_sent(self, message_id: str) -> SentMail | None:
        """The mail we handed over under this message id, if it left, even where the provider gave it another one."""

    def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        """What came and went since `cursor`, in pages, in no certain order, possibly again. Drafts, junk and deleted
        mails are left out. Without a cursor: no mail at all, and a cursor that begins now.

        Raises:
            CursorExpired: begin anew, with `since`.
        """

    def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        """What came and went since `instant`, in pages, and a cursor to go on from; for when a cursor has expired."""

    async def read(self, mail_id: str) -> MailBody | None:
        """The text of one mail; None when it is gone."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is, and how it is spoken to: TLS from the start, or after STARTTLS; never without."""

    host: str
    port: int
    starttls: bool = False


@dataclass(frozen=True, slots=True)
class ImapCredentials:
    """What a person types in to connect a mailbox by IMAP and SMTP. Without servers they are looked for (RFC 6186)."""

    email: str
    password: str = field(repr=False)
    username: str | None = None
    imap: ServerAddress | None = None
    smtp: ServerAddress | None = None


@dataclass(frozen=True, slots=True)
class OpenedMailbox:
    """What a login gave: whose mailbox on which server, and credentials to seal."""

    email: str
    credentials: str = field(repr=False)
    server_url: str
    server_version: str


class InboxLogin(Protocol):
    """Connecting a mailbox with an address and a password. A wrong password is tried once (S38)."""

    async def connect(self, given: MailboxCredentials | ImapCredentials) -> OpenedMailbox:
        """Sign in, and prove that mail can be read and sent. Sends and writes nothing.

        Raises:
            LoginRefused: what was typed in has to change.
            RateLimited, ProviderUnavailable: worth another try.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxOffer:
    """Everything one provider offers for mail. People sign in on a consent page (`sign_in`, for mail alone) or with a
    password (`login`). Credentials that were granted for calendar and mail together open both."""

    provider: InboxProvider
    disclosure: Disclosure
    mail: Callable[[Credentials], MailAccount]
    sign_in: SignIn | None = None
    login: InboxLogin | None = None
    calls_at_once: int = 3


InboxOffers = Mapping[InboxProvider, InboxOffer]

MailAccountOf = Callable[[Mailbox], MailAccount]
"""The mailbox behind a stored connection, with its stored credentials."""


def conversation(header: MailHeader) -> Sequence[str]:
    """The message ids a mail says it belongs to, the one it answers first."""
    ids = (header.in_reply_to, *reversed(header.references))
    return tuple(dict.fromkeys(each for each in ids if each))
