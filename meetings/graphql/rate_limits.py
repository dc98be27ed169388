"""How often somebody may do something (AB-1). Fields are counted, not requests, so aliases and sockets do not help."""

import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import structlog
from limits import parse
from limits.aio.storage import SlidingWindowCounterSupport

from meetings.graphql.counts_in_memory import CountsInMemory

log = structlog.get_logger(__name__)


class TooOften(Exception):
    """The limit is reached; worth another try after `retry_after` seconds."""

    def __init__(self, limit: int, retry_after: int) -> None:
        self.limit = limit
        self.retry_after = retry_after
        super().__init__(f"at most {limit}, again in {retry_after} s")


class Limiter:
    """Counts in windows that slide, in a storage that several processes can share.

    When the storage fails, this process counts for itself at half the rate (AB-2).
    """

    def __init__(self, storage: SlidingWindowCounterSupport) -> None:
        self._shared = storage
        self._own = CountsInMemory()

    async def take(self, limits: Sequence[str], what: str, *whose: str) -> None:
        """Count one more of `what` for `whose`.

        Raises:
            TooOften: one of the limits is reached; those before it have counted this try.
        """
        for limit in limits:
            window = _window(limit, what, *whose)
            try:
                await _take(self._shared, window)
            except TooOften:
                raise
            except Exception as failure:
                log.warning("the storage of rate limits failed, counting alone", error=type(failure).__name__)
                await _take(self._own, replace(window, amount=max(1, window.amount // 2)))


@dataclass(frozen=True, slots=True)
class _Window:
    """At most `amount` of what is counted under `key` in so many `seconds`."""

    key: str
    amount: int
    seconds: int


@lru_cache(maxsize=4_000)
def _window(limit: str, what: str, *whose: str) -> _Window:
    item = parse(limit)
    return _Window(item.key_for(what, *whose), item.amount, item.get_expiry())


async def _take(storage: SlidingWindowCounterSupport, window: _Window) -> None:
    if await storage.acquire_sliding_window_entry(window.key, window.amount, window.seconds):
        return
    previous, previous_left, current, current_left = await storage.get_sliding_window(window.key, window.seconds)
    wait = _wait(window.amount, window.seconds, previous, previous_left, current, current_left)
    raise TooOften(window.amount, max(1, math.ceil(wait)))


def _wait(amount: int, expiry: float, previous: int, previous_left: float, current: int, current_left: float) -> float:
    """Seconds until there is room for one more.

    What happened in the previous window counts by the part of it that the sliding one still covers; the current one
    counts whole, until it is the previous one itself; the library says how long it is kept, one window more than that.
    """
    room = amount - 1 - current
    if room >= 0 and previous:
        return previous_left - room * expiry / previous
    return current_left % expiry + expiry * (current + 1 - amount) / max(current, 1)


@lru_cache(maxsize=1_000)
def network_of(address: str) -> str:
    """Whom an address stands for: itself, or for IPv6 its /64, which is one customer's to choose from."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
