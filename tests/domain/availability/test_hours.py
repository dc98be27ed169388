"""Opening hours, the grid of start times, date overrides and what the clock does to them."""

from datetime import date

import pytest

from meetings.domain.availability import DayRange, OpeningHours, Pool, SlotRules, at_minute, open_starts
from tests.domain.availability.examples import LONG_AGO, a_host, a_page, at, every_day, on, ranges

MONDAY = "2026-06-01"


def utc_starts(page: SlotRules, day: str) -> list[str]:
    start = at(f"{day} 00:00", page.hours.zone)
    found = open_starts(page, [a_host()], Pool.ALL, start=start, end=start + 1440, earliest=LONG_AGO)
    return [at_minute(each).strftime("%H:%MZ") for each in found]


def test_540_to_1020_is_nine_to_five_on_the_wall() -> None:
    hours = OpeningHours("Europe/Berlin", ((DayRange(540, 1020),),) * 7)
    assert hours == every_day("09:00-17:00")
    found = on(MONDAY, a_page())
    assert (found[0], found[-1], len(found)) == ("09:00", "16:30", 16)


def test_starts_follow_the_increment_and_the_last_slot_ends_with_the_window() -> None:
    assert on(MONDAY, a_page("09:00-11:00", increment=15)) == [
        "09:00", "09:15", "09:30", "09:45", "10:00", "10:15", "10:30",
    ]  # fmt: skip


def test_the_grid_begins_with_each_opening_range() -> None:
    page = a_page("09:10-10:20", "13:25-14:30")
    assert on(MONDAY, page) == ["09:10", "09:40", "13:25", "13:55"]


def test_ranges_of_a_day_that_touch_or_overlap_are_one() -> None:
    page = a_page("09:10-10:00", "10:00-10:30", "10:20-11:20", increment=45)
    assert on(MONDAY, page) == ["09:10", "09:55", "10:40"]


def test_a_slot_as_long_as_the_window_is_offered_and_a_longer_one_is_not() -> None:
    assert on(MONDAY, a_page("09:00-10:00", duration=60)) == ["09:00"]
    assert on(MONDAY, a_page("09:00-10:00", duration=61)) == []


def test_each_weekday_has_its_own_hours_from_monday_on() -> None:
    weekly = (ranges("09:00-09:30"), ranges("10:00-10:30"), *((),) * 4, ranges("11:00-11:30"))
    page = SlotRules(OpeningHours("Europe/Berlin", weekly), 30, 30)
    found = [on(f"2026-06-0{day}", page) for day in range(1, 8)]
    assert found == [["09:00"], ["10:00"], [], [], [], [], ["11:00"]]


def test_a_slot_runs_over_midnight_when_both_sides_are_open() -> None:
    page = a_page("00:00-00:30", "23:00-24:00", duration=60)
    assert on(MONDAY, page) == ["23:00", "23:30"]
    only_monday = a_page("23:00-24:00", duration=60)
    assert on(MONDAY, only_monday) == ["23:00"]


def test_the_grid_begins_anew_at_midnight() -> None:
    page = a_page("00:00-02:00", "22:00-24:00", increment=50)
    assert on(MONDAY, page) == ["00:00", "00:50", "22:00", "22:50", "23:40"]


def test_a_day_of_24_hours_is_open_throughout() -> None:
    assert len(on(MONDAY, a_page("00:00-24:00"))) == 48


def test_a_slot_may_last_several_days() -> None:
    assert on(MONDAY, a_page("00:00-24:00", duration=4000, increment=720)) == ["00:00", "12:00"]


def test_the_answer_does_not_depend_on_the_span_asked_for() -> None:
    page = a_page("09:10-16:00", increment=25)
    whole = open_starts(
        page, [a_host()], Pool.ALL, start=at("2026-03-01 00:00"), end=at("2026-06-01 00:00"), earliest=0
    )
    cuts = [at("2026-03-01 00:00"), at("2026-03-29 10:07"), at("2026-04-15 00:00"), at("2026-05-04 15:59")]
    ends = [*cuts[1:], at("2026-06-01 00:00")]
    parts = [
        open_starts(page, [a_host()], Pool.ALL, start=start, end=end, earliest=0)
        for start, end in zip(cuts, ends, strict=True)
    ]
    assert [each for part in parts for each in part] == whole


def test_an_empty_span_has_no_slots() -> None:
    nine = at(f"{MONDAY} 09:00")
    assert open_starts(a_page(), [a_host()], Pool.ALL, start=nine, end=nine, earliest=0) == []
    assert open_starts(a_page(), [a_host()], Pool.ALL, start=nine, end=nine - 60, earliest=0) == []


# Date overrides (B-SP1)


