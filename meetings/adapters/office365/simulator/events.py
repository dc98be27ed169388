"""Writing events: create, update, delete, cancel, for whole events and for single occurrences of a series.

Used by the HTTP methods and by a test or person who changes the calendar in Outlook.
"""

import copy
from dataclasses import dataclass
from datetime import date

from meetings.adapters.office365.simulator.errors import (
    GraphError,
    Json,
    access_denied,
    conflict,
    duplicate_transaction,
    invalid_request,
    item_not_found,
)
from meetings.adapters.office365.simulator.event_fields import extended_properties, new_fields, written
from meetings.adapters.office365.simulator.invitations import send_mails, spread
from meetings.adapters.office365.simulator.recurrence import Occurrence, occurrence_of
from meetings.adapters.office365.simulator.times import instant, stamp
from meetings.adapters.office365.simulator.world import Account, Calendar, StoredEvent, World

_OCCURRENCE = "FRAAgI"


@dataclass(frozen=True)
class Wish:
    """How a write was asked for: by whom (None: a person in Outlook, who may do everything), under which condition, and
    what the settings of the simulator make of it."""

    actor: Account | None = None
    if_match: str | None = None
    refuse_same_transaction: bool = False
    link_pending: bool = False


@dataclass
class Found:
    """An event that an id names. `series` and `key` are set for an occurrence; `stored` is None for an untouched one.

    `id` is the immutable one.
    """

    id: str
    fields: Json
    stored: StoredEvent | None
    series: StoredEvent | None = None
    key: str = ""


def occurrence_id(series: StoredEvent, key: str) -> str:
    return f"{series.id}{_OCCURRENCE}{key.replace('-', '')}"


def find(calendar: Calendar, event_id: str, *, bin_too: bool = False) -> Found:
    """The live event or occurrence with this immutable id; with `bin_too` a deleted event, too.

    A deleted event lies in another folder then, under the same immutable id; whether it is still found as an event is
    not documented.

    Raises:
        GraphError: 404 ErrorItemNotFound.
    """
    stored = calendar.events.get(event_id)
    if stored is not None and (bin_too or not stored.removed):
        return Found(stored.id, stored.fields, stored)
    series_id, _, day = event_id.rpartition(_OCCURRENCE)
    series = calendar.events.get(series_id)
    if series is None or series.removed or len(day) != 8 or not day.isdigit():
        raise item_not_found()
    key = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    if key in series.exceptions:
        exception = series.exceptions[key]
        return Found(exception.id, exception.fields, exception, series, key)
    planned = _planned(series, key)
    return Found(event_id, occurrence_fields(series, planned), None, series, key)


def create(world: World, calendar: Calendar, body: Json, wish: Wish) -> StoredEvent:
    """A new event, with invitations to its attendees.

    A `transactionId` that a live event of the mailbox carries already makes no second event. What the service answers
    then is undocumented: the event itself when the request is the same (assumed), an error when it differs, or always
    with `refuse_same_transaction`. That a deleted event's id may be used again is assumed.

    Raises:
        GraphError: 400.
    """
    fields = new_fields(world, calendar, body, link_pending=wish.link_pending)
    before = _same_transaction(world, calendar, body)
    if before is not None:
        if wish.refuse_same_transaction or _essence(before.fields) != _essence(fields):
            raise duplicate_transaction(before.id)
        return before
    stored = StoredEvent(id=world.new_id(), fields=fields, position=world.new_position())
    stored.extended = extended_properties(body)
    calendar.events[stored.id] = stored
    if fields["transactionId"]:
        world.transactions[calendar.owner, fields["transactionId"]] = calendar.id, stored.id
    world.touch(calendar, stored)
    send_mails(world, calendar, stored.id, None, fields)
    spread(world, calendar, stored)
    world.announce(calendar, stored, "created")
    return stored


def update(world: World, calendar: Calendar, event_id: str, body: Json, wish: Wish) -> Found:
    """PATCH. An occurrence becomes an exception. Every change of a meeting is mailed to its attendees (see send_mails).

    Raises:
        GraphError: 400, 403 for a meeting that somebody else organizes, 404, 412.
    """
    found = find(calendar, event_id)
    check_version(found.fields, wish.if_match)
    if wish.actor is not None and not found.fields["isOrganizer"]:
        _check_attendees_change(body)
    if found.series is not None and body.get("recurrence"):
        raise invalid_request("An occurrence cannot recur.")
    fields = written(found.fields, body, link_pending=wish.link_pending)
    before = copy.deepcopy(found.fields)
    stored = _place(world, calendar, found, fields)
    stored.extended |= extended_properties(body)
    send_mails(world, calendar, stored.id, before, fields, asked=set(body))
    whole = found.series or stored
    spread(world, calendar, whole)
    world.announce(calendar, stored, "updated")
    return Found(stored.id, stored.fields, stored, found.series, found.key)


