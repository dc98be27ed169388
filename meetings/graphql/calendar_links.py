"""Links with which an invitee puts a meeting into their own calendar."""

from datetime import datetime
from urllib.parse import urlencode

import strawberry

from meetings.application.links import Links
from meetings.domain.booking import Booking
from meetings.graphql.scalars import URL


@strawberry.type(description="Links that put the meeting into the invitee's own calendar.")
class CalendarLinks:
    """Only the file follows later changes."""

    ics: URL = strawberry.field(description="A calendar file, always of the newest state.")
    google: URL = strawberry.field(description="Google Calendar's form, filled in.")
    outlook: URL = strawberry.field(description="Outlook.com's form, filled in.")
    office365: URL = strawberry.field(description="The form of Outlook in Office 365, filled in.")

    @classmethod
    def of(cls, booking: Booking, links: Links) -> "CalendarLinks":
        place = (booking.event.join_url if booking.event else None) or booking.location.text or ""
        details = links.manage(booking.id)
        span = f"{_compact(booking.start)}/{_compact(booking.end)}"
        google = {"action": "TEMPLATE", "text": booking.title, "dates": span, "details": details, "location": place}
        outlook = urlencode(
            {
                "path": "/calendar/action/compose",
                "rru": "addevent",
                "subject": booking.title,
                "startdt": booking.start.isoformat(),
                "enddt": booking.end.isoformat(),
                "body": details,
                "location": place,
            }
        )
        return cls(
            ics=URL(links.calendar_file(booking.id)),
            google=URL(f"https://calendar.google.com/calendar/render?{urlencode(google)}"),
            outlook=URL(f"https://outlook.live.com/calendar/0/deeplink/compose?{outlook}"),
            office365=URL(f"https://outlook.office.com/calendar/0/deeplink/compose?{outlook}"),
        )


def _compact(instant: datetime) -> str:
    return instant.strftime("%Y%m%dT%H%M%SZ")
