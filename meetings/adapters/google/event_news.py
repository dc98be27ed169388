"""Events with what they say and who takes part, for people's records; series as one event. Pure functions.

Sources: Events resource and events.list of Calendar API v3.
"""

from typing import Any
from zoneinfo import ZoneInfo

from meetings.adapters.google import wire
from meetings.adapters.google.booking_event import booking_key, join_url
from meetings.adapters.google.plain_text import plain_text
from meetings.application.ports.calendars import EventDetails, EventGuest, EventNews, GuestAnswer
from meetings.domain.ical_uid import common_ical_uid

Json = Any

FIELDS = (
    "nextPageToken,nextSyncToken,timeZone,"
    "items(id,iCalUID,status,summary,description,location,start,end,recurringEventId,recurrence,visibility,htmlLink,"
    "hangoutLink,conferenceData(entryPoints(entryPointType,uri)),organizer(email,self),"
    "attendees(email,self,resource,responseStatus),extendedProperties/private)"
)

_ANSWERS = {
    "accepted": GuestAnswer.ACCEPTED,
    "tentative": GuestAnswer.TENTATIVE,
    "declined": GuestAnswer.DECLINED,
}


def news(page: Json, cursor: str | None) -> EventNews:
    """One page of events.list with `singleEvents` off. Moved and cancelled instances of a series are left out."""
    zone = wire.zone(page.get("timeZone"))
    items = [item for item in page.get("items", []) if "recurringEventId" not in item]
    return EventNews(
        changed=tuple(_details(item, zone) for item in items if item["status"] != "cancelled"),
        removed=tuple(item["id"] for item in items if item["status"] == "cancelled"),
        cursor=cursor,
    )


def _details(item: Json, zone: ZoneInfo) -> EventDetails:
    organizer, guests = item.get("organizer", {}), item.get("attendees", [])
    return EventDetails(
        event_id=item["id"],
        ical_uid=common_ical_uid(item.get("iCalUID") or item["id"]),
        title=item.get("summary", ""),
        description=plain_text(item.get("description", "")) or None,
        location=item.get("location") or None,
        join_url=join_url(item),
        url=item.get("htmlLink"),
        start=wire.point(item["start"], zone),
        end=wire.point(item["end"], zone),
        organizer=organizer.get("email"),
        guests=tuple(_guest(each) for each in guests if each.get("email") and not each.get("resource")),
        organized_here=bool(organizer.get("self")) or not organizer,
        declined=any(each.get("self") and each.get("responseStatus") == "declined" for each in guests),
        private=item.get("visibility") in ("private", "confidential"),
        whole_days="date" in item["start"],
        is_series=bool(item.get("recurrence")),
        booking_key=booking_key(item),
    )


def _guest(guest: Json) -> EventGuest:
    return EventGuest(guest["email"], _ANSWERS.get(guest.get("responseStatus"), GuestAnswer.NONE))
