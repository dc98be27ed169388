"""Opening hours, out and in."""

import datetime
from collections.abc import Iterator

import strawberry

from meetings.domain import availability_rules as domain
from meetings.graphql.enums import Weekday
from meetings.graphql.scalars import LocalTime, TimeZone


@strawberry.type(description="From and to on the wall clock.")
class TimeRange:
    """Half-open."""

    from_: LocalTime = strawberry.field(name="from", description="When it begins.")
    to: LocalTime = strawberry.field(description="When it ends; `24:00` is the end of the day.")

    @classmethod
    def of(cls, hours: domain.WallRange) -> "TimeRange":
        return cls(from_=LocalTime(hours.start), to=LocalTime(hours.end))


@strawberry.type(description="The same hours on some days of the week.")
class WeeklyHours:
    """A time over midnight is two entries that touch at `24:00` and `00:00`."""

    days: list[Weekday] = strawberry.field(description="On which days.")
    from_: LocalTime = strawberry.field(name="from", description="When they begin.")
    to: LocalTime = strawberry.field(description="When they end; `24:00` is the end of the day.")

    @classmethod
    def of(cls, weekly: domain.WeeklyHours) -> "WeeklyHours":
        hours = weekly.hours
        days = [Weekday(day) for day in weekly.days]
        return cls(days=days, from_=LocalTime(hours.start), to=LocalTime(hours.end))


@strawberry.type(description="A date whose hours replace the weekly ones.")
class DateOverride:
    """In the zone of the rules."""

    date: datetime.date = strawberry.field(description="Which date.")
    hours: list[TimeRange] = strawberry.field(description="Its hours; empty means closed.")

    @classmethod
    def of(cls, override: domain.DateOverride) -> "DateOverride":
        return cls(date=override.date, hours=[TimeRange.of(hours) for hours in override.hours])


@strawberry.type(description="Opening hours: weekly ones in a zone, and the dates that differ.")
class AvailabilityRules:
    """Wall-clock times of one zone."""

    time_zone: TimeZone = strawberry.field(description="Whose wall clock is meant.")
    weekly: list[WeeklyHours] = strawberry.field(description="The hours of each week.")
    overrides: list[DateOverride] = strawberry.field(description="Dates with other hours, or none.")

    @classmethod
    def of(cls, rules: domain.AvailabilityRules) -> "AvailabilityRules":
        return cls(
            time_zone=TimeZone(rules.time_zone),
            weekly=[WeeklyHours.of(weekly) for weekly in rules.weekly],
            overrides=[DateOverride.of(override) for override in rules.overrides],
        )


@strawberry.input(description="From and to on the wall clock.")
class TimeRangeInput:
    """Half-open."""

    from_: LocalTime = strawberry.field(name="from", description="When it begins, at most `23:59`.")
    to: LocalTime = strawberry.field(description="When it ends, after `from`; `24:00` is the end of the day.")


@strawberry.input(description="The same hours on some days of the week.")
class WeeklyHoursInput:
    """Hours of one day may touch, not overlap."""

    days: list[Weekday] = strawberry.field(description="On which days, at least one.")
    from_: LocalTime = strawberry.field(name="from", description="When they begin, at most `23:59`.")
    to: LocalTime = strawberry.field(description="When they end, after `from`; `24:00` is the end of the day.")


@strawberry.input(description="A date whose hours replace the weekly ones.")
class DateOverrideInput:
    """Each date once."""

    date: datetime.date = strawberry.field(description="Which date, in the zone of the rules.")
    hours: list[TimeRangeInput] = strawberry.field(description="Its hours; empty means closed.")


@strawberry.input(description="Opening hours: weekly ones in a zone, and the dates that differ.")
class AvailabilityRulesInput:
    """Taken whole: what is left out here is gone."""

    time_zone: TimeZone = strawberry.field(description="Whose wall clock is meant.")
    weekly: list[WeeklyHoursInput] = strawberry.field(description="The hours of each week.")
    overrides: list[DateOverrideInput] = strawberry.field(
        default_factory=list, description="Dates with other hours, or none; at most 400."
    )

    def rules(self) -> domain.AvailabilityRules:
        return domain.AvailabilityRules(self.time_zone, tuple(self._weekly()), tuple(self._overrides()))

    def _weekly(self) -> Iterator[domain.WeeklyHours]:
        for entry in self.weekly:
            days = tuple(day.value for day in entry.days)
            yield domain.WeeklyHours(days, domain.WallRange(entry.from_, entry.to))

    def _overrides(self) -> Iterator[domain.DateOverride]:
        for override in self.overrides:
            hours = tuple(domain.WallRange(entry.from_, entry.to) for entry in override.hours)
            yield domain.DateOverride(override.date, hours)
