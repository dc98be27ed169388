"""Datetimes at the edge of the engine, and spans of them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.domain.timespan import TimeSpan, at_minute, ceil_minute, floor_minute
from tests.builders import START

HALF_HOUR = timedelta(minutes=30)


def span(start: int, end: int) -> TimeSpan:
    return TimeSpan(at_minute(start), at_minute(end))


def test_minutes_count_from_1970_in_utc_whatever_the_offset() -> None:
    assert floor_minute(datetime(1970, 1, 2, 1, 0, tzinfo=timezone(timedelta(hours=1)))) == 1440
    assert at_minute(1440) == datetime(1970, 1, 2, tzinfo=UTC)


def test_a_start_is_rounded_down_and_an_end_up() -> None:
    odd = datetime(2026, 6, 1, 9, 0, 0, 1, tzinfo=UTC)
    assert ceil_minute(odd) == floor_minute(odd) + 1
    assert ceil_minute(odd.replace(microsecond=0)) == floor_minute(odd)
    assert floor_minute(datetime(1969, 12, 31, 23, 59, 30, tzinfo=UTC)) == -1


def test_a_datetime_without_an_offset_is_refused() -> None:
    for rounded in (floor_minute, ceil_minute):
        with pytest.raises(ValueError, match="offset"):
            rounded(datetime(2026, 6, 1, 9, 0))


@settings(max_examples=25)
@given(st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))
def test_a_whole_minute_comes_back_and_any_other_instant_lies_between_its_two(instant: datetime) -> None:
    low, high = floor_minute(instant), ceil_minute(instant)
    assert at_minute(low) <= instant <= at_minute(high)
    assert high - low == (at_minute(low) != instant)
    assert (floor_minute(at_minute(low)), ceil_minute(at_minute(low))) == (low, low)


def test_a_span_is_kept_in_utc() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    kept = TimeSpan(START.astimezone(berlin), (START + HALF_HOUR).astimezone(berlin))
    assert kept == TimeSpan(START, START + HALF_HOUR)
    assert (kept.start.tzinfo, kept.end.tzinfo) == (UTC, UTC)
    assert kept.duration == HALF_HOUR


def test_a_span_across_a_change_of_the_clock_lasts_as_long_as_it_lasts() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = TimeSpan(datetime(2026, 3, 28, 22, tzinfo=berlin), datetime(2026, 3, 29, 6, tzinfo=berlin))
    assert night.duration == timedelta(hours=7)


def test_a_span_needs_offsets_and_cannot_end_before_it_starts() -> None:
    for start, end in (
        (START.replace(tzinfo=None), START),
        (START, START.replace(tzinfo=None)),
        (START, START - HALF_HOUR),
    ):
        with pytest.raises(ValueError, match="a span"):
            TimeSpan(start, end)
    assert TimeSpan(START, START).duration == timedelta(0)


def test_spans_overlap_when_they_share_an_instant_and_not_when_they_touch() -> None:
    assert span(0, 30).overlaps(span(29, 60))
    assert span(29, 60).overlaps(span(0, 30))
    assert span(0, 60).overlaps(span(10, 20))
    assert not span(0, 30).overlaps(span(30, 60))
    assert not span(30, 60).overlaps(span(0, 30))


def test_in_minutes_a_span_covers_every_minute_it_touches() -> None:
    second = timedelta(seconds=1)
    assert span(10, 20).minutes() == (10, 20)
    assert TimeSpan(at_minute(10) + second, at_minute(20) - second).minutes() == (10, 20)
    assert TimeSpan(at_minute(10) - second, at_minute(20) + second).minutes() == (9, 21)
