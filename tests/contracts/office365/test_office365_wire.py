"""Graph's JSON, read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meetings.adapters.office365 import wire
from meetings.adapters.office365.booking_event import KEY_PROPERTY, key_value, transaction_id
from meetings.adapters.office365.reading import items_of, read
from meetings.adapters.office365.zones import iana_name
from meetings.application.ports.calendars import (
    BusyStatus,
    EventKey,
    EventTime,
    ProviderUnavailable,
    RemovedEvent,
)
from meetings.domain.calendar_connection import CalendarAccess
from meetings.domain.timespan import TimeSpan, at_minute


def _moment(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def _item(**other: Any) -> dict[str, Any]:
    return {
        "id": "event-1",
        "start": {"dateTime": "2026-03-03T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-03T09:30:00.0000000", "timeZone": "UTC"},
        "showAs": "busy",
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        **other,
    }


def _event(**other: Any) -> EventTime:
    event = wire.event(_item(**other), "Europe/Berlin")
    assert isinstance(event, EventTime)
    return event


def _span(event: EventTime) -> tuple[datetime, datetime]:
    return at_minute(event.start), at_minute(event.end)


# ---- calendars ----------------------------------------------------------------------------------------------------


def _calendar(id: str, owner: str = "Ada@Example.com", **other: Any) -> dict[str, Any]:
    return {"id": id, "name": id.title(), "owner": {"address": owner, "name": "x"}, "canEdit": True, **other}


def test_what_may_be_done_with_a_calendar() -> None:
    entries = [
        _calendar("mine", canShare=True),
        _calendar("given", owner="bob@example.com"),
        _calendar("seen", owner="bob@example.com", canEdit=False),
        _calendar("main", isDefaultCalendar=True, canShare=True, hexColor="#aabbcc"),
        _calendar("holidays", canEdit=False, owner="ada@example.com"),
        _calendar("unshareable", owner="ada@example.com", canShare=False),
        {"id": "nameless", "canEdit": False, "owner": None, "hexColor": ""},
    ]
    listed = wire.listed_calendars(entries, "Europe/Berlin")
    assert [(each.external_id, each.access, each.time_zone) for each in listed] == [
        ("main", CalendarAccess.OWNER, "Europe/Berlin"),
        ("mine", CalendarAccess.OWNER, "Europe/Berlin"),
        ("given", CalendarAccess.WRITER, None),
        ("seen", CalendarAccess.READER, None),
        ("holidays", CalendarAccess.READER, "Europe/Berlin"),
        ("unshareable", CalendarAccess.OWNER, "Europe/Berlin"),
        ("nameless", CalendarAccess.READER, None),
    ]
    assert [(each.name, each.primary, each.color) for each in (listed[0], listed[-1])] == [
        ("Main", True, "#aabbcc"),
        ("nameless", False, None),
    ]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Eastern Standard Time", "America/New_York"),
        ("Europe/Vienna", "Europe/Vienna"),
        ("UTC", "Etc/UTC"),
        ("Customized Time Zone", None),
        ("tzone://Microsoft/Custom", None),
        ("../../etc/passwd", None),
        ("", None),
        (None, None),
    ],
)
def test_zones_have_their_iana_names(told: str | None, name: str | None) -> None:
    assert iana_name(told) == name


def test_the_mailbox_is_in_the_zone_of_its_working_hours() -> None:
    answer = {"value": [{"scheduleId": "ada", "workingHours": {"timeZone": {"name": "W. Europe Standard Time"}}}]}
    assert wire.mailbox_zone(answer) == "Europe/Berlin"
    assert wire.mailbox_zone({"value": [{"scheduleId": "ada", "error": {"responseCode": "x"}}]}) is None
    assert wire.mailbox_zone({"value": []}) is None


# ---- events -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        ("free", BusyStatus.FREE),
        ("tentative", BusyStatus.TENTATIVE),
        ("busy", BusyStatus.BUSY),
        ("oof", BusyStatus.OUT_OF_OFFICE),
        ("workingElsewhere", BusyStatus.WORKING_ELSEWHERE),
        ("unknown", BusyStatus.UNKNOWN),
        ("unknownFutureValue", BusyStatus.UNKNOWN),
        (None, BusyStatus.UNKNOWN),
    ],
)
def test_an_event_is_shown_as_it_says(shown: str | None, status: BusyStatus) -> None:
    assert _event(showAs=shown).status is status


@pytest.mark.parametrize(
    ("response", "status"),
    [
        ("none", BusyStatus.TENTATIVE),
        ("notResponded", BusyStatus.TENTATIVE),
        ("tentativelyAccepted", BusyStatus.TENTATIVE),
        ("declined", BusyStatus.FREE),
    ],
)
def test_an_invitation_counts_until_it_is_declined(response: str, status: BusyStatus) -> None:
    assert _event(showAs="tentative", responseStatus={"response": response}).status is status


def test_what_is_cancelled_or_gone_is_removed() -> None:
    assert wire.event(_item(isCancelled=True), None) == RemovedEvent("event-1")
    assert wire.event({"id": "event-1", "@removed": {"reason": "deleted"}}, None) == RemovedEvent("event-1")


def test_times_are_widened_to_whole_minutes() -> None:
    start = {"dateTime": "2026-03-03T09:00:59.9999999", "timeZone": "UTC"}
    end = {"dateTime": "2026-03-03T09:30:00.0000001", "timeZone": "UTC"}
    assert _span(_event(start=start, end=end))[0] == _moment(3, 9)
    end["dateTime"] = "2026-03-03T09:30:00.0100000"
    assert _span(_event(start=start, end=end)) == (_moment(3, 9), _moment(3, 9, 31))


def test_times_in_another_zone_than_was_asked_for_are_understood() -> None:
    start = {"dateTime": "2026-03-03T10:00:00", "timeZone": "W. Europe Standard Time"}
    assert _span(_event(start=start))[0] == _moment(3, 9)
    with pytest.raises(ProviderUnavailable):
        wire.event(_item(start={"dateTime": "2026-03-03T10:00:00", "timeZone": "Mars Standard Time"}), None)


def _days(first: str, after_last: str, **other: Any) -> dict[str, Any]:
    return _item(
        isAllDay=True,
        start={"dateTime": f"{first}T00:00:00.0000000", "timeZone": "UTC"},
        end={"dateTime": f"{after_last}T00:00:00.0000000", "timeZone": "UTC"},
        **other,
    )


def test_whole_days_are_days_of_the_mailbox() -> None:
    """The clocks change in Berlin on 29 March: that day has 23 hours."""
    event = wire.event(_days("2026-03-29", "2026-03-30", originalStartTimeZone="Tokyo Standard Time"), "Europe/Berlin")
    assert isinstance(event, EventTime)
    assert _span(event) == (_moment(28, 23), _moment(29, 22))


@pytest.mark.parametrize(
    ("made_in", "start"),
    [("Tokyo Standard Time", _moment(2, 15)), ("tzone://Microsoft/Custom", _moment(3)), (None, _moment(3))],
)
def test_whole_days_of_a_mailbox_in_no_zone_are_those_of_where_they_were_made(
    made_in: str | None, start: datetime
) -> None:
    event = wire.event(_days("2026-03-03", "2026-03-04", originalStartTimeZone=made_in), None)
    assert isinstance(event, EventTime)
    assert _span(event) == (start, start + timedelta(days=1))


def test_an_occurrence_has_from_its_series_what_it_does_not_tell() -> None:
    series = wire.inherited(_item(id="series", type="seriesMaster", showAs="oof", subject="Secret"))
    bare = {
        "id": "o-1",
        "type": "occurrence",
        "seriesMasterId": "series",
        "start": _item()["start"],
        "end": _item()["end"],
    }
    event = wire.event(wire.with_series(bare, series), None)
    assert isinstance(event, EventTime)
    assert (event.event_id, event.series_id, event.status) == ("o-1", "series", BusyStatus.OUT_OF_OFFICE)
    changed = wire.with_series({**bare, "type": "exception", "showAs": "free", "isCancelled": None}, series)
    assert isinstance(free := wire.event(changed, None), EventTime)
    assert free.status is BusyStatus.FREE
    assert "subject" not in series


def test_only_what_blocks_in_the_span_is_busy() -> None:
    span = TimeSpan(_moment(3, 9), _moment(3, 10))
    items = [
        _item(id="in"),
        _item(id="free", showAs="free"),
        _item(id="elsewhere", showAs="workingElsewhere"),
        _item(id="gone", isCancelled=True),
        _item(
            id="touches",
            end={"dateTime": "2026-03-03T09:00:00", "timeZone": "UTC"},
            start={"dateTime": "2026-03-03T08:00:00", "timeZone": "UTC"},
        ),
    ]
    assert [event.event_id for event in wire.blocking_events(items, span, None)] == ["in"]


def test_our_own_events_name_their_booking() -> None:
    key = EventKey("booking/1|ü", "host-1", 2)
    own = {
        "transactionId": transaction_id(key),
        "singleValueExtendedProperties": [{"id": KEY_PROPERTY.upper(), "value": key_value(key)}],
    }
    assert _event(**own).booking_key == "booking/1|ü"
    assert _event().booking_key is None
    copied_by_hand = {**own, "transactionId": "another"}
    assert _event(**copied_by_hand).booking_key is None
    of_a_guest = {**own, "isOrganizer": False}
    assert _event(**of_a_guest).booking_key is None


@pytest.mark.parametrize("value", ["", "a", "a/b", "a/b/c", "a/b/c/1", "a/b/-1", "a/b/99999999999"])
def test_a_property_of_another_form_names_none(value: str) -> None:
    assert _event(singleValueExtendedProperties=[{"id": KEY_PROPERTY, "value": value}]).booking_key is None


# ---- everything else ----------------------------------------------------------------------------------------------


def test_instants_are_told_in_whole_seconds() -> None:
    assert wire.stamp(_moment(3, 9)) == "2026-03-03T09:00:00Z"
    assert wire.stamp(_moment(3, 9) + timedelta(microseconds=1)) == "2026-03-03T09:00:01Z"


def test_a_subscription_is_a_channel() -> None:
    channel = wire.channel({"id": "s-1", "expirationDateTime": "2026-03-05T06:30:00.0000000Z"}, "c-1")
    assert (channel.channel_id, channel.resource_id, channel.expires_at) == ("c-1", "s-1", _moment(5, 6, 30))


@pytest.mark.parametrize(
    "answer", [{}, {"id": "s"}, {"id": "s", "expirationDateTime": "soon"}, {"expirationDateTime": None, "id": "s"}]
)
def test_a_subscription_without_its_particulars_is_unreadable(answer: Any) -> None:
    with pytest.raises(ProviderUnavailable):
        wire.channel(answer, "c-1")


@pytest.mark.parametrize(
    "page",
    [{}, {"value": None}, {"value": {}}, {"value": [1]}, {"value": [[]]}, {"value": [{}]}, {"value": [{"id": 5}]}],
)
def test_a_page_without_entries_is_unreadable(page: Any) -> None:
    with pytest.raises(ProviderUnavailable):
        items_of(page)


@pytest.mark.parametrize(
    "item", [{}, {"id": "e"}, _item(start={}), _item(start={"dateTime": "soon"}), _item(start=None)]
)
def test_an_event_that_lacks_what_was_promised_is_unreadable(item: Any) -> None:
    with pytest.raises(ProviderUnavailable):
        read(lambda: wire.event(item, None))
