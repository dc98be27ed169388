"""Attempts to book blocked hosts, waiting to be told."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select

from meetings.application.ports.unit_of_work import Attempt
from meetings.domain.identifiers import PageId, UserId
from meetings.infrastructure.database.tables import blocked_attempts, blocked_attempts_told
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.database.types import database_time

_waiting, _told = blocked_attempts.c, blocked_attempts_told.c


class SqlBlockedAttempts:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, host: UserId, attempt: Attempt) -> bool:
        transaction = self._transaction
        await transaction.lock_names([f"blocked:{host}"])  # or two could both be the first
        mine = (_waiting.host_id == host, _waiting.account_id == transaction.account_id)
        first = not await transaction.rows(select(_waiting.id).where(*mine).limit(1))
        row = {
            "account_id": transaction.account_id,
            "host_id": host,
            "page_id": attempt.page_id,
            "wished_start": attempt.wished_start,
            "tried_at": attempt.tried_at,
        }
        await transaction.run(insert(blocked_attempts), row)
        return first

    async def last_told_at(self, host: UserId) -> datetime | None:
        mine = (_told.host_id == host, _told.account_id == self._transaction.account_id)
        for row in await self._transaction.rows(select(_told.told_at).where(*mine)):
            told_at: datetime = row.told_at
            return told_at
        return None

    async def waiting(self, host: UserId) -> list[Attempt]:
        return [attempt for _, attempt in await self._waiting(host)]

    async def mark_told(self, host: UserId, attempts: Sequence[Attempt]) -> None:
        transaction = self._transaction
        await transaction.lock_names([f"blocked:{host}"])
        told = [row_id for row_id, attempt in await self._waiting(host) if attempt in attempts]
        await transaction.run(delete(blocked_attempts).where(_waiting.id.in_(told)))
        new = transaction.insert(blocked_attempts_told).values(
            host_id=host, account_id=transaction.account_id, told_at=database_time()
        )
        newer = {"told_at": new.excluded.told_at}
        await transaction.run(new.on_conflict_do_update(index_elements=["host_id"], set_=newer))

    async def _waiting(self, host: UserId) -> list[tuple[int, Attempt]]:
        mine = (_waiting.host_id == host, _waiting.account_id == self._transaction.account_id)
        rows = await self._transaction.rows(
            select(blocked_attempts).where(*mine).order_by(_waiting.tried_at, _waiting.id)
        )
        return [(row.id, Attempt(PageId(row.page_id), row.wished_start, row.tried_at)) for row in rows]
