"""A part of the tour: what Anna plans in Google Calendar itself comes to the records of those she meets."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from meetings.infrastructure.demo.people import ANNA, ZONE

if TYPE_CHECKING:
    from meetings.infrastructure.demo.tour import Tour

GRACE = "grace@example.org"
TITLE = "Talk about the contract"

ON_RECORD = """
query OnRecord($who: String!) {
  viewer { contacts(query: $who) { nodes { email timeline { nodes {
    __typename ... on MeetingEngagement { title start end outcome source owners { name } }
  } } } } }
}
"""


class OwnCalendar:
    """Needs the booking of the tour: it made Grace a contact."""

    def __init__(self, tour: "Tour") -> None:
        self._tour = tour

    async def walk(self) -> None:
        tour, report = self._tour, self._tour.report
        report.step("Anna plans something with Grace, who is a contact by now, in Google Calendar itself")
        start = (datetime.now(ZoneInfo(ZONE)) + timedelta(days=25)).replace(minute=0, second=0, microsecond=0)
        told: tuple[tuple[str, dict[str, Any]], ...] = (
            ("A surprise", {"visibility": "private"}),
            (TITLE, {"location": "Room 1"}),
        )
        private, event = (
            tour.google.add_event(
                ANNA.email, title, start, start + timedelta(hours=1), attendees=[{"email": GRACE}], **more
            )["id"]
            for title, more in told
        )
        meeting = await self._meeting("the event to come to the record", lambda found: True)
        report.expect(
            (meeting["source"], meeting["outcome"]) == ("CALENDAR", "SCHEDULED")
            and datetime.fromisoformat(meeting["start"]) == start,
            f"Grace's record has it: {meeting['title']}, held by {meeting['owners'][0]['name']}",
            meeting,
        )
        later = start + timedelta(days=1)
        tour.google.move_event(ANNA.email, event, later, later + timedelta(hours=1))
        await self._meeting(
            "the record to follow the move", lambda found: datetime.fromisoformat(found["start"]) == later
        )
        report.expect(True, "she moves it there, and the record follows")
        tour.google.cancel_event(ANNA.email, event)
        await self._meeting("the record to say so", lambda found: bool(found["outcome"] == "CANCELLED"))
        report.expect(True, "she deletes it there, and the record keeps it as cancelled")
        titles = [found.get("title") for found in await self._timeline()]
        report.expect("A surprise" not in titles, "the private one is nobody's business", titles)
        tour.google.cancel_event(ANNA.email, private)

    async def _meeting(self, what: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        async def is_there() -> bool:
            found[:] = [entry for entry in await self._timeline() if entry.get("title") == TITLE and holds(entry)]
            return bool(found)

        await self._tour.until(what, is_there)
        return found[0]

    async def _timeline(self) -> list[dict[str, Any]]:
        contacts = (await self._tour.anna.ask(ON_RECORD, who=GRACE))["viewer"]["contacts"]["nodes"]
        return [entry for contact in contacts for entry in contact["timeline"]["nodes"]]
