"""What the contract of mailboxes needs from a provider's simulator, in words that fit every provider."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from meetings.application.ports.mail_accounts import InboxOffer
from tests.contracts.calendars.world import HeldCredentials


class Folder(Enum):
    """Where a mail lies in the account's mailbox."""

    INBOX = "INBOX"
    DRAFTS = "DRAFTS"
    JUNK = "JUNK"
    DELETED = "DELETED"


@dataclass(frozen=True)
class SeenMail:
    """A mail as somebody finds it in their mailbox. `headers` are the others it has, names in lower case."""

    message_id: str
    sender: str
    to: frozenset[str]
    subject: str
    text: str
    html: str
    in_reply_to: str | None
    references: tuple[str, ...]
    headers: dict[str, str] = field(default_factory=dict, compare=False)


class MailWorld(Protocol):
    """A provider and its simulator, with the account's mailbox and a colleague's.

    Everything here acts at the provider, not through our adapter, except what says so. Mails go in and out as they
    travel: bytes of RFC 5322.
    """

    offer: InboxOffer
    account: str
    colleague: str
    """Somebody with a mailbox at the same provider."""
    keeps_message_ids: bool
    """Whether a mail has the Message-ID that we gave it."""
    names_threads: bool
    """Whether the provider has a name of its own for a conversation."""
    renewable: bool
    """Whether credentials are renewed now and then; a password is not."""

    tells_when: bool
    """Whether the provider says how long to wait after a call too many."""

    def sign_in(self) -> HeldCredentials:
        """A grant that works, without the walk through the consent page."""

    def deliver(self, raw: bytes, folder: Folder = Folder.INBOX) -> None:
        """A mail arrives in the account's mailbox, or lies there as a draft, junk or deleted."""

    def send_by_hand(self, raw: bytes) -> None:
        """The account's owner sends a mail with another program: it is among the sent mails."""

    def erase(self, message_id: str) -> None:
        """The mail is gone for good from the account's mailbox."""

    def received(self, address: str) -> list[SeenMail]:
        """What has come to an address, of a mailbox there or of somebody elsewhere, oldest first."""

    def sent(self) -> list[SeenMail]:
        """What is among the account's sent mails, oldest first."""

    def refuse(self, address: str) -> None:
        """From now on the provider takes no mail to this address, for good."""

    def expire_cursors(self) -> None: ...

    def expire_access(self) -> None:
        """What the credentials are used with is not accepted any more, but can be renewed."""

    def revoke(self) -> None:
        """The person takes the grant back, or changes the password."""

    def small_pages(self, size: int) -> None:
        """Lists of mails come in pages of at most `size`, as far as the provider has pages."""

    def during_news(self, action: Callable[[], object]) -> None:
        """Run `action` once after the first answer of the next read of news, before anything else is asked."""

    def lose_answers(self, times: int) -> None:
        """The next mails leave, but the answers that say so are lost."""

    def fail(self, times: int | None = 1) -> None:
        """The next calls are answered with a failure of the server; without a number, all."""

    def limit_rate(self, seconds: int) -> None:
        """The next call is refused as one too many, to be repeated after `seconds`."""

    def recover(self) -> None: ...

    def calls(self) -> int:
        """How many requests came to the provider so far."""
