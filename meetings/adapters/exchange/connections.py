"""Connections of mailboxes that are kept open between calls: few, for a short time, and each for one login alone."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.answers import UNAUTHORIZED
from meetings.adapters.exchange.refusals import Refused

if TYPE_CHECKING:
    from meetings.adapters.exchange.soap import Connection

T = TypeVar("T")

IDLE_SECONDS = 60.0
"""Servers close idle connections after a minute or two (IIS: two)."""


@dataclass
class Kept:
    """One login's connection. `proven` once Exchange took its password in this process, `rejected` once it did not."""

    connection: "Connection"
    proven: bool = False
    rejected: bool = False
    used_at: float = 0.0
    door: threading.Lock = field(default_factory=threading.Lock)


class Connections:
    """At most `most` of them; the one that was not used for longest goes first."""

    def __init__(self, make: Callable[[MailboxAccess], "Connection"], *, most: int) -> None:
        self._make = make
        self._most = most
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, access: MailboxAccess) -> Kept:
        now = time.monotonic()
        with self._lock:
            kept = self._kept.get(access.fingerprint)
            if kept is None:
                kept = self._kept[access.fingerprint] = Kept(self._make(access))
            kept.used_at = now
            self._kept.move_to_end(access.fingerprint)
            left = self._overdue(now)
        for each in left:
            each.connection.close()
        return kept

    def _overdue(self, now: float) -> list[Kept]:
        """Take out what is too much; what was idle too long only loses its sockets, not what is known of it."""
        out = []
        while len(self._kept) > self._most:
            out.append(self._kept.popitem(last=False)[1])
        return out + [each for each in self._kept.values() if now - each.used_at > IDLE_SECONDS]


def carefully(kept: Kept, work: Callable[[], T], seconds: float) -> T:
    """Do `work`, unless the password was refused before: each further try with a wrong one would bring the account
    nearer to being locked (S38). Until it was taken once, calls go one at a time, so that only one can be refused.

    Raises:
        Refused: HTTP401, without a call, or whatever `work` raises.
    """
    if kept.proven:
        return _watched(kept, work)
    if not kept.door.acquire(timeout=max(seconds, 0)):
        raise TimeoutError("an earlier call with the same password takes too long")
    try:
        if kept.rejected:
            raise Refused(UNAUTHORIZED)
        return _watched(kept, work)
    finally:
        kept.door.release()


def _watched(kept: Kept, work: Callable[[], T]) -> T:
    try:
        answer = work()
    except Refused as refused:
        rejected = refused.code.startswith(UNAUTHORIZED)
        kept.rejected, kept.proven = rejected, not rejected
        raise
    kept.proven = True
    return answer
