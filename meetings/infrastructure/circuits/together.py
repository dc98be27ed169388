"""One answer for everybody who asks the same at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Questions of one event loop. Whoever asks gets the answer to a question that was put after they asked.

    While one is under way, all who ask the same wait for its end and share the next: however many they are, two are
    put. Errors are shared like answers; who stops waiting takes nothing from the others.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}
        self._next: dict[Hashable, asyncio.Task[T]] = {}

    async def ask(self, key: Hashable, put: Callable[[], Awaitable[T]]) -> T:
        """The answer to `put()`; questions with the same `key` are the same."""
        running = self._under_way.get(key)
        if running is None:
            question = self._under_way[key] = self._begin(self._put(key, put))
        elif key in self._next:
            question = self._next[key]
        else:
            question = self._next[key] = self._begin(self._put_after(running, key, put))
        return await asyncio.shield(question)

    async def _put_after(self, running: "asyncio.Task[T]", key: Hashable, put: Callable[[], Awaitable[T]]) -> T:
        await asyncio.wait([running])
        return await self._put(key, put)

    async def _put(self, key: Hashable, put: Callable[[], Awaitable[T]]) -> T:
        try:
            return await put()
        finally:
            following = self._next.pop(key, None)
            if following is None:
                del self._under_way[key]
            else:
                self._under_way[key] = following

    @staticmethod
    def _begin(question: Coroutine[None, None, T]) -> "asyncio.Task[T]":
        task = asyncio.get_running_loop().create_task(question)
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # nobody may be left to hear it
        return task
