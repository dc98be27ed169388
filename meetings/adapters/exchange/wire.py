"""Elements of Exchange's answers in our words. Pure functions over parsed XML; times in it are instants.

Sources: the EWS reference (Microsoft Learn) on CalendarItem, LegacyFreeBusyStatus, MyResponseType, CalendarItemType,
SyncFolderItems and EffectiveRights.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from meetings.adapters.exchange.booking_event import BOOKING, PROPERTY_SET, Existing
from meetings.application.ports.calendars import Attendee, BusyStatus, EventTime, ProviderUnavailable, RemovedEvent
from meetings.domain.calendar_connection import CalendarAccess, ListedCalendar
from meetings.domain.timespan import TimeSpan, ceil_minute, floor_minute

Element = Any
TYPES = "{http://schemas.microsoft.com/exchange/services/2006/types}"
CALENDAR_CLASS = "IPF.Appointment"

_STATUS = {
    "Free": BusyStatus.FREE,
    "Tentative": BusyStatus.TENTATIVE,
    "Busy": BusyStatus.BUSY,
    "OOF": BusyStatus.OUT_OF_OFFICE,
    "WorkingElsewhere": BusyStatus.WORKING_ELSEWHERE,
    "NoData": BusyStatus.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One calendar item. `is_series` marks the one that stands for a whole series; `uid` is common to all of those."""

    item_id: str
    uid: str
    is_series: bool
    is_instance: bool
    told: EventTime | RemovedEvent | None


def text(element: Element, name: str) -> str:
    found = element.find(f"{TYPES}{name}")
    return (found.text or "") if found is not None else ""


def item_id(element: Element) -> str:
    return str(element.find(f"{TYPES}ItemId").get("Id"))


def item(element: Element, series: Mapping[str, str]) -> Item:
    """`series` names the item that stands for a series by the uid of its instances."""
    identity, uid = item_id(element), text(element, "UID")
    kind = text(element, "CalendarItemType")
    is_instance = kind in ("Occurrence", "Exception")
    return Item(
        item_id=identity,
        uid=uid,
        is_series=kind == "RecurringMaster",
        is_instance=is_instance,
        told=_told(element, identity, series.get(uid) if is_instance and uid else None),
    )


def _told(element: Element, identity: str, series_id: str | None) -> EventTime | RemovedEvent | None:
    """None for what lies in a calendar without being an event, such as a note that was dragged there."""
    start, end = text(element, "Start"), text(element, "End")
    if not start or not end:
        return None
    if text(element, "IsCancelled") == "true":
        return RemovedEvent(identity, booking_key(element))
    return EventTime(
        event_id=identity,
        start=floor_minute(moment(start)),
        end=ceil_minute(moment(end)),
        status=_status(element),
        series_id=series_id,
        booking_key=booking_key(element),
    )


def _status(element: Element) -> BusyStatus:
    """A-AV2. What a person declined blocks nothing, whatever it says; a status we do not know does."""
    if text(element, "MyResponseType") == "Decline":
        return BusyStatus.FREE
    return _STATUS.get(text(element, "LegacyFreeBusyStatus"), BusyStatus.UNKNOWN)


def own_properties(element: Element) -> dict[str, str]:
    """The properties that we put on an item, by name."""
    found = {}
    for each in element.findall(f"{TYPES}ExtendedProperty"):
        uri = each.find(f"{TYPES}ExtendedFieldURI")
        if uri is not None and str(uri.get("PropertySetId", "")).lower() == PROPERTY_SET:
            found[str(uri.get("PropertyName"))] = text(each, "Value")
    return found


def is_organized_here(element: Element) -> bool:
    """Whether the mailbox's owner called the meeting, or it is no meeting. Property values may travel with an
    invitation, so an invited colleague's copy carries ours."""
    return text(element, "MyResponseType") in ("", "Organizer", "Unknown")


def booking_key(element: Element) -> str | None:
    """The booking an item stands for; None on everybody else's."""
    return own_properties(element).get(BOOKING) or None if is_organized_here(element) else None


def existing(element: Element) -> Existing:
    """An event of a booking, or one that has its key; guests as far as they were asked for."""
    return Existing(
        item_id=item_id(element),
        change_key=str(element.find(f"{TYPES}ItemId").get("ChangeKey")),
        start=moment(text(element, "Start")),
        end=moment(text(element, "End")),
        properties=own_properties(element),
        organized_here=is_organized_here(element),
        cancelled=text(element, "IsCancelled") == "true",
        attendees=tuple(_guests(element)),
        uid=text(element, "UID"),
    )


def _guests(element: Element) -> Iterable[Attendee]:
    for each in element.findall(f"{TYPES}RequiredAttendees/{TYPES}Attendee/{TYPES}Mailbox"):
        address = text(each, "EmailAddress")
        if address:
            yield Attendee(text(each, "Name") or address, address)


