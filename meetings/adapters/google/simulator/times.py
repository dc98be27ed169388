"""Google's way of writing moments, and how an event's start and end are read and shown.

An event time is `{"dateTime", "timeZone"}` or, all day, `{"date"}` (Events resource, `start` and `end`). Stored times
keep the offset of their own zone; an answer shows every dateTime with the offset of the zone it was asked for,
otherwise of the calendar (events.list, `timeZone`).
"""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from meetings.adapters.google.simulator.errors import GoogleError, Json, invalid, required


def read_instant(text: str, parameter: str) -> datetime:
    """An RFC 3339 timestamp with its mandatory offset, as UTC. Fractions of a second are cut off (events.list,
    `timeMin`).
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise GoogleError(400, "badRequest", "Bad Request", location=("parameter", parameter)) from None
    if moment.tzinfo is None:
        raise GoogleError(400, "badRequest", "Bad Request", location=("parameter", parameter))
    return moment.astimezone(UTC).replace(microsecond=0)


def read_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(f"Invalid time zone definition: {name}.") from None


def written(moment: datetime, zone: ZoneInfo) -> str:
    """RFC 3339 with the zone's offset; UTC ends in Z."""
    return moment.astimezone(zone).isoformat(timespec="seconds").replace("+00:00", "Z")


def stamp(moment: datetime) -> str:
    """The form of `created` and `updated`: UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_event_time(raw: Any, label: str, calendar_zone: str) -> Json:
    """A start or end as stored. `label` is "start" or "end", for the error.

    A dateTime without offset needs a timeZone (Events resource, `start.dateTime`).
    """
    if not isinstance(raw, dict) or ("date" not in raw and "dateTime" not in raw):
        raise required(f"Missing {label} time.")
    if raw.get("date"):
        if raw.get("dateTime"):
            raise invalid(f"Invalid {label} time.")
        return {"date": _day(raw["date"], label)}
    zone_name = str(raw.get("timeZone") or calendar_zone)
    zone = read_zone(zone_name)
    try:
        moment = datetime.fromisoformat(str(raw["dateTime"]))
    except ValueError:
        raise invalid(f"Invalid {label} time.") from None
    if moment.tzinfo is None:
        if not raw.get("timeZone"):
            raise required(f"Missing time zone definition for {label} time.")
        moment = moment.replace(tzinfo=zone)
    return {"dateTime": written(moment, zone), "timeZone": zone_name}


def _day(raw: Any, label: str) -> str:
    try:
        return date.fromisoformat(str(raw)).isoformat()
    except ValueError:
        raise invalid(f"Invalid {label} time.") from None


def instant(when: Json, zone_of_days: ZoneInfo) -> datetime:
    """A stored time as a UTC instant; a day begins at its midnight in `zone_of_days`."""
    if "date" in when:
        day = date.fromisoformat(when["date"])
        return datetime(day.year, day.month, day.day, tzinfo=zone_of_days).astimezone(UTC)
    return datetime.fromisoformat(when["dateTime"]).astimezone(UTC)


def shown(when: Json, zone: ZoneInfo) -> Json:
    if "date" in when:
        return dict(when)
    return {"dateTime": written(datetime.fromisoformat(when["dateTime"]), zone), "timeZone": when["timeZone"]}


def from_python(moment: datetime | date, calendar_zone: str) -> Json:
    """What a person typed in Google's own pages: a day, or a moment with the zone it was meant in."""
    if not isinstance(moment, datetime):
        return {"date": moment.isoformat()}
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    name = moment.tzinfo.key if isinstance(moment.tzinfo, ZoneInfo) else calendar_zone
    return {"dateTime": written(moment, ZoneInfo(name)), "timeZone": name}
