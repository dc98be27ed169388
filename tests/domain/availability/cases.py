"""Random pages, hosts and questions, mostly around a change of the clock."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

from meetings.domain.availability import BusyKind, BusySpan, DayRange, HostTime, OpeningHours, Pool, SlotRules

ZONES = sorted(available_timezones())
DAY = 1440


@dataclass(frozen=True)
class Case:
    rules: SlotRules
    hosts: list[HostTime]
    pool: Pool
    start: int
    end: int
    earliest: int
    page_meetings: list[int]

    @property
    def page(self) -> tuple[SlotRules, list[HostTime], Pool]:
        return self.rules, self.hosts, self.pool

    @property
    def when(self) -> dict[str, Any]:
        return {"earliest": self.earliest, "page_meetings": self.page_meetings}


# Everything below is drawn relative to the middle of the case, so that the strategies are built once.

near = st.integers(-2 * DAY, 2 * DAY)
nearby_days = st.integers(-3, 3)
spans = st.tuples(st.integers(0, DAY - 1), st.integers(1, DAY)).map(lambda pair: (pair[0], min(sum(pair), DAY)))
openings = st.sampled_from([((0, DAY),), ((0, DAY),), ((540, 1020),), ((0, 150), (1290, DAY)), ()]) | st.lists(
    spans, max_size=3
)


def seldom(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """None, but for one in four."""
    return st.one_of(st.none(), st.none(), st.none(), strategy)


opening_hours = st.fixed_dictionaries(
    {
        "usual": openings,
        "others": st.lists(openings, max_size=2),
        "pattern": st.lists(st.integers(0, 2), min_size=7, max_size=7),
        "overrides": seldom(st.dictionaries(nearby_days, openings, max_size=3)),
    }
)
slot_rules = st.fixed_dictionaries(
    {
        "duration": st.sampled_from([15, 30, 60, DAY]) | st.integers(1, 240),
        "increment": st.sampled_from([15, 30, 45, DAY]) | st.integers(1, 200),
        "buffer_before": st.just(0) | st.integers(0, 90),
        "buffer_after": st.just(0) | st.integers(0, 90),
        "max_per_day": seldom(st.integers(1, 3)),
        "max_per_week": seldom(st.integers(1, 3)),
    }
)
busy_spans = st.tuples(near, st.integers(0, 300), st.sampled_from(["", "x", "y"]), st.sampled_from(BusyKind))
host_times = st.fixed_dictionaries(
    {
        "busy": st.lists(busy_spans, max_size=8),
        "known": seldom(st.tuples(near, near)),
        "working_hours": seldom(st.tuples(st.sampled_from(ZONES), opening_hours)),
        "max_per_day": seldom(st.integers(1, 2)),
        "meetings": st.lists(near, max_size=3),
    }
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone, middle = draw(moments)
    day = datetime.fromtimestamp(middle * 60, ZoneInfo(zone)).date()
    first, last = draw(seldom(nearby_days)), draw(seldom(nearby_days))
    start = middle - draw(st.sampled_from([0, 300, 720, DAY])) + draw(st.integers(-60, 60))
    earliest = draw(seldom(near))
    size = draw(st.sampled_from([0, 1, 1, 1, 2, 2, 2, 3, 3, 3]))
    hosts = draw(st.lists(host_times, min_size=size, max_size=size))
    return Case(
        rules=SlotRules(
            hours=_opening_hours(zone, day, draw(opening_hours)),
            first_date=None if first is None else day + timedelta(days=first),
            last_date=None if last is None else day + timedelta(days=last),
            **draw(slot_rules),
        ),
        hosts=[_host(name, middle, day, host) for name, host in zip("ABC", hosts, strict=False)],
        pool=draw(st.sampled_from(Pool)),
        start=start,
        end=start + draw(st.sampled_from([1, 500, DAY, DAY, 2 * DAY])),
        earliest=0 if earliest is None else middle + earliest,
        page_meetings=[middle + each for each in draw(st.lists(near, max_size=4))],
    )


def _opening_hours(zone: str, day: date, drawn: dict[str, Any]) -> OpeningHours:
    kinds = [drawn["usual"], *drawn["others"]]
    overrides = {day + timedelta(days=offset): _ranges(spans) for offset, spans in (drawn["overrides"] or {}).items()}
    return OpeningHours(zone, tuple(_ranges(kinds[each % len(kinds)]) for each in drawn["pattern"]), overrides)


def _ranges(pairs: Iterable[tuple[int, int]]) -> tuple[DayRange, ...]:
    return tuple(DayRange(*pair) for pair in pairs)


def _host(name: str, middle: int, day: date, drawn: dict[str, Any]) -> HostTime:
    known = [middle + each for each in drawn["known"] or (-100 * DAY, 100 * DAY)]
    busy = [BusySpan(middle + at, middle + at + length, *label) for at, length, *label in drawn["busy"]]
    working = drawn["working_hours"]
    return HostTime(
        host=name,
        busy=[span[:2] if span.source == "" and span.kind is BusyKind.EVENT else span for span in busy],
        known_from=min(known),
        known_until=max(known),
        working_hours=working and _opening_hours(working[0], day, working[1]),
        max_per_day=drawn["max_per_day"],
        meetings=[middle + each for each in drawn["meetings"]],
    )


@st.composite
def _moments(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and a change of its clock in some year, or any minute of a year without one and now and then."""
    zone, year, which = draw(st.sampled_from(ZONES)), draw(st.integers(1974, 2045)), draw(st.integers(0, 3))
    changes = clock_changes(zone, year)
    if changes and which:
        return zone, changes[which % len(changes)]
    return zone, year_start(year) + draw(st.integers(0, 365 * DAY))


moments = _moments()


def clock_changes(zone: str, year: int) -> list[int]:
    """The first minutes with another offset than the minute before, in `year` (UTC), at most one in three days."""
    clock = ZoneInfo(zone)
    first, last = year_start(year), year_start(year + 1)
    looks = [*range(first, last, 3 * DAY), last]
    offsets = [offset_at(clock, minute) for minute in looks]
    return [
        _change(clock, range(before, after + 1))
        for (before, old), (after, new) in pairwise(zip(looks, offsets, strict=True))
        if old != new
    ]


def _change(clock: ZoneInfo, minutes: range) -> int:
    before = offset_at(clock, minutes[0])
    return minutes[bisect_left(minutes, True, key=lambda minute: offset_at(clock, minute) != before)]


def offset_at(clock: ZoneInfo, minute: int) -> timedelta:
    offset = datetime.fromtimestamp(minute * 60, clock).utcoffset()
    assert offset is not None
    return offset


def year_start(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) // 60
