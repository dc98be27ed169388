"""The journal: what happened, in the order in which it was committed, account by account (I9).

Entries are chained: each has a hash over itself and the hash of the one before (TP-5). Whoever changes, removes or
slips in an entry breaks the chain there; `audit.py` looks for that.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, select, update

from meetings.domain.base import DomainEvent
from meetings.infrastructure.database.tables import journal, journal_heads
from meetings.infrastructure.database.transaction import Transaction

BEGINNING = "0" * 64
"""What stands for the hash before the first one."""


async def write_journal(transaction: Transaction, actor: str, events: Sequence[tuple[DomainEvent, UUID]]) -> None:
    """Append an entry per event, in order, each with the aggregate it happened to.

    The account's head is locked from here to the commit, so that positions grow in the order of commits and a reader
    who has seen one has seen all before it; and so that no two entries follow the same one. Nothing else may be waited
    for afterwards: call it last.
    """
    if not events:
        return
    head = transaction.insert(journal_heads).values(account_id=transaction.account_id, position=len(events))
    grown = {"position": journal_heads.c.position + len(events)}
    head = head.on_conflict_do_update(index_elements=["account_id"], set_=grown)
    told = head.returning(journal_heads.c.position, journal_heads.c.hashed_position, journal_heads.c.hash)
    (last, hashed_to, hash_before) = (await transaction.run(told)).one()
    first = last - len(events) + 1
    if hashed_to is not None and hashed_to < first - 1:
        hash_before = await _catch_up(transaction, hashed_to, hash_before)
    hash_before = hash_before or BEGINNING
    rows = []
    for position, (event, subject) in enumerate(events, first):
        row = {
            "account_id": transaction.account_id,
            "position": position,
            "kind": type(event).__name__,
            "subject": subject,
            "actor": actor,
            "at": event.at,
            "details": event_details(event),
        }
        hash_before = entry_hash(hash_before, row)
        rows.append({**row, "hash": hash_before})
    await transaction.run(insert(journal), rows)
    mine = journal_heads.c.account_id == transaction.account_id
    await transaction.run(update(journal_heads).where(mine).values(hashed_position=last, hash=hash_before))


async def _catch_up(transaction: Transaction, hashed_to: int, hash_before: str) -> str:
    """Chain what an older version of the product wrote beside this one, without hashes; gives the last hash."""
    mine = journal.c.account_id == transaction.account_id
    behind = select(journal).where(mine, journal.c.position > hashed_to).order_by(journal.c.position)
    for row in await transaction.rows(behind):
        hash_before = entry_hash(hash_before, row._asdict())
        same = update(journal).where(mine, journal.c.position == row.position)
        await transaction.run(same.values(hash=hash_before))
    return hash_before


def entry_hash(hash_before: str, entry: Mapping[str, Any]) -> str:
    """The hash of an entry that follows another: SHA-256 over a JSON list of both, as hex. The same on every
    database: instants count in UTC, to the microsecond."""
    told = [
        hash_before,
        entry["account_id"].hex,
        entry["position"],
        entry["kind"],
        entry["subject"].hex,
        entry["actor"],
        entry["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        dict(entry["details"]),
    ]
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def event_details(event: DomainEvent) -> dict[str, str]:
    """An event's own fields as text: ids, instants (ISO 8601), names of enum values; several are joined by commas."""
    return {
        entry.name: _text(value)
        for entry in fields(event)
        if entry.name != "at" and (value := getattr(event, entry.name)) is not None
    }


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return str(value)
