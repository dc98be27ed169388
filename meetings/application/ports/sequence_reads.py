"""Questions about sequences and who is in them, answered without loading what is not shown."""

from collections.abc import Collection
from typing import Protocol

from meetings.application.ports.reads import Slice
from meetings.domain.enrollment import Enrollment, EnrollmentState
from meetings.domain.identifiers import AccountId, EnrollmentId, SequenceId, UserId
from meetings.domain.sequence import Sequence


class SequenceReads(Protocol):
    async def of_owner(self, account_id: AccountId, user_id: UserId, *, archived: bool) -> list[Sequence]:
        """A person's sequences that are, or are not, archived; oldest first."""

    async def sequences_by_id(
        self, account_id: AccountId, ids: Collection[SequenceId]
    ) -> dict[SequenceId, Sequence]: ...

    async def enrollments_by_id(
        self, account_id: AccountId, ids: Collection[EnrollmentId]
    ) -> dict[EnrollmentId, Enrollment]: ...

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
        """Who is in a person's sequences, those enrolled last first; in any of these states, or in whatever state.

        Raises:
            BadCursor: `after` is none of this list's.
        """
