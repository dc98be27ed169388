"""One time on offer."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import strawberry

from meetings.domain.timespan import TimeSpan, at_minute
from meetings.graphql.leaf_lists import Nested


@strawberry.type(description="One time on offer.")
class Slot:
    """Half-open, in UTC."""

    start: datetime = strawberry.field(description="When it begins.")
    end: datetime = strawberry.field(description="When it ends; the next slot may begin right then.")

    @classmethod
    def of(cls, span: TimeSpan) -> "Slot":
        return cls(start=span.start, end=span.end)


class Slots:
    """The slots of `minutes` that begin at `starts` (minutes since the epoch): objects, or columns in wire form."""

    def __init__(self, starts: Sequence[int], minutes: int) -> None:
        self._starts = starts
        self._minutes = minutes

    def __iter__(self) -> Iterator[Slot]:
        length = timedelta(minutes=self._minutes)
        return (Slot(start=start, end=start + length) for start in map(at_minute, self._starts))

    def __len__(self) -> int:
        return len(self._starts)

    def column(self, field: str, nested: Nested) -> Sequence[str] | None:
        match field:
            case "start":
                return [wire_minute(start) for start in self._starts]
            case "end":
                return [wire_minute(start + self._minutes) for start in self._starts]
        return None


def wire_minute(minute: int) -> str:
    """A minute since the epoch as the scalar `DateTime` prints it."""
    day, of_day = divmod(minute, 1440)
    return _day(day) + _OF_DAY[of_day]


@lru_cache(maxsize=2048)
def _day(day: int) -> str:
    return at_minute(day * 1440).date().isoformat()


_OF_DAY = [f"T{minute // 60:02}:{minute % 60:02}:00Z" for minute in range(1440)]
