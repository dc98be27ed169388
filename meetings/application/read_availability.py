"""The times a page offers in a window, grouped by the visitor's days. No provider is called."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cached_property, lru_cache

from meetings.application.availability_cursor import Digest
from meetings.application.page_memory import KnownPage, PageMemory
from meetings.application.page_state import PageState, as_span, load_page, mirrored_times, times_of_hosts
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import Begin, MirroredTime
from meetings.domain.availability import HostTime
from meetings.domain.availability.zones import instants_of_day
from meetings.domain.base import Problem, refuse
from meetings.domain.booking_mode import BookingMode
from meetings.domain.identifiers import BookingId, UserId
from meetings.domain.scheduling_page import check_window_request
from meetings.domain.text import time_zone_problem
from meetings.domain.timespan import TimeSpan, at_minute, ceil_minute, floor_minute

_FRESH = timedelta(seconds=60)


class Freshness(Enum):
    """LIVE: nothing older than a minute went in. PARTIAL: a host's calendar could not be read, its time is left out."""

    LIVE = "LIVE"
    CACHED = "CACHED"
    PARTIAL = "PARTIAL"


@dataclass(frozen=True)
class AvailabilityQuestion:
    """A window of whole days, `first` to `last` both included, in the visitor's zone.

    `duration_minutes` None means the page's default. `moving` is a booking whose own time counts as free.
    """

    page: PagePointer
    first: date
    last: date
    time_zone: str
    duration_minutes: int | None = None
    moving: BookingId | None = None

    def span(self) -> TimeSpan:
        """The instants of the window: from the first one of `first` to the last one of `last` in the zone."""
        start, _ = _day_span(self.time_zone, self.first)
        _, end = _day_span(self.time_zone, self.last)
        return TimeSpan(at_minute(start), at_minute(max(start, end)))


@dataclass(frozen=True)
class Availability:
    """What a page offers in a window. `starts` are minutes since the epoch, sorted.

    `known` is what it was worked out from, when that came from memory.
    """

    question: AvailabilityQuestion
    state: PageState
    duration_minutes: int
    mode: BookingMode
    freshness: Freshness
    computed_at: datetime
    starts: Sequence[int]
    known: KnownPage | None = field(default=None, repr=False, compare=False)

    @cached_property
    def days(self) -> dict[date, list[int]]:
        """The starts by the visitor's day, days without any left out, in order."""
        if not self.starts:
            return {}
        grouped: dict[date, list[int]] = {}
        position = 0
        day = self.question.first
        while day <= self.question.last and position < len(self.starts):
            _, day_end = _day_span(self.question.time_zone, day)
            after = bisect_left(self.starts, day_end, position)
            if after > position:
                grouped[day] = list(self.starts[position:after])
            position = after
            day += timedelta(days=1)
        return grouped

    @cached_property
    def digest(self) -> Digest:
        """What a cursor keeps of this answer."""
        question = self.question
        about = (question.page.page_id, question.first, question.last, question.time_zone, self.duration_minutes)
        return Digest.of(about, question.first, self.mode.value, self.days)

    @cached_property
    def true_until(self) -> datetime:
        """When the clock alone may make this another answer: notice and window move by the minute, and what was
        confirmed less than a minute ago grows old."""
        copies = self.known.mirrored.values() if self.known else ()
        turning_old = [copy.confirmed_at + _FRESH for copy in copies if copy.confirmed_at]
        coming = [at for at in turning_old if at >= self.computed_at]
        return min([at_minute(ceil_minute(self.computed_at)), *coming])

    def slot(self, start: int) -> TimeSpan:
        return as_span(start, self.duration_minutes)


async def read_availability(
    question: AvailabilityQuestion, *, look: Begin, clock: Clock, policy: Policy, memory: PageMemory | None = None
) -> Availability:
    """The open starts of a window. With a `memory` what it knows is used; the answer is the same.

    Raises:
        NotFound: the page is gone.
        InvalidInput: the zone, the window (at most 62 days), or a duration the page does not offer.
    """
    refuse(_zone_problem(question.time_zone))
    check_window_request(question.first, question.last, most_days=policy.window_days)
    now = clock()
    if memory is not None and question.moving is None:
        return await _remembered(question, memory, now)
    async with look(question.page.account_id) as work:
        state = await load_page(work, question.page.page_id)
        duration = state.page.offered_duration(question.duration_minutes)
        span = question.span()
        mirrored = await mirrored_times(work, state, span, now=now, policy=policy)
        times, meetings = await times_of_hosts(
            work, state, span, now=now, policy=policy, mirrored=mirrored, excluding=question.moving
        )
        starts = _open_starts(state, span, duration, times, meetings, now)
        freshness = _freshness(state, times, mirrored, span, now)
    return Availability(question, state, duration, state.mode, freshness, now, starts)


