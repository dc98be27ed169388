from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.domain.availability import DayRange, OpeningHours
from meetings.domain.availability_rules import (
    MAX_OVERRIDES,
    MAX_RANGES_PER_DAY,
    AvailabilityRules,
    DateOverride,
    WallRange,
    WeeklyHours,
)
from meetings.domain.base import ProblemCode, Rule
from tests.domain.problems import told

CHRISTMAS = date(2026, 12, 24)


def weekly(*ranges: tuple[int, int], days: Sequence[int] = (0,)) -> AvailabilityRules:
    return AvailabilityRules("UTC", tuple(WeeklyHours(tuple(days), WallRange(*each)) for each in ranges))


def on_christmas(*ranges: tuple[int, int]) -> AvailabilityRules:
    return AvailabilityRules("UTC", (), (DateOverride(CHRISTMAS, tuple(WallRange(*each) for each in ranges)),))


@pytest.mark.parametrize(
    "rules",
    [
        weekly(),
        weekly((540, 1020)),
        weekly((0, 1440)),
        weekly((1439, 1440)),
        weekly((540, 720), (720, 1020)),
        weekly((780, 1020), (540, 720)),
        weekly((540, 1020), days=range(7)),
        AvailabilityRules("UTC", (WeeklyHours((0,), WallRange(0, 9)), WeeklyHours((1,), WallRange(0, 9)))),
        AvailabilityRules("UTC", (WeeklyHours((0, 0), WallRange(0, 9)),)),
        on_christmas(),
        on_christmas((540, 720), (720, 780)),
    ],
)
def test_hours_that_can_be_kept_have_no_problem(rules: AvailabilityRules) -> None:
    assert told(rules.problems("availability")) == []


@pytest.mark.parametrize(
    ("rules", "problems"),
    [
        (weekly((540, 540)), [("availability.weekly.0.to", Rule.END_BEFORE_START)]),
        (weekly((1020, 540)), [("availability.weekly.0.to", Rule.END_BEFORE_START)]),
        (weekly((540, 1441)), [("availability.weekly.0.to", Rule.TOO_LARGE)]),
        (weekly((540, -1)), [("availability.weekly.0.to", Rule.TOO_SMALL)]),
        (weekly((-1, 540)), [("availability.weekly.0.from", Rule.TOO_SMALL)]),
        (
            weekly((1440, 1440)),
            [("availability.weekly.0.from", Rule.TOO_LARGE), ("availability.weekly.0.to", Rule.END_BEFORE_START)],
        ),
        (
            weekly((-5, 2000)),
            [("availability.weekly.0.from", Rule.TOO_SMALL), ("availability.weekly.0.to", Rule.TOO_LARGE)],
        ),
        (weekly((540, 1020), days=()), [("availability.weekly.0.days", Rule.REQUIRED)]),
        (weekly((540, 720), (719, 780)), [("availability.weekly.1", Rule.OVERLAPS)]),
        (weekly((540, 720), (540, 720)), [("availability.weekly.1", Rule.OVERLAPS)]),
        (weekly((540, 720), (800, 900), (0, 1440)), [("availability.weekly.2", Rule.OVERLAPS)]),
        (on_christmas((720, 540)), [("availability.overrides.0.hours.0.to", Rule.END_BEFORE_START)]),
        (on_christmas((540, 720), (600, 601)), [("availability.overrides.0.hours.1", Rule.OVERLAPS)]),
        (
            AvailabilityRules("UTC", (), (DateOverride(CHRISTMAS, ()), DateOverride(CHRISTMAS, ()))),
            [("availability.overrides.1.date", Rule.DUPLICATE)],
        ),
        (
            AvailabilityRules("Mars/X", ()),
            [("availability.timeZone", Rule.NOT_A_TIME_ZONE, ProblemCode.TIMEZONE_INVALID)],
        ),
    ],
)
def test_hours_that_cannot_be_kept_name_the_field_and_the_rule(
    rules: AvailabilityRules, problems: list[object]
) -> None:
    assert told(rules.problems("availability")) == problems


def test_everything_that_is_wrong_is_told_at_once() -> None:
    rules = AvailabilityRules(
        "Mars/X",
        (WeeklyHours((0, 1), WallRange(540, 1020)), WeeklyHours((2, 3), WallRange(1000, 900))),
        (DateOverride(CHRISTMAS, (WallRange(0, 1441),)), DateOverride(CHRISTMAS, ())),
    )
    assert told(rules.problems("availability")) == [
        ("availability.timeZone", Rule.NOT_A_TIME_ZONE, ProblemCode.TIMEZONE_INVALID),
        ("availability.weekly.1.to", Rule.END_BEFORE_START),
        ("availability.overrides.0.hours.0.to", Rule.TOO_LARGE),
        ("availability.overrides.1.date", Rule.DUPLICATE),
    ]


def test_there_is_an_end_to_how_much_can_be_set() -> None:
    minutes = [(minute, minute + 1) for minute in range(MAX_RANGES_PER_DAY + 1)]
    assert told(weekly(*minutes[1:]).problems()) == []
    assert told(weekly(*minutes).problems()) == [("weekly", Rule.TOO_MANY)]
    assert told(on_christmas(*minutes).problems()) == [("overrides.0.hours", Rule.TOO_MANY)]
    days = tuple(DateOverride(CHRISTMAS + timedelta(days=each), ()) for each in range(MAX_OVERRIDES + 1))
    assert told(AvailabilityRules("UTC", (), days[1:]).problems()) == []
    assert told(AvailabilityRules("UTC", (), days).problems()) == [("overrides", Rule.TOO_MANY)]


def test_the_engine_gets_the_same_hours_by_day_and_in_order() -> None:
    rules = AvailabilityRules(
        "Europe/Berlin",
        (WeeklyHours((0, 4), WallRange(780, 1020)), WeeklyHours((0,), WallRange(540, 720))),
        (DateOverride(CHRISTMAS, ()), DateOverride(date(2026, 12, 31), (WallRange(600, 660), WallRange(540, 570)))),
    )
    assert rules.opening_hours() == OpeningHours(
        zone="Europe/Berlin",
        weekly=((DayRange(540, 720), DayRange(780, 1020)), (), (), (), (DayRange(780, 1020),), (), ()),
        overrides={CHRISTMAS: (), date(2026, 12, 31): (DayRange(540, 570), DayRange(600, 660))},
    )


ranges = st.builds(WallRange, st.integers(-30, 1500), st.integers(-30, 1500)) | st.builds(
    WallRange, st.sampled_from([0, 540, 720]), st.sampled_from([720, 1020, 1440])
)


@settings(max_examples=40)
@given(st.lists(st.builds(WeeklyHours, st.lists(st.integers(0, 6), max_size=3).map(tuple), ranges), max_size=4))
def test_hours_have_no_problem_exactly_when_every_day_is_a_row_of_ranges_one_after_the_other(
    entries: list[WeeklyHours],
) -> None:
    def in_a_row(day: int) -> bool:
        spans = sorted((entry.hours.start, entry.hours.end) for entry in entries if day in entry.days)
        apart = all(first[1] <= second[0] for first, second in pairwise(spans))
        return apart and all(0 <= start < end <= 1440 for start, end in spans)

    rules = AvailabilityRules("UTC", tuple(entries))
    assert (told(rules.problems()) == []) == (all(entry.days for entry in entries) and all(map(in_a_row, range(7))))
