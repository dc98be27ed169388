"""How many calls one mailbox gets at once, counted over the whole process.

Graph cuts off more than four per app and mailbox (Graph's service-specific limits, "Outlook service limits"). A process
has several event loops (the API's, the worker's), so no lock of one loop will do.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

A = TypeVar("A")
T = TypeVar("T")
Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]

_SMALL_QUESTIONS = 2


@dataclass(slots=True)
class _Mailbox:
    taken: int = 0
    waiting: deque[Waiter] = field(default_factory=deque)


class Places:
    """First come, first served. What nobody uses takes no memory."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._mailboxes: dict[str, _Mailbox] = {}

    @asynccontextmanager
    async def place(self, mailbox: str) -> AsyncIterator[None]:
        """Waits for a place, and holds it for the length of the block."""
        turn = self._queue(mailbox)
        if turn is not None:
            await self._wait(mailbox, turn)
        try:
            yield
        finally:
            self._pass_on(mailbox)

    def _queue(self, mailbox: str) -> Waiter | None:
        """None: a place was free and is taken now."""
        with self._lock:
            here = self._mailboxes.setdefault(mailbox, _Mailbox())
            if here.taken < self._at_once:
                here.taken += 1
                return None
            loop = asyncio.get_running_loop()
            turn = (loop, loop.create_future())
            here.waiting.append(turn)
            return turn

    async def _wait(self, mailbox: str, turn: Waiter) -> None:
        try:
            await turn[1]
        except asyncio.CancelledError:
            with self._lock:
                here = self._mailboxes.get(mailbox)
                still_waiting = here is not None and turn in here.waiting
                if here is not None and still_waiting:
                    here.waiting.remove(turn)
            if not still_waiting:  # it was our turn in the very moment we gave up
                self._pass_on(mailbox)
            raise

    def _pass_on(self, mailbox: str) -> None:
        """The place goes to whoever waits longest, unless their event loop is gone."""
        while True:
            with self._lock:
                here = self._mailboxes[mailbox]
                if not here.waiting:
                    here.taken -= 1
                    if not here.taken:
                        del self._mailboxes[mailbox]
                    return
                loop, turn = here.waiting.popleft()
            try:
                loop.call_soon_threadsafe(_wake, turn)
            except RuntimeError:
                continue
            return


async def few_at_once(ask: Callable[[A], Awaitable[T]], about: Iterable[A]) -> list[T]:
    """The answers to many small questions of one read, in order; the first that fails ends all.

    Fewer at once than a mailbox has places, so that a live question in between gets one at once.
    """
    places = asyncio.Semaphore(_SMALL_QUESTIONS)

    async def one(each: A) -> T:
        async with places:
            return await ask(each)

    questions = [asyncio.ensure_future(one(each)) for each in about]
    try:
        return await asyncio.gather(*questions)
    finally:
        for question in questions:
            question.cancel()


def _wake(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
