"""The event of a booking: what is sent, what is recognised, when nothing has to change (PW-2)."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from meetings.adapters.office365 import booking_event
from meetings.adapters.office365.booking_event import KEY_PROPERTY, STATE_PROPERTY
from meetings.application.ports.calendars import Attendee, EventKey
from tests.contracts.calendars.wishes import VISITOR, a_wish
from tests.contracts.calendars.world import at

GUS = Attendee("Gus Guest", "gus@visitors.example")
MEETING = (
    '<div style="width:100%"><span style="color:gray">________________________________________</span></div>'
    '<div class="me-email-text"><a href="https://teams.microsoft.com/l/meetup-join/1">Join</a></div></body></html>'
)


def _stored(wish: Any, **other: Any) -> dict[str, Any]:
    """The event as Graph would hold it after `new_event`."""
    body = booking_event.new_event(wish)
    return {
        **body,
        "id": "event-1",
        "start": {"dateTime": f"{wish.start:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"},
        "end": {"dateTime": f"{wish.end:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"},
        "isOrganizer": True,
        **other,
    }


def _online(wish: Any) -> dict[str, Any]:
    content = f"<html><body>\r\n<div>Agenda: coffee.</div>\r\n<br>\r\n{MEETING}"
    join = {"joinUrl": "https://teams.microsoft.com/l/meetup-join/1"}
    return _stored(wish, isOnlineMeeting=True, onlineMeeting=join, body={"contentType": "html", "content": content})


def test_one_key_has_one_transaction_and_it_is_a_uuid_of_version_5() -> None:
    keys = [
        EventKey("b", "h", 0),
        EventKey("b", "h", 1),
        EventKey("b", "h2", 0),
        EventKey("b2", "h", 0),
        EventKey("b", "2h", 0),
    ]
    made = [booking_event.transaction_id(key) for key in keys]
    assert len(set(made)) == len(keys)
    assert {UUID(each).version for each in made} == {5}
    assert booking_event.transaction_id(EventKey("b", "h", 0)) == made[0]


def test_a_value_of_a_key_is_made_safe_for_a_filter() -> None:
    value = booking_event.carries(EventKey("it's/ü", "h'1", 3))
    assert value.endswith("and ep/value eq 'it%27s%2F%C3%BC/h%271/3')")


def test_a_new_event_says_all_that_is_wished() -> None:
    body = booking_event.new_event(a_wish(conference=True))
    assert body["start"] == {"dateTime": "2026-03-04T09:00:00", "timeZone": "America/New_York"}
    assert body["end"] == {"dateTime": "2026-03-04T09:30:00", "timeZone": "America/New_York"}
    assert body["body"] == {"contentType": "text", "content": a_wish().description}
    assert body["attendees"] == [{"emailAddress": {"address": VISITOR.email, "name": VISITOR.name}, "type": "required"}]
    assert (body["isOnlineMeeting"], body["onlineMeetingProvider"], body["showAs"]) == (
        True,
        "teamsForBusiness",
        "busy",
    )
    assert body["location"] == {"displayName": "Café Central, Wien"}
    assert {each["id"] for each in body["singleValueExtendedProperties"]} == {KEY_PROPERTY, STATE_PROPERTY}
    assert "isOnlineMeeting" not in booking_event.new_event(a_wish())


def test_the_hour_that_comes_twice_is_told_in_utc() -> None:
    """In New York 01:30 is 05:30 UTC and 06:30 UTC on 1 November 2026."""
    for hour in (5, 6):
        wish = a_wish(start=datetime(2026, 11, 1, hour, 30, tzinfo=UTC), end=datetime(2026, 11, 1, 8, tzinfo=UTC))
        body = booking_event.new_event(wish)
        assert body["start"] == {"dateTime": f"2026-11-01T0{hour}:30:00", "timeZone": "UTC"}
        assert body["end"] == {"dateTime": "2026-11-01T03:00:00", "timeZone": "America/New_York"}


def test_a_server_that_does_not_know_the_zone_gets_utc() -> None:
    body = booking_event.new_event(a_wish(), in_utc=True)
    assert body["start"] == {"dateTime": "2026-03-04T14:00:00", "timeZone": "UTC"}


def test_what_stands_as_wished_is_not_changed() -> None:
    assert booking_event.change(a_wish(), _stored(a_wish())) is None


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Tea"},
        {"location": None},
        {"time_zone": "Asia/Kathmandu"},
        {"description": "x"},
        {"attendees": (VISITOR, GUS)},
        {"start": at(4, 15), "end": at(4, 16)},
        {"conference": True},
        {"sequence": 1},
    ],
)
def test_each_difference_is_seen(other: dict[str, Any]) -> None:
    assert booking_event.change(a_wish(**other), _stored(a_wish())) is not None


def test_an_older_wish_changes_nothing_whatever_stands_there() -> None:
    newer = _stored(a_wish(sequence=5, start=at(9, 9), end=at(9, 10)))
    assert booking_event.change(a_wish(sequence=4), newer) is None


@pytest.mark.parametrize("state", ["", "{", "[]", "5", '{"sequence": "x", "invited": []}', '{"sequence": 9}'])
def test_a_state_that_cannot_be_read_is_written_anew(state: str) -> None:
    existing = _stored(a_wish())
    existing["singleValueExtendedProperties"] = [{"id": STATE_PROPERTY, "value": state}]
    patch = booking_event.change(a_wish(), existing)
    assert patch is not None
    assert patch["subject"] == a_wish().title


def test_guests_whom_the_host_added_stay_and_those_we_invited_before_go() -> None:
    before = a_wish(attendees=(VISITOR, GUS))
    existing = _stored(before)
    colleague = {"emailAddress": {"address": "Colleague@example.com", "name": "C"}, "type": "optional"}
    existing["attendees"] = [*existing["attendees"], {**colleague, "status": {"response": "accepted"}}]
    patch = booking_event.change(replace(before, attendees=(VISITOR,), sequence=1), existing)
    assert patch is not None
    assert patch["attendees"] == [
        {"emailAddress": {"address": VISITOR.email, "name": VISITOR.name}, "type": "required"},
        colleague,
    ]


def test_an_unchanged_text_is_not_sent_again() -> None:
    patch = booking_event.change(a_wish(sequence=1, title="Tea"), _stored(a_wish()))
    assert patch is not None
    assert "body" not in patch


def test_a_new_text_leaves_the_part_about_the_online_meeting_where_it_is() -> None:
    before = a_wish(conference=True)
    patch = booking_event.change(replace(before, description="1 < 2\nnew", sequence=1), _online(before))
    assert patch is not None
    assert patch["body"] == {
        "contentType": "html",
        "content": f"<html><body><div>1 &lt; 2<br>\nnew</div><br>\n{MEETING}",
    }
    assert "isOnlineMeeting" not in patch


def test_a_text_whose_meeting_part_cannot_be_told_apart_stays() -> None:
    before = a_wish(conference=True)
    existing = _online(before) | {"body": {"contentType": "html", "content": "<html>Join at 5</html>"}}
    patch = booking_event.change(replace(before, description="new", sequence=1), existing)
    assert patch is not None
    assert "body" not in patch


def test_an_online_meeting_that_is_not_wished_any_more_loses_its_part_of_the_text() -> None:
    before = a_wish(conference=True)
    patch = booking_event.change(replace(before, conference=False, sequence=1), _online(before))
    assert patch is not None
    assert patch["body"] == {"contentType": "text", "content": before.description}


def test_an_online_meeting_that_the_host_made_stays() -> None:
    existing = _online(a_wish()) | {"singleValueExtendedProperties": _stored(a_wish())["singleValueExtendedProperties"]}
    patch = booking_event.change(a_wish(description="new", sequence=1), existing)
    assert patch is not None
    assert patch["body"]["content"].endswith(MEETING)


def test_a_link_is_told_only_when_it_was_wished_for() -> None:
    existing = {**_online(a_wish()), "webLink": "https://outlook.example/1"}
    assert booking_event.written(existing, a_wish()).join_url is None
    told = booking_event.written(existing, a_wish(conference=True))
    assert (told.event_id, told.url, told.join_url) == (
        "event-1",
        "https://outlook.example/1",
        "https://teams.microsoft.com/l/meetup-join/1",
    )


def test_of_an_event_and_its_copies_the_first_is_taken() -> None:
    wish = a_wish()
    original = _stored(wish, createdDateTime="2026-03-02T08:00:00Z")
    by_hand = {**original, "id": "copy", "transactionId": None, "createdDateTime": "2026-03-02T09:00:00Z"}
    by_an_app = {**original, "id": "other", "transactionId": "x", "createdDateTime": "2026-03-01T09:00:00Z"}
    of_a_guest = {**original, "id": "guest", "isOrganizer": False, "createdDateTime": "2026-03-01T09:00:00Z"}
    found = booking_event.best([by_hand, by_an_app, of_a_guest, original], wish.key)
    assert found is not None
    assert found["id"] == "event-1"
    assert booking_event.best([by_an_app, of_a_guest], wish.key) is None
    assert booking_event.best([original], replace(wish.key, generation=1)) is None


@pytest.mark.parametrize(
    ("transaction", "maybe"),
    [
        (booking_event.transaction_id(EventKey("b", "h", 0)), True),
        ("7E1C9C29-8E1F-4F54-9C0E-0B5A0C3A2F11", False),
        ("localevent:1", False),
        (None, False),
    ],
)
def test_most_events_of_others_are_told_from_ours_by_their_transaction(transaction: str | None, maybe: bool) -> None:
    assert booking_event.may_be_ours({"transactionId": transaction, "isOrganizer": True}) is maybe
    assert not booking_event.may_be_ours({"transactionId": transaction, "isOrganizer": False})


def test_no_address_of_a_guest_is_kept_in_the_state() -> None:
    text = json.dumps(booking_event.new_event(a_wish())["singleValueExtendedProperties"])
    assert VISITOR.email not in text
    assert VISITOR.name not in text
