"""Opening hours: wall time in one zone, and the instants at which a slot may begin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache

from meetings.domain.availability.spans import Span, Spans, merged
from meetings.domain.availability.zones import BLOCK, DAY, check_zone, day_number, stretches


@dataclass(frozen=True, slots=True)
class DayRange:
    """Wall-clock minutes `[start, end)` of one day: 540 to 1020 is 09:00 to 17:00, 0 to 1440 the whole day.

    Raises:
        ValueError: not `0 <= start < end <= 1440`.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= DAY:
            raise ValueError(f"a range of a day needs 0 <= start < end <= {DAY}, not {self.start} to {self.end}")


@dataclass(frozen=True)
class OpeningHours:
    """A weekly pattern with exceptions, in the wall time of `zone` (an IANA name).

    `weekly` has seven entries, Monday first. `overrides` replaces the named dates wholly; `()` closes one. Ranges of a
    day may be in any order and may touch or overlap.

    Raises:
        ValueError: unknown zone, or not seven days.
    """

    zone: str
    weekly: tuple[tuple[DayRange, ...], ...]
    overrides: Mapping[date, tuple[DayRange, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_zone(self.zone)
        if len(self.weekly) != 7:
            raise ValueError(f"opening hours need seven days, not {len(self.weekly)}")
        object.__setattr__(self, "overrides", dict(self.overrides))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def without_overrides(self) -> "OpeningHours":
        return OpeningHours(self.zone, self.weekly)

    def on(self, day: int) -> Spans:
        """The ranges of a day (days since 1970-01-01), merged."""
        found = self._exceptions.get(day)
        return self._week[(day + 3) % 7] if found is None else found

    @cached_property
    def _hash(self) -> int:
        return hash((self.zone, self.weekly, frozenset(self.overrides.items())))

    @cached_property
    def _week(self) -> list[Spans]:
        return [_ranges(day) for day in self.weekly]

    @cached_property
    def _exceptions(self) -> dict[int, Spans]:
        return {day_number(day): _ranges(ranges) for day, ranges in self.overrides.items()}


def _ranges(ranges: tuple[DayRange, ...]) -> Spans:
    return merged((each.start, each.end) for each in ranges)


Stretch = tuple[int, int, int]
"""`(start, end, anchor)`: instants `[start, end)` of one opening range, the grid of whose start times runs through
`anchor`: the instant of the range's first minute, or what it would be had the clock not been changed since."""


def startable(hours: OpeningHours, duration: int, start: int, end: int) -> list[Stretch]:
    """The instants of `[start, end)` from which every one of the next `duration` minutes is open, in order.

    Ranges that touch, at midnight too, are one for the length of a slot but keep their own grids.
    """
    found: list[Stretch] = []
    last = following = end + duration
    for opened, closed, anchor in reversed(_open(hours, start, end + duration)):
        if closed != following:
            last = closed - duration + 1
        following = opened
        low = opened if opened > start else start
        high = min(closed, last, end)
        if low < high:
            found.append((low, high, anchor))
    found.reverse()
    return found


def on_grid(stretches: list[Stretch], increment: int) -> list[int]:
    """The starts in the stretches that are a whole number of increments from the anchor."""
    found: list[int] = []
    for low, high, anchor in stretches:
        found += range(low + (anchor - low) % increment, high, increment)
    return found


def _open(hours: OpeningHours, start: int, end: int) -> list[Stretch]:
    """The opening ranges that reach into `[start, end)`, in order; the outermost may reach beyond."""
    blocks = [_open_in_block(hours, block) for block in range(start // BLOCK, (end - 1) // BLOCK + 1)]
    return [each for block in blocks for each in block if each[0] < end and each[1] > start]


@lru_cache(maxsize=2048)
def _open_in_block(hours: OpeningHours, block: int) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for low, high, offset in stretches(hours.zone, block * BLOCK, (block + 1) * BLOCK):
        for day in range((low + offset) // DAY, (high + offset - 1) // DAY + 1):
            for range_ in hours.on(day):
                start, end = _instants(day, range_, offset)
                if start < high and end > low:
                    found.append((max(start, low), min(end, high), start))
    return tuple(found)


def _instants(day: int, range_: Span, offset: int) -> Span:
    midnight = day * DAY - offset
    return midnight + range_[0], midnight + range_[1]
