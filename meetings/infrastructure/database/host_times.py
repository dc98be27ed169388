"""What bookings and holds take of hosts' time, guarded by locks and by the database's own rule against overlaps."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from meetings.application.ports.fan_out import host_topic
from meetings.application.ports.unit_of_work import HoldLimitReached, SlotHold, TakenTime
from meetings.domain.booking import Booking
from meetings.domain.identifiers import BookingId, UserId
from meetings.domain.scheduling_page import SlotTaken
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.database.tables import host_times, slot_holds, users
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.database.types import database_time

HOST_LOCK_SECONDS = 3
NO_OVERLAP = "host_times_no_overlap"

_expires = host_times.c.expires_at
TAKEN = select(
    host_times.c.host_id, host_times.c.start_minute, host_times.c.end_minute, host_times.c.hold.is_not(None)
).where(
    host_times.c.account_id == bindparam("account"),
    host_times.c.host_id.in_(bindparam("hosts", expanding=True)),
    host_times.c.end_minute > bindparam("start"),
    host_times.c.start_minute < bindparam("end"),
    or_(_expires.is_(None), _expires > database_time()),
)
LOCK = (
    select(users.c.id)
    .where(users.c.account_id == bindparam("account"), users.c.id.in_(bindparam("hosts", expanding=True)))
    .order_by(users.c.id)
    .with_for_update(key_share=True)
)
REMOVE_EXPIRED = delete(host_times).where(
    host_times.c.account_id == bindparam("account"),
    host_times.c.host_id.in_(bindparam("hosts", expanding=True)),
    _expires <= database_time(),
)


class SqlHostTimes:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._locked: set[UserId] = set()

    async def lock(self, hosts: Collection[UserId]) -> None:
        wanted = set(hosts) - self._locked
        if not wanted:
            return
        transaction = self._transaction
        values = {"account": transaction.account_id, "hosts": list(wanted)}
        if transaction.is_postgresql:
            await transaction.wait_at_most(HOST_LOCK_SECONDS)
            await transaction.run(LOCK, values)
        await transaction.run(REMOVE_EXPIRED, values)
        self._locked |= wanted

    async def taken(
        self,
        hosts: Collection[UserId],
        span: TimeSpan,
        *,
        excluding: BookingId | None = None,
        excluding_hold: str | None = None,
    ) -> list[TakenTime]:
        if not hosts:
            return []
        query = TAKEN
        if excluding is not None:
            query = query.where(host_times.c.booking_id.is_distinct_from(excluding))
        if excluding_hold is not None:
            query = query.where(host_times.c.hold.is_distinct_from(excluding_hold))
        start, end = span.minutes()
        values = {"account": self._transaction.account_id, "hosts": list(hosts), "start": start, "end": end}
        rows = await self._transaction.rows(query, values)
        return [TakenTime(host, start, end, bool(held)) for host, start, end, held in rows]

    async def hold(self, hold: SlotHold, *, minutes: int, most_per_visitor: int, most_per_address: int) -> datetime:
        transaction = self._transaction
        await self.lock(hold.hosts)
        await transaction.lock_names([f"visitor:{hold.visitor}", f"address:{hold.page_id}:{hold.address}"])
        await self.release_hold(hold.token_hash)
        await self._check_limits(hold, most_per_visitor, most_per_address)
        row = {
            "token_hash": hold.token_hash,
            "account_id": transaction.account_id,
            "page_id": hold.page_id,
            "visitor": hold.visitor,
            "address": hold.address,
            "start_at": hold.start,
            "end_at": hold.end,
            "expires_at": database_time(minutes * 60),
        }
        stored = await transaction.run(insert(slot_holds).values(row).returning(slot_holds.c.expires_at))
        expires_at: datetime = stored.scalar_one()
        slot = TimeSpan(hold.start, hold.end)
        await self._insert(hold.hosts, slot, page_id=hold.page_id, hold=hold.token_hash, expires_at=expires_at)
        transaction.pokes.update(map(host_topic, hold.hosts))
        return expires_at

    async def release_hold(self, token_hash: str) -> tuple[UserId, ...]:
        transaction = self._transaction
        mine = and_(slot_holds.c.token_hash == token_hash, slot_holds.c.account_id == transaction.account_id)
        held = select(host_times.c.host_id).where(
            host_times.c.hold == token_hash,
            host_times.c.account_id == transaction.account_id,
            _expires > database_time(),
        )
        hosts = tuple(row.host_id for row in await transaction.rows(held))
        await transaction.run(delete(slot_holds).where(mine))
        transaction.pokes.update(map(host_topic, hosts))
        return hosts

    async def occupy(self, booking: Booking, *, is_new: bool = False) -> None:
        """Have a booking take exactly its slot of its hosts' time, or none when it does not occupy.

        Raises:
            SlotTaken: another live booking or hold overlaps.
        """
        if not is_new:
            await self._transaction.run(delete(host_times).where(host_times.c.booking_id == booking.id))
        if booking.occupies:
            await self._insert(booking.hosts, booking.slot, page_id=booking.page_id, booking_id=booking.id)

    async def _insert(self, hosts: Collection[UserId], slot: TimeSpan, **values: Any) -> None:
        start, end = slot.minutes()
        common = {"account_id": self._transaction.account_id, "start_minute": start, "end_minute": end, **values}
        rows = [{"host_id": host, **common} for host in hosts]
        new = self._transaction.insert(host_times).values(rows)
        if self._transaction.is_postgresql:  # SQLite's guard is a trigger, which knows no conflict to do nothing on
            new = new.on_conflict_do_nothing()
        try:
            stored = await self._transaction.rows(new.returning(host_times.c.id))
        except IntegrityError as error:
            if NO_OVERLAP in str(error.orig):
                raise SlotTaken(slot) from error
            raise
        if len(stored) < len(rows):
            raise SlotTaken(slot)

    async def _check_limits(self, hold: SlotHold, most_per_visitor: int, most_per_address: int) -> None:
        by_visitor = slot_holds.c.visitor == hold.visitor
        by_address = and_(slot_holds.c.page_id == hold.page_id, slot_holds.c.address == hold.address)
        live = and_(slot_holds.c.account_id == self._transaction.account_id, slot_holds.c.expires_at > database_time())
        query = select(
            func.count().filter(by_visitor).label("visitor"), func.count().filter(by_address).label("address")
        ).where(live, or_(by_visitor, by_address))
        found = (await self._transaction.rows(query))[0]
        if found.visitor >= most_per_visitor or found.address >= most_per_address:
            raise HoldLimitReached
