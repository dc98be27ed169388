"""Putting what a request says into an item: new items, set, appended and deleted fields."""

import copy
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator import item_fields, recurrence
from meetings.adapters.exchange.simulator.errors import EwsError, invalid_schema
from meetings.adapters.exchange.simulator.identity import mailbox
from meetings.adapters.exchange.simulator.shapes import property_key
from meetings.adapters.exchange.simulator.soap import Element, children, find, flag, local, t, text, truth
from meetings.adapters.exchange.simulator.times import midnight, read_moment
from meetings.adapters.exchange.simulator.versions import ServerVersion
from meetings.adapters.exchange.simulator.world import Account, Attendee, CalendarItem, Folder, Person, World
from meetings.adapters.exchange.simulator.zones import zone_of

_ATTENDEES = {"RequiredAttendees": "Required", "OptionalAttendees": "Optional", "Resources": "Resource"}
_OWN = {"Start", "End", "StartTimeZone", "EndTimeZone", "IsAllDayEvent", "Recurrence", "UID", "ExtendedProperty"}
_TRUTHS = {"ReminderIsSet", "IsResponseRequested", "AllowNewTimeProposal", "IsOnlineMeeting"}
_DAY = timedelta(days=1)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Writer:
    """Who writes, and how: `zone` is the one of the request, for times without an offset."""

    world: World
    account: Account
    version: ServerVersion
    zone: ZoneInfo
    zone_name: str | None = None


def new_item(writer: Writer, folder: Folder, given: Element) -> CalendarItem:
    """A calendar item that is not in the folder yet.

    Without times it begins now and lasts half an hour (assumed).

    Raises:
        EwsError, EwsFault: it cannot be written so.
    """
    now = writer.world.now().replace(microsecond=0)
    owner = folder.mailbox
    item = CalendarItem(
        number=writer.world.new_number(),
        start=now,
        end=now + timedelta(minutes=30),
        uid=_new_uid(),
        organizer=owner.person,
        created_at=now,
    )
    item.start_zone = item.end_zone = writer.zone_name or "UTC"
    fields: dict[str, list[Element]] = {}
    for each in children(given):
        fields.setdefault(local(each), []).append(each)
    for name in fields:
        _check_writable(name, writer.version)
    if "Start" in fields and "End" not in fields:
        fields["End"] = fields["Start"]
    _write(writer, item, fields)
    return item


def change_item(writer: Writer, item: CalendarItem, updates: Element) -> None:
    """Apply the `Updates` of an ItemChange in their order ("UpdateItem operation")."""
    fields: dict[str, list[Element]] = {}
    gone: list[str] = []
    for update in children(updates):
        path = next(children(update))
        if local(path) == "ExtendedFieldURI":
            _change_extended(item, update, path)
            continue
        name = item_fields.name_of(path.get("FieldURI", ""), writer.version)
        _check_writable(name, writer.version)
        if local(update) == "DeleteItemField":
            gone.append(name)
            continue
        given = find(update, f"t:CalendarItem/t:{name}")
        if given is None:
            raise EwsError("ErrorUpdatePropertyMismatch", "The property does not match the path of the update.")
        if local(update) == "AppendToItemField":
            given = _appended(item, name, given)
        fields[name] = [given]
    for name in gone:
        _delete(item, name)
    _write(writer, item, fields)


def addresses_are_valid(item: CalendarItem) -> bool:
    return all(_ADDRESS.fullmatch(attendee.person.email) for attendee in item.attendees)


def _write(writer: Writer, item: CalendarItem, fields: dict[str, list[Element]]) -> None:
    before, length, was_all_day = item.start, item.end - item.start, item.all_day
    for name, elements in fields.items():
        if name in _ATTENDEES:
            _set_attendees(item, _ATTENDEES[name], elements[-1])
        elif name == "ExtendedProperty":
            for element in elements:
                uri = find(element, "t:ExtendedFieldURI")
                if uri is None:
                    raise invalid_schema("The element 'ExtendedProperty' has incomplete content.")
                item.extended[property_key(uri)] = copy.deepcopy(element)
        elif name not in _OWN:
            _check_value(name, elements[-1], writer.version)
            item.elements[name] = _as_kept(name, elements[-1])
    if "UID" in fields:
        item.uid = text(fields["UID"][-1])
    _set_zones(item, fields)
    _set_times(writer, item, fields)
    if "IsAllDayEvent" in fields:
        item.all_day = flag(fields["IsAllDayEvent"][-1].text)
        if item.all_day and not was_all_day and "LegacyFreeBusyStatus" not in fields and not item.version:
            # A new all-day event is shown as free unless it says otherwise (seen; assumed for EWS).
            item.elements["LegacyFreeBusyStatus"] = _free()
    if item.all_day:
        _round_to_days(item)
    if item.end < item.start:
        raise EwsError("ErrorCalendarEndDateIsEarlierThanStartDate")
    _set_recurrence(item, fields, before, length)


def _set_zones(item: CalendarItem, fields: dict[str, list[Element]]) -> None:
    """StartTimeZone by its Id; with a definition of its own the rules of that name are taken (assumed)."""
    if "StartTimeZone" in fields:
        item.start_zone = fields["StartTimeZone"][-1].get("Id", "")
        zone_of(item.start_zone)
        if "EndTimeZone" not in fields:
            item.end_zone = item.start_zone
    if "EndTimeZone" in fields:
        item.end_zone = fields["EndTimeZone"][-1].get("Id", "")
        zone_of(item.end_zone)
    if "MeetingTimeZone" in fields and "StartTimeZone" not in fields:
        name = fields["MeetingTimeZone"][-1].get("TimeZoneName", "")
        if name:
            zone_of(name)
            item.start_zone = item.end_zone = name


