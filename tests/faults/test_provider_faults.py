"""The whole product while a provider has a fault, the same for each of them (RT-2, RT-4, PW-5, BK-8 to BK-11, SY-1)."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update

from meetings.application.account_settings import switch_exchange_full_sync
from meetings.application.plan_sync import take_notice
from meetings.application.ports.calendars import News, Notice
from meetings.application.ports.reads import PagePointer
from meetings.domain.booking import BookingState
from meetings.domain.booking_mode import BookingMode
from meetings.domain.identifiers import CalendarId
from meetings.domain.scheduling_page import BookingBlocked, CalendarUnverified, PageOffline, SlotTaken
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.database.tables import sync_schedule
from meetings.infrastructure.database.types import database_time
from tests.contracts.calendars.world import CalendarWorld
from tests.databases import Simulators
from tests.faults.invariants import BERLIN, HALF_AN_HOUR, all_bookings, check, check_at_rest, our_events
from tests.faults.provider_faults import (
    FAULTS,
    PATIENCE_SECONDS,
    TIME_OUT,
    Asking,
    about_calendars,
    allow_again,
    calls_for,
    impatient,
    simulator_of,
    spoil,
)
from tests.hosted import Hosted, hosted, place
from tests.waiting import until

__all__ = ["place"]

HOUR = timedelta(hours=1)
VISITOR = "grace@example.org"


def next_monday() -> datetime:
    """Nine o'clock UTC of a Monday at least a week ahead, which is within Anna's hours."""
    day = datetime.now(UTC) + timedelta(days=7)
    day += timedelta(days=(7 - day.weekday()) % 7)
    return day.replace(hour=9, minute=0, second=0, microsecond=0)


MORNING = next_monday()


@pytest.fixture
async def anna(database_url: str, place: CalendarWorld, simulators: Simulators) -> AsyncIterator[Hosted]:
    """Anna, with a connected calendar."""
    async with hosted(database_url, place, simulators) as found:
        await found.connect()
        await lift_limits(found)
        yield found


async def lift_limits(anna: Hosted) -> None:
    """What providers can do at most is switched on, so that all are asked for the same (B-EX1, B-EX2)."""
    here = anna.here
    await switch_exchange_full_sync(on=True, caller=here.caller, begin=here.tools.begin, clock=here.clock)


@pytest.fixture
async def page(anna: Hosted) -> PagePointer:
    return await anna.here.page()


async def calm_down(anna: Hosted, *, times: int = 3) -> None:
    """The fault is over; so much time goes by that whatever waits has its turn."""
    anna.place.recover()
    for _ in range(times):
        await anna.here.passes(minutes=11)
        await anna.here.settle_down()
        if not await anna.here.unfinished():
            return


async def refuses(anna: Hosted, page: PagePointer, start: datetime, *refusals: type[Exception]) -> None:
    before = len(await all_bookings(anna)), len(our_events(anna))
    with pytest.raises(refusals):
        await anna.here.book(page, start)
    assert (len(await all_bookings(anna)), len(our_events(anna))) == before


# ---- every call, every fault ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_life_of_a_booking_with_a_fault_at_every_step(anna: Hosted, page: PagePointer, fault: str) -> None:
    """Tried, booked, moved, overtaken by an outside event, called off: after each step what has to hold does."""
    here, place = anna.here, anna.place
    if fault == TIME_OUT:
        here.runtime.process.providers = {anna.provider: impatient(place)}

    spoil(place, fault)
    await refuses(anna, page, MORNING, CalendarUnverified)
    await calm_down(anna, times=1)
    await check_at_rest(anna, page, MORNING, acknowledged=[])

    booking_id = await here.reserve(here.wish(page, MORNING))
    spoil(place, fault, Asking.WRITING, times=2)
    await here.carry_out_due()
    await check(anna, page, MORNING, acknowledged=[booking_id])
    await calm_down(anna)
    booking = await here.booking(booking_id)
    assert booking.state is BookingState.CONFIRMED
    await check_at_rest(anna, page, MORNING, acknowledged=[booking_id])

    spoil(place, fault, Asking.WRITING, times=2)
    await here.move(booking, MORNING + HOUR)
    await check(anna, page, MORNING, acknowledged=[booking_id])
    await calm_down(anna)
    assert [event.start for event in our_events(anna)] == [MORNING + HOUR]
    await check_at_rest(anna, page, MORNING, acknowledged=[booking_id])

    outside = MORNING + 3 * HOUR
    place.add_event(place.primary, outside, outside + HOUR)
    spoil(place, fault, Asking.READING)
    await here.sync()
    await refuses(anna, page, outside, CalendarUnverified, SlotTaken)
    await calm_down(anna)
    await refuses(anna, page, outside, SlotTaken)
    await check_at_rest(anna, page, MORNING, acknowledged=[booking_id])

    await here.cancel(await here.booking(booking_id))
    spoil(place, fault, Asking.WRITING, times=2)
    await here.carry_out_due()
    await check(anna, page, MORNING, acknowledged=[booking_id])
    await calm_down(anna)
    assert our_events(anna) == []
    assert len(here.mails_to(VISITOR)) == 3  # booked, moved, called off
    await check_at_rest(anna, page, MORNING, acknowledged=[booking_id])


async def test_twenty_writes_whose_answers_are_lost_make_twenty_events(anna: Hosted, page: PagePointer) -> None:
    """PW-5: and removals whose answers are lost leave none."""
    here = anna.here
    starts = [MORNING + day * timedelta(days=1) + number * HALF_AN_HOUR for day in range(2) for number in range(10)]
    spoil(anna.place, "answer lost", Asking.WRITING, times=len(starts))
    ids = [await here.reserve(here.wish(page, start)) for start in starts]
    await here.carry_out_due()
    await calm_down(anna)
    assert [(await here.booking(each)).state for each in ids] == [BookingState.CONFIRMED] * 20
    await check_at_rest(anna, page, MORNING, acknowledged=ids)
    spoil(anna.place, "answer lost", Asking.WRITING, times=5)
    for each in ids[:5]:
        await here.cancel(await here.booking(each))
    await here.carry_out_due()
    await calm_down(anna)
    assert len(our_events(anna)) == 15
    await check_at_rest(anna, page, MORNING, acknowledged=ids)


@pytest.mark.parametrize("fault", ["429 with a time to wait", "503 with a time to wait"])
async def test_nothing_is_asked_before_the_time_the_provider_named(anna: Hosted, page: PagePointer, fault: str) -> None:
    """RT-2: by reads, writes and live questions alike."""
    here, place = anna.here, anna.place
    booking_id = await here.reserve(here.wish(page, MORNING))
    spoil(place, fault, times=1)
    await here.carry_out_due()
    asked = calls_for(place)
    for _ in range(3):
        await here.passes(seconds=PATIENCE_SECONDS / 4)
        await here.settle_down()
        await here.sync()
        await refuses(anna, page, MORNING + HOUR, CalendarUnverified)
    assert calls_for(place) == asked
    await calm_down(anna)
    assert calls_for(place) > asked
    await check_at_rest(anna, page, MORNING, acknowledged=[booking_id])


async def test_a_provider_that_is_down_is_hardly_asked_and_work_goes_on_once_it_is_up(
    anna: Hosted, page: PagePointer
) -> None:
    """RT-5: whatever people and workers do meanwhile."""
    here, place = anna.here, anna.place
    ids = [await here.reserve(here.wish(page, MORNING + number * HALF_AN_HOUR)) for number in range(8)]
    place.fail(times=None)
    await here.carry_out_due()
    asked = calls_for(place)
    for _ in range(8):
        await here.carry_out_due()
        await here.sync()
        await refuses(anna, page, MORNING + 5 * HOUR, CalendarUnverified)
    assert calls_for(place) == asked
    await check(anna, page, MORNING, acknowledged=ids)
    place.recover()
    for _ in range(3):
        await here.passes(seconds=40)
        await here.settle_down()
    await check_at_rest(anna, page, MORNING, acknowledged=ids)
    assert len(our_events(anna)) == 8


# ---- grants and access ---------------------------------------------------------------------------------------------


async def test_an_access_that_ran_out_is_renewed_unnoticed(anna: Hosted, page: PagePointer) -> None:
    anna.place.expire_access()
    booking = await anna.here.book(page, MORNING)
    anna.place.expire_access()
    moved = await anna.here.move(booking, MORNING + HOUR)
    assert moved.state is BookingState.CONFIRMED
    await anna.here.settle_down()
    await check_at_rest(anna, page, MORNING, acknowledged=[booking.id])


async def test_a_grant_that_was_taken_back_takes_no_booking_and_waits_for_its_owner(
    anna: Hosted, page: PagePointer
) -> None:
    """OA-5, X1: what is due is written once she has signed in again."""
    here, place = anna.here, anna.place
    booking_id = await here.reserve(here.wish(page, MORNING))
    connected = await here.connection()
    place.revoke()
    await here.carry_out_due()
    await refuses(anna, page, MORNING + HOUR, PageOffline, CalendarUnverified)
    assert (await here.state(page)).mode is BookingMode.OFFLINE
    asked = calls_for(place)
    for _ in range(5):
        await here.passes(minutes=11)
        await here.settle_down()
    assert calls_for(place) - asked <= 1
    assert len(here.mails_to(here.anna.email)) == 1
    assert (await here.booking(booking_id)).state is BookingState.PENDING
    allow_again(place)
    await anna.connect(reconnect=connected.id)
    await calm_down(anna)
    assert (await here.booking(booking_id)).state is BookingState.CONFIRMED
    await check_at_rest(anna, page, MORNING, acknowledged=[booking_id])


async def test_a_calendar_that_is_lost_blocks_the_page_until_it_is_back(anna: Hosted, page: PagePointer) -> None:
    """S60 to S62, BK-10: one of two, of which nobody knows whether it is free, however the provider words it."""
    here, place = anna.here, anna.place
    other = place.add_calendar("Holidays")
    await here.select_everything()
    assert len((await here.connection()).selected_calendars) == 2
    for refusal in place.refusals:
        place.lose_access(other, refusal)
        await refuses(anna, page, MORNING, BookingBlocked, CalendarUnverified)
        await here.sync()
        assert (await here.state(page)).mode is BookingMode.BLOCKED, refusal
        assert await here.offered(page, MORNING.date()) == []
        await refuses(anna, page, MORNING, BookingBlocked)
        place.restore_access(other)
        await calm_down(anna)
        assert (await here.state(page)).mode is BookingMode.ONLINE, refusal
    booking = await here.book(page, MORNING)
    await here.settle_down()
    await check_at_rest(anna, page, MORNING, acknowledged=[booking.id])


# ---- reading -------------------------------------------------------------------------------------------------------


async def test_events_that_change_while_a_calendar_is_read_whole_are_right_in_the_end(
    anna: Hosted, page: PagePointer
) -> None:
    """SY-6: added, moved and removed between two pages."""
    here, place = anna.here, anna.place
    place.small_pages(2)
    starts = [MORNING + number * HOUR for number in range(5)]
    events = [place.add_event(place.primary, start, start + HALF_AN_HOUR) for start in starts]
    await here.sync()
    place.expire_cursors(place.primary)

    def meanwhile() -> None:
        place.cancel_event(place.primary, events[0])
        place.move_event(place.primary, events[4], MORNING + HALF_AN_HOUR, MORNING + HOUR)
        place.add_event(place.primary, starts[3] + HALF_AN_HOUR, starts[3] + HOUR)

    place.during_list(meanwhile)
    await here.sync()
    await here.passes(minutes=3)
    await here.settle_down()
    await here.sync()
    await check_at_rest(anna, page, MORNING, acknowledged=[])
    offered = await here.offered(page, MORNING.date())
    assert f"{MORNING.astimezone(BERLIN):%H:%M}" in offered


async def test_a_reader_that_stood_still_leaves_the_copy_to_who_came_after(anna: Hosted, page: PagePointer) -> None:
    """OB-4, for reading: its lease ran out in the middle, another read what was newer, and then it goes on."""
    here, place = anna.here, anna.place
    (calendar,) = (await here.connection()).selected_calendars
    first = MORNING + HOUR
    event = place.add_event(place.primary, first, first + HOUR)
    await here.tools.schedule.request(calendar.id)
    asked = calls_for(place)
    simulator_of(place).fault(about_calendars(place, Asking.READING), delay=0.7)
    slow = asyncio.create_task(here.read_calendar(calendar.id))
    await until("the slow one to ask", lambda: calls_for(place) > asked)
    await asyncio.sleep(0.1)
    place.move_event(place.primary, event, first + HOUR, first + 2 * HOUR)
    async with here.runtime.database.transaction() as connection:
        await connection.execute(update(sync_schedule).values(lease_until=database_time(-1)))
    await here.read_calendar(calendar.id)
    quick = await mirrored(anna)
    assert await slow is False
    assert await mirrored(anna) == quick
    assert [(start, end) for start, end, _ in quick] == [TimeSpan(first + HOUR, first + 2 * HOUR).minutes()]
    await here.settle_down()
    await check_at_rest(anna, page, MORNING, acknowledged=[])


async def mirrored(anna: Hosted) -> list[tuple[int, int, CalendarId]]:
    """What our copy of her calendars says of that day."""
    async with anna.here.tools.look(anna.here.anna.account_id) as work:
        return await work.mirror.by_calendar(anna.here.anna.id, TimeSpan(MORNING, MORNING + 8 * HOUR))


# ---- being told ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def told(database_url: str, place: CalendarWorld, simulators: Simulators) -> AsyncIterator[Hosted]:
    """Anna, whose provider calls whenever something changes; what it says waits in `place`."""
    calls, settings = urlsplit(place.push_address()), place.settings()
    more = {"public_url": f"{calls.scheme}://{calls.netloc}", "push": True}
    async with hosted(database_url, place, simulators, **more) as found:
        back = found.here.runtime.process.links.oauth_callback(found.provider.value)
        simulator_of(place).register_client(settings["client_id"], settings["client_secret"], (back,))
        await found.connect()
        yield found


async def take(anna: Hosted, *said: tuple[str, str]) -> None:
    for channel_id, secret in said:
        assert await take_notice(Notice(channel_id, secret, News.CHANGED), schedule=anna.here.tools.schedule)


async def test_news_that_is_repeated_and_out_of_order_leads_to_one_read(told: Hosted) -> None:
    """ID-3, SY-3."""
    page = await told.here.page()
    for number in range(4):
        start = MORNING + number * HOUR
        told.place.add_event(told.place.primary, start, start + HALF_AN_HOUR)
    said = told.place.wait_for_push(4) * 5
    random.Random(3).shuffle(said)
    asked = calls_for(told.place)
    await take(told, *said)
    assert len(await told.here.tools.schedule.due(10)) == 1
    await told.here.settle_down()
    assert calls_for(told.place) - asked <= 2
    await check_at_rest(told, page, MORNING, acknowledged=[])
    await take(told, *said)  # they come once more, late
    await told.here.settle_down()
    await check_at_rest(told, page, MORNING, acknowledged=[])


async def test_news_that_is_lost_is_found_by_the_next_poll(told: Hosted) -> None:
    """SY-1."""
    page = await told.here.page()
    told.place.add_event(told.place.primary, MORNING, MORNING + HOUR)
    await told.here.passes(minutes=15)
    await told.here.settle_down()
    await check_at_rest(told, page, MORNING, acknowledged=[])


async def test_without_any_news_an_outside_event_is_found_within_minutes(anna: Hosted, page: PagePointer) -> None:
    """SY-1, for every provider: nobody calls, nobody listens."""
    anna.place.add_event(anna.place.primary, MORNING, MORNING + HOUR)
    await anna.here.passes(minutes=3)
    await anna.here.settle_down()
    await check_at_rest(anna, page, MORNING, acknowledged=[])
