"""What happens to the guests of an event: copies on their calendars, answers, and mails.

Source: "Sharing & attendees" (guide): guests with a Google calendar get a copy with the same id and iCalUID; the
organizer's copy is the leading one; a guest changes only the own answer. `sendUpdates` says who gets a mail
(events.insert): all, only guests outside Google Calendar, or nobody. That a guest with an account here gets the copy
whatever `sendUpdates` says is assumed, and so is that all extended properties stay on the copy they were written to.
"""

import copy
from collections.abc import Iterable

from meetings.adapters.google.simulator.errors import Json
from meetings.adapters.google.simulator.event_fields import OWN
from meetings.adapters.google.simulator.world import Calendar, Mail, StoredEvent, World


def is_organizer(calendar: Calendar, fields: Json) -> bool:
    return bool(fields["organizer"]["email"] == calendar.id)


def spread(world: World, calendar: Calendar, stored: StoredEvent) -> None:
    """Make the guests' copies agree with the organizer's event. A guest who was taken off sees it cancelled."""
    if not is_organizer(calendar, stored.fields):
        return
    invited = {guest["email"] for guest in stored.fields.get("attendees", [])}
    for account in world.accounts.values():
        own = world.calendars[account.email]
        held = own.events.get(stored.id)
        if own is calendar or (held is not None and held.fields["iCalUID"] != stored.fields["iCalUID"]):
            continue
        if account.email in invited or held is not None:
            _copy(world, own, held, stored, invited=account.email in invited)


def _copy(world: World, own: Calendar, held: StoredEvent | None, stored: StoredEvent, *, invited: bool) -> None:
    if held is None:
        if stored.is_cancelled:
            return
        held = StoredEvent(fields={}, position=world.new_position())
        own.events[stored.id] = held
    before = held.fields
    kept = {name: before[name] for name in OWN if name in before}
    shared = {name: copy.deepcopy(value) for name, value in stored.fields.items() if name not in OWN}
    held.fields = {"reminders": {"useDefault": True}, **shared, **kept}
    held.exceptions, held.gone = copy.deepcopy(stored.exceptions), {}
    if not invited or (before.get("status") == "cancelled" and _declined(own, stored.fields)):
        held.fields["status"] = "cancelled"
    world.touch(own, held)
    for exception in held.exceptions.values():
        world.touch(own, exception)
    held.gone = {key: (start, own.change) for key, (start, _) in stored.gone.items()}
    world.announce(own)


def _declined(own: Calendar, fields: Json) -> bool:
    guests = fields.get("attendees", [])
    return any(guest["email"] == own.id and guest["responseStatus"] == "declined" for guest in guests)


def answer(world: World, calendar: Calendar, fields: Json, response: str) -> None:
    """A guest's answer reaches the organizer's event, and from there every copy."""
    organizer = world.calendars.get(fields["organizer"]["email"])
    master = organizer.events.get(str(fields.get("recurringEventId") or fields["id"])) if organizer else None
    if organizer is None or master is None:
        return
    leading = master
    if "recurringEventId" in fields:
        key = fields["id"].rpartition("_")[2]
        instance = StoredEvent(copy.deepcopy(fields), master.position)
        leading = master.exceptions.setdefault(key, instance)
    for guest in leading.fields.get("attendees", []):
        if guest["email"] == calendar.id:
            guest["responseStatus"] = response
    world.touch(organizer, leading)
    world.announce(organizer)
    spread(world, organizer, master)


def send_mails(world: World, calendar: Calendar, before: Json | None, after: Json, send_updates: str | None) -> None:
    """Record the mails this change causes; `before` is None for a new event."""
    if send_updates not in ("all", "externalOnly") or not is_organizer(calendar, after):
        return
    was = _guests(before, calendar) if before and before["status"] != "cancelled" else set()
    now = _guests(after, calendar) if after["status"] != "cancelled" else set()
    for kind, guests in (("invitation", now - was), ("update", now & was), ("cancellation", was - now)):
        for email in _addressed(world, guests, send_updates):
            mail = Mail(email, kind, calendar.id, after["id"], after.get("summary", ""), after["sequence"])
            world.mails.append(mail)


def _guests(fields: Json, calendar: Calendar) -> set[str]:
    return {guest["email"] for guest in fields.get("attendees", []) if guest["email"] != calendar.id}


def _addressed(world: World, guests: Iterable[str], send_updates: str) -> list[str]:
    return sorted(email for email in guests if send_updates == "all" or email not in world.accounts)
