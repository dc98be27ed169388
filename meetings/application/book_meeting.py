"""A visitor books a slot."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from meetings.application.blocked_attempts import note_blocked_attempt
from meetings.application.email_addresses import address_problem, addresses_problems
from meetings.application.links import token_hash
from meetings.application.live_busy import read_live
from meetings.application.page_state import PageState, load_page, same_or_newer, slot_span, times_of_hosts
from meetings.application.policy import Policy
from meetings.application.ports.calendars import CalendarsOf, EventTime
from meetings.application.ports.clock import Clock
from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import Begin
from meetings.application.repeated_commands import (
    CommandKey,
    KeptMeanwhile,
    earlier_result,
    keep_result,
    result_of_rival,
)
from meetings.domain.base import ConcurrentChange, refuse
from meetings.domain.booking_mode import BookingMode
from meetings.domain.identifiers import BookingId, UserId
from meetings.domain.scheduling_page import BookingBlocked, BookingForm, PageOffline, SlotTaken, surroundings
from meetings.domain.timespan import TimeSpan

_TRIES = 3


@dataclass(frozen=True, slots=True)
class BookMeeting:
    """The wish for a slot. `scope` names the caller, so that a key of theirs is nobody else's."""

    page: PagePointer
    start: datetime
    form: BookingForm
    idempotency_key: str
    scope: str
    hold_token: str | None = None

    def command(self) -> CommandKey:
        given = {"page": self.page.page_id, "start": self.start.timestamp(), "form": asdict(self.form)}
        return CommandKey.of("bookMeeting", self.scope, self.idempotency_key, given)


async def book_meeting(
    wish: BookMeeting, *, begin: Begin, look: Begin, calendars_of: CalendarsOf, clock: Clock, policy: Policy
) -> BookingId:
    """Reserve the slot: PENDING, with the calendar write as its intent. The same command again gives the same booking.

    Raises:
        NotFound: no such page.
        InvalidInput: the form, everything at once.
        IdempotencyConflict: the key was used for another wish.
        PageOffline: there is no calendar behind the page; meetings can be requested.
        BookingBlocked: nobody can book this page; its hosts are told if a calendar of theirs is lost.
        SlotTaken, SlotUnavailable: with alternatives.
        CalendarUnverified: a calendar could not be read just now.
        LinkSpent: the link it comes by has ended, or was for one meeting.
        LockTimeout, ConcurrentChange: too many are booking the same host; worth another try.
    """
    command = wish.command()
    async with look(wish.page.account_id) as work:
        earlier = await earlier_result(work, command)
        if earlier:
            return BookingId(earlier)
        state = await load_page(work, wish.page.page_id)
    check_form(state, wish.form, policy)
    slot = slot_span(wish.start, state.page.offered_duration(wish.form.duration_minutes))
    live = await ask_calendars(
        state, slot, begin=begin, look=look, calendars_of=calendars_of, clock=clock, policy=policy
    )
    for attempt in range(1, _TRIES + 1):
        try:
            return await _reserve(wish, command, state, live, begin=begin, clock=clock, policy=policy)
        except KeptMeanwhile:
            return BookingId(await result_of_rival(wish.page.account_id, command, look))
        except SlotTaken as taken:
            if taken.alternatives or attempt == _TRIES:
                raise
    raise ConcurrentChange


async def _reserve(
    wish: BookMeeting,
    command: CommandKey,
    seen: PageState,
    live: dict[UserId, list[EventTime]],
    *,
    begin: Begin,
    clock: Clock,
    policy: Policy,
) -> BookingId:
    """Decide under the hosts' locks, on what the database says now and the calendars said a moment ago."""
    hold = token_hash(wish.hold_token) if wish.hold_token else None
    async with begin(wish.page.account_id) as work:
        state = await same_or_newer(work, seen)
        await work.host_times.lock(state.host_ids)
        earlier = await earlier_result(work, command)  # a rival with the same key may have been first
        if earlier:
            return BookingId(earlier)
        now = clock()
        require_online(state)
        duration = state.page.offered_duration(wish.form.duration_minutes)
        slot = slot_span(wish.start, duration)
        times, meetings = await times_of_hosts(
            work, state, surroundings(slot, now=now), now=now, policy=policy, live=live, excluding_hold=hold
        )
        calendar = state.connections[state.page.hosts[0].user_id].default_calendar
        assert calendar, "an online page has a default calendar"
        booking = state.page.reserve(
            BookingId(uuid4()),
            wish.start,
            wish.form,
            hosts=times,
            meetings=meetings,
            host_name=state.users[state.page.hosts[0].user_id].name,
            calendar_id=calendar.id,
            now=now,
        )
        if hold:
            await work.host_times.release_hold(hold)
        if wish.page.link_id:
            await work.links.use(wish.page.link_id, booking.id, now=now)
        work.bookings.add(booking)
        await keep_result(work, command, booking.id)
        await work.commit()
    return booking.id


def check_form(state: PageState, form: BookingForm, policy: Policy) -> None:
    """Raise `InvalidInput` with everything wrong in what a visitor typed."""
    refuse(
        *state.page.form_problems(form),
        address_problem(form.email, "invitee", "email", refuse_reserved=policy.refuse_reserved_addresses),
        *addresses_problems(form.guests, "guests"),
    )


def require_online(state: PageState) -> None:
    """Raise `PageOffline` or `BookingBlocked` unless the page can be booked now."""
    if state.mode is BookingMode.OFFLINE:
        raise PageOffline
    if state.mode is BookingMode.BLOCKED:
        raise BookingBlocked


async def ask_calendars(
    state: PageState,
    slot: TimeSpan,
    *,
    begin: Begin,
    look: Begin,
    calendars_of: CalendarsOf,
    clock: Clock,
    policy: Policy,
) -> dict[UserId, list[EventTime]]:
    """What the hosts' calendars say about the slot and its surroundings, once the page is known to be online.

    A lost calendar is asked too: it may be readable again (S62).

    Raises:
        PageOffline, BookingBlocked: also when that turns out only now; a blocked attempt is noted.
        CalendarUnverified: a calendar could not be read just now.
    """
    if state.mode is BookingMode.OFFLINE:
        raise PageOffline
    around = _with_buffers(slot, state)
    live, news = await read_live(state, around, begin=begin, calendars_of=calendars_of, clock=clock)
    now_state = state
    if news:
        async with look(state.page.account_id) as work:
            now_state = await load_page(work, state.page.id)
    try:
        require_online(now_state)
    except BookingBlocked:
        await note_blocked_attempt(now_state, slot.start, begin=begin, policy=policy, now=clock())
        raise
    return live


def _with_buffers(slot: TimeSpan, state: PageState) -> TimeSpan:
    settings = state.page.settings
    before = timedelta(minutes=settings.buffer_before_minutes)
    after = timedelta(minutes=settings.buffer_after_minutes)
    return TimeSpan(slot.start - before, slot.end + after)
