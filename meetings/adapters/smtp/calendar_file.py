"""A meeting as an iCalendar file (RFC 5545), for a mail or a download.

The file says METHOD:PUBLISH, not REQUEST. The calendar provider already sends the one invitation that can be answered;
a second REQUEST would offer a second set of Accept and Decline buttons whose answers nobody reads. RFC 5546 3.2.1 fits:
a published event needs an organizer, names no attendees, is updated by another PUBLISH with a higher SEQUENCE and is
taken back by CANCEL, which does name the attendees it is taken from (3.2.5).

Times are UTC: for a single event that is exact, needs no VTIMEZONE and shows in the reader's own zone everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from icalendar import Calendar, Event, vCalAddress

from meetings.adapters.smtp.addresses import address_of
from meetings.adapters.smtp.free_text import header_text, one_line, shown_name, web_link
from meetings.application.free_text import plain
from meetings.application.ports.mail import Correspondent


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """What a calendar file says. `start` and `end` are aware, half-open; `uid` stays and `sequence` grows with changes.

    `attendees` are named only in a cancellation. Text may hold anything: control characters are left out, the rest is
    escaped.
    """

    uid: str
    sequence: int
    title: str
    start: datetime
    end: datetime
    organizer: Correspondent
    attendees: Sequence[Correspondent] = ()
    description: str | None = None
    location: str | None = None
    url: str | None = None
    cancelled: bool = False

    @property
    def method(self) -> str:
        """The iTIP method; a mail repeats it in the attachment's content type (RFC 6047 2.4)."""
        return "CANCEL" if self.cancelled else "PUBLISH"


def calendar_file(entry: CalendarEntry, *, written_at: datetime) -> bytes:
    """The file's bytes: UTF-8, CRLF, folded. `written_at` (aware) becomes DTSTAMP.

    Raises:
        UnsafeLetter: a control character in `uid` or a name, an address that is none, or a `url` that is not http(s).
    """
    calendar = Calendar()
    calendar.add("prodid", "-//meetings//meetings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", entry.method)
    event = Event()
    event.add("uid", header_text(entry.uid, field="uid"))
    event.add("sequence", entry.sequence)
    event.add("dtstamp", written_at.astimezone(UTC))
    event.add("dtstart", entry.start.astimezone(UTC))
    event.add("dtend", entry.end.astimezone(UTC))
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("summary", one_line(plain(entry.title)))
    event.add("organizer", _mailbox(entry.organizer, field="organizer"))
    for attendee in entry.attendees if entry.cancelled else ():
        event.add("attendee", _mailbox(attendee, field="attendee"))
    if entry.description:
        event.add("description", plain(entry.description))
    if entry.location:
        event.add("location", one_line(plain(entry.location)))
    if entry.url:
        event.add("url", web_link(entry.url, field="url"))
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _mailbox(person: Correspondent, *, field: str) -> vCalAddress:
    address = address_of(person.email, name=shown_name(person.name, field=f"{field}.name"), field=field)
    mailbox = vCalAddress("mailto:" + quote(address.addr_spec, safe="@!$'*+/=^`{|}~"))
    if address.display_name:
        # A backslash means nothing in a parameter (RFC 5545 3.2), yet parsers take one before the end for an escape.
        mailbox.params["CN"] = address.display_name.replace("\\", "/")
    return mailbox
