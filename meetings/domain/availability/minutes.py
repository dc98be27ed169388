"""Datetimes at the edge, integer minutes inside."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def minute_of(instant: datetime) -> int:
    """Minutes since 1970-01-01T00:00Z, rounded down: right for the start of a busy span.

    Raises:
        ValueError: `instant` has no UTC offset.
    """
    return _since_epoch(instant) // MINUTE


def minute_after(instant: datetime) -> int:
    """Minutes since 1970-01-01T00:00Z, rounded up: right for the end of a busy span and for the earliest start."""
    return -(-_since_epoch(instant) // MINUTE)


def instant_of(minute: int) -> datetime:
    """The UTC datetime `minute` minutes after 1970-01-01T00:00Z."""
    return EPOCH + minute * MINUTE


def _since_epoch(instant: datetime) -> timedelta:
    if instant.utcoffset() is None:
        raise ValueError(f"an instant needs an offset from UTC: {instant.isoformat()}")
    return instant - EPOCH
