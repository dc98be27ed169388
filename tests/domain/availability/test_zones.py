"""Every zone of the IANA data, and the process's own zone, which must not matter."""

import os
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from meetings.domain.availability import DayRange, HostTime, OpeningHours, Pool, SlotRules, open_starts
from meetings.domain.availability.zones import stretches
from tests.domain.availability.cases import DAY, ZONES, clock_changes, offset_at, year_start
from tests.domain.availability.oracle import Oracle

ALWAYS_FREE = [HostTime("Ann", (), 0, 1 << 40)]
ROUND_THE_CLOCK = (DayRange(0, DAY),)
BROKEN_NIGHT = (DayRange(0, 20), DayRange(75, 140), DayRange(150, 230), DayRange(1290, DAY))


def test_the_offsets_of_every_zone_are_those_of_zoneinfo() -> None:
    start, end = year_start(2026), year_start(2028)
    for zone in ZONES:
        clock = ZoneInfo(zone)
        found = stretches(zone, start, end)
        assert (found[0][0], found[-1][1]) == (start, end)
        assert all(left[1] == right[0] for left, right in pairwise(found))
        for low, high, offset in found:
            for minute in (low, *range(low, high, 5 * DAY), high - 1):
                assert offset_at(clock, minute) == timedelta(minutes=offset), (zone, minute)


@pytest.mark.parametrize("year", [2011, 2024, 2025, 2026, 2027, 2028])
def test_slots_around_every_change_of_the_clock_in_any_zone_are_those_of_the_oracle(year: int) -> None:
    changes = {
        (change, offset_at(ZoneInfo(zone), change - 1), offset_at(ZoneInfo(zone), change)): zone
        for zone in ZONES
        for change in clock_changes(zone, year)
    }
    assert len(changes) > 20
    for (change, _, _), zone in changes.items():  # zones that change alike at that minute are alike around it
        for ranges, duration, increment in ((ROUND_THE_CLOCK, 60, 90), (BROKEN_NIGHT, 35, 25)):
            page = SlotRules(OpeningHours(zone, (ranges,) * 7), duration, increment), ALWAYS_FREE, Pool.ALL
            start, end = change - DAY // 4, change + DAY // 4
            expected = Oracle(*page, start=start, end=end, earliest=0).open_starts()
            assert open_starts(*page, start=start, end=end, earliest=0) == expected, (zone, change)


ANSWERS = """
from datetime import date
from meetings.domain.availability import *
day = (DayRange(0, 200), DayRange(540, 1020))
rules = SlotRules(OpeningHours("Europe/Berlin", (day,) * 7), 30, 20, 5, 5, last_date=date(2026, 10, 25), max_per_day=2)
hosts = [HostTime("Ann", [(29881000, 29881300)], 0, 1 << 40, OpeningHours("America/New_York", (day,) * 7))]
when = {"earliest": 29880100, "page_meetings": [29883000, 29883100]}
print(open_starts(rules, hosts, Pool.ALL, start=29880000, end=29890000, **when))
print(free_hosts(rules, hosts, start=29882300, **when))
print(explain(rules, hosts, Pool.ALL, day=date(2026, 10, 25), **when))
print(floor_minute(at_minute(29880000)))
"""


def test_the_time_zone_of_the_process_does_not_matter() -> None:
    """Around the change of 2026-10-25, which each of the three zones of the process handles otherwise."""
    zones = ["UTC", "America/St_Johns", "Pacific/Apia"]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", ANSWERS],
            env={**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for zone in zones
    ]
    answers = {each.communicate(timeout=20)[0] for each in running}
    assert [each.returncode for each in running] == [0, 0, 0]
    assert len(answers) == 1
    assert len(answers.pop()) > 500
