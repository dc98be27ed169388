"""Scalars that say what they hold; strict on the way in, one form on the way out.

A value that is none fails the request with `BAD_USER_INPUT` and a `reason`: these are written by programs. What people
type (addresses, slugs, links) comes in as `String`, so that all its problems arrive together as data.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from meetings.domain.base import ProblemCode
from meetings.domain.period import Period
from meetings.domain.text import locale_problem, url_problem
from meetings.graphql.time_zones import canonical_zone

TimeZone = NewType("TimeZone", str)
EmailAddress = NewType("EmailAddress", str)
URL = NewType("URL", str)
Locale = NewType("Locale", str)
LocalTime = NewType("LocalTime", int)
"""Minutes from local midnight, 0 to 1440."""

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?)?",
    re.ASCII,
)
_YEARS = range(1970, 2200)


def refused(message: str, reason: str = ProblemCode.VALIDATION.value) -> GraphQLError:
    """A value that cannot be read; `reason` is the code a client branches on."""
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT", "reason": reason})


def parse_instant(value: object) -> datetime:
    """An RFC 3339 instant as UTC. Years 1970 to 2199, so that no sum with it leaves what a calendar can hold."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            instant = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            instant = None
        if instant and instant.year in _YEARS:
            return instant
    raise refused("A DateTime is an instant with an offset, such as 2026-11-03T10:00:00+01:00.")


def print_instant(value: datetime) -> str:
    """UTC with `Z`; fractions only where there are any, as milliseconds."""
    instant = value if value.tzinfo is UTC else value.astimezone(UTC)
    return instant.isoformat(timespec="milliseconds" if instant.microsecond else "seconds")[:-6] + "Z"


def parse_day(value: object) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        if day and day.year in _YEARS:
            return day
    raise refused("A Date is a day such as 2026-11-03.")


def parse_zone(value: object) -> TimeZone:
    zone = canonical_zone(value) if isinstance(value, str) else None
    if zone is None:
        raise refused("A TimeZone is an IANA name such as Europe/Berlin.", ProblemCode.TIMEZONE_INVALID.value)
    return TimeZone(zone)


def print_zone(value: str) -> str:
    return canonical_zone(value) or value


def parse_clock(value: object) -> LocalTime:
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return LocalTime(int(value[:2]) * 60 + int(value[3:]))
    raise refused("A LocalTime is a time of day from 00:00 to 24:00, such as 09:30.")


def print_clock(value: int) -> str:
    return f"{value // 60:02}:{value % 60:02}"


def parse_duration(value: object) -> Period:
    """Weeks and days are calendar days, hours and minutes elapsed time; months, years and seconds are not accepted."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise refused("A Duration is made of weeks, days, hours and minutes in ISO 8601, such as P1D, PT4H or PT30M.")
    weeks, days, hours, minutes = (int(found[name] or 0) for name in ("weeks", "days", "hours", "minutes"))
    return Period(days=weeks * 7 + days, minutes=hours * 60 + minutes)


def print_duration(value: Period | timedelta) -> str:
    """Days, hours, minutes; a timedelta is elapsed time, with seconds, and has no days."""
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        return _clock_part("P", seconds // 60, seconds % 60)
    return _clock_part(f"P{value.days}D" if value.days else "P", value.minutes, 0)


def _clock_part(head: str, minutes: int, seconds: int) -> str:
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count]
    if not parts:
        return "PT0M" if head == "P" else head
    return f"{head}T{''.join(parts)}"


def parse_url(value: object) -> URL:
    if isinstance(value, str) and url_problem(value) is None:
        return URL(value)
    raise refused("A URL is an absolute http or https address.")


def parse_locale(value: object) -> Locale:
    if isinstance(value, str) and locale_problem(value) is None:
        return Locale(value)
    raise refused("A Locale is a language tag such as de or de-DE.")


def _output_only(name: str) -> Callable[[object], object]:
    def parse(value: object) -> object:
        raise refused(f"{name} is never an input.")

    return parse


_DURATION_SCALAR = strawberry.scalar(
    name="Duration",
    description="ISO 8601 duration. `P1D` is a calendar day, until the same wall time tomorrow; `PT24H` are 24 hours. "
    "In: weeks, days, hours, minutes. Out: also seconds, where a waiting time is meant.",
    specified_by_url="https://www.iso.org/iso-8601-date-and-time-format.html",
    parse_value=parse_duration,
    serialize=print_duration,
)

SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="Instant. Output is always UTC with `Z`; input may carry any offset, never none.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        parse_value=parse_instant,
        serialize=print_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description="Calendar day `YYYY-MM-DD`, read in the zone given beside it.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        parse_value=parse_day,
        serialize=date.isoformat,
    ),
    LocalTime: strawberry.scalar(
        name="LocalTime",
        description="Wall-clock time `HH:MM`, from `00:00` to `24:00`, the end of the day.",
        parse_value=parse_clock,
        serialize=print_clock,
    ),
    Period: _DURATION_SCALAR,
    timedelta: _DURATION_SCALAR,
    TimeZone: strawberry.scalar(
        name="TimeZone",
        description="IANA zone name such as `Europe/Berlin`. Old aliases are accepted, the canonical name is returned. "
        "An unknown name fails the request with `BAD_USER_INPUT` and the reason `TIMEZONE_INVALID`.",
        specified_by_url="https://www.iana.org/time-zones",
        parse_value=parse_zone,
        serialize=print_zone,
    ),
    EmailAddress: strawberry.scalar(
        name="EmailAddress",
        description="E-mail address. Only ever returned: what people type comes in as `String`.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc5322",
        parse_value=_output_only("EmailAddress"),
    ),
    URL: strawberry.scalar(
        name="URL",
        description="Absolute http or https address.",
        specified_by_url="https://url.spec.whatwg.org/",
        parse_value=parse_url,
    ),
    Locale: strawberry.scalar(
        name="Locale",
        description="BCP 47 tag of language, script and region, such as `de` or `de-DE`.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc5646",
        parse_value=parse_locale,
    ),
}