def _set_times(writer: Writer, item: CalendarItem, fields: dict[str, list[Element]]) -> None:
    named = "StartTimeZone" in fields or "MeetingTimeZone" in fields
    zone = item.zone if named else writer.zone
    if "Start" in fields:
        item.start = read_moment(text(fields["Start"][-1]), zone)
    if "End" in fields:
        item.end = read_moment(text(fields["End"][-1]), zone)


def _round_to_days(item: CalendarItem) -> None:
    """All-day events run from midnight to midnight of the start zone ("IsAllDayEvent", MS-OXOCAL 2.2.1.9)."""
    zone = item.zone
    first, last = item.start.astimezone(zone), item.end.astimezone(zone)
    end = last.date() if last.time() == last.min.time() and last.date() > first.date() else last.date() + _DAY
    item.start, item.end = midnight(first.date(), zone), midnight(end, zone)


def _set_recurrence(item: CalendarItem, fields: dict[str, list[Element]], before: datetime, length: timedelta) -> None:
    """A new or changed pattern starts afresh: what was moved or cancelled is as planned again (seen in Outlook)."""
    if "Recurrence" in fields:
        if item.master is not None:
            raise EwsError("ErrorInvalidPropertySet")
        item.recurrence = copy.deepcopy(fields["Recurrence"][-1])
    elif item.recurrence is not None and item.start != before:
        item.recurrence = recurrence.moved(item.recurrence, item.start - before, item.zone, before)
    elif item.recurrence is None or item.end - item.start == length:
        return
    if item.recurrence is not None:
        own_length = item.end - item.start
        item.start = recurrence.check(item.recurrence, item.start, item.zone)
        item.end = item.start + own_length
        item.exceptions, item.deleted = {}, set()


def _set_attendees(item: CalendarItem, kind: str, given: Element) -> None:
    """Somebody who was there already keeps the answer."""
    was = {each.person.email.lower(): each for each in item.attendees if each.kind == kind}
    now: list[Attendee] = []
    for each in children(given):
        email = text(each, "t:Mailbox/t:EmailAddress")
        name = text(each, "t:Mailbox/t:Name") or email
        kept = was.get(email.lower())
        fresh = Attendee(Person(name, email), kind)
        if kept is not None:
            fresh.response, fresh.replied_at = kept.response, kept.replied_at
        now.append(fresh)
    item.attendees = [each for each in item.attendees if each.kind != kind] + now


def _change_extended(item: CalendarItem, update: Element, path: Element) -> None:
    key = property_key(path)
    if local(update) == "DeleteItemField":
        item.extended.pop(key, None)
        return
    given = find(update, "t:CalendarItem/t:ExtendedProperty")
    if given is None or property_key(next(children(given))) != key:
        raise EwsError("ErrorUpdatePropertyMismatch", "The property does not match the path of the update.")
    item.extended[key] = copy.deepcopy(given)


def _appended(item: CalendarItem, name: str, given: Element) -> Element:
    """Only some properties can grow ("AppendToItemField"): the body, and lists of people."""
    whole = copy.deepcopy(given)
    if name == "Body":
        whole.text = item.value("Body") + (given.text or "")
        return whole
    if name not in _ATTENDEES:
        raise EwsError("ErrorInvalidPropertyAppend", "Append action is invalid for property.")
    present = [each for each in item.attendees if each.kind == _ATTENDEES[name]]
    item.attendees = [each for each in item.attendees if each not in present]
    _set_attendees(item, _ATTENDEES[name], given)
    item.attendees = present + item.attendees
    return _as_elements(name, item, whole)


def _as_elements(name: str, item: CalendarItem, like: Element) -> Element:
    people = [t("Attendee", mailbox(each.person)) for each in item.attendees if each.kind == _ATTENDEES[name]]
    return t(name, *people)


def _delete(item: CalendarItem, name: str) -> None:
    if name in _ATTENDEES:
        item.attendees = [each for each in item.attendees if each.kind != _ATTENDEES[name]]
    elif name == "Recurrence":
        item.recurrence, item.exceptions, item.deleted = None, {}, set()
    elif name in ("Start", "End", "UID"):
        raise EwsError("ErrorInvalidPropertyDelete", "Delete action is invalid for property.")
    else:
        item.elements.pop(name, None)


def _check_writable(name: str, version: ServerVersion) -> None:
    if not item_fields.is_known(name, version):
        raise invalid_schema(
            "The element 'CalendarItem' in namespace 'http://schemas.microsoft.com/exchange/services/2006/types' has "
            f"invalid child element '{name}'."
        )
    if name not in item_fields.WRITABLE:
        raise EwsError("ErrorInvalidPropertySet", values={"Property": name})


def _check_value(name: str, element: Element, version: ServerVersion) -> None:
    allowed = {
        "LegacyFreeBusyStatus": item_fields.busy_values(version),
        "Sensitivity": ("Normal", "Personal", "Private", "Confidential"),
        "Importance": ("Low", "Normal", "High"),
    }.get(name)
    if allowed is not None and (element.text or "") not in allowed:
        raise invalid_schema(f"The '{name}' element is invalid - The value '{element.text}' is invalid.")


def _as_kept(name: str, element: Element) -> Element:
    kept = copy.deepcopy(element)
    if name in _TRUTHS:
        kept.text = truth(flag(kept.text))
    return kept


def _free() -> Element:
    return t("LegacyFreeBusyStatus", "Free")


def _new_uid() -> str:
    """A global object id in hex, as Exchange makes them (MS-OXOCAL 2.2.1.27)."""
    return "040000008200E00074C5B7101A82E008" + uuid4().hex.upper() + uuid4().hex.upper()[:16]
