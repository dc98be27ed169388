"""The one event that stands for a booking: how it is written, how it is recognised, whether it has to change.

Pure functions. Sources: "event resource type", "Update event", "Outlook extended properties overview" (Graph
documentation), RFC 9562 5.5 for UUIDv5.

Ids of events cannot be chosen here. What makes a write repeatable is an extended property of our own that names
booking, host and generation, and a transaction id derived from the same: Graph makes one event of several requests that
carry it. A property goes along when somebody copies the event by hand, the transaction id does not; so a copy is not
taken for ours.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from meetings.application.ports.calendars import Attendee, CalendarEvent, EventKey, WrittenEvent
from meetings.domain.ical_uid import common_ical_uid

Json = Any

_SET = UUID("5d3f1b0a-8f5c-4c36-9d0e-2a7b64c1e9f3")
"""Our own set of named properties, and the name space of transaction ids."""
KEY_PROPERTY = f"String {{{_SET}}} Name MeetingsKey"
STATE_PROPERTY = f"String {{{_SET}}} Name MeetingsState"

READ_SELECT = (
    "id,transactionId,isOrganizer,isCancelled,createdDateTime,start,end,subject,body,attendees,webLink,"
    "isOnlineMeeting,onlineMeeting,iCalUId"
)


def transaction_id(key: EventKey) -> str:
    """PW-2. Always a UUIDv5, so that nearly everybody else's events can be told from ours by it."""
    return str(uuid5(_SET, json.dumps([key.booking, key.host, key.generation])))


def may_be_ours(event: Json) -> bool:
    """Whether an event that comes without extended properties is worth asking for them."""
    try:
        return UUID(str(event.get("transactionId"))).version == 5 and event.get("isOrganizer") is not False
    except ValueError:
        return False


def tells_key(event: Json) -> bool:
    """Whether our property came along, whatever it says."""
    return _property(event, KEY_PROPERTY) is not None


def key_value(key: EventKey) -> str:
    return f"{quote(key.booking, safe='')}/{quote(key.host, safe='')}/{key.generation}"


def booking_key(event: Json) -> str | None:
    """The booking an event stands for; None on everybody else's events, and on copies of ours."""
    key = key_on(event)
    return key.booking if key is not None else None


def best(found: Sequence[Json], key: EventKey) -> Json | None:
    """The event of `key` among those that carry its property: a copy made by hand carries it too."""
    own = [event for event in found if key_on(event) == key]
    return min(own, key=lambda event: str(event.get("createdDateTime", "")), default=None)


def key_on(event: Json) -> EventKey | None:
    """The key of an event that we wrote, None on everybody else's."""
    value = _property(event, KEY_PROPERTY)
    booking, host, generation = (value or "").split("/") if (value or "").count("/") == 2 else ("", "", "")
    if not re.fullmatch("[0-9]{1,9}", generation) or event.get("isOrganizer") is False:
        return None
    key = EventKey(unquote(booking), unquote(host), int(generation))
    return key if event.get("transactionId") in (None, transaction_id(key)) else None


def expand(*properties: str) -> str:
    """The value of `$expand` that brings these properties along."""
    wanted = " or ".join(f"id eq '{name}'" for name in properties)
    return f"singleValueExtendedProperties($filter={wanted})"


def carries(key: EventKey) -> str:
    """The value of `$filter` that finds what carries the property of `key`."""
    value = key_value(key).replace("'", "''")
    return f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY_PROPERTY}' and ep/value eq '{value}')"


def new_event(event: CalendarEvent, *, in_utc: bool = False) -> Json:
    """The body that creates the event; `in_utc` for a server that does not know its zone."""
    body = {
        **_wished(event, in_utc),
        "body": {"contentType": "text", "content": event.description},
        "attendees": [_guest(each) for each in event.attendees],
        "showAs": "busy",
        "transactionId": transaction_id(event.key),
        **(_online() if event.conference else {}),
    }
    body["singleValueExtendedProperties"].append({"id": KEY_PROPERTY, "value": key_value(event.key)})
    return body


def change(event: CalendarEvent, existing: Json, *, in_utc: bool = False) -> Json | None:
    """The patch that makes `existing` stand as wished; None when it does, or when a newer wish was written already.

    Guests whom the host added by hand stay, answers stay, and guests we invited before and wish no more go. The text is
    sent only when it is another one: it holds Outlook's part about the online meeting, and taking that away ends the
    online meeting ("Update event"), which is also the only way to end one: `isOnlineMeeting` cannot be taken back.
    """
    before = _state_on(existing)
    if before.get("sequence", -1) > event.sequence:
        return None
    state = _state(event)
    if before == state and _same_times(event, existing):
        return None
    patch = {**_wished(event, in_utc), "attendees": _guests(event, existing, before.get("invited", []))}
    online = bool(existing.get("isOnlineMeeting"))
    if event.conference and not online:
        patch |= _online()
    ends = bool(before.get("online")) and online and not event.conference
    if ends or before.get("text") != state["text"]:
        body = _body(event.description, existing, keep_meeting=online and not ends)
        patch |= {} if body is None else {"body": body}
    return patch


