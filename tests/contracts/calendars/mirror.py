"""A copy of one calendar's events that follows its changes, as any caller of the port has to."""

from meetings.application.ports.calendars import Calendars, CursorExpired, EventTime
from meetings.domain.timespan import TimeSpan


class Mirror:
    """`events` by id. `reads` counts full reads."""

    def __init__(self, calendar: str, window: TimeSpan) -> None:
        self.calendar = calendar
        self.window = window
        self.events: dict[str, EventTime] = {}
        self.cursor: str | None = None
        self.full_reads = 0
        self.pages = 0

    async def follow(self, calendars: Calendars) -> None:
        """Bring the copy up to date; a full read replaces it, when it is complete and not before."""
        try:
            await self._read(calendars, dict(self.events) if self.cursor else {})
        except CursorExpired:
            self.cursor = None
            await self._read(calendars, {})

    async def _read(self, calendars: Calendars, events: dict[str, EventTime]) -> None:
        self.full_reads += self.cursor is None
        cursor = None
        async for page in calendars.changes(self.calendar, self.cursor, self.window):
            self.pages += 1
            for removed in page.removed:
                events = {
                    id: event
                    for id, event in events.items()
                    if removed.event_id not in (event.event_id, event.series_id)
                }
            events |= {event.event_id: event for event in page.changed}
            cursor = page.cursor
        self.events, self.cursor = events, cursor

    def in_window(self) -> set[EventTime]:
        start, end = self.window.minutes()
        return {event for event in self.events.values() if event.start < end and event.end > start}
