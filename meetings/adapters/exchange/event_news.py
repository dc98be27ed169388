"""Items of a calendar with what they say and who takes part, for people's records; series as one. Pure functions.

Sources: the EWS reference (Microsoft Learn) on CalendarItem, Organizer, RequiredAttendees, Sensitivity, ResponseType.
"""

from collections.abc import Iterator
from typing import Any

from meetings.adapters.exchange import wire
from meetings.adapters.exchange.wire import TYPES, text
from meetings.application.ports.calendars import EventDetails, EventGuest, GuestAnswer
from meetings.domain.ical_uid import common_ical_uid

Element = Any

_ANSWERS = {
    "Accept": GuestAnswer.ACCEPTED,
    "Organizer": GuestAnswer.ACCEPTED,
    "Tentative": GuestAnswer.TENTATIVE,
    "Decline": GuestAnswer.DECLINED,
}


def details(element: Element) -> EventDetails | None:
    """One item; None for what is cancelled, or lies in a calendar without being an event."""
    start, end = text(element, "Start"), text(element, "End")
    if not start or not end or text(element, "IsCancelled") == "true":
        return None
    identity = wire.item_id(element)
    return EventDetails(
        event_id=identity,
        ical_uid=common_ical_uid(text(element, "UID") or identity),
        title=text(element, "Subject"),
        description=text(element, "Body").replace("\r\n", "\n").strip() or None,
        location=text(element, "Location") or None,
        start=wire.moment(start),
        end=wire.moment(end),
        organizer=next(_addresses(element, "Organizer"), None),
        guests=tuple(_guests(element)),
        organized_here=wire.is_organized_here(element),
        declined=text(element, "MyResponseType") == "Decline",
        private=text(element, "Sensitivity") not in ("", "Normal"),
        whole_days=text(element, "IsAllDayEvent") == "true",
        is_series=text(element, "CalendarItemType") == "RecurringMaster",
        booking_key=wire.booking_key(element),
    )


def _addresses(element: Element, name: str) -> Iterator[str]:
    """Addresses of the old kind, without an "@", are nobody's that we could know."""
    for each in element.findall(f"{TYPES}{name}/{TYPES}Mailbox"):
        address = text(each, "EmailAddress")
        if "@" in address:
            yield address


def _guests(element: Element) -> Iterator[EventGuest]:
    for kind in ("RequiredAttendees", "OptionalAttendees"):
        for attendee in element.findall(f"{TYPES}{kind}/{TYPES}Attendee"):
            address = text(attendee.find(f"{TYPES}Mailbox"), "EmailAddress")
            if "@" in address:
                yield EventGuest(address, _ANSWERS.get(text(attendee, "ResponseType"), GuestAnswer.NONE))
