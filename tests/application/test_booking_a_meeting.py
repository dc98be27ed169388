"""The main job without a user interface: connect, publish, look, book, find the event, move, cancel."""

import asyncio
from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from meetings.application.change_booking import ByInvitee, RescheduleBooking, cancel_booking, reschedule_booking
from meetings.application.ports.reads import PagePointer
from meetings.application.read_availability import AvailabilityQuestion, Freshness, read_availability
from meetings.application.repeated_commands import IdempotencyConflict
from meetings.domain.booking import Booking, BookingState
from meetings.domain.booking_mode import BookingMode
from meetings.domain.page_settings import LocationKind, MeetingLocation
from meetings.domain.scheduling_page import BookingBlocked, CalendarUnverified, PageOffline, SlotTaken
from tests.world import HOST_EMAIL, World, berlin

MONDAY = date(2035, 12, 3)
TEN = berlin("2035-12-03 10:00")


async def offered(here: World, page: PagePointer, day: date = MONDAY) -> list[str]:
    """What the page offers on a day, as Berlin wall time."""
    question = AvailabilityQuestion(page, day, day, "Europe/Berlin")
    found = await read_availability(question, look=here.tools.look, clock=here.clock, policy=here.tools.policy)
    return [f"{found.slot(start).start.astimezone(ZoneInfo('Europe/Berlin')):%H:%M}" for start in found.starts]


async def move(here: World, booking: Booking, start: datetime, key: str | None = None) -> Booking:
    wish = RescheduleBooking(here.anna.account_id, booking.id, start, ByInvitee(), key or str(uuid4()))
    tools = here.tools
    await reschedule_booking(
        wish,
        begin=tools.begin,
        look=tools.look,
        calendars_of=tools.calendars_of,
        clock=here.clock,
        policy=tools.policy,
    )
    return await here.settle(PagePointer(here.anna.account_id, booking.page_id), booking.id)


async def cancel(here: World, booking: Booking) -> None:
    await cancel_booking(
        here.anna.account_id, booking.id, "Changed plans", by=ByInvitee(), begin=here.tools.begin, clock=here.clock
    )


async def test_a_booking_is_confirmed_with_one_event_in_the_default_calendar(here: World) -> None:
    await here.connect()
    page = await here.page(location=MeetingLocation(LocationKind.VIDEO))
    booking = await here.book(page, TEN)
    assert booking.state is BookingState.CONFIRMED
    [event] = here.events("Grace Hopper")
    assert booking.event
    assert booking.event.event_id == event["id"]
    assert datetime.fromisoformat(event["start"]["dateTime"]) == TEN
    assert event["start"]["timeZone"] == "America/New_York"
    assert [guest["email"] for guest in event["attendees"]] == ["grace@example.org"]
    assert here.tools.links.manage(booking.id) in event["description"]
    assert booking.event.join_url


async def test_a_confirmed_booking_is_told_to_both_sides(here: World) -> None:
    await here.connect()
    await here.book(await here.page(), TEN)
    await here.settle_down()
    assert sorted(mail.recipients[0] for mail in here.mail.mails) == [HOST_EMAIL, "grace@example.org"]


async def test_a_booked_slot_is_not_on_offer_any_more_and_others_get_alternatives(here: World) -> None:
    await here.connect()
    page = await here.page()
    assert "10:00" in await offered(here, page)
    await here.book(page, TEN)
    assert "10:00" not in await offered(here, page)
    with pytest.raises(SlotTaken) as taken:
        await here.book(page, TEN, email="alan@example.org")
    assert len(taken.value.alternatives) == 3
    assert len(here.events("Hopper")) == 1


async def test_an_event_in_any_selected_calendar_blocks_also_if_it_came_after_the_page_was_read(here: World) -> None:
    await here.connect()
    page = await here.page()
    assert "10:00" in await offered(here, page)
    here.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + timedelta(minutes=30))
    with pytest.raises(SlotTaken):
        await here.book(page, TEN)
    await here.sync()
    assert "10:00" not in await offered(here, page)


