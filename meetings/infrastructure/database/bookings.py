"""Bookings, as a unit of work gets and saves them."""

from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select

from meetings.domain.base import NotFound
from meetings.domain.booking import OCCUPYING, Booking, BookingConfirmed, BookingState, MoveConfirmed
from meetings.domain.identifiers import BookingId, CalendarId, PageId, UserId
from meetings.domain.timespan import TimeSpan, ceil_minute
from meetings.infrastructure.database.host_times import SqlHostTimes
from meetings.infrastructure.database.mapping import booking_from, booking_row
from meetings.infrastructure.database.tables import booking_hosts, bookings, host_times, journal
from meetings.infrastructure.database.transaction import Image, Transaction

BY_ID = select(bookings).where(bookings.c.account_id == bindparam("account"), bookings.c.id == bindparam("id"))
BY_EVENT = select(bookings.c.id).where(
    bookings.c.account_id == bindparam("account"), bookings.c.event_id == bindparam("event")
)
BY_ICAL_UID = (
    select(bookings.c.id)
    .where(bookings.c.account_id == bindparam("account"), bookings.c.ical_uid == bindparam("ical_uid"))
    .order_by(bookings.c.created_at.desc())
    .limit(1)
)
MEETING_STARTS = select(host_times.c.host_id, host_times.c.start_minute).where(
    host_times.c.account_id == bindparam("account"),
    host_times.c.page_id == bindparam("page"),
    host_times.c.booking_id.is_not(None),
    host_times.c.start_minute >= bindparam("start"),
    host_times.c.start_minute < bindparam("end"),
)
COUNT_ON_PAGE = (
    select(func.count())
    .select_from(bookings)
    .where(bookings.c.account_id == bindparam("account"), bookings.c.page_id == bindparam("page"))
)
_STATES = frozenset(state.value for state in OCCUPYING)
_CONFIRMED = (BookingConfirmed.__name__, MoveConfirmed.__name__)


class SqlBookings:
    def __init__(self, transaction: Transaction, host_times: SqlHostTimes) -> None:
        self._transaction = transaction
        self._host_times = host_times

    async def get(self, booking_id: BookingId) -> Booking:
        known = self._transaction.known(Booking, booking_id)
        if known is not None:
            return known
        values = {"account": self._transaction.account_id, "id": booking_id}
        for row in await self._transaction.rows(BY_ID, values):
            return self._transaction.loaded(booking_from(row), booking_row)
        raise NotFound("booking")

    async def by_event(self, event_id: str) -> Booking | None:
        values = {"account": self._transaction.account_id, "event": event_id}
        for row in await self._transaction.rows(BY_EVENT, values):
            return await self.get(BookingId(row.id))
        return None

    async def by_ical_uid(self, ical_uid: str) -> Booking | None:
        values = {"account": self._transaction.account_id, "ical_uid": ical_uid}
        for row in await self._transaction.rows(BY_ICAL_UID, values):
            return await self.get(BookingId(row.id))
        return None

    def add(self, booking: Booking) -> None:
        self._transaction.added(booking)

    async def meeting_starts(
        self, page_id: PageId, span: TimeSpan, *, excluding: BookingId | None = None
    ) -> list[tuple[UserId, int]]:
        # A start that is not on the minute counts from the minute it is in, as everywhere in the engine.
        start, end = ceil_minute(span.start), ceil_minute(span.end)
        values = {"account": self._transaction.account_id, "page": page_id, "start": start, "end": end}
        query = MEETING_STARTS if excluding is None else MEETING_STARTS.where(host_times.c.booking_id != excluding)
        return [(host, minute) for host, minute in await self._transaction.rows(query, values)]

    async def standing_events(
        self,
        calendar_id: CalendarId,
        span: TimeSpan,
        *,
        settled_before: datetime,
        confirmed_since: datetime | None = None,
    ) -> list[tuple[BookingId, str]]:
        query = select(bookings.c.id, bookings.c.event_id).where(
            bookings.c.account_id == self._transaction.account_id,
            bookings.c.calendar_id == calendar_id,
            bookings.c.state == BookingState.CONFIRMED.value,
            bookings.c.end_at > span.start,
            bookings.c.start_at < span.end,
            bookings.c.settled_at < settled_before,
        )
        if confirmed_since is not None:
            confirmed = select(journal.c.position).where(
                journal.c.subject == bookings.c.id,
                journal.c.account_id == self._transaction.account_id,
                journal.c.kind.in_(_CONFIRMED),
                journal.c.at >= confirmed_since,
            )
            query = query.where(bookings.c.settled_at >= confirmed_since, confirmed.exists())
        return [(BookingId(row.id), row.event_id) for row in await self._transaction.rows(query)]

    async def count_on_page(self, page_id: PageId) -> int:
        values = {"account": self._transaction.account_id, "page": page_id}
        count: int = (await self._transaction.run(COUNT_ON_PAGE, values)).scalar_one()
        return count

    async def save(self, booking: Booking, before: Image | None, after: Image) -> None:
        """Write a booking and its hosts' taken times down. The hosts whose time changes are locked already.

        Raises:
            ConcurrentChange: somebody else did since.
            SlotTaken: another live booking or hold overlaps.
        """
        transaction = self._transaction
        await transaction.save(bookings, booking.version, before, after)
        if before is None or before["hosts"] != after["hosts"]:
            if before is not None:
                await transaction.run(delete(booking_hosts).where(booking_hosts.c.booking_id == booking.id))
            rows = [
                {"booking_id": booking.id, "host_id": host, "account_id": booking.account_id} for host in booking.hosts
            ]
            await transaction.run(insert(booking_hosts), rows)
        if takes_other_time(before, after):
            await self._host_times.occupy(booking, is_new=before is None)


def takes_other_time(before: Image | None, after: Image) -> bool:
    """Whether a save changes what the booking takes of its hosts' time."""
    return _taken(before) != _taken(after)


def _taken(image: Image | None) -> tuple[object, ...] | None:
    if image is None or image["state"] not in _STATES:
        return None
    return image["start_at"], image["end_at"], image["hosts"]
