"""When mails of a sequence leave: in the hours their sender works."""

from dataclasses import dataclass
from datetime import UTC, datetime

from meetings.domain.availability.hours import DayRange, OpeningHours, startable
from meetings.domain.period import Period
from meetings.domain.timespan import at_minute, floor_minute
from meetings.domain.user import UserSettings

_SEARCHED_DAYS = 370
_USUAL = (DayRange(9 * 60, 17 * 60),)


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """A person's working hours, in their zone."""

    zone: str
    hours: OpeningHours

    @classmethod
    def of(cls, settings: UserSettings) -> "BusinessHours":
        """The hours the person set; Monday to Friday from 9 to 5 for one who set none."""
        if settings.working_hours is not None:
            return cls(settings.time_zone, settings.working_hours.opening_hours())
        week = (*(_USUAL for _ in range(5)), (), ())
        return cls(settings.time_zone, OpeningHours(settings.time_zone, week))

    def at_or_after(self, instant: datetime) -> datetime:
        """The first moment within the hours from `instant` on, UTC: `instant` itself where it is, and for hours that
        stay closed for a year; else the minute in which they open."""
        minute = floor_minute(instant)
        for day in range(_SEARCHED_DAYS):
            begin = minute + day * 1440
            for start, _, _ in startable(self.hours, 1, begin, begin + 1440):
                return instant.astimezone(UTC) if start == minute else at_minute(start)
        return instant.astimezone(UTC)

    def after(self, delay: Period, instant: datetime) -> datetime:
        """The first moment within the hours once `delay` has passed; its days are the person's calendar days."""
        return self.at_or_after(delay.after(instant, self.zone))
