"""Our copy of a host's busy time follows their calendar (SY-1, SY-6), and their doings with our events our bookings."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from meetings.domain.booking import BookingState, CancelledBy
from meetings.domain.calendar_connection import ConnectionStatus
from meetings.domain.page_settings import RollingWindow
from tests.own_calendars import asks_for_busy_time
from tests.world import HOST_EMAIL, World, berlin

MONDAY = date(2035, 12, 3)
TUESDAY = date(2035, 12, 4)
NEXT_MONDAY = date(2035, 12, 10)
TEN = berlin("2035-12-03 10:00")
HALF_AN_HOUR = timedelta(minutes=30)
ALL_DAY = ["09:00", "09:30", *(f"{hour}:{minute}" for hour in range(10, 17) for minute in ("00", "30"))]


def without(*times: str) -> list[str]:
    return [time for time in ALL_DAY if time not in times]


def syncs(here: World) -> list[Any]:
    return here.google.requests_for(asks_for_busy_time)


# ---- what blocks --------------------------------------------------------------------------------------------------


def declined_by_anna() -> dict[str, Any]:
    own = {"email": HOST_EMAIL, "self": True, "responseStatus": "declined"}
    return {"organizer": "bob@example.net", "attendees": [own]}


EVENTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    # what is in the calendar on Monday, and what the page offers then (S3, A-AV2)
    "an event": ({"start": TEN, "end": TEN + HALF_AN_HOUR}, without("10:00")),
    "an event that is partly in a slot": (
        {"start": TEN + timedelta(minutes=29), "end": TEN + timedelta(minutes=31)},
        without("10:00", "10:30"),
    ),
    "a day that is shown as busy": ({"start": MONDAY, "end": TUESDAY, "transparency": "opaque"}, []),
    "a day that is shown as free": ({"start": MONDAY, "end": TUESDAY, "transparency": "transparent"}, ALL_DAY),
    "an event that is shown as free": (
        {"start": TEN, "end": TEN + HALF_AN_HOUR, "transparency": "transparent"},
        ALL_DAY,
    ),
    "an event that was declined": ({"start": TEN, "end": TEN + HALF_AN_HOUR, **declined_by_anna()}, ALL_DAY),
    "an event since yesterday": ({"start": TEN - timedelta(days=1), "end": TEN}, ALL_DAY[2:]),
    "the first of a series": (
        {"start": TEN, "end": TEN + HALF_AN_HOUR, "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]},
        without("10:00"),
    ),
    "a later one of a series": (
        {
            "start": TEN - timedelta(days=21),
            "end": TEN - timedelta(days=21) + HALF_AN_HOUR,
            "recurrence": ["RRULE:FREQ=WEEKLY"],
        },
        without("10:00"),
    ),
}


@pytest.mark.parametrize("known_before", [True, False], ids=["read whole", "told as a change"])
@pytest.mark.parametrize("event", EVENTS)
async def test_what_is_in_a_calendar_blocks_as_its_owner_meant_it(here: World, event: str, known_before: bool) -> None:
    about, expected = EVENTS[event]
    page = await here.page()
    if known_before:
        here.google.add_event(HOST_EMAIL, "Something", **about)
        await here.connect()
    else:
        await here.connect()
        here.google.add_event(HOST_EMAIL, "Something", **about)
        await here.sync()
    assert await here.offered(page, MONDAY) == expected


async def test_changes_of_a_single_event_are_followed(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    event = anywhere.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + HALF_AN_HOUR)
    await anywhere.sync()
    assert await anywhere.offered(page, MONDAY) == without("10:00")
    later = TEN + timedelta(hours=1)
    anywhere.google.move_event(HOST_EMAIL, event["id"], later, later + HALF_AN_HOUR)
    await anywhere.sync()
    assert await anywhere.offered(page, MONDAY) == without("11:00")
    anywhere.google.change_event(HOST_EMAIL, event["id"], transparency="transparent")
    await anywhere.sync()
    assert await anywhere.offered(page, MONDAY) == ALL_DAY
    anywhere.google.change_event(HOST_EMAIL, event["id"], transparency="opaque")
    await anywhere.sync()
    anywhere.google.cancel_event(HOST_EMAIL, event["id"])
    await anywhere.sync()
    assert await anywhere.offered(page, MONDAY) == ALL_DAY


async def test_changes_of_a_series_and_of_one_of_its_instances_are_followed(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    tuesday, wednesday = TEN + timedelta(days=1), TEN + timedelta(days=2)
    days = [MONDAY, TUESDAY, date(2035, 12, 5)]
    series = anywhere.google.add_recurring(
        HOST_EMAIL, "Stand-up", TEN, TEN + HALF_AN_HOUR, ["RRULE:FREQ=DAILY;COUNT=5"]
    )["id"]
    await anywhere.sync()
    assert [await anywhere.offered(page, day) for day in days] == [without("10:00")] * 3
    later = tuesday + timedelta(hours=3)
    anywhere.google.move_instance(HOST_EMAIL, series, tuesday, later, later + HALF_AN_HOUR)
    anywhere.google.cancel_instance(HOST_EMAIL, series, wednesday)
    await anywhere.sync()
    assert [await anywhere.offered(page, day) for day in days] == [without("10:00"), without("13:00"), ALL_DAY]
    anywhere.google.cancel_event(HOST_EMAIL, series)
    await anywhere.sync()
    assert [await anywhere.offered(page, day) for day in days] == [ALL_DAY] * 3


# ---- when it is read ----------------------------------------------------------------------------------------------


async def test_every_calendar_is_read_again_within_three_minutes(anywhere: World) -> None:
    """SY-1: nobody has to say anything."""
    await anywhere.connect()
    page = await anywhere.page()
    anywhere.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + HALF_AN_HOUR)
    await anywhere.settle_down()
    assert "10:00" in await anywhere.offered(page, MONDAY)
    await anywhere.passes(minutes=3, seconds=1)
    await anywhere.settle_down()
    assert "10:00" not in await anywhere.offered(page, MONDAY)


async def test_a_second_read_asks_only_for_what_changed(here: World) -> None:
    await here.connect()
    here.google.forget_calls()
    await here.sync()
    [call] = syncs(here)
    assert "syncToken" in call.query
    assert "timeMin" not in call.query


async def test_a_dead_sync_token_leads_to_a_whole_read(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    event = anywhere.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + HALF_AN_HOUR)
    await anywhere.sync()
    anywhere.google.expire_sync_tokens(HOST_EMAIL)
    anywhere.google.cancel_event(HOST_EMAIL, event["id"])
    anywhere.google.add_event(HOST_EMAIL, "Lunch", TEN + timedelta(hours=2), TEN + timedelta(hours=3))
    anywhere.google.forget_calls()
    await anywhere.sync()
    assert [call.status for call in syncs(anywhere)] == [410, 200]
    assert await anywhere.offered(page, MONDAY) == without("12:00", "12:30")


async def test_the_window_moves_on_with_time(here: World) -> None:
    """What lies beyond the window of a whole read is read before a page can offer it."""
    await here.connect()
    page = await here.page(window=RollingWindow(366))
    far = datetime(2037, 1, 8, 9, 0, tzinfo=UTC)
    here.google.add_event(HOST_EMAIL, "Far away", far, far + HALF_AN_HOUR)
    await here.sync()
    here.google.forget_calls()
    await here.passes(days=36)
    await here.settle_down()
    assert ["timeMax" in call.query for call in syncs(here)] == [True]
    here.clock.now = berlin("2036-01-08 08:00")
    await here.sync()
    times = await here.offered(page, date(2037, 1, 8))
    assert "10:30" in times
    assert "10:00" not in times


async def test_small_and_empty_pages_are_read_to_the_end(here: World) -> None:
    here.google.settings.largest_page = 1
    here.google.settings.empty_first_page = True
    for number in range(4):
        start = TEN + timedelta(hours=number)
        here.google.add_event(HOST_EMAIL, "Busy", start, start + HALF_AN_HOUR)
    await here.connect()
    assert await here.offered(await here.page(), MONDAY) == without("10:00", "11:00", "12:00", "13:00")
    assert len(syncs(here)) >= 5


async def test_what_changes_while_a_calendar_is_read_whole_comes_with_the_next_read(anywhere: World) -> None:
    """SY-6: after each page something is added, moved and removed; nothing of it is missed."""
    google = anywhere.google
    google.settings.largest_page = 2
    starts = [TEN + timedelta(hours=number) for number in range(6)]
    first = [google.add_event(HOST_EMAIL, "Busy", start, start + HALF_AN_HOUR)["id"] for start in starts]
    google.on_call("events.list", lambda: google.cancel_event(HOST_EMAIL, first[0]), on_call=1)
    google.on_call(
        "events.list",
        lambda: google.move_event(HOST_EMAIL, first[5], TEN + HALF_AN_HOUR, TEN + 2 * HALF_AN_HOUR),
        on_call=2,
    )
    google.on_call(
        "events.list",
        lambda: google.add_event(HOST_EMAIL, "New", berlin("2035-12-03 09:00"), berlin("2035-12-03 09:30")),
        on_call=3,
    )
    await anywhere.connect()
    page = await anywhere.page()
    await anywhere.sync()
    assert await anywhere.offered(page, MONDAY) == without("09:00", "10:30", "11:00", "12:00", "13:00", "14:00")


async def test_two_reads_of_one_calendar_never_run_at_the_same_time(anywhere: World) -> None:
    """SY-3."""
    await anywhere.connect()
    [calendar] = (await anywhere.connection()).selected_calendars
    anywhere.google.forget_calls()
    anywhere.google.fault("events.list", delay=0.3)
    await anywhere.tools.schedule.request(calendar.id)
    results = await asyncio.gather(*(anywhere.read_calendar(calendar.id) for _ in range(10)))
    assert results == [False] * 10
    assert len(syncs(anywhere)) == 1


# ---- reading fails ------------------------------------------------------------------------------------------------


async def test_a_failed_read_is_repeated_soon_and_leaves_the_copy_in_force(here: World) -> None:
    here.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + HALF_AN_HOUR)
    await here.connect()
    page = await here.page()
    here.google.fault("events.list", status=500, times=3)
    await here.sync()
    assert await here.offered(page, MONDAY) == without("10:00")
    assert (await here.connection()).status is ConnectionStatus.ACTIVE
    for _ in range(3):
        await here.passes(seconds=5)
        await here.settle_down()
    assert [call.status for call in syncs(here)[-4:]] == [500, 500, 500, 200]


async def test_google_says_when_to_come_back(anywhere: World) -> None:
    """RT-2: no read before that time."""
    await anywhere.connect()
    anywhere.google.fault("events.list", status=429, reason="rateLimitExceeded", retry_after=600)
    await anywhere.sync()
    anywhere.google.forget_calls()
    await anywhere.passes(seconds=590)
    await anywhere.settle_down()
    assert syncs(anywhere) == []
    await anywhere.passes(seconds=200)
    await anywhere.settle_down()
    assert [call.status for call in syncs(anywhere)] == [200]


# ---- what a host does to our events -------------------------------------------------------------------------------


async def test_a_meeting_the_host_deleted_before_a_whole_read_is_called_off(anywhere: World) -> None:
    """A whole read tells what is there, not what is gone."""
    await anywhere.connect()
    page = await anywhere.page()
    kept, deleted = await anywhere.book(page, TEN), await anywhere.book(page, TEN + HALF_AN_HOUR)
    await anywhere.settle_down()
    anywhere.mail.clear()
    await anywhere.passes(seconds=5)
    assert deleted.event
    anywhere.google.expire_sync_tokens(HOST_EMAIL)
    anywhere.google.cancel_event(HOST_EMAIL, deleted.event.event_id)
    await anywhere.sync()
    await anywhere.settle_down()
    gone = await anywhere.booking(deleted.id)
    assert gone.state is BookingState.CANCELLED
    assert gone.cancellation
    assert gone.cancellation.by is CancelledBy.HOST
    assert (await anywhere.booking(kept.id)).state is BookingState.CONFIRMED
    assert await anywhere.offered(page, MONDAY) == without("10:00")
    assert len(anywhere.mails_to("grace@example.org")) == 1


async def test_an_event_that_arrives_after_its_booking_was_called_off_is_removed(anywhere: World) -> None:
    """I4: a write whose outcome nobody knew was carried out late, when the removal had found nothing."""
    await anywhere.connect()
    page = await anywhere.page()
    booking = await anywhere.book(page, TEN)
    [event] = anywhere.events("Hopper")
    await anywhere.cancel(booking)
    await anywhere.settle_down()
    late = {key: event[key] for key in ("summary", "start", "end", "extendedProperties", "attendees")}
    anywhere.google.change_event(HOST_EMAIL, event["id"], status="confirmed", **late)
    assert len(anywhere.events("Hopper")) == 1
    await anywhere.passes(minutes=4)
    await anywhere.settle_down()
    assert anywhere.events("Hopper") == []
    assert (await anywhere.booking(booking.id)).state is BookingState.CANCELLED


async def test_an_old_echo_changes_nothing(anywhere: World) -> None:
    """What was read before our own last write does not count."""
    await anywhere.connect()
    page = await anywhere.page()
    booking = await anywhere.book(page, TEN)
    await anywhere.sync()
    moved = await anywhere.move(booking, TEN + timedelta(hours=2))
    await anywhere.sync()
    await anywhere.settle_down()
    assert (await anywhere.booking(booking.id)).start == moved.start
    assert (await anywhere.booking(booking.id)).state is BookingState.CONFIRMED


async def test_a_meeting_moved_onto_another_one_by_the_host_keeps_its_booked_time(here: World) -> None:
    await here.connect()
    page = await here.page()
    first, second = await here.book(page, TEN), await here.book(page, TEN + HALF_AN_HOUR)
    await here.passes(seconds=5)
    assert second.event
    here.google.move_event(HOST_EMAIL, second.event.event_id, TEN, TEN + HALF_AN_HOUR)
    await here.sync()
    assert (await here.booking(second.id)).start == second.start
    assert (await here.booking(first.id)).state is BookingState.CONFIRMED


async def test_a_copy_of_our_event_that_somebody_made_by_hand_is_their_own(here: World) -> None:
    await here.connect()
    page = await here.page()
    booking = await here.book(page, TEN)
    [event] = here.events("Hopper")
    later = TEN + timedelta(hours=3)
    copied = here.google.add_event(
        HOST_EMAIL, event["summary"], later, later + HALF_AN_HOUR, extendedProperties=event["extendedProperties"]
    )
    await here.passes(seconds=5)
    await here.sync()
    assert await here.offered(page, MONDAY) == without("10:00", "13:00")
    here.google.cancel_event(HOST_EMAIL, copied["id"])
    await here.sync()
    assert (await here.booking(booking.id)).state is BookingState.CONFIRMED
    assert await here.offered(page, MONDAY) == without("10:00")
