"""Calendar items as they look in an answer."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator import item_fields, occurrences
from meetings.adapters.exchange.simulator.bodies import body
from meetings.adapters.exchange.simulator.ids import Key, change_key
from meetings.adapters.exchange.simulator.shapes import Shape
from meetings.adapters.exchange.simulator.soap import Element, t, truth
from meetings.adapters.exchange.simulator.times import written
from meetings.adapters.exchange.simulator.versions import ServerVersion
from meetings.adapters.exchange.simulator.world import Attendee, CalendarItem, Folder, Person
from meetings.adapters.exchange.simulator.zones import definition


@dataclass(frozen=True)
class Reader:
    """How one request wants to see things: its shape, its zone, and whether it is a FindItem."""

    shape: Shape
    zone: ZoneInfo
    version: ServerVersion
    finding: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What is shown of each item, in the order of the schema."""
        shown = (name for name in item_fields.ORDER if self.shape.shows(name, finding=self.finding))
        return tuple(name for name in shown if item_fields.is_known(name, self.version))


def item_id(folder: Folder, item: CalendarItem, tag: str = "ItemId") -> Element:
    whole = item if item.master is None else item.master
    key = Key("I", folder.mailbox.guid, whole.number, item.original if item.master is not None else None)
    return t(tag, Id=key.to_text(), ChangeKey=change_key("I", item.version))


def folder_id(folder: Folder, tag: str = "FolderId") -> Element:
    return t(tag, Id=folder.id, ChangeKey=folder.change_key)


