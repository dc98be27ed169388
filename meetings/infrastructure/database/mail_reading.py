"""How far mailboxes were read."""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from meetings.application.ports.emails import MailSyncClaim, MailSyncState
from meetings.application.ports.outbox import LeaseLost
from meetings.domain.identifiers import MailboxId
from meetings.infrastructure.database.reading_turns import MAILBOX_TURNS
from meetings.infrastructure.database.tables import mail_sync
from meetings.infrastructure.database.transaction import Transaction

_plan = mail_sync.c


class SqlMailReading:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def state(self, mailbox_id: MailboxId) -> MailSyncState | None:
        for row in await self._transaction.rows(select(mail_sync).where(*self._mine(mailbox_id))):
            return MailSyncState(row.begin_at, row.cursor, row.confirmed_at, row.failures)
        return None

    async def hold(self, claim: MailSyncClaim, *, lease_seconds: int) -> None:
        renewal = MAILBOX_TURNS.renewal(claim.mailbox_id, claim, lease_seconds)
        if (await self._transaction.run(renewal)).rowcount != 1:
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
