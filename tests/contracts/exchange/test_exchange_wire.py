"""Exchange's XML, read."""

import base64
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

import pytest
from lxml import etree

from meetings.adapters.exchange import wire
from meetings.adapters.exchange.booking_event import BOOKING, KEY, PROPERTY_SET
from meetings.application.ports.calendars import Attendee, BusyStatus, EventTime, ProviderUnavailable, RemovedEvent
from meetings.domain.calendar_connection import CalendarAccess
from meetings.domain.timespan import TimeSpan, floor_minute

T = wire.TYPES.strip("{}")


def _minute(text: str) -> int:
    return floor_minute(datetime.fromisoformat(text).replace(tzinfo=UTC))


def _element(text: str) -> wire.Element:
    return etree.fromstring(f'<t:Root xmlns:t="{T}">{text}</t:Root>')[0]


def _item(identity: str = "e1", inside: str = "", **fields: str) -> wire.Element:
    values = {"Start": "2026-03-03T09:00:00Z", "End": "2026-03-03T10:00:00Z", "LegacyFreeBusyStatus": "Busy", **fields}
    told = "".join(f"<t:{name}>{escape(value)}</t:{name}>" for name, value in values.items() if value)
    return _element(
        f'<t:CalendarItem><t:ItemId Id={quoteattr(identity)} ChangeKey="k"/>{inside}{told}</t:CalendarItem>'
    )


def _property(name: str, value: str, owner: str = PROPERTY_SET) -> str:
    return (
        f'<t:ExtendedProperty><t:ExtendedFieldURI PropertySetId="{owner.upper()}" PropertyName="{name}" '
        f'PropertyType="String"/><t:Value>{value}</t:Value></t:ExtendedProperty>'
    )


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"LegacyFreeBusyStatus": "Free"}, BusyStatus.FREE),
        ({"LegacyFreeBusyStatus": "Tentative"}, BusyStatus.TENTATIVE),
        ({"LegacyFreeBusyStatus": "Busy"}, BusyStatus.BUSY),
        ({"LegacyFreeBusyStatus": "OOF"}, BusyStatus.OUT_OF_OFFICE),
        ({"LegacyFreeBusyStatus": "WorkingElsewhere"}, BusyStatus.WORKING_ELSEWHERE),
        ({"LegacyFreeBusyStatus": "NoData"}, BusyStatus.UNKNOWN),
        ({"LegacyFreeBusyStatus": "InventedLater"}, BusyStatus.UNKNOWN),
        ({"LegacyFreeBusyStatus": ""}, BusyStatus.UNKNOWN),
        ({"MyResponseType": "Decline"}, BusyStatus.FREE),
        ({"MyResponseType": "NoResponseReceived"}, BusyStatus.BUSY),
        ({"MyResponseType": "Tentative", "LegacyFreeBusyStatus": "Tentative"}, BusyStatus.TENTATIVE),
    ],
)
def test_what_an_item_says_about_its_owners_time(fields: dict[str, str], status: BusyStatus) -> None:
    told = wire.item(_item(**fields), {}).told
    assert isinstance(told, EventTime)
    assert told.status is status


def test_only_what_is_known_not_to_block_does_not() -> None:
    unknown = wire.item(_item(LegacyFreeBusyStatus="InventedLater"), {}).told
    assert isinstance(unknown, EventTime)
    assert unknown.status.blocks


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z", "2026-03-03T09:00", "2026-03-03T10:00"),
        ("2026-03-03T09:00:00+01:00", "2026-03-03T10:00:00+01:00", "2026-03-03T08:00", "2026-03-03T09:00"),
        ("2026-03-03T09:00:30Z", "2026-03-03T10:00:01.5Z", "2026-03-03T09:00", "2026-03-03T10:01"),
    ],
)
def test_times_are_instants_widened_to_whole_minutes(start: str, end: str, first: str, last: str) -> None:
    told = wire.item(_item(Start=start, End=end), {}).told
    assert isinstance(told, EventTime)
    assert (told.start, told.end) == (_minute(first), _minute(last))


@pytest.mark.parametrize("start", ["2026-03-03T09:00:00", "tomorrow", "2026-13-03T09:00:00Z"])
def test_a_time_that_could_be_any_hour_is_not_guessed(start: str) -> None:
    with pytest.raises(ProviderUnavailable):
        wire.item(_item(Start=start), {})


