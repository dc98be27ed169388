"""The calendar file, read back by a parser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from icalendar import Calendar

from meetings.adapters.smtp.calendar_file import CalendarEntry, calendar_file
from meetings.adapters.smtp.mailer import SmtpMailer
from meetings.application.ports.mail import Correspondent, MeetingNews, UnsafeLetter
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.contracts.smtp.injections import INJECTIONS
from tests.contracts.smtp.letters import START, WRITTEN_AT, a_letter

ENTRY = CalendarEntry(
    uid="booking-1@meetings.test",
    sequence=2,
    title="Intro call; with Anna, and more",
    start=START,
    end=START + timedelta(minutes=30),
    organizer=Correspondent("Anna Höst", "anna@host.test"),
    attendees=(Correspondent("Vera Visitor", "vera@visitor.test"), Correspondent("", "gus@visitor.test")),
    description="Line one\nLine \\two\\; three, four",
    location="12 Main Street, Springfield",
    url="https://meetings.test/b/token-1",
)


def parsed(file: bytes) -> tuple[Calendar, Any]:
    """The calendar and its one event; untyped, as a property may be of any type."""
    calendar = Calendar.from_ical(file)
    (event,) = calendar.subcomponents
    return calendar, event


def test_a_meeting_comes_back_as_it_was_written() -> None:
    calendar, event = parsed(calendar_file(ENTRY, written_at=WRITTEN_AT))
    assert {name: str(value) for name, value in calendar.property_items(recursive=False)} == {
        "BEGIN": "b'VCALENDAR'",
        "VERSION": "2.0",
        "PRODID": "-//meetings//meetings//EN",
        "METHOD": "PUBLISH",
        "END": "b'VCALENDAR'",
    }
    assert event["UID"] == "booking-1@meetings.test"
    assert event["SEQUENCE"] == 2
    assert event["DTSTAMP"].dt == WRITTEN_AT
    assert event["DTSTART"].dt == START
    assert event["DTEND"].dt == START + timedelta(minutes=30)
    assert event["STATUS"] == "CONFIRMED"
    assert event["SUMMARY"] == ENTRY.title
    assert event["DESCRIPTION"] == ENTRY.description
    assert event["LOCATION"] == ENTRY.location
    assert event["URL"] == ENTRY.url
    assert event["ORGANIZER"] == "mailto:anna@host.test"
    assert event["ORGANIZER"].params["CN"] == "Anna Höst"
    assert "ATTENDEE" not in event  # RFC 5546 3.2.1: not in a published event


def test_times_are_written_in_utc_whatever_zone_they_come_in() -> None:
    in_tokyo = timezone(timedelta(hours=9))
    entry = replace(ENTRY, start=ENTRY.start.astimezone(in_tokyo), end=ENTRY.end.astimezone(in_tokyo))
    lines = calendar_file(entry, written_at=WRITTEN_AT.astimezone(in_tokyo)).split(b"\r\n")
    assert {b"DTSTART:20260303T150000Z", b"DTEND:20260303T153000Z", b"DTSTAMP:20260301T120000Z"} <= set(lines)


def test_a_cancellation_names_whom_it_is_taken_from() -> None:
    calendar, event = parsed(calendar_file(replace(ENTRY, cancelled=True), written_at=WRITTEN_AT))
    assert calendar["METHOD"] == "CANCEL"
    assert event["STATUS"] == "CANCELLED"
    assert [str(attendee) for attendee in event["ATTENDEE"]] == ["mailto:vera@visitor.test", "mailto:gus@visitor.test"]
    assert event["ATTENDEE"][0].params["CN"] == "Vera Visitor"


def test_lines_are_folded_at_75_octets_and_end_with_crlf() -> None:
    file = calendar_file(replace(ENTRY, description="Grüße aus Zürich 🎉 " * 50), written_at=WRITTEN_AT)
    lines = file.split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= 75
    assert not [line for line in lines if b"\r" in line or b"\n" in line]
    assert parsed(file)[1]["DESCRIPTION"] == ("Grüße aus Zürich 🎉 " * 50)


async def test_confirmation_move_and_cancellation_speak_of_one_event_with_a_growing_sequence(
    mailer: SmtpMailer, catcher: MailCatcher
) -> None:
    new_start = datetime(2026, 3, 31, 14, tzinfo=UTC)
    await mailer.send(a_letter())
    await mailer.send(a_letter(news=MeetingNews.MOVED, start=new_start, previous_start=START, sequence=1))
    await mailer.send(a_letter(news=MeetingNews.CANCELLED, start=new_start, sequence=2))
    files = [parsed(mail.calendar or b"") for mail in catcher.mails]
    assert [
        (calendar["METHOD"], event["UID"], event["SEQUENCE"], event["DTSTART"].dt) for calendar, event in files
    ] == [
        ("PUBLISH", "booking-1@meetings.test", 0, START),
        ("PUBLISH", "booking-1@meetings.test", 1, new_start),
        ("CANCEL", "booking-1@meetings.test", 2, new_start),
    ]
    (attachment,) = catcher.mails[-1].message.iter_attachments()
    assert attachment["Content-Type"].params["method"] == "CANCEL"  # RFC 6047 2.4: the same as inside


async def test_the_file_of_a_letter_leads_to_the_meeting(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    await mailer.send(a_letter(join_url="https://meet.example/abc", description="About your plans"))
    _, event = parsed(catcher.mails[-1].calendar or b"")
    assert event["LOCATION"] == "https://meet.example/abc"
    assert event["DESCRIPTION"] == "About your plans\n\nhttps://meet.example/abc"
    assert event["URL"] == "https://meetings.test/b/token-1"


PROPERTIES = {
    "SUMMARY",
    "DTSTART",
    "DTEND",
    "DTSTAMP",
    "UID",
    "SEQUENCE",
    "DESCRIPTION",
    "LOCATION",
    "ORGANIZER",
    "ATTENDEE",
    "STATUS",
    "URL",
}


@pytest.mark.parametrize("field", ["title", "description", "location"])
def test_no_text_adds_a_property_a_parameter_or_a_component(field: str) -> None:
    """IN-6."""
    for payload in INJECTIONS:
        text: Any = {field: payload}
        entry = replace(ENTRY, cancelled=True, **text)
        _, event = parsed(calendar_file(entry, written_at=WRITTEN_AT))
        assert set(event) <= PROPERTIES, payload
        assert event.subcomponents == [], payload
        assert event.errors == [], payload
        assert len(event["ATTENDEE"]) == 2, payload
        assert event["UID"] == ENTRY.uid, payload


def test_names_and_addresses_add_nothing_or_are_refused() -> None:
    """IN-6."""
    refused = 0
    for payload in INJECTIONS:
        for person in (Correspondent(payload, "anna@host.test"), Correspondent("Anna", payload)):
            entry = replace(ENTRY, cancelled=True, organizer=person, attendees=(person,))
            try:
                file = calendar_file(entry, written_at=WRITTEN_AT)
            except UnsafeLetter:
                refused += 1
                continue
            _, event = parsed(file)
            assert set(event) <= PROPERTIES, payload
            assert set(event["ORGANIZER"].params) <= {"CN"}, payload
            assert str(event["ORGANIZER"]) == f"mailto:{person.email}", payload
            assert str(event["ATTENDEE"]) == f"mailto:{person.email}", payload
    assert refused > len(INJECTIONS)  # every address, and each name with a control character


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a.test/\r\nX-EVIL:1", "https://", "//a.test"])
def test_a_link_that_is_no_web_link_is_refused(url: str) -> None:
    with pytest.raises(UnsafeLetter, match="url"):
        calendar_file(replace(ENTRY, url=url), written_at=WRITTEN_AT)
