"""Sequences and who is in them, as a unit of work gets and saves them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from meetings.domain.base import NotFound
from meetings.domain.enrollment import AlreadyEnrolled, Enrollment, EnrollmentState, PauseReason
from meetings.domain.identifiers import BookingId, EmailId, EmailThreadId, EnrollmentId, SequenceId, UserId
from meetings.domain.period import Period
from meetings.domain.sequence import Sequence, SequenceStep
from meetings.infrastructure.database.engines import broken_constraint
from meetings.infrastructure.database.mapping import email_key
from meetings.infrastructure.database.tables import enrollments, mail_opt_outs, meeting_links, sequences
from meetings.infrastructure.database.transaction import AnyRow, Image, Transaction

_SEQUENCES = select(sequences).where(sequences.c.account_id == bindparam("account"))
SEQUENCE_BY_ID = _SEQUENCES.where(sequences.c.id == bindparam("id"))
SEQUENCES_OF_OWNER = _SEQUENCES.where(sequences.c.owner_id == bindparam("owner")).order_by(
    sequences.c.created_at, sequences.c.id
)
_ENROLLMENTS = select(enrollments).where(enrollments.c.account_id == bindparam("account"))
_OPEN = _ENROLLMENTS.where(enrollments.c.ended_at.is_(None)).order_by(enrollments.c.enrolled_at, enrollments.c.id)
BY_ID = _ENROLLMENTS.where(enrollments.c.id == bindparam("id"))
OPEN_OF_CONTACTS = _OPEN.where(
    enrollments.c.sequence_id == bindparam("sequence"),
    enrollments.c.contact_email.in_(bindparam("emails", expanding=True)),
)
OPEN_OF = _OPEN.where(enrollments.c.contact_email == bindparam("email"))
OPEN_WITH = _OPEN.where(enrollments.c.user_id == bindparam("user"), enrollments.c.contact_email == bindparam("email"))
UNWRITTEN_WITH = _OPEN.where(
    enrollments.c.user_id == bindparam("user"),
    enrollments.c.contact_email.in_(bindparam("emails", expanding=True)),
    enrollments.c.thread_id.is_(None),
)
OPEN_AT_DOMAIN = _OPEN.join(sequences, sequences.c.id == enrollments.c.sequence_id).where(
    enrollments.c.user_id == bindparam("user"),
    enrollments.c.contact_domain == bindparam("domain"),
    sequences.c.ends_by_company,
)
OPEN_BY_THREAD = _OPEN.where(enrollments.c.thread_id == bindparam("thread"))
BY_BOOKING = _ENROLLMENTS.join(meeting_links, meeting_links.c.enrollment_id == enrollments.c.id).where(
    meeting_links.c.booking_id == bindparam("booking")
)
OPTED_OUT = select(mail_opt_outs.c.email_key).where(
    mail_opt_outs.c.account_id == bindparam("account"),
    mail_opt_outs.c.email_key.in_(bindparam("emails", expanding=True)),
)


def sequence_from(row: AnyRow) -> Sequence:
    return Sequence(
        id=SequenceId(row.id),
        account_id=row.account_id,
        version=row.version,
        owner=UserId(row.owner_id),
        name=row.name,
        steps=tuple(_step_from(stored) for stored in row.steps),
        created_at=row.created_at,
        updated_at=row.updated_at,
        ends_by_company=row.ends_by_company,
        archived_at=row.archived_at,
    )


def sequence_row(sequence: Sequence) -> dict[str, Any]:
    return {
        "id": sequence.id,
        "account_id": sequence.account_id,
        "owner_id": sequence.owner,
        "name": sequence.name,
        "steps": [_step_to(step) for step in sequence.steps],
        "created_at": sequence.created_at,
        "updated_at": sequence.updated_at,
        "ends_by_company": sequence.ends_by_company,
        "archived_at": sequence.archived_at,
    }


def _step_to(step: SequenceStep) -> dict[str, Any]:
    return {
        "delay": {"days": step.delay.days, "minutes": step.delay.minutes},
        "subject": step.subject,
        "body_markdown": step.body_markdown,
        "include_meeting_link": step.include_meeting_link,
    }


def _step_from(stored: dict[str, Any]) -> SequenceStep:
    return SequenceStep(
        delay=Period(stored["delay"]["days"], stored["delay"]["minutes"]),
        subject=stored["subject"],
        body_markdown=stored["body_markdown"],
        include_meeting_link=stored["include_meeting_link"],
    )


def enrollment_from(row: AnyRow) -> Enrollment:
    return Enrollment(
        id=EnrollmentId(row.id),
        account_id=row.account_id,
        version=row.version,
        sequence_id=SequenceId(row.sequence_id),
        user_id=UserId(row.user_id),
        contact=row.contact,
        contact_email=row.contact_email,
        enrolled_at=row.enrolled_at,
        state=EnrollmentState(row.state),
        next_step=row.next_step,
        next_send_at=row.next_send_at,
        email_id=None if row.email_id is None else EmailId(row.email_id),
        thread_id=None if row.thread_id is None else EmailThreadId(row.thread_id),
        pause=None if row.pause is None else PauseReason(row.pause),
        ended_at=row.ended_at,
    )


def enrollment_row(enrollment: Enrollment) -> dict[str, Any]:
    return {
        "id": enrollment.id,
        "account_id": enrollment.account_id,
        "sequence_id": enrollment.sequence_id,
        "user_id": enrollment.user_id,
        "contact": enrollment.contact,
        "contact_email": enrollment.contact_email,
        "contact_domain": enrollment.contact_email.rpartition("@")[2],
        "enrolled_at": enrollment.enrolled_at,
        "state": enrollment.state.value,
        "next_step": enrollment.next_step,
        "next_send_at": enrollment.next_send_at,
        "email_id": enrollment.email_id,
        "thread_id": enrollment.thread_id,
        "pause": enrollment.pause.value if enrollment.pause else None,
        "ended_at": enrollment.ended_at,
    }


class SqlSequences:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, sequence_id: SequenceId) -> Sequence:
        known = self._transaction.known(Sequence, sequence_id)
        if known is not None:
            return known
        for found in await self._all(SEQUENCE_BY_ID, id=sequence_id):
            return found
        raise NotFound("sequence")

    async def of_owner(self, user_id: UserId, *, archived: bool = False) -> list[Sequence]:
        found = await self._all(SEQUENCES_OF_OWNER, owner=user_id)
        return [sequence for sequence in found if archived or sequence.archived_at is None]

    def add(self, sequence: Sequence) -> None:
        self._transaction.added(sequence)

    async def save(self, sequence: Sequence, before: Image | None, after: Image) -> None:
        """Raises `ConcurrentChange` when somebody else saved it since."""
        await self._transaction.save(sequences, sequence.version, before, after)

    async def _all(self, query: Select[*tuple[Any, ...]], **values: object) -> list[Sequence]:
        rows = await self._transaction.rows(query, {"account": self._transaction.account_id, **values})
        return [self._transaction.loaded(sequence_from(row), sequence_row) for row in rows]


class SqlEnrollments:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, enrollment_id: EnrollmentId) -> Enrollment:
        known = self._transaction.known(Enrollment, enrollment_id)
        if known is not None:
            return known
        for found in await self._all(BY_ID, id=enrollment_id):
            return found
        raise NotFound("enrolment")

    async def open_of_contacts(self, sequence_id: SequenceId, emails: Collection[str]) -> dict[str, Enrollment]:
        wanted = [email.casefold() for email in emails]
        found = await self._all(OPEN_OF_CONTACTS, sequence=sequence_id, emails=wanted) if wanted else []
        return {enrollment.contact_email: enrollment for enrollment in found}

    async def open_of(self, email: str) -> list[Enrollment]:
        return await self._all(OPEN_OF, email=email.casefold())

    async def open_with(self, user_id: UserId, email: str) -> list[Enrollment]:
        return await self._all(OPEN_WITH, user=user_id, email=email.casefold())

    async def unwritten_with(self, user_id: UserId, emails: Collection[str]) -> list[Enrollment]:
        if not emails:
            return []
        return await self._all(UNWRITTEN_WITH, user=user_id, emails=[email.casefold() for email in emails])

    async def open_at_domain(self, user_id: UserId, domain: str) -> list[Enrollment]:
        return await self._all(OPEN_AT_DOMAIN, user=user_id, domain=domain.casefold())

    async def open_by_thread(self, thread_id: EmailThreadId) -> list[Enrollment]:
        return await self._all(OPEN_BY_THREAD, thread=thread_id)

    async def by_booking(self, booking_id: BookingId) -> Enrollment | None:
        return next(iter(await self._all(BY_BOOKING, booking=booking_id)), None)

    def add(self, enrollment: Enrollment) -> None:
        self._transaction.added(enrollment)

    async def opted_out(self, emails: Collection[str]) -> set[str]:
        keys = {email_key(email): email.casefold() for email in emails}
        values = {"account": self._transaction.account_id, "emails": list(keys)}
        rows = await self._transaction.rows(OPTED_OUT, values) if keys else []
        return {keys[row.email_key] for row in rows}

    async def opt_out(self, email: str, *, at: datetime) -> None:
        values = {"account_id": self._transaction.account_id, "email_key": email_key(email), "at": at}
        await self._transaction.run(self._transaction.insert(mail_opt_outs).values(values).on_conflict_do_nothing())

    async def opt_in(self, email: str) -> None:
        mine = (
            mail_opt_outs.c.account_id == self._transaction.account_id,
            mail_opt_outs.c.email_key == email_key(email),
        )
        await self._transaction.run(delete(mail_opt_outs).where(*mine))

    async def save(self, enrollment: Enrollment, before: Image | None, after: Image) -> None:
        """Write an enrolment down.

        Raises:
            ConcurrentChange: somebody else did since.
            AlreadyEnrolled: the person is in the sequence, and not at its end.
        """
        try:
            await self._transaction.save(enrollments, enrollment.version, before, after)
        except IntegrityError as error:
            taken = ("enrollments_open_idx", "enrollments.sequence_id, enrollments.contact_email")
            if broken_constraint(error) in taken:
                raise AlreadyEnrolled from error
            raise

    async def _all(self, query: Select[*tuple[Any, ...]], **values: object) -> list[Enrollment]:
        rows = await self._transaction.rows(query, {"account": self._transaction.account_id, **values})
        return [self._transaction.loaded(enrollment_from(row), enrollment_row) for row in rows]
