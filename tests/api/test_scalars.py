"""Scalars: strict on the way in, one form on the way out."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import available_timezones

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from meetings.domain.period import Period
from meetings.graphql.scalars import (
    parse_clock,
    parse_day,
    parse_duration,
    parse_instant,
    parse_locale,
    parse_url,
    parse_zone,
    print_clock,
    print_duration,
    print_instant,
    print_zone,
)
from meetings.graphql.time_zones import canonical_zone


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-03T10:00:00+01:00", "2026-11-03T09:00:00Z"),
        ("2026-11-03T10:00:00.5Z", "2026-11-03T10:00:00.500Z"),
        ("2026-11-03T10:00Z", "2026-11-03T10:00:00Z"),
        ("2026-11-03t10:00:00z", "2026-11-03T10:00:00Z"),
        ("2026-11-03T10:00:00-09:30", "2026-11-03T19:30:00Z"),
    ],
)
def test_an_instant_takes_any_offset_and_comes_back_in_utc(text: str, instant: str) -> None:
    assert print_instant(parse_instant(text)) == instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-03T10:00:00", "2026-11-03", "2026-11-03 10:00:00Z", "2026-02-30T10:00:00Z", "2026-11-03T25:00:00Z",
        "2026-W45-2T10:00:00Z", "20261103T100000Z", "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-11-03T10:00:00+25:00", "", 1762160400, None,
        "２０２６-11-03T10:00:00Z",
    ],
)  # fmt: skip
def test_what_is_no_instant_with_an_offset_is_refused(text: Any) -> None:
    _refused("VALIDATION", parse_instant, text)


def test_an_instant_of_another_zone_is_printed_in_utc() -> None:
    ahead = datetime(2026, 11, 3, 10, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert print_instant(ahead) == "2026-11-03T04:15:00Z"


@given(st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC)))
def test_an_instant_survives_the_way_out_and_in_to_the_millisecond(instant: datetime) -> None:
    assert abs(parse_instant(print_instant(instant)) - instant) < timedelta(milliseconds=1)


@pytest.mark.parametrize("text", ["2026-11-3", "2026-02-29", "20261103", "1969-12-31", "2200-01-01", 20261103, None])
def test_what_is_no_day_is_refused(text: Any) -> None:
    _refused("VALIDATION", parse_day, text)


def test_a_day_is_read_as_it_is_written() -> None:
    assert parse_day("2028-02-29") == date(2028, 2, 29)


# ---- zones --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("US/Pacific", "America/Los_Angeles"),
        ("Europe/Copenhagen", "Europe/Copenhagen"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("Zulu", "UTC"),
        ("GMT", "Etc/GMT"),
        ("Etc/GMT+5", "Etc/GMT+5"),
    ],
)
def test_an_old_name_of_a_zone_is_taken_and_the_canonical_one_given(given: str, canonical: str) -> None:
    assert parse_zone(given) == canonical
    assert print_zone(given) == canonical


@pytest.mark.parametrize("text", ["Mars/X", "", "europe/berlin", "../etc/passwd", "Europe", "+01:00", None, 1, "posix"])
def test_an_unknown_zone_is_refused_with_a_reason_of_its_own(text: Any) -> None:
    _refused("TIMEZONE_INVALID", parse_zone, text)


def test_every_zone_of_the_database_is_taken_and_its_canonical_name_is_a_fixed_point() -> None:
    for zone in available_timezones() - {"localtime", "Factory", "leapseconds", "posixrules"}:
        canonical = canonical_zone(zone)
        assert canonical is not None, zone
        assert canonical_zone(canonical) == canonical, zone
        offsets = {_offset(zone, month) == _offset(canonical, month) for month in (1, 7)}
        assert offsets == {True}, zone


def _offset(zone: str, month: int) -> timedelta | None:
    from zoneinfo import ZoneInfo

    return datetime(2026, month, 15, 12, tzinfo=ZoneInfo(zone)).utcoffset()


# ---- times of day and durations -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["00:00", "09:30", "23:59", "24:00"])
def test_a_time_of_day_comes_back_as_it_was(text: str) -> None:
    assert print_clock(parse_clock(text)) == text


@pytest.mark.parametrize("text", ["24:01", "9:30", "09:60", "09:30:00", "", None, 570])
def test_what_is_no_time_of_day_is_refused(text: Any) -> None:
    _refused("VALIDATION", parse_clock, text)


@pytest.mark.parametrize(
    ("text", "period", "printed"),
    [
        ("P1D", Period(days=1), "P1D"),
        ("PT24H", Period(minutes=1440), "PT24H"),
        ("P2W", Period(days=14), "P14D"),
        ("P1DT12H30M", Period(days=1, minutes=750), "P1DT12H30M"),
        ("PT90M", Period(minutes=90), "PT1H30M"),
        ("PT0M", Period(), "PT0M"),
    ],
)
def test_a_calendar_day_is_not_24_hours(text: str, period: Period, printed: str) -> None:
    assert parse_duration(text) == period
    assert print_duration(period) == printed


@given(st.integers(0, 999_999), st.integers(0, 999_999))
def test_a_duration_survives_the_way_out_and_in(days: int, minutes: int) -> None:
    assert parse_duration(print_duration(Period(days, minutes))) == Period(days, minutes)


def test_a_waiting_time_has_seconds() -> None:
    assert print_duration(timedelta(seconds=75)) == "PT1M15S"


@pytest.mark.parametrize("text", ["P", "PT", "P1M", "P1Y", "PT5S", "-P1D", "P-1D", "1D", "P1DT", "P1.5D", "", None, 5])
def test_what_is_no_duration_of_days_hours_and_minutes_is_refused(text: Any) -> None:
    _refused("VALIDATION", parse_duration, text)


@pytest.mark.parametrize("text", ["javascript:alert(1)", "//x.example", "ftp://x.example", "https://a:b@x.example", ""])
def test_what_is_no_web_address_is_refused(text: str) -> None:
    _refused("VALIDATION", parse_url, text)


@pytest.mark.parametrize("text", ["de_DE", "german", "d", "", None])
def test_what_is_no_language_tag_is_refused(text: Any) -> None:
    _refused("VALIDATION", parse_locale, text)


def _refused(reason: str, parse: Any, text: Any) -> None:
    with pytest.raises(GraphQLError) as refused:
        parse(text)
    assert refused.value.extensions == {"code": "BAD_USER_INPUT", "reason": reason}
