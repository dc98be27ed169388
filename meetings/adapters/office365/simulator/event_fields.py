"""The fields of an event: what a request may say, and how it is kept.

Source: event resource ("Properties"), "Create event", "Update event". Read-only fields in a request are ignored, as
Graph does with most of them (assumed for all).
"""

import copy
import hashlib
import re
import uuid
from typing import Any

from meetings.adapters.office365.simulator.bodies import has_join_link, kept_body, preview, with_join_link
from meetings.adapters.office365.simulator.errors import GraphError, Json, bad_request, invalid_property
from meetings.adapters.office365.simulator.odata import property_id
from meetings.adapters.office365.simulator.recurrence import check_recurrence, moved_range
from meetings.adapters.office365.simulator.times import instant, is_midnight, read_time, stamp, wall, windows_name
from meetings.adapters.office365.simulator.world import Calendar, World

NO_TIME = "0001-01-01T00:00:00Z"
_CHOICES = {
    "showAs": ("free", "tentative", "busy", "oof", "workingElsewhere", "unknown"),
    "importance": ("low", "normal", "high"),
    "sensitivity": ("normal", "personal", "private", "confidential"),
}
_PLAIN: dict[str, type | tuple[type, ...]] = {
    "subject": str,
    "allowNewTimeProposals": bool,
    "categories": list,
    "hideAttendees": bool,
    "isReminderOn": bool,
    "reminderMinutesBeforeStart": int,
    "responseRequested": bool,
}
_READ_ONLY = frozenset(
    "id changeKey createdDateTime lastModifiedDateTime bodyPreview hasAttachments iCalUId uid isCancelled isDraft"
    " isOrganizer onlineMeeting onlineMeetingUrl organizer originalStart originalStartTimeZone originalEndTimeZone"
    " responseStatus seriesMasterId type webLink".split()
)
_KNOWN = (
    _READ_ONLY
    | set(_PLAIN)
    | set(_CHOICES)
    | set(
        "attendees body start end isAllDay isOnlineMeeting onlineMeetingProvider location locations recurrence"
        " singleValueExtendedProperties transactionId".split()
    )
)
# What an attendee is told of by mail when it changes.
MEETING_FIELDS = ("subject", "body", "start", "end", "isAllDay", "location", "locations", "recurrence", "attendees")
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")


def new_fields(world: World, calendar: Calendar, body: Json, *, link_pending: bool) -> Json:
    """The fields of a new event. Raises GraphError 400."""
    if "start" not in body or "end" not in body:
        raise invalid_property("At least one property failed validation.")
    owner = world.accounts[calendar.owner]
    fields: Json = {
        "createdDateTime": stamp(world.now()),
        "categories": [],
        "transactionId": body.get("transactionId"),
        "iCalUId": "040000008200E00074C5B7101A82E008" + uuid.uuid4().hex.upper(),
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": True,
        "hasAttachments": False,
        "subject": "",
        "importance": "normal",
        "sensitivity": "normal",
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "responseRequested": True,
        "seriesMasterId": None,
        "showAs": "busy",
        "type": "singleInstance",
        "onlineMeetingUrl": None,
        "isOnlineMeeting": False,
        "onlineMeetingProvider": "unknown",
        "allowNewTimeProposals": True,
        "isDraft": False,
        "hideAttendees": False,
        "recurrence": None,
        "onlineMeeting": None,
        "responseStatus": {"response": "organizer", "time": NO_TIME},
        "body": kept_body({}),
        "location": _location(None),
        "locations": [],
        "attendees": [],
        # In a shared calendar the owner is the organizer ("Create Outlook events in a shared or delegated calendar").
        "organizer": {"emailAddress": {"name": owner.name, "address": owner.email}},
    }
    return written(fields, body, link_pending=link_pending)


def written(before: Json, body: Json, *, link_pending: bool) -> Json:
    """The fields after a request's body was laid over them; `link_pending` leaves a Teams link to `make_link`.

    Raises:
        GraphError: 400.
    """
    fields = copy.deepcopy(before)
    for name in body:
        if name not in _KNOWN and "@" not in name:
            raise bad_request(f"The property '{name}' does not exist on type 'microsoft.graph.event'.")
    for name, kind in _PLAIN.items():
        if name in body:
            fields[name] = _plain(name, body[name], kind, fields[name])
    for name, choices in _CHOICES.items():
        if name in body:
            fields[name] = _choice(name, body[name], choices)
    _write_times(fields, body)
    _write_place(fields, body)
    if "attendees" in body:
        fields["attendees"] = _attendees(body["attendees"], before["attendees"])
    if "body" in body:
        fields["body"] = kept_body(body["body"] or {})
    _write_online_meeting(before, fields, body, link_pending=link_pending)
    fields["bodyPreview"] = preview(fields["body"]["content"])
    return fields


def extended_properties(body: Json) -> dict[str, str]:
    """The single-value extended properties of a request, by their id. Raises GraphError 400."""
    properties = body.get("singleValueExtendedProperties") or []
    if not all(isinstance(each, dict) and isinstance(each.get("value"), str) for each in properties):
        raise invalid_property("At least one property failed validation.")
    return {property_id(str(each.get("id", ""))): each["value"] for each in properties}


