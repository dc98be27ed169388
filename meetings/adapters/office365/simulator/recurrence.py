"""When a series takes place: Graph's pattern and range, expanded in wall-clock time of the series' own zone.

Source: recurrencePattern, recurrenceRange and patternedRecurrence resources. A series is kept in its own zone, so 09:00
stays 09:00 over a change of the clocks; an occurrence lasts as long on the clock as the first (assumed). Relative
patterns with several days fall on the first day that fits ("the event falls on the first day that satisfies the
pattern").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday  # type: ignore[import-untyped]  # untyped

from meetings.adapters.office365.simulator.errors import Json, invalid_property
from meetings.adapters.office365.simulator.times import instant, wall, zone_of

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEX = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_PATTERNS = ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
_MARGIN = timedelta(days=1)


@dataclass(frozen=True)
class Occurrence:
    """One planned occurrence: `key` is the day of its original start in the series' zone."""

    key: str
    start: Json
    end: Json


def occurrences(series: Json, ends_after: datetime, starts_before: datetime) -> Iterator[Occurrence]:
    """The planned occurrences that touch the half-open window, in order."""
    zone = zone_of(series["start"]["timeZone"])
    length = wall(series["end"]) - wall(series["start"])
    first = (ends_after - length - _MARGIN).astimezone(zone).replace(tzinfo=None, fold=0)
    for begins in _rule(series).xafter(first, inc=True):
        occurrence = _occurrence(series, begins, length)
        if instant(occurrence.start) >= starts_before:
            return
        if instant(occurrence.end) > ends_after:
            yield occurrence


def occurrence_of(series: Json, key: str) -> Occurrence | None:
    """The planned occurrence whose original start is on this day."""
    day = datetime.fromisoformat(key).replace(tzinfo=UTC)
    near = occurrences(series, day - 2 * _MARGIN, day + 3 * _MARGIN)
    return next((each for each in near if each.key == key), None)


def check_recurrence(recurrence: Any, start: Json) -> Json:
    """The recurrence as kept. Raises GraphError 400 ErrorPropertyValidationFailure (wordings assumed)."""
    if not isinstance(recurrence, dict) or not isinstance(recurrence.get("pattern"), dict):
        raise invalid_property("The recurrence pattern is invalid.")
    pattern, range_ = dict(recurrence["pattern"]), dict(recurrence.get("range") or {})
    if pattern.get("type") not in _PATTERNS or not isinstance(pattern.get("interval"), int) or pattern["interval"] < 1:
        raise invalid_property("The recurrence pattern is invalid.")
    if range_.get("type") not in ("endDate", "noEnd", "numbered"):
        raise invalid_property("The recurrence range is invalid.")
    if range_.get("startDate") not in (None, wall(start).date().isoformat()):
        raise invalid_property("The recurrence range must start on the day of the event.")
    range_["startDate"] = wall(start).date().isoformat()
    range_.setdefault("recurrenceTimeZone", start["timeZone"])
    range_.setdefault("endDate", "0001-01-01")
    range_.setdefault("numberOfOccurrences", 0)
    kept = {"pattern": _whole_pattern(pattern, start), "range": range_}
    try:
        next(iter(_rule({"start": start, "recurrence": kept})), None)
    except (ValueError, KeyError, TypeError):
        raise invalid_property("The recurrence pattern is invalid.") from None
    return kept


def moved_range(recurrence: Json, start: Json) -> Json:
    """The recurrence after the series' first day moved: the range starts there, and a weekly rule follows the weekday.

    That the weekday of a rule with one day follows is what Outlook does when a person drags a series (assumed).
    """
    pattern, range_ = dict(recurrence["pattern"]), dict(recurrence["range"])
    day = wall(start).date()
    if pattern["type"] == "weekly" and len(pattern["daysOfWeek"]) == 1:
        pattern["daysOfWeek"] = [_DAYS[day.weekday()]]
    if pattern["type"] in ("absoluteMonthly", "absoluteYearly"):
        pattern["dayOfMonth"] = day.day
    if pattern["type"] == "absoluteYearly":
        pattern["month"] = day.month
    return {"pattern": pattern, "range": {**range_, "startDate": day.isoformat()}}


def _whole_pattern(pattern: Json, start: Json) -> Json:
    """Graph answers every member of a pattern, also those that its type does not use."""
    day = wall(start).date()
    if pattern["type"] == "weekly" and not pattern.get("daysOfWeek"):
        pattern["daysOfWeek"] = [_DAYS[day.weekday()]]
    used = {"month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday", "index": "first"}
    return {**used, **pattern}


def _occurrence(series: Json, begins: datetime, length: timedelta) -> Occurrence:
    start = {**series["start"], "dateTime": begins.isoformat()}
    end = {"dateTime": (begins + length).isoformat(), "timeZone": series["end"]["timeZone"]}
    return Occurrence(begins.date().isoformat(), start, end)


def _rule(series: Json) -> rrule:
    pattern, range_ = series["recurrence"]["pattern"], series["recurrence"]["range"]
    days = [_day(name) for name in pattern.get("daysOfWeek") or []]
    about: dict[str, Any] = {"dtstart": wall(series["start"]), "interval": pattern["interval"], "cache": False}
    if range_["type"] == "numbered":
        about["count"] = range_["numberOfOccurrences"]
    if range_["type"] == "endDate":
        last = date.fromisoformat(range_["endDate"])
        about["until"] = datetime(last.year, last.month, last.day, 23, 59, 59)  # noqa: DTZ001 - wall time
    kind = pattern["type"]
    if kind == "daily":
        return rrule(DAILY, **about)
    if kind == "weekly":
        return rrule(WEEKLY, byweekday=days, wkst=_day(pattern["firstDayOfWeek"]), **about)
    if kind == "absoluteMonthly":
        return rrule(MONTHLY, bymonthday=pattern["dayOfMonth"], **about)
    if kind == "absoluteYearly":
        return rrule(YEARLY, bymonth=pattern["month"], bymonthday=pattern["dayOfMonth"], **about)
    if not days:
        raise ValueError("a relative pattern needs days")
    # bysetpos picks the n-th day of the month that is any of `days`.
    about |= {"byweekday": days, "bysetpos": _INDEX[pattern["index"]]}
    if kind == "relativeMonthly":
        return rrule(MONTHLY, **about)
    return rrule(YEARLY, bymonth=pattern["month"], **about)


def _day(name: str) -> weekday:
    return weekday(_DAYS.index(name.lower()))
