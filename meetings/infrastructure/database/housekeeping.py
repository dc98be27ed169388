"""Removing what has served its time. Meant for a nightly job; harmless at any time and in any number."""

from sqlalchemy import ColumnElement, Table, delete

from meetings.application.ports.clock import Clock
from meetings.domain.timespan import floor_minute
from meetings.infrastructure.database.tables import (
    idempotency_keys,
    intents,
    mirror_times,
    push_channels,
    sessions,
    sign_in_attempts,
    slot_holds,
)
from meetings.infrastructure.database.transaction import execute
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database

_HOUR = 3600
_DAY = 24 * _HOUR
_MIRROR_DAYS = 7


async def tidy(database: Database, clock: Clock) -> dict[str, int]:
    """Remove old rows, table by table, each in a transaction of its own; gives how many of each table (TP-3).

    Holds a day after they expired, idempotency keys after 72 hours, intents 7 days after they were done, busy times
    that ended 7 days ago, channels a day after they expired, sessions and sign-in attempts as soon as they expired.
    Dead intents stay until somebody replays them.
    """
    long_ago = floor_minute(clock()) - _MIRROR_DAYS * 1440
    old: dict[Table, ColumnElement[bool]] = {
        slot_holds: slot_holds.c.expires_at < database_time(-_DAY),
        idempotency_keys: idempotency_keys.c.created_at < database_time(-72 * _HOUR),
        intents: intents.c.done_at < database_time(-7 * _DAY),
        mirror_times: mirror_times.c.end_minute < long_ago,
        push_channels: push_channels.c.expires_at < database_time(-_DAY),
        sessions: sessions.c.expires_at < database_time(),
        sign_in_attempts: sign_in_attempts.c.expires_at < database_time(),
    }
    removed = {}
    for table, condition in old.items():
        async with database.transaction() as connection:
            removed[table.name] = (await execute(connection, delete(table).where(condition))).rowcount
    return removed
