"""Events with what they say and who takes part, for people's records; series as one event. Pure functions.

Source: "event resource type" of Microsoft Graph v1.0.
"""

import re
from collections.abc import Iterable
from typing import Any

from meetings.adapters.office365 import wire
from meetings.adapters.office365.booking_event import booking_key, join_url
from meetings.application.ports.calendars import EventDetails, EventGuest, EventNews, GuestAnswer
from meetings.domain.ical_uid import common_ical_uid

Json = Any

_ANSWERS = {
    "accepted": GuestAnswer.ACCEPTED,
    "organizer": GuestAnswer.ACCEPTED,
    "tentativelyAccepted": GuestAnswer.TENTATIVE,
    "declined": GuestAnswer.DECLINED,
}
# Outlook's part about the online meeting, in the text of an event, begins with a line of underscores.
_MEETING_PART = re.compile(r"^[ \t]*_{20,}[ \t]*$.*", re.DOTALL | re.MULTILINE)


def stands_alone(item: Json) -> bool:
    """Whether it is a single event or a series, and no instance of one."""
    return wire.series_of(item) is None


def news(items: Iterable[Json], zone: str | None, cursor: str | None) -> EventNews:
    """One page of `calendarView/delta` without its instances. `zone` is the mailbox's, for whole days."""
    told = list(items)
    gone = [item for item in told if "@removed" in item or item.get("isCancelled")]
    return EventNews(
        changed=tuple(_details(item, zone) for item in told if item not in gone),
        removed=tuple(item["id"] for item in gone),
        cursor=cursor,
    )


def _details(item: Json, zone: str | None) -> EventDetails:
    meeting, organizer = item.get("onlineMeeting") is not None, _address(item.get("organizer"))
    start, end = wire.span(item, zone)
    guests = [each for each in item.get("attendees") or () if each.get("type") != "resource" and _address(each)]
    return EventDetails(
        event_id=item["id"],
        # Without a name for everybody (seen in public reports) it has its own alone.
        ical_uid=common_ical_uid(item.get("iCalUId") or item["id"]),
        title=item.get("subject") or "",
        description=_text(str((item.get("body") or {}).get("content") or "")) or None,
        location=(item.get("location") or {}).get("displayName") or None,
        join_url=join_url(item) if meeting else None,
        url=item.get("webLink"),
        start=start,
        end=end,
        organizer=organizer,
        guests=tuple(EventGuest(_address(each) or "", _answer(each.get("status"))) for each in guests),
        organized_here=item.get("isOrganizer") is not False,
        declined=_answer(item.get("responseStatus")) is GuestAnswer.DECLINED,
        private=item.get("sensitivity") not in (None, "normal"),
        whole_days=bool(item.get("isAllDay")),
        is_series=wire.is_series(item),
        booking_key=booking_key(item),
    )


def _address(recipient: Json) -> str | None:
    address = ((recipient or {}).get("emailAddress") or {}).get("address")
    return str(address) if address else None


def _answer(status: Json) -> GuestAnswer:
    return _ANSWERS.get(str((status or {}).get("response")), GuestAnswer.NONE)


def _text(body: str) -> str:
    """The text without what Outlook adds to it."""
    return _MEETING_PART.sub("", body.replace("\r\n", "\n")).strip()