async def test_the_same_command_five_times_at_once_is_one_booking(here: World) -> None:
    await here.connect()
    page = await here.page()
    wish = here.wish(page, TEN)
    ids = await asyncio.gather(*(here.reserve(wish) for _ in range(5)))
    assert len(set(ids)) == 1
    settled = await asyncio.gather(*(here.settle(page, booking_id) for booking_id in ids))
    assert {booking.state for booking in settled} == {BookingState.CONFIRMED}
    assert len(here.events("Hopper")) == 1


async def test_a_key_with_another_wish_is_refused(here: World) -> None:
    await here.connect()
    page = await here.page()
    await here.reserve(here.wish(page, TEN, key="k"))
    with pytest.raises(IdempotencyConflict):
        await here.reserve(here.wish(page, TEN + timedelta(hours=1), key="k"))


async def test_twenty_visitors_at_once_make_one_booking(here: World) -> None:
    await here.connect()
    page = await here.page()
    wishes = [here.wish(page, TEN, email=f"v{number}@example.org") for number in range(20)]
    results = await asyncio.gather(*(here.reserve(wish) for wish in wishes), return_exceptions=True)
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    assert sum(isinstance(result, SlotTaken) for result in results) == 19
    await here.settle_down()
    assert len(here.events("Hopper")) == 1


async def test_a_moved_booking_keeps_its_event(here: World) -> None:
    await here.connect()
    page = await here.page()
    booking = await here.book(page, TEN)
    later = TEN + timedelta(hours=3)
    moved = await move(here, booking, later)
    assert (moved.id, moved.state, moved.start, moved.rescheduled_from) == (
        booking.id,
        BookingState.CONFIRMED,
        later,
        TEN,
    )
    [event] = here.events("Hopper")
    assert booking.event
    assert event["id"] == booking.event.event_id
    assert datetime.fromisoformat(event["start"]["dateTime"]) == later
    times = await offered(here, page)
    assert "10:00" in times
    assert "13:00" not in times


async def test_a_booking_can_move_onto_its_own_old_time(here: World) -> None:
    await here.connect()
    page = await here.page(start_increment_minutes=15)
    booking = await here.book(page, TEN)
    moved = await move(here, booking, TEN + timedelta(minutes=15))
    assert moved.state is BookingState.CONFIRMED


async def test_cancelling_removes_the_event_and_frees_the_slot_at_once(here: World) -> None:
    await here.connect()
    page = await here.page()
    booking = await here.book(page, TEN)
    await here.settle_down()
    await cancel(here, booking)
    assert "10:00" in await offered(here, page)
    await here.settle_down()
    assert here.events("Hopper") == []
    await cancel(here, booking)
    assert (await here.booking(booking.id)).state is BookingState.CANCELLED
    assert sum("grace@example.org" in mail.recipients for mail in here.mail.mails) == 2


async def test_a_slot_that_was_cancelled_can_be_booked_again_before_the_event_is_gone(here: World) -> None:
    await here.connect()
    page = await here.page()
    await cancel(here, await here.book(page, TEN))
    again = await here.book(page, TEN, email="alan@example.org", first_name="Alan", last_name="Turing")
    assert again.state is BookingState.CONFIRMED
    await here.settle_down()
    assert [event["summary"].split(" – ")[0] for event in here.events("–")] == ["Alan Turing"]


async def test_an_answer_that_is_lost_after_the_event_was_made_makes_no_second_event(here: World) -> None:
    await here.connect()
    page = await here.page()
    here.google.fault("events.insert", drop_after_commit=True)
    booking = await here.book(page, TEN)
    here.clock.passes(seconds=30)
    await asyncio.sleep(1.2)
    await here.settle_down()
    assert (await here.booking(booking.id)).state is BookingState.CONFIRMED
    assert len(here.events("Hopper")) == 1


async def test_an_event_the_provider_refuses_for_good_fails_the_booking_and_frees_the_slot(here: World) -> None:
    await here.connect()
    page = await here.page()
    here.google.fault("events.insert", status=400, reason="invalid")
    booking = await here.book(page, TEN)
    assert booking.state is BookingState.FAILED
    await here.settle_down()
    assert here.events("Hopper") == []
    assert sorted(mail.recipients[0] for mail in here.mail.mails) == [HOST_EMAIL, "grace@example.org"]
    assert "10:00" in await offered(here, page)


