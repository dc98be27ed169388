"""Opening hours as people enter them: weekly wall-clock ranges in a zone, and dates that differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from meetings.domain.availability import DayRange, OpeningHours
from meetings.domain.base import Problem, Rule
from meetings.domain.text import time_zone_problem

MAX_RANGES_PER_DAY = 24
MAX_OVERRIDES = 400
MINUTES_PER_DAY = 1440


@dataclass(frozen=True, slots=True)
class WallRange:
    """From and to on the wall clock, minutes from local midnight, half-open; 1440 is the end of the day.

    Any integers can be held, so that several wrong ones can be reported at once; `AvailabilityRules.problems` judges.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """The same range on some days of the week (0 is Monday)."""

    days: tuple[int, ...]
    hours: WallRange


@dataclass(frozen=True, slots=True)
class DateOverride:
    """A date whose hours replace the weekly ones; no ranges means closed (B-SP1)."""

    date: date
    hours: tuple[WallRange, ...]


@dataclass(frozen=True, slots=True)
class AvailabilityRules:
    """Weekly hours in a zone, and the dates that differ.

    A time that runs over midnight is two ranges that touch: until 24:00, and from 00:00 of the next day.
    """

    time_zone: str
    weekly: tuple[WeeklyHours, ...]
    overrides: tuple[DateOverride, ...] = ()

    def problems(self, *path: str) -> Iterator[Problem]:
        """Everything that is wrong, each with its path below `path`."""
        zone = time_zone_problem(self.time_zone, *path, "timeZone")
        if zone:
            yield zone
        taken: Mapping[int, list[WallRange]] = {day: [] for day in range(7)}
        for index, entry in enumerate(self.weekly):
            here = (*path, "weekly", str(index))
            if not entry.days:
                yield Problem((*here, "days"), Rule.REQUIRED)
            yield from _range_problems(entry.hours, *here)
            for day in entry.days:
                if any(_overlap(entry.hours, other) for other in taken[day]):
                    yield Problem(here, Rule.OVERLAPS)
                    break
            for day in set(entry.days):
                taken[day].append(entry.hours)
        if any(len(ranges) > MAX_RANGES_PER_DAY for ranges in taken.values()):
            yield Problem((*path, "weekly"), Rule.TOO_MANY, values={"most": MAX_RANGES_PER_DAY})
        yield from self._override_problems(*path, "overrides")

    def _override_problems(self, *path: str) -> Iterator[Problem]:
        if len(self.overrides) > MAX_OVERRIDES:
            yield Problem(path, Rule.TOO_MANY, values={"most": MAX_OVERRIDES})
        seen: set[date] = set()
        for index, override in enumerate(self.overrides):
            here = (*path, str(index))
            if override.date in seen:
                yield Problem((*here, "date"), Rule.DUPLICATE)
            seen.add(override.date)
            if len(override.hours) > MAX_RANGES_PER_DAY:
                yield Problem((*here, "hours"), Rule.TOO_MANY, values={"most": MAX_RANGES_PER_DAY})
            for number, hours in enumerate(override.hours):
                yield from _range_problems(hours, *here, "hours", str(number))
                if any(_overlap(hours, other) for other in override.hours[:number]):
                    yield Problem((*here, "hours", str(number)), Rule.OVERLAPS)

    def opening_hours(self) -> OpeningHours:
        """The same rules as the availability engine takes them; only for rules without problems."""
        weekly = tuple(
            tuple(
                DayRange(start, end)
                for start, end in sorted((w.hours.start, w.hours.end) for w in self.weekly if day in w.days)
            )
            for day in range(7)
        )
        overrides = {
            override.date: tuple(DayRange(hours.start, hours.end) for hours in sorted(override.hours, key=_start))
            for override in self.overrides
        }
        return OpeningHours(zone=self.time_zone, weekly=weekly, overrides=overrides)


def _range_problems(hours: WallRange, *path: str) -> Iterator[Problem]:
    if not 0 <= hours.start < MINUTES_PER_DAY:
        yield Problem((*path, "from"), _beyond(hours.start), values={"least": "00:00", "most": "23:59"})
    if not 0 <= hours.end <= MINUTES_PER_DAY:
        yield Problem((*path, "to"), _beyond(hours.end), values={"least": "00:00", "most": "24:00"})
    elif hours.end <= hours.start:
        yield Problem((*path, "to"), Rule.END_BEFORE_START)


def _beyond(minute: int) -> Rule:
    return Rule.TOO_LARGE if minute > 0 else Rule.TOO_SMALL


def _overlap(one: WallRange, other: WallRange) -> bool:
    return one.start < other.end and other.start < one.end


def _start(hours: WallRange) -> int:
    return hours.start
