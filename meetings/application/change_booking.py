"""Moving a booking and calling it off, by its host or by its invitee."""

from dataclasses import dataclass
from datetime import datetime

from meetings.application.book_meeting import ask_calendars, require_online
from meetings.application.bookings_of_caller import own_booking
from meetings.application.page_state import PageState, load_page, times_of_hosts
from meetings.application.policy import Policy
from meetings.application.ports.calendars import CalendarsOf
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.repeated_commands import CommandKey, KeptMeanwhile, earlier_result, keep_result
from meetings.domain.base import NotFound, refuse
from meetings.domain.booking import Booking, BookingClosed, BookingState, CancelledBy
from meetings.domain.booking_changes import check_changeable
from meetings.domain.identifiers import AccountId, BookingId
from meetings.domain.scheduling_page import surroundings
from meetings.domain.text import text_problem
from meetings.domain.timespan import TimeSpan

MAX_REASON = 2_000


@dataclass(frozen=True, slots=True)
class ByHost:
    """A signed-in host, or an owner or admin for them."""

    caller: Caller


@dataclass(frozen=True, slots=True)
class ByInvitee:
    """Whoever holds the manage link; held to the page's cancellation notice and minimum notice."""


Mover = ByHost | ByInvitee


@dataclass(frozen=True, slots=True)
class RescheduleBooking:
    """The wish to meet at another time."""

    account_id: AccountId
    booking_id: BookingId
    start: datetime
    by: Mover
    idempotency_key: str

    def command(self) -> CommandKey:
        given = {"booking": self.booking_id, "start": self.start.timestamp()}
        return CommandKey.of("rescheduleBooking", str(self.booking_id), self.idempotency_key, given)


async def reschedule_booking(
    wish: RescheduleBooking, *, begin: Begin, look: Begin, calendars_of: CalendarsOf, clock: Clock, policy: Policy
) -> None:
    """Take the new time and free the old one in one transaction (BK-7); the event follows by itself.

    The same command again changes nothing.

    Raises:
        NotFound: no such booking (of the caller's).
        BookingStateInvalid, BookingClosed: it cannot be moved (any more).
        CapabilityUnsupported: the host's provider cannot change bookings (S94).
        IdempotencyConflict, PageOffline, BookingBlocked, SlotTaken, SlotUnavailable, CalendarUnverified: as
            `book_meeting`.
    """
    command = wish.command()
    by_host = isinstance(wish.by, ByHost)
    async with look(wish.account_id) as work:
        if await earlier_result(work, command):
            return
        booking = await _booking(work, wish.booking_id, wish.by)
        booking.check_movable(now=clock())
        state = await load_page(work, booking.page_id)
        _check_changeable(state, booking, wish.by, clock())
    slot = TimeSpan(wish.start, wish.start + (booking.end - booking.start))
    live = await ask_calendars(
        state, slot, begin=begin, look=look, calendars_of=calendars_of, clock=clock, policy=policy
    )
    try:
        async with begin(wish.account_id) as work:
            state = await load_page(work, booking.page_id)
            await work.host_times.lock(set(state.host_ids) | set(booking.hosts))
            now = clock()
            require_online(state)
            booking = await work.bookings.get(wish.booking_id)
            booking.check_movable(now=now)
            times, meetings = await times_of_hosts(
                work, state, surroundings(slot, now=now), now=now, policy=policy, live=live, excluding=booking.id
            )
            minutes = int(slot.duration.total_seconds() // 60)
            state.page.free_hosts(wish.start, minutes, hosts=times, meetings=meetings, now=now, by_host=by_host)
            booking.move(slot, now=now)
            await keep_result(work, command, booking.id)
            await work.commit()
    except KeptMeanwhile:
        return


async def cancel_booking(
    account_id: AccountId, booking_id: BookingId, reason: str | None, *, by: Mover, begin: Begin, clock: Clock
) -> None:
    """Call a meeting off, or withdraw a request; the event is removed by itself. Cancelling twice succeeds.

    Raises:
        NotFound: no such booking (of the caller's).
        InvalidInput: the reason is too long or holds control characters.
        BookingStateInvalid, BookingClosed: it cannot be cancelled (any more).
        CapabilityUnsupported: the host's provider cannot change bookings (S94).
    """
    refuse(text_problem(reason or "", "reason", most=MAX_REASON, required=False, lines=True))
    async with begin(account_id) as work:
        booking = await _booking(work, booking_id, by)
        if booking.state is not BookingState.CANCELLED:
            page = await work.pages.get(booking.page_id)
            state = PageState(page, {}, await work.connections.of_users(booking.hosts))
            _check_changeable(state, booking, by, clock())
        who = CancelledBy.HOST if isinstance(by, ByHost) else CancelledBy.INVITEE
        booking.cancel(who, reason or None, now=clock())
        await work.commit()


async def _booking(work: UnitOfWork, booking_id: BookingId, by: Mover) -> Booking:
    if isinstance(by, ByHost):
        return await own_booking(work, by.caller, booking_id)
    try:
        return await work.bookings.get(booking_id)
    except NotFound as gone:
        raise NotFound("booking", ("booking", "token")) from gone


def _check_changeable(state: PageState, booking: Booking, by: Mover, now: datetime) -> None:
    """The host's calendar has to allow it, and an invitee has to come in time."""
    check_changeable(booking, state.connections.get(booking.host))
    until = state.page.changeable_until(booking)
    if isinstance(by, ByInvitee) and booking.occupies and now > until:
        raise BookingClosed(until)
