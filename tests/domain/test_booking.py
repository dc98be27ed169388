from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from meetings.domain.booking import (
    BookedEvent,
    Booking,
    BookingCancelled,
    BookingClosed,
    BookingConfirmed,
    BookingDeclined,
    BookingEvent,
    BookingFailed,
    BookingMoved,
    BookingState,
    BookingStateInvalid,
    Cancellation,
    CancelledBy,
    MeetingRequested,
    MoveConfirmed,
    NotProposed,
    SlotReserved,
)
from meetings.domain.timespan import TimeSpan
from tests.builders import NOW, START, a_booking, an_invitee, calendar_id, user_id

REQUESTED, PENDING, CONFIRMED = BookingState.REQUESTED, BookingState.PENDING, BookingState.CONFIRMED
FAILED, DECLINED, CANCELLED = BookingState.FAILED, BookingState.DECLINED, BookingState.CANCELLED

HOUR = timedelta(hours=1)
LATER = NOW + timedelta(minutes=5)
EVENT = BookedEvent("event-1", "https://calendar.example.com/event-1")
CALENDAR = calendar_id()


def at(start: datetime, minutes: int = 30) -> TimeSpan:
    return TimeSpan(start, start + timedelta(minutes=minutes))


def booking_in(state: BookingState, **given: Any) -> Booking:
    """A booking that came into `state` the way bookings do; no events waiting."""
    request = state in (REQUESTED, DECLINED)
    proposed = {"state": REQUESTED, "proposed": (START, START + HOUR)} if request else {"calendar_id": CALENDAR}
    booking = a_booking(**(proposed | given))
    match state:
        case BookingState.CONFIRMED:
            booking.confirm(EVENT, now=NOW)
        case BookingState.FAILED:
            booking.fail("refused", now=NOW)
        case BookingState.DECLINED:
            booking.decline(None, now=NOW)
        case BookingState.CANCELLED:
            booking.cancel(CancelledBy.INVITEE, None, now=NOW)
    booking.pull_events()
    assert booking.state is state
    return booking


def everything(booking: Booking) -> dict[str, Any]:
    return {name: value for name, value in vars(booking).items() if name != "_events"}


# ---- every transition in every state ------------------------------------------------------------------------------

TRANSITIONS: dict[str, Callable[[Booking], object]] = {
    "confirm": lambda booking: booking.confirm(EVENT, now=LATER),
    "fail": lambda booking: booking.fail("refused", now=LATER),
    "cancel": lambda booking: booking.cancel(CancelledBy.HOST, "ill", now=LATER),
    "move": lambda booking: booking.move(at(START + HOUR), now=LATER),
    "follow": lambda booking: booking.follow(at(START + HOUR), now=LATER),
    "accept": lambda booking: booking.accept(START + HOUR, calendar_id=CALENDAR, now=LATER),
    "decline": lambda booking: booking.decline("no time", now=LATER),
}
NO = BookingStateInvalid
TABLE: dict[str, list[Any]] = {
    # which leads from  REQUESTED                    PENDING                        CONFIRMED
    #                   FAILED                       DECLINED                       CANCELLED
    "confirm": [NO, (CONFIRMED, BookingConfirmed), (CONFIRMED, None), NO, NO, NO],
    "fail": [(REQUESTED, None), (FAILED, BookingFailed), *((each, None) for each in list(BookingState)[2:])],
    "cancel": [*[(CANCELLED, BookingCancelled)] * 3, NO, NO, (CANCELLED, None)],
    "move": [NO, (PENDING, BookingMoved), (PENDING, BookingMoved), NO, NO, NO],
    "follow": [(each, MoveConfirmed if each is CONFIRMED else None) for each in BookingState],
    "accept": [(PENDING, SlotReserved), NO, NO, NO, NO, NO],
    "decline": [(DECLINED, BookingDeclined), NO, NO, NO, (DECLINED, None), NO],
}


@pytest.mark.parametrize(
    ("transition", "state", "outcome"),
    [
        pytest.param(transition, state, outcome, id=f"{transition} from {state.name}")
        for transition, outcomes in TABLE.items()
        for state, outcome in zip(BookingState, outcomes, strict=True)
    ],
)
def test_each_transition_leads_where_the_table_says(transition: str, state: BookingState, outcome: Any) -> None:
    booking = booking_in(state)
    before = everything(booking)
    if outcome is NO:
        with pytest.raises(BookingStateInvalid) as refusal:
            TRANSITIONS[transition](booking)
        assert refusal.value.state is state
        assert (everything(booking), booking.pull_events()) == (before, ())
        return
    TRANSITIONS[transition](booking)
    expected_state, event = outcome
    assert booking.state is expected_state
    recorded = booking.pull_events()
    assert [type(each) for each in recorded] == ([event] if event else [])
    for each in recorded:
        assert isinstance(each, BookingEvent)
        assert (each.at, each.booking_id, each.page_id, each.hosts) == (
            LATER,
            booking.id,
            booking.page_id,
            booking.hosts,
        )


