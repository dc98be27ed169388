from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.domain.period import Period

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "UTC"]


def test_a_day_lasts_until_the_same_wall_time_tomorrow_even_when_the_clock_changes() -> None:
    saturday = datetime(2026, 3, 28, 9, 0, tzinfo=BERLIN)  # the clock goes forward on the 29th
    assert Period(days=1).after(saturday, "Europe/Berlin") == datetime(2026, 3, 29, 9, 0, tzinfo=BERLIN)
    assert Period(minutes=1440).after(saturday, "Europe/Berlin") == datetime(2026, 3, 29, 10, 0, tzinfo=BERLIN)


def test_a_day_before_is_counted_on_the_wall_clock_too() -> None:
    monday = datetime(2026, 10, 26, 9, 0, tzinfo=BERLIN)  # the clock went back on the 25th
    assert Period(days=1).before(monday, "Europe/Berlin") == datetime(2026, 10, 25, 9, 0, tzinfo=BERLIN)
    assert Period(days=2).before(monday, "Europe/Berlin") == datetime(2026, 10, 24, 9, 0, tzinfo=BERLIN)
    assert Period(days=2, minutes=30).before(monday, "Europe/Berlin") == datetime(2026, 10, 24, 8, 30, tzinfo=BERLIN)


def test_a_day_that_would_end_at_a_time_the_clock_skips_ends_an_hour_later() -> None:
    half_past_two = datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN)
    assert Period(days=1).after(half_past_two, "Europe/Berlin") == datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN)


@pytest.mark.parametrize("minutes", [0, 1, 30, 240])
def test_minutes_are_elapsed_time_in_the_second_of_two_repeated_hours_as_well(minutes: int) -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Berlin for the second time
    assert Period(minutes=minutes).after(second, "Europe/Berlin") == second + timedelta(minutes=minutes)
    assert Period(minutes=minutes).before(second, "Europe/Berlin") == second - timedelta(minutes=minutes)


@settings(max_examples=25)
@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
    st.integers(0, 400),
    st.integers(0, 3000),
)
def test_a_period_is_as_many_wall_days_and_then_as_many_minutes(
    instant: datetime, zone: str, days: int, minutes: int
) -> None:
    after = Period(days, minutes).after(instant, zone)
    assert after.tzinfo is UTC
    assert abs((after - instant) - timedelta(days=days, minutes=minutes)) <= timedelta(
        hours=24 if "Apia" in zone else 2
    )
    assert Period(0, minutes).after(instant, zone) - instant == timedelta(minutes=minutes)
    assert Period(days, minutes).after(instant, zone) - Period(days).after(instant, zone) == timedelta(minutes=minutes)


def test_a_period_with_a_negative_part_is_negative() -> None:
    assert [Period(0, 0).negative, Period(1, 1).negative] == [False, False]
    assert [Period(-1, 2000).negative, Period(1, -1).negative] == [True, True]


def test_a_period_has_a_length_in_minutes_for_limits() -> None:
    assert Period(days=2, minutes=5).longest_minutes == 2885
