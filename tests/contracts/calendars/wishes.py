"""Events to be written, with defaults."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from meetings.application.ports.calendars import Attendee, CalendarEvent, EventKey
from tests.contracts.calendars.world import at

VISITOR = Attendee("Vera Visitor", "vera@visitors.example")


def a_wish(
    booking: str = "5c1f6d1e-booking",
    *,
    host: str = "host-1",
    generation: int = 0,
    start: datetime | None = None,
    end: datetime | None = None,
    **changes: Any,
) -> CalendarEvent:
    wish = CalendarEvent(
        key=EventKey(booking, host, generation),
        title="Coffee with Vera",
        description="Agenda: coffee.\n\nCancel: https://meetings.example/cancel/1?a=b&c=d",
        start=start or at(4, 14),
        end=end or at(4, 14, 30),
        time_zone="America/New_York",
        attendees=(VISITOR,),
        location="Café Central, Wien",
    )
    return replace(wish, **changes)
