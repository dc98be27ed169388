"""Busy time, buffers, notice, booking window and caps, for one host."""

from datetime import date
from typing import Any

import pytest

from meetings.domain.availability import BusyKind, BusySpan, Pool, free_hosts, next_open_start
from tests.domain.availability.examples import LONG_AGO, a_host, a_page, at, on, shown

MONDAY = "2026-06-01"


def monday(start: str, end: str) -> tuple[int, int]:
    return at(f"{MONDAY} {start}"), at(f"{MONDAY} {end}")


# Busy time (S3, A-AV1)


def test_slots_may_touch_an_event_but_not_overlap_it() -> None:
    page = a_page("09:00-11:30", increment=15)
    assert on(MONDAY, page, [a_host("Ann", monday("10:00", "10:30"))]) == [
        "09:00",
        "09:15",
        "09:30",
        "10:30",
        "10:45",
        "11:00",
    ]


def test_an_event_outside_the_opening_hours_changes_nothing() -> None:
    assert on(MONDAY, a_page(), [a_host("Ann", monday("07:00", "09:00"), monday("17:00", "19:00"))]) == on(
        MONDAY, a_page()
    )


def test_busy_time_only_ever_removes_starts() -> None:
    assert set(on(MONDAY, a_page(), [a_host("Ann", monday("06:00", "12:10"))])) < set(on(MONDAY, a_page()))


def test_an_all_day_event_leaves_nothing() -> None:
    assert on(MONDAY, a_page(), [a_host("Ann", (at(f"{MONDAY} 00:00"), at("2026-06-02 00:00")))]) == []


def test_busy_spans_may_come_in_any_order_and_overlap() -> None:
    page = a_page("09:00-12:00")
    host = a_host(
        "Ann", monday("11:00", "11:30"), monday("09:00", "10:10"), monday("09:20", "09:40"), monday("10:10", "10:20")
    )
    assert on(MONDAY, page, [host]) == ["10:30", "11:30"]


def test_a_busy_span_without_length_blocks_nothing() -> None:
    assert on(MONDAY, a_page(), [a_host("Ann", monday("10:10", "10:10"))]) == on(MONDAY, a_page())


def test_a_busy_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="busy span of Ann"):
        on(MONDAY, a_page(), [a_host("Ann", monday("11:00", "10:00"))])


@pytest.mark.parametrize("kind", BusyKind)
def test_events_bookings_and_holds_block_alike(kind: BusyKind) -> None:
    page = a_page("09:00-11:00")
    assert on(MONDAY, page, [a_host("Ann", BusySpan(*monday("10:00", "10:30"), "work", kind))]) == [
        "09:00",
        "09:30",
        "10:30",
    ]


# Buffers (A-SP8)


def test_a_buffer_of_30_minutes_on_both_sides_of_an_event_from_13_to_1330() -> None:
    page = a_page("11:00-15:00", increment=15, buffer_before=30, buffer_after=30)
    found = on(MONDAY, page, [a_host("Ann", monday("13:00", "13:30"))])
    assert found == ["11:00", "11:15", "11:30", "11:45", "12:00", "14:00", "14:15", "14:30"]


def test_a_buffer_before_keeps_time_free_before_the_slot_and_after_the_event_only() -> None:
    found = on(MONDAY, a_page("12:00-15:00", buffer_before=30), [a_host("Ann", monday("13:00", "13:30"))])
    assert found == ["12:00", "12:30", "14:00", "14:30"]


def test_a_buffer_after_keeps_time_free_after_the_slot_and_before_the_event_only() -> None:
    found = on(MONDAY, a_page("12:00-15:00", buffer_after=30), [a_host("Ann", monday("13:00", "13:30"))])
    assert found == ["12:00", "13:30", "14:00", "14:30"]


def test_a_buffer_may_lie_outside_the_opening_hours() -> None:
    assert on(MONDAY, a_page("09:00-10:00", buffer_before=60, buffer_after=60)) == ["09:00", "09:30"]


def test_an_event_outside_the_opening_hours_still_needs_its_buffer() -> None:
    page = a_page("09:00-10:00", buffer_before=15)
    assert on(MONDAY, page, [a_host("Ann", monday("08:00", "08:50"))]) == ["09:30"]


# Minimum notice and booking window (A-SP6, A-SP7)


def test_with_four_hours_notice_at_nine_the_first_slot_is_at_13() -> None:
    earliest = at(f"{MONDAY} 09:00") + 4 * 60
    assert on(MONDAY, a_page(), earliest=earliest)[0] == "13:00"
    assert free_hosts(a_page(), [a_host()], start=at(f"{MONDAY} 12:30"), earliest=earliest) == []


def test_the_first_start_after_the_notice_is_on_the_grid() -> None:
    assert on(MONDAY, a_page(), earliest=at(f"{MONDAY} 13:01"))[0] == "13:30"


def test_slots_begin_on_the_days_of_the_booking_window_both_included() -> None:
    page = a_page("09:00-09:30", first_date=date(2026, 6, 2), last_date=date(2026, 6, 3))
    assert [on(f"2026-06-0{day}", page) for day in range(1, 6)] == [[], ["09:00"], ["09:00"], [], []]