def written(existing: Json, event: CalendarEvent) -> WrittenEvent:
    """A link that was not wished for is not told: Outlook keeps showing one after it was given up."""
    return WrittenEvent(
        event_id=existing["id"],
        url=existing.get("webLink"),
        join_url=join_url(existing) if event.conference else None,
        ical_uid=common_ical_uid(existing["iCalUId"]) if existing.get("iCalUId") else None,
    )


def join_url(existing: Json) -> str | None:
    url: str | None = (existing.get("onlineMeeting") or {}).get("joinUrl")
    return url


def link_is_pending(existing: Json) -> bool:
    """An online meeting whose link is still being made (seen in public reports)."""
    return bool(existing.get("isOnlineMeeting")) and join_url(existing) is None


def stands_as(event: CalendarEvent, existing: Json) -> bool:
    """Whether the answer to a creation is what was sent. Another wish's event comes back for a transaction id that was
    used before."""
    return bool(existing["id"]) and _same_times(event, existing) and existing.get("subject") == event.title


def _wished(event: CalendarEvent, in_utc: bool) -> Json:
    """The fields that create and change have in common."""
    return {
        "subject": event.title,
        "location": {"displayName": event.location or ""},
        "start": _point(event.start, event.time_zone, in_utc),
        "end": _point(event.end, event.time_zone, in_utc),
        "singleValueExtendedProperties": [{"id": STATE_PROPERTY, "value": json.dumps(_state(event))}],
    }


def _point(instant: datetime, time_zone: str, in_utc: bool) -> Json:
    """Wall time in the zone (dateTimeTimeZone); in UTC where that says too little, in the hour that comes twice."""
    zone = UTC if in_utc else ZoneInfo(time_zone)
    wall = instant.astimezone(zone)
    if wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset():
        wall, time_zone = instant.astimezone(UTC), "UTC"
    return {"dateTime": wall.replace(tzinfo=None).isoformat(), "timeZone": "UTC" if in_utc else time_zone}


def _online() -> Json:
    return {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}


def _state(event: CalendarEvent) -> Json:
    """A mark of all that is wished.

    Comparing the texts instead would find differences for ever where Outlook tidies them up, and mail guests each time.
    """
    guests = sorted((guest.email.lower(), guest.name) for guest in event.attendees)
    wish = [event.title, event.location, event.time_zone, guests]
    return {
        "sequence": event.sequence,
        "mark": _short_hash(json.dumps(wish)),
        "text": _short_hash(event.description),
        "online": event.conference,
        "invited": [_address_hash(guest.email) for guest in event.attendees],
    }


def _state_on(existing: Json) -> Json:
    """What was wished before, {} when that cannot be read."""
    try:
        told = json.loads(_property(existing, STATE_PROPERTY) or "")
    except ValueError:
        return {}
    fits = isinstance(told, dict) and isinstance(told.get("sequence"), int) and isinstance(told.get("invited"), list)
    return told if fits else {}


def _property(event: Json, name: str) -> str | None:
    """Graph gives names back in its own case."""
    for each in event.get("singleValueExtendedProperties") or ():
        if str(each.get("id")).casefold() == name.casefold():
            return str(each.get("value"))
    return None


def _same_times(event: CalendarEvent, existing: Json) -> bool:
    """Times are asked for in UTC (graph.py)."""
    told = [existing.get(name, {}).get("dateTime") for name in ("start", "end")]
    return None not in told and [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in told] == [
        event.start,
        event.end,
    ]


def _guests(event: CalendarEvent, existing: Json, invited: list[Any]) -> list[Json]:
    there = {_address(guest).lower(): guest for guest in existing.get("attendees") or ()}
    wished = {guest.email.lower(): guest for guest in event.attendees}
    by_hand = [guest for email, guest in there.items() if email not in wished and _address_hash(email) not in invited]
    return [*(_guest(guest) for guest in wished.values()), *map(_as_sent, by_hand)]


def _address(guest: Json) -> str:
    return str((guest.get("emailAddress") or {}).get("address", ""))


def _guest(guest: Attendee) -> Json:
    return {"emailAddress": {"address": guest.email, "name": guest.name}, "type": "required"}


def _as_sent(guest: Json) -> Json:
    """Somebody's entry without their answer, which is theirs to give."""
    return {name: guest[name] for name in ("emailAddress", "type") if name in guest}


# Outlook's part about the online meeting begins with a line of underscores, whatever its design of the day.
_MEETING_PART = re.compile(r"<div\b(?:(?!<div\b).)*?_{20,}.*", re.DOTALL | re.IGNORECASE)


def _body(description: str, existing: Json, *, keep_meeting: bool) -> Json | None:
    """The new text. None where the old one has to stay: the part about the meeting in it cannot be told apart."""
    if not keep_meeting:
        return {"contentType": "text", "content": description}
    before = str((existing.get("body") or {}).get("content", ""))
    part = _MEETING_PART.search(before)
    if part is None:
        return None
    lines = escape(description, quote=False).replace("\r\n", "\n").replace("\n", "<br>\n")
    return {"contentType": "html", "content": f"<html><body><div>{lines}</div><br>\n{part[0]}"}


def _address_hash(email: str) -> str:
    return _short_hash(email.lower())


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
