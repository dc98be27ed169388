"""Sequences and who is in them, as a unit of work gets and saves them."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from meetings.domain.enrollment import Enrollment
from meetings.domain.identifiers import BookingId, EmailThreadId, EnrollmentId, SequenceId, UserId
from meetings.domain.sequence import Sequence


class Sequences(Protocol):
    async def get(self, sequence_id: SequenceId) -> Sequence:
        """Raises `NotFound`."""

    async def of_owner(self, user_id: UserId, *, archived: bool = False) -> list[Sequence]:
        """A person's sequences, oldest first; archived ones only if asked for."""

    def add(self, sequence: Sequence) -> None: ...


class Enrollments(Protocol):
    async def get(self, enrollment_id: EnrollmentId) -> Enrollment:
        """Raises `NotFound`."""

    async def open_of_contacts(self, sequence_id: SequenceId, emails: Collection[str]) -> dict[str, Enrollment]:
        """The open enrolments in a sequence of people with these addresses, by address in lower case."""

    async def open_of(self, email: str) -> list[Enrollment]:
        """The open enrolments of a person with this address, whoever's the sequences are."""

    async def open_with(self, user_id: UserId, email: str) -> list[Enrollment]:
        """The open enrolments of a person with this address in sequences of one of ours."""

    async def unwritten_with(self, user_id: UserId, emails: Collection[str]) -> list[Enrollment]:
        """The open enrolments of these addresses in sequences of one of ours of which no mail was written yet."""

    async def open_at_domain(self, user_id: UserId, domain: str) -> list[Enrollment]:
        """The open enrolments, in sequences of one of ours that end by company, of people with addresses there."""

    async def open_by_thread(self, thread_id: EmailThreadId) -> list[Enrollment]:
        """The open enrolments whose mails are of this conversation."""

    async def by_booking(self, booking_id: BookingId) -> Enrollment | None:
        """The enrolment in whose mails the link stood by which something was booked, last by this booking."""

    def add(self, enrollment: Enrollment) -> None:
        """`commit` raises `AlreadyEnrolled` when the person is in the sequence and not at its end."""

    async def opted_out(self, emails: Collection[str]) -> set[str]:
        """Which of these want no mails of sequences from anybody of the account, in lower case."""

    async def opt_out(self, email: str, *, at: datetime) -> None:
        """Somebody wants no more. A second call changes nothing."""

    async def opt_in(self, email: str) -> None:
        """Somebody told a person of ours that they want them again. Nobody known is fine."""
