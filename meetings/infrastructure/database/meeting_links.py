"""Links to pages, as a unit of work finds, keeps and uses them up."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, or_, select, update

from meetings.application.ports.unit_of_work import LinkSpent, MeetingLink
from meetings.domain.identifiers import BookingId, EnrollmentId, PageId, UserId
from meetings.infrastructure.database.tables import meeting_links
from meetings.infrastructure.database.transaction import Transaction


class SqlMeetingLinks:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def find(self, link_id: UUID) -> MeetingLink | None:
        mine = (meeting_links.c.account_id == self._transaction.account_id, meeting_links.c.id == link_id)
        for row in await self._transaction.rows(select(meeting_links).where(*mine)):
            return MeetingLink(
                id=row.id,
                page_id=PageId(row.page_id),
                prefill={key: tuple(values) for key, values in row.prefill.items()},
                duration_minutes=row.duration_minutes,
                single_use=row.single_use,
                expires_at=row.expires_at,
                used_at=row.used_at,
                enrollment_id=None if row.enrollment_id is None else EnrollmentId(row.enrollment_id),
            )
        return None

    async def add(self, link: MeetingLink, *, created_by: UserId, now: datetime) -> None:
        values = {
            "id": link.id,
            "account_id": self._transaction.account_id,
            "page_id": link.page_id,
            "created_by": created_by,
            "created_at": now,
            "prefill": {key: list(values) for key, values in link.prefill.items()},
            "duration_minutes": link.duration_minutes,
            "single_use": link.single_use,
            "expires_at": link.expires_at,
            "enrollment_id": link.enrollment_id,
        }
        await self._transaction.run(insert(meeting_links), values)

    async def use(self, link_id: UUID, booking_id: BookingId, *, now: datetime) -> None:
        table = meeting_links.c
        usable = (
            table.account_id == self._transaction.account_id,
            table.id == link_id,
            or_(table.expires_at.is_(None), table.expires_at > now),
            or_(table.single_use.is_(False), table.used_at.is_(None)),
        )
        used = update(meeting_links).where(*usable).values(used_at=now, booking_id=booking_id)
        if (await self._transaction.run(used)).rowcount != 1:
            raise LinkSpent
