"""A contact in a sequence: which mail is next and when, what holds it and what ends it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from meetings.domain.business_hours import BusinessHours
from meetings.domain.email import EmailState
from meetings.domain.enrollment import (
    ContactEnrolled,
    Enrollment,
    EnrollmentEnded,
    EnrollmentPaused,
    EnrollmentResumed,
    EnrollmentState,
    EnrollmentStopped,
    PauseReason,
    StepScheduled,
)
from meetings.domain.identifiers import EmailId, EmailThreadId, EnrollmentId, SequenceId
from meetings.domain.period import Period
from meetings.domain.sequence import Sequence, SequenceStep
from meetings.domain.user import UserSettings
from tests.builders import account_id, user_id

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = BusinessHours.of(UserSettings("Europe/Berlin"))
MONDAY = datetime(2026, 11, 2, 10, tzinfo=BERLIN)
FRIDAY_NIGHT = datetime(2026, 11, 6, 22, tzinfo=BERLIN)
LATER = MONDAY + timedelta(minutes=1)
ENDS = [state for state in EnrollmentState if not state.open]
THREAD = EmailThreadId(uuid4())


def a_sequence(*delays: Period) -> Sequence:
    steps = [SequenceStep(delay, "Hello", "Shall we meet?") for delay in delays or (Period(), Period(days=2))]
    return Sequence.create(
        SequenceId(uuid4()),
        account_id=account_id(),
        owner=user_id(),
        name="New people",
        steps=steps,
        ends_by_company=False,
        now=MONDAY,
    )


def begin(sequence: Sequence, *, now: datetime = MONDAY) -> Enrollment:
    return Enrollment.begin(
        EnrollmentId(uuid4()),
        account_id=sequence.account_id,
        sequence=sequence,
        contact="a contact",
        contact_email="Vera@Visitors.example",
        hours=HOURS,
        now=now,
    )


def on_its_way(sequence: Sequence) -> tuple[Enrollment, EmailId]:
    """The first mail is written."""
    enrollment, email = begin(sequence), EmailId(uuid4())
    enrollment.sending(email, THREAD)
    enrollment.pull_events()
    return enrollment, email


def follow(enrollment: Enrollment, email: EmailId, state: EmailState, sequence: Sequence, **given: Any) -> None:
    enrollment.follow(email, state, sequence, hours=HOURS, **{"now": LATER, **given})


def told(enrollment: Enrollment) -> list[type]:
    return [type(event) for event in enrollment.pull_events()]


@pytest.mark.parametrize(
    ("now", "delay", "due"),
    [
        (MONDAY, Period(), MONDAY),
        (MONDAY, Period(days=1), MONDAY + timedelta(days=1)),
        (MONDAY, Period(days=5), MONDAY + timedelta(days=7, hours=-1)),
        (FRIDAY_NIGHT, Period(), datetime(2026, 11, 9, 9, tzinfo=BERLIN)),
    ],
)
def test_the_first_mail_is_due_at_the_first_business_hour_after_its_delay(
    now: datetime, delay: Period, due: datetime
) -> None:
    sequence = a_sequence(delay)
    made = begin(sequence, now=now)
    assert (made.state, made.next_step, made.next_send_at) == (EnrollmentState.ACTIVE, 0, due)
    assert (made.user_id, made.contact_email) == (sequence.owner, "vera@visitors.example")
    assert told(made) == [ContactEnrolled]


def test_a_mail_is_due_from_its_minute_on_and_not_when_paused() -> None:
    made = begin(a_sequence())
    assert not made.is_due(now=MONDAY - timedelta(seconds=1))
    assert made.is_due(now=MONDAY)
    assert made.is_due(now=LATER)
    made.hold(now=MONDAY)
    assert not made.is_due(now=LATER)


def test_a_mail_that_is_written_is_not_due_again() -> None:
    enrollment, email = on_its_way(a_sequence())
    assert not enrollment.is_due(now=MONDAY + timedelta(days=30))
    assert (enrollment.next_step, enrollment.email_id, enrollment.thread_id) == (1, email, THREAD)


def test_the_next_one_follows_its_delay_after_the_last_one_left() -> None:
    sequence = a_sequence()
    enrollment, email = on_its_way(sequence)
    follow(enrollment, email, EmailState.SENT, sequence)
    assert enrollment.next_send_at == LATER + timedelta(days=2)
    assert told(enrollment) == [StepScheduled]
    follow(enrollment, email, EmailState.SENT, sequence, now=LATER + timedelta(hours=1))
    assert enrollment.next_send_at == LATER + timedelta(days=2)
    assert told(enrollment) == []


def test_after_the_last_one_it_is_finished() -> None:
    sequence = a_sequence(Period())
    enrollment, email = on_its_way(sequence)
    follow(enrollment, email, EmailState.SENT, sequence)
    assert (enrollment.state, enrollment.ended_at) == (EnrollmentState.FINISHED, LATER)
    assert told(enrollment) == [EnrollmentStopped]


def test_steps_that_were_taken_out_meanwhile_are_not_waited_for() -> None:
    sequence = a_sequence()
    enrollment, email = on_its_way(sequence)
    sequence.change(now=LATER, steps=sequence.steps[:1])
    follow(enrollment, email, EmailState.SENT, sequence)
    assert enrollment.state is EnrollmentState.FINISHED


@pytest.mark.parametrize(
    ("became", "reason"), [(EmailState.UNCERTAIN, PauseReason.UNCERTAIN), (EmailState.FAILED, PauseReason.NOT_SENT)]
)
def test_what_may_not_have_left_waits_for_its_owner(became: EmailState, reason: PauseReason) -> None:
    """OB-7."""
    sequence = a_sequence()
    enrollment, email = on_its_way(sequence)
    for _ in range(2):
        follow(enrollment, email, became, sequence)
    assert (enrollment.state, enrollment.pause) == (EnrollmentState.PAUSED, reason)
    assert told(enrollment) == [EnrollmentPaused]
    enrollment.resume(sequence, send_again=True, hours=HOURS, now=LATER)
    assert (enrollment.next_step, enrollment.next_send_at) == (0, LATER)
    assert told(enrollment) == [EnrollmentResumed, StepScheduled]


@pytest.mark.parametrize("became", [EmailState.UNCERTAIN, EmailState.FAILED])
def test_going_on_without_sending_again_leaves_the_step_out(became: EmailState) -> None:
    sequence = a_sequence()
    enrollment, email = on_its_way(sequence)
    follow(enrollment, email, became, sequence)
    enrollment.resume(sequence, send_again=False, hours=HOURS, now=LATER)
    assert (enrollment.next_step, enrollment.next_send_at) == (1, LATER + timedelta(days=2))


def test_a_mail_that_is_found_after_all_lets_it_go_on() -> None:
    sequence = a_sequence()
    enrollment, email = on_its_way(sequence)
    follow(enrollment, email, EmailState.UNCERTAIN, sequence)
    follow(enrollment, email, EmailState.SENT, sequence)
    assert (enrollment.state, enrollment.pause, enrollment.next_step) == (EnrollmentState.ACTIVE, None, 1)


@pytest.mark.parametrize("became", [EmailState.UNCERTAIN, EmailState.FAILED])
def test_what_becomes_of_a_mail_while_its_owner_paused_is_known_when_they_go_on(became: EmailState) -> None:
    """OB-7: a pause hides no mail of which nobody knows."""
    sequence = a_sequence()
    enrollment, email = on_its_way(sequence)
    enrollment.hold(now=LATER)
    follow(enrollment, email, became, sequence)
    assert enrollment.state is EnrollmentState.PAUSED
    assert enrollment.pause is not PauseReason.OWNER


def test_a_mail_that_leaves_while_its_owner_paused_is_followed_by_the_next_once_they_go_on() -> None:
    sequence = a_sequence()
    enrollment, email = on_its_way(sequence)
    enrollment.hold(now=LATER)
    follow(enrollment, email, EmailState.SENT, sequence)
    assert (enrollment.state, enrollment.pause) == (EnrollmentState.PAUSED, PauseReason.OWNER)
    assert not enrollment.is_due(now=LATER + timedelta(days=30))
    enrollment.resume(sequence, send_again=True, hours=HOURS, now=LATER)
    assert (enrollment.next_step, enrollment.next_send_at) == (1, LATER + timedelta(days=2))


def test_going_on_while_a_mail_is_on_its_way_waits_for_it() -> None:
    sequence = a_sequence()
    enrollment, email = on_its_way(sequence)
    enrollment.hold(now=LATER)
    enrollment.resume(sequence, send_again=True, hours=HOURS, now=LATER)
    assert (enrollment.state, enrollment.next_step, enrollment.next_send_at) == (EnrollmentState.ACTIVE, 1, None)
    follow(enrollment, email, EmailState.UNCERTAIN, sequence)
    assert enrollment.pause is PauseReason.UNCERTAIN


def test_a_step_that_could_not_be_written_is_what_is_tried_again_and_not_the_one_before() -> None:
    sequence = a_sequence()
    enrollment, email = on_its_way(sequence)
    follow(enrollment, email, EmailState.SENT, sequence)
    enrollment.hold(reason=PauseReason.NOT_SENT, now=LATER + timedelta(days=2))
    enrollment.resume(sequence, send_again=True, hours=HOURS, now=LATER + timedelta(days=2))
    assert enrollment.next_step == 1


def test_paused_for_long_it_goes_on_at_the_next_business_hour() -> None:
    sequence = a_sequence()
    enrollment = begin(sequence)
    enrollment.hold(now=MONDAY)
    enrollment.resume(sequence, send_again=False, hours=HOURS, now=FRIDAY_NIGHT)
    assert enrollment.next_send_at == datetime(2026, 11, 9, 9, tzinfo=BERLIN)


def test_paused_or_resumed_twice_nothing_changes() -> None:
    sequence = a_sequence()
    enrollment = begin(sequence)
    enrollment.pull_events()
    for reason in (PauseReason.OWNER, PauseReason.NO_MAILBOX):
        enrollment.hold(reason=reason, now=MONDAY)
    assert enrollment.pause is PauseReason.OWNER
    for _ in range(2):
        enrollment.resume(sequence, send_again=False, hours=HOURS, now=MONDAY)
    assert told(enrollment) == [EnrollmentPaused, EnrollmentResumed, StepScheduled]


def test_a_mail_that_is_put_off_is_due_then() -> None:
    enrollment = begin(a_sequence())
    enrollment.postpone(MONDAY + timedelta(days=1), now=MONDAY)
    assert enrollment.next_send_at == MONDAY + timedelta(days=1)
    sent, _ = on_its_way(a_sequence())
    sent.postpone(MONDAY + timedelta(days=1), now=MONDAY)
    assert sent.next_send_at is None


def test_news_of_an_earlier_mail_changes_nothing_unless_it_came_back() -> None:
    sequence = a_sequence()
    enrollment, earlier = on_its_way(sequence)
    follow(enrollment, earlier, EmailState.SENT, sequence)
    enrollment.sending(EmailId(uuid4()), THREAD)
    for state in (EmailState.SENT, EmailState.UNCERTAIN, EmailState.FAILED):
        follow(enrollment, earlier, state, sequence)
        assert (enrollment.state, enrollment.next_send_at) == (EnrollmentState.ACTIVE, None)
    follow(enrollment, earlier, EmailState.BOUNCED, sequence)
    assert enrollment.state is EnrollmentState.ENDED_BY_BOUNCE


@pytest.mark.parametrize("end", ENDS)
def test_what_has_ended_stays_as_it_ended(end: EnrollmentState) -> None:
    sequence = a_sequence()
    enrollment, email = on_its_way(sequence)
    enrollment.end(end, now=LATER)
    for other in ENDS:
        enrollment.end(other, now=LATER + timedelta(days=1))
    for state in EmailState:
        follow(enrollment, email, state, sequence)
    assert (enrollment.state, enrollment.ended_at, enrollment.next_send_at) == (end, LATER, None)
    assert told(enrollment) == [EnrollmentStopped]
    with pytest.raises(EnrollmentEnded):
        enrollment.hold(now=LATER)
    with pytest.raises(EnrollmentEnded):
        enrollment.resume(sequence, send_again=True, hours=HOURS, now=LATER)


@pytest.mark.parametrize("state", [EnrollmentState.ACTIVE, EnrollmentState.PAUSED])
def test_nothing_ends_by_being_open(state: EnrollmentState) -> None:
    enrollment = begin(a_sequence())
    enrollment.end(state, now=LATER)
    assert (enrollment.state, enrollment.ended_at) == (EnrollmentState.ACTIVE, None)
