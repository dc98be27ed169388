"""Writing events: insert, update, patch, delete, for whole events and for single instances of a series.

Used by the HTTP methods and by a test or person who changes the calendar "in Google's own pages"; the first pass the
account that is signed in, the others nobody.
"""

import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from meetings.adapters.google.simulator import errors
from meetings.adapters.google.simulator.conference import apply_conference
from meetings.adapters.google.simulator.errors import Json
from meetings.adapters.google.simulator.event_fields import SHARED, check_id, patched, replaced, written_fields
from meetings.adapters.google.simulator.invitations import answer, is_organizer, send_mails, spread
from meetings.adapters.google.simulator.recurrence import Occurrence, occurrences
from meetings.adapters.google.simulator.times import stamp
from meetings.adapters.google.simulator.world import Account, Calendar, StoredEvent, World

# What makes guests' programs ask them again: RFC 5546 2.1.4 names DTSTART, DTEND, DURATION, RRULE, RDATE, EXDATE,
# STATUS.
_SEQUENCED = ("start", "end", "recurrence", "status")


@dataclass(frozen=True)
class Wish:
    """How a write was asked for: the query parameters and headers that matter.

    `organizer` is for an invitation from somebody whose calendar is not simulated.
    """

    actor: Account | None = None
    send_updates: str | None = None
    conference_version: int = 0
    conference_pending: bool = False
    if_match: str | None = None
    organizer: Json | None = None


@dataclass
class Found:
    """An event that an id names. `series` and `key` are set for an instance; `stored` is None for an untouched one."""

    fields: Json
    stored: StoredEvent | None
    series: StoredEvent | None = None
    key: str = ""


def find(calendar: Calendar, event_id: str) -> Found:
    """The event or instance with this id; deleted ones too, since events.get "always returns them".

    Raises:
        GoogleError: 404.
    """
    stored = calendar.events.get(event_id)
    if stored is not None:
        return Found(stored.fields, stored)
    series_id, _, key = event_id.rpartition("_")
    series = calendar.events.get(series_id)
    if series is None or not series.is_series:
        raise errors.not_found()
    if key in series.exceptions:
        exception = series.exceptions[key]
        return Found(exception.fields, exception, series, key)
    if key in series.gone:
        return Found(tombstone(series, key, series.gone[key][0]), None, series, key)
    return Found(_planned(calendar, series, key), None, series, key)


def insert(world: World, calendar: Calendar, body: Json, wish: Wish) -> StoredEvent:
    """A new event. A chosen id that was ever used on this calendar, even by a deleted event, is refused with 409.

    ("ID must be unique per calendar", Events resource; that deleted ids stay taken was seen in public reports.)
    """
    event_id = check_id(body["id"]) if "id" in body else world.new_event_id()
    if event_id in calendar.events or event_id in calendar.forgotten_ids:
        raise errors.duplicate()
    creator = wish.actor or world.accounts.get(calendar.owner)
    moment = stamp(world.now())
    base: Json = {
        "id": event_id,
        "iCalUID": body.get("iCalUID") or f"{event_id}@google.com",
        "created": moment,
        "creator": {"email": creator.email} if creator else {"email": calendar.owner},
        "organizer": wish.organizer or _organizer(calendar),
        "sequence": 0,
        "eventType": "default",
        "reminders": {"useDefault": True},
    }
    fields = written_fields(base, body, calendar)
    apply_conference(fields, {}, body, wish.conference_version, replace=True, pending=wish.conference_pending)
    stored = StoredEvent(fields=fields, position=world.new_position())
    calendar.events[event_id] = stored
    world.touch(calendar, stored)
    send_mails(world, calendar, None, fields, wish.send_updates)
    _after_write(world, calendar, stored)
    return stored


def update(world: World, calendar: Calendar, event_id: str, body: Json, wish: Wish) -> Json:
    """events.update. On a deleted event it is a restoration, because the status is "confirmed" when not given
    (assumed).
    """
    found = find(calendar, event_id)
    fields = replaced(found.fields, body, calendar)
    return _write(world, calendar, found, fields, body, wish, replace=True)


