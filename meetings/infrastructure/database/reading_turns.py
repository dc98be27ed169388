"""Whose turn it is to read a calendar or a mailbox: one reader at a time, by a lease on database time."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Select, Table, Update, and_, case, literal, or_, select, update

from meetings.application.ports.emails import MailSyncClaim
from meetings.application.ports.sync_schedule import SyncClaim
from meetings.infrastructure.database.tables import mail_sync, sync_schedule
from meetings.infrastructure.database.types import Instant, database_time


class ReadingTurns:
    """Statements on a table of what is read again and again; `key` is the column that says what.

    The table has `due_at`, `requested`, `lease_until` and `fence` besides.
    """

    def __init__(self, table: Table, key: Column[UUID]) -> None:
        self._table = table
        self._key = key
        self._plan = plan = table.c
        nobody = or_(plan.lease_until.is_(None), plan.lease_until <= database_time())
        self._is_due = and_(plan.due_at <= database_time(), nobody)

    def due(self, limit: int) -> Select[UUID]:
        """The keys of what is to be read now and nobody is reading, longest due first."""
        return select(self._key).where(self._is_due).order_by(self._plan.due_at).limit(limit)

    def request(self, key: UUID) -> Update:
        """Has it read as soon as possible; touches no row where that was asked for already."""
        soon = case((self._plan.due_at > database_time(), database_time()), else_=self._plan.due_at)
        unasked = (self._key == key, self._plan.requested.is_(False))
        return update(self._table).where(*unasked).values(requested=True, due_at=soon)

    def claim(self, key: UUID, lease_seconds: int) -> Update:
        """Takes what is due and gives its row; requests so far are consumed."""
        taken = {"requested": False, "fence": self._plan.fence + 1, "lease_until": database_time(lease_seconds)}
        return update(self._table).where(self._key == key, self._is_due).values(**taken).returning(self._table)

    def renewal(self, key: UUID, claim: SyncClaim | MailSyncClaim, lease_seconds: int) -> Update:
        """Renews the lease of the latest claim; touches no row for another."""
        latest = (
            self._key == key,
            self._plan.account_id == claim.account_id,
            self._plan.fence == claim.fence,
            self._plan.lease_until.is_not(None),
        )
        return update(self._table).where(*latest).values(lease_until=database_time(lease_seconds))

    def finish(self, key: UUID, claim: SyncClaim | MailSyncClaim, next_at: datetime) -> Update:
        """Gives it back, due at `next_at`, or at once if it was requested meanwhile, which is what the statement gives.
        Touches no row for a claim that is not the latest."""
        due_at = case((self._plan.requested, database_time()), else_=literal(next_at, Instant))
        latest = (self._key == key, self._plan.fence == claim.fence)
        back = update(self._table).where(*latest).values(due_at=due_at, lease_until=None)
        return back.returning(self._plan.requested)


CALENDAR_TURNS = ReadingTurns(sync_schedule, sync_schedule.c.calendar_id)
MAILBOX_TURNS = ReadingTurns(mail_sync, mail_sync.c.mailbox_id)
