"""What has to hold after every fault, in the database and at the provider (I1, I2, I4, I5, I6)."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import select

from meetings.application.ports.reads import PagePointer
from meetings.domain.booking import Booking, BookingState
from meetings.domain.identifiers import BookingId
from meetings.infrastructure.database.tables import bookings
from tests.contracts.calendars.world import SeenEvent
from tests.hosted import Hosted

BERLIN = ZoneInfo("Europe/Berlin")
HALF_AN_HOUR = timedelta(minutes=30)
OURS = "Hopper"
"""In the title of every event that this product writes in these tests, and of no other."""


async def all_bookings(anna: Hosted) -> list[Booking]:
    async with anna.here.runtime.database.snapshot() as connection:
        ids = (await connection.execute(select(bookings.c.id))).scalars().all()
    return [await anna.here.booking(BookingId(each)) for each in ids]


def our_events(anna: Hosted) -> list[SeenEvent]:
    return [event for event in anna.events() if OURS in event.title]


async def check(anna: Hosted, page: PagePointer, day: datetime, *, acknowledged: Collection[BookingId]) -> None:
    """While anything may still be on its way."""
    found = await all_bookings(anna)
    assert {booking.id for booking in found} == set(acknowledged), "I2: what was acknowledged, and nothing else"
    taken = sorted((booking.start, booking.end) for booking in found if booking.occupies)
    assert all(end <= start for (_, end), (start, _) in pairwise(taken)), "I1: no two meetings overlap"
    ours = [(event.start, event.end) for event in our_events(anna)]
    assert len(ours) == len(set(ours)), "I4: no event twice"
    offered = await anna.here.offered(page, day.date())
    for wall in offered:
        hours, minutes = map(int, wall.split(":"))
        start = day.astimezone(BERLIN).replace(hour=hours, minute=minutes).astimezone(UTC)
        assert not any(start < end and begun < start + HALF_AN_HOUR for begun, end in taken), f"I6: {wall} is taken"


async def check_at_rest(anna: Hosted, page: PagePointer, day: datetime, *, acknowledged: Collection[BookingId]) -> None:
    """When nothing is on its way any more."""
    await check(anna, page, day, acknowledged=acknowledged)
    found = await all_bookings(anna)
    assert not [booking for booking in found if booking.state is BookingState.PENDING], "everything is settled"
    confirmed = [booking for booking in found if booking.state is BookingState.CONFIRMED]
    assert all(booking.event for booking in confirmed), "I4: a confirmed booking knows its event"
    standing = sorted((event.start, event.end) for event in our_events(anna))
    assert standing == sorted((booking.start, booking.end) for booking in confirmed), "I4: each has its one event"
    assert await anna.here.unfinished() == [], "I5: nothing waits"
    assert await anna.here.tools.outbox.dead(anna.here.anna.account_id, 10) == [], "I5: nothing died"
    busy = [(event.start, event.end) for event in anna.events()]
    for wall in await anna.here.offered(page, day.date()):
        hours, minutes = map(int, wall.split(":"))
        start = day.astimezone(BERLIN).replace(hour=hours, minute=minutes).astimezone(UTC)
        assert not any(start < end and begun < start + HALF_AN_HOUR for begun, end in busy), f"I6: {wall} is busy"
