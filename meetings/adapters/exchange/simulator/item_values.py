"""What the properties of a calendar item say (MS-OXWSCORE, MS-OXWSMTGS, and the elements' pages)."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator import occurrences
from meetings.adapters.exchange.simulator.bodies import body
from meetings.adapters.exchange.simulator.identity import effective_rights, folder_id, item_id, mailbox
from meetings.adapters.exchange.simulator.soap import Element, t, truth
from meetings.adapters.exchange.simulator.times import written
from meetings.adapters.exchange.simulator.versions import EXCHANGE_2013, ServerVersion
from meetings.adapters.exchange.simulator.world import Attendee, CalendarItem, Folder
from meetings.adapters.exchange.simulator.zones import definition


@dataclass(frozen=True)
class Shown:
    """An item, and how it is wanted: times in `zone`, the body as `body` (Text, HTML or Best)."""

    folder: Folder
    item: CalendarItem
    zone: ZoneInfo
    version: ServerVersion
    body: str

    def time(self, moment: datetime) -> str:
        return written(moment, self.zone)


def value(name: str, shown: Shown) -> Element | None:
    """The property, None when the item has none: worked out, else as it was written, else as a new item has it."""
    if name in _ELEMENTS:
        return _ELEMENTS[name](shown)
    if name in _TEXTS:
        return t(name, _TEXTS[name](shown))
    if name in _FLAGS:
        return t(name, truth(_FLAGS[name](shown.item)))
    if name in shown.item.elements:
        return copy.deepcopy(shown.item.elements[name])
    return t(name, _PRESET[name]) if name in _PRESET else None


def _attendees(name: str, kind: str, shown: Shown) -> Element | None:
    people = [_attendee(each, shown) for each in shown.item.attendees if each.kind == kind]
    return t(name, *people) if people else None


def _attendee(attendee: Attendee, shown: Shown) -> Element:
    replied = attendee.replied_at
    return t(
        "Attendee",
        mailbox(attendee.person),
        t("ResponseType", attendee.response),
        t("LastResponseTime", shown.time(replied)) if replied else None,
    )


def _names(kind: str, shown: Shown) -> str:
    return "; ".join(each.person.name for each in shown.item.attendees if each.kind == kind)


def _first(shown: Shown) -> Element | None:
    if shown.item.recurrence is None:
        return None
    first = next((each for each in occurrences.planned(shown.item) if each not in shown.item.deleted), None)
    return None if first is None else _info("FirstOccurrence", occurrences.occurrence(shown.item, first), shown)


def _last(shown: Shown) -> Element | None:
    """A series without end has none."""
    series = shown.item
    if series.recurrence is None or str(series.recurrence[1].tag).endswith("NoEndRecurrence"):
        return None
    live = [each for each in occurrences.planned(series) if each not in series.deleted]
    return _info("LastOccurrence", occurrences.occurrence(series, live[-1]), shown) if live else None


def _info(name: str, item: CalendarItem, shown: Shown) -> Element:
    assert item.original is not None
    return t(
        name,
        item_id(shown.folder, item),
        t("Start", shown.time(item.start)),
        t("End", shown.time(item.end)),
        t("OriginalStart", shown.time(item.original)),
    )


def _modified(shown: Shown) -> Element | None:
    found = [_info("Occurrence", each, shown) for _, each in sorted(shown.item.exceptions.items())]
    return t("ModifiedOccurrences", *found) if shown.item.recurrence is not None and found else None


def _deleted(shown: Shown) -> Element | None:
    found = [t("DeletedOccurrence", t("Start", shown.time(each))) for each in sorted(shown.item.deleted)]
    return t("DeletedOccurrences", *found) if shown.item.recurrence is not None and found else None


def _zone(name: str, windows_name: str, shown: Shown) -> Element:
    return definition(windows_name, shown.item.start.year, full=False, tag=name)


def _duration(shown: Shown) -> str:
    minutes = int((shown.item.end - shown.item.start).total_seconds()) // 60
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    clock = (f"{hours}H" if hours else "") + (f"{rest}M" if rest else "")
    return f"P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}" if minutes else "PT0S"


def _link(shown: Shown) -> str:
    """What opens the item in Outlook on the web ("WebClientReadFormQueryString"; 2013 gives a whole address, seen)."""
    named = quote(item_id(shown.folder, shown.item).get("Id", ""), safe="")
    if shown.version.release < EXCHANGE_2013.release:
        return f"?ae=Item&a=Open&t=IPM.Appointment&id={named}&exvsurl=1"
    return f"https://localhost/owa/?ItemID={named}&exvsurl=1&viewmodel=ICalendarItemDetailsViewModelFactory"


def _response_objects(shown: Shown) -> Element:
    """What may be answered to the item ("ResponseObjects")."""
    if not shown.item.is_meeting:
        names: tuple[str, ...] = ("ForwardItem",)
    elif shown.item.response == "Organizer":
        names = ("CancelCalendarItem", "ForwardItem")
    else:
        names = ("AcceptItem", "TentativelyAcceptItem", "DeclineItem", "ReplyToItem", "ForwardItem")
    return t("ResponseObjects", *(t(name) for name in names))


def _recurrence_id(shown: Shown) -> Element | None:
    return None if shown.item.original is None else t("RecurrenceId", shown.time(shown.item.original))


def _original(shown: Shown) -> Element | None:
    """Only for exceptions of a series ("OriginalStart")."""
    original = shown.item.original if shown.item.is_exception else None
    return None if original is None else t("OriginalStart", shown.time(original))


def _state(shown: Shown) -> str:
    """Bits: a meeting, received from somebody, cancelled (MS-OXOCAL 2.2.1.10)."""
    item = shown.item
    received = item.is_meeting and item.response != "Organizer"
    return str(item.is_meeting + 2 * received + 4 * item.cancelled)


def _is_recurring(item: CalendarItem) -> bool:
    """A guest's series is, the organizer's is not, which the page itself calls incorrect ("IsRecurring")."""
    return item.master is not None or (item.recurrence is not None and item.response != "Organizer")


_ELEMENTS: dict[str, Callable[[Shown], Element | None]] = {
    "ItemId": lambda shown: item_id(shown.folder, shown.item),
    "ParentFolderId": lambda shown: folder_id(shown.folder, "ParentFolderId"),
    "Body": lambda shown: body(shown.item.elements.get("Body"), shown.body),
    "ResponseObjects": _response_objects,
    "EffectiveRights": lambda shown: effective_rights(shown.folder),
    "RecurrenceId": _recurrence_id,
    "OriginalStart": _original,
    "Organizer": lambda shown: t("Organizer", mailbox(shown.item.organizer)),
    "RequiredAttendees": lambda shown: _attendees("RequiredAttendees", "Required", shown),
    "OptionalAttendees": lambda shown: _attendees("OptionalAttendees", "Optional", shown),
    "Resources": lambda shown: _attendees("Resources", "Resource", shown),
    "Recurrence": lambda shown: copy.deepcopy(shown.item.recurrence),
    "FirstOccurrence": _first,
    "LastOccurrence": _last,
    "ModifiedOccurrences": _modified,
    "DeletedOccurrences": _deleted,
    "StartTimeZone": lambda shown: _zone("StartTimeZone", shown.item.start_zone, shown),
    "EndTimeZone": lambda shown: _zone("EndTimeZone", shown.item.end_zone, shown),
}
_TEXTS: dict[str, Callable[[Shown], str]] = {
    "DateTimeReceived": lambda shown: shown.time(shown.item.created_at),
    "DateTimeSent": lambda shown: shown.time(shown.item.created_at),
    "DateTimeCreated": lambda shown: shown.time(shown.item.created_at),
    "DateTimeStamp": lambda shown: shown.time(shown.item.modified_at),
    "LastModifiedTime": lambda shown: shown.time(shown.item.modified_at),
    "ReminderDueBy": lambda shown: shown.time(shown.item.start),
    "WebClientReadFormQueryString": _link,
    "WebClientEditFormQueryString": _link,
    "UID": lambda shown: shown.item.uid,
    "Start": lambda shown: shown.time(shown.item.start),
    "End": lambda shown: shown.time(shown.item.end),
    "LegacyFreeBusyStatus": lambda shown: shown.item.busy,
    "CalendarItemType": lambda shown: shown.item.kind,
    "MyResponseType": lambda shown: shown.item.response,
    "Duration": _duration,
    "TimeZone": lambda shown: shown.item.start_zone,
    "AppointmentSequenceNumber": lambda shown: str(shown.item.sequence),
    "AppointmentState": _state,
    "StartTimeZoneId": lambda shown: shown.item.start_zone,
    "EndTimeZoneId": lambda shown: shown.item.end_zone,
    "StartWallClock": lambda shown: written(shown.item.start, shown.item.zone),
    "EndWallClock": lambda shown: written(shown.item.end, shown.item.zone),
    "DisplayTo": lambda shown: _names("Required", shown),
    "DisplayCc": lambda shown: _names("Optional", shown),
}
_FLAGS: dict[str, Callable[[CalendarItem], bool]] = {
    "IsSubmitted": lambda item: False,
    "IsDraft": lambda item: False,
    "IsFromMe": lambda item: False,
    "IsResend": lambda item: False,
    "IsUnmodified": lambda item: False,
    "IsAssociated": lambda item: False,
    "HasAttachments": lambda item: False,
    "IsAllDayEvent": lambda item: item.all_day,
    "IsMeeting": lambda item: item.is_meeting,
    "IsCancelled": lambda item: item.cancelled,
    "IsRecurring": _is_recurring,
    "MeetingRequestWasSent": lambda item: item.invitations_sent,
    "IsOrganizer": lambda item: item.response == "Organizer",
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
