"""Following one calendar through `calendarView/delta`.

How it goes, where the documentation ("event: delta") is silent, as seen in public reports:

- Graph tells every property of single events and series, and of an occurrence only its ids and times; the rest is its
  series' (microsoft-graph-docs, issue 7632). `$select` and `$expand` are not taken, so titles and guests arrive, and
  are dropped page by page; which of our bookings an event stands for is asked one by one, of the few that may be ours.
- When a series changes, it comes with all its occurrences and exceptions in the window, on one page; occurrences that
  are gone are not mentioned (pull request 4501). So a series that comes again replaces all that was told of it. One
  that comes without any instance leaves open what became of them: CursorExpired, and the full read says.
- What changed outside the window comes as removed, new events too, with nothing but its id. So what is removed is
  looked at, each by itself: an event of ours that only lies outside is told with its times. When there is very much of
  it, CursorExpired is raised instead: a full read knows nothing of what is gone.
- The window is that of the full read. When its end comes near, read again without a cursor, with a window that reaches
  further.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from meetings.adapters.office365 import booking_event, wire
from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.booking_event import KEY_PROPERTY
from meetings.adapters.office365.mailbox_zone import MailboxZone
from meetings.adapters.office365.own_events import event_or_none, live_event, removed, with_keys
from meetings.adapters.office365.places import few_at_once
from meetings.adapters.office365.reading import items_of, read
from meetings.adapters.office365.refusals import Asked
from meetings.adapters.office365.view_delta import ViewDelta
from meetings.application.ports.calendars import Changes, CursorExpired, EventTime, RemovedEvent
from meetings.domain.timespan import TimeSpan

_CURSOR_FORM = "1:"
# So many are looked at in one read.
_REMOVED_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Feed:
    """`page_size` is how many events are held at once."""

    calls: AuthorizedCalls
    zone: MailboxZone
    page_size: int

    async def changes(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[Changes]:
        """As `Calendars.changes`. Pages as Graph gives them, one in memory at a time, each with the limit of a call.

        Remembered over the pages of one read: of each series what its instances need.
        """
        delta = ViewDelta(self.calls.graph, _CURSOR_FORM)
        question = delta.question(calendar, cursor, window, page_size=self.page_size)
        asked = Asked.CALENDAR if cursor is None else Asked.CHANGES
        series: dict[str, Any] = {}
        gone = 0
        async for page in self.calls.pages(question, asked, None):
            items = items_of(page)
            replaced = []
            if cursor is not None:
                replaced = _series_told_again(items, set(series))
                gone += sum("@removed" in item for item in items)
                if gone > _REMOVED_AT_MOST:
                    raise CursorExpired("more is gone than can be looked at")
            series |= {item["id"]: wire.inherited(item) for item in items if wire.is_series(item)}
            told = await self._told(calendar, items, series)
            yield Changes(
                changed=tuple(each for each in told if isinstance(each, EventTime)),
                removed=(*replaced, *(each for each in told if isinstance(each, RemovedEvent))),
                cursor=delta.cursor(page),
            )

    async def _told(self, calendar: str, items: list[Any], series: dict[str, Any]) -> list[EventTime | RemovedEvent]:
        items = await self._with_series(calendar, [item for item in items if not wire.is_series(item)], series)
        items = await with_keys(self.calls, calendar, items, None)
        items = await few_at_once(lambda item: self._if_removed(calendar, item), items)
        zone = await self.zone.name() if wire.has_whole_days(items) else None
        return read(lambda: [wire.event(item, zone) for item in items])

    async def _with_series(self, calendar: str, items: list[Any], series: dict[str, Any]) -> list[Any]:
        """Instances with what they leave to their series; an instance whose series is gone meanwhile is gone too."""
        instances = [item for item in items if wire.series_of(item) and "@removed" not in item]
        missing = {wire.series_of(item) or "" for item in instances if "showAs" not in item} - set(series)
        ordered, wanted = sorted(missing), {"$select": wire.EVENT_SELECT}
        found = await few_at_once(lambda each: event_or_none(self.calls, calendar, each, wanted, None), ordered)
        series |= {id: wire.inherited(one) for id, one in zip(ordered, found, strict=True) if one is not None}
        gone = {id for id, one in zip(ordered, found, strict=True) if one is None}
        return [
            removed(item)
            if wire.series_of(item) in gone and "showAs" not in item
            else wire.with_series(item, series.get(wire.series_of(item) or "", {}))
            for item in items
        ]

    async def _if_removed(self, calendar: str, item: Any) -> Any:
        """An event that is told as removed: as it is when it stands outside the window, and is ours."""
        if "@removed" not in item:
            return item
        wanted = {"$select": wire.EVENT_SELECT, "$expand": booking_event.expand(KEY_PROPERTY)}
        found = await event_or_none(self.calls, calendar, item["id"], wanted, None)
        key = booking_event.key_on(found) if found is not None else None
        if key is None:
            return item
        live = await live_event(self.calls, calendar, key, Asked.CALENDAR, self.calls.limit())
        return found if live is not None and live["id"] == found["id"] else {**found, "@removed": item["@removed"]}


def _series_told_again(items: list[Any], before: set[str]) -> list[RemovedEvent]:
    """The series on this page that replace what was told of them earlier."""
    again = [item["id"] for item in items if wire.is_series(item)]
    with_instances = {wire.series_of(item) for item in items}
    if any(each in before or each not in with_instances for each in again):
        raise CursorExpired("what became of the instances of a series is not told")
    return [RemovedEvent(each) for each in again]
