"""An enrolment through any history: workers, mail servers, its owner and the contact, in any order (OB-7, A-IN4)."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from meetings.domain.email import EmailState
from meetings.domain.enrollment import Enrollment, EnrollmentEnded, EnrollmentState, PauseReason, StepScheduled
from meetings.domain.identifiers import EmailId, EmailThreadId
from meetings.domain.period import Period
from tests.domain.test_enrollment import BERLIN, HOURS, a_sequence, begin

ENDS = [state for state in EnrollmentState if not state.open]
START = datetime(2026, 10, 22, 8, 30, tzinfo=BERLIN)
"""A Thursday; clocks go back on Sunday."""
delays = st.builds(Period, st.integers(0, 6), st.integers(0, 2000))


class EnrollmentMachine(RuleBasedStateMachine):
    """`sent` counts the mails that were written for each step, `allowed` those the owner asked for once more."""

    @initialize(steps=st.lists(delays, min_size=1, max_size=4))
    def begin(self, steps: list[Period]) -> None:
        self.now = START
        self.sequence = a_sequence(*steps)
        self.enrollment: Enrollment = begin(self.sequence, now=START)
        self.sent: Counter[int] = Counter()
        self.allowed: Counter[int] = Counter()
        self.mails: dict[EmailId, EmailState] = {}
        self.ended_with: int | None = None

    @rule(minutes=st.sampled_from([1, 60, 600, 1440, 5000]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def wait_for_the_next_one(self) -> None:
        due = self.enrollment.next_send_at
        if due is not None:
            self.now = max(self.now, due)

    @rule()
    def worker_comes(self) -> None:
        """It writes the mail that is due, within business hours, if there is still such a step."""
        if not self.enrollment.is_due(now=self.now):
            return
        opens = HOURS.at_or_after(self.now)
        if opens - self.now > timedelta(minutes=5):
            self.enrollment.postpone(opens, now=self.now)
            return
        if self.enrollment.next_step >= len(self.sequence.steps):
            self.enrollment.end(EnrollmentState.FINISHED, now=self.now)
            return
        assert self.enrollment.state is EnrollmentState.ACTIVE
        self.sent[self.enrollment.next_step] += 1
        email = EmailId(uuid4())
        self.mails[email] = EmailState.QUEUED
        self.enrollment.sending(email, EmailThreadId(self.enrollment.id))

    @precondition(lambda self: self.mails)
    @rule(data=st.data(), became=st.sampled_from([EmailState.SENT, EmailState.UNCERTAIN, EmailState.FAILED]))
    def something_becomes_of_a_mail(self, data: st.DataObject, became: EmailState) -> None:
        email = data.draw(st.sampled_from(list(self.mails)))
        if self.mails[email] in (EmailState.QUEUED, EmailState.UNCERTAIN):
            self.mails[email] = became
        self.news(email)

    @precondition(lambda self: self.mails)
    @rule(data=st.data())
    def news_comes_again(self, data: st.DataObject) -> None:
        self.news(data.draw(st.sampled_from(list(self.mails))))

    @precondition(lambda self: self.mails)
    @rule(data=st.data())
    def a_mail_comes_back(self, data: st.DataObject) -> None:
        email = data.draw(st.sampled_from(list(self.mails)))
        self.mails[email] = EmailState.BOUNCED
        self.news(email)
        assert not self.enrollment.state.open

    def news(self, email: EmailId) -> None:
        self.enrollment.follow(email, self.mails[email], self.sequence, hours=HOURS, now=self.now)

    @rule(reason=st.sampled_from([PauseReason.OWNER, PauseReason.NO_MAILBOX]))
    def hold(self, reason: PauseReason) -> None:
        # a worker finds no mailbox only when there is something to send
        if reason is PauseReason.OWNER or self.enrollment.is_due(now=self.now):
            try:
                self.enrollment.hold(reason=reason, now=self.now)
            except EnrollmentEnded:
                assert not self.enrollment.state.open

    @rule(again=st.booleans())
    def resume(self, again: bool) -> None:
        before = self.enrollment.next_step
        try:
            self.enrollment.resume(self.sequence, send_again=again, hours=HOURS, now=self.now)
        except EnrollmentEnded:
            assert not self.enrollment.state.open
            return
        assert self.enrollment.state is not EnrollmentState.PAUSED
        if self.enrollment.next_step != before:
            assert again
            self.allowed[self.enrollment.next_step] += 1

    @rule(count=st.integers(1, 4))
    def the_owner_takes_steps_out(self, count: int) -> None:
        self.sequence.change(now=self.now, steps=self.sequence.steps[:count])

    @precondition(lambda self: self.enrollment.next_step > 0)
    @rule(state=st.sampled_from(ENDS))
    def something_ends_it(self, state: EnrollmentState) -> None:
        self.enrollment.end(state, now=self.now)
        assert not self.enrollment.state.open

    @invariant()
    def no_step_is_sent_twice_unless_its_owner_said_so(self) -> None:
        for step, count in self.sent.items():
            assert count <= 1 + self.allowed[step]

    @invariant()
    def nothing_is_sent_after_an_end(self) -> None:
        if self.enrollment.state.open:
            assert self.enrollment.ended_at is None
            assert self.ended_with is None, "it is open again"
        else:
            if self.ended_with is None:
                self.ended_with = self.sent.total()
            assert self.sent.total() == self.ended_with
            assert (self.enrollment.next_send_at, self.enrollment.pause) == (None, None)

    @invariant()
    def a_mail_is_planned_in_business_hours_and_not_for_the_past(self) -> None:
        due = self.enrollment.next_send_at
        if due is not None:
            local = due.astimezone(ZoneInfo("Europe/Berlin"))
            assert local.weekday() < 5
            assert 9 <= local.hour < 17
        planned = [event.at for event in self.enrollment.pull_events() if isinstance(event, StepScheduled)]
        assert due is None or all(at <= due for at in planned)

    @invariant()
    def it_is_paused_for_a_reason_and_nothing_uncertain_is_passed_over(self) -> None:
        assert (self.enrollment.pause is None) == (self.enrollment.state is not EnrollmentState.PAUSED)
        last = self.mails.get(self.enrollment.email_id) if self.enrollment.email_id else None
        if last is EmailState.QUEUED and self.enrollment.state.open:
            assert self.enrollment.next_send_at is None, "another mail is planned while one is on its way"
        if last in (EmailState.UNCERTAIN, EmailState.FAILED) and self.enrollment.next_send_at is None:
            told = (PauseReason.UNCERTAIN, PauseReason.NOT_SENT)
            assert self.enrollment.pause in told or not self.enrollment.state.open


TestEnrollment = EnrollmentMachine.TestCase
TestEnrollment.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
