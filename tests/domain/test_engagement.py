"""Meetings on a record that nobody booked: made there, or found in a calendar."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from meetings.domain.base import InvalidInput, Rule
from meetings.domain.engagement import (
    MOST_ATTENDEES,
    EngagementChanged,
    EngagementCreated,
    EngagementEvent,
    InvitationSettled,
    MeetingEngagement,
    MeetingOutcome,
    MeetingSource,
    MeetingText,
)
from meetings.domain.identifiers import EngagementId
from meetings.domain.timespan import TimeSpan
from tests.builders import NOW, START, account_id, calendar_id, user_id

HOUR = timedelta(hours=1)
SLOT = TimeSpan(START, START + HOUR)
VERA = "vera@visitors.example"


def on_record(**given: Any) -> MeetingEngagement:
    values: dict[str, Any] = {
        "account_id": account_id(),
        "owner": user_id(),
        "contacts": (VERA,),
        "text": MeetingText("Intro", "See you."),
        "slot": SLOT,
        "time_zone": "Europe/Berlin",
        "calendar_id": calendar_id(),
        "now": NOW,
    }
    return MeetingEngagement.on_record(EngagementId(uuid4()), **(values | given))


def in_calendar(**given: Any) -> MeetingEngagement:
    values: dict[str, Any] = {
        "account_id": account_id(),
        "owner": user_id(),
        "contacts": (VERA,),
        "text": MeetingText("Intro"),
        "slot": SLOT,
        "time_zone": "Europe/Berlin",
        "event": EngagementEvent(calendar_id(), "an event", "a uid"),
        "ical_uid": "a uid",
        "now": NOW,
    }
    return MeetingEngagement.in_calendar(EngagementId(uuid4()), **(values | given))


def kinds(engagement: MeetingEngagement) -> list[type]:
    return [type(event) for event in engagement.pull_events()]


def test_one_made_on_a_record_invites_from_the_calendar_it_was_given_and_from_none_without() -> None:
    """S19, S20."""
    made = on_record()
    assert (made.invites, made.source, made.outcome) == (True, MeetingSource.RECORD, MeetingOutcome.SCHEDULED)
    assert (made.owner, made.slot) == (made.owners[0], SLOT)
    assert kinds(made) == [EngagementCreated]
    assert not on_record(calendar_id=None).invites


def test_one_found_in_a_calendar_invites_nobody() -> None:
    found = in_calendar()
    assert (found.invites, found.source, found.ical_uid) == (False, MeetingSource.CALENDAR, "a uid")
    assert kinds(found) == [EngagementCreated]


def test_people_count_once_whatever_their_spelling() -> None:
    assert on_record(contacts=(VERA, " Vera@VISITORS.example ", "willi@visitors.example")).contacts == (
        VERA,
        "willi@visitors.example",
    )


@pytest.mark.parametrize(
    ("given", "path", "rule"),
    [
        ({"contacts": ()}, ("contacts",), Rule.REQUIRED),
        ({"contacts": ("nobody",)}, ("contacts", "0"), Rule.NOT_AN_EMAIL),
        ({"contacts": [f"v{n}@a.example" for n in range(MOST_ATTENDEES + 1)]}, ("contacts",), Rule.TOO_MANY),
        ({"text": MeetingText(" ")}, ("title",), Rule.REQUIRED),
        ({"text": MeetingText("x" * 251)}, ("title",), Rule.TOO_LONG),
        ({"text": MeetingText("Intro", "x" * 20_001)}, ("body",), Rule.TOO_LONG),
        ({"text": MeetingText("Intro", None, "x\x00")}, ("location",), Rule.CONTROL_CHARACTERS),
    ],
)
def test_what_a_meeting_cannot_say_is_refused(given: dict[str, Any], path: tuple[str, ...], rule: Rule) -> None:
    with pytest.raises(InvalidInput) as refused:
        on_record(**given)
    assert [(problem.path, problem.rule) for problem in refused.value.problems] == [(path, rule)]


def test_a_change_counts_and_the_same_again_does_not() -> None:
    made = on_record()
    made.pull_events()
    made.change(text=MeetingText("Other"), slot=TimeSpan(START + HOUR, START + 2 * HOUR), now=NOW)
    assert (made.sequence, made.text.title, made.start) == (1, "Other", START + HOUR)
    assert kinds(made) == [EngagementChanged]
    made.change(text=MeetingText("Other"), contacts=(VERA,), outcome=MeetingOutcome.SCHEDULED, now=NOW)
    assert (made.sequence, kinds(made)) == (1, [])


def test_what_a_calendar_says_of_its_own_event_is_changed_there_but_for_what_became_of_it() -> None:
    found = in_calendar()
    found.pull_events()
    for changes in ({"text": MeetingText("Other")}, {"slot": TimeSpan(START + HOUR, START + 2 * HOUR)}):
        with pytest.raises(InvalidInput) as refused:
            found.change(**changes, now=NOW)
        assert [problem.rule for problem in refused.value.problems] == [Rule.CANNOT_CHANGE]
    found.change(outcome=MeetingOutcome.NO_SHOW, contacts=(VERA, "willi@visitors.example"), now=NOW)
    assert (found.outcome, len(found.contacts)) == (MeetingOutcome.NO_SHOW, 2)
    assert kinds(found) == [EngagementChanged]


def test_an_event_that_was_written_is_news_once_and_gives_its_name() -> None:
    made = on_record()
    made.pull_events()
    event = EngagementEvent(calendar_id(), "an event", "a uid", "https://calendar.example.com/1")
    made.settle(event, now=NOW)
    assert (made.event, made.ical_uid, made.settled_at) == (event, "a uid", NOW)
    assert kinds(made) == [InvitationSettled]
    made.settle(event, now=NOW + HOUR)
    assert (made.settled_at, kinds(made)) == (NOW + HOUR, [])


def test_an_event_that_is_gone_makes_place_for_another_one() -> None:
    made = on_record()
    made.settle(EngagementEvent(calendar_id(), "an event"), now=NOW)
    made.vanish(now=NOW)
    made.start_over()
    assert (made.event, made.generation, made.takes_place) == (None, 1, False)
    made.pull_events()
    made.vanish(now=NOW)
    assert kinds(made) == []
    made.change(outcome=MeetingOutcome.SCHEDULED, now=NOW)
    assert made.takes_place


def test_following_a_calendar_adds_people_and_never_takes_any_off() -> None:
    """A-CR2, B-CR1."""
    found, colleague = in_calendar(), user_id()
    found.pull_events()
    moved = TimeSpan(START + HOUR, START + 2 * HOUR)
    found.follow(owner=colleague, contacts=("willi@visitors.example",), text=MeetingText("Other"), slot=moved, now=NOW)
    assert found.owners[1:] == (colleague,)
    assert found.contacts == (VERA, "willi@visitors.example")
    assert (found.slot, found.outcome) == (moved, MeetingOutcome.RESCHEDULED)
    assert kinds(found) == [EngagementChanged]
    found.follow(owner=colleague, contacts=(), text=MeetingText("Other"), slot=moved, now=NOW)
    assert kinds(found) == []
