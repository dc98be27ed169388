"""Questions about mails, answered by plain queries."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, Table, func, select, tuple_

from meetings.application.ports.reads import Slice
from meetings.domain.email import Email, EmailState
from meetings.domain.email_thread import EmailThread
from meetings.domain.identifiers import AccountId, EmailId, EmailThreadId, UserId
from meetings.infrastructure.database.cursors import cursor_at, position_of
from meetings.infrastructure.database.emails import email_from, email_thread_from
from meetings.infrastructure.database.tables import email_threads, emails
from meetings.infrastructure.database.transaction import AnyRow, execute
from meetings.infrastructure.database.unit_of_work import Database

T = TypeVar("T")
Query = Select[*tuple[Any, ...]]


class SqlEmailReads:
    """See the port. Each answer is one statement in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        column = email_threads.c
        query = select(email_threads).where(column.account_id == account_id, column.user_id == user)
        if contact is not None:
            query = query.where(column.contact == contact)
        if unread_only:
            query = query.where(column.unread)
        if after is not None:
            query = query.where(tuple_(column.last_at, column.id) < tuple_(*position_of(after)))
        rows = await self._rows(query.order_by(column.last_at.desc(), column.id.desc()).limit(first + 1))
        return _slice(rows, first, email_thread_from, lambda thread: (thread.last_at, thread.id))

    async def threads_by_id(
        self, account_id: AccountId, ids: Collection[EmailThreadId]
    ) -> dict[EmailThreadId, EmailThread]:
        found = map(email_thread_from, await self._by_ids(email_threads, account_id, ids))
        return {thread.id: thread for thread in found}

    async def emails_by_id(self, account_id: AccountId, ids: Collection[EmailId]) -> dict[EmailId, Email]:
        return {email.id: email for email in map(email_from, await self._by_ids(emails, account_id, ids))}

    async def messages(
        self, account_id: AccountId, thread: EmailThreadId, *, first: int, after: str | None
    ) -> Slice[Email]:
        return await self._newest(account_id, select(emails).where(emails.c.thread_id == thread), first, after)

    async def newest_messages(
        self, account_id: AccountId, threads: Collection[EmailThreadId], *, first: int
    ) -> dict[EmailThreadId, Slice[Email]]:
        place = func.row_number().over(
            partition_by=emails.c.thread_id, order_by=(emails.c.at.desc(), emails.c.id.desc())
        )
        of_these = (emails.c.account_id == account_id, emails.c.thread_id.in_(threads))
        numbered = select(emails, place.label("place")).where(*of_these).subquery()
        query = select(numbered).where(numbered.c.place <= first + 1).order_by(numbered.c.place)
        found: dict[EmailThreadId, list[AnyRow]] = {thread: [] for thread in threads}
        for row in await self._rows(query):
            found[EmailThreadId(row.thread_id)].append(row)
        return {thread: _slice(rows, first, email_from, _place) for thread, rows in found.items()}

    async def in_state(
        self, account_id: AccountId, *, user: UserId, state: EmailState, first: int, after: str | None
    ) -> Slice[Email]:
        query = select(emails).where(emails.c.user_id == user, emails.c.state == state.value)
        return await self._newest(account_id, query, first, after)

    async def _newest(self, account_id: AccountId, query: Query, first: int, after: str | None) -> Slice[Email]:
        query = query.where(emails.c.account_id == account_id)
        if after is not None:
            query = query.where(tuple_(emails.c.at, emails.c.id) < tuple_(*position_of(after)))
        rows = await self._rows(query.order_by(emails.c.at.desc(), emails.c.id.desc()).limit(first + 1))
        return _slice(rows, first, email_from, _place)

    async def _by_ids(self, table: Table, account_id: AccountId, ids: Collection[UUID]) -> Sequence[AnyRow]:
        return await self._rows(select(table).where(table.c.account_id == account_id, table.c.id.in_(ids)))

    async def _rows(self, query: Query) -> Sequence[AnyRow]:
        async with self._database.snapshot() as connection:
            return (await execute(connection, query)).all()


def _place(email: Email) -> tuple[datetime, UUID]:
    return email.at, email.id


def _slice(
    rows: Sequence[AnyRow], first: int, make: Callable[[AnyRow], T], position: Callable[[T], tuple[datetime, UUID]]
) -> Slice[T]:
    items = [make(row) for row in rows[:first]]
    return Slice([(cursor_at(*position(item)), item) for item in items], len(rows) > first)
