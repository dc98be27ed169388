"""The one event that stands for a booking: how it is found, what is written, whether it has to change. Pure functions.

Exchange gives items ids of its own, so the event carries our key as a named property and is looked up by it before
each create (PW-3). Source: "Properties and extended properties in EWS in Exchange" (Microsoft Learn).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from meetings.application.ports.calendars import Attendee, CalendarEvent, EventKey

PROPERTY_SET = "6f1d7c52-3e0a-4d6b-9b41-5a0c9f27d8e3"
"""The set our named properties live in; invented here, the same in every mailbox."""

KEY, BOOKING, STATE, INVITED = "MeetingsEvent", "MeetingsBooking", "MeetingsState", "MeetingsInvited"


def key_text(key: EventKey) -> str:
    """What an event is looked up by: a hash over booking, host and generation."""
    return hashlib.sha256(json.dumps([key.booking, key.host, key.generation]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Existing:
    """An event as Exchange holds it. `attendees` and `optional` are addresses with names, as they stand there."""

    item_id: str
    change_key: str
    start: datetime
    end: datetime
    properties: Mapping[str, str]
    organized_here: bool
    cancelled: bool
    attendees: tuple[Attendee, ...] = ()
    uid: str = ""

    def is_ours(self, key: EventKey) -> bool:
        own = self.properties
        return own.get(KEY) == key_text(key) and own.get(BOOKING) == key.booking and self.organized_here


def properties(event: CalendarEvent) -> dict[str, str]:
    """What is put on the event for ourselves."""
    return {
        KEY: key_text(event.key),
        BOOKING: event.key.booking,
        STATE: _state(event),
        INVITED: ",".join(_short_hash(guest.email.lower()) for guest in event.attendees),
    }


def needs_change(event: CalendarEvent, existing: Existing) -> bool:
    """Whether the event has to be written again: not when it stands as wished, nor when a newer wish was written."""
    state = existing.properties.get(STATE, "")
    sequence, _, _ = state.partition(":")
    if re.fullmatch("[0-9]{1,9}", sequence) and int(sequence) > event.sequence:
        return False
    return state != _state(event) or (existing.start, existing.end) != (event.start, event.end)


def guests(event: CalendarEvent, existing: Existing) -> tuple[Attendee, ...]:
    """Who is invited after a change: those wished, and whom the host added by hand. Guests we invited before and wish
    no more go."""
    wished = {guest.email.lower() for guest in event.attendees}
    invited = set(existing.properties.get(INVITED, "").split(","))
    by_hand = [
        guest
        for guest in existing.attendees
        if guest.email.lower() not in wished and _short_hash(guest.email.lower()) not in invited
    ]
    return (*event.attendees, *by_hand)


def _state(event: CalendarEvent) -> str:
    """A mark of all that is wished, after its sequence number. Comparing the texts instead would find differences for
    ever where Exchange tidies them up, and mail guests each time. On-premises Exchange makes no conference links, so
    that wish is no part of it."""
    invited = sorted((guest.email.lower(), guest.name) for guest in event.attendees)
    wish = [event.title, event.description, event.location, event.time_zone, invited]
    return f"{event.sequence}:{_short_hash(json.dumps(wish))}"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
