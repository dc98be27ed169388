"""What people do to their calendars in Outlook, and what they see there. The caller holds the world's lock."""

import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator import identity, invitations, occurrences, recurrence
from meetings.adapters.exchange.simulator.ids import read_id
from meetings.adapters.exchange.simulator.shapes import property_key
from meetings.adapters.exchange.simulator.soap import Element, t
from meetings.adapters.exchange.simulator.times import midnight
from meetings.adapters.exchange.simulator.world import Attendee, CalendarItem, Folder, Person, World
from meetings.adapters.exchange.simulator.zones import windows_name_of, zone_of

Moment = datetime | date


@dataclass(frozen=True)
class Event:
    """An item as its owner sees it in Outlook. `start` and `end` are UTC; `zone` is a tz database name.

    `attendees` are (address, response). `kind` is Single, RecurringMaster or Exception.
    """

    id: str
    subject: str
    body: str
    body_type: str
    start: datetime
    end: datetime
    zone: str
    busy: str
    all_day: bool
    location: str
    attendees: tuple[tuple[str, str], ...]
    kind: str
    response: str
    cancelled: bool
    uid: str


@dataclass(frozen=True)
class Wish:
    """An event to be made. Without `time_zone` it is in the mailbox's own zone."""

    subject: str
    start: Moment
    end: Moment
    busy: str = "Busy"
    time_zone: str | None = None
    attendees: tuple[str, ...] = ()
    location: str | None = None
    recurrence: Element | None = None
    extended: dict[tuple[str, str], str] | None = None
    body: str | None = None
    sensitivity: str = "Normal"


def add(world: World, folder: Folder, wish: Wish) -> CalendarItem:
    zone = windows_name_of(wish.time_zone) if wish.time_zone else folder.mailbox.time_zone
    number = world.new_number()
    item = CalendarItem(
        number=number,
        start=_instant(wish.start, zone),
        end=_instant(wish.end, zone),
        uid=f"040000008200E00074C5B7101A82E008{number:048X}",
        organizer=folder.mailbox.person,
        created_at=world.now(),
        start_zone=zone,
        end_zone=zone,
        all_day=not isinstance(wish.start, datetime),
        elements={"Subject": t("Subject", wish.subject), "LegacyFreeBusyStatus": t("LegacyFreeBusyStatus", wish.busy)},
        recurrence=wish.recurrence,
        attendees=[Attendee(_person(world, email)) for email in wish.attendees],
    )
    if wish.location is not None:
        item.elements["Location"] = t("Location", wish.location)
    if wish.body is not None:
        item.elements["Body"] = t("Body", wish.body, BodyType="Text")
    if wish.sensitivity != "Normal":
        item.elements["Sensitivity"] = t("Sensitivity", wish.sensitivity)
    for (set_id, name), value in (wish.extended or {}).items():
        _set_property(item, set_id, name, value)
    world.put(folder, item)
    if wish.attendees:
        invitations.send(world, folder, None, item, changed_only=False)
    return item


def series_of(
    folder: Folder, start: Moment, *, times: int | None, pattern: Element | None, zone: str | None
) -> Element:
    """Weekly on the day of `start`, unless `pattern` says otherwise."""
    own_zone = ZoneInfo(zone) if zone else folder.mailbox.zone
    first = start.astimezone(own_zone).date() if isinstance(start, datetime) else start
    if pattern is None:
        return recurrence.weekly(first, times=times)
    return t("Recurrence", copy.deepcopy(pattern), recurrence.range_from(first, times=times))


def change(
    world: World,
    event_id: str,
    *,
    subject: str | None,
    busy: str | None,
    attendees: tuple[str, ...] | None,
    body: str | None,
    sensitivity: str | None,
) -> None:
    folder, item = for_writing(world, event_id)
    before = item.copied()
    for name, value in (("Subject", subject), ("LegacyFreeBusyStatus", busy), ("Sensitivity", sensitivity)):
        if value is not None:
            item.elements[name] = t(name, value)
    if body is not None:
        item.elements["Body"] = t("Body", body, BodyType="Text")
    if attendees is not None:
        held = {each.person.email: each for each in item.attendees}
        item.attendees = [held.get(email) or Attendee(_person(world, email)) for email in attendees]
    _changed(world, folder, before, item)


def move(world: World, event_id: str, start: Moment, end: Moment) -> None:
    """A series starts afresh: what was moved or cancelled is as planned again."""
    folder, item = for_writing(world, event_id)
    before = item.copied()
    begins, ends = _instant(start, item.start_zone), _instant(end, item.start_zone)
    if item.recurrence is not None:
        item.recurrence = recurrence.moved(item.recurrence, begins - item.start, item.zone, item.start)
        item.exceptions, item.deleted = {}, set()
    item.start, item.end = begins, ends
    _changed(world, folder, before, item)


def repeat(world: World, event_id: str, *, times: int | None) -> None:
    """A single event becomes a weekly series from its day on."""
    folder, item = find(world, event_id)
    before = item.copied()
    item.recurrence = recurrence.weekly(item.start.astimezone(item.zone).date(), times=times)
    _changed(world, folder, before, item)


def find(world: World, event_id: str) -> tuple[Folder, CalendarItem]:
    """Raises KeyError, or EwsError ErrorItemNotFound for an occurrence."""
    key = read_id(event_id)
    account = world.mailbox_of(key.mailbox)
    for folder in account.folders.values() if account else ():
        if key.number in folder.items:
            item = folder.items[key.number]
            return folder, item if key.original is None else occurrences.existing(item, key.original)
    raise KeyError(event_id)


def for_writing(world: World, event_id: str) -> tuple[Folder, CalendarItem]:
    folder, item = find(world, event_id)
    if item.master is not None and item.original is not None:
        return folder, occurrences.changed(item.master, item.original)
    return folder, item


def seen(folder: Folder, item: CalendarItem) -> Event:
    body = item.elements.get("Body")
    return Event(
        id=id_of(folder, item),
        subject=item.value("Subject"),
        body=item.value("Body"),
        body_type="Text" if body is None else body.get("BodyType", "Text"),
        start=item.start,
        end=item.end,
        zone=item.zone.key,
        busy=item.busy,
        all_day=item.all_day,
        location=item.value("Location"),
        attendees=tuple((each.person.email, each.response) for each in item.attendees),
        kind=item.kind,
        response=item.response,
        cancelled=item.cancelled,
        uid=item.uid,
    )


def id_of(folder: Folder, item: CalendarItem) -> str:
    return identity.item_id(folder, item).get("Id") or ""


def _changed(world: World, folder: Folder, before: CalendarItem, item: CalendarItem) -> None:
    item.sequence += 1
    world.touch(folder, item)
    if item.response == "Organizer" and (before.attendees or item.attendees):
        invitations.send(world, folder, before, item, changed_only=False)


def _instant(moment: Moment, zone: str) -> datetime:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else midnight(moment, zone_of(zone))


def _person(world: World, email: str) -> Person:
    account = world.account(email)
    return account.person if account is not None else Person(email, email)


def _set_property(item: CalendarItem, set_id: str, name: str, value: str) -> None:
    uri = t("ExtendedFieldURI", PropertySetId=set_id, PropertyName=name, PropertyType="String")
    item.extended[property_key(uri)] = t("ExtendedProperty", uri, t("Value", value))
