"""Google's JSON, read: calendars, busy time, changes, channels, notifications. Pure functions.

Sources: the resources CalendarList, Freebusy, Events and Channel of Calendar API v3, "Push notifications" (guide).
Titles, descriptions and guests' names and addresses are never asked for: see the `fields` masks. What needs them is in
`event_news`.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from meetings.adapters.google.booking_event import booking_key
from meetings.adapters.google.refusals import free_busy_error
from meetings.application.ports.calendars import (
    BusyStatus,
    EventTime,
    News,
    Notice,
    ProviderError,
    ProviderUnavailable,
    PushCall,
    PushChannel,
    PushMessage,
    RemovedEvent,
)
from meetings.domain.calendar_connection import CalendarAccess, ListedCalendar
from meetings.domain.timespan import TimeSpan, ceil_minute, floor_minute

Json = Any
Minutes = tuple[int, int]
"""A half-open span of whole minutes since the epoch."""

CALENDAR_FIELDS = "nextPageToken,items(id,summary,summaryOverride,accessRole,primary,backgroundColor,timeZone,deleted)"
EVENT_FIELDS = (
    "nextPageToken,nextSyncToken,timeZone,"
    "items(id,status,start,end,transparency,eventType,recurringEventId,attendees(self,responseStatus),"
    "extendedProperties/private)"
)
FREE_BUSY_FIELDS = "calendars"

# writerWithoutPrivateAccess sees of private events only that time is taken, which is all that matters here.
_ACCESS = {
    "owner": CalendarAccess.OWNER,
    "writer": CalendarAccess.WRITER,
    "writerWithoutPrivateAccess": CalendarAccess.WRITER,
    "reader": CalendarAccess.READER,
    "freeBusyReader": CalendarAccess.FREE_BUSY,
}


def listed_calendars(entries: Iterable[Json]) -> tuple[ListedCalendar, ...]:
    """Entries of the calendar list, the primary first, otherwise in Google's order; those without access left out."""
    told = [entry for entry in entries if not entry.get("deleted") and entry.get("accessRole") in _ACCESS]
    calendars = [
        ListedCalendar(
            external_id=entry["id"],
            name=entry.get("summaryOverride") or entry.get("summary") or entry["id"],
            access=_ACCESS[entry["accessRole"]],
            primary=bool(entry.get("primary")),
            color=entry.get("backgroundColor"),
            time_zone=entry.get("timeZone"),
        )
        for entry in told
    ]
    return tuple(sorted(calendars, key=lambda calendar: not calendar.primary))


def free_busy(answer: Json, calendar: str) -> tuple[Minutes, ...] | ProviderError:
    """When one calendar is busy; why not, when Google cannot tell. Silence about it is not "free"."""
    told = answer.get("calendars", {}).get(calendar)
    if told is None:
        return ProviderUnavailable("a free/busy answer that leaves a calendar out")
    if told.get("errors"):
        return free_busy_error(str(told["errors"][0].get("reason")))
    return tuple(TimeSpan(_moment(span["start"]), _moment(span["end"])).minutes() for span in told.get("busy", []))


def blocking_events(pages: Iterable[Json], span: TimeSpan) -> list[EventTime]:
    """The events in these pages that block time in `span`."""
    start, end = span.minutes()
    events = [event for page in pages for event in page_events(page) if isinstance(event, EventTime)]
    return [event for event in events if event.status.blocks and event.start < end and event.end > start]


def unexplained(busy: Iterable[Minutes], events: Iterable[EventTime]) -> list[EventTime]:
    """What is busy without any of `events` to show for it, as events without a name that we know.

    What Google calls busy stays busy, whatever its list of events says.
    """
    left = list(busy)
    for event in events:
        left = [
            piece for start, end in left for piece in ((start, min(end, event.start)), (max(start, event.end), end))
        ]
        left = [(start, end) for start, end in left if start < end]
    return [EventTime(f"busy:{start}:{end}", start, end, BusyStatus.BUSY) for start, end in left]


