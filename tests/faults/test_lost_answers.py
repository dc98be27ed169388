"""A calendar write that is lost, late, refused or overtaken ends with one event, or with none (PW-1, PW-5, BK-11)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from meetings.adapters.google import booking_event
from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.policy import Policy
from meetings.application.ports.calendars import EventKey
from meetings.application.ports.reads import PagePointer
from meetings.domain.booking import Booking, BookingState, CancelledBy
from meetings.domain.booking_mode import BookingMode
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.databases import BOTH_DATABASES
from tests.waiting import until
from tests.world import HOST_EMAIL, World, berlin, world

MONDAY = date(2035, 12, 3)
TEN = berlin("2035-12-03 10:00")
HALF_AN_HOUR = timedelta(minutes=30)
VISITOR = "grace@example.org"

on_both_databases = pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)


@asynccontextmanager
async def connected(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], **more: Any
) -> AsyncIterator[World]:
    google, mail = simulators
    async with world(database_url, google, mail, now=berlin("2035-12-03 08:00"), **more) as found:
        await found.connect()
        yield found


@pytest.fixture
async def here(database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]) -> AsyncIterator[World]:
    """Anna with a connected calendar, on a Monday morning."""
    async with connected(database_url, simulators) as found:
        yield found


@pytest.fixture
async def impatient(database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]) -> AsyncIterator[World]:
    """The same, where a write may take no longer than a moment."""
    async with connected(database_url, simulators, policy=Policy(write_seconds=1.5)) as found:
        yield found


def starts(here: World, words: str = "Hopper") -> list[datetime]:
    """When the live events in Anna's calendar begin."""
    return [datetime.fromisoformat(event["start"]["dateTime"]) for event in here.events(words)]


async def assert_at_rest(here: World, *bookings: Booking) -> None:
    """I4 and I5: each confirmed booking has its one event, nothing else is in the calendar, nothing is left to do."""
    now = [await here.booking(booking.id) for booking in bookings]
    standing = sorted(booking.start for booking in now if booking.state is BookingState.CONFIRMED)
    assert sorted(starts(here)) == standing
    assert {booking.state for booking in now} & {BookingState.PENDING} == set()
    assert await here.unfinished() == []


async def book_unsettled(here: World, page: PagePointer, start: datetime = TEN) -> Booking:
    """Book, and try once to write the event, in vain."""
    booking_id = await here.reserve(here.wish(page, start))
    await here.carry_out_due()
    booking = await here.booking(booking_id)
    assert booking.state is BookingState.PENDING
    return booking


async def settle_later(here: World, *, times: int = 5, minutes: float = 11) -> None:
    for _ in range(times):
        await here.passes(minutes=minutes)
        await here.settle_down()


# ---- answers that get lost ----------------------------------------------------------------------------------------


@on_both_databases
async def test_twenty_first_writes_whose_answers_are_lost_make_twenty_events(here: World) -> None:
    """PW-5."""
    page = await here.page()
    here.google.fault("events.insert", drop_after_commit=True, times=None)
    first_day = [berlin("2035-12-04 09:00") + number * HALF_AN_HOUR for number in range(16)]
    second_day = [berlin("2035-12-05 09:00") + number * HALF_AN_HOUR for number in range(4)]
    ids = [
        await here.reserve(here.wish(page, start, email=f"v{number}@example.org"))
        for number, start in enumerate([*first_day, *second_day])
    ]
    bookings = await asyncio.gather(*(here.settle(page, booking_id, seconds=60) for booking_id in ids))
    assert {booking.state for booking in bookings} == {BookingState.CONFIRMED}
    await here.settle_down()
    await assert_at_rest(here, *bookings)
    assert len(here.google.events(HOST_EMAIL, cancelled=True)) == 20


@on_both_databases
async def test_a_write_of_which_nothing_is_known_keeps_its_slot_and_is_found_later(here: World) -> None:
    """BK-11: neither the answer nor the look after it came through."""
    page = await here.page()
    here.google.fault("events.insert", drop_after_commit=True)
    here.google.fault("events.get", status=503)
    booking = await book_unsettled(here, page)
    assert "10:00" not in await here.offered(page, MONDAY)
    await settle_later(here, times=1, minutes=1)
    assert (await here.booking(booking.id)).state is BookingState.CONFIRMED
    await assert_at_rest(here, booking)
    assert len(here.mails_to(VISITOR)) == 1


