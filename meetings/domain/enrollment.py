"""A contact in a sequence: which mail is next and when, and what ended it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from meetings.domain.base import Aggregate, DomainError, DomainEvent
from meetings.domain.business_hours import BusinessHours
from meetings.domain.email import EmailState
from meetings.domain.identifiers import AccountId, EmailId, EmailThreadId, EnrollmentId, SequenceId, UserId
from meetings.domain.sequence import Sequence


class EnrollmentState(Enum):
    """How an enrolment stands. All but ACTIVE and PAUSED are ends."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    FINISHED = "FINISHED"
    ENDED_BY_REPLY = "ENDED_BY_REPLY"
    ENDED_BY_BOOKING = "ENDED_BY_BOOKING"
    ENDED_BY_UNSUBSCRIBE = "ENDED_BY_UNSUBSCRIBE"
    ENDED_BY_BOUNCE = "ENDED_BY_BOUNCE"
    CANCELLED = "CANCELLED"

    @property
    def open(self) -> bool:
        """Whether mails may still follow."""
        return self in (EnrollmentState.ACTIVE, EnrollmentState.PAUSED)


class PauseReason(Enum):
    """Why nothing is sent for now: its owner said so; nobody knows whether the last mail left, and its owner has to
    say (OB-7); the last mail did not leave; or there is no mailbox to send from."""

    OWNER = "OWNER"
    UNCERTAIN = "UNCERTAIN"
    NOT_SENT = "NOT_SENT"
    NO_MAILBOX = "NO_MAILBOX"


class AlreadyEnrolled(DomainError):
    """The contact is in this sequence, and has not come to its end."""


class Unsubscribed(DomainError):
    """The contact wants no more mails of sequences from this person."""


class EnrollmentEnded(DomainError):
    """The enrolment has ended; it cannot be paused or go on."""


@dataclass(frozen=True, kw_only=True)
class EnrollmentChange(DomainEvent):
    """Something happened to an enrolment."""

    enrollment_id: EnrollmentId
    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class ContactEnrolled(EnrollmentChange):
    """A contact came into a sequence; its first mail is due at a time of its own."""


@dataclass(frozen=True, kw_only=True)
class StepScheduled(EnrollmentChange):
    """Another mail is due, or the same one at another time."""


@dataclass(frozen=True, kw_only=True)
class EnrollmentPaused(EnrollmentChange):
    """Nothing is sent for now."""

    reason: PauseReason


@dataclass(frozen=True, kw_only=True)
class EnrollmentResumed(EnrollmentChange):
    """Its owner has it go on."""


@dataclass(frozen=True, kw_only=True)
class EnrollmentStopped(EnrollmentChange):
    """No mail follows any more."""

    state: EnrollmentState


