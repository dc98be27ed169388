"""Instants and spans. Inside the availability engine time is whole minutes since 1970-01-01T00:00Z; here it meets
datetimes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, order=True)
class TimeSpan:
    """A half-open span `[start, end)` of aware instants, kept in UTC.

    Raises:
        ValueError: an end is naive, or the span ends before it starts.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a span needs aware instants")
        if self.end < self.start:
            raise ValueError("a span cannot end before it starts")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    @property
    def duration(self) -> timedelta:
        return self.end - self.start

    def overlaps(self, other: "TimeSpan") -> bool:
        """Whether the two share an instant; spans that only touch do not."""
        return self.start < other.end and other.start < self.end

    def minutes(self) -> tuple[int, int]:
        """The smallest span of whole minutes since the epoch that covers this one."""
        return floor_minute(self.start), ceil_minute(self.end)


def floor_minute(instant: datetime) -> int:
    """Minutes since the epoch, rounded down: right for the start of a busy span.

    Raises:
        ValueError: `instant` has no offset from UTC.
    """
    return _since_epoch(instant) // _MINUTE


def ceil_minute(instant: datetime) -> int:
    """Minutes since the epoch, rounded up: right for the end of a busy span and for the earliest start."""
    return -(-_since_epoch(instant) // _MINUTE)


def at_minute(minute: int) -> datetime:
    """The UTC instant of a minute since the epoch."""
    return _EPOCH + minute * _MINUTE


def _since_epoch(instant: datetime) -> timedelta:
    if instant.utcoffset() is None:
        raise ValueError(f"an instant needs an offset from UTC: {instant.isoformat()}")
    return instant - _EPOCH
