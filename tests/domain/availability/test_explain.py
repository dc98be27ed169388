"""Why times are missing (A-AV8)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from meetings.domain.availability import (
    BusyKind,
    BusySpan,
    HostTime,
    Missing,
    Pool,
    Reason,
    SlotRules,
    explain,
    why_not,
)
from tests.domain.availability.examples import LONG_AGO, a_host, a_page, at, every_day, ranges, shown

MONDAY = "2026-06-01"
NIGHT = [("00:00", "09:00"), ("11:31", "00:00")]
PAGE = a_page("09:00-12:00")


def busy(start: str, end: str, source: str = "work", kind: BusyKind = BusyKind.EVENT) -> BusySpan:
    return BusySpan(at(f"{MONDAY} {start}"), at(f"{MONDAY} {end}"), source, kind)


def told(
    page: SlotRules, hosts: Iterable[HostTime], pool: Pool = Pool.ALL, *, day: str = MONDAY, **when: Any
) -> dict[tuple[Reason, str, str], list[tuple[str, str]]]:
    """Spans of missing starts on the wall, by reason, source and host; without those of the weekly hours."""
    found: dict[tuple[Reason, str, str], list[tuple[str, str]]] = {}
    when = {"earliest": LONG_AGO, **when}
    for each in explain(page, list(hosts), pool, day=date.fromisoformat(day), **when):
        if each.source != "weekly":
            span = shown(each.start, page.hours.zone), shown(each.end, page.hours.zone)
            found.setdefault((each.reason, each.source, each.host), []).append(span)
    return found


def reason(page: SlotRules, hosts: Iterable[HostTime], time: str, pool: Pool = Pool.ALL, **when: Any) -> object:
    when = {"earliest": LONG_AGO, **when}
    missing = why_not(page, list(hosts), pool, start=at(f"{MONDAY} {time}"), **when)
    return missing and (missing.reason, missing.source, missing.host)


def test_a_free_day_lacks_only_the_starts_outside_its_hours() -> None:
    found = explain(PAGE, [a_host()], Pool.ALL, day=date(2026, 6, 1), earliest=LONG_AGO)
    midnight = at(f"{MONDAY} 00:00")
    assert found == [
        Missing(midnight, midnight + 540, Reason.OUTSIDE_HOURS, "weekly"),
        Missing(midnight + 691, midnight + 1440, Reason.OUTSIDE_HOURS, "weekly"),
    ]


def test_busy_is_where_the_slot_meets_the_event_and_buffer_where_only_the_buffer_does() -> None:
    page = a_page("09:00-17:00", buffer_before=15, buffer_after=20)
    assert told(page, [a_host("Ann", busy("13:00", "13:30"))]) == {
        (Reason.BUFFER, "work", "Ann"): [("12:11", "12:31"), ("13:30", "13:45")],
        (Reason.BUSY, "work", "Ann"): [("12:31", "13:30")],
    }


def test_spans_of_one_source_are_merged_and_other_sources_told_apart() -> None:
    host = a_host("Ann", busy("10:00", "10:30"), busy("10:20", "11:00"), busy("10:00", "10:30", "home"))
    assert told(PAGE, [host]) == {
        (Reason.BUSY, "work", "Ann"): [("09:31", "11:00")],
        (Reason.BUSY, "home", "Ann"): [("09:31", "10:30")],
    }


def test_a_hold_is_told_as_held_with_its_buffers() -> None:
    page = a_page("09:00-17:00", buffer_before=15, buffer_after=20)
    host = a_host("Ann", busy("13:00", "13:30", "hold", BusyKind.HELD))
    assert told(page, [host]) == {(Reason.HELD, "hold", "Ann"): [("12:11", "13:45")]}


def test_a_date_override_is_told_where_it_closed_what_the_weekly_hours_open() -> None:
    page = a_page("09:00-12:00", overrides={date(2026, 6, 1): ranges("10:00-11:00", "15:00-16:00")})
    assert told(page, [a_host()]) == {(Reason.DATE_OVERRIDE, "overrides", ""): [("09:00", "10:00"), ("10:31", "11:31")]}


def test_minimum_notice_booking_window_and_limits_are_told() -> None:
    page = a_page("09:00-12:00", last_date=date(2026, 5, 31), max_per_day=1, max_per_week=1)
    meeting = at(f"{MONDAY} 10:00")
    assert told(page, [a_host()], earliest=at(f"{MONDAY} 09:20"), page_meetings=[meeting]) == {
        (Reason.MINIMUM_NOTICE, "earliest", ""): [("00:00", "09:20")],
        (Reason.BOOKING_WINDOW, "last_date", ""): [("00:00", "00:00")],
        (Reason.DAILY_LIMIT, "max_per_day", ""): [("00:00", "00:00")],
        (Reason.WEEKLY_LIMIT, "max_per_week", ""): [("00:00", "00:00")],
    }
    early = a_page("09:00-12:00", first_date=date(2026, 6, 2))
    assert told(early, [a_host()]) == {(Reason.BOOKING_WINDOW, "first_date", ""): [("00:00", "00:00")]}


def test_the_rules_of_a_host_are_told_with_the_host() -> None:
    host = a_host(
        "Ann",
        known_from=at(f"{MONDAY} 10:00"),
        known_until=at("2026-06-03 00:00"),
        working_hours=every_day("08:00-11:00"),
        max_per_day=1,
        meetings=[at(f"{MONDAY} 07:00")],
    )
    assert told(PAGE, [host]) == {
        (Reason.HOST_UNREACHABLE, "known", "Ann"): [("00:00", "10:00")],
        (Reason.OUTSIDE_HOURS, "working_hours", "Ann"): [("00:00", "08:00"), ("10:31", "00:00")],
        (Reason.DAILY_LIMIT, "max_per_day", "Ann"): [("00:00", "00:00")],
    }


def test_a_group_is_told_what_holds_back_each_host() -> None:
    hosts = [a_host("A", busy("10:00", "10:30", "a")), a_host("B", busy("10:00", "10:20", "b"))]
    assert told(PAGE, hosts, Pool.ALL) == {
        (Reason.BUSY, "a", "A"): [("09:31", "10:30")],
        (Reason.BUSY, "b", "B"): [("09:31", "10:20")],
    }


def test_a_round_robin_is_told_of_its_hosts_only_where_nobody_is_free() -> None:
    hosts = [a_host("A", busy("10:00", "10:30", "a")), a_host("B", busy("10:20", "11:00", "b"))]
    assert told(PAGE, hosts, Pool.ANY) == {
        (Reason.BUSY, "a", "A"): [("09:51", "10:30")],
        (Reason.BUSY, "b", "B"): [("09:51", "10:30")],
    }


def test_a_page_without_hosts_says_so() -> None:
    assert told(PAGE, []) == {(Reason.HOST_UNREACHABLE, "hosts", ""): [("00:00", "00:00")]}
    assert reason(PAGE, [], "10:00") == (Reason.HOST_UNREACHABLE, "hosts", "")


def test_a_day_that_the_clock_skipped_has_nothing_to_explain() -> None:
    page = a_page(zone="Pacific/Apia")
    assert explain(page, [], Pool.ALL, day=date(2011, 12, 30), earliest=LONG_AGO) == []


def test_a_day_of_25_hours_is_explained_to_its_end() -> None:
    found = explain(a_page("09:00-17:00"), [a_host()], Pool.ALL, day=date(2026, 10, 25), earliest=LONG_AGO)
    assert (found[0].start, found[-1].end) == (at("2026-10-25 00:00"), at("2026-10-26 00:00"))
    assert found[-1].end - found[0].start == 25 * 60


# One start


def test_there_is_no_reason_against_a_start_that_is_offered() -> None:
    assert reason(PAGE, [a_host()], "10:00") is None


def test_a_start_between_the_grid_is_not_on_the_grid() -> None:
    assert reason(PAGE, [a_host()], "10:07") == (Reason.NOT_ON_GRID, "increment", "")


@pytest.mark.parametrize(
    ("page", "time", "expected"),
    [
        (a_page(last_date=date(2026, 5, 1)), "03:00", (Reason.BOOKING_WINDOW, "last_date", "")),
        (PAGE, "03:00", (Reason.MINIMUM_NOTICE, "earliest", "")),
        (PAGE, "18:00", (Reason.OUTSIDE_HOURS, "weekly", "")),
        (a_page(overrides={date(2026, 6, 1): ()}), "10:07", (Reason.DATE_OVERRIDE, "overrides", "")),
        (a_page(max_per_week=1, max_per_day=1), "10:07", (Reason.NOT_ON_GRID, "increment", "")),
        (a_page(max_per_week=1, max_per_day=1), "10:00", (Reason.WEEKLY_LIMIT, "max_per_week", "")),
        (a_page(max_per_day=1), "10:00", (Reason.DAILY_LIMIT, "max_per_day", "")),
        (PAGE, "10:00", (Reason.BUSY, "work", "Ann")),
    ],
)
def test_the_most_lasting_reason_wins_and_the_page_comes_before_its_hosts(
    page: SlotRules, time: str, expected: tuple[Reason, str, str]
) -> None:
    host = a_host("Ann", busy("00:00", "20:00"), busy("00:00", "20:00", "hold", BusyKind.HELD))
    meeting, earliest = at(f"{MONDAY} 11:00"), at(f"{MONDAY} 08:00")
    assert reason(page, [host], time, earliest=earliest, page_meetings=[meeting]) == expected


def test_a_group_is_told_the_most_lasting_reason_of_any_host_and_a_round_robin_that_of_the_nearest() -> None:
    hosts = [
        a_host("A", busy("10:00", "10:30", "a")),
        a_host("B", busy("10:00", "10:30", "hold", BusyKind.HELD)),
        a_host("C", working_hours=every_day("15:00-16:00")),
    ]
    assert reason(PAGE, hosts, "10:00", Pool.ALL) == (Reason.OUTSIDE_HOURS, "working_hours", "C")
    assert reason(PAGE, hosts, "10:00", Pool.ANY) == (Reason.HELD, "hold", "B")


def test_a_group_with_one_free_host_is_told_what_holds_back_the_other() -> None:
    hosts = [a_host("A"), a_host("B", busy("10:00", "10:30", "b"))]
    assert reason(PAGE, hosts, "10:00", Pool.ALL) == (Reason.BUSY, "b", "B")
    assert reason(PAGE, hosts, "10:00", Pool.ANY) is None


def test_an_unreachable_host_is_the_reason_only_when_nothing_is_known_to_stand_in_the_way() -> None:
    unreadable = {"known_from": 0, "known_until": 0}
    assert reason(PAGE, [a_host("A", **unreadable)], "10:00") == (Reason.HOST_UNREACHABLE, "known", "A")
    booked = a_host("A", busy("10:00", "10:30", "", BusyKind.BOOKING), **unreadable)
    assert reason(PAGE, [booked], "10:00") == (Reason.BUSY, "", "A")
