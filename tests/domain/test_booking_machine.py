"""A booking and its event through any history: what people, providers and workers do, in any order (TH-5)."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from meetings.domain.base import DomainError
from meetings.domain.booking import (
    OCCUPYING,
    BookedEvent,
    Booking,
    BookingConfirmed,
    BookingState,
    CancelledBy,
    MoveConfirmed,
)
from meetings.domain.timespan import TimeSpan
from tests.builders import NOW, START, a_booking, calendar_id

FINAL = {BookingState.FAILED, BookingState.DECLINED, BookingState.CANCELLED}
CALENDAR = calendar_id()
HOUR = timedelta(hours=1)
hours = st.integers(0, 5)


class BookingMachine(RuleBasedStateMachine):
    """`events` is what the calendar holds, by generation. A worker may write what is out of date meanwhile."""

    @initialize(requested=st.sampled_from([True, True, False]))
    def begin(self, requested: bool) -> None:
        given: dict[str, Any] = {"calendar_id": CALENDAR}
        if requested:
            given = {"state": BookingState.REQUESTED, "proposed": (START, START + HOUR)}
        self.booking: Booking = a_booking(**given)
        self.booking.announce(now=NOW)
        self.booking.pull_events()
        self.now: datetime = NOW
        self.events: dict[int, TimeSpan] = {}
        self.written: tuple[int, int] | None = None

    # ---- people -----------------------------------------------------------------------------------------------

    @rule(hour=hours)
    def move(self, hour: int) -> None:
        self.attempt(lambda: self.booking.move(self.slot(hour), now=self.now))

    @rule(by=st.sampled_from(CancelledBy), reason=st.none() | st.just("ill"))
    def cancel(self, by: CancelledBy, reason: str | None) -> None:
        self.attempt(lambda: self.booking.cancel(by, reason, now=self.now))

    @rule(hour=hours)
    def accept(self, hour: int) -> None:
        self.attempt(lambda: self.booking.accept(START + hour * HOUR, calendar_id=CALENDAR, now=self.now))

    @precondition(lambda self: self.booking.state is BookingState.REQUESTED)
    @rule(start=st.sampled_from([START, START + HOUR, START + HOUR]))
    def accept_what_was_proposed(self, start: datetime) -> None:
        self.booking.accept(start, calendar_id=CALENDAR, now=self.now)
        assert self.booking.state is BookingState.PENDING
        assert self.booking.start == start
        self.booking.pull_events()

    @rule()
    def decline(self) -> None:
        self.attempt(lambda: self.booking.decline(None, now=self.now))

    @rule(minutes=st.sampled_from([1, 60, 600]))
    def let_time_pass(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # ---- the worker and the provider --------------------------------------------------------------------------

    @rule()
    def write(self) -> None:
        """The worker makes the calendar agree with the booking; whether it learns so is another matter."""
        if self.booking.occupies:
            self.events[self.booking.generation] = self.booking.slot
        else:
            self.events.pop(self.booking.generation, None)
        self.written = (self.booking.sequence, self.booking.generation)

    @precondition(lambda self: self.written is not None)
    @rule()
    def learn_that_it_was_written(self) -> None:
        assert self.written
        sequence, generation = self.written
        self.written = None
        if sequence == self.booking.sequence and generation in self.events:
            self.attempt(lambda: self.booking.confirm(BookedEvent(f"event-{generation}"), now=self.now))

    @rule()
    def be_refused(self) -> None:
        self.attempt(lambda: self.booking.fail("refused", now=self.now))

    @precondition(lambda self: self.booking.state is BookingState.PENDING and self.booking.event is None)
    @rule()
    def find_an_earlier_event_removed(self) -> None:
        self.events.pop(self.booking.generation, None)
        self.booking.start_over()

    @precondition(lambda self: self.booking.state is BookingState.CONFIRMED)
    @rule(hour=hours)
    def see_the_host_move_the_event(self, hour: int) -> None:
        self.events[self.booking.generation] = self.slot(hour)
        self.attempt(lambda: self.booking.follow(self.slot(hour), now=self.now))

    # ---- what always holds ------------------------------------------------------------------------------------

    def attempt(self, action: Any) -> None:
        """What is refused changes nothing; what succeeds tells people of every change under a higher sequence."""
        before = self.seen()
        try:
            action()
        except DomainError:
            assert self.seen() == before
            assert self.booking.pull_events() == ()
        recorded = self.booking.pull_events()
        steps = [event for event in recorded if not self.only_catches_up(event, before)]
        assert len(recorded) <= 1
        assert self.booking.sequence == before["sequence"] + len(steps)
        if before["state"] in FINAL:
            assert self.seen() == before

    @staticmethod
    def only_catches_up(event: object, before: dict[str, Any]) -> bool:
        """Whether the calendar has reached what people knew was coming; a move in the calendar itself is new."""
        catching_up = before["state"] is BookingState.PENDING
        return catching_up and isinstance(event, BookingConfirmed | MoveConfirmed)

    @invariant()
    def a_confirmed_booking_has_an_event_and_a_request_has_none(self) -> None:
        if self.booking.state is BookingState.CONFIRMED:
            assert self.booking.event == BookedEvent(f"event-{self.booking.generation}")
            assert self.events[self.booking.generation] == self.booking.slot
            assert self.booking.settled_at is not None
        if self.booking.state is BookingState.REQUESTED:
            assert (self.booking.event, self.booking.calendar_id, self.events) == (None, None, {})

    @invariant()
    def it_takes_time_exactly_while_it_is_pending_or_confirmed(self) -> None:
        assert self.booking.occupies == (self.booking.state in OCCUPYING)
        assert self.booking.occupies <= (self.booking.calendar_id is not None)

    @invariant()
    def it_lasts_as_long_as_it_was_booked_for(self) -> None:
        assert self.booking.slot.duration == timedelta(minutes=30)

    @invariant()
    def whoever_called_it_off_is_known_and_a_failure_has_a_reason(self) -> None:
        called_off = self.booking.state in (BookingState.CANCELLED, BookingState.DECLINED)
        assert (self.booking.cancellation is not None) == called_off
        assert (self.booking.failure is not None) == (self.booking.state is BookingState.FAILED)

    def teardown(self) -> None:
        """However it went, once the worker has caught up there is one event for a live booking and none otherwise."""
        if not hasattr(self, "booking"):
            return
        self.write()
        self.learn_that_it_was_written()
        live = [slot for generation, slot in self.events.items() if generation == self.booking.generation]
        assert live == ([self.booking.slot] if self.booking.state is BookingState.CONFIRMED else [])
        assert self.booking.state is not BookingState.PENDING
        assert len(self.events) == len(live)

    def seen(self) -> dict[str, Any]:
        """Everything of the booking but the waiting events."""
        return {name: value for name, value in vars(self.booking).items() if name != "_events"}

    @staticmethod
    def slot(hour: int) -> TimeSpan:
        return TimeSpan(START + hour * HOUR, START + hour * HOUR + timedelta(minutes=30))


BookingMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=25)
TestBookingThroughAnyHistory = BookingMachine.TestCase
