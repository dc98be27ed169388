"""Wall time and instants.

An instant is a whole number of minutes since 1970-01-01T00:00Z. A wall time is written the same way, as if the clock on
the wall showed UTC: day number x 1440 + minute of the day. Local time of a zone is then `instant + offset`, and the
offset is constant between two changes of the clock, so every question about wall time is one of a few constant
stretches: a time the clock skips lies in none of them, a repeated one in two.

Valid from 1973 on: since then every offset and every change in the IANA data is a whole number of minutes, and no two
changes of one zone are closer than six days (read from tzdata 2026).
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from meetings.domain.availability.spans import Spans, merged

DAY = 1440
MINUTE = timedelta(minutes=1)
EPOCH = date(1970, 1, 1).toordinal()

# Answers are kept per zone and per fixed block of time, so that any span asked for finds most of them ready.
BLOCK = 1 << 16

# No wall clock is further from UTC than this, not even around a zone's jump over the date line.
FARTHEST = 2 * DAY

Stretch = tuple[int, int, int]
"""`(start, end, offset)`: instants `[start, end)` whose wall time is the instant + `offset` minutes."""


def check_zone(zone: str) -> None:
    """Raise `ValueError` unless `zone` names an IANA time zone."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as unknown:
        raise ValueError(f"unknown time zone: {zone!r}") from unknown


def day_number(day: date) -> int:
    """Days since 1970-01-01, a Thursday."""
    return day.toordinal() - EPOCH


def stretches(zone: str, start: int, end: int) -> list[Stretch]:
    """Constant offsets that cover `[start, end)` without a gap, in order."""
    return [
        (max(low, start), min(high, end), offset)
        for block in range(start // BLOCK, (end - 1) // BLOCK + 1)
        for low, high, offset in _stretches_of_block(zone, block)
        if low < end and high > start
    ]


def wall_minute(zone: str, instant: int) -> int:
    """What the wall clock shows at `instant`."""
    return instant + stretches(zone, instant, instant + 1)[0][2]


def instants_between(zone: str, wall_start: int, wall_end: int, *, start: int, end: int) -> Spans:
    """The instants of `[start, end)` whose wall time lies in `[wall_start, wall_end)`."""
    low, high = max(start, wall_start - FARTHEST), min(end, wall_end + FARTHEST)
    found: Spans = []
    for since, until, offset in stretches(zone, low, high):
        first, last = max(since, wall_start - offset), min(until, wall_end - offset)
        if first < last:
            found.append((first, last))
    return merged(found)


def instants_of_day(zone: str, day: date) -> Spans:
    """The instants at which the calendar on the wall shows `day`; none where the date line swallowed it."""
    midnight = day_number(day) * DAY
    return instants_between(zone, midnight, midnight + DAY, start=midnight - FARTHEST, end=midnight + DAY + FARTHEST)


@lru_cache(maxsize=4096)
def _stretches_of_block(zone: str, block: int) -> tuple[Stretch, ...]:
    clock = ZoneInfo(zone)
    found: list[Stretch] = []
    low = block * BLOCK
    end = low + BLOCK
    offset = _offset(clock, low)
    for before in range(low, end, DAY):
        after = min(before + DAY, end)
        if _offset(clock, after) != offset:
            change = _change(clock, before, after)
            found.append((low, change, offset))
            low, offset = change, _offset(clock, after)
    if low < end:
        found.append((low, end, offset))
    return tuple(found)


def _change(clock: ZoneInfo, before: int, after: int) -> int:
    """The first instant with the new offset, when the offset changes once in `(before, after]`."""
    old = _offset(clock, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(clock, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(clock: ZoneInfo, instant: int) -> int:
    offset = datetime.fromtimestamp(instant * 60, clock).utcoffset()
    assert offset is not None
    return offset // MINUTE
