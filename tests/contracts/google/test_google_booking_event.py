"""The event of a booking: its id, and whether it has to change."""

import re
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from meetings.adapters.google import booking_event
from meetings.application.ports.calendars import Attendee, EventKey
from tests.contracts.calendars.wishes import a_wish
from tests.contracts.calendars.world import at
from tests.contracts.google.discovery import schema_problems

keys = st.builds(EventKey, st.text(), st.text(), st.integers(min_value=0))


@given(keys)
def test_an_id_is_made_of_the_letters_google_allows(key: EventKey) -> None:
    assert re.fullmatch("[a-v0-9]{5,1024}", booking_event.event_id(key))


@given(keys, keys)
def test_the_same_key_has_the_same_id_and_another_key_another(one: EventKey, other: EventKey) -> None:
    same = EventKey(one.booking, one.host, one.generation)
    assert booking_event.event_id(one) == booking_event.event_id(same)
    assert (booking_event.event_id(one) == booking_event.event_id(other)) is (one == other)


def test_a_new_event_is_one_that_google_describes() -> None:
    body = booking_event.new_event(a_wish(conference=True, location=None))
    assert schema_problems("Event", body) == []
    assert "location" not in body


def test_times_are_told_with_the_bookings_zone() -> None:
    body = booking_event.new_event(a_wish(time_zone="America/New_York"))
    assert body["start"] == {"dateTime": "2026-03-04T14:00:00Z", "timeZone": "America/New_York"}


def test_nothing_changes_when_the_event_stands_as_wished() -> None:
    wish = a_wish(conference=True)
    assert booking_event.change(wish, _stored(booking_event.new_event(wish))) is None


def test_tidied_up_texts_are_no_reason_to_write_and_mail_again() -> None:
    wish = a_wish()
    stored = {**_stored(booking_event.new_event(wish)), "summary": "Coffee", "description": "Agenda"}
    assert booking_event.change(wish, stored) is None


def test_each_part_of_the_wish_is_a_reason_to_write() -> None:
    wish = a_wish()
    stored = _stored(booking_event.new_event(wish))
    changes: list[dict[str, Any]] = [
        {"title": "coffee with vera"},
        {"description": "Other"},
        {"location": None},
        {"time_zone": "Europe/Berlin"},
        {"start": at(4, 13)},
        {"end": at(4, 15)},
        {"attendees": ()},
        {"conference": True},
        {"sequence": 1},
    ]
    assert [change for change in changes if booking_event.change(replace(wish, **change), stored) is None] == []


def test_an_older_wish_is_no_reason_to_write() -> None:
    stored = _stored(booking_event.new_event(a_wish(sequence=10)))
    assert booking_event.change(a_wish(sequence=9, title="Old"), stored) is None


def test_a_mark_that_cannot_be_read_is_written_anew() -> None:
    wish = a_wish()
    stored = _stored(booking_event.new_event(wish))
    stored["extendedProperties"]["private"]["meetingsState"] = "²:damaged"
    assert booking_event.change(wish, stored) is not None


def test_answers_of_guests_stay_and_those_we_wish_no_more_go() -> None:
    anna, ben = Attendee("Anna", "anna@example.com"), Attendee("Ben", "Ben@Example.com")
    stored = _stored(booking_event.new_event(a_wish(attendees=(anna, ben))))
    stored["attendees"] = [
        {"email": "anna@example.com", "displayName": "Anna", "responseStatus": "accepted"},
        {"email": "ben@example.com", "displayName": "Ben", "responseStatus": "declined"},
        {"email": "by.hand@example.com", "responseStatus": "tentative"},
    ]
    patch = booking_event.change(a_wish(attendees=(anna,), sequence=1), stored)
    assert patch is not None
    assert patch["attendees"] == [
        {"email": "anna@example.com", "displayName": "Anna", "responseStatus": "accepted"},
        {"email": "by.hand@example.com", "responseStatus": "tentative"},
    ]


def test_an_event_made_a_whole_day_by_hand_gets_its_time_back() -> None:
    wish = a_wish()
    stored = {**_stored(booking_event.new_event(wish)), "start": {"date": "2026-03-04"}, "end": {"date": "2026-03-05"}}
    patch = booking_event.change(wish, stored)
    assert patch is not None
    assert patch["start"] == {"dateTime": "2026-03-04T14:00:00Z", "timeZone": wish.time_zone, "date": None}


def test_a_link_that_the_host_added_is_not_taken_away() -> None:
    wish = a_wish()
    by_hand = {"createRequest": {"requestId": "theirs"}, "entryPoints": []}
    stored = {**_stored(booking_event.new_event(wish)), "conferenceData": by_hand}
    patch = booking_event.change(replace(wish, sequence=1), stored)
    assert patch is not None
    assert "conferenceData" not in patch


def test_the_link_of_a_phone_conference_is_none_to_join_by_video() -> None:
    phone = {"entryPoints": [{"entryPointType": "phone", "uri": "tel:+1"}]}
    assert booking_event.written({"id": "e1", "conferenceData": phone}).join_url is None
    assert booking_event.written({"id": "e1", "hangoutLink": "https://meet"}).join_url == "https://meet"


def _stored(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "status": "confirmed", "etag": '"1"'}


def test_what_looks_like_markup_in_a_description_is_shown_as_it_is() -> None:
    body = booking_event.new_event(a_wish(description='Booked by: Ivo <ivo@example.org>\n<a href="x">y</a> & z'))
    assert body["description"] == ('Booked by: Ivo &lt;ivo@example.org&gt;\n&lt;a href="x"&gt;y&lt;/a&gt; &amp; z')