def test_a_cancelled_meeting_is_gone_and_other_items_are_no_events() -> None:
    cancelled = wire.item(_item(IsCancelled="true"), {})
    note = wire.item(_item(Start="", End=""), {})
    assert (cancelled.told, note.told) == (RemovedEvent("e1"), None)


def test_an_instance_knows_its_series_and_a_single_event_has_none() -> None:
    series = {"uid-1": "master"}
    told = [
        wire.item(_item(UID="uid-1", CalendarItemType=kind), series).told
        for kind in ("Occurrence", "Exception", "Single")
    ]
    assert [each.series_id for each in told if isinstance(each, EventTime)] == ["master", "master", None]
    assert wire.item(_item(CalendarItemType="RecurringMaster"), {}).is_series


def test_our_booking_is_recognised_on_our_own_copy_only() -> None:
    ours = _property(KEY, "k") + _property(BOOKING, "booking-1")
    foreign_set = _property(BOOKING, "booking-1", owner="00020329-0000-0000-c000-000000000046")
    items = [
        _item(inside=ours),
        _item(inside=ours, MyResponseType="Organizer"),
        _item(inside=ours, MyResponseType="Accept"),
        _item(inside=foreign_set),
        _item(inside=_property(BOOKING, "")),
    ]
    assert [wire.booking_key(each) for each in items] == ["booking-1", "booking-1", None, None, None]


def test_an_event_of_ours_is_read_with_its_guests() -> None:
    guests = (
        "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:Name>Vera</t:Name><t:EmailAddress>vera@x.example"
        "</t:EmailAddress></t:Mailbox></t:Attendee><t:Attendee><t:Mailbox><t:EmailAddress>gus@x.example"
        "</t:EmailAddress></t:Mailbox></t:Attendee><t:Attendee><t:Mailbox><t:Name>Only a name</t:Name></t:Mailbox>"
        "</t:Attendee></t:RequiredAttendees>"
    )
    existing = wire.existing(_item(inside=guests + _property(KEY, "k"), MyResponseType="Organizer"))
    assert (existing.item_id, existing.change_key, existing.properties) == ("e1", "k", {KEY: "k"})
    assert existing.attendees == (Attendee("Vera", "vera@x.example"), Attendee("gus@x.example", "gus@x.example"))
    assert (existing.start, existing.end) == (
        datetime(2026, 3, 3, 9, tzinfo=UTC),
        datetime(2026, 3, 3, 10, tzinfo=UTC),
    )


def test_changes_keep_their_order_and_leave_out_what_was_only_read() -> None:
    item = etree.tostring(_item("e2")).decode()
    entries = [
        _element(f"<t:Create>{item}</t:Create>"),
        _element('<t:ReadFlagChange><t:ItemId Id="e1" ChangeKey="k"/><t:IsRead>true</t:IsRead></t:ReadFlagChange>'),
        _element('<t:Delete><t:ItemId Id="e3" ChangeKey="k"/></t:Delete>'),
    ]
    told = wire.changes(entries)
    assert [(each.item.item_id if each.item else None, each.gone) for each in told] == [("e2", None), (None, "e3")]


def test_series_are_found_by_what_their_instances_have_in_common() -> None:
    def created(identity: str, **fields: str) -> wire.Element:
        return _element(f"<t:Create>{etree.tostring(_item(identity, **fields)).decode()}</t:Create>")

    entries = wire.changes(
        [
            created("single", CalendarItemType="Single", UID="uid-1"),
            created("master", CalendarItemType="RecurringMaster", UID="uid-2"),
            created("broken", CalendarItemType="RecurringMaster", UID=""),
        ]
    )
    assert wire.series(entries) == {"uid-2": "master", "": "broken"}
    instance = wire.item(_item(CalendarItemType="Occurrence", UID=""), wire.series(entries)).told
    assert isinstance(instance, EventTime)
    assert instance.series_id is None


def test_blocking_events_are_those_that_touch_the_span_each_once() -> None:
    span = TimeSpan(datetime(2026, 3, 3, 10, tzinfo=UTC), datetime(2026, 3, 3, 12, tzinfo=UTC))
    across = _item("across", Start="2026-03-03T09:00:00Z", End="2026-03-03T11:00:00Z")
    items = [
        _item("touches"),
        across,
        across,
        _item("free", Start="2026-03-03T10:00:00Z", End="2026-03-03T11:00:00Z", LegacyFreeBusyStatus="Free"),
        _item("after", Start="2026-03-03T12:00:00Z", End="2026-03-03T13:00:00Z"),
    ]
    assert [each.event_id for each in wire.blocking([wire.item(each, {}) for each in items], span)] == ["across"]


