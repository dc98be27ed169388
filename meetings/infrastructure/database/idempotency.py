"""Keys of commands that were carried out."""

from sqlalchemy import bindparam, select

from meetings.application.ports.unit_of_work import KeptResult
from meetings.infrastructure.database.tables import idempotency_keys
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.database.types import database_time

WAIT_SECONDS = 5
"""How long a command waits for another in flight with the same key (ID-2)."""

_keys = idempotency_keys.c

FIND = select(_keys.fingerprint, _keys.booking_id).where(
    _keys.account_id == bindparam("account"),
    _keys.operation == bindparam("operation"),
    _keys.scope == bindparam("scope"),
    _keys.key == bindparam("key"),
)


class SqlIdempotencyKeys:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def find(self, operation: str, scope: str, key: str) -> KeptResult | None:
        account_id = self._transaction.account_id
        values = {"account": account_id, "operation": operation, "scope": scope, "key": key}
        for row in await self._transaction.rows(FIND, values):
            return KeptResult(row.fingerprint, row.booking_id)
        return None

    async def keep(self, operation: str, scope: str, key: str, result: KeptResult) -> bool:
        transaction = self._transaction
        await transaction.wait_at_most(WAIT_SECONDS)
        row = {
            "account_id": transaction.account_id,
            "operation": operation,
            "scope": scope,
            "key": key,
            "fingerprint": result.fingerprint,
            "booking_id": result.subject,
            "created_at": database_time(),
        }
        stored = await transaction.run(transaction.insert(idempotency_keys).values(row).on_conflict_do_nothing())
        return stored.rowcount == 1
