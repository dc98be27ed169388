"""Times as Graph writes them: a wall-clock text beside the name of a zone, by Windows' names or the IANA ones.

Source: dateTimeTimeZone resource. Windows' names come from the CLDR table that ships with Babel.
"""

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from meetings.adapters.office365.simulator.errors import (
    GraphError,
    Json,
    invalid_property,
    invalid_request,
    unknown_zone,
)


@cache
def zone_of(name: str) -> ZoneInfo:
    """Raises GraphError 400 for a name that is neither Windows' nor IANA's.

    "Customized Time Zone" and "tzone://Microsoft/Custom" stand for rules that came with an invitation; nothing knows
    them by name (supportedTimeZones of outlookUser).
    """
    iana = get_global("windows_zone_mapping").get(name, name)
    try:
        return ZoneInfo(iana)
    except (ValueError, OSError, KeyError):
        raise unknown_zone(name) from None


@cache
def windows_name(name: str) -> str:
    """Windows' name of a zone; the given name when there is none."""
    if name in get_global("windows_zone_mapping"):
        return name
    wanted = ZoneInfo(name).key
    return next((each for each, iana in get_global("windows_zone_mapping").items() if iana == wanted), name)


def read_time(raw: object, label: str) -> Json:
    """A time of a request as it is kept: wall time without offset, and the zone's name as given.

    An offset inside `dateTime` wins over `timeZone` for the instant; it is shown in that zone (assumed).

    Raises:
        GraphError: 400 for a time without `dateTime`, one that cannot be read, or an unknown zone.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("dateTime"), str):
        raise invalid_property(f"The property '{label}' needs a dateTime and a timeZone.")
    name = str(raw.get("timeZone") or "UTC")
    zone = zone_of(name)
    try:
        moment = datetime.fromisoformat(_six_digits(raw["dateTime"]))
    except ValueError:
        raise invalid_request(f"The value '{raw['dateTime']}' of '{label}' is not a date and time.") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(zone).replace(tzinfo=None)
    return {"dateTime": moment.isoformat(), "timeZone": name}


def _six_digits(text: str) -> str:
    """Graph writes seven digits of a second's fraction; Python reads at most six."""
    head, dot, tail = text.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}{dot}{tail[:digits][:6]}{tail[digits:]}" if dot else text


def wall(kept: Json) -> datetime:
    return datetime.fromisoformat(kept["dateTime"])


def instant(kept: Json) -> datetime:
    """A kept time as a UTC instant. A wall time that the clocks skip moves forward by the gap."""
    return at_wall(wall(kept), zone_of(kept["timeZone"]))


def at_wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC)


def shown(kept: Json, preferred: str, *, all_day: bool) -> Json:
    """A kept time as an answer has it, in the preferred zone.

    "All day events always return midnight-to-midnight regardless of time zone" (a maintainer in microsoft-graph-docs,
    issue 1802): the days stay and only the zone's name changes.
    """
    if all_day:
        return {"dateTime": _seven_digits(wall(kept)), "timeZone": preferred}
    return {"dateTime": _seven_digits(instant(kept).astimezone(zone_of(preferred))), "timeZone": preferred}


def _seven_digits(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None):%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}0"


def stamp(moment: datetime) -> str:
    """A Timestamp: UTC with seven digits (createdDateTime, lastModifiedDateTime)."""
    return f"{_seven_digits(moment.astimezone(UTC))}Z"


def read_instant(text: str, label: str, zone: ZoneInfo) -> datetime:
    """A bound of calendarView: ISO 8601; without an offset it is in `zone` (UTC: "List calendarView").

    Raises:
        GraphError: 400.
    """
    try:
        moment = datetime.fromisoformat(_six_digits(text.strip()))
    except ValueError:
        message = f"The value of parameter '{label}' is invalid."
        raise GraphError(400, "ErrorInvalidParameter", message) from None
    return moment.astimezone(UTC) if moment.tzinfo else at_wall(moment, zone)


def from_python(moment: datetime | date, zone_name: str) -> Json:
    """What a person typed in Outlook: a day, or a moment, shown in `zone_name` unless it has a zone by name itself."""
    if not isinstance(moment, datetime):
        return {"dateTime": datetime.combine(moment, time()).isoformat(), "timeZone": zone_name}
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    own = moment.tzinfo.key if isinstance(moment.tzinfo, ZoneInfo) else zone_name
    return {"dateTime": moment.astimezone(zone_of(own)).replace(tzinfo=None).isoformat(), "timeZone": own}


def is_midnight(kept: Json) -> bool:
    moment = wall(kept)
    return moment == moment.replace(hour=0, minute=0, second=0, microsecond=0)