def _folder(identity: str, *, parent: str = "top", kind: str = "IPF.Appointment", rights: str = "") -> wire.Folder:
    return wire.folder(
        _element(
            f'<t:CalendarFolder><t:FolderId Id="{identity}"/><t:ParentFolderId Id="{parent}"/>'
            f"<t:FolderClass>{kind}</t:FolderClass><t:DisplayName>{identity.title()}</t:DisplayName>{rights}"
            "</t:CalendarFolder>"
        )
    )


def test_the_mailboxs_own_calendars_are_listed_the_default_one_first() -> None:
    rights = "<t:EffectiveRights><t:CreateContents>{}</t:CreateContents><t:Read>{}</t:Read></t:EffectiveRights>"
    found = [
        _folder("choir"),
        _folder("calendar"),
        _folder("old", parent="bin"),
        _folder("lost", rights=rights.format("false", "false")),
        _folder("holidays", kind="IPF.Appointment.Birthday", rights=rights.format("false", "true")),
        _folder("contacts", kind="IPF.Contact"),
    ]
    listed = wire.listed(_folder("calendar"), _folder("bin", kind="IPF.Note"), found, "Europe/Berlin")
    assert [(each.external_id, each.name, each.access, each.primary) for each in listed] == [
        ("calendar", "Calendar", CalendarAccess.OWNER, True),
        ("choir", "Choir", CalendarAccess.OWNER, False),
        ("holidays", "Holidays", CalendarAccess.READER, False),
    ]
    assert {each.time_zone for each in listed} == {"Europe/Berlin"}


def _dictionary(**entries: str) -> wire.Element:
    told = "".join(
        f"<t:DictionaryEntry><t:DictionaryKey><t:Type>String</t:Type><t:Value>{name}</t:Value></t:DictionaryKey>"
        f"<t:DictionaryValue><t:Type>String</t:Type><t:Value>{value}</t:Value></t:DictionaryValue></t:DictionaryEntry>"
        for name, value in entries.items()
    )
    return _element(f"<t:UserConfiguration><t:Dictionary>{told}</t:Dictionary></t:UserConfiguration>")


def test_the_owners_zone_is_read_from_either_of_two_places() -> None:
    hours = (
        b'<?xml version="1.0"?><Root xmlns="WorkingHours.xsd"><WorkHoursVersion1><TimeZone><Bias>-60</Bias>'
        b"<Name>W. Europe Standard Time</Name></TimeZone><Start>08:00:00</Start></WorkHoursVersion1></Root>"
    )
    told = _element(
        f"<t:UserConfiguration><t:XmlData>{base64.b64encode(hours).decode()}</t:XmlData></t:UserConfiguration>"
    )
    assert wire.zone_of_working_hours(told) == "W. Europe Standard Time"
    assert wire.zone_of_web_options(_dictionary(timezone="Nepal Standard Time")) == "Nepal Standard Time"
    for nothing in ("", "<t:XmlData>***</t:XmlData>", "<t:XmlData>PGEvPg==</t:XmlData>"):
        assert wire.zone_of_working_hours(_element(f"<t:UserConfiguration>{nothing}</t:UserConfiguration>")) is None
    assert wire.zone_of_web_options(_dictionary()) is None


def test_a_calendar_that_accepts_by_itself_is_no_persons() -> None:
    assert wire.books_itself(_dictionary(AutomateProcessing="2"))
    assert not wire.books_itself(_dictionary(AutomateProcessing="1"))
    assert not wire.books_itself(_dictionary())


def test_a_span_is_halved_at_whole_minutes_until_a_minute_is_left() -> None:
    start = datetime(2026, 3, 3, 9, tzinfo=UTC)
    span = TimeSpan(start, start.replace(minute=3))
    first, second = wire.halves(span) or (span, span)
    assert (first.start, first.end, second.start, second.end) == (
        start,
        start.replace(minute=1),
        start.replace(minute=1),
        start.replace(minute=3),
    )
    assert wire.halves(first) is None