def patch(world: World, calendar: Calendar, event_id: str, body: Json, wish: Wish) -> Json:
    """events.patch. A deleted event stays deleted unless the patch says otherwise (assumed)."""
    found = find(calendar, event_id)
    fields = patched(found.fields, body, calendar)
    return _write(world, calendar, found, fields, body, wish, replace=False)


def delete(world: World, calendar: Calendar, event_id: str, wish: Wish) -> None:
    """events.delete. An instance becomes a cancelled exception; a second delete is refused with 410."""
    found = find(calendar, event_id)
    _check_condition(found.fields, wish)
    if found.fields["status"] == "cancelled":
        raise errors.already_deleted()
    if not is_organizer(calendar, found.fields):
        _leave(world, calendar, found)
        return
    fields = {**copy.deepcopy(found.fields), "status": "cancelled"}
    _store(world, calendar, found, fields, wish)


def tombstone(series: StoredEvent, key: str, original_start: Json) -> Json:
    """What is left of an instance: "only guaranteed to have values for id, recurringEventId, originalStartTime"."""
    return {
        "id": f"{series.id}_{key}",
        "status": "cancelled",
        "recurringEventId": series.id,
        "originalStartTime": original_start,
        **{
            name: series.fields[name]
            for name in ("etag", "updated", "iCalUID", "organizer", "start", "end", "eventType")
        },
        "sequence": series.fields["sequence"],
    }


def instance_fields(series: StoredEvent, occurrence: Occurrence) -> Json:
    """An untouched instance: the series' fields at its own time."""
    fields = {name: value for name, value in series.fields.items() if name != "recurrence"}
    return {
        **fields,
        "id": f"{series.id}_{occurrence.key}",
        "start": occurrence.start,
        "end": occurrence.end,
        "recurringEventId": series.id,
        "originalStartTime": occurrence.start,
    }


def _planned(calendar: Calendar, series: StoredEvent, key: str) -> Json:
    zone = calendar.zone
    try:
        original = datetime.strptime(f"{key}+0000", "%Y%m%dT%H%M%SZ%z") if "T" in key else _midnight(key, zone)
    except ValueError:
        raise errors.not_found() from None
    second = timedelta(seconds=1)
    near = occurrences(series.fields, zone, ends_after=original - second, starts_before=original + second)
    occurrence = next((each for each in near if each.key == key), None)
    if occurrence is None or series.is_cancelled:
        raise errors.not_found()
    return instance_fields(series, occurrence)


def _midnight(key: str, zone: ZoneInfo) -> datetime:
    return datetime.strptime(key, "%Y%m%d").replace(tzinfo=zone)


def _write(
    world: World, calendar: Calendar, found: Found, fields: Json, body: Json, wish: Wish, *, replace: bool
) -> Json:
    _check_condition(found.fields, wish)
    apply_conference(
        fields, found.fields, body, wish.conference_version, replace=replace, pending=wish.conference_pending
    )
    if wish.actor is not None and not is_organizer(calendar, found.fields):
        return _write_as_guest(world, calendar, found, fields)
    return _store(world, calendar, found, fields, wish)


def _store(world: World, calendar: Calendar, found: Found, fields: Json, wish: Wish) -> Json:
    before = copy.deepcopy(found.fields)
    if any(before.get(name) != fields.get(name) for name in _SEQUENCED):
        fields["sequence"] = before["sequence"] + 1
    stored = _place(world, calendar, found, fields)
    send_mails(world, calendar, before, fields, wish.send_updates)
    _after_write(world, calendar, found.series or stored)
    return stored.fields


