"""How soon after each other one calendar may be read."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

APART_SECONDS = 0.25
"""Four reads a second are less than half of what Google lets be asked for one person, 600 a minute."""
STORM_SECONDS = 1.0


@dataclass
class _Pace:
    """Of a calendar that was read a moment ago, in seconds of the event loop's clock."""

    begun: float
    not_before: float
    waking: asyncio.TimerHandle | None = None


class Spacing:
    """Keeps the reads of one calendar apart, however many notices come (SY-3); belongs to one event loop.

    A notice is obeyed at once, or a quarter of a second after the last read began, because somebody looks at a page
    and wants to see what changed. When more of them come while one waits, it is a storm: they are gathered until a
    second after the last read began, and lead to one read.
    """

    def __init__(self, ring: Callable[[UUID], object]) -> None:
        """`ring` wakes a worker for a calendar that had to wait; the worker asks `may_begin` again."""
        self._ring = ring
        self._paces: dict[UUID, _Pace] = {}

    def may_begin(self, calendar_id: UUID) -> bool:
        """Whether it may be read now; if not, a worker is woken once it may."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._forget_before(now - STORM_SECONDS)
        pace = self._paces.get(calendar_id)
        if pace is None or now >= pace.not_before:
            if pace is not None and pace.waking is not None:
                pace.waking.cancel()
            self._paces[calendar_id] = _Pace(begun=now, not_before=now + APART_SECONDS)
            return True
        if pace.waking is not None:
            pace.not_before = pace.begun + STORM_SECONDS
            pace.waking.cancel()
        pace.waking = loop.call_at(pace.not_before, self._ring, calendar_id)
        return False

    def wakes(self, calendar_id: UUID) -> bool:
        """Whether a worker will be woken for it anyway."""
        pace = self._paces.get(calendar_id)
        return pace is not None and pace.waking is not None and asyncio.get_running_loop().time() < pace.not_before

    def _forget_before(self, moment: float) -> None:
        self._paces = {known: pace for known, pace in self._paces.items() if pace.begun > moment}
