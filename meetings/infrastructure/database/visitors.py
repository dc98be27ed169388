"""Browsers that booked on a custom domain, as a unit of work finds and keeps them."""

from uuid import UUID

from sqlalchemy import select

from meetings.domain.identifiers import BookingId
from meetings.infrastructure.database.tables import visitors
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.database.types import database_time

_DAY = 24 * 3600


class SqlVisitors:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def last_booking(self, visitor: UUID, *, host: str, nonce_hash: str) -> BookingId | None:
        known = select(visitors.c.booking_id).where(
            visitors.c.account_id == self._transaction.account_id,
            visitors.c.id == visitor,
            visitors.c.host == host,
            visitors.c.nonce_hash == nonce_hash,
            visitors.c.expires_at > database_time(),
        )
        for row in await self._transaction.rows(known):
            return BookingId(row.booking_id)
        return None

    async def remember(self, visitor: UUID, booking_id: BookingId, *, host: str, nonce_hash: str, days: int) -> None:
        values = {
            "host": host,
            "nonce_hash": nonce_hash,
            "booking_id": booking_id,
            "expires_at": database_time(days * _DAY),
        }
        added = self._transaction.insert(visitors).values(id=visitor, account_id=self._transaction.account_id, **values)
        mine = visitors.c.account_id == self._transaction.account_id
        await self._transaction.run(added.on_conflict_do_update(index_elements=["id"], set_=values, where=mine))