def test_the_last_slot_of_the_booking_window_may_run_over_midnight() -> None:
    page = a_page("00:00-24:00", increment=720, duration=900, last_date=date(2026, 6, 1))
    assert on(MONDAY, page) == ["00:00", "12:00"]
    assert on("2026-06-02", page) == []


def test_the_booking_window_counts_days_of_the_pages_zone() -> None:
    page = a_page("00:00-24:00", zone="Pacific/Auckland", increment=720, first_date=date(2026, 6, 1))
    assert on(MONDAY, page) == ["00:00", "12:00"]
    assert on("2026-05-31", page) == []


def test_a_window_in_the_past_or_upside_down_offers_nothing() -> None:
    past = a_page(last_date=date(2026, 5, 1))
    assert on(MONDAY, past) == []
    assert on(MONDAY, a_page(first_date=date(2026, 6, 2), last_date=date(2026, 5, 31))) == []


# Caps (B-SP2)


def test_a_day_with_as_many_meetings_as_its_cap_offers_nothing() -> None:
    page = a_page("09:00-10:00", max_per_day=2)
    one, two = at(f"{MONDAY} 11:00"), at(f"{MONDAY} 15:00")
    assert on(MONDAY, page, page_meetings=[one]) == ["09:00", "09:30"]
    assert on(MONDAY, page, page_meetings=[one, two]) == []
    assert on("2026-06-02", page, page_meetings=[one, two]) == ["09:00", "09:30"]


def test_a_meeting_counts_for_the_day_on_which_it_begins_in_the_pages_zone() -> None:
    page = a_page("09:00-09:30", max_per_day=1)
    late = at(f"{MONDAY} 00:30")  # still Sunday in UTC
    assert on("2026-05-31", page, page_meetings=[late]) == ["09:00"]
    assert on(MONDAY, page, page_meetings=[late]) == []


def test_a_week_from_monday_to_sunday_with_as_many_meetings_as_its_cap_offers_nothing() -> None:
    page = a_page("09:00-09:30", max_per_week=2)
    meetings = [at("2026-06-01 00:00"), at("2026-06-07 23:59")]
    found = {
        day: on(day, page, page_meetings=meetings) for day in ("2026-05-31", "2026-06-01", "2026-06-07", "2026-06-08")
    }
    assert found == {"2026-05-31": ["09:00"], "2026-06-01": [], "2026-06-07": [], "2026-06-08": ["09:00"]}


# What is known of the host


def test_a_slot_lies_wholly_in_the_time_for_which_busy_time_is_known() -> None:
    page = a_page("09:00-12:00")
    known_from, known_until = monday("09:30", "11:10")
    host = a_host(known_from=known_from, known_until=known_until)
    assert on(MONDAY, page, [host]) == ["09:30", "10:00", "10:30"]


def test_buffers_need_not_be_known() -> None:
    known_from, known_until = monday("09:30", "11:00")
    host = a_host(known_from=known_from, known_until=known_until)
    assert on(MONDAY, a_page("09:00-12:00", buffer_before=60, buffer_after=60), [host]) == ["09:30", "10:00", "10:30"]


def test_a_host_who_cannot_be_read_is_never_free() -> None:
    nine = at(f"{MONDAY} 09:00")
    assert on(MONDAY, a_page(), [a_host(known_from=nine, known_until=nine)]) == []


def test_known_time_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="known_until"):
        a_host(known_from=2, known_until=1)


# The next slot


def test_the_next_open_start_is_found_weeks_ahead() -> None:
    away = (at("2026-06-01 00:00"), at("2026-09-14 09:10"))
    found = next_open_start(
        a_page(),
        [a_host("Ann", away)],
        Pool.ALL,
        at_or_after=at(f"{MONDAY} 08:00"),
        until=at("2027-01-01 00:00"),
        earliest=0,
    )
    assert found == at("2026-09-14 09:30")


def test_there_is_no_next_open_start_beyond_the_end_of_the_search() -> None:
    away = (at("2026-06-01 00:00"), at("2026-09-14 09:10"))
    start, end = at(f"{MONDAY} 08:00"), at("2026-09-14 09:30")
    host = a_host("Ann", away)
    assert next_open_start(a_page(), [host], Pool.ALL, at_or_after=start, until=end, earliest=LONG_AGO) is None
    assert next_open_start(a_page(), [a_host()], Pool.ALL, at_or_after=5, until=5, earliest=0) is None


def test_the_next_open_start_minds_notice_and_caps() -> None:
    found = next_open_start(
        a_page(max_per_day=1),
        [a_host()],
        Pool.ALL,
        at_or_after=at(f"{MONDAY} 08:00"),
        until=at("2026-07-01 00:00"),
        earliest=at("2026-06-02 10:00"),
        page_meetings=[at("2026-06-02 09:00")],
    )
    assert found is not None
    assert (found, shown(found)) == (at("2026-06-03 09:00"), "09:00")


# Values


@pytest.mark.parametrize(
    "bad",
    [
        {"duration": 0},
        {"increment": 0},
        {"buffer_before": -1},
        {"buffer_after": -1},
        {"max_per_day": 0},
        {"max_per_week": 0},
    ],
)
def test_rules_that_make_no_sense_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"at least|negative"):
        a_page(**bad)


def test_a_hosts_cap_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="cap"):
        a_host(max_per_day=0)
