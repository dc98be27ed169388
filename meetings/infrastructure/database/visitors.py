"""Browsers that booked on a custom domain, as a unit of work finds and keeps them."""

from uuid import UUID

from sqlalchemy import bindparam, delete, select

from meetings.domain.identifiers import BookingId
from meetings.infrastructure.database.mapping import email_key
from meetings.infrastructure.database.tables import bookings, visitors
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.database.types import database_time

_DAY = 24 * 3600
_AT_ONCE = 500
WITH_EMAIL = (
    select(visitors.c.id, bookings.c.details[("invitee", "email")].as_string().label("email"))
    .join(bookings, bookings.c.id == visitors.c.booking_id)
    .where(visitors.c.account_id == bindparam("account"))
)


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

    async def forget_of_email(self, email: str) -> int:
        # Compared here: the databases disagree about small letters beyond ASCII.
        known = await self._transaction.rows(WITH_EMAIL, {"account": self._transaction.account_id})
        found = [row.id for row in known if email_key(row.email) == email_key(email)]
        for at in range(0, len(found), _AT_ONCE):
            await self._transaction.run(delete(visitors).where(visitors.c.id.in_(found[at : at + _AT_ONCE])))
        return len(found)
