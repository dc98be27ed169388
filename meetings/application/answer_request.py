"""A host accepts or declines what a visitor asked for (B-OF2)."""

from datetime import datetime

from meetings.application.book_meeting import ask_calendars, require_online
from meetings.application.bookings_of_caller import own_booking
from meetings.application.page_state import load_page, times_of_hosts
from meetings.application.policy import Policy
from meetings.application.ports.calendars import CalendarsOf
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.base import refuse
from meetings.domain.identifiers import BookingId
from meetings.domain.scheduling_page import surroundings
from meetings.domain.text import text_problem
from meetings.domain.timespan import TimeSpan

MAX_MESSAGE = 2_000


async def accept_request(
    caller: Caller,
    booking_id: BookingId,
    start: datetime,
    *,
    begin: Begin,
    look: Begin,
    calendars_of: CalendarsOf,
    clock: Clock,
    policy: Policy,
) -> None:
    """Reserve one of the proposed times; the calendar write follows. A host is not held to the minimum notice.

    Raises:
        NotFound: not a booking of the caller's.
        BookingStateInvalid, NotProposed: it is no request, or nobody proposed that time.
        PageOffline: there is still no calendar behind the page.
        BookingBlocked, SlotTaken, SlotUnavailable, CalendarUnverified: as `book_meeting`.
    """
    async with look(caller.account_id) as work:
        booking = await own_booking(work, caller, booking_id)
        booking.check_acceptable(start)
        state = await load_page(work, booking.page_id)
    slot = TimeSpan(start, start + (booking.end - booking.start))
    live = await ask_calendars(
        state, slot, begin=begin, look=look, calendars_of=calendars_of, clock=clock, policy=policy
    )
    async with begin(caller.account_id) as work:
        state = await load_page(work, booking.page_id)
        await work.host_times.lock(state.host_ids)
        now = clock()
        require_online(state)
        around = surroundings(slot, now=now)
        times, meetings = await times_of_hosts(work, state, around, now=now, policy=policy, live=live)
        minutes = int(slot.duration.total_seconds() // 60)
        state.page.free_hosts(start, minutes, hosts=times, meetings=meetings, now=now, by_host=True)
        booking = await work.bookings.get(booking_id)
        calendar = state.connections[booking.host].default_calendar
        assert calendar, "an online page has a default calendar"
        booking.accept(slot.start, calendar_id=calendar.id, now=now)
        await work.commit()


async def decline_request(
    caller: Caller, booking_id: BookingId, message: str | None, *, begin: Begin, clock: Clock
) -> None:
    """Decline a request; the visitor is told, with the message. Declining twice succeeds.

    Raises:
        NotFound: not a booking of the caller's.
        InvalidInput: the message is too long or holds control characters.
        BookingStateInvalid: it is no request.
    """
    refuse(text_problem(message or "", "message", most=MAX_MESSAGE, required=False, lines=True))
    async with begin(caller.account_id) as work:
        booking = await own_booking(work, caller, booking_id)
        booking.decline(message or None, now=clock())
        await work.commit()