def blocking(items: Iterable[Item], span: TimeSpan) -> tuple[EventTime, ...]:
    """The events among these that block time in `span`, each once."""
    start, end = span.minutes()
    events = {each.item_id: each.told for each in items if isinstance(each.told, EventTime)}
    return tuple(each for each in events.values() if each.status.blocks and each.start < end and each.end > start)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of SyncFolderItems: the item as it is now, or the id of one that is gone."""

    item: Item | None
    gone: str | None


def changes(entries: Iterable[Element]) -> list[Change]:
    """In Exchange's order. Whether something was read matters to nobody here, so these entries are left out."""
    found = []
    for entry in entries:
        kind = entry.tag.removeprefix(TYPES)
        if kind == "Delete":
            found.append(Change(None, item_id(entry)))
        elif kind in ("Create", "Update"):
            found.append(Change(item(entry[0], {}), None))
    return found


def series(entries: Iterable[Change]) -> dict[str, str]:
    """The items that stand for series, by the uid of their instances; one without, should there be any, by ""."""
    return {each.item.uid: each.item.item_id for each in entries if each.item and each.item.is_series}


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder: its id, that of the one it lies in, what it holds, and what the signed-in person may do with it."""

    folder_id: str
    parent_id: str
    name: str
    kind: str
    may_read: bool
    may_write: bool


def folder(element: Element) -> Folder:
    rights = element.find(f"{TYPES}EffectiveRights")
    parent = element.find(f"{TYPES}ParentFolderId")
    return Folder(
        folder_id=str(element.find(f"{TYPES}FolderId").get("Id")),
        parent_id=str(parent.get("Id")) if parent is not None else "",
        name=text(element, "DisplayName"),
        kind=text(element, "FolderClass"),
        may_read=rights is None or text(rights, "Read") != "false",
        may_write=rights is None or text(rights, "CreateContents") != "false",
    )


def listed(default: Folder, deleted_items: Folder, others: Iterable[Folder], zone: str | None) -> list[ListedCalendar]:
    """The mailbox's own calendars, the default one first (X5); what lies in the bin is left out."""
    found = {default.folder_id: default}
    for each in others:
        own_kind = each.kind == CALENDAR_CLASS or each.kind.startswith(f"{CALENDAR_CLASS}.")
        if own_kind and each.may_read and each.parent_id != deleted_items.folder_id:
            found.setdefault(each.folder_id, each)
    return [
        ListedCalendar(
            external_id=each.folder_id,
            name=each.name or each.folder_id,
            access=CalendarAccess.OWNER if each.may_write else CalendarAccess.READER,
            primary=each is default,
            time_zone=zone,
        )
        for each in found.values()
    ]


def options(element: Element) -> dict[str, str]:
    """The entries of a configuration's dictionary, as text."""
    return {
        text(entry.find(f"{TYPES}DictionaryKey"), "Value"): text(entry.find(f"{TYPES}DictionaryValue"), "Value")
        for entry in element.iter(f"{TYPES}DictionaryEntry")
    }


def zone_of_web_options(element: Element) -> str | None:
    """The zone of Outlook on the web, as Windows calls it."""
    return options(element).get("timezone")


_ZONE = re.compile(rb"<TimeZone\b.*?<Name>([^<]{1,100})</Name>.*?</TimeZone>", re.DOTALL)


def zone_of_working_hours(element: Element) -> str | None:
    """The zone in the XML of working hours, as Windows calls it (MS-OXOCFG 2.2.6.2.1)."""
    try:
        data = base64.b64decode(text(element, "XmlData"), validate=True)
    except ValueError:
        return None
    found = _ZONE.search(data)
    return found[1].decode(errors="replace").strip() if found else None


_AUTO_ACCEPT = "2"


def books_itself(element: Element) -> bool:
    """Whether a calendar's configuration says that invitations are accepted without a person, as resources do."""
    return options(element).get("AutomateProcessing") == _AUTO_ACCEPT


def moment(told: str) -> datetime:
    """An xs:dateTime, in UTC. Raises ProviderUnavailable for one without a zone: it could be any hour."""
    try:
        instant = datetime.fromisoformat(told)
    except ValueError:
        raise ProviderUnavailable("a time that cannot be read") from None
    if instant.tzinfo is None:
        raise ProviderUnavailable("a time without a zone")
    return instant.astimezone(UTC)


def halves(span: TimeSpan) -> tuple[TimeSpan, TimeSpan] | None:
    """Two spans that make `span`, cut at a whole minute; None for a minute or less."""
    start, end = span.minutes()
    if end - start < 2:
        return None
    middle = span.start + timedelta(minutes=(end - start) // 2)
    return TimeSpan(span.start, middle), TimeSpan(middle, span.end)
