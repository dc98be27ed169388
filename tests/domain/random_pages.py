"""Random pages with random hosts, around the days on which clocks change."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from meetings.domain.availability import BusyKind, BusySpan, HostTime
from meetings.domain.availability_rules import AvailabilityRules, DateOverride, WallRange, WeeklyHours
from meetings.domain.identifiers import UserId
from meetings.domain.page_settings import START_INCREMENTS, FixedWindow, RollingWindow
from meetings.domain.period import Period
from meetings.domain.scheduling_page import PageHost, PageType, SchedulingPage
from meetings.domain.timespan import TimeSpan, floor_minute
from tests.builders import a_page, time_of, user_id

DAY = 1440
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
DAWNS = [
    datetime(2026, 3, 7, 12, 0),
    datetime(2026, 3, 28, 6, 0),
    datetime(2026, 10, 24, 9, 0),
    datetime(2026, 4, 4, 1, 0),
]
"""Some hours before clocks change in one of the zones."""

HOURS = [(0, 1440), (540, 1020), (540, 720), (780, 1110), (0, 240), (1200, 1440)]


@dataclass(frozen=True)
class Scene:
    """A page, what is known of its hosts, its meetings that count toward caps, and the present."""

    page: SchedulingPage
    duration: int
    hosts: list[HostTime]
    meetings: list[int]
    now: datetime

    @property
    def known(self) -> dict[str, Any]:
        return {"hosts": self.hosts, "meetings": self.meetings, "now": self.now}

    def open_starts(self, span: TimeSpan) -> list[int]:
        return self.page.open_starts(span, self.duration, **self.known)

    def with_all_calendars_read(self) -> "Scene":
        return replace(self, hosts=[replace(host, known_from=-(2**40), known_until=2**40) for host in self.hosts])

    def with_all_hosts_free(self) -> "Scene":
        read = self.with_all_calendars_read()
        return replace(read, hosts=[replace(host, busy=()) for host in read.hosts])

    def without_notice_and_window(self) -> "Scene":
        """The page as it looks to its host: bookable from now on, for ever."""
        open_ended = FixedWindow(date(2000, 1, 1), date(2100, 1, 1))
        settings = replace(self.page.settings, minimum_notice=Period(), window=open_ended)
        page = a_page(settings=settings)
        page.type, page.hosts = self.page.type, self.page.hosts
        return replace(self, page=page)


NOTICES = [Period(), Period(minutes=240), Period(days=1), Period(minutes=7)]

# Strategies are made once: making them anew for each example would take longer than the examples.
moments = st.builds(
    lambda dawn, seconds: dawn.replace(tzinfo=UTC) + timedelta(seconds=seconds),
    st.sampled_from(DAWNS),
    st.sampled_from([0, 1]) | st.integers(0, 2 * DAY * 60),
)
near = st.integers(-60, 4 * DAY)
few = st.lists(near, max_size=4)
busy_spans = st.lists(st.tuples(near, st.sampled_from([1, 30, 60, 600, 2000]), st.sampled_from(BusyKind)), max_size=4)
knowledge = st.sampled_from(["all", "all", "all", "a day", "nothing"])
host_caps = st.sampled_from([None, None, None, 1])
hours = st.lists(st.sampled_from(HOURS[1:]), unique=True, min_size=1, max_size=3) | st.just(HOURS[:1])
windows = st.sampled_from([RollingWindow(60), RollingWindow(1), -1, 0, 3])
fixed_settings: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "durations_minutes": st.sampled_from([(30,), (15, 45), (60,), (25, 90, 240)]),
        "start_increment_minutes": st.sampled_from([None, *START_INCREMENTS]),
        "buffer_before_minutes": st.sampled_from([0, 0, 5, 15, 30, 90]),
        "buffer_after_minutes": st.sampled_from([0, 0, 5, 15, 30, 90]),
        "minimum_notice": st.sampled_from(NOTICES),
        "max_per_day": st.sampled_from([None, None, 1, 2]),
        "max_per_week": st.sampled_from([None, None, 1, 3]),
    }
)
zones = st.sampled_from(ZONES)
closed_days = st.sets(st.integers(0, 3), max_size=1)
types = st.sampled_from(PageType)
host_counts = st.integers(1, 3)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    now = draw(moments)
    minute = floor_minute(now)
    page = _page(draw, now.date())
    hosts = [_host_time(draw, host.user_id, minute) for host in page.hosts]
    duration = page.settings.durations_minutes[draw(near) % len(page.settings.durations_minutes)]
    return Scene(page, duration, hosts, [minute + start for start in draw(few)], now)


def _page(draw: st.DrawFn, today: date) -> SchedulingPage:
    """Pages of all types, also those that cannot be created yet."""
    window = draw(windows)
    if isinstance(window, int):
        window = FixedWindow(today - timedelta(days=2), today + timedelta(days=window))
    page = a_page(availability=_rules(draw, today), window=window, **draw(fixed_settings))
    page.type = draw(types)
    if page.type is not PageType.ONE_ON_ONE:
        page.hosts = tuple(PageHost(user_id()) for _ in range(draw(host_counts)))
    return page


def _rules(draw: st.DrawFn, today: date) -> AvailabilityRules:
    chosen = draw(hours)
    apart = [each for each in chosen if not any(other < each and other[1] > each[0] for other in chosen)]
    weekly = tuple(WeeklyHours(tuple(range(7)), WallRange(*each)) for each in apart)
    overrides = tuple(DateOverride(today + timedelta(days=each), (WallRange(600, 660),)) for each in draw(closed_days))
    return AvailabilityRules(draw(zones), weekly, overrides)


def _host_time(draw: st.DrawFn, host: UserId, minute: int) -> HostTime:
    busy = [
        BusySpan(minute + start, minute + start + length, "source", kind) for start, length, kind in draw(busy_spans)
    ]
    known: dict[str, Any] = {"all": {}, "a day": {"known_until": minute + DAY}, "nothing": {"known_from": 2**40}}
    cap = draw(host_caps)
    meetings = [minute + start for start in draw(few)] if cap else []
    return time_of(host, *busy, max_per_day=cap, meetings=meetings, **known[draw(knowledge)])
