"""Which fields of an event a client may write, and what Google refuses.

Source: Events resource (writable fields, allowed values), events.insert, events.update and events.patch; "Performance
tips" for the semantics of patch. Messages of 400 answers were seen in public reports; where a wording is a guess it
says so.
"""

import copy
import re
from typing import Any

from meetings.adapters.google.simulator.errors import GoogleError, Json, invalid, required
from meetings.adapters.google.simulator.recurrence import check_recurrence
from meetings.adapters.google.simulator.times import instant, read_event_time
from meetings.adapters.google.simulator.world import Calendar

# Fields that all copies of an event share; only the organizer changes them ("Sharing & attendees").
SHARED = (
    "summary", "description", "location", "start", "end", "recurrence", "status", "attendees", "attendeesOmitted",
    "conferenceData", "hangoutLink", "guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests",
    "anyoneCanAddSelf", "source", "gadget", "attachments", "sequence", "eventType", "outOfOfficeProperties",
    "focusTimeProperties", "workingLocationProperties", "birthdayProperties",
)  # fmt: skip
# Fields that belong to one copy.
OWN = ("transparency", "visibility", "colorId", "eventLabelId", "reminders", "extendedProperties", "privateCopy")
# Conference data follows its own rules (conference.py); the sequence is counted by the simulator, whatever is sent
# (assumed).
WRITABLE = frozenset(SHARED + OWN) - {"conferenceData", "hangoutLink", "sequence"}

# A field with its default value is left out of answers (seen in answers).
DEFAULTS: Json = {
    "transparency": "opaque",
    "visibility": "default",
    "guestsCanInviteOthers": True,
    "guestsCanModify": False,
    "guestsCanSeeOtherGuests": True,
    "anyoneCanAddSelf": False,
    "attendeesOmitted": False,
    "privateCopy": False,
}
ALLOWED: dict[str, tuple[str, ...]] = {
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "visibility": ("default", "public", "private", "confidential"),
    "eventType": ("default", "outOfOffice", "focusTime", "workingLocation", "birthday"),
}
RESPONSES = ("needsAction", "declined", "tentative", "accepted")
_ID = re.compile(r"[a-v0-9]{5,1024}")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def check_id(event_id: Any) -> str:
    """Base32hex, 5 to 1024 characters (Events resource, `id`); the wording of the refusal was seen in reports."""
    if not isinstance(event_id, str) or not _ID.fullmatch(event_id):
        raise invalid("Invalid resource id value.")
    return event_id


def replaced(current: Json, body: Json, calendar: Calendar) -> Json:
    """events.update: the body is the whole event, so a writable field that is missing goes away."""
    kept = {name: value for name, value in current.items() if name not in WRITABLE}
    # The type "cannot be modified after the event is created" (Events resource).
    change = {**body, "eventType": current["eventType"]}
    return written_fields({"reminders": {"useDefault": True}, "status": "confirmed", **kept}, change, calendar)


def patched(current: Json, body: Json, calendar: Calendar) -> Json:
    """events.patch: objects merge, arrays are replaced, null takes a field away ("Performance tips")."""
    writable = {name: value for name, value in body.items() if name in WRITABLE and name != "eventType"}
    merged = _merge(current, writable)
    for name in ("start", "end"):
        # A day that becomes a moment, or the reverse, replaces the other form (assumed).
        given = writable.get(name) or {}
        if given.get("date"):
            merged[name] = {"date": given["date"]}
        elif given.get("dateTime"):
            merged[name].pop("date", None)
    return written_fields(merged, {name: merged.get(name) for name in writable}, calendar)


def written_fields(base: Json, body: Json, calendar: Calendar) -> Json:
    """`base` with the writable fields of `body`, checked. Fields that are not writable are ignored."""
    fields = copy.deepcopy(base)
    for name, value in body.items():
        if name in WRITABLE and value is not None:
            fields[name] = copy.deepcopy(value)
        elif name in WRITABLE:
            fields.pop(name, None)
    fields.setdefault("status", "confirmed")
    fields["start"] = read_event_time(fields.get("start"), "start", calendar.time_zone)
    fields["end"] = read_event_time(fields.get("end"), "end", calendar.time_zone)
    _check_times(fields, body, calendar)
    _check_values(fields)
    fields["attendees"] = [_attendee(raw) for raw in fields.get("attendees") or []]
    if not fields["attendees"]:
        del fields["attendees"]
    return {name: value for name, value in fields.items() if DEFAULTS.get(name) != value or name not in DEFAULTS}


def _check_times(fields: Json, body: Json, calendar: Calendar) -> None:
    start, end = fields["start"], fields["end"]
    if ("date" in start) != ("date" in end):
        raise invalid("Start and end times must either both be date or both be dateTime.")
    begins, ends = instant(start, calendar.zone), instant(end, calendar.zone)
    if ends < begins or ("date" in start and ends == begins):
        raise GoogleError(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar")
    if not fields.get("recurrence"):
        fields.pop("recurrence", None)
        return
    if "dateTime" in start and body.get("start") and not body["start"].get("timeZone"):
        raise required("Missing time zone definition for start time.")
    check_recurrence(fields)


def _check_values(fields: Json) -> None:
    for name, allowed in ALLOWED.items():
        if name in fields and fields[name] not in allowed:
            raise invalid(f"Invalid value for: {name}.")
    for kind in ("private", "shared"):
        properties = fields.get("extendedProperties", {}).get(kind, {})
        if not all(isinstance(value, str) for value in properties.values()):
            raise invalid("Invalid extended property.")


def _attendee(raw: Any) -> Json:
    email = raw.get("email") if isinstance(raw, dict) else None
    if not email:
        raise required("Missing attendee email.")
    if not _ADDRESS.fullmatch(str(email)):
        raise invalid("Invalid attendee email.")
    if raw.get("responseStatus", "needsAction") not in RESPONSES:
        raise invalid("Invalid attendee response status.")
    read_only = {"self", "organizer", "id"}
    return {"responseStatus": "needsAction", **{name: value for name, value in raw.items() if name not in read_only}}


def _merge(current: Json, change: Json) -> Json:
    merged = copy.deepcopy(current)
    for name, value in change.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = _merge(merged[name], value)
        else:
            merged[name] = copy.deepcopy(value)
    return merged