def page_events(page: Json) -> list[EventTime | RemovedEvent]:
    """The events of one page of events.list; whole days are days of the calendar's zone, which the page names."""
    of_days = zone(page.get("timeZone"))
    return [_event(item, of_days) for item in page.get("items", [])]


def _event(item: Json, zone: ZoneInfo) -> EventTime | RemovedEvent:
    if item.get("status") == "cancelled":
        return RemovedEvent(item["id"], booking_key(item))
    return EventTime(
        event_id=item["id"],
        start=floor_minute(point(item["start"], zone)),
        end=ceil_minute(point(item["end"], zone)),
        status=_status(item),
        series_id=item.get("recurringEventId"),
        booking_key=booking_key(item),
    )


def removed_from_series(page: Json) -> list[str]:
    """The series of each instance that this page tells as cancelled, once per instance."""
    items = page.get("items", [])
    return [item["recurringEventId"] for item in items if item["status"] == "cancelled" and "recurringEventId" in item]


def _status(item: Json) -> BusyStatus:
    """A-AV2. An invitation without an answer counts as busy, as in Google's own free/busy."""
    answers = [guest.get("responseStatus") for guest in item.get("attendees", []) if guest.get("self")]
    if item.get("eventType") == "workingLocation":
        return BusyStatus.WORKING_ELSEWHERE
    if item.get("transparency") == "transparent" or "declined" in answers:
        return BusyStatus.FREE
    if item.get("eventType") == "outOfOffice":
        return BusyStatus.OUT_OF_OFFICE
    if item.get("status") == "tentative" or "tentative" in answers:
        return BusyStatus.TENTATIVE
    return BusyStatus.BUSY


def point(told: Json, zone: ZoneInfo) -> datetime:
    """A moment, in UTC; a whole day begins at midnight in `zone`."""
    if "dateTime" in told:
        return _moment(told["dateTime"])
    return datetime.combine(date.fromisoformat(told["date"]), time(), zone).astimezone(UTC)


def _moment(text: str) -> datetime:
    """RFC 3339, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def zone(name: Any) -> ZoneInfo:
    """Raises ProviderUnavailable for a zone we do not know: whole days would be put on other hours than they are."""
    try:
        return ZoneInfo(name)
    except (TypeError, ValueError, OSError, KeyError):
        raise ProviderUnavailable("a calendar in a time zone that is not in our database") from None


def stamp(instant: datetime) -> str:
    """RFC 3339 in whole seconds, rounded up: the bounds of a list leave out what only touches them."""
    rounded = instant.astimezone(UTC) + timedelta(microseconds=-instant.microsecond % 1_000_000)
    return rounded.isoformat(timespec="seconds").replace("+00:00", "Z")


def channel(answer: Json) -> PushChannel:
    """A channel Google opened; `expiration` is milliseconds since the epoch, as text."""
    try:
        return PushChannel(
            channel_id=answer["id"],
            resource_id=answer["resourceId"],
            expires_at=datetime.fromtimestamp(int(answer["expiration"]) / 1000, UTC),
        )
    except (TypeError, KeyError, ValueError, OverflowError):
        raise ProviderUnavailable("a channel without its particulars") from None


def read_push(call: PushCall) -> PushMessage | None:
    """What a call of Google to our address says. There is no body: the news is that there is news.

    The call that only tests the address when a channel opens has the resource state "sync".
    """
    channel_id, number = call.headers.get("x-goog-channel-id"), call.headers.get("x-goog-message-number", "")
    if not channel_id or not (number.isascii() and number.isdigit()):
        return None
    greets = call.headers.get("x-goog-resource-state") == "sync"
    secret = call.headers.get("x-goog-channel-token", "")
    return PushMessage((Notice(channel_id, secret, News.GREETING if greets else News.CHANGED),))
