"""The calendars of one Google account, through Calendar API v3."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from meetings.adapters.google import event_news, wire
from meetings.adapters.google.authorized import AuthorizedCalls
from meetings.adapters.google.event_writes import EventWrites
from meetings.adapters.google.reading import read
from meetings.adapters.google.refusals import Asked
from meetings.application.ports.calendars import (
    BusyAnswer,
    CalendarEvent,
    Changes,
    CursorExpired,
    EventKey,
    EventNews,
    EventTime,
    ProviderError,
    ReauthorizationNeeded,
    RemovedEvent,
    WrittenEvent,
)
from meetings.domain.calendar_connection import ListedCalendar
from meetings.domain.timespan import TimeSpan

if TYPE_CHECKING:
    from googleapiclient._apis.calendar.v3 import CalendarResource
    from googleapiclient.http import HttpRequest

# freebusy.query takes at most 50 calendars (calendarExpansionMax), and refuses more than about three months.
_FREE_BUSY_CALENDARS = 50
_FREE_BUSY_SPAN = timedelta(days=60)
# A sync token goes with the parameters of the list that gave it: other parameters, another number here.
_CURSOR_FORM, _NEWS_FORM = "1:", "news1:"
_NEWS_PAGE = 100


@dataclass(frozen=True, slots=True)
class GoogleCalendars:
    """`Calendars` for one Google account.

    `busy_seconds` limits one question for busy time in all, `page_size` is how many events are held at once.
    """

    calls: AuthorizedCalls
    writes: EventWrites
    busy_seconds: float
    page_size: int

    async def list_calendars(self) -> tuple[ListedCalendar, ...]:
        """Hidden ones too: a person may hide what should block their time."""

        def build(service: "CalendarResource", page_token: str | None) -> "HttpRequest":
            return service.calendarList().list(
                showHidden=True, maxResults=250, pageToken=page_token, fields=wire.CALENDAR_FIELDS
            )

        pages = self._pages(build, Asked.ACCOUNT, self.calls.limit())
        entries = [entry async for page in pages for entry in page.get("items", [])]
        return read(wire.listed_calendars, entries)

    async def busy(self, calendars: Sequence[str], span: TimeSpan) -> Mapping[str, BusyAnswer]:
        """One free/busy question for all calendars; those that are busy are then asked, all at once, by which events.

        What is busy without an event to show for it is told as an event with an id of its own.
        """
        until = self.calls.limit(self.busy_seconds)
        asked = list(dict.fromkeys(calendars))
        taken = await self._free_busy(asked, span, until)
        answers = await asyncio.gather(*(self._busy_events(each, taken[each], span, until) for each in asked))
        return dict(zip(asked, answers, strict=True))

    async def _free_busy(
        self, calendars: list[str], span: TimeSpan, until: float
    ) -> dict[str, list[wire.Minutes] | ProviderError]:
        groups = [calendars[at : at + _FREE_BUSY_CALENDARS] for at in range(0, len(calendars), _FREE_BUSY_CALENDARS)]
        questions = [(group, piece) for group in groups for piece in _pieces(span)]
        answers = await asyncio.gather(*(self._ask_free_busy(group, piece, until) for group, piece in questions))
        taken: dict[str, list[wire.Minutes] | ProviderError] = {each: [] for each in calendars}
        for (group, _), answer in zip(questions, answers, strict=True):
            for calendar in group:
                told = read(wire.free_busy, answer, calendar)
                known = taken[calendar]
                if isinstance(told, ProviderError):
                    taken[calendar] = told
                elif not isinstance(known, ProviderError):
                    known.extend(told)
        return taken

    async def _ask_free_busy(self, calendars: list[str], span: TimeSpan, until: float) -> Any:
        body: Any = {
            "timeMin": wire.stamp(span.start),
            "timeMax": wire.stamp(span.end),
            "items": [{"id": calendar} for calendar in calendars],
        }
        return await self.calls.call(
            lambda service: service.freebusy().query(body=body, fields=wire.FREE_BUSY_FIELDS), Asked.ACCOUNT, until
        )

    async def _busy_events(
        self, calendar: str, taken: list[wire.Minutes] | ProviderError, span: TimeSpan, until: float
    ) -> BusyAnswer:
        """A calendar's own trouble is its answer; that of the account is everybody's, and raised."""
        if isinstance(taken, ProviderError):
            return taken
        if not taken:
            return ()
        try:
            pages = self._events(calendar, {"timeMin": wire.stamp(span.start), "timeMax": wire.stamp(span.end)}, until)
            found = [page async for page in pages]
            events = read(wire.blocking_events, found, span)
        except ReauthorizationNeeded:
            raise
        except ProviderError as error:
            return error
        return (*events, *wire.unexplained(taken, events))

    async def changes(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[Changes]:
        """Pages as Google gives them, one in memory at a time; each page has the time limit of one call.

        How window and cursor go together ("Synchronize resources efficiently", events.list):

        - Only the full read is bound to `window`. A cursor does not remember it and tells every change, also of
          instances far outside; they are passed on, because that is how an event that left the window is seen.
        - Instances that come into reach only because time goes by are not changes. So when the end of the window
          that was read comes near, read again without a cursor, with a window that reaches further.
        - Of a series that was removed, or cut short, Google tells only about half a year of instances
          (googleapis/google-api-ruby-client, issue 860). Two instances of a series cancelled in one read raise
          CursorExpired, so that the full read that follows tells what is left. `showDeleted` would tell more, but
          each time all that was ever deleted.
        - A change made while a full read is under way comes with the next read: its cursor stands for its beginning.

        The last page has no cursor where Google gave none; then the next read is a full one.
        """
        only = {"timeMin": wire.stamp(window.start), "timeMax": wire.stamp(window.end)}
        if cursor is not None:
            only = {"syncToken": _sync_token(cursor, _CURSOR_FORM)}
        asked = Asked.CALENDAR if cursor is None else Asked.CHANGES
        cancelled: Counter[str] = Counter()
        async for page in self._events(calendar, only, None, asked):
            if cursor is not None:
                cancelled.update(read(wire.removed_from_series, page))
                if any(count > 1 for count in cancelled.values()):
                    raise CursorExpired("several instances of a series are gone, and Google may not tell all of them")
            yield read(_changes, page)

    async def event_news(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[EventNews]:
        """Pages as Google gives them, without `singleEvents`: a series is one event, and its moved instances stand
        beside it, to be left out. How cursors behave is told at `changes`; with all guests and texts a page of events
        is large, so fewer are held at once."""
        only = {"timeMin": wire.stamp(window.start), "timeMax": wire.stamp(window.end)}
        if cursor is not None:
            only = {"syncToken": _sync_token(cursor, _NEWS_FORM)}
        asked = Asked.CALENDAR if cursor is None else Asked.CHANGES

        def build(service: "CalendarResource", page_token: str | None) -> "HttpRequest":
            parameters: Any = {**only, "pageToken": page_token} if page_token else only
            return service.events().list(
                calendarId=calendar,
                singleEvents=False,
                maxResults=min(self.page_size, _NEWS_PAGE),
                fields=event_news.FIELDS,
                **parameters,
            )

        async for page in self._pages(build, asked, None):
            token = page.get("nextSyncToken")
            yield read(event_news.news, page, f"{_NEWS_FORM}{token}" if token else None)

    def _events(
        self, calendar: str, only: Mapping[str, str], until: float | None, asked: Asked = Asked.CALENDAR
    ) -> AsyncIterator[Any]:
        """Pages of events.list; with `maxAttendees` of one, only the owner's own answer comes along."""

        def build(service: "CalendarResource", page_token: str | None) -> "HttpRequest":
            parameters: Any = {**only, "pageToken": page_token} if page_token else only
            return service.events().list(
                calendarId=calendar,
                singleEvents=True,
                maxAttendees=1,
                maxResults=self.page_size,
                fields=wire.EVENT_FIELDS,
                **parameters,
            )

        return self._pages(build, asked, until)

    async def _pages(
        self, build: Callable[..., "HttpRequest"], asked: Asked, until: float | None
    ) -> AsyncIterator[Any]:
        """All pages, until `until`, or each within the limit of a call. A page may be empty and not be the last."""
        token: str | None = None
        while True:
            page = await self.calls.call(partial(build, page_token=token), asked, until or self.calls.limit())
            yield page
            token = page.get("nextPageToken")
            if not token:
                return

    async def put_event(self, calendar: str, event: CalendarEvent) -> WrittenEvent:
        """A first write is one call. A wish with a smaller `sequence` than one that was written changes nothing."""
        return await self.writes.put(calendar, event)

    async def remove_event(self, calendar: str, key: EventKey) -> None:
        await self.writes.remove(calendar, key)


def _sync_token(cursor: str, form: str) -> str:
    token = cursor.removeprefix(form)
    if not cursor.startswith(form) or not token:
        raise CursorExpired("a cursor of another form")
    return token


def _changes(page: Any) -> Changes:
    events = wire.page_events(page)
    token = page.get("nextSyncToken")
    return Changes(
        changed=tuple(event for event in events if isinstance(event, EventTime)),
        removed=tuple(event for event in events if isinstance(event, RemovedEvent)),
        cursor=f"{_CURSOR_FORM}{token}" if token else None,
    )


def _pieces(span: TimeSpan) -> Iterator[TimeSpan]:
    start = span.start
    while start < span.end:
        end = min(start + _FREE_BUSY_SPAN, span.end)
        yield TimeSpan(start, end)
        start = end
