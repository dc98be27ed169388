"""The operations of Exchange Web Services on the events of bookings, each one request. Imports exchangelib.

Sources: the EWS reference (Microsoft Learn), one page per operation.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from exchangelib import services
from exchangelib.errors import UnknownTimeZone
from exchangelib.ewsdatetime import EWSDateTime, EWSTimeZone
from exchangelib.items import (
    ALL_OCCURRENCES,
    ID_ONLY,
    MOVE_TO_DELETED_ITEMS,
    NEVER_OVERWRITE,
    SAVE_ONLY,
    SEND_TO_ALL_AND_SAVE_COPY,
    SHALLOW,
    CalendarItem,
)
from exchangelib.properties import Attendee, Body, FolderId, ItemId
from exchangelib.properties import Mailbox as Address
from exchangelib.util import create_element

from meetings.adapters.exchange import booking_event
from meetings.adapters.exchange.named_properties import EVENT_WITH_PEOPLE, OWN, OWN_EVENT, WHOLE_EVENT
from meetings.adapters.exchange.operations import Equals, FindItem, folder_with
from meetings.adapters.exchange.refusals import Refused
from meetings.adapters.exchange.soap import Mailbox, Single
from meetings.application.ports import calendars as port

Element = Any

LONGEST_SUBJECT = 255


def find_by_key(mailbox: Mailbox, key: str, *places: FolderId) -> list[list[Element]]:
    """The items that carry our key, for each of these folders."""
    pages = FindItem(mailbox).ask(
        folders=list(places),
        additional_fields=OWN_EVENT,
        restriction=Equals(_key_uri(), key),
        order_fields=None,
        query_string=None,
        shape=ID_ONLY,
        depth=SHALLOW,
        calendar_view=None,
        page_size=10,
    )
    if len(pages) != len(places):
        raise Refused("MissingAnswer")
    return [list(page.elements) for page in pages]


def _key_uri() -> Element:
    attributes = {
        "PropertySetId": booking_event.PROPERTY_SET,
        "PropertyName": booking_event.KEY,
        "PropertyType": "String",
    }
    return create_element("t:ExtendedFieldURI", attrs=attributes)


class GetItem(Single, services.GetItem):
    pass


def get(mailbox: Mailbox, item_id: str) -> Element:
    """One item, with whom it invites."""
    (element,) = GetItem(mailbox).ask(items=[ItemId(id=item_id)], additional_fields=WHOLE_EVENT, shape=ID_ONLY)
    return element


class GetText(GetItem):
    """Bodies as text, whatever they were written in ("BodyType")."""

    def get_payload(self, *arguments: Any, **named: Any) -> Element:
        payload = super().get_payload(*arguments, **named)
        kind = create_element("t:BodyType")
        kind.text = "Text"
        payload[0].insert(1, kind)
        return payload


def with_people(mailbox: Mailbox, *item_ids: str) -> list[Element]:
    """Items with what they say and who takes part. One that is gone refuses the whole question."""
    items = [ItemId(id=item_id) for item_id in item_ids]
    return GetText(mailbox).ask(items=items, additional_fields=EVENT_WITH_PEOPLE, shape=ID_ONLY)


class _CreateItem(Single, services.CreateItem):
    pass


def create(mailbox: Mailbox, folder: str, event: port.CalendarEvent) -> Element:
    """A new item, with invitations to its guests."""
    item = _item(mailbox, event, event.attendees, booking_event.properties(event))
    (element,) = _CreateItem(mailbox).ask(
        items=[item],
        folder=folder_with(folder),
        message_disposition=SAVE_ONLY,
        send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY,
    )
    return element


class _UpdateItem(Single, services.UpdateItem):
    pass


_CHANGED = ("subject", "body", "start", "end", "location", "required_attendees")


def update(
    mailbox: Mailbox, existing: booking_event.Existing, event: port.CalendarEvent, guests: Sequence[port.Attendee]
) -> Element:
    """The item as wished, with news to everybody invited. Refused when somebody changed it since it was read."""
    marks = booking_event.properties(event)
    item = _item(mailbox, event, guests, marks)
    item._id = ItemId(id=existing.item_id, changekey=existing.change_key)
    marked = [OWN[booking_event.STATE], OWN[booking_event.INVITED]]
    (element,) = _UpdateItem(mailbox).ask(
        items=[(item, [*_CHANGED, *marked])],
        conflict_resolution=NEVER_OVERWRITE,
        message_disposition=SAVE_ONLY,
        send_meeting_invitations_or_cancellations=SEND_TO_ALL_AND_SAVE_COPY,
        suppress_read_receipts=True,
    )
    return element


def _item(
    mailbox: Mailbox, event: port.CalendarEvent, guests: Sequence[port.Attendee], marks: dict[str, str]
) -> CalendarItem:
    """Raises EventRefused for what no server would take."""
    zone = shown_zone(event.time_zone)
    item = CalendarItem(
        account=mailbox,
        subject=event.title[:LONGEST_SUBJECT],
        body=Body(event.description),
        start=EWSDateTime.from_datetime(event.start.astimezone(UTC)).astimezone(zone),
        end=EWSDateTime.from_datetime(event.end.astimezone(UTC)).astimezone(zone),
        location=event.location,
        legacy_free_busy_status="Busy",
        required_attendees=[
            Attendee(mailbox=Address(name=guest.name or None, email_address=guest.email)) for guest in guests
        ]
        or None,
        **{OWN[name]: value for name, value in marks.items()},
    )
    try:
        item.clean(version=mailbox.version)
    except (ValueError, TypeError):
        raise port.EventRefused("the event cannot be written as an item of Exchange") from None
    return item


def shown_zone(name: str) -> EWSTimeZone:
    """The zone as Windows calls it. UTC where Windows has none for it: the instant is right in any case."""
    try:
        return EWSTimeZone(name)
    except (UnknownTimeZone, ValueError, OSError):
        return EWSTimeZone("UTC")


class _DeleteItem(Single, services.DeleteItem):
    pass


def delete(mailbox: Mailbox, item_id: str) -> None:
    """Put an item into the bin, and cancel it with everybody invited."""
    _DeleteItem(mailbox).ask(
        items=[ItemId(id=item_id)],
        delete_type=MOVE_TO_DELETED_ITEMS,
        send_meeting_cancellations=SEND_TO_ALL_AND_SAVE_COPY,
        affected_task_occurrences=ALL_OCCURRENCES,
        suppress_read_receipts=True,
    )
