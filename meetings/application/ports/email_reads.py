"""Questions about mails that change nothing; see `reads`."""

from collections.abc import Collection
from typing import Protocol

from meetings.application.ports.reads import Slice
from meetings.domain.email import Email, EmailState
from meetings.domain.email_thread import EmailThread
from meetings.domain.identifiers import AccountId, EmailId, EmailThreadId, UserId


class EmailReads(Protocol):
    """Answers to the API's questions about mails."""

    async def threads(
        self,
        account_id: AccountId,
        *,
        user: UserId,
        contact: str | None,
        unread_only: bool,
        first: int,
        after: str | None,
    ) -> Slice[EmailThread]:
        """A person's conversations, with one contact (the CRM's id) or all, those with the newest mail first. Raises
        `BadCursor`."""

    async def threads_by_id(
        self, account_id: AccountId, ids: Collection[EmailThreadId]
    ) -> dict[EmailThreadId, EmailThread]: ...

    async def emails_by_id(self, account_id: AccountId, ids: Collection[EmailId]) -> dict[EmailId, Email]: ...

    async def messages(
        self, account_id: AccountId, thread: EmailThreadId, *, first: int, after: str | None
    ) -> Slice[Email]:
        """The mails of a conversation, newest first. Raises `BadCursor`."""

    async def newest_messages(
        self, account_id: AccountId, threads: Collection[EmailThreadId], *, first: int
    ) -> dict[EmailThreadId, Slice[Email]]:
        """The beginnings of several lists of `messages`, by one question."""

    async def in_state(
        self, account_id: AccountId, *, user: UserId, state: EmailState, first: int, after: str | None
    ) -> Slice[Email]:
        """A person's mails that stand like this, newest first. Raises `BadCursor`."""
