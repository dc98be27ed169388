"""Following what the events of one calendar say, through `calendarView/delta` (see `feed` for how that goes).

A feed of its own, with cursors of its own: the one for busy time drops titles and guests page by page, and this one is
read later, and may wait.

- Series come with their instances, which are left out here; a series that comes again is told again.
- What changed outside the window comes as removed with nothing but its id, and is passed on like that.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from meetings.adapters.office365 import event_news, wire
from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.mailbox_zone import MailboxZone
from meetings.adapters.office365.own_events import with_keys
from meetings.adapters.office365.paths import one_calendar
from meetings.adapters.office365.reading import items_of, read
from meetings.adapters.office365.refusals import Asked
from meetings.application.ports.calendars import CursorExpired, EventNews, ProviderUnavailable
from meetings.domain.timespan import TimeSpan

# A cursor goes with what was asked for: something else, another number here.
_CURSOR_FORM = "news1:"
_PAGE = 100


@dataclass(frozen=True, slots=True)
class NewsFeed:
    """`page_size` is how many events are held at once, a hundred at most: with all they say they are large."""

    calls: AuthorizedCalls
    zone: MailboxZone
    page_size: int

    async def news(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[EventNews]:
        """As `Calendars.event_news`. Pages as Graph gives them, one in memory at a time, each with the limit of a
        call."""
        question, asked = self._question(calendar, cursor, window), Asked.CALENDAR if cursor is None else Asked.CHANGES
        async for page in self.calls.pages(question, asked, None):
            items = [item for item in items_of(page) if event_news.stands_alone(item)]
            items = await with_keys(self.calls, calendar, items, None)
            zone = await self.zone.name() if wire.has_whole_days(items) else None
            yield read(partial(event_news.news, items, zone, self._cursor(page)))

    def _question(self, calendar: str, cursor: str | None, window: TimeSpan) -> Question:
        prefer = (f"odata.maxpagesize={min(self.page_size, _PAGE)}", 'outlook.body-content-type="text"')
        if cursor is None:
            only = {"startDateTime": wire.stamp(window.start), "endDateTime": wire.stamp(window.end)}
            return Question("GET", f"{one_calendar(calendar)}/calendarView/delta", params=only, prefer=prefer)
        link = cursor.removeprefix(_CURSOR_FORM)
        if link == cursor or not self.calls.graph.leads_here(link):
            raise CursorExpired("a cursor of another form")
        return Question("GET", link, prefer=prefer)

    def _cursor(self, page: Any) -> str | None:
        link = page.get("@odata.deltaLink")
        if link is None:
            return None
        if not isinstance(link, str) or not self.calls.graph.leads_here(link):
            raise ProviderUnavailable("a cursor that is not Microsoft Graph's")
        return f"{_CURSOR_FORM}{link}"
