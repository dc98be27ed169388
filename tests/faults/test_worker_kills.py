"""A worker that is killed at any step loses nothing and doubles nothing (OB-3, I1, I2, I4, I5)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.ports.reads import PagePointer
from meetings.domain.booking import BookingState, CancelledBy
from meetings.domain.identifiers import BookingId
from meetings.domain.scheduling_page import SlotTaken
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.database.tables import bookings, host_times, intents, sync_schedule
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.databases import BOTH_DATABASES
from tests.faults.workers import Nursery, fresh_worker
from tests.waiting import until
from tests.world import HOST_EMAIL, World, world

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

on_both_databases = pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)


@pytest.fixture
async def here(database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]) -> AsyncIterator[World]:
    """Anna, with a connected calendar; leases are short, so that a test need not wait for them."""
    google, mail = simulators
    async with world(database_url, google, mail, lease_seconds=1, sweep_seconds=0.2) as found:
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


async def check_booked_once(here: World, page: PagePointer, booking_id: BookingId) -> None:
    """One booking, one event that equals it, every intent done, and the time is taken."""
    booking = await here.booking(booking_id)
    assert booking.state is BookingState.CONFIRMED
    (event,) = here.events()
    assert booking.event is not None
    assert event["id"] == booking.event.event_id
    assert datetime.fromisoformat(event["start"]["dateTime"]) == booking.start
    assert datetime.fromisoformat(event["end"]["dateTime"]) == booking.end
    assert [row.id for row in await all_rows(here, bookings)] == [booking_id]
    assert len(await all_rows(here, host_times)) == 1
    assert [row.reaction for row in await all_rows(here, intents) if row.done_at is None] == []
    assert await here.reserve(here.wish(page, next_monday(), key="one-key")) == booking_id
    with pytest.raises(SlotTaken):
        await here.reserve(here.wish(page, next_monday(), key="another-key"))


@on_both_databases
@pytest.mark.parametrize("step", WRITING)
async def test_a_worker_killed_while_it_settles_a_booking_leaves_nothing_behind(
    here: World, killable_worker: Nursery, step: str
) -> None:
    page, booking_id = await reserve(here)
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here))
    await check_booked_once(here, page, booking_id)
    letters = [mail for mail in here.mail.mails if mail.recipients == ("grace@example.org",)]
    assert 1 <= len(letters) <= 2
    assert len({mail.message["Message-ID"] for mail in letters}) == 1


@on_both_databases
async def test_a_worker_killed_while_google_is_answering_leaves_one_event(
    here: World, killable_worker: Nursery
) -> None:
    page, booking_id = await reserve(here)
    here.google.on_call("events.insert", killable_worker.kill)
    killable_worker.start(here.runtime.settings)
    assert await killable_worker.killed()
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here))
    await check_booked_once(here, page, booking_id)


@on_both_databases
async def test_a_worker_killed_in_a_token_refresh_does_not_lose_the_grant(
    here: World, killable_worker: Nursery
) -> None:
    page, booking_id = await reserve(here)
    here.google.expire_access_tokens(HOST_EMAIL)
    here.google.on_call("oauth.token", killable_worker.kill)
    killable_worker.start(here.runtime.settings)
    assert await killable_worker.killed()
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here))
    await check_booked_once(here, page, booking_id)
    assert (await here.connection()).usable


@on_both_databases
@pytest.mark.parametrize("step", REMOVING)
async def test_a_worker_killed_while_it_removes_an_event_leaves_none(
    here: World, killable_worker: Nursery, step: str
) -> None:
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
    assert here.events() == []
    assert await all_rows(here, host_times) == []
    assert (await here.booking(booking_id)).state is BookingState.CANCELLED


@on_both_databases
@pytest.mark.parametrize("step", READING)
async def test_a_worker_killed_while_it_reads_a_calendar_misses_no_change(
    here: World, killable_worker: Nursery, step: str
) -> None:
    page = await here.page()
    start = next_monday()
    here.google.add_event(HOST_EMAIL, "Dentist", start, start + timedelta(minutes=30))
    (calendar,) = (await here.connection()).selected_calendars
    await here.tools.schedule.request(calendar.id)
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    async with here.runtime.database.transaction() as connection:  # as if the lease's minutes had passed
        await connection.execute(update(sync_schedule).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))
    async with fresh_worker(here.runtime.settings):
        await until("the event to be seen", lambda: is_busy(here, page, start))
    assert here.google.events(HOST_EMAIL)


async def is_busy(here: World, page: PagePointer, start: datetime) -> bool:
    async with here.tools.look(page.account_id) as work:
        known = await work.mirror.of_hosts(
            [here.anna.id], TimeSpan(start, start + timedelta(minutes=30)), confirmed_since=start - timedelta(days=99)
        )
    return bool(known[here.anna.id].busy)
