"""Questions about sequences, answered by plain queries."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, select, tuple_

from meetings.application.ports.reads import Slice
from meetings.domain.enrollment import Enrollment, EnrollmentState
from meetings.domain.identifiers import AccountId, EnrollmentId, SequenceId, UserId
from meetings.domain.sequence import Sequence as MailSequence
from meetings.infrastructure.database.cursors import cursor_at, position_of
from meetings.infrastructure.database.sequences import enrollment_from, sequence_from
from meetings.infrastructure.database.tables import enrollments, sequences
from meetings.infrastructure.database.transaction import AnyRow, execute
from meetings.infrastructure.database.unit_of_work import Database

Query = Select[*tuple[Any, ...]]


class SqlSequenceReads:
    """See the port. Each answer is one statement in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_owner(self, account_id: AccountId, user_id: UserId, *, archived: bool) -> list[MailSequence]:
        column = sequences.c
        those = column.archived_at.is_not(None) if archived else column.archived_at.is_(None)
        query = select(sequences).where(column.account_id == account_id, column.owner_id == user_id, those)
        return [sequence_from(row) for row in await self._rows(query.order_by(column.created_at, column.id))]

    async def sequences_by_id(
        self, account_id: AccountId, ids: Collection[SequenceId]
    ) -> dict[SequenceId, MailSequence]:
        query = select(sequences).where(sequences.c.account_id == account_id, sequences.c.id.in_(ids))
        return {sequence.id: sequence for sequence in map(sequence_from, await self._rows(query))}

    async def enrollments_by_id(
        self, account_id: AccountId, ids: Collection[EnrollmentId]
    ) -> dict[EnrollmentId, Enrollment]:
        query = select(enrollments).where(enrollments.c.account_id == account_id, enrollments.c.id.in_(ids))
        return {enrollment.id: enrollment for enrollment in map(enrollment_from, await self._rows(query))}

    async def enrollments(
        self,
        account_id: AccountId,
        *,
        user: UserId,
        sequence: SequenceId | None,
        contact: str | None,
        states: Collection[EnrollmentState],
        first: int,
        after: str | None,
    ) -> Slice[Enrollment]:
        column = enrollments.c
        query = select(enrollments).where(column.account_id == account_id, column.user_id == user)
        if sequence is not None:
            query = query.where(column.sequence_id == sequence)
        if contact is not None:
            query = query.where(column.contact == contact)
        if states:
            query = query.where(column.state.in_([state.value for state in states]))
        if after is not None:
            query = query.where(tuple_(column.enrolled_at, column.id) < tuple_(*position_of(after)))
        rows = await self._rows(query.order_by(column.enrolled_at.desc(), column.id.desc()).limit(first + 1))
        found = [enrollment_from(row) for row in rows[:first]]
        return Slice([(cursor_at(each.enrolled_at, each.id), each) for each in found], len(rows) > first)

    async def _rows(self, query: Query) -> Sequence[AnyRow]:
        async with self._database.snapshot() as connection:
            return (await execute(connection, query)).all()
