"""Being told of changes by Exchange: streaming notifications (2010 SP1 and later).

Source: "Notification subscriptions, mailbox events, and EWS in Exchange" (Microsoft Learn): subscribe to folders, then
hold one answer open in which Exchange writes an envelope per event, a sign of life every three quarters of a minute,
and at last that it closes; thirty minutes at most.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.calls import MailboxCalls
from meetings.adapters.exchange.refusals import Asked, Refused
from meetings.adapters.exchange.transport import readable
from meetings.application.ports.calendars import ProviderUnavailable

if TYPE_CHECKING:
    from meetings.adapters.exchange.streaming import Stream

LONGEST_MINUTES = 30
_WAITING = 1000
"""Changes that nobody took yet; a reader who is that late reads everything anyway."""


class Listeners:
    """How many connections this process holds open at once."""

    def __init__(self, most: int) -> None:
        self._places = threading.BoundedSemaphore(most)

    def take(self) -> None:
        """Raises ProviderUnavailable when all are taken; polling goes on meanwhile (SY-1)."""
        if not self._places.acquire(blocking=False):
            raise ProviderUnavailable("too many connections are held open")

    def give_back(self) -> None:
        self._places.release()


class ExchangeListener:
    """`ChangeListener` for one mailbox. Each call of `changes` has a thread of its own while it lasts."""

    def __init__(self, calls: MailboxCalls, listeners: Listeners, minutes: int) -> None:
        self._calls = calls
        self._listeners = listeners
        self._minutes = min(minutes, LONGEST_MINUTES)

    async def changes(self, calendars: Sequence[str]) -> AsyncIterator[str]:
        """Ends when Exchange closes; the connection is cut when nobody listens any more."""
        access = await self._calls.access()
        self._listeners.take()
        held = _Held(asyncio.get_running_loop(), self._calls, access, tuple(calendars), self._minutes, self._listeners)
        try:
            held.start()
            while True:
                told = await held.news.get()
                if isinstance(told, Exception):
                    raise told
                if told is None:
                    return
                yield told
        finally:
            held.stop()


class _Held:
    """One open connection and its thread, which ends by itself when the connection does."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        calls: MailboxCalls,
        access: MailboxAccess,
        calendars: tuple[str, ...],
        minutes: int,
        listeners: Listeners,
    ) -> None:
        self.news: asyncio.Queue[str | Exception | None] = asyncio.Queue(_WAITING)
        self._loop = loop
        self._calls = calls
        self._access = access
        self._calendars = calendars
        self._minutes = minutes
        self._listeners = listeners
        self._lock = threading.Lock()
        self._stopped = False
        self._stream: Stream | None = None

    def start(self) -> None:
        threading.Thread(target=self._listen, name="exchange listener", daemon=True).start()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._stream is not None:
                self._stream.cut()

    def _listen(self) -> None:
        try:
            for calendar in self._events():
                self._tell(calendar)
            self._tell(None)
        except Refused as refused:
            self._tell(self._calls.error(refused, Asked.CALENDAR))
        except Exception as error:
            self._tell(error)
        finally:
            self._listeners.give_back()

    def _events(self) -> Iterator[str]:
        from meetings.adapters.exchange.streaming import Stream

        with readable():
            stream = Stream.open(self._calls.transport, self._access, self._calendars, self._minutes)
            with self._lock:
                self._stream = stream
                if self._stopped:
                    stream.cut()
            try:
                yield from stream.calendars()
            finally:
                with self._lock:
                    self._stream = None
                    stream.close()

    def _tell(self, news: str | Exception | None) -> None:
        """Into the reader's loop, unless it is closed already."""
        if not self._stopped:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._put, news)

    def _put(self, news: str | Exception | None) -> None:
        if self.news.full():
            self.news.get_nowait()
        self.news.put_nowait(news)
