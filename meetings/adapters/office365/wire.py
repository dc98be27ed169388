"""Graph's JSON, read: calendars, busy time, changes, the mailbox's zone, subscriptions. Pure functions.

Sources: the resources calendar, event, scheduleInformation and subscription of Microsoft Graph v1.0; "event: delta".
Titles, descriptions and guests are not asked for where Graph lets us choose, and never kept where it does not. What
needs them is in `event_news`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from meetings.adapters.office365.booking_event import booking_key
from meetings.adapters.office365.zones import iana_name, zone_of
from meetings.application.ports.calendars import (
    BusyStatus,
    EventTime,
    ProviderUnavailable,
    PushChannel,
    RemovedEvent,
)
from meetings.domain.calendar_connection import CalendarAccess, ListedCalendar
from meetings.domain.timespan import TimeSpan, ceil_minute, floor_minute

Json = Any

CALENDAR_SELECT = "id,name,hexColor,isDefaultCalendar,canEdit,canShare,owner"
EVENT_SELECT = (
    "id,transactionId,isOrganizer,seriesMasterId,start,end,isAllDay,isCancelled,showAs,responseStatus,"
    "originalStartTimeZone"
)

_SHOWN = {
    "free": BusyStatus.FREE,
    "tentative": BusyStatus.TENTATIVE,
    "busy": BusyStatus.BUSY,
    "oof": BusyStatus.OUT_OF_OFFICE,
    "workingElsewhere": BusyStatus.WORKING_ELSEWHERE,
}
# What an occurrence leaves to its series in a change feed (microsoft-graph-docs, issue 7632).
_INHERITED = ("showAs", "isAllDay", "isCancelled", "responseStatus", "isOrganizer", "originalStartTimeZone")


def listed_calendars(entries: Iterable[Json], zone: str | None) -> tuple[ListedCalendar, ...]:
    """Entries of the list of calendars, the primary first, otherwise in Graph's order. Own ones are in the mailbox's
    zone; of others' the zone is not told, nor whether more than free and busy is shared."""
    told = list(entries)
    ours = {_owner(entry) for entry in told if entry.get("isDefaultCalendar")}
    calendars = [_listed(entry, zone, _owner(entry) in ours) for entry in told]
    return tuple(sorted(calendars, key=lambda calendar: not calendar.primary))


def _listed(entry: Json, zone: str | None, own: bool) -> ListedCalendar:
    primary, can_edit = bool(entry.get("isDefaultCalendar")), bool(entry.get("canEdit"))
    owner = primary or (can_edit and (own or bool(entry.get("canShare"))))
    return ListedCalendar(
        external_id=entry["id"],
        name=entry.get("name") or entry["id"],
        access=CalendarAccess.OWNER if owner else CalendarAccess.WRITER if can_edit else CalendarAccess.READER,
        primary=primary,
        color=entry.get("hexColor") or None,
        time_zone=zone if owner or own else None,
    )


def _owner(entry: Json) -> str | None:
    address = (entry.get("owner") or {}).get("address")
    return str(address).lower() if address else None


def mailbox_zone(answer: Json) -> str | None:
    """The IANA name of the zone that a mailbox is in, from what getSchedule tells of its working hours."""
    for schedule in answer["value"]:
        zone = ((schedule.get("workingHours") or {}).get("timeZone") or {}).get("name")
        if zone:
            return iana_name(zone)
    return None


def has_whole_days(items: Iterable[Json]) -> bool:
    return any(item.get("isAllDay") for item in items)


def blocking_events(items: Iterable[Json], span: TimeSpan, zone: str | None) -> tuple[EventTime, ...]:
    """Those that block time in `span`."""
    start, end = span.minutes()
    events = [event(item, zone) for item in items]
    return tuple(
        each
        for each in events
        if isinstance(each, EventTime) and each.status.blocks and each.start < end and each.end > start
    )


def event(item: Json, zone: str | None) -> EventTime | RemovedEvent:
    """An event, or an instance of a series that was given what it left to it (see `with_series`); `zone` as in
    `span`."""
    if "@removed" in item or item.get("isCancelled"):
        return RemovedEvent(item["id"], booking_key(item))
    start, end = span(item, zone)
    return EventTime(
        event_id=item["id"],
        start=floor_minute(start),
        end=ceil_minute(end),
        status=_status(item),
        series_id=series_of(item),
        booking_key=booking_key(item),
    )


def span(item: Json, zone: str | None) -> tuple[datetime, datetime]:
    """From when to when an event is, in UTC.

    Whole days are days of `zone`, the mailbox's: Graph tells them from midnight to midnight whatever zone one asks for
    (microsoft-graph-docs, issue 1802). Without it they are days of the zone they were made in.
    """
    whole = bool(item.get("isAllDay"))
    days = zone_of(zone) or zone_of(item.get("originalStartTimeZone")) if whole else None
    return _point(item["start"], days), _point(item["end"], days)


def with_series(item: Json, series: Json) -> Json:
    """An instance with what it left to its series."""
    return {**{name: series[name] for name in _INHERITED if series.get(name) is not None}, **_told(item)}


def inherited(series: Json) -> Json:
    """As much of a series as its instances need."""
    return {name: series.get(name) for name in _INHERITED}


def series_of(item: Json) -> str | None:
    """The id of the series that an instance belongs to."""
    series = item.get("seriesMasterId")
    return series if isinstance(series, str) and series else None


def is_series(item: Json) -> bool:
    return item.get("type") == "seriesMaster" and "@removed" not in item


def _told(item: Json) -> Json:
    return {name: value for name, value in item.items() if value is not None}


def _status(item: Json) -> BusyStatus:
    """A-AV2. An invitation without an answer is tentative, as Outlook shows it."""
    if (item.get("responseStatus") or {}).get("response") == "declined":
        return BusyStatus.FREE
    return _SHOWN.get(str(item.get("showAs")), BusyStatus.UNKNOWN)


def _point(told: Mapping[str, str], days: ZoneInfo | None) -> datetime:
    """dateTimeTimeZone, in UTC; with `days`, the midnight there that begins the day."""
    wall = datetime.fromisoformat(told["dateTime"])
    if days is not None:
        return datetime.combine(wall.date(), time(), days).astimezone(UTC)
    zone = zone_of(told.get("timeZone", "UTC"))
    if zone is None:
        raise ProviderUnavailable("an event in a time zone that is not in our database")
    return (wall if wall.tzinfo else wall.replace(tzinfo=zone)).astimezone(UTC)


def stamp(instant: datetime) -> str:
    """ISO 8601 in whole seconds of UTC, rounded up."""
    rounded = instant.astimezone(UTC) + timedelta(microseconds=-instant.microsecond % 1_000_000)
    return rounded.isoformat(timespec="seconds").replace("+00:00", "Z")


def channel(answer: Json, channel_id: str) -> PushChannel:
    """A subscription that Graph made."""
    try:
        expires_at = datetime.fromisoformat(answer["expirationDateTime"])
        return PushChannel(channel_id, str(answer["id"]), expires_at.astimezone(UTC))
    except (TypeError, KeyError, ValueError, OverflowError):
        raise ProviderUnavailable("a subscription without its particulars") from None
