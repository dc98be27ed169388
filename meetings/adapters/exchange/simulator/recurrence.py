"""When a series takes place: its `Recurrence`, expanded in wall-clock time of its start zone.

Patterns and ranges: "Recurrence (RecurrenceType)" and MS-OXWSCDATA / MS-OXOCAL 2.2.1.44. A day of the month that a
month lacks is its last day (MS-OXOCAL 2.2.1.44.1.3). A wall time that does not exist moves forward by the gap, and all
occurrences last as long as the first (assumed).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil import rrule  # type: ignore[import-untyped]  # dateutil brings no types

from meetings.adapters.exchange.simulator.errors import EwsError, invalid_schema
from meetings.adapters.exchange.simulator.soap import Element, children, find, local, t, text
from meetings.adapters.exchange.simulator.zones import DAYS

_WEEKDAYS = dict(zip(DAYS, (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU), strict=True))
_GROUPS = {"Day": DAYS, "Weekday": DAYS[:5], "WeekendDay": DAYS[5:]}
_INDEX = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def starts(recurrence: Element, first: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The planned starts in order, as UTC instants; endless for a series without end."""
    wall = first.astimezone(zone)
    for each in _rule(recurrence, wall.time().replace(tzinfo=None)):
        yield each.replace(tzinfo=zone).astimezone(UTC)


def check(recurrence: Element, first: datetime, zone: ZoneInfo) -> datetime:
    """The start of the first occurrence. Raises EwsError ErrorRecurrenceHasNoOccurrence."""
    found = next(starts(recurrence, first, zone), None)
    if found is None:
        raise EwsError("ErrorRecurrenceHasNoOccurrence")
    return found


def moved(recurrence: Element, by: timedelta, zone: ZoneInfo, first: datetime) -> Element:
    """The recurrence after the whole series was dragged: its range, and the weekdays of a weekly pattern, go along."""
    was, becomes = first.astimezone(zone).date(), (first + by).astimezone(zone).date()
    days = (becomes - was).days
    fresh = t("Recurrence")
    for part in children(recurrence):
        copy = t(local(part))
        for each in children(part):
            value = each.text or ""
            if local(each) in ("StartDate", "EndDate"):
                value = (read_date(value) + timedelta(days=days)).isoformat()
            if local(each) == "DaysOfWeek" and local(part) == "WeeklyRecurrence":
                value = " ".join(DAYS[(DAYS.index(day) + days) % 7] for day in value.split())
            if local(each) == "DayOfMonth":
                value = str(becomes.day)
            copy.append(t(local(each), value))
        fresh.append(copy)
    return fresh


def weekly(first: date, *, times: int | None, interval: int = 1) -> Element:
    """Every `interval` weeks on the weekday of `first`."""
    pattern = t("WeeklyRecurrence", t("Interval", str(interval)), t("DaysOfWeek", DAYS[first.weekday()]))
    return t("Recurrence", pattern, range_from(first, times=times))


def range_from(first: date, *, times: int | None) -> Element:
    begins = t("StartDate", first.isoformat())
    if times is None:
        return t("NoEndRecurrence", begins)
    return t("NumberedRecurrence", begins, t("NumberOfOccurrences", str(times)))


def read_date(value: str) -> date:
    """A day; a zone or offset behind it is not looked at (xs:date allows one)."""
    try:
        return date.fromisoformat(value.strip()[:10])
    except ValueError:
        raise invalid_schema(f"The value '{value}' is invalid according to its datatype 'date'.") from None


def _rule(recurrence: Element, at: time) -> rrule.rrule:
    parts = list(children(recurrence))
    if len(parts) != 2:
        raise invalid_schema("The element 'Recurrence' has incomplete content.")
    pattern, bounds = parts
    begins = datetime.combine(read_date(text(bounds, "t:StartDate")), at)
    named = _pattern(pattern)
    if local(bounds) == "NumberedRecurrence":
        named["count"] = int(text(bounds, "t:NumberOfOccurrences"))
    elif local(bounds) == "EndDateRecurrence":
        named["until"] = datetime.combine(read_date(text(bounds, "t:EndDate")), at)
    elif local(bounds) != "NoEndRecurrence":
        raise invalid_schema(f"The element 'Recurrence' has invalid child element '{local(bounds)}'.")
    return rrule.rrule(dtstart=begins, **named)


def _pattern(pattern: Element) -> dict[str, object]:
    interval = int(text(pattern, "t:Interval", "1"))
    kind = local(pattern)
    if kind == "DailyRecurrence":
        return {"freq": rrule.DAILY, "interval": interval}
    if kind == "WeeklyRecurrence":
        first = text(pattern, "t:FirstDayOfWeek", "Sunday")
        return {
            "freq": rrule.WEEKLY,
            "interval": interval,
            "byweekday": _days(pattern),
            "wkst": _WEEKDAYS[first],
        }
    if kind == "AbsoluteMonthlyRecurrence":
        return {"freq": rrule.MONTHLY, "interval": interval, **_day_of_month(pattern)}
    if kind == "RelativeMonthlyRecurrence":
        return {"freq": rrule.MONTHLY, "interval": interval, **_relative_day(pattern)}
    if kind == "AbsoluteYearlyRecurrence":
        return {"freq": rrule.YEARLY, "bymonth": _month(pattern), **_day_of_month(pattern)}
    if kind == "RelativeYearlyRecurrence":
        return {"freq": rrule.YEARLY, "bymonth": _month(pattern), **_relative_day(pattern)}
    raise invalid_schema(f"The element 'Recurrence' has invalid child element '{kind}'.")


def _day_of_month(pattern: Element) -> dict[str, object]:
    day = int(text(pattern, "t:DayOfMonth"))
    return {"bymonthday": day} if day <= 28 else {"bymonthday": tuple(range(28, day + 1)), "bysetpos": -1}


def _relative_day(pattern: Element) -> dict[str, object]:
    return {"byweekday": _days(pattern), "bysetpos": _INDEX[text(pattern, "t:DayOfWeekIndex")]}


def _days(pattern: Element) -> list[object]:
    names = text(find(pattern, "t:DaysOfWeek")).split()
    return [_WEEKDAYS[day] for name in names for day in _GROUPS.get(name, (name,))]


def _month(pattern: Element) -> int:
    return MONTHS.index(text(pattern, "t:Month")) + 1
