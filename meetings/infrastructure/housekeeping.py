"""Deleting what nobody needs any more (TP-3)."""

import logging
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Table, and_, delete, or_, select, tuple_

from meetings.application.policy import Policy
from meetings.infrastructure.database.tables import (
    bookings,
    crm_trips,
    idempotency_keys,
    intents,
    person_requests,
    push_channels,
    sessions,
    sign_in_attempts,
    slot_holds,
    visitors,
)
from meetings.infrastructure.database.transaction import execute
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database

log = logging.getLogger(__name__)

_HOUR = 3600
_DAY = 24 * _HOUR
_AT_ONCE = 1_000
"""Rows per transaction, so that nobody waits long for a lock."""


def _outdated(policy: Policy) -> Sequence[tuple[Table, ColumnElement[bool]]]:
    """What is deleted, by database time. Dead intents stay until people replay them. With a booking goes what hangs on
    it: whom it was with, whose time it took, and the browser it came from."""
    asked_long_ago = person_requests.c.requested_at <= database_time(-_DAY)
    old_bookings = []
    if policy.bookings_kept_days:
        old_bookings = [(bookings, bookings.c.end_at <= database_time(-policy.bookings_kept_days * _DAY))]
    return [
        *old_bookings,
        (person_requests, and_(asked_long_ago, or_(person_requests.c.sealed.is_(None), _export_expired()))),
        (sessions, sessions.c.expires_at <= database_time(-_DAY)),
        (sign_in_attempts, sign_in_attempts.c.expires_at <= database_time(-_DAY)),
        (crm_trips, crm_trips.c.expires_at <= database_time(-_DAY)),
        (slot_holds, slot_holds.c.expires_at <= database_time(-_DAY)),
        (idempotency_keys, idempotency_keys.c.created_at <= database_time(-72 * _HOUR)),
        (intents, and_(intents.c.done_at.is_not(None), intents.c.done_at <= database_time(-7 * _DAY))),
        (visitors, visitors.c.expires_at <= database_time()),
        (push_channels, push_channels.c.expires_at <= database_time(-_DAY)),
    ]


def _export_expired() -> ColumnElement[bool]:
    return and_(person_requests.c.expires_at.is_not(None), person_requests.c.expires_at <= database_time())


async def tidy_up(database: Database, policy: Policy | None = None) -> dict[str, int]:
    """Delete all that is out of date, in short transactions; gives how many rows of which table. Again finds only what
    got out of date since."""
    gone = {}
    for table, outdated in _outdated(policy or Policy()):
        gone[table.name] = await _delete(database, table, outdated)
    log.info("tidied up", extra={"deleted": {name: count for name, count in gone.items() if count}})
    return gone


async def _delete(database: Database, table: Table, outdated: ColumnElement[bool]) -> int:
    total = 0
    while True:
        key = table.primary_key.columns.values()
        some = select(*key).where(outdated).limit(_AT_ONCE)
        async with database.transaction() as connection:
            found = delete(table).where(tuple_(*key).in_(some))
            count = (await execute(connection, found)).rowcount
        total += count
        if count < _AT_ONCE:
            return total
