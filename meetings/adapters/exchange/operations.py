"""The operations of Exchange Web Services that we use, each one request; answers are XML elements for `wire`.

Importing this module imports exchangelib: only threads that call Exchange do. Sources: the EWS reference (Microsoft
Learn), one page per operation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from exchangelib import services
from exchangelib.errors import UnknownTimeZone
from exchangelib.ewsdatetime import EWSDateTime, EWSTimeZone
from exchangelib.extended_properties import ExtendedProperty
from exchangelib.fields import FieldPath
from exchangelib.folders import Folder
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
from exchangelib.properties import (
    Attendee,
    Body,
    CalendarView,
    DistinguishedFolderId,
    EWSElement,
    FolderId,
    ItemId,
    UserConfigurationNameMNS,
)
from exchangelib.properties import Mailbox as Address
from exchangelib.util import MNS, create_element

from meetings.adapters.exchange import booking_event
from meetings.adapters.exchange.refusals import Refused
from meetings.adapters.exchange.soap import Mailbox, Single
from meetings.adapters.exchange.wire import CALENDAR_CLASS
from meetings.application.ports import calendars as port
from meetings.domain.timespan import TimeSpan

Element = Any

SYNC_LARGEST = 512
"""MaxChangesReturned goes no further ("SyncFolderItems operation")."""


@dataclass(frozen=True, slots=True)
class Page:
    """Elements of one answer; `complete` when nothing was left out, `next` is the offset to go on from."""

    elements: tuple[Element, ...]
    complete: bool
    next: int | None = None


@dataclass(frozen=True, slots=True)
class SyncPage:
    """Changes of one answer, and the state to go on from; `complete` when there are no more now."""

    entries: tuple[Element, ...]
    state: str
    complete: bool


# ---- our named properties -------------------------------------------------------------------------------------------


def _property(name: str) -> type[ExtendedProperty]:
    named = {"property_set_id": booking_event.PROPERTY_SET, "property_name": name, "property_type": "String"}
    return type(name, (ExtendedProperty,), named)


_OWN = {
    booking_event.KEY: "meetings_event",
    booking_event.BOOKING: "meetings_booking",
    booking_event.STATE: "meetings_state",
    booking_event.INVITED: "meetings_invited",
}
for _name, _attribute in _OWN.items():
    CalendarItem.register(_attribute, _property(_name))

_READ = ("start", "end", "legacy_free_busy_status", "is_cancelled", "type", "my_response_type", "uid")


def _paths(*names: str) -> list[FieldPath]:
    return [FieldPath(field=CalendarItem.get_field_by_fieldname(name)) for name in names]


_EVENT = _paths(*_READ, _OWN[booking_event.BOOKING])
_OWN_EVENT = _paths("start", "end", "is_cancelled", "my_response_type", *_OWN.values())
_WHOLE_EVENT = [*_OWN_EVENT, *_paths("required_attendees")]
_FOLDER = [
    FieldPath(field=Folder.get_field_by_fieldname(name))
    for name in ("name", "folder_class", "parent_folder_id", "effective_rights")
]


# ---- folders --------------------------------------------------------------------------------------------------------


def folder_with(folder_id: str) -> FolderId:
    return FolderId(id=folder_id)


class OwnFolder(DistinguishedFolderId):
    """A folder by its role. Without a mailbox it is that of whoever signs in; exchangelib would insist on one."""

    __slots__ = ()

    def clean(self, version: Any = None) -> None:
        EWSElement.clean(self, version=version)


def own_folder(role: str) -> OwnFolder:
    return OwnFolder(id=role)


def folder_of(role: str, address: str) -> OwnFolder:
    """The folder with this role in the mailbox with this address."""
    return OwnFolder(id=role, mailbox=Address(email_address=address))


class _GetFolder(Single, services.GetFolder):
    pass


def folders(mailbox: Mailbox, *asked: FolderId) -> list[Element]:
    """These folders, in order. One that cannot be had refuses the whole question."""
    return _GetFolder(mailbox).ask(folders=list(asked), additional_fields=_FOLDER, shape=ID_ONLY)


class _Pages(Single):
    """For services that answer in pages: pages instead of what is in them."""

    element_container_name: str
    paging_container_name: str

    def _get_page(self, message: Element) -> Page:
        container = self._get_element_container(message=message, name=self.paging_container_name)  # type: ignore[attr-defined]
        inside = container.find(self.element_container_name)
        complete = container.get("IncludesLastItemInRange", "").lower() in ("true", "1")
        offset = container.get("IndexedPagingOffset", "")
        return Page(
            elements=tuple(inside) if inside is not None else (),
            complete=complete,
            next=int(offset) if offset.isdigit() and not complete else None,
        )


class _FindFolder(_Pages, services.FindFolder):
    pass


def calendar_folders(mailbox: Mailbox, *, page_size: int, offset: int) -> Page:
    """Folders for appointments anywhere in the mailbox."""
    (page,) = _FindFolder(mailbox).ask(
        folders=[own_folder("msgfolderroot")],
        additional_fields=_FOLDER,
        restriction=_Equals(_folder_class(), CALENDAR_CLASS),
        shape=ID_ONLY,
        depth="Deep",
        page_size=page_size,
        offset=offset,
    )
    return page  # type: ignore[no-any-return]


class _Equals:
    """A restriction: one property has one value."""

    def __init__(self, uri: Element, value: str) -> None:
        self._uri = uri
        self._value = value

    def to_xml(self, version: Any) -> Element:
        constant = create_element("t:FieldURIOrConstant")
        constant.append(create_element("t:Constant", attrs={"Value": self._value}))
        equals = create_element("t:IsEqualTo")
        equals.append(self._uri)
        equals.append(constant)
        restriction = create_element("m:Restriction")
        restriction.append(equals)
        return restriction


def _folder_class() -> Element:
    return create_element("t:FieldURI", attrs={"FieldURI": "folder:FolderClass"})


# ---- what is in a calendar ------------------------------------------------------------------------------------------


class _FindItem(_Pages, services.FindItem):
    pass


def calendar_view(mailbox: Mailbox, folder: str, span: TimeSpan, *, largest: int) -> Page:
    """The events and instances of series that touch `span`; a page that is not `complete` cannot be gone on from."""
    end = span.end + timedelta(microseconds=-span.end.microsecond % 1_000_000)
    (page,) = _FindItem(mailbox).ask(
        folders=[folder_with(folder)],
        additional_fields=_EVENT,
        restriction=None,
        order_fields=None,
        query_string=None,
        shape=ID_ONLY,
        depth=SHALLOW,
        calendar_view=CalendarView(start=_utc(span.start.replace(microsecond=0)), end=_utc(end), max_items=largest),
        page_size=largest,
    )
    return page  # type: ignore[no-any-return]


def _utc(instant: datetime) -> EWSDateTime:
    return EWSDateTime.from_datetime(instant.astimezone(UTC))


class _SyncFolderItems(Single, services.SyncFolderItems):
    def _get_elements_in_response(self, response: Any) -> Any:
        for message in response:
            container = self._get_element_container(message=message, name=self.element_container_name)
            yield SyncPage(
                entries=tuple(container),
                state=message.find(f"{{{MNS}}}SyncState").text or "",
                complete=message.find(self.last_in_range_name).text == "true",
            )

    def _get_element_container(self, message: Any, name: str | None = None) -> Any:
        return services.EWSService._get_element_container(self, message=message, name=name)


def sync(mailbox: Mailbox, folder: str, state: str | None, *, largest: int) -> SyncPage:
    """The changes in a folder since `state`; without one, all that is in it. Series appear as one item."""
    (page,) = _SyncFolderItems(mailbox).ask(
        folder=folder_with(folder),
        shape=ID_ONLY,
        additional_fields=_EVENT,
        sync_state=state,
        ignore=None,
        max_changes_returned=min(largest, SYNC_LARGEST),
        sync_scope=None,
    )
    return page  # type: ignore[no-any-return]


# ---- our own events -------------------------------------------------------------------------------------------------


def find_by_key(mailbox: Mailbox, key: str, *places: FolderId) -> list[list[Element]]:
    """The items that carry our key, for each of these folders."""
    pages = _FindItem(mailbox).ask(
        folders=list(places),
        additional_fields=_OWN_EVENT,
        restriction=_Equals(_key_uri(), key),
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


class _GetItem(Single, services.GetItem):
    pass


def get(mailbox: Mailbox, item_id: str) -> Element:
    """One item, with whom it invites."""
    (element,) = _GetItem(mailbox).ask(items=[ItemId(id=item_id)], additional_fields=_WHOLE_EVENT, shape=ID_ONLY)
    return element


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
    marked = [_OWN[booking_event.STATE], _OWN[booking_event.INVITED]]
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
    zone = shown_zone(event.time_zone)
    return CalendarItem(
        account=mailbox,
        subject=event.title,
        body=Body(event.description),
        start=EWSDateTime.from_datetime(event.start.astimezone(UTC)).astimezone(zone),
        end=EWSDateTime.from_datetime(event.end.astimezone(UTC)).astimezone(zone),
        location=event.location,
        legacy_free_busy_status="Busy",
        required_attendees=[
            Attendee(mailbox=Address(name=guest.name or None, email_address=guest.email)) for guest in guests
        ]
        or None,
        **{_OWN[name]: value for name, value in marks.items()},
    )


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


# ---- the mailbox ----------------------------------------------------------------------------------------------------


class _GetUserConfiguration(Single, services.GetUserConfiguration):
    pass


def configuration(mailbox: Mailbox, name: str, folder: FolderId, kind: str) -> Element | None:
    """A configuration item of a folder; None where there is none. `kind` is Dictionary or XmlData."""
    try:
        (element,) = _GetUserConfiguration(mailbox).ask(
            user_configuration_name=UserConfigurationNameMNS(name=name, folder=folder), properties=kind
        )
    except Refused as refused:
        if refused.says_gone:
            return None
        raise
    return element


def iana_zone(windows: str) -> str | None:
    """The IANA name of a zone of Windows, by CLDR; None for one that is not in its table."""
    try:
        return str(EWSTimeZone.from_ms_id(windows).key)
    except (UnknownTimeZone, ValueError, OSError):
        return None


class _Subscribe(Single, services.SubscribeToStreaming):
    pass


def subscribe(mailbox: Mailbox, calendars: Sequence[str]) -> str:
    """The id of a new streaming subscription to these folders. Exchange forgets it half an hour after its stream."""
    kinds = ("CreatedEvent", "DeletedEvent", "ModifiedEvent", "MovedEvent", "CopiedEvent")
    (element,) = _Subscribe(mailbox).ask(folders=[folder_with(each) for each in calendars], event_types=kinds)
    return str(element.text)