def calendar_item(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
    """The CalendarItem element, its properties in the order of the schema."""
    made = t("CalendarItem")
    for name in reader.names:
        if name == "ExtendedProperty":
            made.extend(copy.deepcopy(item.extended[key]) for key in reader.shape.extended if key in item.extended)
            continue
        value = _value(name, folder, item, reader)
        if value is not None:
            made.append(value)
    return made


def mailbox(person: Person, tag: str = "Mailbox") -> Element:
    return t(tag, t("Name", person.name), t("EmailAddress", person.email), t("RoutingType", "SMTP"))


def _value(name: str, folder: Folder, item: CalendarItem, reader: Reader) -> Element | None:
    if name in _MADE:
        return _MADE[name](folder, item, reader)
    if name in _FLAGS:
        return t(name, truth(_FLAGS[name](folder, item)))
    if name in item.elements:
        return copy.deepcopy(item.elements[name])
    return t(name, _PRESET[name]) if name in _PRESET else None


def _moment(name: str, pick: Callable[[CalendarItem], object]) -> Callable[[Folder, CalendarItem, Reader], Element]:
    def made(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
        return t(name, written(pick(item), reader.zone))  # type: ignore[arg-type]

    return made


def _attendees(name: str, kind: str) -> Callable[[Folder, CalendarItem, Reader], Element | None]:
    def made(folder: Folder, item: CalendarItem, reader: Reader) -> Element | None:
        people = [_attendee(each, reader) for each in item.attendees if each.kind == kind]
        return t(name, *people) if people else None

    return made


def _attendee(attendee: Attendee, reader: Reader) -> Element:
    replied = attendee.replied_at
    return t(
        "Attendee",
        mailbox(attendee.person),
        t("ResponseType", attendee.response),
        t("LastResponseTime", written(replied, reader.zone)) if replied else None,
    )


def _parent(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
    return folder_id(folder, "ParentFolderId")


def _rights(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
    return effective_rights(folder)


def effective_rights(folder: Folder) -> Element:
    """What the caller may do here ("EffectiveRights")."""
    level = ("none", "free_busy", "reader", "writer", "owner").index(folder.rights)
    allowed = {
        "CreateAssociated": level >= 4,
        "CreateContents": level >= 3,
        "CreateHierarchy": level >= 4,
        "Delete": level >= 3,
        "Modify": level >= 3,
        "Read": level >= 2,
    }
    return t("EffectiveRights", *(t(name, truth(value)) for name, value in allowed.items()))


def _recurrence(folder: Folder, item: CalendarItem, reader: Reader) -> Element | None:
    return copy.deepcopy(item.recurrence)


def _end_of_series(name: str, last: bool) -> Callable[[Folder, CalendarItem, Reader], Element | None]:
    def made(folder: Folder, item: CalendarItem, reader: Reader) -> Element | None:
        if item.recurrence is None or (last and item.recurrence[1].tag.endswith("NoEndRecurrence")):
            return None
        live = [each for each in occurrences.planned(item) if each not in item.deleted] if last else None
        first = next((each for each in occurrences.planned(item) if each not in item.deleted), None)
        wanted = (live[-1] if live else None) if last else first
        return None if wanted is None else _info(name, folder, occurrences.occurrence(item, wanted), reader)

    return made


def _info(name: str, folder: Folder, item: CalendarItem, reader: Reader) -> Element:
    assert item.original is not None
    return t(
        name,
        item_id(folder, item),
        t("Start", written(item.start, reader.zone)),
        t("End", written(item.end, reader.zone)),
        t("OriginalStart", written(item.original, reader.zone)),
    )


def _modified(folder: Folder, item: CalendarItem, reader: Reader) -> Element | None:
    found = [_info("Occurrence", folder, each, reader) for _, each in sorted(item.exceptions.items())]
    return t("ModifiedOccurrences", *found) if item.recurrence is not None and found else None


def _deleted(folder: Folder, item: CalendarItem, reader: Reader) -> Element | None:
    found = [t("DeletedOccurrence", t("Start", written(each, reader.zone))) for each in sorted(item.deleted)]
    return t("DeletedOccurrences", *found) if item.recurrence is not None and found else None


def _zone(name: str, pick: Callable[[CalendarItem], str]) -> Callable[[Folder, CalendarItem, Reader], Element]:
    def made(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
        return definition(pick(item), item.start.year, full=False, tag=name)

    return made


def _zone_id(name: str, pick: Callable[[CalendarItem], str]) -> Callable[[Folder, CalendarItem, Reader], Element]:
    def made(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
        return t(name, pick(item))

    return made


def _wall_clock(name: str, *, end: bool) -> Callable[[Folder, CalendarItem, Reader], Element]:
    def made(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
        return t(name, written(item.end if end else item.start, item.zone))

    return made


def _duration(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
    seconds = int((item.end - item.start).total_seconds())
    days, rest = divmod(seconds, 86_400)
    clock = "".join(
        f"{value}{unit}" for value, unit in zip((rest // 3600, rest % 3600 // 60), "HM", strict=True) if value
    )
    return t("Duration", f"P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}" if days or clock else "PT0S")


def _link(name: str, mode: str) -> Callable[[Folder, CalendarItem, Reader], Element]:
    """What opens the item in Outlook on the web ("WebClientReadFormQueryString")."""

    def made(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
        shown = quote(item_id(folder, item).get("Id", ""), safe="")
        if reader.version.release >= (15, 0):
            return t(name, f"https://localhost/owa/?ItemID={shown}&exvsurl=1&viewmodel={mode}")
        return t(name, f"?ae=Item&a=Open&t=IPM.Appointment&id={shown}&exvsurl=1")

    return made


def _organizer(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
    return t("Organizer", mailbox(item.organizer))


def _item_id(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
    return item_id(folder, item)


def _response_objects(folder: Folder, item: CalendarItem, reader: Reader) -> Element | None:
    """What may be answered to the item ("ResponseObjects")."""
    if not item.is_meeting:
        return t("ResponseObjects", t("ForwardItem"))
    if item.response == "Organizer":
        return t("ResponseObjects", t("CancelCalendarItem"), t("ForwardItem"))
    names = ("AcceptItem", "TentativelyAcceptItem", "DeclineItem", "ReplyToItem", "ForwardItem")
    return t("ResponseObjects", *(t(name) for name in names))


def _recurrence_id(folder: Folder, item: CalendarItem, reader: Reader) -> Element | None:
    return None if item.original is None else t("RecurrenceId", written(item.original, reader.zone))


def _original(folder: Folder, item: CalendarItem, reader: Reader) -> Element | None:
    """Only for exceptions of a series ("OriginalStart")."""
    return t("OriginalStart", written(item.original, reader.zone)) if item.is_exception and item.original else None


_MADE: dict[str, Callable[[Folder, CalendarItem, Reader], Element | None]] = {
    "ItemId": _item_id,
    "ParentFolderId": _parent,
    "Body": lambda folder, item, reader: body(item.elements.get("Body"), reader.shape.body),
    "DateTimeReceived": _moment("DateTimeReceived", lambda item: item.created_at),
    "DateTimeSent": _moment("DateTimeSent", lambda item: item.created_at),
    "DateTimeCreated": _moment("DateTimeCreated", lambda item: item.created_at),
    "DateTimeStamp": _moment("DateTimeStamp", lambda item: item.modified_at),
    "LastModifiedTime": _moment("LastModifiedTime", lambda item: item.modified_at),
    "ReminderDueBy": _moment("ReminderDueBy", lambda item: item.start),
    "ResponseObjects": _response_objects,
    "EffectiveRights": _rights,
    "WebClientReadFormQueryString": _link("WebClientReadFormQueryString", "ICalendarItemDetailsViewModelFactory"),
    "WebClientEditFormQueryString": _link("WebClientEditFormQueryString", "ICalendarItemDetailsViewModelFactory"),
    "UID": lambda folder, item, reader: t("UID", item.uid),
    "RecurrenceId": _recurrence_id,
    "Start": _moment("Start", lambda item: item.start),
    "End": _moment("End", lambda item: item.end),
    "OriginalStart": _original,
    "LegacyFreeBusyStatus": lambda folder, item, reader: t("LegacyFreeBusyStatus", item.busy),
    "CalendarItemType": lambda folder, item, reader: t("CalendarItemType", item.kind),
    "MyResponseType": lambda folder, item, reader: t(
        "MyResponseType", item.response if item.is_meeting or item.response != "Organizer" else "Organizer"
    ),
    "Organizer": _organizer,
    "RequiredAttendees": _attendees("RequiredAttendees", "Required"),
    "OptionalAttendees": _attendees("OptionalAttendees", "Optional"),
    "Resources": _attendees("Resources", "Resource"),
    "Duration": _duration,
    "TimeZone": _zone_id("TimeZone", lambda item: item.start_zone),
    "AppointmentSequenceNumber": lambda folder, item, reader: t("AppointmentSequenceNumber", str(item.sequence)),
    "AppointmentState": lambda folder, item, reader: t(
        "AppointmentState",
        str(item.is_meeting + 2 * (item.is_meeting and item.response != "Organizer") + 4 * item.cancelled),
    ),
    "Recurrence": _recurrence,
    "FirstOccurrence": _end_of_series("FirstOccurrence", False),
    "LastOccurrence": _end_of_series("LastOccurrence", True),
    "ModifiedOccurrences": _modified,
    "DeletedOccurrences": _deleted,
    "StartTimeZone": _zone("StartTimeZone", lambda item: item.start_zone),
    "EndTimeZone": _zone("EndTimeZone", lambda item: item.end_zone),
    "StartTimeZoneId": _zone_id("StartTimeZoneId", lambda item: item.start_zone),
    "EndTimeZoneId": _zone_id("EndTimeZoneId", lambda item: item.end_zone),
    "StartWallClock": _wall_clock("StartWallClock", end=False),
    "EndWallClock": _wall_clock("EndWallClock", end=True),
    "DisplayTo": lambda folder, item, reader: t(
        "DisplayTo", "; ".join(each.person.name for each in item.attendees if each.kind == "Required")
    ),
    "DisplayCc": lambda folder, item, reader: t(
        "DisplayCc", "; ".join(each.person.name for each in item.attendees if each.kind == "Optional")
    ),
}
_FLAGS: dict[str, Callable[[Folder, CalendarItem], bool]] = {
    "IsSubmitted": lambda folder, item: False,
    "IsDraft": lambda folder, item: False,
    "IsFromMe": lambda folder, item: False,
    "IsResend": lambda folder, item: False,
    "IsUnmodified": lambda folder, item: False,
    "IsAssociated": lambda folder, item: False,
    "HasAttachments": lambda folder, item: False,
    "IsAllDayEvent": lambda folder, item: item.all_day,
    "IsMeeting": lambda folder, item: item.is_meeting,
    "IsCancelled": lambda folder, item: item.cancelled,
    # A guest's series is, the organizer's is not, which the page itself calls incorrect ("IsRecurring").
    "IsRecurring": lambda folder, item: (
        item.master is not None or (item.recurrence is not None and item.response != "Organizer")
    ),
    "MeetingRequestWasSent": lambda folder, item: item.invitations_sent,
    "IsOrganizer": lambda folder, item: item.response == "Organizer",
}
_PRESET = {
    "ItemClass": "IPM.Appointment",
    "Sensitivity": "Normal",
    "Importance": "Normal",
    "Size": "1024",
    "ReminderIsSet": "false",
    "ReminderMinutesBeforeStart": "15",
    "Culture": "en-US",
    "IsResponseRequested": "true",
    "ConferenceType": "0",
    "AllowNewTimeProposal": "true",
    "IsOnlineMeeting": "false",
}
