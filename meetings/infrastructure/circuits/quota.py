"""How many requests went out within the last minute, and whether more may (RT-6)."""

from collections import deque

MINUTE = 60.0
USED_SHARE = 0.8
"""The rest of a provider's quota is for what else its owner does with it, and for clocks that differ."""


class Quota:
    """At most `USED_SHARE` of `per_minute` requests within any 60 seconds. Moments are those of a monotonic clock."""

    def __init__(self, per_minute: int) -> None:
        self._most = int(per_minute * USED_SHARE)
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0

    def full_for(self, cost: int, now: float) -> float:
        """Seconds until `cost` more requests fit; 0 when they fit now. A cost above the whole quota never fits."""
        while self._spent and self._spent[0][0] <= now - MINUTE:
            self._sum -= self._spent.popleft()[1]
        free = self._most - self._sum
        wait = 0.0
        for at, spent in self._spent:
            if free >= cost:
                break
            free += spent
            wait = at + MINUTE - now
        return wait if free >= cost else MINUTE

    def spend(self, cost: int, now: float) -> None:
        """`cost` requests go out, after `full_for` allowed them."""
        self._spent.append((now, cost))
        self._sum += cost

    def forgettable(self, now: float) -> bool:
        """Whether a new one would behave the same."""
        return not self._spent or self._spent[-1][0] <= now - MINUTE
