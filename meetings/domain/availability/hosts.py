"""What is known of one host's time."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from meetings.domain.availability.hours import OpeningHours


class BusyKind(Enum):
    """What takes the time; it decides nothing, it only words the explanation."""

    EVENT = "event"
    BOOKING = "booking"
    HELD = "held"


class BusySpan(NamedTuple):
    """Time `[start, end)` at which a host is taken; `source` says by what, such as a calendar's id."""

    start: int
    end: int
    source: str = ""
    kind: BusyKind = BusyKind.EVENT


@dataclass(frozen=True)
class HostTime:
    """One host's busy time as far as it is known.

    `busy` may be in any order and may overlap; an empty span blocks nothing. Where nobody will ask for an explanation,
    plain `(start, end)` pairs do, such as rows straight from a database. It is sorted and merged once per `HostTime`,
    on the first question, so keep the object while the busy time does not change.

    `busy` is complete within `[known_from, known_until)`. Outside, the host is unreachable: busy spans still block
    there, nothing is ever free. Equal bounds mean that the calendar cannot be read at all.

    `working_hours` (own zone) must contain the slot as well. `meetings` are the starts of the host's meetings that
    count towards `max_per_day`, a cap per local day of the page's zone.

    Raises:
        ValueError: `known_until` before `known_from`, a cap below 1; on the first question, a busy span that ends
            before it starts.
    """

    host: str
    busy: Sequence[BusySpan | tuple[int, int]]
    known_from: int
    known_until: int
    working_hours: OpeningHours | None = None
    max_per_day: int | None = None
    meetings: Sequence[int] = ()

    def __post_init__(self) -> None:
        if self.known_until < self.known_from:
            raise ValueError("known_until lies before known_from")
        if self.max_per_day is not None and self.max_per_day < 1:
            raise ValueError("a cap is at least one meeting")

    @cached_property
    def taken(self) -> tuple[list[int], list[int]]:
        """Starts and ends of the merged busy time, both sorted."""
        starts: list[int] = []
        ends: list[int] = []
        last = None
        for span in sorted(self.busy, key=itemgetter(0)):
            start, end = span[0], span[1]
            if start >= end:
                if start > end:
                    raise ValueError(f"a busy span of {self.host} ends before it starts: {start} to {end}")
            elif last is None or start > last:
                starts.append(start)
                ends.append(end)
                last = end
            elif end > last:
                ends[-1] = last = end
        return starts, ends
