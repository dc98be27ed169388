"""Short ways to say a page, a host and a time; Berlin unless a zone is given."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from meetings.domain.availability import (
    BusySpan,
    DayRange,
    HostTime,
    OpeningHours,
    SlotRules,
    at_minute,
    floor_minute,
    open_starts,
)
from meetings.domain.availability.blocks import Pool

BERLIN = "Europe/Berlin"
LONG_AGO = 0


def at(text: str, zone: str = BERLIN) -> int:
    """`at("2026-06-01 09:00")`: the instant at which a clock in `zone` shows that, the first if it does so twice."""
    return floor_minute(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def ranges(*texts: str) -> tuple[DayRange, ...]:
    """`ranges("09:00-12:00", "13:00-24:00")`."""
    return tuple(DayRange(*(int(each[:2]) * 60 + int(each[3:]) for each in text.split("-"))) for text in texts)


def every_day(
    *texts: str, zone: str = BERLIN, overrides: dict[date, tuple[DayRange, ...]] | None = None
) -> OpeningHours:
    return OpeningHours(zone, (ranges(*texts),) * 7, overrides or {})


def a_page(
    *texts: str, zone: str = BERLIN, overrides: dict[date, tuple[DayRange, ...]] | None = None, **rules: Any
) -> SlotRules:
    """Open every day at these times, 09:00 to 17:00 if none is given; 30 minutes every 30 minutes."""
    hours = every_day(*(texts or ("09:00-17:00",)), zone=zone, overrides=overrides)
    return SlotRules(hours, **{"duration": 30, "increment": 30, **rules})


def a_host(name: str = "Ann", *busy: BusySpan | tuple[int, int], **known: Any) -> HostTime:
    return HostTime(name, busy, **{"known_from": 0, "known_until": at("2100-01-01 00:00"), **known})


def on(
    day: str,
    page: SlotRules,
    hosts: Iterable[HostTime] | None = None,
    pool: Pool = Pool.ALL,
    *,
    earliest: int = LONG_AGO,
    page_meetings: Iterable[int] = (),
) -> list[str]:
    """What the wall clock of the page shows at each start offered from midnight to midnight."""
    zone = page.hours.zone
    start, end = (
        at(f"{day} 00:00", zone),
        at(f"{date.fromordinal(date.fromisoformat(day).toordinal() + 1)} 00:00", zone),
    )
    found = open_starts(
        page,
        [a_host()] if hosts is None else list(hosts),
        pool,
        start=start,
        end=end,
        earliest=earliest,
        page_meetings=list(page_meetings),
    )
    return [shown(each, zone) for each in found]


def shown(minute: int, zone: str = BERLIN) -> str:
    return at_minute(minute).astimezone(ZoneInfo(zone)).strftime("%H:%M")
