"""Following what the events of one calendar say, through `calendarView/delta` (see `feed` for how that goes).

A feed of its own, with cursors of its own: the one for busy time drops titles and guests page by page, and this one is
read later, and may wait.

- Series come with their instances, which are left out here; a series that comes again is told again.
- What changed outside the window comes as removed with nothing but its id, and is passed on like that.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from meetings.adapters.office365 import event_news, wire
from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.mailbox_zone import MailboxZone
from meetings.adapters.office365.own_events import with_keys
from meetings.adapters.office365.reading import items_of, read
from meetings.adapters.office365.refusals import Asked
from meetings.adapters.office365.view_delta import ViewDelta
from meetings.application.ports.calendars import EventNews
from meetings.domain.timespan import TimeSpan

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
        delta = ViewDelta(self.calls.graph, _CURSOR_FORM)
        question = delta.question(calendar, cursor, window, page_size=min(self.page_size, _PAGE))
        asked = Asked.CALENDAR if cursor is None else Asked.CHANGES
        async for page in self.calls.pages(question, asked, None):
            items = [item for item in items_of(page) if event_news.stands_alone(item)]
            items = await with_keys(self.calls, calendar, items, None)
            zone = await self.zone.name() if wire.has_whole_days(items) else None
            yield read(partial(event_news.news, items, zone, delta.cursor(page)))
