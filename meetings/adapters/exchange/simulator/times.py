"""Moments in requests and answers.

Answers are in UTC unless the request names a `TimeZoneContext` ("TimeZoneContext", since Exchange 2010); then they are
in that zone with its offset. A time in a request without an offset is in that zone, else UTC.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator.errors import invalid_schema


def read_moment(text: str, zone: ZoneInfo) -> datetime:
    """An aware instant in UTC, to whole seconds. Raises EwsFault ErrorSchemaValidation."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise invalid_schema(f"The value '{text}' is invalid according to its datatype 'dateTime'.") from None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC).replace(microsecond=0)


def written(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    if local.utcoffset() == timedelta() and zone.key in ("UTC", "Etc/UTC"):
        return f"{local:%Y-%m-%dT%H:%M:%S}Z"
    return local.isoformat(timespec="seconds")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
