"""The rules of one scheduling page, for one of its durations."""

from dataclasses import dataclass
from datetime import date

from meetings.domain.availability.hours import OpeningHours


@dataclass(frozen=True)
class SlotRules:
    """What a page offers, before anybody's calendar is looked at.

    `duration`, `increment` and the buffers are elapsed minutes. The booking window (`first_date` to `last_date`, both
    included, either may be open) and the caps count local days of `hours.zone`; a week runs from Monday to Sunday.
    A window whose first date is after its last offers nothing.

    Raises:
        ValueError: a duration, increment or cap below 1, or a negative buffer.
    """

    hours: OpeningHours
    duration: int
    increment: int
    buffer_before: int = 0
    buffer_after: int = 0
    first_date: date | None = None
    last_date: date | None = None
    max_per_day: int | None = None
    max_per_week: int | None = None

    def __post_init__(self) -> None:
        if self.duration < 1 or self.increment < 1:
            raise ValueError("duration and increment are at least one minute")
        if self.buffer_before < 0 or self.buffer_after < 0:
            raise ValueError("a buffer cannot be negative")
        if any(cap is not None and cap < 1 for cap in (self.max_per_day, self.max_per_week)):
            raise ValueError("a cap is at least one meeting")