async def test_a_write_that_never_arrived_is_made_later(here: World) -> None:
    page = await here.page()
    here.google.fault("events.insert", reset=True, times=3)
    booking = await book_unsettled(here, page)
    await settle_later(here)
    assert (await here.booking(booking.id)).state is BookingState.CONFIRMED
    await assert_at_rest(here, booking)


@on_both_databases
async def test_a_move_whose_answer_is_lost_moves_the_one_event(here: World) -> None:
    page = await here.page()
    booking = await here.book(page, TEN)
    here.google.fault("events.patch", drop_after_commit=True)
    moved = await here.move(booking, TEN + timedelta(hours=1))
    await settle_later(here, times=1)
    assert (await here.booking(moved.id)).state is BookingState.CONFIRMED
    await assert_at_rest(here, booking)
    await here.settle_down()
    assert len([mail for mail in here.mails_to(VISITOR) if "oved" in mail.subject]) == 1


@on_both_databases
async def test_a_removal_whose_answer_is_lost_is_a_removal(here: World) -> None:
    booking = await here.book(await here.page(), TEN)
    await here.cancel(booking)
    here.google.fault("events.delete", drop_after_commit=True)
    await here.settle_down()
    await settle_later(here, times=1)
    await assert_at_rest(here, booking)
    assert len(here.google.requests_for("events.delete")) == 1


@pytest.mark.parametrize("forgotten", [False, True])
async def test_removing_what_the_host_removed_already_is_success(here: World, forgotten: bool) -> None:
    booking = await here.book(await here.page(), TEN)
    assert booking.event
    here.google.cancel_event(HOST_EMAIL, booking.event.event_id)
    if forgotten:
        here.google.forget_deleted(HOST_EMAIL)
    await here.cancel(booking)
    await here.settle_down()
    await assert_at_rest(here, booking)


# ---- refusals -----------------------------------------------------------------------------------------------------