def test_every_transition_of_a_booking_stands_in_the_table() -> None:
    commands = {name for name in vars(Booking) if not name.startswith(("_", "check_"))}
    values = {"slot", "host", "occupies", "announce", "start_over", "erased", "is_by", "is_ahead"}
    of_every_state = {"forget"}  # see test_erasure.py
    others = values | of_every_state | set(Booking.__dataclass_fields__)
    assert commands - others == set(TRANSITIONS) == set(TABLE)


def test_pending_and_confirmed_bookings_take_their_host_s_time_and_no_others_do() -> None:
    assert {state for state in BookingState if booking_in(state).occupies} == {PENDING, CONFIRMED}


# ---- reserved and confirmed ---------------------------------------------------------------------------------------


def test_a_new_booking_announces_itself_as_a_reserved_slot_and_a_request_as_a_request() -> None:
    for state, kind in ((PENDING, SlotReserved), (REQUESTED, MeetingRequested)):
        booking = booking_in(state)
        booking.announce(now=NOW)
        assert booking.pull_events() == (
            kind(at=NOW, booking_id=booking.id, page_id=booking.page_id, hosts=booking.hosts),
        )


def test_a_confirmed_booking_knows_its_event_and_since_when_it_stands_as_booked() -> None:
    booking = booking_in(PENDING)
    booking.confirm(EVENT, now=LATER)
    assert (booking.event, booking.settled_at, booking.sequence) == (EVENT, LATER, 0)


def test_confirming_again_only_refreshes_the_event() -> None:
    booking = booking_in(CONFIRMED)
    newer = BookedEvent("event-1", "https://calendar.example.com/event-1", "https://meet.example.com/x")
    booking.confirm(newer, now=LATER)
    assert (booking.event, booking.settled_at) == (newer, LATER)
    assert booking.pull_events() == ()


def test_a_booking_that_failed_says_why_and_a_late_failure_changes_nothing() -> None:
    booking = booking_in(PENDING)
    booking.fail("the provider refused", now=LATER)
    booking.fail("again", now=LATER)
    assert (booking.state, booking.failure, booking.sequence) == (FAILED, "the provider refused", 1)
    confirmed = booking_in(CONFIRMED)
    confirmed.fail("too late", now=LATER)
    assert (confirmed.state, confirmed.failure) == (CONFIRMED, None)


def test_starting_over_asks_for_another_event() -> None:
    booking = booking_in(PENDING)
    booking.start_over()
    booking.start_over()
    assert (booking.generation, booking.event, booking.state) == (2, None, PENDING)


# ---- cancelled ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [REQUESTED, PENDING, CONFIRMED])
def test_a_cancelled_booking_says_who_why_and_when(state: BookingState) -> None:
    booking = booking_in(state)
    booking.cancel(CancelledBy.INVITEE, "ill", now=LATER)
    assert booking.cancellation == Cancellation(CancelledBy.INVITEE, "ill", LATER)
    assert booking.sequence == 1
    (event,) = booking.pull_events()
    assert isinstance(event, BookingCancelled)
    assert event.by is CancelledBy.INVITEE


def test_cancelling_twice_succeeds_and_keeps_who_was_first() -> None:
    booking = booking_in(CONFIRMED)
    booking.cancel(CancelledBy.INVITEE, "ill", now=NOW)
    before = everything(booking)
    booking.cancel(CancelledBy.HOST, "me too", now=START + 5 * HOUR)
    assert everything(booking) == before


def test_a_meeting_can_be_called_off_while_it_lasts_and_not_once_it_is_over() -> None:
    for state in (PENDING, CONFIRMED):
        running, over = booking_in(state), booking_in(state)
        running.cancel(CancelledBy.HOST, None, now=running.end - timedelta(seconds=1))
        assert running.state is CANCELLED
        with pytest.raises(BookingClosed) as refusal:
            over.cancel(CancelledBy.HOST, None, now=over.end)
        assert (refusal.value.until, over.state) == (over.end, state)


def test_a_request_can_be_withdrawn_even_when_the_first_time_proposed_has_passed() -> None:
    request = booking_in(REQUESTED)
    request.cancel(CancelledBy.INVITEE, None, now=request.end + timedelta(minutes=10))
    assert request.state is CANCELLED


# ---- moved --------------------------------------------------------------------------------------------------------


def test_a_moved_booking_is_the_same_booking_with_the_same_event_at_another_time() -> None:
    booking = booking_in(CONFIRMED)
    before = everything(booking)
    booking.move(at(START + HOUR), now=LATER)
    changed = {"start", "end", "state", "sequence", "rescheduled_from"}
    assert {name: value for name, value in everything(booking).items() if name not in changed} == {
        name: value for name, value in before.items() if name not in changed
    }
    assert (booking.slot, booking.rescheduled_from, booking.sequence) == (at(START + HOUR), START, 1)
    assert booking.event == EVENT
    (event,) = booking.pull_events()
    assert isinstance(event, BookingMoved)
    assert event.previous_start == START


