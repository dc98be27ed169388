"""Counting in the memory of one process, at the same price however many are counted."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import floor

from limits.aio.storage import MemoryStorage

_TIDY_FROM = 1_000
MOST_COUNTED = 200_000
"""About 60 MB. Beyond that those counted first are forgotten: so many addresses at once are held back by no limit that
counts by address."""


@dataclass(slots=True)
class _Count:
    """How often in the window with this number, and in the one before it. Of no use any more at `until`."""

    window: int
    current: int
    previous: int
    until: float


class CountsInMemory(MemoryStorage):
    """The library's storage with sliding windows of its own: the library's look through everything that is counted
    each time something is (limits 5.8, `MemoryStorage.incr`), which is 1.7 ms with 10,000 addresses.

    For one event loop. Whoever counts does not wait for anything on the way, so nobody comes in between. `now` are
    seconds since whenever.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, *, most_counted: int = MOST_COUNTED) -> None:
        super().__init__()
        self._now = now
        self._most_counted = most_counted
        self._counts: dict[str, _Count] = {}
        self._tidy_at = min(_TIDY_FROM, most_counted)

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` more, if there is room; what there was in the previous window counts by the part of it that
        the sliding window of `expiry` seconds still covers."""
        now = self._now()
        count = self._count(key, expiry, now)
        if floor(count.previous * _left(expiry, now) / expiry + count.current) + amount > limit:
            return False
        count.current += amount
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """What was counted in the previous window and for how many seconds it still counts, and both for the current
        one."""
        now = self._now()
        count, left = self._count(key, expiry, now), _left(expiry, now)
        return count.previous, left if count.previous else 0.0, count.current, left + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        self._counts.pop(key, None)

    async def reset(self) -> int:
        """Forget everything; says how many were counted."""
        counted = len(self._counts)
        self._counts.clear()
        return counted

    def _count(self, key: str, expiry: int, now: float) -> _Count:
        window = int(now // expiry)
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= self._tidy_at:
                self._tidy_up(now)
            count = self._counts[key] = _Count(window, 0, 0, 0.0)
        elif count.window == window:
            return count
        count.previous = count.current if count.window == window - 1 else 0
        count.window, count.current, count.until = window, 0, (window + 2) * expiry
        return count

    def _tidy_up(self, now: float) -> None:
        self._counts = {key: count for key, count in self._counts.items() if count.until > now}
        if len(self._counts) >= self._most_counted:
            for key in list(self._counts)[: len(self._counts) - self._most_counted // 2]:
                del self._counts[key]
        self._tidy_at = min(max(_TIDY_FROM, 2 * len(self._counts)), self._most_counted)


def _left(expiry: int, now: float) -> float:
    """Seconds until the current window is the previous one, which is how long the previous one still counts."""
    return expiry - now % expiry