def _plain(name: str, value: Any, kind: Any, before: Any) -> Any:
    if value is None:
        return "" if kind is str else before
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise bad_request(f"Cannot convert the value of '{name}' to its type.")
    if name == "subject" and len(value) > 255:
        # Exchange keeps 255 characters of a subject; that longer ones are cut is assumed.
        return value[:255]
    return value


def _choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Enumerations are read without letter case (assumed), and told in camel case."""
    known = {choice.lower(): choice for choice in choices}
    if not isinstance(value, str) or value.lower() not in known:
        raise bad_request(f"Requested value '{value}' of '{name}' was not found.")
    return known[value.lower()]


def _write_times(fields: Json, body: Json) -> None:
    moved = any(name in body for name in ("start", "end", "isAllDay", "recurrence"))
    for name in ("start", "end"):
        if name in body:
            fields[name] = read_time(body[name], name)
            fields[f"original{name.title()}TimeZone"] = windows_name(fields[name]["timeZone"])
    if "isAllDay" in body:
        fields["isAllDay"] = bool(body["isAllDay"])
    if not moved:
        return
    if fields["isAllDay"] and not (is_midnight(fields["start"]) and is_midnight(fields["end"])):
        # "start and endtime must be set to midnight and be in the same time zone" (event resource, isAllDay).
        raise invalid_property("The Event.Start property for an all-day event needs to be set to midnight.")
    if fields["isAllDay"] and wall(fields["end"]) <= wall(fields["start"]):
        raise invalid_property("The duration of an event marked as All day must be at least 24 hours.")
    if instant(fields["end"]) < instant(fields["start"]):
        raise invalid_property("At least one property failed validation.")
    if "recurrence" in body:
        given = body["recurrence"]
        fields["recurrence"] = None if given is None else check_recurrence(given, fields["start"])
        fields["type"] = "singleInstance" if given is None else "seriesMaster"
    elif fields["recurrence"] is not None and "start" in body:
        fields["recurrence"] = moved_range(fields["recurrence"], fields["start"])


def _write_place(fields: Json, body: Json) -> None:
    if "location" in body:
        fields["location"] = _location(body["location"])
        fields["locations"] = [dict(fields["location"])] if fields["location"]["displayName"] else []
    if "locations" in body:
        fields["locations"] = [_location(each) for each in body["locations"] or []]
        fields["location"] = dict(fields["locations"][0]) if fields["locations"] else _location(None)


def _location(given: Any) -> Json:
    given = given if isinstance(given, dict) else {}
    name = str(given.get("displayName") or "")
    kept = {"displayName": name, "locationType": given.get("locationType", "default")}
    if name:
        kept |= {"uniqueId": name, "uniqueIdType": "private"}
    for field in ("address", "coordinates", "locationEmailAddress", "locationUri"):
        if given.get(field):
            kept[field] = given[field]
    return kept


def _attendees(given: Any, before: list[Json]) -> list[Json]:
    """The attendees as kept; who was invited before keeps the answer (assumed)."""
    answers = {each["emailAddress"]["address"].lower(): each["status"] for each in before}
    kept: dict[str, Json] = {}
    for each in given or []:
        about = (each.get("emailAddress") if isinstance(each, dict) else None) or {}
        address = str(about.get("address") or "")
        if not _ADDRESS.fullmatch(address):
            # The code was seen for mails; that events answer it too is assumed.
            raise GraphError(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
        kept[address.lower()] = {
            "type": _choice("type", each.get("type") or "required", ("required", "optional", "resource")),
            "status": answers.get(address.lower(), {"response": "none", "time": NO_TIME}),
            "emailAddress": {"name": about.get("name") or address, "address": address},
        }
    return list(kept.values())


def make_link(fields: Json) -> None:
    """The Teams meeting is there: its link, and its part of the text."""
    code = hashlib.sha256(fields["iCalUId"].encode()).hexdigest()[:24]
    join_url = f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{code}%40thread.v2/0"
    fields["onlineMeeting"] = {"joinUrl": join_url}
    fields["body"] = with_join_link(fields["body"], join_url)
    fields["bodyPreview"] = preview(fields["body"]["content"])


def _write_online_meeting(before: Json, fields: Json, body: Json, *, link_pending: bool) -> None:
    """`isOnlineMeeting` makes a Teams meeting once; later changes of it are ignored (event resource, isOnlineMeeting).

    A body that lost the Teams part ends the online meeting ("Update event", notes).
    """
    if before["isOnlineMeeting"]:
        join_url = (before["onlineMeeting"] or {}).get("joinUrl")
        if "body" in body and join_url is not None and not has_join_link(fields["body"], join_url):
            fields |= {"isOnlineMeeting": False, "onlineMeetingProvider": "unknown", "onlineMeeting": None}
        return
    if not body.get("isOnlineMeeting"):
        return
    provider = body.get("onlineMeetingProvider") or "teamsForBusiness"
    if provider != "teamsForBusiness":
        # Only what allowedOnlineMeetingProviders of the calendar names (calendar resource; wording assumed).
        raise invalid_property("The online meeting provider is not supported by the calendar.")
    fields["isOnlineMeeting"], fields["onlineMeetingProvider"] = True, provider
    if not link_pending:
        make_link(fields)
