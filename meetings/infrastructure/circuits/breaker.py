"""When to stop asking somebody who does not answer, and when to ask again (RT-5)."""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum

IN_A_ROW = 5
SHARE = 0.5
LEAST_CALLS = 20
WINDOW_SECONDS = 30.0
REST_SECONDS = 30.0


class Turn(Enum):
    """What a call is to a breaker."""

    USUAL = "USUAL"
    PROBE = "PROBE"


@dataclass(frozen=True, slots=True)
class _Seen:
    at: float
    failed: bool
    caller: Hashable


class Breaker:
    """Closed: all calls go out. Open: none for half a minute, then one, on whose outcome it depends.

    Opens when `IN_A_ROW` calls in a row failed, or `SHARE` of at least `LEAST_CALLS` within `WINDOW_SECONDS`; with
    `callers` above one only when the failed ones among these were of as many callers, so that one broken mailbox is
    not held against the provider. Moments are seconds of a monotonic clock that the caller reads.
    """

    def __init__(self, *, callers: int = 1) -> None:
        self._callers = callers
        self._row: deque[Hashable] = deque(maxlen=IN_A_ROW)
        self._recent: deque[_Seen] = deque()
        self._rests_until: float | None = None
        self._probed = False

    @property
    def is_open(self) -> bool:
        return self._rests_until is not None

    def rests_for(self, now: float) -> float:
        """Seconds until the next call may go out; 0 when it may go now."""
        if self._rests_until is None:
            return 0.0
        if now < self._rests_until:
            return self._rests_until - now
        return REST_SECONDS if self._probed else 0.0

    def begin(self) -> Turn:
        """A call goes out, after `rests_for` allowed it. `ended` has to follow."""
        if self._rests_until is None:
            return Turn.USUAL
        self._probed = True
        return Turn.PROBE

    def ended(self, turn: Turn, failed: bool | None, now: float, caller: Hashable = None) -> None:
        """How the call ended; None when it told nothing about the other side."""
        if turn is Turn.PROBE:
            self._probed = False
            if failed is not None:
                self._rests_until = now + REST_SECONDS if failed else None
            return
        if failed is None or self._rests_until is not None:
            return
        self._remember(failed, now, caller)
        if failed and (self._failed_in_a_row() or self._failed_too_often()):
            self._rests_until = now + REST_SECONDS
            self._row.clear()
            self._recent.clear()

    def forgettable(self, now: float) -> bool:
        """Whether a new one would behave the same."""
        old = not self._recent or self._recent[-1].at <= now - WINDOW_SECONDS
        return self._rests_until is None and old and not self._row

    def _remember(self, failed: bool, now: float, caller: Hashable) -> None:
        self._recent.append(_Seen(now, failed, caller))
        while self._recent[0].at <= now - WINDOW_SECONDS:
            self._recent.popleft()
        if failed:
            self._row.append(caller)
        else:
            self._row.clear()

    def _failed_in_a_row(self) -> bool:
        return len(self._row) == IN_A_ROW and len(set(self._row)) >= self._callers

    def _failed_too_often(self) -> bool:
        failed = [seen.caller for seen in self._recent if seen.failed]
        often = len(self._recent) >= LEAST_CALLS and len(failed) >= SHARE * len(self._recent)
        return often and len(set(failed)) >= self._callers
