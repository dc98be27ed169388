"""When which mailbox is read, by one at a time."""

from datetime import datetime

from sqlalchemy import and_, delete, literal

from meetings.application.ports.emails import MailSyncClaim
from meetings.domain.identifiers import AccountId, MailboxId
from meetings.infrastructure.database.reading_turns import MAILBOX_TURNS
from meetings.infrastructure.database.tables import mail_sync
from meetings.infrastructure.database.transaction import execute, insert_into
from meetings.infrastructure.database.types import Instant, database_time
from meetings.infrastructure.database.unit_of_work import Database

_plan = mail_sync.c


class SqlMailSchedule:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def plan(self, account_id: AccountId, mailbox_id: MailboxId, *, begin_at: datetime) -> None:
        begun = {
            "begin_at": literal(begin_at, Instant),
            "cursor": None,
            "confirmed_at": None,
            "failures": 0,
            "due_at": database_time(),
            "requested": False,
            "lease_until": None,
        }
        async with self._database.transaction() as connection:
            new = insert_into(connection, mail_sync).values(
                mailbox_id=mailbox_id, account_id=account_id, fence=0, **begun
            )
            anew = new.on_conflict_do_update(
                index_elements=["mailbox_id"],
                set_={**begun, "fence": _plan.fence + 1},
                where=and_(_plan.account_id == account_id, _plan.begin_at != literal(begin_at, Instant)),
            )
            await execute(connection, anew)

    async def forget(self, account_id: AccountId, mailbox_id: MailboxId) -> None:
        gone = delete(mail_sync).where(_plan.mailbox_id == mailbox_id, _plan.account_id == account_id)
        async with self._database.transaction() as connection:
            await execute(connection, gone)

    async def request(self, mailbox_id: MailboxId) -> None:
        async with self._database.transaction() as connection:
            await execute(connection, MAILBOX_TURNS.request(mailbox_id))

    async def due(self, limit: int) -> list[MailboxId]:
        async with self._database.snapshot() as connection:
            return [MailboxId(found) for found in (await execute(connection, MAILBOX_TURNS.due(limit))).scalars()]

    async def claim(self, mailbox_id: MailboxId, *, lease_seconds: int) -> MailSyncClaim | None:
        async with self._database.transaction() as connection:
            row = (await execute(connection, MAILBOX_TURNS.claim(mailbox_id, lease_seconds))).one_or_none()
        return None if row is None else MailSyncClaim(mailbox_id, AccountId(row.account_id), row.fence)

    async def extend(self, claim: MailSyncClaim, *, lease_seconds: int) -> bool:
        renewal = MAILBOX_TURNS.renewal(claim.mailbox_id, claim, lease_seconds)
        async with self._database.transaction() as connection:
            return bool((await execute(connection, renewal)).rowcount)

    async def finish(self, claim: MailSyncClaim, *, next_at: datetime) -> bool:
        back = MAILBOX_TURNS.finish(claim.mailbox_id, claim, next_at)
        async with self._database.transaction() as connection:
            return bool((await execute(connection, back)).scalar_one_or_none())
