"""Lengths of time that a calendar understands: whole days and minutes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar days, then minutes. One day is until the same wall time tomorrow; 1,440 minutes are 24 hours."""

    days: int = 0
    minutes: int = 0

    def after(self, instant: datetime, zone: str) -> datetime:
        """The UTC instant this period after `instant` (aware), the days counted on the wall clock of `zone`."""
        if self.days:  # only then: wall-clock arithmetic forgets which one of a repeated hour it began in
            instant = instant.astimezone(ZoneInfo(zone)) + timedelta(days=self.days)
        return instant.astimezone(UTC) + timedelta(minutes=self.minutes)

    def before(self, instant: datetime, zone: str) -> datetime:
        """The UTC instant this period before `instant` (aware)."""
        return Period(-self.days, -self.minutes).after(instant, zone)

    @property
    def negative(self) -> bool:
        return self.days < 0 or self.minutes < 0

    @property
    def longest_minutes(self) -> int:
        """An upper bound in minutes, for limits."""
        return self.days * 1440 + self.minutes
