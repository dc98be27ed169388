"""The calendars of one mailbox, through Exchange Web Services."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from meetings.adapters.exchange import wire
from meetings.adapters.exchange.calls import MailboxCalls
from meetings.adapters.exchange.event_writes import EventWrites
from meetings.adapters.exchange.mailbox_folders import list_calendars
from meetings.adapters.exchange.news_feed import NewsFeed
from meetings.adapters.exchange.refusals import Asked
from meetings.application.ports.calendars import (
    BusyAnswer,
    CalendarEvent,
    CalendarUnreadable,
    Changes,
    CursorExpired,
    EventKey,
    EventNews,
    EventTime,
    ProviderUnavailable,
    RemovedEvent,
    WrittenEvent,
)
from meetings.domain.calendar_connection import ListedCalendar
from meetings.domain.timespan import TimeSpan

if TYPE_CHECKING:
    from meetings.adapters.exchange.operations import SyncPage
    from meetings.adapters.exchange.soap import Mailbox

# A calendar view spans two years at most; a narrower one is answered faster and seldom has to be cut.
_VIEW = timedelta(days=60)
_CURSOR_FORM = "1:"


@dataclass(frozen=True, slots=True)
class ExchangeCalendars:
    """`Calendars` for one mailbox.

    `busy_seconds` limits one question for busy time in all, `page_size` is how many events are held at once.
    """

    calls: MailboxCalls
    writes: EventWrites
    busy_seconds: float
    page_size: int

    async def list_calendars(self) -> tuple[ListedCalendar, ...]:
        """The mailbox's own calendars, not those that others share with it (X5). Zones as the default one's owner
        has set theirs."""
        return await self.calls.call(list_calendars, Asked.ACCOUNT, self.calls.limit())

    async def busy(self, calendars: Sequence[str], span: TimeSpan) -> Mapping[str, BusyAnswer]:
        """Each calendar is asked by itself, all at once. When none can be read for the same kind of trouble that is
        no calendar's own, it is the account's, and raised."""
        asked = list(dict.fromkeys(calendars))
        until = self.calls.limit(self.busy_seconds)
        answers = await asyncio.gather(*(self._busy(each, span, until) for each in asked))
        troubles = [each for each in answers if isinstance(each, ProviderUnavailable)]
        if asked and len(troubles) == len(asked):
            raise troubles[0]
        return dict(zip(asked, answers, strict=True))

    async def _busy(self, calendar: str, span: TimeSpan, until: float) -> BusyAnswer:
        """A calendar's own trouble is its answer; that of the account is everybody's, and raised."""
        try:
            pages = [page async for page in self._window(calendar, span, {}, until)]
        except (CalendarUnreadable, ProviderUnavailable) as error:
            return error
        return wire.blocking((item for page in pages for item in page), span)

    async def changes(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[Changes]:
        """Pages as Exchange gives them, one in memory at a time; each page has the time limit of one call.

        The cursor is a state of SyncFolderItems, which tells what changed in a folder, series as one item each. So:

        - A full read walks the folder once for the state, and notes which item stands for which series. Then it reads
          the window, where Exchange itself expands series. What happens meanwhile comes with the next read, because
          the state stands for the time before the window was read.
        - Events that stand alone are told as they changed. When a series changed, in itself or in one instance, its
          instances in `window` are read anew and told together with the removal of all its former ones, in one page,
          so that nobody sees its time free in between.
        - Only the full read is bound to the window it was given. Instances that come into reach because time goes by
          are no changes: read again without a cursor, with a window that reaches further.
        - A series that was made one single event keeps its former instances until the next full read: Exchange tells
          only what the item is now. That errs on the side of "busy".
        """
        pages = self._full_read(calendar, window) if cursor is None else self._since(calendar, _state(cursor), window)
        async for page in pages:
            yield page

    async def _full_read(self, calendar: str, window: TimeSpan) -> AsyncIterator[Changes]:
        series: dict[str, str] = {}
        state = ""
        async for page in self._walk(calendar, None):
            state = page.state
            entries = _read_changes(page)
            series.update(wire.series(entries))
        async for items in self._window(calendar, window, series, None):
            if items:
                yield _told(items)
        yield Changes((), (), _CURSOR_FORM + state)

    async def _since(self, calendar: str, state: str, window: TimeSpan) -> AsyncIterator[Changes]:
        series: dict[str, str] = {}
        async for page in self._walk(calendar, state):
            state = page.state
            entries = _read_changes(page)
            alone = [each.item for each in entries if each.item and not each.item.is_series]
            series.update(wire.series(entries))
            if "" in series:
                raise CursorExpired("a series changed whose instances cannot be told from others")
            gone = tuple(RemovedEvent(each.gone) for each in entries if each.gone is not None)
            told = _told(alone, gone)
            last = page.complete and not series
            if last or told.changed or told.removed:
                yield Changes(told.changed, told.removed, _CURSOR_FORM + state if last else None)
        if series:
            yield await self._series_anew(calendar, series, window, _CURSOR_FORM + state)

    async def _series_anew(self, calendar: str, series: dict[str, str], window: TimeSpan, cursor: str) -> Changes:
        instances: dict[str, EventTime] = {}
        async for items in self._window(calendar, window, series, None):
            instances.update(
                (each.item_id, each.told)
                for each in items
                if each.uid in series and isinstance(each.told, EventTime) and each.told.series_id
            )
        removed = tuple(RemovedEvent(item_id) for item_id in series.values())
        return Changes(tuple(instances.values()), removed, cursor)

    async def _walk(self, calendar: str, state: str | None) -> "AsyncIterator[SyncPage]":
        """All that changed since `state`, page by page. Raises ProviderUnavailable for a walk without end."""
        while True:
            page = await self._sync(calendar, state)
            if not page.complete and page.state == state:
                raise ProviderUnavailable("changes that do not go on")
            yield page
            if page.complete:
                return
            state = page.state

    async def _sync(self, calendar: str, state: str | None) -> "SyncPage":
        def work(mailbox: "Mailbox") -> "SyncPage":
            from meetings.adapters.exchange import operations

            return operations.sync(mailbox, calendar, state, largest=self.page_size)

        return await self.calls.call(work, Asked.CHANGES, self.calls.limit())

    async def _window(
        self, calendar: str, span: TimeSpan, series: Mapping[str, str], until: float | None
    ) -> AsyncIterator[list[wire.Item]]:
        """The events that touch `span`; one that reaches over a cut comes twice.

        A view that was cut short cannot be gone on from, so its span is asked for again in halves.
        """
        left = list(_views(span))[::-1]
        while left:
            view = left.pop()
            items = await self._view(calendar, view, series, until or self.calls.limit())
            if items is not None:
                yield items
                continue
            halves = wire.halves(view)
            if halves is None:
                raise ProviderUnavailable("more events at one time than Exchange tells of")
            left += halves[::-1]

    async def _view(
        self, calendar: str, view: TimeSpan, series: Mapping[str, str], until: float
    ) -> list[wire.Item] | None:
        """None when there is more than fits into one answer."""

        def work(mailbox: "Mailbox") -> list[wire.Item] | None:
            from meetings.adapters.exchange import operations

            page = operations.calendar_view(mailbox, calendar, view, largest=self.page_size)
            return [wire.item(element, series) for element in page.elements] if page.whole else None

        return await self.calls.call(work, Asked.CALENDAR, until)

    def event_news(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[EventNews]:
        return NewsFeed(self.calls, self.page_size).news(calendar, cursor, window)

    async def put_event(self, calendar: str, event: CalendarEvent) -> WrittenEvent:
        """A wish for a conference link is not granted; on-premises Exchange has none to give."""
        return await self.calls.call(
            lambda mailbox: self.writes.put(mailbox, calendar, event), Asked.EVENT, self.calls.limit()
        )

    async def remove_event(self, calendar: str, key: EventKey) -> None:
        await self.calls.call(
            lambda mailbox: self.writes.remove(mailbox, calendar, key), Asked.EVENT, self.calls.limit()
        )


def _state(cursor: str) -> str:
    state = cursor.removeprefix(_CURSOR_FORM)
    if not cursor.startswith(_CURSOR_FORM) or not state:
        raise CursorExpired("a cursor of another form")
    return state


def _views(span: TimeSpan) -> Iterator[TimeSpan]:
    start = span.start
    while start < span.end:
        end = min(start + _VIEW, span.end)
        yield TimeSpan(start, end)
        start = end


def _read_changes(page: "SyncPage") -> list[wire.Change]:
    try:
        return wire.changes(page.entries)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise ProviderUnavailable("changes that cannot be read") from None


def _told(items: Sequence[wire.Item], gone: tuple[RemovedEvent, ...] = ()) -> Changes:
    """What was cancelled counts as removed."""
    changed = {each.item_id: each.told for each in items if isinstance(each.told, EventTime)}
    cancelled = tuple(each.told for each in items if isinstance(each.told, RemovedEvent))
    return Changes(tuple(changed.values()), (*cancelled, *gone), None)
