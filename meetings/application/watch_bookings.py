"""Live bookings and connections for the people behind them."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing

from meetings.application.journal_news import journal_news
from meetings.application.ports.fan_out import FanOut, bookings_topic, connections_topic
from meetings.application.ports.identities import Caller
from meetings.application.ports.reads import JournalEntry, Reads
from meetings.domain.booking import (
    Booking,
    BookingCancelled,
    BookingConfirmed,
    BookingDeclined,
    BookingFailed,
    BookingMoved,
    MeetingRequested,
    MoveConfirmed,
    SlotReserved,
)
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.identifiers import BookingId, ConnectionId, PageId
from meetings.domain.user import Role

BOOKING_NEWS = tuple(
    kind.__name__
    for kind in (
        MeetingRequested,
        SlotReserved,
        BookingConfirmed,
        BookingMoved,
        MoveConfirmed,
        BookingFailed,
        BookingCancelled,
        BookingDeclined,
    )
)
"""The journal entries that are news about a booking."""

_LOOK_EVERY = 30.0


async def watch_bookings(
    caller: Caller, after: str | None, pages: Collection[PageId] | None, *, reads: Reads, fan_out: FanOut
) -> AsyncGenerator[tuple[JournalEntry, Booking]]:
    """What happens to the bookings a caller may see, in order, none left out and none twice.

    Starts after the cursor `after` (a journal position as text), or with what happens from now on. Members see the
    bookings they host, owners and admins all. `pages` narrows it down. The booking is given as it is now.

    Raises:
        BadCursor: `after` is no cursor of this list.
    """
    account_id, topic = caller.account_id, bookings_topic(caller.account_id)
    news = journal_news(account_id, after, topic=topic, kinds=BOOKING_NEWS, reads=reads, fan_out=fan_out)
    async with aclosing(news):
        async for entries in news:
            bookings = await reads.bookings_by_id(account_id, {BookingId(entry.subject) for entry in entries})
            sees_all = await _sees_all(caller, reads)
            for entry in entries:
                booking = bookings.get(BookingId(entry.subject))
                if (
                    booking
                    and (sees_all or caller.user_id in booking.hosts)
                    and (pages is None or booking.page_id in pages)
                ):
                    yield entry, booking


async def _sees_all(caller: Caller, reads: Reads) -> bool:
    user = (await reads.users(caller.account_id, [caller.user_id])).get(caller.user_id)
    return user is not None and user.active and user.role is not Role.MEMBER


async def watch_connections(
    caller: Caller, connection_id: ConnectionId | None, *, reads: Reads, fan_out: FanOut
) -> AsyncGenerator[CalendarConnection]:
    """The caller's connection on subscribing, then after each change of its status or of its sync's progress.

    With `connection_id`, only if it is that one.
    """
    async with fan_out.listen({connections_topic(caller.user_id)}) as ear:
        while True:
            connection = (await reads.connections(caller.account_id, [caller.user_id])).get(caller.user_id)
            if connection and connection_id in (None, connection.id):
                yield connection
            while not await ear.wait(_LOOK_EVERY):
                pass
