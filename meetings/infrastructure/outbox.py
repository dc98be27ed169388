"""The stored intents: claimed by one conditional update, leased, fenced."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Float, Update, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meetings.application.ports.outbox import DeadIntent, Intent, LeaseLost
from meetings.domain.identifiers import AccountId
from meetings.infrastructure.database.tables import intents
from meetings.infrastructure.database.transaction import AnyRow, execute
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database

LEASE_SECONDS = 60
_MOST_OF_AN_ERROR = 2_000

_intents = intents.c
_ahead = intents.alias("ahead")

log = logging.getLogger(__name__)


def _is_open(rows: Any) -> ColumnElement[bool]:
    return and_(rows.done_at.is_(None), rows.died_at.is_(None))


def _leased(rows: Any) -> ColumnElement[bool]:
    return and_(rows.lease_until.is_not(None), rows.lease_until > database_time())


# One that was never tried and is not due yet stands in nobody's way; one that waits for another try does.
_blocks_lane = or_(_ahead.c.attempts > 0, _ahead.c.due_at <= database_time())
_lane_is_busy = exists().where(
    _ahead.c.lane == _intents.lane,
    _ahead.c.id != _intents.id,
    _is_open(_ahead.c),
    or_(and_(_ahead.c.seq < _intents.seq, _blocks_lane), _leased(_ahead.c)),
)
CLAIMABLE = and_(_is_open(_intents), _intents.due_at <= database_time(), ~_leased(_intents), ~_lane_is_busy)

_OLDEST_OF = (
    select(_intents.id, _intents.lane)
    .where(_intents.subject == bindparam("of"), _intents.reaction == bindparam("kind"), _is_open(_intents))
    .order_by(_intents.seq)
    .limit(1)
)
_TO_BE_TRIED_AGAIN = {"died_at": None, "error": None, "attempts": 0, "due_at": database_time()}
_LOCK_LANE = select(func.pg_advisory_xact_lock(func.hashtextextended(_intents.lane, 0))).where(
    _intents.id == bindparam("intent")
)
_oldest = _OLDEST_OF.subquery()
_LOCK_OLDEST = select(_oldest.c.id, func.pg_advisory_xact_lock(func.hashtextextended(_oldest.c.lane, 0)))
_CLAIM = (
    update(intents)
    .where(_intents.id == bindparam("intent"), CLAIMABLE)
    .values(
        attempts=_intents.attempts + 1,
        fence=_intents.fence + 1,
        lease_until=database_time(bindparam("seconds", type_=Float)),
    )
    .returning(intents)
)


class SqlOutbox:
    """See the port. `lease_seconds` is shorter in tests only."""

    def __init__(self, database: Database, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._lease_seconds = lease_seconds

    async def due(self, limit: int) -> list[UUID]:
        query = select(_intents.id).where(CLAIMABLE).order_by(_intents.due_at, _intents.seq).limit(limit)
        async with self._database.snapshot() as connection:
            return list((await execute(connection, query)).scalars())

    async def claim(self, intent_id: UUID) -> Intent | None:
        async with self._database.transaction() as connection:
            if connection.dialect.name == "postgresql":
                # Two claims in one lane at the same time could each miss the other's row; here the later one waits.
                await execute(connection, _LOCK_LANE, {"intent": intent_id})
            return await self._claimed(connection, intent_id)

    async def claim_for(self, reaction: str, subject: UUID) -> Intent | None:
        async with self._database.transaction() as connection:
            oldest = _LOCK_OLDEST if connection.dialect.name == "postgresql" else _OLDEST_OF
            found = (await execute(connection, oldest, {"of": subject, "kind": reaction})).one_or_none()
            return None if found is None else await self._claimed(connection, found.id)

    async def _claimed(self, connection: AsyncConnection, intent_id: UUID) -> Intent | None:
        values = {"intent": intent_id, "seconds": self._lease_seconds}
        row = (await execute(connection, _CLAIM, values)).one_or_none()
        return None if row is None else _intent(row)

    async def extend(self, intent: Intent) -> None:
        await self._change_latest(intent, lease_until=database_time(self._lease_seconds), must=True)

    async def done(self, intent: Intent) -> None:
        await self._change_latest(intent, done_at=database_time(), lease_until=None, must=True)

    async def retry(self, intent: Intent, *, at: datetime, error: str) -> None:
        await self._change_latest(intent, due_at=at, lease_until=None, error=error[:_MOST_OF_AN_ERROR])

    async def bury(self, intent: Intent, *, error: str) -> None:
        await self._change_latest(intent, died_at=database_time(), lease_until=None, error=error[:_MOST_OF_AN_ERROR])
        about = {"intent": str(intent.id), "reaction": intent.reaction, "attempts": intent.attempts, "error": error}
        log.error("given up; `meetings dead-letters list` shows it, `replay` tries again", extra=about)

    async def dead(self, account_id: AccountId, limit: int) -> list[DeadIntent]:
        query = (
            select(intents)
            .where(_intents.account_id == account_id, _intents.died_at.is_not(None))
            .order_by(_intents.died_at.desc(), _intents.seq.desc())
            .limit(limit)
        )
        async with self._database.snapshot() as connection:
            rows: Sequence[AnyRow] = (await execute(connection, query)).all()
        return [
            DeadIntent(row.id, row.reaction, row.subject, row.attempts, row.error or "", row.died_at) for row in rows
        ]

    async def wake(self, account_id: AccountId, reactions: Collection[str], *, died_of: str) -> int:
        theirs = (_intents.account_id == account_id, _intents.reaction.in_(reactions))
        waiting = (_is_open(_intents), _intents.attempts > 0, _intents.due_at > database_time(), ~_leased(_intents))
        died = (_intents.died_at.is_not(None), _intents.error.startswith(f"{died_of}: ", autoescape=True))
        sooner = update(intents).where(*theirs, *waiting).values(due_at=database_time())
        again = update(intents).where(*theirs, *died).values(_TO_BE_TRIED_AGAIN)
        async with self._database.transaction() as connection:
            woken = [
                found
                for change in (sooner, again)
                for found in (await execute(connection, change.returning(_intents.id))).scalars()
            ]
        await self._database.tell(set(), woken)
        return len(woken)

    async def replay(self, account_id: AccountId, intent_id: UUID) -> bool:
        again: Update = (
            update(intents)
            .where(_intents.id == intent_id, _intents.account_id == account_id, _intents.died_at.is_not(None))
            .values(_TO_BE_TRIED_AGAIN)
        )
        async with self._database.transaction() as connection:
            return (await execute(connection, again)).rowcount == 1

    async def _change_latest(self, intent: Intent, *, must: bool = False, **values: object) -> None:
        """Change an intent whose newest claim is this one; else nothing, or `LeaseLost` if it `must`."""
        latest = (_intents.id == intent.id, _intents.fence == intent.fence, _is_open(_intents))
        async with self._database.transaction() as connection:
            changed = await execute(connection, update(intents).where(*latest).values(**values))
        if must and changed.rowcount != 1:
            raise LeaseLost


def _intent(row: AnyRow) -> Intent:
    return Intent(
        id=row.id,
        account_id=AccountId(row.account_id),
        reaction=row.reaction,
        subject=row.subject,
        lane=row.lane,
        details=row.details,
        attempts=row.attempts,
        fence=row.fence,
        created_at=row.created_at,
    )
