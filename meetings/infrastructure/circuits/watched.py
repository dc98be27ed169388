"""Calendars and push channels of one connection, with something around each of their calls."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol, TypeVar

from meetings.application.ports.calendars import (
    BusyAnswer,
    CalendarEvent,
    Calendars,
    Changes,
    EventKey,
    EventNews,
    ProviderError,
    ProviderUnavailable,
    PushChannel,
    PushChannels,
    RateLimited,
    WrittenEvent,
)
from meetings.domain.calendar_connection import ListedCalendar
from meetings.domain.timespan import TimeSpan

T = TypeVar("T")

ONE, TWO = 1, 2
"""Requests a call makes, as a rule: whoever changes something looks at it first."""


Busy = Mapping[str, BusyAnswer]
AskTogether = Callable[[Hashable, Callable[[], Awaitable[Busy]]], Awaitable[Busy]]
"""Puts the same question, told by its key, once for all who ask it at the moment."""


class Call(Protocol):
    """One call that goes out."""

    def ended(self, error: BaseException | None) -> None:
        """How it ended. Called once."""


class Watch(Protocol):
    """What is asked before each call."""

    async def begin(self, requests: int, *, urgent: bool) -> Call:
        """Let a call of so many requests out, or raise a `ProviderError` in its place. For an `urgent` one somebody
        waits who would be sent away."""


async def watched_call(
    watch: Watch,
    requests: int,
    call: Callable[[], Awaitable[T]],
    verdict: Callable[[T], ProviderError | None] = lambda answer: None,
    *,
    urgent: bool = False,
) -> T:
    going = await watch.begin(requests, urgent=urgent)
    try:
        answer = await call()
    except BaseException as error:
        going.ended(error)
        raise
    going.ended(verdict(answer))
    return answer


class WatchedCalendars:
    """Another connection's `Calendars`; of changes and news, every page is a call, of equal questions those of the
    moment."""

    def __init__(self, calendars: Calendars, watch: Watch, together: AskTogether | None = None) -> None:
        self._calendars = calendars
        self._watch = watch
        self._together = together

    async def list_calendars(self) -> tuple[ListedCalendar, ...]:
        return await watched_call(self._watch, ONE, self._calendars.list_calendars)

    async def busy(self, calendars: Sequence[str], span: TimeSpan) -> Mapping[str, BusyAnswer]:
        async def ask() -> Busy:
            return await self._calendars.busy(calendars, span)

        async def watched() -> Busy:
            return await watched_call(self._watch, ONE, ask, _verdict, urgent=True)

        return await watched() if self._together is None else await self._together((*calendars, span), watched)

    async def changes(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[Changes]:
        pages = self._calendars.changes(calendar, cursor, window)
        async with aclosing(watched_pages(self._watch, pages, lambda page: page.cursor is not None)) as watched:
            async for page in watched:
                yield page

    async def event_news(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[EventNews]:
        pages = self._calendars.event_news(calendar, cursor, window)
        async with aclosing(watched_pages(self._watch, pages, lambda page: page.cursor is not None)) as watched:
            async for page in watched:
                yield page

    async def put_event(self, calendar: str, event: CalendarEvent) -> WrittenEvent:
        requests = TWO if event.sequence else ONE
        return await watched_call(self._watch, requests, lambda: self._calendars.put_event(calendar, event))

    async def remove_event(self, calendar: str, key: EventKey) -> None:
        await watched_call(self._watch, TWO, lambda: self._calendars.remove_event(calendar, key))


class WatchedPushChannels:
    """Another connection's `PushChannels`."""

    def __init__(self, channels: PushChannels, watch: Watch) -> None:
        self._channels = channels
        self._watch = watch

    async def open_channel(self, calendar: str, *, channel_id: str, secret: str, address: str) -> PushChannel:
        return await watched_call(
            self._watch,
            ONE,
            lambda: self._channels.open_channel(calendar, channel_id=channel_id, secret=secret, address=address),
        )

    async def close_channel(self, channel: PushChannel) -> None:
        await watched_call(self._watch, ONE, lambda: self._channels.close_channel(channel))


def _verdict(answers: Mapping[str, BusyAnswer]) -> ProviderError | None:
    """What answers per calendar say about the provider: a request for patience counts, silence only if it is all."""
    for answer in answers.values():
        if isinstance(answer, RateLimited):
            return answer
    silent = [answer for answer in answers.values() if isinstance(answer, ProviderUnavailable)]
    return silent[0] if silent and len(silent) == len(answers) else None


async def watched_pages(watch: Watch, pages: AsyncIterator[T], is_last: Callable[[T], bool]) -> AsyncGenerator[T, None]:
    """The same pages, each of them a call; the adapter is not asked again after the last."""
    async with aclosing(_closable(pages)) as closable:
        last = False
        while not last:
            page = await watched_call(watch, ONE, lambda: anext(closable, None))
            if page is None:
                return
            last = is_last(page)
            yield page


async def _closable(pages: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Ends the adapter's own generator when the reader stops half-way."""
    try:
        async for page in pages:
            yield page
    finally:
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()
