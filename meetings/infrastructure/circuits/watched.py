"""Calendars and push channels of one connection, with something around each of their calls."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol, TypeVar

from meetings.application.ports.calendars import (
    BusyAnswer,
    CalendarEvent,
    Calendars,
    Changes,
    EventKey,
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

_READ, _WRITE = 1, 2
"""Requests a call makes, most of the time: a write looks before or after itself."""


class Call(Protocol):
    """One call that goes out."""

    def ended(self, error: BaseException | None) -> None:
        """How it ended. Called once."""


class Watch(Protocol):
    """What is asked before each call."""

    async def begin(self, requests: int) -> Call:
        """Let a call of so many requests out, or raise a `ProviderError` in its place."""


async def _watched(
    watch: Watch,
    requests: int,
    call: Callable[[], Awaitable[T]],
    verdict: Callable[[T], ProviderError | None] = lambda answer: None,
) -> T:
    going = await watch.begin(requests)
    try:
        answer = await call()
    except BaseException as error:
        going.ended(error)
        raise
    going.ended(verdict(answer))
    return answer


class WatchedCalendars:
    """Another connection's `Calendars`; of changes, every page is a call."""

    def __init__(self, calendars: Calendars, watch: Watch) -> None:
        self._calendars = calendars
        self._watch = watch

    async def list_calendars(self) -> tuple[ListedCalendar, ...]:
        return await _watched(self._watch, _READ, self._calendars.list_calendars)

    async def busy(self, calendars: Sequence[str], span: TimeSpan) -> Mapping[str, BusyAnswer]:
        return await _watched(self._watch, _READ, lambda: self._calendars.busy(calendars, span), _verdict)

    async def changes(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[Changes]:
        async with aclosing(_closable(self._calendars.changes(calendar, cursor, window))) as pages:
            last = False
            while not last:
                page = await _watched(self._watch, _READ, lambda: anext(pages, None))
                if page is None:
                    return
                last = page.cursor is not None
                yield page

    async def put_event(self, calendar: str, event: CalendarEvent) -> WrittenEvent:
        return await _watched(self._watch, _WRITE, lambda: self._calendars.put_event(calendar, event))

    async def remove_event(self, calendar: str, key: EventKey) -> None:
        await _watched(self._watch, _WRITE, lambda: self._calendars.remove_event(calendar, key))


class WatchedPushChannels:
    """Another connection's `PushChannels`."""

    def __init__(self, channels: PushChannels, watch: Watch) -> None:
        self._channels = channels
        self._watch = watch

    async def open_channel(self, calendar: str, *, channel_id: str, secret: str, address: str) -> PushChannel:
        return await _watched(
            self._watch,
            _READ,
            lambda: self._channels.open_channel(calendar, channel_id=channel_id, secret=secret, address=address),
        )

    async def close_channel(self, channel: PushChannel) -> None:
        await _watched(self._watch, _READ, lambda: self._channels.close_channel(channel))


def _verdict(answers: Mapping[str, BusyAnswer]) -> ProviderError | None:
    """What answers per calendar say about the provider: a request for patience counts, silence only if it is all."""
    for answer in answers.values():
        if isinstance(answer, RateLimited):
            return answer
    silent = [answer for answer in answers.values() if isinstance(answer, ProviderUnavailable)]
    return silent[0] if silent and len(silent) == len(answers) else None


async def _closable(pages: AsyncIterator[Changes]) -> AsyncGenerator[Changes, None]:
    """Ends the adapter's own generator when the reader stops half-way."""
    try:
        async for page in pages:
            yield page
    finally:
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()
