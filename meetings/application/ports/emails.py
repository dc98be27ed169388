"""Stored mails, and the reading of mailboxes, as one transaction sees them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from meetings.application.ports.reading_turns import ReadingTurns
from meetings.domain.email import Email
from meetings.domain.email_thread import EmailThread
from meetings.domain.identifiers import AccountId, EmailId, EmailThreadId, MailboxId, UserId


class Emails(Protocol):
    """Mails and their conversations. `commit` raises `ConcurrentChange` when another mail of the account has the same
    message id, so that one that is found twice is logged once."""

    async def get(self, email_id: EmailId) -> Email:
        """Raises `NotFound`."""

    async def thread(self, thread_id: EmailThreadId) -> EmailThread:
        """Raises `NotFound`."""

    def add(self, email: Email) -> None: ...

    def add_thread(self, thread: EmailThread) -> None: ...

    async def by_message_ids(self, message_ids: Collection[str]) -> Mapping[str, Email]:
        """The mails that are known by these message ids, whether we chose them or the provider did, by the id that was
        asked for."""

    async def conversation(self, thread_id: EmailThreadId) -> Sequence[Email]:
        """The mails of a conversation that left or came, oldest first; at most the newest 100."""

    async def in_between(self, mailbox_id: MailboxId) -> Sequence[Email]:
        """The mails that were handed over to a mailbox while nobody knows whether they left."""

    async def newest_threads(self, user_id: UserId, emails: Collection[str]) -> Mapping[str, EmailThread]:
        """The newest conversation of a person with each of these contacts, by their address in small letters."""

    async def written_since(self, mailbox_id: MailboxId, since: datetime, most: int) -> Sequence[datetime]:
        """When the newest mails that people or sequences send through a mailbox were written, oldest first; at most so
        many, none of them older than `since`. Those that failed do not count. Whoever asks for the same mailbox waits
        until this transaction ends, so that two do not both find room for the last mail of a day."""


@dataclass(frozen=True, slots=True)
class MailSyncClaim:
    """The right to read one mailbox, until the lease ends; `fence` proves it is the latest claim."""

    mailbox_id: MailboxId
    account_id: AccountId
    fence: int


@dataclass(frozen=True, slots=True)
class MailSyncState:
    """How far a mailbox was read: up to `cursor`, as of `confirmed_at`. What came before `begin_at` does not count;
    `failures` counts in a row."""

    begin_at: datetime
    cursor: str | None
    confirmed_at: datetime | None
    failures: int


class MailReading(Protocol):
    """How far mailboxes were read. Changes belong to whoever holds the latest claim."""

    async def state(self, mailbox_id: MailboxId) -> MailSyncState | None:
        """None when the mailbox is not to be read."""

    async def hold(self, claim: MailSyncClaim, *, lease_seconds: int) -> None:
        """Renew the right to read a mailbox; until the commit nobody else gets it.

        Raises:
            LeaseLost: somebody else reads the mailbox by now, or nobody is to.
        """

    async def confirm(self, mailbox_id: MailboxId, *, cursor: str, at: datetime) -> None:
        """Everything up to `cursor` is taken in, as of `at`; failures start over."""

    async def note_failure(self, mailbox_id: MailboxId) -> int:
        """One more failed read in a row; gives how many."""


class MailSchedule(ReadingTurns[MailboxId, MailSyncClaim], Protocol):
    """Whose turn it is to read a mailbox."""

    async def plan(self, account_id: AccountId, mailbox_id: MailboxId, *, begin_at: datetime) -> None:
        """Have a mailbox read from now on, with what comes from `begin_at` on; for one that is read, with the same
        `begin_at`, nothing changes."""

    async def forget(self, account_id: AccountId, mailbox_id: MailboxId) -> None:
        """Have it read no more."""