async def _remembered(question: AvailabilityQuestion, memory: PageMemory, now: datetime) -> Availability:
    span = question.span()
    known = await memory.page(question.page, span.end)
    state = known.state
    duration = state.page.offered_duration(question.duration_minutes)
    starts = [] if state.mode is BookingMode.BLOCKED else known.starts(span, duration, now=now)
    times = [host.time for host in known.hosts]
    freshness = _freshness(state, times, known.mirrored, span, now)
    return Availability(question, state, duration, state.mode, freshness, now, starts, known)


async def next_available(
    found: Availability, *, look: Begin, clock: Clock, policy: Policy, memory: PageMemory | None = None
) -> TimeSpan | None:
    """The first open slot at or after the window's first day, even beyond its last."""
    if found.starts:
        return found.slot(found.starts[0])
    now = clock()
    page = found.state.page
    _, last_date = page.booking_dates(now=now)
    window = found.question.span()
    until = at_minute(_day_span(page.time_zone, last_date)[1])
    if until <= window.end:
        return None
    beyond = TimeSpan(max(window.end, now), max(window.end, now, until))
    if memory is not None and found.question.moving is None:
        known = await memory.page(found.question.page, beyond.end)
        blocked = known.state.mode is BookingMode.BLOCKED
        starts: Sequence[int] = [] if blocked else known.starts(beyond, found.duration_minutes, now=now)
        return found.slot(starts[0]) if starts else None
    async with look(found.question.page.account_id) as work:
        state = await load_page(work, page.id)
        times, meetings = await times_of_hosts(
            work, state, beyond, now=now, policy=policy, excluding=found.question.moving
        )
        starts = _open_starts(state, beyond, found.duration_minutes, times, meetings, now)
    return found.slot(starts[0]) if starts else None


def _open_starts(
    state: PageState, span: TimeSpan, duration: int, times: Sequence[HostTime], meetings: Sequence[int], now: datetime
) -> Sequence[int]:
    if state.mode is BookingMode.BLOCKED:
        return []
    return state.page.open_starts(span, duration, hosts=times, meetings=meetings, now=now)


def _freshness(
    state: PageState,
    times: Sequence[HostTime],
    mirrored: Mapping[UserId, MirroredTime],
    span: TimeSpan,
    now: datetime,
) -> Freshness:
    """How far the answer can be trusted; beyond what the copy covers nothing is offered, which is PARTIAL too."""
    if state.mode is BookingMode.OFFLINE:
        return Freshness.LIVE
    _, last_date = state.page.booking_dates(now=now)
    until = min(floor_minute(span.end), _day_span(state.page.time_zone, last_date)[1])
    since = max(floor_minute(span.start), floor_minute(now))
    if since < until and any(time.known_from > since or time.known_until < until for time in times):
        return Freshness.PARTIAL
    old = [copy for copy in mirrored.values() if copy.confirmed_at is None or now - copy.confirmed_at > _FRESH]
    return Freshness.CACHED if old else Freshness.LIVE


@lru_cache(maxsize=1024)  # the library keeps eight zones and reads every other one from its file again
def _zone_problem(zone: str) -> Problem | None:
    return time_zone_problem(zone, "timeZone")


@lru_cache(maxsize=4096)  # each answer asks for every day of its window, several times
def _day_span(zone: str, day: date) -> tuple[int, int]:
    """First and end minute of a local day; a day that a zone skipped is empty and lies where it would have been."""
    pieces = instants_of_day(zone, day)
    if pieces:
        return pieces[0][0], pieces[-1][1]
    return _day_span(zone, day + timedelta(days=1))[0], _day_span(zone, day + timedelta(days=1))[0]
