"""What bookings and meetings lose when a person is forgotten, and what they keep."""

from datetime import timedelta
from uuid import uuid4

from meetings.domain.booking import BookingPersonErased, BookingState
from meetings.domain.engagement import EngagementEvent, EngagementPersonErased, MeetingEngagement, MeetingText
from meetings.domain.erasure import ERASED_EMAIL, ERASED_TITLE
from meetings.domain.identifiers import EngagementId
from meetings.domain.timespan import TimeSpan
from tests.builders import NOW, START, a_booking, a_page, account_id, an_invitee, calendar_id, user_id

SLOT = TimeSpan(START, START + timedelta(minutes=30))


def test_a_booking_loses_its_invitee_once_and_keeps_its_time() -> None:
    booking = a_booking(a_page(), invitee=an_invitee(email="Grace@example.org"), guests=("ada@example.org",))
    before = (booking.start, booking.end, booking.hosts, booking.state)
    booking.forget("stranger@example.org", now=NOW)
    assert not booking.erased
    booking.forget(" grace@EXAMPLE.org", now=NOW)
    booking.forget("grace@example.org", now=NOW)
    booking.forget(ERASED_EMAIL, now=NOW)
    assert booking.erased
    assert (booking.invitee.name, booking.title, booking.guests) == ("", ERASED_TITLE, ())
    assert (booking.start, booking.end, booking.hosts, booking.state) == before
    assert [type(event) for event in booking.pull_events()] == [BookingPersonErased]


def test_only_what_takes_time_or_waits_for_an_answer_is_ahead() -> None:
    for state in BookingState:
        booking = a_booking(a_page(), state=state, start=START, end=SLOT.end)
        waits = state in (BookingState.REQUESTED, BookingState.PENDING, BookingState.CONFIRMED)
        assert booking.is_ahead(now=START - timedelta(minutes=1)) is waits
        assert not booking.is_ahead(now=SLOT.end)


def test_a_meeting_without_contacts_takes_no_words_over_from_its_event() -> None:
    owner, calendar = user_id(), calendar_id()
    meeting = MeetingEngagement.in_calendar(
        EngagementId(uuid4()),
        account_id=account_id(),
        owner=owner,
        contacts=("grace@example.org",),
        text=MeetingText("Lunch with Grace"),
        slot=SLOT,
        time_zone="Europe/Berlin",
        event=EngagementEvent(calendar, "e1", "uid", None, None),
        ical_uid="uid",
        now=NOW,
    )
    meeting.pull_events()
    meeting.forget("GRACE@example.org", now=NOW)
    meeting.forget("grace@example.org", now=NOW)
    assert [type(event) for event in meeting.pull_events()] == [EngagementPersonErased]
    later = TimeSpan(SLOT.start + timedelta(days=1), SLOT.end + timedelta(days=1))
    meeting.follow(owner=owner, contacts=(), text=MeetingText("Lunch with Grace"), slot=later, now=NOW)
    assert (meeting.text, meeting.start) == (MeetingText(ERASED_TITLE), later.start)
