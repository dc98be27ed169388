"""freebusy.query.

Source: Freebusy resource. A calendar that cannot be read is an entry with `errors` inside an answer of 200, never a
failed call. Busy is what is opaque, not cancelled and not declined by the calendar's owner; unanswered invitations
and tentative events count (seen in Google Calendar). Overlapping spans come merged and cut to the asked window
(assumed).
"""

from datetime import datetime, timedelta

from meetings.adapters.google.simulator import errors
from meetings.adapters.google.simulator.errors import GoogleError, Json
from meetings.adapters.google.simulator.recurrence import occurrences
from meetings.adapters.google.simulator.times import instant, read_instant, read_zone, written
from meetings.adapters.google.simulator.world import Account, Calendar, World

MOST_CALENDARS = 50
LONGEST = timedelta(days=92)

Span = tuple[datetime, datetime]


def query(world: World, account: Account, body: Json) -> Json:
    """The answer body. Needs no more than freeBusyReader on each calendar.

    Raises:
        GoogleError: 400 for a missing, empty or too long window.
    """
    for name in ("timeMin", "timeMax"):
        if not body.get(name):
            raise errors.required(f"Missing {name} parameter.")
    begins, ends = read_instant(body["timeMin"], "timeMin"), read_instant(body["timeMax"], "timeMax")
    if ends <= begins:
        raise errors.time_range_empty()
    if ends - begins > LONGEST:
        raise errors.time_range_too_long()
    zone = read_zone(body.get("timeZone") or "UTC")
    asked = [str(item["id"]) for item in body.get("items", [])]
    most = min(body.get("calendarExpansionMax", MOST_CALENDARS), MOST_CALENDARS)
    calendars: Json = {}
    for number, calendar_id in enumerate(asked):
        if number >= most:
            calendars[calendar_id] = _failed("tooManyCalendarsRequested")
            continue
        try:
            calendar, _ = world.calendar_for(account, calendar_id)
        except GoogleError:
            calendars[calendar_id] = _failed("notFound")
            continue
        spans = busy_spans(calendar, begins, ends)
        calendars[calendar_id] = {"busy": [{"start": written(s, zone), "end": written(e, zone)} for s, e in spans]}
    return {
        "kind": "calendar#freeBusy",
        "timeMin": written(begins, zone),
        "timeMax": written(ends, zone),
        "calendars": calendars,
    }


def busy_spans(calendar: Calendar, begins: datetime, ends: datetime) -> list[Span]:
    """Half-open UTC spans, sorted, merged, inside [begins, ends)."""
    spans = sorted(
        (max(start, begins), min(end, ends))
        for start, end in _all_spans(calendar, begins, ends)
        if end > begins and start < ends
    )
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _all_spans(calendar: Calendar, begins: datetime, ends: datetime) -> list[Span]:
    spans: list[Span] = []
    for stored in calendar.events.values():
        singles = [stored.fields] if not stored.is_series else []
        if stored.is_series and _is_busy(stored.fields, calendar):
            for occurrence in occurrences(stored.fields, calendar.zone, ends_after=begins, starts_before=ends):
                if occurrence.key not in stored.exceptions:
                    spans.append((instant(occurrence.start, calendar.zone), instant(occurrence.end, calendar.zone)))
        if not stored.is_cancelled:
            singles += [exception.fields for exception in stored.exceptions.values()]
        busy = [fields for fields in singles if _is_busy(fields, calendar)]
        spans += [(instant(each["start"], calendar.zone), instant(each["end"], calendar.zone)) for each in busy]
    return spans


def _is_busy(fields: Json, calendar: Calendar) -> bool:
    own = [guest for guest in fields.get("attendees", []) if guest["email"] == calendar.id]
    declined = any(guest["responseStatus"] == "declined" for guest in own)
    return fields["status"] != "cancelled" and fields.get("transparency") != "transparent" and not declined


def _failed(reason: str) -> Json:
    return {"errors": [{"domain": "global", "reason": reason}], "busy": []}
