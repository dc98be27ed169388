"""How an event, a calendar or a list entry looks to the account that asks.

Source: Events, Calendars and CalendarList resources. Private events show their time only to readers who are not guests
(Events resource, `visibility`). What a freeBusyReader sees in events.list is assumed: times, nothing else.
"""

import base64
from zoneinfo import ZoneInfo

from meetings.adapters.google.simulator.errors import Json
from meetings.adapters.google.simulator.times import shown, stamp
from meetings.adapters.google.simulator.world import Account, Calendar, ListEntry, World

_TIMES = (
    "id",
    "status",
    "start",
    "end",
    "recurringEventId",
    "originalStartTime",
    "recurrence",
    "eventType",
    "transparency",
)
_PRIVATE = (*_TIMES, "created", "updated", "iCalUID", "sequence", "organizer", "creator")


def event_json(fields: Json, calendar: Calendar, account: Account, role: str, zone: ZoneInfo, base_url: str) -> Json:
    """The event as `account` with `role` on `calendar` reads it, times in `zone`."""
    names = _visible(fields, account, role)
    seen = {name: value for name, value in fields.items() if names is None or name in names}
    seen |= {"kind": "calendar#event", "etag": fields["etag"], "htmlLink": html_link(fields["id"], calendar, base_url)}
    if names is not None:
        seen["visibility"] = "private"
    for name in ("start", "end", "originalStartTime"):
        if name in seen:
            seen[name] = shown(seen[name], zone)
    for name in ("creator", "organizer"):
        if name in seen and seen[name]["email"] == calendar.id:
            seen[name] = {**seen[name], "self": True}
    if "attendees" in seen:
        organizer = fields["organizer"]["email"]
        seen["attendees"] = [_attendee(guest, calendar, organizer) for guest in seen["attendees"]]
    return seen


def skeleton(fields: Json) -> Json:
    """A cancelled event without details: the id is promised, for an instance also its series and original start."""
    names = ("id", "status", "etag", "recurringEventId", "originalStartTime")
    return {"kind": "calendar#event", **{name: fields[name] for name in names if name in fields}}


def html_link(event_id: str, calendar: Calendar, base_url: str) -> str:
    token = base64.urlsafe_b64encode(f"{event_id} {calendar.id}".encode()).decode().rstrip("=")
    return f"{base_url}/calendar/event?eid={token}"


def calendar_json(calendar: Calendar) -> Json:
    seen: Json = {
        "kind": "calendar#calendar",
        "etag": f'"{calendar.id}/{calendar.time_zone}/{calendar.summary}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    if calendar.description:
        seen["description"] = calendar.description
    return seen if calendar.primary else {**seen, "dataOwner": calendar.owner}


def list_entry_json(world: World, account: Account, entry: ListEntry) -> Json:
    calendar = world.calendars[entry.calendar_id]
    if entry.deleted:
        etag = f'"{entry.changed}"'
        return {"kind": "calendar#calendarListEntry", "etag": etag, "id": calendar.id, "deleted": True}
    seen: Json = {
        **calendar_json(calendar),
        "kind": "calendar#calendarListEntry",
        "etag": f'"{entry.changed}"',
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "accessRole": calendar.access[account.email],
        "defaultReminders": [{"method": "popup", "minutes": 30}] if calendar.owner == account.email else [],
    }
    if calendar.id == account.email:
        seen["primary"] = True
    if entry.selected:
        seen["selected"] = True
    if entry.hidden:
        seen["hidden"] = True
    if entry.summary_override:
        seen["summaryOverride"] = entry.summary_override
    return seen


def events_page(calendar: Calendar, role: str, zone_name: str, etag: str) -> Json:
    """The frame around a page of events."""
    page: Json = {
        "kind": "calendar#events",
        "etag": etag,
        "summary": calendar.summary,
        "updated": stamp(calendar.updated) if calendar.updated else None,
        "timeZone": zone_name,
        "accessRole": role,
        "defaultReminders": [{"method": "popup", "minutes": 30}] if role == "owner" else [],
    }
    return {**page, "description": calendar.description} if calendar.description else page


def _visible(fields: Json, account: Account, role: str) -> tuple[str, ...] | None:
    """The names of the fields to show, or None for all."""
    if role == "freeBusyReader":
        return _TIMES
    guests = {guest["email"] for guest in fields.get("attendees", [])}
    hidden = fields.get("visibility") in ("private", "confidential")
    may_see = role in ("writer", "owner") or account.email in guests
    return _PRIVATE if hidden and not may_see else None


def _attendee(guest: Json, calendar: Calendar, organizer: str) -> Json:
    flags = {"self": True} if guest["email"] == calendar.id else {}
    return {**guest, **flags, **({"organizer": True} if guest["email"] == organizer else {})}
