"""When mails of a sequence leave: in the hours their sender works, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.domain.availability.hours import DayRange, OpeningHours
from meetings.domain.business_hours import BusinessHours
from meetings.domain.period import Period
from meetings.domain.user import UserSettings
from tests.builders import weekday_hours

BERLIN = ZoneInfo("Europe/Berlin")
USUAL = BusinessHours.of(UserSettings("Europe/Berlin"))
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
instants = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("2026-11-02T08:59", "2026-11-02T09:00"),
        ("2026-11-02T09:00", "2026-11-02T09:00"),
        ("2026-11-02T11:11:00.000001", "2026-11-02T11:11:00.000001"),
        ("2026-11-02T16:59", "2026-11-02T16:59"),
        ("2026-11-02T16:59:59", "2026-11-02T16:59:59"),
        ("2026-11-02T17:00", "2026-11-03T09:00"),
        ("2026-11-06T17:00", "2026-11-09T09:00"),
        ("2026-11-07T12:00", "2026-11-09T09:00"),
    ],
)
def test_whoever_set_no_hours_works_from_9_to_5_on_weekdays(asked: str, opens: str) -> None:
    assert USUAL.at_or_after(berlin(asked)) == berlin(opens)


def test_hours_that_were_set_count_in_their_own_zone_and_days_in_the_persons() -> None:
    there = UserSettings("Europe/Berlin", working_hours=weekday_hours("America/New_York", start=480, end=600, days=[1]))
    hours = BusinessHours.of(there)
    opens = hours.at_or_after(berlin("2026-11-02T09:00"))
    assert opens == datetime(2026, 11, 3, 8, tzinfo=ZoneInfo("America/New_York"))
    assert hours.zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("sent", "due"),
    [
        ("2026-03-27T09:30", "2026-03-30T09:30"),  # 71 hours: clocks go forward on the 29th
        ("2026-10-23T09:30", "2026-10-26T09:30"),  # 73 hours: they go back on the 25th
    ],
)
def test_days_are_calendar_days_when_the_clocks_change(sent: str, due: str) -> None:
    assert USUAL.after(Period(days=3), berlin(sent)) == berlin(due)


def test_minutes_are_minutes_when_the_clocks_change() -> None:
    around_the_clock = BusinessHours(
        "Europe/Berlin", OpeningHours("Europe/Berlin", tuple((DayRange(0, 1440),) for _ in range(7)))
    )
    before = berlin("2026-03-29T01:30")
    due = around_the_clock.after(Period(minutes=60), before)
    assert due == before.astimezone(UTC) + timedelta(hours=1)
    assert due.astimezone(BERLIN).hour == 3


def test_hours_that_never_open_hold_nothing_back() -> None:
    closed = BusinessHours("UTC", OpeningHours("UTC", ((),) * 7))
    asked = datetime(2026, 11, 2, 8, 0, 30, tzinfo=UTC)
    assert closed.at_or_after(asked) == asked


@given(instant=instants, zone=st.sampled_from(ZONES), days=st.sets(st.integers(0, 6), min_size=1))
def test_the_first_open_minute_is_open_not_before_and_found_again(instant: datetime, zone: str, days: set[int]) -> None:
    week = tuple((DayRange(540, 1020),) if day in days else () for day in range(7))
    hours = BusinessHours(zone, OpeningHours(zone, week))
    opens = hours.at_or_after(instant)
    local = opens.astimezone(ZoneInfo(zone))
    assert opens >= instant
    assert opens == instant or (local.minute, opens.second, opens.microsecond) == (0, 0, 0)
    assert local.weekday() in days
    assert 9 <= local.hour < 17
    assert hours.at_or_after(opens) == opens


@given(one=instants, other=instants)
def test_later_never_opens_earlier(one: datetime, other: datetime) -> None:
    assert (one <= other) <= (USUAL.at_or_after(one) <= USUAL.at_or_after(other))
