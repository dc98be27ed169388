"""Following what the events of one calendar say, through SyncFolderItems and GetItem.

SyncFolderItems tells a series as one item and never says who takes part, nor the text ("EWS property sets and response
shapes"), so each item that changed is asked for by itself, many in one request. A feed of its own, with cursors of its
own: see `calendar` for the one of busy time.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetings.adapters.exchange import event_news, wire
from meetings.adapters.exchange.calls import MailboxCalls
from meetings.adapters.exchange.refusals import Asked, Refused
from meetings.application.ports.calendars import (
    CursorExpired,
    EventDetails,
    EventNews,
    EventTime,
    ProviderUnavailable,
)
from meetings.domain.timespan import TimeSpan

if TYPE_CHECKING:
    from meetings.adapters.exchange.operations import SyncPage
    from meetings.adapters.exchange.soap import Mailbox

_CURSOR_FORM = "news1:"
_ASKED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class NewsFeed:
    """`page_size` is how many changes are held at once."""

    calls: MailboxCalls
    page_size: int

    async def news(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[EventNews]:
        """As `Calendars.event_news`. A first read walks the whole folder, and asks for what lies in `window` alone."""
        state = None if cursor is None else _state(cursor)
        start, end = window.minutes()
        while True:
            page = await self._sync(calendar, state)
            if not page.complete and page.state == state:
                raise ProviderUnavailable("changes that do not go on")
            entries = _changes(page)
            removed = [each.gone for each in entries if each.gone is not None]
            wanted = []
            for item in (each.item for each in entries if each.item is not None):
                if not isinstance(item.told, EventTime):
                    removed.append(item.item_id)
                elif cursor is not None or (item.told.start < end and item.told.end > start):
                    wanted.append(item.item_id)
            found = [
                each
                for at in range(0, len(wanted), _ASKED_AT_ONCE)
                for each in await self._details(wanted[at : at + _ASKED_AT_ONCE])
            ]
            following = _CURSOR_FORM + page.state if page.complete else None
            yield EventNews(tuple(found), tuple(removed), following)
            if page.complete:
                return
            state = page.state

    async def _sync(self, calendar: str, state: str | None) -> "SyncPage":
        def work(mailbox: "Mailbox") -> "SyncPage":
            from meetings.adapters.exchange import operations

            return operations.sync(mailbox, calendar, state, largest=self.page_size)

        return await self.calls.call(work, Asked.CHANGES, self.calls.limit())

    async def _details(self, items: Sequence[str]) -> list[EventDetails]:
        """What is gone meanwhile is left out: the next read tells that it is."""

        def work(mailbox: "Mailbox") -> list[EventDetails]:
            from meetings.adapters.exchange import event_operations

            try:
                elements = event_operations.with_people(mailbox, *items)
            except Refused as refused:
                if not refused.says_gone:
                    raise
                elements = []
                for item in items:
                    try:
                        elements += event_operations.with_people(mailbox, item)
                    except Refused as one:
                        if not one.says_gone:
                            raise
            return [told for told in map(event_news.details, elements) if told is not None]

        return await self.calls.call(work, Asked.CALENDAR, self.calls.limit())


def _state(cursor: str) -> str:
    state = cursor.removeprefix(_CURSOR_FORM)
    if not cursor.startswith(_CURSOR_FORM) or not state:
        raise CursorExpired("a cursor of another form")
    return state


def _changes(page: "SyncPage") -> list[wire.Change]:
    try:
        return wire.changes(page.entries)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise ProviderUnavailable("changes that cannot be read") from None
