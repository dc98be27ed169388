"""Datetimes at the edge."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from meetings.domain.availability import instant_of, minute_after, minute_of


def test_minutes_count_from_1970_in_utc_whatever_the_offset() -> None:
    assert minute_of(datetime(1970, 1, 2, 1, 0, tzinfo=timezone(timedelta(hours=1)))) == 1440
    assert instant_of(1440) == datetime(1970, 1, 2, tzinfo=UTC)


def test_a_start_is_rounded_down_and_an_end_up() -> None:
    odd = datetime(2026, 6, 1, 9, 0, 0, 1, tzinfo=UTC)
    assert minute_after(odd) == minute_of(odd) + 1
    assert minute_after(odd.replace(microsecond=0)) == minute_of(odd)
    assert minute_of(datetime(1969, 12, 31, 23, 59, 30, tzinfo=UTC)) == -1


def test_a_datetime_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        minute_of(datetime(2026, 6, 1, 9, 0))
