"""Looking through an account's journal for entries that were changed, removed or slipped in (TP-5)."""

from dataclasses import dataclass

from sqlalchemy import select

from meetings.domain.identifiers import AccountId
from meetings.infrastructure.database.journal import BEGINNING, entry_hash
from meetings.infrastructure.database.tables import journal, journal_heads
from meetings.infrastructure.database.transaction import execute
from meetings.infrastructure.database.unit_of_work import Database

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found. `unhashed` entries are from before there were hashes, and prove nothing; `broken_at` is the
    position of the first entry that is not as it was written; `head` is the newest hash, to be noted elsewhere:
    somebody who writes the whole journal anew cannot make the same one."""

    entries: int
    unhashed: int
    broken_at: int | None
    head: str | None


async def audit(database: Database, account_id: AccountId) -> Audit:
    """Follow the chain from its beginning. What is written meanwhile is left to the next time."""
    head = select(journal_heads).where(journal_heads.c.account_id == account_id)
    async with database.snapshot() as connection:
        now = (await execute(connection, head)).one_or_none()
    if now is None:
        return Audit(0, 0, None, None)
    position, unhashed, before = 0, 0, None
    while position < now.position:
        page = (
            select(journal)
            .where(
                journal.c.account_id == account_id, journal.c.position > position, journal.c.position <= now.position
            )
            .order_by(journal.c.position)
            .limit(_PAGE)
        )
        async with database.snapshot() as connection:
            rows = (await execute(connection, page)).all()
        for row in rows:
            expected = position + 1
            position = row.position
            if row.hash is None and before is None and position == expected:
                unhashed += 1
                continue
            before = entry_hash(before or BEGINNING, row._asdict())
            if position != expected or row.hash != before:
                if row.hash is None and now.hashed_position is not None and position > now.hashed_position:
                    return Audit(position - 1, unhashed, None, now.hash)
                return Audit(position, unhashed, expected, now.hash)
        if not rows:
            return Audit(position, unhashed, position + 1, now.hash)
    broken = now.position if now.hash is not None and before != now.hash else None
    return Audit(position, unhashed, broken, now.hash)