def test_moving_to_where_it_already_is_changes_nothing() -> None:
    booking = booking_in(CONFIRMED)
    before = everything(booking)
    booking.move(booking.slot, now=LATER)
    assert (everything(booking), booking.pull_events()) == (before, ())


def test_a_move_is_news_to_people_once_the_event_has_followed() -> None:
    booking = booking_in(CONFIRMED)
    booking.move(at(START + HOUR), now=LATER)
    booking.pull_events()
    booking.confirm(EVENT, now=LATER)
    (event,) = booking.pull_events()
    assert isinstance(event, MoveConfirmed)
    assert event.previous_start == START
    assert booking.state is CONFIRMED


def test_a_booking_moved_before_its_event_was_ever_written_is_confirmed_as_a_new_one() -> None:
    booking = booking_in(PENDING)
    booking.move(at(START + HOUR), now=LATER)
    booking.pull_events()
    booking.confirm(EVENT, now=LATER)
    assert [type(event) for event in booking.pull_events()] == [BookingConfirmed]
    assert booking.slot == at(START + HOUR)


@pytest.mark.parametrize("state", [PENDING, CONFIRMED])
def test_a_meeting_cannot_be_moved_once_it_began(state: BookingState) -> None:
    booking = booking_in(state)
    booking.check_movable(now=booking.start - timedelta(seconds=1))
    with pytest.raises(BookingClosed):
        booking.check_movable(now=booking.start)
    with pytest.raises(BookingClosed) as refusal:
        booking.move(at(START + HOUR), now=booking.start)
    assert refusal.value.until == booking.start
    assert (booking.start, booking.state) == (START, state)


def test_a_move_that_its_event_could_not_follow_fails_the_booking() -> None:
    booking = booking_in(CONFIRMED)
    booking.move(at(START + HOUR), now=LATER)
    booking.fail("the provider refused", now=LATER)
    assert booking.state is FAILED
    assert not booking.occupies


def test_a_booking_follows_its_event_when_the_host_moves_it_in_the_calendar() -> None:
    booking = booking_in(CONFIRMED)
    booking.follow(at(START + HOUR, 60), now=LATER)
    assert (booking.slot, booking.state, booking.rescheduled_from) == (at(START + HOUR, 60), CONFIRMED, START)
    (event,) = booking.pull_events()
    assert isinstance(event, MoveConfirmed)
    assert event.previous_start == START
    booking.follow(at(START + HOUR, 60), now=LATER)
    assert (booking.pull_events(), booking.sequence) == ((), 1)


# ---- requested ----------------------------------------------------------------------------------------------------


def test_accepting_a_request_reserves_the_chosen_time_for_the_chosen_calendar() -> None:
    request = booking_in(REQUESTED)
    request.accept(START + HOUR, calendar_id=CALENDAR, now=LATER)
    assert (request.slot, request.state, request.calendar_id) == (at(START + HOUR), PENDING, CALENDAR)
    assert (request.proposed, request.sequence) == ((START, START + HOUR), 1)


def test_only_a_proposed_time_can_be_accepted() -> None:
    request = booking_in(REQUESTED)
    before = everything(request)
    with pytest.raises(NotProposed):
        request.check_acceptable(START + 2 * HOUR)
    with pytest.raises(NotProposed):
        request.accept(START + 2 * HOUR, calendar_id=CALENDAR, now=LATER)
    assert (everything(request), request.pull_events()) == (before, ())


def test_whether_a_request_can_be_accepted_can_be_asked_before() -> None:
    booking_in(REQUESTED).check_acceptable(START)
    for state in set(BookingState) - {REQUESTED}:
        with pytest.raises(BookingStateInvalid):
            booking_in(state, proposed=(START,)).check_acceptable(START)


def test_a_declined_request_keeps_the_host_s_first_words() -> None:
    request = booking_in(REQUESTED)
    request.decline("no time", now=LATER)
    request.decline("really not", now=LATER + HOUR)
    assert request.cancellation == Cancellation(CancelledBy.HOST, "no time", LATER)
    assert request.sequence == 1


# ---- who ----------------------------------------------------------------------------------------------------------


def test_the_first_host_is_the_one_whose_calendar_holds_the_event() -> None:
    anna, bert = user_id(), user_id()
    assert a_booking(hosts=(anna, bert)).host == anna


def test_an_invitee_is_called_by_both_names() -> None:
    assert an_invitee(first_name="Ivo", last_name="Visitor").name == "Ivo Visitor"
    assert an_invitee(first_name="Ivo", last_name="").name == "Ivo"
