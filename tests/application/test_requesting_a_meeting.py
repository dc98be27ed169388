"""A page without a calendar behind it takes requests; its host accepts or declines them (S7 to S11)."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from meetings.application.answer_request import accept_request, decline_request
from meetings.application.change_booking import ByHost
from meetings.application.ports.identities import Caller
from meetings.application.repeated_commands import IdempotencyConflict
from meetings.domain.availability import Reason
from meetings.domain.base import InvalidInput, NotFound
from meetings.domain.booking import Booking, BookingState, BookingStateInvalid, CancelledBy, NotProposed
from meetings.domain.booking_form import ConsentOption
from meetings.domain.booking_mode import BookingMode
from meetings.domain.period import Period
from meetings.domain.scheduling_page import PageOffline, PageOnline, SlotTaken, SlotUnavailable
from tests.world import HOST_EMAIL, World, berlin

MONDAY = date(2035, 12, 3)
TEN = berlin("2035-12-03 10:00")
ELEVEN = berlin("2035-12-03 11:00")
VISITOR = "grace@example.org"


async def accept(here: World, booking: Booking, start: datetime = TEN, *, caller: Caller | None = None) -> Booking:
    tools = here.tools
    await accept_request(
        caller or here.caller,
        booking.id,
        start,
        begin=tools.begin,
        look=tools.look,
        calendars_of=tools.calendars_of,
        clock=here.clock,
        policy=tools.policy,
    )
    await here.settle_down()
    return await here.booking(booking.id)


async def decline(here: World, booking: Booking, message: str | None = None) -> Booking:
    await decline_request(here.caller, booking.id, message, begin=here.tools.begin, clock=here.clock)
    await here.settle_down()
    return await here.booking(booking.id)


# ---- asking -------------------------------------------------------------------------------------------------------


async def test_a_page_without_a_calendar_offers_its_hours_and_is_offline(here: World) -> None:
    """S7, S9, A-OF1, A-OF3."""
    page = await here.page(minimum_notice=Period(minutes=180))
    assert (await here.state(page)).mode is BookingMode.OFFLINE
    assert (await here.offered(page, MONDAY))[0] == "11:00"
    with pytest.raises(PageOffline):
        await here.book(page, ELEVEN)


async def test_a_request_holds_nothing_and_reaches_no_provider(anywhere: World) -> None:
    """S10, S11: nothing is written to a calendar, and others can ask for the same time."""
    page = await anywhere.page()
    booking = await anywhere.request(page, TEN, ELEVEN)
    await anywhere.settle_down()
    assert (booking.state, booking.event, booking.calendar_id) == (BookingState.REQUESTED, None, None)
    assert booking.proposed == (TEN, ELEVEN)
    assert anywhere.google.calls == []
    other = await anywhere.request(page, TEN, email="alan@example.org")
    assert other.id != booking.id
    assert "10:00" in await anywhere.offered(page, MONDAY)


async def test_both_sides_are_told_that_a_request_is_no_meeting_yet(here: World) -> None:
    """B-OF1."""
    await here.request(await here.page(), TEN)
    await here.settle_down()
    [to_visitor], [to_host] = here.mails_to(VISITOR), here.mails_to(HOST_EMAIL)
    assert "Requested" in to_visitor.subject
    assert "not confirmed" in to_visitor.text
    assert "Grace Hopper" in to_host.text
    assert "10:00" in to_host.text
    assert to_visitor.calendar is None


async def test_connecting_later_adds_no_old_request_to_the_calendar(here: World) -> None:
    """S11."""
    page = await here.page()
    booking = await here.request(page, TEN)
    await here.connect()
    await here.passes(hours=1)
    await here.settle_down()
    assert (await here.state(page)).mode is BookingMode.ONLINE
    assert (await here.booking(booking.id)).state is BookingState.REQUESTED
    assert here.events() == []
    assert "10:00" in await here.offered(page, MONDAY)


async def test_a_page_that_books_at_once_takes_no_request(here: World) -> None:
    await here.connect()
    page = await here.page()
    with pytest.raises(PageOnline):
        await here.request(page, TEN)


async def test_a_request_is_held_to_the_rules_of_a_booking(here: World) -> None:
    """A-OF4."""
    page = await here.page(
        minimum_notice=Period(minutes=180), consents=(ConsentOption("terms", "I agree", required=True),)
    )
    with pytest.raises(InvalidInput) as refused:
        await here.request(page, ELEVEN, email="nobody", last_name="", duration_minutes=17)
    assert {problem.path[-1] for problem in refused.value.problems} >= {"email", "lastName", "durationMinutes"}
    with pytest.raises(InvalidInput):
        await here.request(page, ELEVEN)
    agreed: dict[str, Any] = {"consents": ("terms",)}
    for start, reason in [
        (berlin("2035-12-03 18:00"), Reason.OUTSIDE_HOURS),
        (ELEVEN + timedelta(minutes=7), Reason.NOT_ON_GRID),
        (TEN, Reason.MINIMUM_NOTICE),
    ]:
        with pytest.raises(SlotUnavailable) as unavailable:
            await here.request(page, start, **agreed)
        assert unavailable.value.reason is reason
    for starts in ((), (ELEVEN, ELEVEN), tuple(ELEVEN + timedelta(minutes=30 * n) for n in range(4))):
        with pytest.raises(InvalidInput):
            await here.request(page, *starts, **agreed)
    assert (await here.request(page, ELEVEN, **agreed)).consents[0].key == "terms"


async def test_one_impossible_time_refuses_the_whole_request(here: World) -> None:
    page = await here.page()
    with pytest.raises(SlotUnavailable):
        await here.request(page, TEN, berlin("2035-12-03 18:00"))
    await here.settle_down()
    assert here.mail.mails == ()


async def test_the_same_request_five_times_at_once_is_one_request(anywhere: World) -> None:
    page = await anywhere.page()
    bookings = await asyncio.gather(*(anywhere.request(page, TEN, key="one") for _ in range(5)))
    assert len({booking.id for booking in bookings}) == 1
    await anywhere.settle_down()
    assert len(anywhere.mails_to(VISITOR)) == 1
    with pytest.raises(IdempotencyConflict):
        await anywhere.request(page, ELEVEN, key="one")


async def test_a_request_can_be_withdrawn_and_its_host_is_told(here: World) -> None:
    booking = await here.request(await here.page(), TEN)
    await here.settle_down()
    await here.cancel(booking, "Not needed any more")
    await here.settle_down()
    withdrawn = await here.booking(booking.id)
    assert withdrawn.state is BookingState.CANCELLED
    assert withdrawn.cancellation
    assert withdrawn.cancellation.by is CancelledBy.INVITEE
    assert "Not needed any more" in here.mails_to(HOST_EMAIL)[-1].text


# ---- answering ----------------------------------------------------------------------------------------------------


async def test_an_accepted_request_becomes_an_event_at_the_accepted_time(anywhere: World) -> None:
    """B-OF2."""
    booking = await anywhere.request(await anywhere.page(), TEN, ELEVEN)
    await anywhere.connect()
    accepted = await accept(anywhere, booking, ELEVEN)
    assert (accepted.state, accepted.start) == (BookingState.CONFIRMED, ELEVEN)
    [event] = anywhere.events("Grace Hopper")
    assert datetime.fromisoformat(event["start"]["dateTime"]) == ELEVEN
    assert accepted.event
    assert accepted.event.event_id == event["id"]
    assert ["Requested" in mail.subject for mail in anywhere.mails_to(VISITOR)] == [True, False]


async def test_without_a_calendar_nothing_can_be_accepted(here: World) -> None:
    booking = await here.request(await here.page(), TEN)
    with pytest.raises(PageOffline):
        await accept(here, booking)
    assert (await here.booking(booking.id)).state is BookingState.REQUESTED


async def test_a_time_that_is_taken_by_now_cannot_be_accepted(here: World) -> None:
    """B-OF2: accepting asks the calendar again."""
    booking = await here.request(await here.page(), TEN, ELEVEN)
    await here.connect()
    here.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + timedelta(minutes=15))
    with pytest.raises(SlotTaken):
        await accept(here, booking)
    assert (await here.booking(booking.id)).state is BookingState.REQUESTED
    assert here.events("Grace") == []
    assert (await accept(here, booking, ELEVEN)).state is BookingState.CONFIRMED


async def test_of_requests_for_one_time_only_one_can_be_accepted(anywhere: World) -> None:
    """BK-5: accepting goes through the same guard as booking."""
    page = await anywhere.page()
    asked = [await anywhere.request(page, TEN, email=f"v{number}@example.org") for number in range(5)]
    await anywhere.connect()
    results = await asyncio.gather(*(accept(anywhere, booking) for booking in asked), return_exceptions=True)
    assert sum(isinstance(result, SlotTaken) for result in results) == 4
    states = [(await anywhere.booking(booking.id)).state for booking in asked]
    assert sorted(state.value for state in states) == ["CONFIRMED", *["REQUESTED"] * 4]
    assert len(anywhere.events("Hopper")) == 1


async def test_a_host_accepts_also_what_comes_sooner_than_the_notice_they_ask_of_visitors(here: World) -> None:
    booking = await here.request(await here.page(minimum_notice=Period(minutes=60)), TEN)
    await here.connect()
    here.clock.passes(minutes=90)
    await here.sync()
    assert (await accept(here, booking)).state is BookingState.CONFIRMED


async def test_a_time_that_went_by_or_was_never_proposed_cannot_be_accepted(here: World) -> None:
    booking = await here.request(await here.page(), TEN)
    await here.connect()
    with pytest.raises(NotProposed):
        await accept(here, booking, ELEVEN)
    await here.passes(hours=3)
    await here.sync()
    with pytest.raises(SlotUnavailable):
        await accept(here, booking)


async def test_what_is_accepted_or_withdrawn_cannot_be_accepted_again(here: World) -> None:
    page = await here.page()
    booking, other = await here.request(page, TEN), await here.request(page, ELEVEN)
    await here.connect()
    await accept(here, booking)
    await here.cancel(other)
    for answered in (booking, other):
        with pytest.raises(BookingStateInvalid):
            await accept(here, answered, answered.start)
    assert len(here.events("Hopper")) == 1


async def test_colleagues_can_neither_accept_nor_decline(here: World) -> None:
    booking = await here.request(await here.page(), TEN)
    await here.connect()
    bob = await here.add_colleague("Bob", "bob@example.com")
    with pytest.raises(NotFound):
        await accept(here, booking, caller=here.caller_of(bob))
    with pytest.raises(NotFound):
        await decline_request(here.caller_of(bob), booking.id, None, begin=here.tools.begin, clock=here.clock)
    assert (await here.booking(booking.id)).state is BookingState.REQUESTED


async def test_a_declined_request_is_told_to_the_visitor_once_with_the_message(anywhere: World) -> None:
    booking = await anywhere.request(await anywhere.page(), TEN)
    await anywhere.settle_down()
    anywhere.mail.clear()
    assert (await decline(anywhere, booking, "I am on leave.")).state is BookingState.DECLINED
    await decline(anywhere, booking, "Again")
    [mail] = anywhere.mail.mails
    assert mail.recipients == (VISITOR,)
    assert "I am on leave." in mail.text
    assert anywhere.google.calls == []


async def test_a_meeting_that_stands_cannot_be_declined_only_called_off(here: World) -> None:
    booking = await here.request(await here.page(), TEN)
    await here.connect()
    await accept(here, booking)
    with pytest.raises(BookingStateInvalid):
        await decline(here, booking)
    await here.cancel(booking, by=ByHost(here.caller))
    await here.settle_down()
    assert here.events("Hopper") == []


async def test_an_accepted_request_that_the_provider_refuses_fails_and_both_are_told(here: World) -> None:
    booking = await here.request(await here.page(), TEN)
    await here.connect()
    here.mail.clear()
    here.google.fault("events.insert", status=400, reason="invalid")
    assert (await accept(here, booking)).state is BookingState.FAILED
    assert sorted(mail.recipients[0] for mail in here.mail.mails) == [HOST_EMAIL, VISITOR]
