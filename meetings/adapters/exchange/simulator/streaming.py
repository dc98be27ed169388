"""GetStreamingEvents: one HTTP answer, in chunks, for as long as the client asked ("GetStreamingEvents operation").

Each chunk is a whole SOAP document: the first says `OK`, then news as they come, `OK` again as a heartbeat, and
`Closed` at the end, when the time is over or a subscription ended.
"""

import asyncio
from collections.abc import AsyncIterator

from meetings.adapters.exchange.simulator.errors import invalid_schema
from meetings.adapters.exchange.simulator.request import Request
from meetings.adapters.exchange.simulator.settings import Settings
from meetings.adapters.exchange.simulator.soap import Element, children, envelope, find, text
from meetings.adapters.exchange.simulator.subscriptions import Subscriptions, stream_part, stream_refused

LONGEST_MINUTES = 30


class Streams:
    """The open connections. `end_all` closes them as a server that restarts does: without a word."""

    def __init__(self, subscriptions: Subscriptions, settings: Settings) -> None:
        self._subscriptions = subscriptions
        self._settings = settings
        self._open: list[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._ended: set[int] = set()
        subscriptions.wakers.append(self._wake)

    @property
    def count(self) -> int:
        return len(self._open)

    def end_all(self) -> None:
        self._ended.update(id(news) for _, _, news in self._open)
        self._wake()

    def asked(self, request: Request) -> "tuple[list[str], float] | Element":
        """Which subscriptions and for how many seconds; or the refusal.

        Raises EwsFault: the schema allows 1 to 30 minutes.
        """
        ids = [text(each) for each in children(find(request.element, "m:SubscriptionIds"))]
        minutes = int(text(request.element, "m:ConnectionTimeout", "0"))
        if not 1 <= minutes <= LONGEST_MINUTES or not ids:
            raise invalid_schema(f"The 'ConnectionTimeout' element is invalid - The value '{minutes}' is invalid.")
        missing = self._subscriptions.unknown(request, ids)
        return stream_refused(missing) if missing else (ids, minutes * self._settings.minute_seconds)

    def count_of(self, owner: str) -> int:
        return sum(each == owner for each, _, _ in self._open)

    async def run(self, ids: list[str], seconds: float, owner: str) -> AsyncIterator[bytes]:
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        ends = loop.time() + seconds
        self._open.append((owner, loop, news))
        try:
            yield self._document([], "OK")
            while id(news) not in self._ended:
                try:
                    told = self._subscriptions.take(ids)
                except KeyError:
                    break
                if told:
                    yield self._document(told, None)
                left = ends - loop.time()
                if left <= 0:
                    break
                if not await _wait(news, min(left, self._settings.heartbeat_seconds)) and ends > loop.time():
                    yield self._document([], "OK")
            if id(news) not in self._ended:
                yield self._document([], "Closed")
        finally:
            self._open.remove((owner, loop, news))
            self._ended.discard(id(news))

    def _document(self, told: list[Element], status: str | None) -> bytes:
        return envelope(stream_part(told, status), self._settings.version)

    def _wake(self) -> None:
        for _, loop, news in list(self._open):
            loop.call_soon_threadsafe(news.set)


async def _wait(news: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    news.clear()
    return True
