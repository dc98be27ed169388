"""What a page can do right now, derived from its hosts' calendars and never stored (X1)."""

from collections.abc import Collection
from enum import Enum

from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.user import UserSettings


class BookingMode(Enum):
    """ONLINE books at once; OFFLINE takes requests; BLOCKED takes nothing."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    BLOCKED = "BLOCKED"


def host_mode(settings: UserSettings, connection: CalendarConnection | None) -> BookingMode:
    """One host's mode: blocked while switched off (A-CS3) or while a selected calendar is lost (S60)."""
    if not settings.scheduling_pages:
        return BookingMode.BLOCKED
    if connection is None or not connection.usable or connection.default_calendar is None:
        return BookingMode.OFFLINE
    return BookingMode.BLOCKED if connection.lost_calendars else BookingMode.ONLINE


def page_mode(modes: Collection[BookingMode], *, any_host: bool) -> BookingMode:
    """A page's mode: with `any_host` (round robin) the best of its hosts, else the worst."""
    order = (BookingMode.ONLINE, BookingMode.OFFLINE, BookingMode.BLOCKED)
    ranked = sorted(modes, key=order.index) or [BookingMode.BLOCKED]
    return ranked[0 if any_host else -1]