@dataclass(kw_only=True, eq=False)
class Enrollment(Aggregate):
    """A contact in a sequence of `user_id`'s.

    `next_step` counts from 0 and is the step that is to be sent next; `next_send_at` is when, while PAUSED when it
    would have been, None while the mail before it is on its way or nobody knows of it. `email_id` is the mail of the
    last step, which may still be on its way. All its mails are of one conversation, `thread_id`, once the first one is
    written.
    """

    id: EnrollmentId
    sequence_id: SequenceId
    user_id: UserId
    contact: str
    contact_email: str
    enrolled_at: datetime
    state: EnrollmentState = EnrollmentState.ACTIVE
    next_step: int = 0
    next_send_at: datetime | None = None
    email_id: EmailId | None = None
    thread_id: EmailThreadId | None = None
    pause: PauseReason | None = None
    ended_at: datetime | None = None

    @classmethod
    def begin(
        cls,
        enrollment_id: EnrollmentId,
        *,
        account_id: AccountId,
        sequence: Sequence,
        contact: str,
        contact_email: str,
        hours: BusinessHours,
        now: datetime,
    ) -> "Enrollment":
        """Enrol a contact; the first mail leaves at the first business hour after its delay."""
        made = cls(
            id=enrollment_id,
            account_id=account_id,
            sequence_id=sequence.id,
            user_id=sequence.owner,
            contact=contact,
            contact_email=contact_email.casefold(),
            enrolled_at=now,
        )
        made.next_send_at = hours.after(sequence.steps[0].delay, now)
        made.record(ContactEnrolled(at=now, enrollment_id=made.id, user_id=made.user_id))
        return made

    def began_before(self, mail_at: datetime) -> bool:
        """Whether a mail came since: what somebody wrote before they were enrolled ends nothing. Providers tell whole
        seconds."""
        return self.enrolled_at.replace(microsecond=0) <= mail_at

    def is_due(self, *, now: datetime) -> bool:
        """Whether the next mail is to be written now."""
        return self.state is EnrollmentState.ACTIVE and self.next_send_at is not None and self.next_send_at <= now

    def postpone(self, at: datetime, *, now: datetime) -> None:
        """The next mail leaves later."""
        if self.state is EnrollmentState.ACTIVE and self.next_send_at is not None:
            self.next_send_at = at
            self._tell_scheduled(now)

    def sending(self, email_id: EmailId, thread_id: EmailThreadId) -> None:
        """The mail of the next step is written, and leaves with this very change: it is not written twice."""
        self.email_id, self.thread_id = email_id, thread_id
        self.next_step += 1
        self.next_send_at = None

    def follow(
        self, email_id: EmailId, state: EmailState, sequence: Sequence, *, hours: BusinessHours, now: datetime
    ) -> None:
        """Go on by what became of the mail that was on its way; what its owner paused stays so. News of an earlier mail
        changes nothing, unless it came back: then nothing reaches the contact."""
        if state is EmailState.BOUNCED:
            self.end(EnrollmentState.ENDED_BY_BOUNCE, now=now)
        elif email_id != self.email_id or self.next_send_at is not None or not self.state.open:
            return
        elif state is EmailState.SENT:
            if self.pause is not PauseReason.OWNER:  # it was found after all
                self.state, self.pause = EnrollmentState.ACTIVE, None
            self._schedule(sequence, hours, now)
        elif state is EmailState.UNCERTAIN and self.pause is not PauseReason.UNCERTAIN:
            self._pause(PauseReason.UNCERTAIN, now)
        elif state is EmailState.FAILED and self.pause is not PauseReason.NOT_SENT:
            self._pause(PauseReason.NOT_SENT, now)

    def hold(self, *, reason: PauseReason = PauseReason.OWNER, now: datetime) -> None:
        """Send nothing for now; a mail that is on its way arrives. Paused already, nothing changes.

        Raises:
            EnrollmentEnded: there is nothing to pause.
        """
        if not self.state.open:
            raise EnrollmentEnded
        if self.state is EnrollmentState.ACTIVE:
            self._pause(reason, now)

    def resume(self, sequence: Sequence, *, send_again: bool, hours: BusinessHours, now: datetime) -> None:
        """Go on. With `send_again`, a step that did not leave, or of which nobody knows, is sent once more, which only
        its owner may decide. One whose mail is still on its way waits for it. Active already, nothing changes.

        Raises:
            EnrollmentEnded: there is nothing to go on with.
        """
        if not self.state.open:
            raise EnrollmentEnded
        if self.state is EnrollmentState.ACTIVE:
            return
        why, self.pause = self.pause, None
        self.state = EnrollmentState.ACTIVE
        self.record(EnrollmentResumed(at=now, enrollment_id=self.id, user_id=self.user_id))
        if self.next_send_at is not None:
            self.next_send_at = hours.at_or_after(max(self.next_send_at, now))
            self._tell_scheduled(now)
        elif why in (PauseReason.UNCERTAIN, PauseReason.NOT_SENT):
            if send_again:
                self.next_step -= 1
                self.next_send_at = hours.at_or_after(now)
                self._tell_scheduled(now)
            else:
                self._schedule(sequence, hours, now)

    def end(self, state: EnrollmentState, *, now: datetime) -> None:
        """Send no more. What has ended stays ended as it did."""
        if self.state.open and not state.open:
            self.state = state
            self.next_send_at, self.pause, self.ended_at = None, None, now
            self.record(EnrollmentStopped(at=now, enrollment_id=self.id, user_id=self.user_id, state=state))

    def _schedule(self, sequence: Sequence, hours: BusinessHours, now: datetime) -> None:
        if self.next_step >= len(sequence.steps):
            self.end(EnrollmentState.FINISHED, now=now)
            return
        self.next_send_at = hours.after(sequence.steps[self.next_step].delay, now)
        self._tell_scheduled(now)

    def _pause(self, reason: PauseReason, now: datetime) -> None:
        self.state, self.pause = EnrollmentState.PAUSED, reason
        self.record(EnrollmentPaused(at=now, enrollment_id=self.id, user_id=self.user_id, reason=reason))

    def _tell_scheduled(self, now: datetime) -> None:
        self.record(StepScheduled(at=now, enrollment_id=self.id, user_id=self.user_id))
