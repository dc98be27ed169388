"""How far mailboxes were read, and who reads one at the moment, as long as their lease lasts."""

from datetime import datetime

from sqlalchemy import ColumnElement, Update, select, update

from meetings.application.ports.emails import MailSyncClaim, MailSyncState
from meetings.application.ports.outbox import LeaseLost
from meetings.domain.identifiers import MailboxId
from meetings.infrastructure.database.tables import mail_sync
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.database.types import database_time

_plan = mail_sync.c


def renewal(claim: MailSyncClaim, lease_seconds: int) -> Update:
    """Renews the lease of the latest claim; touches no row for another."""
    latest = (
        _plan.mailbox_id == claim.mailbox_id,
        _plan.account_id == claim.account_id,
        _plan.fence == claim.fence,
        _plan.lease_until.is_not(None),
    )
    return update(mail_sync).where(*latest).values(lease_until=database_time(lease_seconds))


class SqlMailReading:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def state(self, mailbox_id: MailboxId) -> MailSyncState | None:
        for row in await self._transaction.rows(select(mail_sync).where(*self._mine(mailbox_id))):
            return MailSyncState(row.begin_at, row.cursor, row.confirmed_at, row.failures)
        return None

    async def hold(self, claim: MailSyncClaim, *, lease_seconds: int) -> None:
        if (await self._transaction.run(renewal(claim, lease_seconds))).rowcount != 1:
            raise LeaseLost

    async def confirm(self, mailbox_id: MailboxId, *, cursor: str, at: datetime) -> None:
        values = {"cursor": cursor, "confirmed_at": at, "failures": 0}
        await self._transaction.run(update(mail_sync).where(*self._mine(mailbox_id)).values(**values))

    async def note_failure(self, mailbox_id: MailboxId) -> int:
        more = update(mail_sync).where(*self._mine(mailbox_id)).values(failures=_plan.failures + 1)
        found = await self._transaction.run(more.returning(_plan.failures))
        return int(found.scalar_one_or_none() or 1)

    def _mine(self, mailbox_id: MailboxId) -> tuple[ColumnElement[bool], ...]:
        return _plan.mailbox_id == mailbox_id, _plan.account_id == self._transaction.account_id
