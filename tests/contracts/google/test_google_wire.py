"""Google's JSON, read."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from meetings.adapters.google import wire
from meetings.application.ports.calendars import (
    BusyStatus,
    CalendarUnreadable,
    EventTime,
    News,
    Notice,
    ProviderUnavailable,
    PushCall,
    PushMessage,
    RemovedEvent,
)
from meetings.domain.calendar_connection import CalendarAccess, ListedCalendar
from meetings.domain.timespan import TimeSpan, floor_minute


def _minute(text: str) -> int:
    return floor_minute(datetime.fromisoformat(text).replace(tzinfo=UTC))


def _page(*items: dict[str, Any], zone: str = "Europe/Berlin") -> dict[str, Any]:
    return {"timeZone": zone, "items": list(items)}


def _item(**fields: Any) -> dict[str, Any]:
    times = {"start": {"dateTime": "2026-03-03T09:00:00Z"}, "end": {"dateTime": "2026-03-03T10:00:00Z"}}
    return {"id": "e1", "status": "confirmed", **times, **fields}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, BusyStatus.BUSY),
        ({"transparency": "opaque"}, BusyStatus.BUSY),
        ({"transparency": "transparent"}, BusyStatus.FREE),
        ({"status": "tentative"}, BusyStatus.TENTATIVE),
        ({"eventType": "focusTime"}, BusyStatus.BUSY),
        ({"eventType": "fromGmail"}, BusyStatus.BUSY),
        ({"eventType": "birthday", "transparency": "transparent"}, BusyStatus.FREE),
        ({"eventType": "outOfOffice"}, BusyStatus.OUT_OF_OFFICE),
        ({"eventType": "outOfOffice", "transparency": "transparent"}, BusyStatus.FREE),
        ({"eventType": "workingLocation", "transparency": "transparent"}, BusyStatus.WORKING_ELSEWHERE),
        ({"attendees": [{"self": True, "responseStatus": "declined"}]}, BusyStatus.FREE),
        ({"attendees": [{"self": True, "responseStatus": "tentative"}]}, BusyStatus.TENTATIVE),
        ({"attendees": [{"self": True, "responseStatus": "needsAction"}]}, BusyStatus.BUSY),
        ({"attendees": [{"self": True, "responseStatus": "accepted"}]}, BusyStatus.BUSY),
        ({"attendees": [{"responseStatus": "declined"}]}, BusyStatus.BUSY),
        ({"status": "tentative", "transparency": "transparent"}, BusyStatus.FREE),
    ],
)
def test_what_an_event_says_about_its_owners_time(fields: dict[str, Any], status: BusyStatus) -> None:
    (event,) = wire.page_events(_page(_item(**fields)))
    assert isinstance(event, EventTime)
    assert event.status is status


@pytest.mark.parametrize(
    ("zone", "first", "after_last", "start", "end"),
    [
        ("Europe/Berlin", "2026-01-10", "2026-01-11", "2026-01-09T23:00", "2026-01-10T23:00"),
        ("Europe/Berlin", "2026-03-29", "2026-03-30", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-26", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("Asia/Kathmandu", "2026-01-10", "2026-01-12", "2026-01-09T18:15", "2026-01-11T18:15"),
        ("Pacific/Kiritimati", "2026-01-10", "2026-01-11", "2026-01-09T10:00", "2026-01-10T10:00"),
        # There is no midnight: the clocks go from 00:00 to 01:00.
        ("Africa/Cairo", "2026-04-24", "2026-04-25", "2026-04-23T22:00", "2026-04-24T21:00"),
    ],
)
def test_a_whole_day_lasts_from_midnight_to_midnight_in_the_calendars_zone(
    zone: str, first: str, after_last: str, start: str, end: str
) -> None:
    (event,) = wire.page_events(_page(_item(start={"date": first}, end={"date": after_last}), zone=zone))
    assert isinstance(event, EventTime)
    assert (event.start, event.end) == (_minute(start), _minute(end))


def test_times_are_widened_to_whole_minutes() -> None:
    odd = _item(start={"dateTime": "2026-03-03T10:00:59+01:00"}, end={"dateTime": "2026-03-03T04:30:01-05:00"})
    (event,) = wire.page_events(_page(odd))
    assert isinstance(event, EventTime)
    assert (event.start, event.end) == (_minute("2026-03-03T09:00"), _minute("2026-03-03T09:31"))


def test_a_cancelled_event_is_removed_even_if_google_tells_nothing_but_its_id() -> None:
    series = {"id": "s_1", "status": "cancelled", "recurringEventId": "s"}
    assert wire.page_events(_page({"id": "e1", "status": "cancelled"}, series)) == [
        RemovedEvent("e1"),
        RemovedEvent("s_1"),
    ]
    assert wire.removed_from_series(_page({"id": "e1", "status": "cancelled"}, series)) == ["s"]


def test_whole_days_in_a_zone_nobody_knows_cannot_be_read() -> None:
    for zone in ("Mars/Olympus", "../etc/passwd", "", None):
        with pytest.raises(ProviderUnavailable):
            wire.page_events({"timeZone": zone, "items": []})


def test_a_booking_is_recognised_by_its_own_mark_only() -> None:
    mark = {"private": {"meetingsEvent": "e1", "meetingsBooking": "b1"}}
    own, copied = _item(extendedProperties=mark), _item(id="e2", extendedProperties=mark)
    shared = _item(extendedProperties={"shared": mark["private"]})
    events = wire.page_events(_page(own, copied, shared))
    assert [event.booking_key for event in events] == ["b1", None, None]


def test_calendars_come_in_googles_order_with_the_primary_first() -> None:
    entries = [
        {"id": "team", "summary": "Team", "accessRole": "writerWithoutPrivateAccess"},
        {"id": "nobody", "summary": "Nobody", "accessRole": "none"},
        {"id": "gone", "deleted": True},
        {
            "id": "ada@example.com",
            "summary": "ada@example.com",
            "summaryOverride": "Ada",
            "accessRole": "owner",
            "primary": True,
            "backgroundColor": "#9fe1e7",
            "timeZone": "Europe/Berlin",
        },
        {"id": "boss", "accessRole": "freeBusyReader"},
    ]
    assert wire.listed_calendars(entries) == (
        ListedCalendar("ada@example.com", "Ada", CalendarAccess.OWNER, True, "#9fe1e7", "Europe/Berlin"),
        ListedCalendar("team", "Team", CalendarAccess.WRITER),
        ListedCalendar("boss", "boss", CalendarAccess.FREE_BUSY),
    )


def test_silence_about_a_calendar_is_not_free() -> None:
    answer = {"calendars": {"open": {"busy": []}, "shut": {"errors": [{"reason": "notFound"}], "busy": []}}}
    assert wire.free_busy(answer, "open") == ()
    assert isinstance(wire.free_busy(answer, "shut"), CalendarUnreadable)
    assert isinstance(wire.free_busy(answer, "missing"), ProviderUnavailable)
    assert isinstance(wire.free_busy({}, "open"), ProviderUnavailable)


def test_what_is_busy_without_an_event_stays_busy() -> None:
    def event(start: int, end: int) -> EventTime:
        return EventTime(f"{start}", start, end, BusyStatus.BUSY)

    assert wire.unexplained([(0, 60)], [event(0, 60)]) == []
    assert wire.unexplained([(0, 60)], [event(0, 30), event(20, 90)]) == []
    left = wire.unexplained([(0, 60), (100, 160)], [event(10, 20), event(100, 130)])
    assert [(each.start, each.end, each.status) for each in left] == [
        (0, 10, BusyStatus.BUSY),
        (20, 60, BusyStatus.BUSY),
        (130, 160, BusyStatus.BUSY),
    ]
    assert len({each.event_id for each in left}) == 3


def test_only_blocking_events_inside_the_span_count() -> None:
    span = TimeSpan(datetime(2026, 3, 3, 9, tzinfo=UTC), datetime(2026, 3, 3, 10, tzinfo=UTC))
    before = _item(id="before", start={"dateTime": "2026-03-03T08:00:00Z"}, end={"dateTime": "2026-03-03T09:00:00Z"})
    pages = [_page(_item(), before, _item(id="free", transparency="transparent")), _page(_item(id="e2"))]
    assert [event.event_id for event in wire.blocking_events(pages, span)] == ["e1", "e2"]


def test_bounds_are_rounded_up_so_that_nothing_is_left_out() -> None:
    cet = timezone(timedelta(hours=1))
    assert wire.stamp(datetime(2026, 3, 3, 10, 0, 0, tzinfo=cet)) == "2026-03-03T09:00:00Z"
    assert wire.stamp(datetime(2026, 3, 3, 10, 0, 0, 1, tzinfo=cet)) == "2026-03-03T09:00:01Z"


def _call(headers: dict[str, str]) -> PushCall:
    return PushCall({name.lower(): value for name, value in headers.items()}, {}, b"")


def test_a_notification_names_the_channel_and_its_secret() -> None:
    headers = {
        "X-Goog-Channel-ID": "channel-1",
        "X-Goog-Channel-Token": "s3cret",
        "X-Goog-Resource-ID": "r1",
        "X-Goog-Resource-State": "exists",
        "X-Goog-Message-Number": "41",
    }
    told = wire.read_push(_call(headers))
    assert told == PushMessage((Notice("channel-1", "s3cret", News.CHANGED),))
    assert "s3cret" not in repr(told)
    greeting = wire.read_push(_call({**headers, "X-Goog-Resource-State": "sync", "X-Goog-Message-Number": "1"}))
    assert greeting == PushMessage((Notice("channel-1", "s3cret", News.GREETING),))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Goog-Channel-ID": "c"},
        {"X-Goog-Message-Number": "1"},
        {"X-Goog-Channel-ID": "c", "X-Goog-Message-Number": "²"},
    ],
)
def test_a_call_without_the_headers_is_no_notification(headers: dict[str, str]) -> None:
    assert wire.read_push(_call(headers)) is None


def test_a_channel_without_its_particulars_cannot_be_used() -> None:
    whole = {"id": "c", "resourceId": "r", "expiration": "1772438400000"}
    assert wire.channel(whole).expires_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    for missing in whole:
        with pytest.raises(ProviderUnavailable):
            wire.channel({name: value for name, value in whole.items() if name != missing})
