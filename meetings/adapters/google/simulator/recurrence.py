"""When a series takes place: its recurrence lines, expanded in wall-clock time of its own zone.

`recurrence` holds RRULE, EXRULE, RDATE and EXDATE lines of RFC 5545; start and end stand beside it (Events resource).
The rules move over wall-clock time in the zone of the start ("Create events", recurring events), so 09:00 stays 09:00
over a change of the clocks. A wall time that does not exist moves forward by the gap, as RFC 5545 3.3.5 reads it. All
occurrences last exactly as long as the first (RFC 5545 3.8.5.3). What the start alone would add to the rules is not
added (assumed).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr  # type: ignore[import-untyped]  # dateutil brings no types

from meetings.adapters.google.simulator.errors import GoogleError, Json, invalid
from meetings.adapters.google.simulator.times import instant, read_zone, written

# Without an upper bound an endless series is answered as 730 instances: "should be a total of 730 recurring event
# instances" for a daily one (SwitchbackTech/compass, issue 797); a weekly one reached into 2040 (garrytan/gbrain,
# 5015).
MOST_INSTANCES = 730


@dataclass(frozen=True)
class Occurrence:
    """One planned instance: `key` ends its id, `start` is also its originalStartTime."""

    key: str
    start: Json
    end: Json


def occurrences(
    series: Json, zone_of_days: ZoneInfo, *, ends_after: datetime | None = None, starts_before: datetime | None = None
) -> list[Occurrence]:
    """The occurrences that touch the half-open window, in order; at most `MOST_INSTANCES` when it has no end."""
    found = _touching(series, zone_of_days, ends_after, starts_before)
    return list(islice(found, None if starts_before else MOST_INSTANCES))


def _touching(
    series: Json, zone_of_days: ZoneInfo, ends_after: datetime | None, starts_before: datetime | None
) -> Iterator[Occurrence]:
    length = instant(series["end"], zone_of_days) - instant(series["start"], zone_of_days)
    rules, zone, is_day = _rules(series, zone_of_days)
    # A day on each side covers every offset between wall time and UTC.
    margin = timedelta(days=1)
    first = None if ends_after is None else _wall(ends_after - length - margin, zone)
    for wall in rules if first is None else rules.xafter(first):
        begins = wall.replace(tzinfo=zone).astimezone(UTC)
        if starts_before is not None and begins >= starts_before:
            return
        if ends_after is None or begins + length > ends_after:
            yield _day(wall, series) if is_day else _moment(begins, length, zone, series)


def instance_key(original_start: Json) -> str:
    """What follows the underscore in an instance id: `20260302T080000Z`, or `20260302` for a day (seen in answers)."""
    if "date" in original_start:
        return str(original_start["date"]).replace("-", "")
    return f"{datetime.fromisoformat(original_start['dateTime']).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def check_recurrence(series: Json) -> None:
    """Raises GoogleError 400 for lines that cannot be read (wording assumed)."""
    try:
        next(iter(_rules(series, ZoneInfo("UTC"))[0]), None)
    except (ValueError, KeyError, TypeError, GoogleError):
        raise invalid("Invalid recurrence rule.") from None


def _rules(series: Json, zone_of_days: ZoneInfo) -> tuple[rruleset, ZoneInfo, bool]:
    is_day = "date" in series["start"]
    zone = zone_of_days if is_day else read_zone(series["start"]["timeZone"])
    start = _wall(instant(series["start"], zone), zone)
    rules = rruleset()
    for line in series["recurrence"]:
        name, _, value = line.partition(":")
        kind, *parameters = name.upper().split(";")
        if kind in ("RRULE", "EXRULE"):
            rule = rrulestr(_with_wall_until(value, zone), dtstart=start)
            (rules.rrule if kind == "RRULE" else rules.exrule)(rule)
        elif kind in ("RDATE", "EXDATE"):
            own_zone = next((ZoneInfo(name.split("TZID=")[1]) for each in parameters if each.startswith("TZID=")), zone)
            for text in value.split(","):
                (rules.rdate if kind == "RDATE" else rules.exdate)(_line_time(text, own_zone, zone, start))
        else:
            raise ValueError(line)
    return rules, zone, is_day


def _with_wall_until(rule: str, zone: ZoneInfo) -> str:
    """UNTIL is UTC when the start has a zone (RFC 5545 3.3.10); the expansion runs on wall time."""
    parts = [part.split("=", 1) for part in rule.split(";") if part]
    for part in parts:
        if part[0].upper() == "UNTIL" and part[1].upper().endswith("Z"):
            until = datetime.strptime(part[1].upper(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            part[1] = f"{_wall(until, zone):%Y%m%dT%H%M%S}"
        elif part[0].upper() == "UNTIL" and "T" not in part[1].upper():
            part[1] += "T235959"
    return ";".join("=".join(part) for part in parts)


def _line_time(text: str, own_zone: ZoneInfo, zone: ZoneInfo, start: datetime) -> datetime:
    if "T" not in text:
        return datetime.combine(date.fromisoformat(text), start.time())
    if text.endswith("Z"):
        return _wall(datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), zone)
    return _wall(datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=own_zone), zone)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _moment(begins: datetime, length: timedelta, zone: ZoneInfo, series: Json) -> Occurrence:
    start = {"dateTime": written(begins, zone), "timeZone": series["start"]["timeZone"]}
    end_zone = read_zone(series["end"]["timeZone"])
    end = {"dateTime": written(begins + length, end_zone), "timeZone": series["end"]["timeZone"]}
    return Occurrence(instance_key(start), start, end)


def _day(wall: datetime, series: Json) -> Occurrence:
    days = date.fromisoformat(series["end"]["date"]) - date.fromisoformat(series["start"]["date"])
    start = {"date": wall.date().isoformat()}
    return Occurrence(instance_key(start), start, {"date": (wall.date() + days).isoformat()})
