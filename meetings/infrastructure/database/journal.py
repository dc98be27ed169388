"""The journal: what happened, in the order in which it was committed, account by account (I9)."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from enum import Enum
from uuid import UUID

from sqlalchemy import insert

from meetings.domain.base import DomainEvent
from meetings.infrastructure.database.tables import journal, journal_heads
from meetings.infrastructure.database.transaction import Transaction


async def write_journal(transaction: Transaction, actor: str, events: Sequence[tuple[DomainEvent, UUID]]) -> None:
    """Append an entry per event, in order, each with the aggregate it happened to.

    The account's head is locked from here to the commit, so that positions grow in the order of commits and a reader
    who has seen one has seen all before it. Nothing else may be waited for afterwards: call it last.
    """
    if not events:
        return
    head = transaction.insert(journal_heads).values(account_id=transaction.account_id, position=len(events))
    grown = {"position": journal_heads.c.position + len(events)}
    head = head.on_conflict_do_update(index_elements=["account_id"], set_=grown)
    last: int = (await transaction.run(head.returning(journal_heads.c.position))).scalar_one()
    rows = [
        {
            "account_id": transaction.account_id,
            "position": last - len(events) + number,
            "kind": type(event).__name__,
            "subject": subject,
            "actor": actor,
            "at": event.at,
            "details": event_details(event),
        }
        for number, (event, subject) in enumerate(events, 1)
    ]
    await transaction.run(insert(journal), rows)


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