def test_an_override_without_ranges_closes_that_date_only() -> None:
    page = a_page("09:00-10:00", overrides={date(2026, 12, 24): ()})
    assert on("2026-12-23", page) == ["09:00", "09:30"]
    assert on("2026-12-24", page) == []
    assert on("2026-12-25", page) == ["09:00", "09:30"]


def test_an_override_replaces_the_weekly_hours_wholly() -> None:
    page = a_page("09:00-10:00", overrides={date(2026, 6, 1): ranges("14:00-15:00")})
    assert on(MONDAY, page) == ["14:00", "14:30"]


def test_an_override_opens_a_day_that_is_usually_closed() -> None:
    hours = OpeningHours("Europe/Berlin", ((),) * 7, {date(2026, 6, 1): ranges("14:00-15:00")})
    assert on(MONDAY, SlotRules(hours, 30, 30)) == ["14:00", "14:30"]


# The clock (A-AV14, TM-1)


def test_nine_in_berlin_moves_by_an_hour_in_utc_when_summer_begins() -> None:
    page = a_page("09:00-09:30")
    assert utc_starts(page, "2026-03-28") == ["08:00Z"]
    assert utc_starts(page, "2026-03-29") == ["07:00Z"]


def test_wall_times_that_the_clock_skips_are_not_offered() -> None:
    assert on("2026-03-29", a_page("01:00-04:00")) == ["01:00", "01:30", "03:00", "03:30"]
    assert on("2026-03-29", a_page("02:00-03:00")) == []


def test_a_slot_lasts_its_elapsed_minutes_across_the_skipped_hour() -> None:
    assert on("2026-03-29", a_page("01:00-04:00", duration=60)) == ["01:00", "01:30", "03:00"]


def test_the_grid_is_anchored_on_the_wall_even_when_the_anchor_is_skipped() -> None:
    assert on("2026-03-29", a_page("02:20-05:00")) == ["03:20", "03:50", "04:20"]


def test_both_instants_of_a_repeated_hour_are_offered() -> None:
    assert utc_starts(a_page("02:00-03:00"), "2026-10-25") == ["00:00Z", "00:30Z", "01:00Z", "01:30Z"]


def test_a_window_before_a_repeated_hour_ends_when_the_clock_first_shows_its_end() -> None:
    assert utc_starts(a_page("02:00-02:30"), "2026-10-25") == ["00:00Z", "01:00Z"]
    assert utc_starts(a_page("02:00-02:30", duration=60), "2026-10-25") == []


def test_zones_off_the_full_hour_work() -> None:
    assert utc_starts(a_page("09:00-09:30", zone="Asia/Kolkata"), MONDAY) == ["03:30Z"]
    assert utc_starts(a_page("09:00-09:30", zone="Asia/Kathmandu"), MONDAY) == ["03:15Z"]


def test_lord_howe_repeats_half_an_hour() -> None:
    page = a_page("01:30-02:00", zone="Australia/Lord_Howe", duration=15, increment=15)
    assert utc_starts(page, "2026-04-05") == ["14:30Z", "14:45Z", "15:00Z", "15:15Z"]


def test_a_day_swallowed_by_the_date_line_has_no_slots_and_leaves_no_hole() -> None:
    page = a_page("00:00-24:00", zone="Pacific/Apia", increment=720)
    start = at("2011-12-29 00:00", "Pacific/Apia")
    found = open_starts(page, [a_host()], Pool.ALL, start=start, end=start + 2880, earliest=0)
    assert [each - start for each in found] == [0, 720, 1440, 2160]
    skipped = a_page("09:00-10:00", zone="Pacific/Apia", overrides={date(2011, 12, 30): ranges("00:00-24:00")})
    after = open_starts(skipped, [a_host()], Pool.ALL, start=start, end=start + 2880, earliest=0)
    assert [each - start for each in after] == [540, 570, 1980, 2010]


# Values


@pytest.mark.parametrize(("start", "end"), [(540, 540), (600, 540), (-1, 60), (0, 1441)])
def test_a_range_outside_its_day_or_without_length_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="range of a day"):
        DayRange(start, end)


@pytest.mark.parametrize("zone", ["Mars/X", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        every_day("09:00-17:00", zone=zone)


def test_a_week_of_other_than_seven_days_is_refused() -> None:
    with pytest.raises(ValueError, match="seven days"):
        OpeningHours("Europe/Berlin", ((),) * 6)


def test_equal_hours_have_equal_hashes_and_do_not_follow_changes_to_the_given_mapping() -> None:
    overrides: dict[date, tuple[DayRange, ...]] = {date(2026, 12, 24): ()}
    hours = every_day("09:00-17:00", overrides=overrides)
    overrides[date(2026, 12, 25)] = ()
    same = every_day("09:00-17:00", overrides={date(2026, 12, 24): ()})
    assert hours == same
    assert hash(hours) == hash(same)
    assert hours != every_day("09:00-17:00")
