"""The one event that stands for a booking: its id, how it is written, how it is recognised, whether it has to change.

Pure functions. Sources: Events resource, "Create events", "Extended properties", "Performance tips" (Calendar API
guides).

Private extended properties belong to one copy of an event, so an invited colleague's copy is not taken for ours; they
name the event id, so neither is a duplicate that somebody made by hand.
"""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from html import escape
from typing import Any

from meetings.application.ports.calendars import Attendee, CalendarEvent, EventKey, WrittenEvent
from meetings.domain.ical_uid import common_ical_uid

Json = Any

READ_FIELDS = (
    "id,iCalUID,status,etag,start,end,attendees,htmlLink,hangoutLink,extendedProperties/private,"
    "conferenceData(createRequest(requestId,status),entryPoints(entryPointType,uri))"
)
_EVENT, _BOOKING, _STATE, _INVITED = "meetingsEvent", "meetingsBooking", "meetingsState", "meetingsInvited"


def event_id(key: EventKey) -> str:
    """PW-1: base32hex (0-9, a-v) of a hash, so 52 of the 5 to 1024 characters an id may have (Events resource)."""
    digest = hashlib.sha256(json.dumps([key.booking, key.host, key.generation]).encode()).digest()
    return base64.b32hexencode(digest).decode().rstrip("=").lower()


def booking_key(event: Json) -> str | None:
    """The booking an event stands for; None on everybody else's events."""
    own = event.get("extendedProperties", {}).get("private", {})
    return own.get(_BOOKING) if own.get(_EVENT) == event["id"] else None


def is_ours(event: Json, key: EventKey) -> bool:
    return booking_key(event) == key.booking


def is_removed(event: Json) -> bool:
    return bool(event.get("status") == "cancelled")


def new_event(event: CalendarEvent) -> Json:
    """The body that creates the event."""
    body = {**_wished(event), "id": event_id(event.key), "attendees": [_guest(each) for each in event.attendees]}
    if event.conference:
        body["conferenceData"] = _conference_request(event)
    return _without_nothing(body)


def change(event: CalendarEvent, existing: Json) -> Json | None:
    """The patch that makes `existing` stand as wished; None when it does, or when a newer wish was written already.

    Guests whom the host added by hand stay, answers stay, and guests we invited before and wish no more go. A link that
    was asked for before is not asked for again: Google ignores a repeated request anyway.
    """
    before = existing.get("extendedProperties", {}).get("private", {})
    sequence, _, _ = str(before.get(_STATE)).partition(":")
    if re.fullmatch("[0-9]{1,9}", sequence) and int(sequence) > event.sequence:
        return None
    if before.get(_STATE) == _state(event) and _same_times(event, existing):
        return None
    patch = {**_wished(event), "attendees": _guests(event, existing, str(before.get(_INVITED, "")).split(","))}
    linked = existing.get("conferenceData", {})
    if event.conference and not linked:
        patch["conferenceData"] = _conference_request(event)
    if not event.conference and linked.get("createRequest", {}).get("requestId") == event_id(event.key):
        patch["conferenceData"] = None
    return patch


def written(existing: Json) -> WrittenEvent:
    return WrittenEvent(
        event_id=existing["id"],
        url=existing.get("htmlLink"),
        join_url=join_url(existing),
        ical_uid=common_ical_uid(existing["iCalUID"]) if existing.get("iCalUID") else None,
    )


def link_is_pending(existing: Json) -> bool:
    """Google makes conferences a moment later ("Create events": status.statusCode)."""
    request = existing.get("conferenceData", {}).get("createRequest", {})
    return bool(request.get("status", {}).get("statusCode") == "pending")


def _wished(event: CalendarEvent) -> Json:
    """The fields that create and change have in common; None takes a field away in a patch."""
    return {
        "summary": event.title,
        # "Can contain HTML" (Events resource): what looks like markup in plain text must not become any.
        "description": escape(event.description, quote=False),
        "location": event.location,
        "start": _point(event.start, event.time_zone),
        "end": _point(event.end, event.time_zone),
        "extendedProperties": {
            "private": {
                _EVENT: event_id(event.key),
                _BOOKING: event.key.booking,
                _STATE: _state(event),
                _INVITED: ",".join(_address_hash(guest.email) for guest in event.attendees),
            }
        },
    }


def _point(instant: datetime, time_zone: str) -> Json:
    """The instant in UTC; the zone says how it is shown and what guests' mails mention (Events resource, `start`)."""
    return {"dateTime": instant.astimezone(UTC).isoformat().replace("+00:00", "Z"), "timeZone": time_zone, "date": None}


def _state(event: CalendarEvent) -> str:
    """A mark of all that is wished, after its sequence number.

    Comparing the texts instead would find differences for ever where Google tidies them up, and mail guests each time.
    """
    guests = sorted((guest.email.lower(), guest.name) for guest in event.attendees)
    wish = [event.title, event.description, event.location, event.time_zone, guests, event.conference]
    return f"{event.sequence}:{_short_hash(json.dumps(wish))}"


def _same_times(event: CalendarEvent, existing: Json) -> bool:
    told = [existing.get(name, {}).get("dateTime") for name in ("start", "end")]
    return None not in told and [datetime.fromisoformat(each) for each in told] == [event.start, event.end]


def _guests(event: CalendarEvent, existing: Json, invited: list[str]) -> list[Json]:
    there = {str(guest.get("email", "")).lower(): guest for guest in existing.get("attendees", [])}
    wished = {guest.email.lower(): guest for guest in event.attendees}
    by_hand = [guest for email, guest in there.items() if email not in wished and _address_hash(email) not in invited]
    return [*({**there.get(email, {}), **_guest(guest)} for email, guest in wished.items()), *by_hand]


def _guest(guest: Attendee) -> Json:
    return {"email": guest.email, "displayName": guest.name}


def _address_hash(email: str) -> str:
    return _short_hash(email.lower())


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without_nothing(body: Json) -> Json:
    if not isinstance(body, dict):
        return body
    return {name: _without_nothing(value) for name, value in body.items() if value is not None}


def _conference_request(event: CalendarEvent) -> Json:
    return {
        "createRequest": {
            "requestId": event_id(event.key),
            "conferenceSolutionKey": {"type": "hangoutsMeet"},
        }
    }


def join_url(existing: Json) -> str | None:
    """Where people join by video; None where there is no such place."""
    entries = existing.get("conferenceData", {}).get("entryPoints", [])
    videos: list[str] = [entry["uri"] for entry in entries if entry.get("entryPointType") == "video"]
    link: str | None = existing.get("hangoutLink")
    return videos[0] if videos else link
