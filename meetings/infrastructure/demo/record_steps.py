"""A part of the tour: what Anna plans on a contact's record is sent to the contact as an invitation."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from meetings.infrastructure.demo.people import ANNA, ZONE

if TYPE_CHECKING:
    from meetings.infrastructure.demo.tour import Tour

GRACE = "grace@example.org"
TITLE = "Second talk with Grace"

CONTACT = """
query Contact($who: String!) {
  viewer { contacts(query: $who) { nodes { id email name owner { name } timeline { nodes {
    __typename ... on MeetingEngagement { id title outcome source }
  } } } } }
}
"""

PLAN = """
mutation Plan($input: MeetingEngagementInput!) {
  createMeetingEngagement(input: $input) {
    engagement { id title start outcome source invitationSent calendarEventUrl } errors { code message path }
  }
}
"""

CALL_OFF = """
mutation CallOff($id: ID!) {
  updateMeetingEngagement(id: $id, input: { outcome: CANCELLED }) {
    engagement { outcome } errors { code message path }
  }
}
"""


class Records:
    """Needs the booking of the tour: it made Grace a contact."""

    def __init__(self, tour: "Tour") -> None:
        self._tour = tour

    async def walk(self) -> None:
        await self.look()
        await self.plan()

    async def look(self) -> None:
        report = self._tour.report
        report.step("Anna looks at Grace's record")
        await self._tour.until("the booking to be on record", self._is_on_record)
        grace = await self._grace()
        report.expect(
            grace["owner"] == {"name": ANNA.name}, f"{grace['name']} is a contact, {ANNA.name} looks after them", grace
        )
        booked = [entry for entry in grace["timeline"]["nodes"] if entry["source"] == "PAGE"]
        for entry in booked:
            report.saw(f"- {entry['title']}: {entry['outcome']}")
        report.expect(
            [entry["outcome"] for entry in booked] == ["CANCELLED"],
            "booked, moved and cancelled is one meeting, whose history stays",
            grace,
        )

    async def plan(self) -> None:
        tour, report = self._tour, self._tour.report
        report.step("She plans another meeting there: it arrives in Google Calendar as an invitation")
        start = (datetime.now(ZoneInfo(ZONE)) + timedelta(days=26)).replace(minute=0, second=0, microsecond=0)
        wish = {
            "contactId": (await self._grace())["id"],
            "title": TITLE,
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=45)).isoformat(),
        }
        planned = (await tour.anna.ask(PLAN, input=wish))["createMeetingEngagement"]
        report.expect(not planned["errors"] and planned["engagement"]["invitationSent"], "planned and sent", planned)
        [event] = self._events()
        guests = [guest["email"] for guest in event["attendees"]]
        report.expect(guests == [GRACE], f"in her calendar: {event['summary']}, with {', '.join(guests)}", event)
        entries = [entry["title"] for entry in (await self._grace())["timeline"]["nodes"]]
        report.expect(entries.count(TITLE) == 1, "and on Grace's record, once", entries)
        off = (await tour.anna.ask(CALL_OFF, id=planned["engagement"]["id"]))["updateMeetingEngagement"]
        await tour.until("the event to go", self._is_gone)
        report.expect(off["engagement"]["outcome"] == "CANCELLED", "called off, its event goes; the record stays", off)

    async def _grace(self) -> dict[str, Any]:
        for contact in (await self._tour.anna.ask(CONTACT, who=GRACE))["viewer"]["contacts"]["nodes"]:
            found: dict[str, Any] = contact
            return found
        return {"timeline": {"nodes": []}}

    async def _is_on_record(self) -> bool:
        return any(entry["outcome"] == "CANCELLED" for entry in (await self._grace())["timeline"]["nodes"])

    async def _is_gone(self) -> bool:
        return not self._events()

    def _events(self) -> list[dict[str, Any]]:
        return [event for event in self._tour.google.events(ANNA.email) if event.get("summary") == TITLE]