async def test_a_meeting_the_host_deletes_in_their_calendar_is_cancelled(here: World) -> None:
    await here.connect()
    page = await here.page()
    booking = await here.book(page, TEN)
    here.clock.passes(seconds=5)
    [event] = here.events("Hopper")
    here.google.cancel_event(HOST_EMAIL, event["id"])
    await here.sync()
    assert (await here.booking(booking.id)).state is BookingState.CANCELLED


async def test_a_meeting_the_host_moves_in_their_calendar_moves(here: World) -> None:
    await here.connect()
    page = await here.page()
    booking = await here.book(page, TEN)
    here.clock.passes(seconds=5)
    [event] = here.events("Hopper")
    later = TEN + timedelta(hours=2)
    here.google.move_event(HOST_EMAIL, event["id"], later, later + timedelta(minutes=30))
    await here.sync()
    followed = await here.booking(booking.id)
    assert (followed.state, followed.start) == (BookingState.CONFIRMED, later)
    times = await offered(here, page)
    assert "10:00" in times
    assert "12:00" not in times


async def test_without_a_calendar_nothing_can_be_booked(here: World) -> None:
    page = await here.page()
    assert (await here.state(page)).mode is BookingMode.OFFLINE
    with pytest.raises(PageOffline):
        await here.book(page, TEN)
    await here.connect()
    assert (await here.state(page)).mode is BookingMode.ONLINE


async def test_a_calendar_that_cannot_be_read_right_now_is_never_free(here: World) -> None:
    await here.connect()
    page = await here.page()
    here.google.fault("freebusy.query", status=500, times=10)
    with pytest.raises(CalendarUnverified):
        await here.book(page, TEN)
    assert here.events("Hopper") == []


async def test_a_lost_calendar_blocks_every_page_and_the_host_is_told_once_per_attempt(here: World) -> None:
    await here.connect()
    here.google.add_account("bob@example.com", "Bob")
    shared = here.google.add_calendar("bob@example.com", "Team rota")
    here.google.share_calendar(shared, HOST_EMAIL, "reader")
    await select_everything(here)
    page, other = await here.page(), await here.page("anna/other")
    here.google.lose_access(HOST_EMAIL, shared)
    with pytest.raises(BookingBlocked):
        await here.book(page, TEN)
    await here.settle_down()
    assert (await here.state(other)).mode is BookingMode.BLOCKED
    assert await offered(here, other) == []
    [mail] = here.mail.mails
    assert mail.recipients == (HOST_EMAIL,)
    assert "Team rota" in mail.text
    here.google.restore_access(HOST_EMAIL, shared)
    assert (await here.book(page, TEN)).state is BookingState.CONFIRMED


async def select_everything(here: World) -> None:
    from meetings.application.manage_connection import refresh_connection, select_calendars

    connection = await here.connection()
    tools = here.tools
    await refresh_connection(
        connection.id,
        caller=here.caller,
        begin=tools.begin,
        look=tools.look,
        calendars_of=tools.calendars_of,
        schedule=tools.schedule,
        clock=here.clock,
    )
    connection = await here.connection()
    await select_calendars(
        connection.id, [c.id for c in connection.calendars], caller=here.caller, begin=tools.begin, clock=here.clock
    )
    await here.settle_down()


async def test_a_revoked_grant_takes_the_pages_offline_and_is_told_once(here: World) -> None:
    connection_id = await here.connect()
    page = await here.page()
    here.google.revoke_grants(HOST_EMAIL)
    with pytest.raises(PageOffline):
        await here.book(page, TEN)
    await here.settle_down()
    assert (await here.state(page)).mode is BookingMode.OFFLINE
    assert [mail.recipients for mail in here.mail.mails] == [(HOST_EMAIL,)]
    await here.connect(reconnect=connection_id)
    assert (await here.book(page, TEN)).state is BookingState.CONFIRMED


async def test_a_copy_that_is_too_old_offers_nothing(here: World) -> None:
    await here.connect()
    page = await here.page()
    here.clock.passes(hours=1)
    question = AvailabilityQuestion(page, MONDAY, MONDAY, "Europe/Berlin")
    found = await read_availability(question, look=here.tools.look, clock=here.clock, policy=here.tools.policy)
    assert (list(found.starts), found.freshness) == ([], Freshness.PARTIAL)
    await here.sync()
    assert "10:00" in await offered(here, page)