REFUSALS = {
    "invalid": {"status": 400, "reason": "invalid"},
    "forbidden for us": {"status": 403, "reason": "forbiddenForNonOrganizer"},
    "too large": {"status": 413, "reason": "uploadTooLarge"},
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_an_event_that_is_refused_for_good_fails_the_booking_and_frees_its_slot(
    here: World, refusal: str
) -> None:
    page = await here.page()
    here.google.fault("events.insert", **REFUSALS[refusal])
    booking = await here.book(page, TEN)
    assert booking.state is BookingState.FAILED
    await here.settle_down()
    assert "10:00" in await here.offered(page, MONDAY)
    assert sorted(mail.recipients[0] for mail in here.mail.mails) == [HOST_EMAIL, VISITOR]
    await assert_at_rest(here, booking)


async def test_a_calendar_that_cannot_be_written_any_more_blocks_the_page_too(here: World) -> None:
    page = await here.page()
    booking_id = await here.reserve(here.wish(page, TEN))
    here.google.lose_access(HOST_EMAIL, HOST_EMAIL)
    assert (await here.settle(page, booking_id)).state is BookingState.FAILED
    assert (await here.state(page)).mode is BookingMode.BLOCKED


async def test_a_move_that_is_refused_for_good_ends_the_meeting_and_its_event(here: World) -> None:
    page = await here.page()
    booking = await here.book(page, TEN)
    here.google.fault("events.patch", status=400, reason="invalid")
    moved = await here.move(booking, TEN + timedelta(hours=1))
    assert moved.state is BookingState.FAILED
    await here.settle_down()
    await assert_at_rest(here, booking)
    assert {"10:00", "11:00"} <= set(await here.offered(page, MONDAY))


async def test_a_foreign_event_that_has_our_id_stays_as_it_is(here: World) -> None:
    """PW-5."""
    page = await here.page()
    booking_id = await here.reserve(here.wish(page, TEN))
    event_id = booking_event.event_id(EventKey(str(booking_id), str(here.anna.id), 0))
    foreign = here.google.add_event(HOST_EMAIL, "Foreign", TEN, TEN + HALF_AN_HOUR, id=event_id)
    assert foreign["id"] == event_id
    assert (await here.settle(page, booking_id)).state is BookingState.FAILED
    await settle_later(here, times=1)
    assert here.google.event(HOST_EMAIL, event_id) == foreign
    assert await here.unfinished() == []


# ---- removed at the provider --------------------------------------------------------------------------------------


@on_both_databases
async def test_an_event_that_was_removed_before_it_was_confirmed_is_made_anew(here: World) -> None:
    """PW-1: with the next generation of its id, never under a random one."""
    page = await here.page()
    booking_id = await here.reserve(here.wish(page, TEN))
    first, second = (
        booking_event.event_id(EventKey(str(booking_id), str(here.anna.id), generation)) for generation in (0, 1)
    )
    here.google.on_call("events.insert", lambda: here.google.cancel_event(HOST_EMAIL, first))
    here.google.fault("events.insert", drop_after_commit=True)
    await here.carry_out_due()
    await settle_later(here, times=1)
    booking = await here.booking(booking_id)
    assert booking.state is BookingState.CONFIRMED
    assert [event["id"] for event in here.events("Hopper")] == [second]
    await assert_at_rest(here, booking)


@on_both_databases
@pytest.mark.parametrize("forgotten", [False, True])
async def test_moving_what_the_host_removed_meanwhile_finds_it_called_off(here: World, forgotten: bool) -> None:
    """PW-1: nobody brings a meeting back that its host deleted."""
    booking = await here.book(await here.page(), TEN)
    await here.settle_down()
    here.mail.clear()
    assert booking.event
    here.google.cancel_event(HOST_EMAIL, booking.event.event_id)
    if forgotten:
        here.google.forget_deleted(HOST_EMAIL)
    moved = await here.move(booking, TEN + timedelta(hours=1))
    await here.settle_down()
    assert moved.state is BookingState.CANCELLED
    assert moved.cancellation
    assert moved.cancellation.by is CancelledBy.HOST
    assert len(here.mails_to(VISITOR)) == 1
    await assert_at_rest(here, booking)


async def test_a_removal_found_only_after_the_meeting_is_over_ends_the_booking(here: World) -> None:
    page = await here.page()
    booking = await here.book(page, TEN)
    assert booking.event
    here.google.cancel_event(HOST_EMAIL, booking.event.event_id)
    here.google.fault("events.", status=503, times=None)
    await here.move(booking, TEN + timedelta(hours=1))
    await here.passes(hours=2, minutes=50)
    here.google.clear_faults()
    here.clock.passes(hours=4)
    await here.settle_down()
    assert (await here.booking(booking.id)).state is BookingState.FAILED
    assert await here.tools.outbox.dead(here.anna.account_id, 10) == []
    await assert_at_rest(here, booking)


# ---- waiting and giving up ----------------------------------------------------------------------------------------


@on_both_databases
@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_write_waits_as_long_as_google_says(here: World, form: str) -> None:
    """RT-2."""
    page = await here.page()
    told = 120 if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    here.google.fault("events.insert", status=429, reason="rateLimitExceeded", retry_after=told)
    booking_id = await here.reserve(here.wish(page, TEN))
    await here.carry_out_due()
    [intent] = await here.unfinished()
    assert intent.due_at >= here.clock.now + timedelta(seconds=115)
    await here.passes(seconds=110)
    await here.settle_down()
    assert len(here.google.requests_for("events.insert")) == 1
    await here.passes(seconds=60)
    await here.settle_down()
    booking = await here.booking(booking_id)
    assert booking.state is BookingState.CONFIRMED
    await assert_at_rest(here, booking)


@on_both_databases
async def test_a_booking_that_cannot_be_written_until_it_begins_fails_and_both_sides_are_told(here: World) -> None:
    """RT-1: then it is dead and listed, and the slot is free."""
    page = await here.page()
    here.google.fault("events.insert", status=503, times=None)
    start = TEN + timedelta(hours=2)
    booking = await book_unsettled(here, page, start)
    await settle_later(here, times=10, minutes=12)
    assert (await here.booking(booking.id)).state is BookingState.PENDING
    await settle_later(here, times=12, minutes=12)
    failed = await here.booking(booking.id)
    assert (failed.state, failed.event) == (BookingState.FAILED, None)
    assert sorted(mail.recipients[0] for mail in here.mail.mails) == [HOST_EMAIL, VISITOR]
    [dead] = await here.tools.outbox.dead(here.anna.account_id, 10)
    assert (dead.reaction, dead.subject) == ("settle_booking", booking.id)
    assert dead.attempts > 10
    await assert_at_rest(here, booking)


async def test_what_was_written_unseen_before_giving_up_is_removed(here: World) -> None:
    page = await here.page()
    here.google.fault("events.insert", drop_after_commit=True, times=None)
    here.google.fault("events.get", status=503, times=None)
    booking = await book_unsettled(here, page)
    assert len(starts(here)) == 1
    await here.passes(hours=3)
    await here.carry_out_due()
    assert (await here.booking(booking.id)).state is BookingState.FAILED
    here.google.clear_faults()
    await settle_later(here, times=1)
    assert starts(here) == []


# ---- overtaken ----------------------------------------------------------------------------------------------------


@on_both_databases
@pytest.mark.parametrize("slow", ["delay", "delay_before"])
async def test_calling_off_while_the_event_is_being_written_ends_with_none(here: World, slow: str) -> None:
    """Whether Google had made the event already or not yet."""
    page = await here.page()
    booking_id = await here.reserve(here.wish(page, TEN))
    here.google.fault("events.insert", **{slow: 0.4})
    writing = asyncio.create_task(here.settle(page, booking_id))
    await until("the call", lambda: bool(here.google.requests_for("events.insert")))
    await here.cancel(await here.booking(booking_id))
    await writing
    await here.settle_down()
    booking = await here.booking(booking_id)
    assert booking.state is BookingState.CANCELLED
    await assert_at_rest(here, booking)
    assert [mail.subject.split(":")[0] for mail in here.mails_to(VISITOR)] == ["Cancelled"]


@on_both_databases
@pytest.mark.parametrize("slow", ["delay", "delay_before"])
async def test_moving_while_the_event_is_being_written_ends_with_one_at_the_newest_time(here: World, slow: str) -> None:
    page = await here.page()
    booking_id = await here.reserve(here.wish(page, TEN))
    here.google.fault("events.insert", **{slow: 0.4})
    writing = asyncio.create_task(here.settle(page, booking_id))
    await until("the call", lambda: bool(here.google.requests_for("events.insert")))
    await here.move(await here.booking(booking_id), TEN + timedelta(hours=1))
    moved = await here.move(await here.booking(booking_id), TEN + timedelta(hours=2))
    await writing
    await here.settle_down()
    assert starts(here) == [TEN + timedelta(hours=2)]
    await assert_at_rest(here, moved)
    assert {"10:00", "11:00"} <= set(await here.offered(page, MONDAY))


@on_both_databases
async def test_quick_changes_of_many_bookings_end_at_their_newest_times(here: World) -> None:
    """OB-2: and older intents of a booking collapse into few writes."""
    page = await here.page()
    bookings = [await here.book(page, TEN + number * HALF_AN_HOUR) for number in range(3)]
    here.google.forget_calls()
    for hours in (48, 24, 2):
        for booking in bookings:
            await here.move(await here.booking(booking.id), booking.start + timedelta(hours=hours))
    await here.settle_down()
    await assert_at_rest(here, *bookings)
    assert sorted(starts(here)) == [booking.start + timedelta(hours=2) for booking in bookings]


async def test_moving_and_calling_off_at_the_same_time_end_in_one_of_the_two_orders(here: World) -> None:
    """BK-7."""
    page = await here.page()
    for number in range(4):
        booking = await here.book(page, TEN + number * HALF_AN_HOUR)
        await asyncio.gather(
            here.move(booking, booking.start + timedelta(hours=24)), here.cancel(booking), return_exceptions=True
        )
        await here.settle_down()
        assert (await here.booking(booking.id)).state is BookingState.CANCELLED
        await assert_at_rest(here, booking)


@on_both_databases
async def test_a_write_that_takes_too_long_is_found_by_the_next_try(impatient: World) -> None:
    here = impatient
    page = await here.page()
    booking_id = await here.reserve(here.wish(page, TEN))
    here.google.fault("events.insert", delay=2.5)
    await here.carry_out_due()
    assert (await here.booking(booking_id)).state is BookingState.PENDING
    await settle_later(here, times=1)
    booking = await here.booking(booking_id)
    assert booking.state is BookingState.CONFIRMED
    await assert_at_rest(here, booking)


async def test_a_write_that_is_carried_out_after_its_booking_was_called_off_is_undone(impatient: World) -> None:
    """I4: the removal came first and found nothing; the next read of the calendar finds the event."""
    here = impatient
    page = await here.page()
    booking_id = await here.reserve(here.wish(page, TEN))
    here.google.fault("events.insert", delay_before=4)
    await here.carry_out_due()
    await here.cancel(await here.booking(booking_id))
    await settle_later(here, times=1, minutes=1)
    assert starts(here) == []
    await until("the late write", lambda: bool(starts(here)))
    await settle_later(here, times=1, minutes=4)
    await assert_at_rest(here, await here.booking(booking_id))
