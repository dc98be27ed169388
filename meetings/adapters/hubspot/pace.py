"""How fast one portal of HubSpot's is asked: at most four fifths of what the headers of its answers allow (RT-6)."""

import threading
from collections import deque
from collections.abc import Mapping

SHARE = 0.8
FIRST_LIMIT = 100
"""Calls per interval until a header tells: the least that any plan has (A-CR8)."""
FIRST_INTERVAL = 10.0
BETWEEN_SEARCHES = 0.32
"""Seconds. Searches have a limit of their own, once 4 a second, which no header tells (A-CR7)."""


class Pace:
    """Moments are those of the monotonic clock. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limit = FIRST_LIMIT
        self._interval = FIRST_INTERVAL
        self._calls: deque[float] = deque()
        self._next_search = 0.0
        self._paused_until = 0.0

    def take(self, now: float, *, search: bool) -> float:
        """0.0 when a call may leave now, and counts it; else the seconds until one may, and counts nothing."""
        with self._lock:
            _forget(self._calls, now - self._interval)
            wait = max(0.0, self._paused_until - now)
            if len(self._calls) >= max(1, int(self._limit * SHARE)):
                wait = max(wait, self._calls[0] + self._interval - now)
            if search:
                wait = max(wait, self._next_search - now)
            if wait <= 0.0:
                self._calls.append(now)
                if search:
                    self._next_search = now + BETWEEN_SEARCHES
            return wait

    def heard(self, headers: Mapping[str, str], now: float) -> None:
        """What the headers of an answer tell. Others may use the same limit, so what remains counts, too."""
        told = {name.casefold(): value for name, value in headers.items()}
        limit = _number(told.get("x-hubspot-ratelimit-max"))
        interval = _number(told.get("x-hubspot-ratelimit-interval-milliseconds"))
        remaining = _number(told.get("x-hubspot-ratelimit-remaining"))
        if limit:
            self._limit = limit
        if interval:
            self._interval = interval / 1000
        if limit and remaining is not None and limit - remaining >= limit * SHARE:
            self._paused_until = max(self._paused_until, now + self._interval)

    def rest(self, seconds: float, now: float) -> None:
        """Nobody calls for so long."""
        self._paused_until = max(self._paused_until, now + seconds)


def _forget(moments: deque[float], until: float) -> None:
    while moments and moments[0] <= until:
        moments.popleft()


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
