"""Counting in Redis, for all processes together: everybody who waits is asked for in one trip.

The library asks for each by itself, on a connection of its own, which takes longer than the answer that is counted. Its
script, its keys and what it says are used as they are (limits 5.8, `acquire_sliding_window.lua`).
"""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 1.0
_PAUSE_SECONDS = 2.0
"""After Redis did not answer nobody else waits for it for so long: each process counts for itself then."""
_AT_ONCE = 500
_SCRIPT = RedispyBridge.SCRIPT_ACQUIRE_SLIDING_WINDOW.decode()


class CountingPaused(RedisError):
    """Redis did not answer a moment ago."""


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    """To count `amount` more in a window of `seconds`, if no more than `limit` are in it then."""

    keys: tuple[str, str]
    limit: int
    seconds: int
    amount: int
    granted: asyncio.Future[bool]


class CountsInRedis(RedisStorage):
    """The library's storage in Redis. For one event loop.

    Whoever counts while a question is under way waits for the next one, together with all others who do. Raises what
    the client raises when Redis cannot be reached or takes longer than a second, and `CountingPaused` for two seconds
    after that.
    """

    def __init__(self, url: str) -> None:
        once: Any = Retry(NoBackoff(), 0)  # whoever failed is counted by this process, so nothing is tried again
        super().__init__(
            f"async+{url}",
            implementation="redispy",
            retry=once,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
        )
        self._waiting: list[_Wish] = []
        self._asking: asyncio.Task[None] | None = None
        self._paused_until = 0.0

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        loop = asyncio.get_running_loop()
        if loop.time() < self._paused_until:
            raise CountingPaused
        names = self._previous_window_key(key), self._current_window_key(key)
        keys = self.bridge.prefixed_key(names[0]), self.bridge.prefixed_key(names[1])
        wish = _Wish(keys, limit, expiry, amount, loop.create_future())
        self._waiting.append(wish)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_for_all())
        return await wish.granted

    async def _ask_for_all(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            try:
                async with asyncio.timeout(_CONNECT_SECONDS + _ANSWER_SECONDS):
                    said = await self._ask(asked)
            except Exception as failure:
                self._paused_until = asyncio.get_running_loop().time() + _PAUSE_SECONDS
                said = [failure] * len(asked)
            for wish, answer in zip(asked, said, strict=True):
                if wish.granted.done():
                    continue
                if isinstance(answer, Exception):
                    wish.granted.set_exception(answer)
                else:
                    wish.granted.set_result(bool(answer))

    async def _ask(self, wishes: list[_Wish]) -> list[Any]:
        client = cast(Redis, cast(RedispyBridge, self.bridge).get_connection())
        async with client.pipeline(transaction=False) as trip:
            for wish in wishes:
                trip.eval(_SCRIPT, 2, *wish.keys, wish.limit, wish.seconds, wish.amount)
            return list(await trip.execute(raise_on_error=False))
