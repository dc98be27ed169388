"""Keeping our copy of one calendar's busy time in step with it (SY-1 to SY-6)."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from meetings.application.grants import lose_grant
from meetings.application.log_calendar_events import ask_for_events, primary_of
from meetings.application.policy import Policy
from meetings.application.ports.calendars import (
    Calendars,
    CalendarsOf,
    CalendarUnreadable,
    Changes,
    CursorExpired,
    EventTime,
    ProviderError,
    ReauthorizationNeeded,
    RemovedEvent,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.fan_out import connections_topic, host_topic
from meetings.application.ports.sync_schedule import SyncClaim, SyncSchedule
from meetings.application.ports.unit_of_work import Begin, MirrorState, UnitOfWork
from meetings.application.reactions import settle_again
from meetings.application.read_in_turn import LEASE_SECONDS, after_failure, next_poll, read_in_turn
from meetings.domain.base import NotFound
from meetings.domain.booking import Booking, BookingClosed, BookingState, BookingStateInvalid, CancelledBy
from meetings.domain.calendar_connection import ConnectedCalendar
from meetings.domain.identifiers import BookingId, CalendarId, UserId
from meetings.domain.scheduling_page import SlotTaken
from meetings.domain.timespan import TimeSpan, at_minute

log = logging.getLogger(__name__)


async def sync_calendar(
    calendar_id: CalendarId,
    *,
    begin: Begin,
    look: Begin,
    calendars_of: CalendarsOf,
    schedule: SyncSchedule,
    clock: Clock,
    policy: Policy,
) -> bool:
    """Read what changed in one calendar, if it is due and nobody else is reading it. Gives whether it is due again.

    Whatever happens, the calendar is given back with a time for the next read; a failed read leaves the copy that is
    in force as it is, until it is too old to be trusted.
    """

    async def read(claim: SyncClaim, started: datetime) -> datetime:
        await _read(claim, started, begin=begin, look=look, calendars_of=calendars_of, clock=clock, policy=policy)
        return await _next_poll(claim, schedule, clock, policy)

    failed = partial(_failed, begin=begin, clock=clock, policy=policy)
    return await read_in_turn(
        calendar_id, turns=schedule, read=read, failed=failed, clock=clock, poll=policy.poll_without_push
    )


async def _read(
    claim: SyncClaim,
    started: datetime,
    *,
    begin: Begin,
    look: Begin,
    calendars_of: CalendarsOf,
    clock: Clock,
    policy: Policy,
) -> None:
    async with look(claim.account_id) as work:
        connection = await work.connections.get(claim.connection_id)
        state = await work.mirror.state(claim.calendar_id)
    calendar = next((c for c in connection.calendars if c.id == claim.calendar_id), None)
    if not connection.usable or calendar is None or not calendar.selected:
        return
    reader = _Reader(claim, connection.user_id, calendar, calendars_of(connection), started, begin, clock, policy)
    if _can_go_on(state, started, policy):
        try:
            await reader.read_changes(state)
            return
        except CursorExpired:
            log.info("cursor expired, reading the whole calendar", extra={"calendar": str(calendar.id)})
    await reader.read_all()


def _can_go_on(state: MirrorState, now: datetime, policy: Policy) -> bool:
    """Whether there is a cursor, and the copy still reaches far enough ahead."""
    least = timedelta(days=policy.mirror_days_least)
    return state.cursor is not None and state.window is not None and state.window.end - now >= least


class _Reader:
    """One read of one calendar."""

    def __init__(
        self,
        claim: SyncClaim,
        host: UserId,
        calendar: ConnectedCalendar,
        calendars: Calendars,
        started: datetime,
        begin: Begin,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._claim = claim
        self._host = host
        self._calendar = calendar
        self._calendars = calendars
        self._started = started
        self._begin = begin
        self._clock = clock
        self._policy = policy

    async def read_changes(self, state: MirrorState) -> None:
        """Take the changes since the cursor into the copy in force, page by page."""
        assert state.window, "a cursor comes with the window it was made for"
        changed = False
        cursor = state.cursor
        heard: set[str] = set()
        async for page in self._calendars.changes(self._calendar.external_id, state.cursor, state.window):
            cursor = page.cursor or cursor
            heard.update(event.event_id for event in page.changed)
            heard.update(event.event_id for event in page.removed)
            if not page.changed and not page.removed:
                continue
            within, beyond = _by_window(page.changed, state.window)
            gone = [*page.removed, *(RemovedEvent(event.event_id) for event in beyond)]
            async with self._begin(self._claim.account_id) as work:
                await self._hold(work)
                changed |= await work.mirror.apply(self._calendar.id, within, gone)
                await work.commit()
            await self._follow_own_bookings(page)
        await self._finish(cursor, changed, news=bool(heard), heard=heard, since=state.confirmed_at)

    async def read_all(self) -> None:
        """Read every event into a shadow copy, then put it in force; until then the old copy stays (SY-6)."""
        policy = self._policy
        window = TimeSpan(
            self._started - timedelta(days=policy.mirror_days_back),
            self._started + timedelta(days=policy.mirror_days_ahead),
        )
        async with self._begin(self._claim.account_id) as work:
            await self._hold(work)
            copy = await work.mirror.begin_copy(self._calendar.id)
            await work.commit()
        cursor = None
        seen: set[str] = set()
        async for page in self._calendars.changes(self._calendar.external_id, None, window):
            cursor = page.cursor or cursor
            seen.update(event.event_id for event in page.changed if event.booking_key)
            within, _ = _by_window(page.changed, window)
            async with self._begin(self._claim.account_id) as work:
                await self._hold(work)
                await work.mirror.fill_copy(self._calendar.id, copy, within)
                await work.commit()
            await self._follow_own_bookings(page)
        async with self._begin(self._claim.account_id) as work:
            await self._hold(work)
            changed = await work.mirror.swap_copy(self._calendar.id, copy, window)
            await self._look_after_missing(work, seen, window)
            await work.commit()
        await self._finish(cursor, changed, news=True)

    async def _look_after_missing(self, work: UnitOfWork, seen: Collection[str], window: TimeSpan) -> None:
        """A whole read tells what is there, not what is gone: events of ours that it lacks are looked at one by one."""
        ahead = TimeSpan(self._started, window.end)
        standing = await work.bookings.standing_events(self._calendar.id, ahead, settled_before=self._started)
        for booking_id, event_id in standing:
            if event_id not in seen:
                work.intend(settle_again(booking_id))

    async def _look_after_unheard(self, work: UnitOfWork, heard: Collection[str], since: datetime) -> None:
        """Some feeds say nothing of an event that came and went between two reads. Ours that were written since the
        last one come back as changes; one that does not is looked at."""
        ahead = TimeSpan(self._started, self._started + timedelta(days=self._policy.mirror_days_ahead))
        standing = await work.bookings.standing_events(
            self._calendar.id, ahead, settled_before=self._started, confirmed_since=since
        )
        for booking_id, event_id in standing:
            if event_id not in heard:
                work.intend(settle_again(booking_id))

    async def _finish(
        self,
        cursor: str | None,
        changed: bool,
        *,
        news: bool,
        heard: Collection[str] = (),
        since: datetime | None = None,
    ) -> None:
        """The copy stands. What people plan goes on records by itself, so that busy time waits for nothing there."""
        async with self._begin(self._claim.account_id) as work:
            await self._hold(work)
            if since is not None:
                await self._look_after_unheard(work, heard, since)
            connection = await work.connections.get(self._claim.connection_id)
            connection.mark_readable(self._calendar.id, now=self._clock())
            await work.mirror.confirm(self._calendar.id, cursor=cursor, at=self._started)
            if self._may_be_news(news, primary_of(connection)):
                await ask_for_events(work, connection)
            if changed:
                work.poke(host_topic(self._host))
            work.poke(connections_topic(self._host))
            await work.commit()

    def _may_be_news(self, news: bool, primary: ConnectedCalendar | None) -> bool:
        """Whether the primary calendar may have changed: this is it, or nobody reads it, for it blocks no time."""
        if primary is None:
            return False
        return news if primary.id == self._calendar.id else not primary.selected

    async def _hold(self, work: UnitOfWork) -> None:
        """Nothing is written down by a reader that another one has followed."""
        await work.mirror.keep_reading(self._claim, lease_seconds=LEASE_SECONDS)

    async def _follow_own_bookings(self, page: Changes) -> None:
        """What a host did to our events in their own calendar happens to the bookings.

        What is left of a removed event may not say whose it was, so it is looked up by its id.
        """
        echoes: list[EventTime | RemovedEvent] = [event for event in page.changed if event.booking_key]
        for echo in [*echoes, *page.removed]:
            await self._follow(echo)

    async def _follow(self, echo: EventTime | RemovedEvent) -> None:
        async with self._begin(self._claim.account_id) as work:
            booking = await _booking_of(work, echo)
            if booking is None:
                return
            if self._is_left_over(booking, echo):
                await self._hold(work)
                work.intend(settle_again(booking.id))
                await work.commit()
                return
            if not self._is_theirs(booking, echo):
                return
            try:
                self._draw_level(booking, echo)
                await self._hold(work)
                await work.commit()
            except (BookingStateInvalid, BookingClosed):
                return
            except SlotTaken:
                log.warning("a host moved a meeting onto another one", extra={"booking": str(booking.id)})

    def _is_left_over(self, booking: Booking, echo: EventTime | RemovedEvent) -> bool:
        """Whether an event stands for a booking that takes no time any more: a write that was carried out late."""
        return isinstance(echo, EventTime) and not booking.occupies and booking.calendar_id == self._calendar.id

    def _is_theirs(self, booking: Booking, echo: EventTime | RemovedEvent) -> bool:
        """Whether the echo is of the event the booking stands for, and read after we last wrote it."""
        return (
            booking.state is BookingState.CONFIRMED
            and booking.event is not None
            and booking.event.event_id == echo.event_id
            and booking.settled_at is not None
            and self._started > booking.settled_at
        )

    def _draw_level(self, booking: Booking, echo: EventTime | RemovedEvent) -> None:
        now = self._clock()
        if isinstance(echo, RemovedEvent):
            booking.cancel(CancelledBy.HOST, None, now=now)
        else:
            booking.follow(TimeSpan(at_minute(echo.start), at_minute(echo.end)), now=now)


def _by_window(events: Sequence[EventTime], window: TimeSpan) -> tuple[list[EventTime], list[EventTime]]:
    """The events that touch the window, and those that do not: a change feed may tell of both."""
    start, end = window.minutes()
    within = [event for event in events if event.start < end and event.end > start]
    return within, [event for event in events if event.start >= end or event.end <= start]


async def _booking_of(work: UnitOfWork, echo: EventTime | RemovedEvent) -> Booking | None:
    """The booking an event stands for, in this account."""
    booking = await work.bookings.by_event(echo.event_id)
    if booking is not None or echo.booking_key is None:
        return booking
    try:
        return await work.bookings.get(BookingId(UUID(echo.booking_key)))
    except (ValueError, NotFound):
        return None


async def _next_poll(claim: SyncClaim, schedule: SyncSchedule, clock: Clock, policy: Policy) -> datetime:
    """Polling goes on behind push, only less often (SY-1)."""
    now = clock()
    pushed = any(stored.channel.expires_at > now for stored in await schedule.channels_of(claim.calendar_id))
    interval = policy.poll_with_push if pushed else policy.poll_without_push
    return next_poll(interval, now=now)


async def _failed(
    claim: SyncClaim, error: ProviderError, started: datetime, *, begin: Begin, clock: Clock, policy: Policy
) -> datetime:
    """Write down what a failed read means, and say when to try again. A host who signed in again since is believed."""
    now = clock()
    async with begin(claim.account_id) as work:
        await work.mirror.keep_reading(claim, lease_seconds=LEASE_SECONDS)
        connection = await work.connections.get(claim.connection_id)
        failures = await work.mirror.note_failure(claim.calendar_id)
        if isinstance(error, ReauthorizationNeeded):
            if connection.connected_at <= started:
                await lose_grant(connection, work, clock=clock)
        elif isinstance(error, CalendarUnreadable) and any(c.id == claim.calendar_id for c in connection.calendars):
            connection.mark_lost(claim.calendar_id, now=now)
        work.poke(connections_topic(connection.user_id))
        await work.commit()
    log.info("a calendar could not be read", extra={"calendar": str(claim.calendar_id), "error": type(error).__name__})
    if isinstance(error, CalendarUnreadable | ReauthorizationNeeded):
        return now + policy.poll_without_push
    return after_failure(error, failures, now=now, poll=policy.poll_without_push)
