"""Counting in Redis, for all processes together: everybody who waits is asked for in one trip.

The library asks for each by itself, on a connection of its own, which takes longer than the answer that is counted. Its
script, its keys and what it says are used as they are (limits 5.8, `acquire_sliding_window.lua`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from meetings.infrastructure.in_one_trip import InOneTrip

_TRIP_SECONDS = 1.0
_PAUSE_SECONDS = 2.0
"""After Redis did not answer nobody else waits for it for so long: each process counts for itself then."""
_AT_ONCE = 500
_SCRIPT = RedispyBridge.SCRIPT_ACQUIRE_SLIDING_WINDOW.decode()


class CountingPaused(RedisError):
    """Redis did not answer a moment ago."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """To count `amount` more in a window of `seconds`, if no more than `limit` are in it then."""

    keys: tuple[str, str]
    limit: int
    seconds: int
    amount: int


class CountsInRedis(RedisStorage):
    """The library's storage in Redis. For one event loop.

    Raises what the client raises when Redis cannot be reached or takes longer than a second, and `CountingPaused` for
    two seconds after that.
    """

    def __init__(self, url: str) -> None:
        once: Any = Retry(NoBackoff(), 0)  # whoever failed is counted by this process, so nothing is tried again
        super().__init__(
            f"async+{url}",
            implementation="redispy",
            retry=once,
            socket_connect_timeout=_TRIP_SECONDS,
            socket_timeout=_TRIP_SECONDS,
        )
        self._trips: InOneTrip[_Wish, bool] = InOneTrip(self._ask, at_once=_AT_ONCE)
        self._paused_until = 0.0

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        names = self._previous_window_key(key), self._current_window_key(key)
        keys = self.bridge.prefixed_key(names[0]), self.bridge.prefixed_key(names[1])
        return bool(await self._trips.answer(_Wish(keys, limit, expiry, amount)))

    async def _ask(self, wishes: Sequence[_Wish]) -> list[Any]:
        loop = asyncio.get_running_loop()
        if loop.time() < self._paused_until:
            raise CountingPaused
        client = cast(Redis, cast(RedispyBridge, self.bridge).get_connection())
        try:
            async with asyncio.timeout(_TRIP_SECONDS), client.pipeline(transaction=False) as trip:
                for wish in wishes:
                    trip.eval(_SCRIPT, 2, *wish.keys, wish.limit, wish.seconds, wish.amount)
                return list(await trip.execute(raise_on_error=False))
        except Exception:
            self._paused_until = loop.time() + _PAUSE_SECONDS
            raise
