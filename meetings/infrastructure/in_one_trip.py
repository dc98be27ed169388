"""One question to a server for everybody who waits, instead of one for each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")


Ask = Callable[[Sequence[Wish]], Awaitable[Sequence[Answer | Exception]]]


class InOneTrip(Generic[Wish, Answer]):
    """Trips one after the other, for at most `at_once` wishes each. Whoever comes while one is under way waits for the
    next, so an answer never dates from before it was asked for. For one event loop.

    `ask` gives an answer for each wish, in their order; an error instead of one is raised where it was wished, and one
    that `ask` raises itself everywhere.
    """

    def __init__(self, ask: Ask[Wish, Answer], *, at_once: int) -> None:
        self._ask = ask
        self._at_once = at_once
        self._waiting: list[tuple[Wish, asyncio.Future[Answer]]] = []
        self._trips: asyncio.Task[None] | None = None

    async def answer(self, wish: Wish) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((wish, answer))
        if self._trips is None or self._trips.done():
            self._trips = asyncio.create_task(self._make_trips())
        return await answer

    async def close(self) -> None:
        """End at once; whoever waits is cancelled."""
        if self._trips is not None:
            self._trips.cancel()
            await asyncio.gather(self._trips, return_exceptions=True)
        for _, answer in self._waiting:
            answer.cancel()

    async def _make_trips(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting[: self._at_once], self._waiting[self._at_once :]
            found: Sequence[Answer | Exception]
            try:
                found = await self._ask([wish for wish, _ in asked])
            except Exception as failure:
                found = [failure] * len(asked)
            except BaseException:
                self._waiting += asked
                raise
            for (_, answer), said in zip(asked, found, strict=True):
                if answer.done():  # whoever asked has given up
                    continue
                if isinstance(said, Exception):
                    answer.set_exception(said)
                else:
                    answer.set_result(said)