def _place(world: World, calendar: Calendar, found: Found, fields: Json) -> StoredEvent:
    if found.series is not None:
        fields.pop("recurrence", None)
        stored = found.stored or StoredEvent(fields=fields, position=found.series.position)
        stored.fields = fields
        found.series.exceptions[found.key] = stored
        found.series.gone.pop(found.key, None)
        world.touch(calendar, stored)
        return stored
    assert found.stored is not None
    stored = found.stored
    planned = _live_instances(calendar, stored)
    stored.fields = fields
    world.touch(calendar, stored)
    _note_lost_instances(calendar, stored, planned)
    return stored


def _live_instances(calendar: Calendar, stored: StoredEvent) -> dict[str, Json]:
    """Instance key -> original start of all that a client may know."""
    if not stored.is_series or stored.is_cancelled:
        return {}
    planned = {each.key: each.start for each in occurrences(stored.fields, calendar.zone)}
    moved = {key: exception.fields["originalStartTime"] for key, exception in stored.exceptions.items()}
    return planned | moved


def _note_lost_instances(calendar: Calendar, stored: StoredEvent, before: dict[str, Json]) -> None:
    """Instances that the changed series no longer has are reported as cancelled from now on; their exceptions end."""
    planned = {each.key for each in occurrences(stored.fields, calendar.zone)} if stored.is_series else set()
    if stored.is_cancelled:
        planned = set()
    for key, original_start in before.items():
        if key not in planned:
            stored.exceptions.pop(key, None)
            stored.gone[key] = (original_start, calendar.change)
    for key in planned:
        stored.gone.pop(key, None)


def _write_as_guest(world: World, calendar: Calendar, found: Found, fields: Json) -> Json:
    """A guest may answer and change what belongs to the own copy; the rest is the organizer's ("Handle API errors").

    `guestsCanModify` lets a guest write shared fields; that the change then spreads from the guest's copy is not
    simulated: it is refused like the others (assumed).
    """
    before, own_answer = found.fields, _own_answer(calendar, fields)
    for name in SHARED:
        if name not in ("attendees", "sequence") and before.get(name) != fields.get(name):
            raise errors.forbidden_for_non_organizer()
    answered = own_answer != _own_answer(calendar, before)
    fields["attendees"] = copy.deepcopy(before.get("attendees", []))
    for guest in fields["attendees"]:
        if guest["email"] == calendar.id and own_answer is not None:
            guest["responseStatus"] = own_answer
    stored = _place(world, calendar, found, fields)
    world.announce(calendar)
    if answered and own_answer is not None:
        answer(world, calendar, stored.fields, own_answer)
    return stored.fields


def _leave(world: World, calendar: Calendar, found: Found) -> None:
    """A guest deletes the own copy: it is cancelled here and counts as declined (seen in reports; detail assumed)."""
    fields = {**copy.deepcopy(found.fields), "status": "cancelled"}
    stored = _place(world, calendar, found, fields)
    world.announce(calendar)
    organizer = world.calendars.get(stored.fields["organizer"]["email"])
    leading = organizer.events.get(stored.id) if organizer else None
    for guest in leading.fields.get("attendees", []) if leading else []:
        if guest["email"] == calendar.id:
            guest["responseStatus"] = "declined"
    if organizer is not None and leading is not None:
        world.touch(organizer, leading)
        world.announce(organizer)


def _own_answer(calendar: Calendar, fields: Json) -> str | None:
    guests = fields.get("attendees", [])
    return next((str(guest["responseStatus"]) for guest in guests if guest["email"] == calendar.id), None)


def _check_condition(fields: Json, wish: Wish) -> None:
    """Conditional modification by If-Match ("Get specific versions of resources")."""
    if wish.if_match not in (None, "*", fields["etag"]):
        raise errors.condition_not_met()


def _organizer(calendar: Calendar) -> Json:
    """The calendar itself: for a secondary calendar its id and title (seen in answers)."""
    return {"email": calendar.id} if calendar.primary else {"email": calendar.id, "displayName": calendar.summary}


def _after_write(world: World, calendar: Calendar, stored: StoredEvent) -> None:
    spread(world, calendar, stored)
    world.announce(calendar)
