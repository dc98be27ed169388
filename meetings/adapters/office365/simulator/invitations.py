"""What happens to the attendees of a meeting: copies in their calendars, answers, and mails.

Source: "Create event", "Update event", "Delete event": Exchange itself sends invitations, updates and cancellations;
when only the attendees changed, only those who came or went are told. That a request which repeats a meeting's fields
without a change is mailed as an update, too, is assumed: clients must not count on silence.
"""

import copy

from meetings.adapters.office365.simulator.errors import Json
from meetings.adapters.office365.simulator.event_fields import MEETING_FIELDS, NO_TIME
from meetings.adapters.office365.simulator.times import stamp
from meetings.adapters.office365.simulator.world import Calendar, Mail, StoredEvent, World

_OWN = ("showAs", "isReminderOn", "reminderMinutesBeforeStart", "categories", "responseStatus", "isOrganizer")


def send_mails(
    world: World,
    calendar: Calendar,
    event_id: str,
    before: Json | None,
    after: Json | None,
    asked: set[str] | None = None,
) -> None:
    """Record the mails of a change; `before` is None for a new event, `after` for one that goes.

    `asked` are the members of a request: without one that attendees see, nobody is told.
    """
    told = after if after is not None else before
    if told is None or not told["isOrganizer"]:
        return
    was, now = _guests(before, calendar), _guests(after, calendar)
    shared = set(MEETING_FIELDS) & (asked or set())
    updated = now & was if shared - {"attendees"} else set()
    for kind, guests in (("invitation", now - was), ("update", updated), ("cancellation", was - now)):
        for address in sorted(guests):
            world.mails.append(Mail(address, kind, calendar.id, event_id, told["subject"]))


def spread(world: World, calendar: Calendar, stored: StoredEvent) -> None:
    """Make the attendees' copies agree with the organizer's event.

    Who was taken off, or whose meeting was cancelled, keeps a cancelled copy: "Canceled: ..." and free, until it is
    removed by hand (as Outlook does it; details assumed).
    """
    if not stored.fields["isOrganizer"]:
        return
    invited = set() if stored.removed else {address.lower() for address in _guests(stored.fields, calendar)}
    for account in world.accounts.values():
        if not account.mailbox or account.email == calendar.owner:
            continue
        own = world.default_calendar(account.email)
        held = own.events.get(own.copies.get(stored.fields["iCalUId"], ""))
        if account.email.lower() in invited:
            _copy(world, own, held, stored)
        elif held is not None and not held.fields["isCancelled"]:
            _cancelled(world, own, held)


def answer(world: World, calendar: Calendar, stored: StoredEvent, response: str, *, keep: bool) -> None:
    """An attendee's answer: on the own copy and, by mail, at the organizer's event.

    A declined meeting leaves the calendar; `keep` is the person's wish to see declined meetings, which stay as free
    ("Save declined events" in Outlook; assumed: showAs free).
    """
    status = {"response": response, "time": stamp(world.now())}
    stored.fields["responseStatus"] = status
    stored.fields["showAs"] = {"accepted": "busy", "declined": "free"}.get(response, "tentative")
    stored.removed = response == "declined" and not keep
    world.touch(calendar, stored)
    world.announce(calendar, stored, "deleted" if stored.removed else "updated")
    for organizers in world.calendars.values():
        leading = next((each for each in organizers.events.values() if _is_leading(each, stored)), None)
        if leading is None:
            continue
        for guest in leading.fields["attendees"]:
            if guest["emailAddress"]["address"].lower() == calendar.owner.lower():
                guest["status"] = status
        world.touch(organizers, leading)
        world.announce(organizers, leading, "updated")


def _copy(world: World, own: Calendar, held: StoredEvent | None, stored: StoredEvent) -> None:
    kind = "created" if held is None or held.removed else "updated"
    if held is None:
        held = StoredEvent(id=world.new_id(), fields={}, position=world.new_position())
        own.events[held.id] = held
        own.copies[stored.fields["iCalUId"]] = held.id
    kept = {name: held.fields[name] for name in _OWN if name in held.fields}
    shared = {name: copy.deepcopy(value) for name, value in stored.fields.items() if name not in _OWN}
    fresh: Json = {
        # An invitation without an answer stands in the calendar as tentative.
        "showAs": "tentative" if stored.fields["showAs"] in ("busy", "oof") else stored.fields["showAs"],
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 15,
        "categories": [],
        "responseStatus": {"response": "notResponded", "time": NO_TIME},
        "isOrganizer": False,
    }
    held.fields = {**fresh, **shared, **kept, "transactionId": None}
    held.cancelled = set(stored.cancelled)
    held.exceptions = {}
    for key, exception in stored.exceptions.items():
        own_id = exception.id.replace(stored.id, held.id)
        fields = {
            **held.fields,
            **{name: exception.fields[name] for name in (*MEETING_FIELDS, "type", "originalStart")},
        }
        held.exceptions[key] = StoredEvent(own_id, {**fields, "seriesMasterId": held.id}, held.position)
    if kind == "created":
        held.removed = False
    world.touch(own, held)
    for exception in held.exceptions.values():
        exception.fields["changeKey"] = held.fields["changeKey"]
    world.announce(own, held, kind)


def _cancelled(world: World, own: Calendar, held: StoredEvent) -> None:
    held.fields |= {"isCancelled": True, "showAs": "free", "subject": f"Canceled: {held.fields['subject']}"}
    world.touch(own, held)
    world.announce(own, held, "updated")


def _is_leading(each: StoredEvent, stored: StoredEvent) -> bool:
    same = each.fields["iCalUId"] == stored.fields["iCalUId"]
    return bool(same and each.fields["isOrganizer"] and not each.removed)


def _guests(fields: Json | None, calendar: Calendar) -> set[str]:
    guests = fields["attendees"] if fields is not None else []
    return {each["emailAddress"]["address"] for each in guests if each["emailAddress"]["address"] != calendar.owner}
