"""A copy of what one calendar's events say, as any reader of the feed has to keep it."""

from meetings.application.ports.calendars import Calendars, CursorExpired, EventDetails
from meetings.domain.timespan import TimeSpan


class NewsReader:
    """`events` by id."""

    def __init__(self, calendar: str, window: TimeSpan) -> None:
        self.calendar = calendar
        self.window = window
        self.events: dict[str, EventDetails] = {}
        self.cursor: str | None = None
        self.pages = 0

    async def follow(self, calendars: Calendars) -> list[EventDetails]:
        """Bring the copy up to date and give what was told; a full read replaces it."""
        try:
            return await self._read(calendars, dict(self.events) if self.cursor else {})
        except CursorExpired:
            self.cursor = None
            return await self._read(calendars, {})

    async def _read(self, calendars: Calendars, events: dict[str, EventDetails]) -> list[EventDetails]:
        told: list[EventDetails] = []
        cursor = None
        async for page in calendars.event_news(self.calendar, self.cursor, self.window):
            self.pages += 1
            for removed in page.removed:
                events.pop(removed, None)
            events |= {event.event_id: event for event in page.changed}
            told += page.changed
            cursor = page.cursor
        self.events, self.cursor = events, cursor
        return told
