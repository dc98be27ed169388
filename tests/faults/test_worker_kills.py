"""A worker that is killed at any step loses nothing and doubles nothing (OB-3, I1, I2, I4, I5)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from meetings.application.ports.reads import PagePointer
from meetings.domain.booking import BookingState, CancelledBy
from meetings.domain.identifiers import BookingId
from meetings.domain.scheduling_page import SlotTaken
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.database.tables import bookings, host_times, intents, sync_schedule
from tests.contracts.calendars.world import CalendarWorld
from tests.databases import Simulators
from tests.faults.workers import Nursery, fresh_worker
from tests.hosted import PLACES, Hosted, hosted, place
from tests.waiting import until
from tests.world import World

__all__ = ["place"]

WRITING = [
    "outbox.claim:before",
    "outbox.claim:after",
    "calendars.put_event:before",
    "calendars.put_event:after",
    "outbox.done:before",
    "outbox.done:after",
    "mailer.send:before",
    "mailer.send:after",
]
REMOVING = ["calendars.remove_event:before", "calendars.remove_event:after"]
READING = ["schedule.claim:before", "schedule.claim:after", "schedule.finish:before"]


def _runs() -> list[Any]:
    """Google on both databases, every other provider on SQLite: storing is the same for all."""
    on_sqlite = [pytest.param("sqlite", provider, id=f"{provider}-sqlite") for provider in PLACES]
    return [*on_sqlite, pytest.param("postgresql", "google", id="google-postgresql", marks=pytest.mark.services)]


everywhere = pytest.mark.parametrize(("database_url", "place"), _runs(), indirect=True)


@pytest.fixture
async def anna(database_url: str, place: CalendarWorld, simulators: Simulators) -> AsyncIterator[Hosted]:
    """Anna, with a connected calendar; leases are short, so that a test need not wait for them."""
    async with hosted(database_url, place, simulators, lease_seconds=1, sweep_seconds=0.2) as found:
        await found.connect()
        yield found


def next_monday() -> datetime:
    """Ten o'clock in Berlin's winter or eleven in its summer, at least a week ahead."""
    day = datetime.now(UTC) + timedelta(days=7)
    day += timedelta(days=(7 - day.weekday()) % 7)
    return day.replace(hour=9, minute=0, second=0, microsecond=0)


async def reserve(here: World) -> tuple[PagePointer, BookingId]:
    page = await here.page()
    return page, await here.reserve(here.wish(page, next_monday(), key="one-key"))


async def all_rows(here: World, table: Any) -> list[Any]:
    async with here.runtime.database.snapshot() as connection:
        return list((await connection.execute(select(table))).all())


async def nothing_open(here: World) -> bool:
    return all(row.done_at is not None for row in await all_rows(here, intents))


async def check_booked_once(anna: Hosted, page: PagePointer, booking_id: BookingId) -> None:
    """One booking, one event that equals it, every intent done, and the time is taken."""
    here = anna.here
    booking = await here.booking(booking_id)
    assert booking.state is BookingState.CONFIRMED
    (event,) = anna.events()
    assert (event.start, event.end) == (booking.start, booking.end)
    busy = await (await here.calendars()).busy([anna.place.primary], TimeSpan(booking.start, booking.end))
    answer = busy[anna.place.primary]
    assert isinstance(answer, tuple)
    (standing,) = answer
    assert booking.event is not None
    assert (standing.event_id, standing.booking_key) == (booking.event.event_id, str(booking_id))
    assert [row.id for row in await all_rows(here, bookings)] == [booking_id]
    assert len(await all_rows(here, host_times)) == 1
    assert [row.reaction for row in await all_rows(here, intents) if row.done_at is None] == []
    assert await here.reserve(here.wish(page, next_monday(), key="one-key")) == booking_id
    with pytest.raises(SlotTaken):
        await here.reserve(here.wish(page, next_monday(), key="another-key"))


@everywhere
@pytest.mark.parametrize("step", WRITING)
async def test_a_worker_killed_while_it_settles_a_booking_leaves_nothing_behind(
    anna: Hosted, killable_worker: Nursery, step: str
) -> None:
    here = anna.here
    page, booking_id = await reserve(here)
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here))
    await check_booked_once(anna, page, booking_id)
    letters = [mail for mail in here.mail.mails if mail.recipients == ("grace@example.org",)]
    assert 1 <= len(letters) <= 2
    assert len({mail.message["Message-ID"] for mail in letters}) == 1


@everywhere
async def test_a_worker_killed_while_the_provider_is_answering_leaves_one_event(
    anna: Hosted, killable_worker: Nursery
) -> None:
    here = anna.here
    page, booking_id = await reserve(here)
    anna.place.during_write(killable_worker.kill)
    killable_worker.start(here.runtime.settings)
    assert await killable_worker.killed()
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here))
    await check_booked_once(anna, page, booking_id)


@everywhere
async def test_a_worker_killed_in_a_token_refresh_does_not_lose_the_grant(
    anna: Hosted, killable_worker: Nursery
) -> None:
    here = anna.here
    page, booking_id = await reserve(here)
    if anna.offered.sign_in is None:
        pytest.skip("a password is not renewed")
    anna.place.expire_access()
    anna.place.during_renewal(killable_worker.kill)
    killable_worker.start(here.runtime.settings)
    assert await killable_worker.killed()
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here))
    await check_booked_once(anna, page, booking_id)
    assert (await here.connection()).usable


@everywhere
@pytest.mark.parametrize("step", REMOVING)
async def test_a_worker_killed_while_it_removes_an_event_leaves_none(
    anna: Hosted, killable_worker: Nursery, step: str
) -> None:
    here = anna.here
    page, booking_id = await reserve(here)
    await here.settle(page, booking_id)
    await here.settle_down()
    async with here.tools.begin(here.anna.account_id) as work:
        booking = await work.bookings.get(booking_id)
        booking.cancel(CancelledBy.HOST, None, now=here.clock())
        await work.commit()
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here))
    assert anna.events() == []
    assert await all_rows(here, host_times) == []
    assert (await here.booking(booking_id)).state is BookingState.CANCELLED


@everywhere
@pytest.mark.parametrize("step", READING)
async def test_a_worker_killed_while_it_reads_a_calendar_misses_no_change(
    anna: Hosted, killable_worker: Nursery, step: str
) -> None:
    here = anna.here
    page = await here.page()
    start = next_monday()
    anna.place.add_event(anna.place.primary, start, start + timedelta(minutes=30))
    (calendar,) = (await here.connection()).selected_calendars
    await here.tools.schedule.request(calendar.id)
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    async with here.runtime.database.transaction() as connection:  # as if the lease's minutes had passed
        await connection.execute(update(sync_schedule).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))
    async with fresh_worker(here.runtime.settings):
        await until("the event to be seen", lambda: is_busy(here, page, start))


async def is_busy(here: World, page: PagePointer, start: datetime) -> bool:
    async with here.tools.look(page.account_id) as work:
        known = await work.mirror.of_hosts(
            [here.anna.id], TimeSpan(start, start + timedelta(minutes=30)), confirmed_since=start - timedelta(days=99)
        )
    return bool(known[here.anna.id].busy)
