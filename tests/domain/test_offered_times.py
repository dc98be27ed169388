"""Which free times a mail offers."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as some

from meetings.domain.offered_times import spread

MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)

days_of_starts = some.dictionaries(
    some.dates(date(2026, 1, 1), date(2026, 12, 31)), some.lists(some.integers(0, 10_000), unique=True), max_size=12
)


def test_each_day_gives_one_time_before_any_gives_two() -> None:
    days = {MONDAY: [1, 2, 3, 4], TUESDAY: [11], WEDNESDAY: [21, 22]}
    assert spread(days, 3) == {MONDAY: [1], TUESDAY: [11], WEDNESDAY: [21]}
    assert spread(days, 4) == {MONDAY: [1, 3], TUESDAY: [11], WEDNESDAY: [21]}


def test_with_more_days_than_times_the_first_days_give() -> None:
    assert spread({WEDNESDAY: [21], MONDAY: [1], TUESDAY: [11]}, 2) == {MONDAY: [1], TUESDAY: [11]}


def test_days_without_times_are_left_out() -> None:
    assert spread({MONDAY: [], TUESDAY: [11]}, 5) == {TUESDAY: [11]}


@given(days_of_starts, some.integers(1, 40))
def test_as_many_times_as_wished_and_there_are_each_free_and_once(days: dict[date, list[int]], count: int) -> None:
    chosen = spread(days, count)
    assert sum(map(len, chosen.values())) == min(count, sum(map(len, days.values())))
    assert list(chosen) == sorted(chosen)
    for day, starts in chosen.items():
        assert starts == sorted(set(starts))
        assert set(starts) <= set(days[day])
    shares = {day: len(chosen.get(day, [])) for day in days}
    for day, share in shares.items():
        assert share >= min(len(days[day]), max(shares.values()) - 1)