def delete(world: World, calendar: Calendar, event_id: str, wish: Wish) -> None:
    """DELETE. An organizer's meeting is cancelled: "deleting the event on the organizer's calendar sends a cancellation
    message to the meeting attendees" ("Delete event"). An attendee's copy just goes (assumed: without an answer).
    """
    found = find(calendar, event_id)
    check_version(found.fields, wish.if_match)
    if found.fields["isOrganizer"]:
        send_mails(world, calendar, found.id, found.fields, None)
    _remove(world, calendar, found)


def cancel(world: World, calendar: Calendar, event_id: str, wish: Wish) -> None:
    """POST cancel: "only the organizer can cancel"; the event goes from the organizer's calendar ("event: cancel")."""
    found = find(calendar, event_id)
    if not found.fields["isOrganizer"] or found.fields["organizer"]["emailAddress"]["address"] != calendar.owner:
        message = "Your request can't be completed. You need to be an organizer to cancel a meeting."
        raise GraphError(400, "ErrorAccessDenied", message)
    delete(world, calendar, event_id, wish)


def occurrence_fields(series: StoredEvent, occurrence: Occurrence) -> Json:
    """An untouched occurrence: the series' fields at its own time."""
    return {
        **series.fields,
        "type": "occurrence",
        "recurrence": None,
        "start": occurrence.start,
        "end": occurrence.end,
        "seriesMasterId": series.id,
        "originalStart": stamp(instant(occurrence.start)),
    }


def check_version(fields: Json, if_match: str | None) -> None:
    """If-Match compares the change key inside the entity tag."""
    if if_match not in (None, "*") and etag(fields) != if_match:
        raise conflict()


def etag(fields: Json) -> str:
    return f'W/"{fields["changeKey"]}"'


def _same_transaction(world: World, calendar: Calendar, body: Json) -> StoredEvent | None:
    """The live event of the mailbox that was made under the same transaction id."""
    made = world.transactions.get((calendar.owner, str(body.get("transactionId"))))
    stored = world.calendars[made[0]].events[made[1]] if made is not None else None
    return stored if stored is not None and not stored.removed else None


def _essence(fields: Json) -> tuple[object, ...]:
    """What tells one request for a new event from another (assumed)."""
    guests = {each["emailAddress"]["address"].lower() for each in fields["attendees"]}
    return fields["subject"], fields["start"], fields["end"], guests


def _planned(series: StoredEvent, key: str) -> Occurrence:
    try:
        date.fromisoformat(key)
    except ValueError:
        raise item_not_found() from None
    planned = occurrence_of(series.fields, key) if series.is_series and key not in series.cancelled else None
    if planned is None:
        raise item_not_found()
    return planned


def _check_attendees_change(body: Json) -> None:
    """An attendee may change the own copy's status, reminder and categories only (assumed: the rest is refused)."""
    own = {"showAs", "isReminderOn", "reminderMinutesBeforeStart", "categories", "singleValueExtendedProperties"}
    if set(body) - own:
        raise access_denied()


def _place(world: World, calendar: Calendar, found: Found, fields: Json) -> StoredEvent:
    if found.series is not None:
        fields["type"] = "exception"
        id_ = occurrence_id(found.series, found.key)
        stored = found.stored or StoredEvent(id=id_, fields=fields, position=found.series.position)
        stored.fields = fields
        found.series.exceptions[found.key] = stored
        world.touch(calendar, stored)
        # The series as a whole counts as changed: delta tells it anew.
        found.series.changed = stored.changed
        return stored
    assert found.stored is not None
    stored = found.stored
    if stored.is_series and any(stored.fields[name] != fields[name] for name in ("start", "recurrence")):
        # A new time or pattern takes the exceptions away (Outlook asks the person first; assumed for Graph).
        stored.exceptions.clear()
        stored.cancelled.clear()
    elif stored.is_series:
        _pass_on(stored, fields)
    stored.fields = fields
    world.touch(calendar, stored)
    return stored


def _pass_on(series: StoredEvent, fields: Json) -> None:
    """What changed on the series changes on its exceptions, as far as they had not differed (assumed)."""
    for exception in series.exceptions.values():
        for name in ("subject", "showAs", "attendees", "location", "locations", "sensitivity"):
            if exception.fields[name] == series.fields[name]:
                exception.fields[name] = copy.deepcopy(fields[name])


def _remove(world: World, calendar: Calendar, found: Found) -> None:
    if found.series is not None:
        found.series.exceptions.pop(found.key, None)
        found.series.cancelled.add(found.key)
        world.touch(calendar, found.series)
        spread(world, calendar, found.series)
        world.announce(calendar, found.series, "updated")
        return
    assert found.stored is not None
    found.stored.removed = True
    world.touch(calendar, found.stored)
    spread(world, calendar, found.stored)
    world.announce(calendar, found.stored, "deleted")
