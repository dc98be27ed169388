"""Accounts that keep their records in HubSpot, and the sealed tokens for that."""

from datetime import datetime

from sqlalchemy import delete, select, update

from meetings.domain.crm_connection import CrmConnection
from meetings.infrastructure.database.tables import crm_connections
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.secrets import Secrets

SEALED_FIELD = "crm_connections.sealed"
"""What a sealed token is bound to, beside its account."""


class SqlCrmConnections:
    """See the port."""

    def __init__(self, transaction: Transaction, secrets: Secrets) -> None:
        self._transaction = transaction
        self._secrets = secrets

    async def current(self) -> CrmConnection | None:
        query = select(crm_connections).where(crm_connections.c.account_id == self._transaction.account_id)
        for row in await self._transaction.rows(query):
            return CrmConnection(row.connected_at, row.refused_at)
        return None

    async def put(self, token: str, *, now: datetime) -> None:
        account_id = self._transaction.account_id
        connection = self._transaction.connection
        values = {
            "sealed": await self._secrets.seal(connection, account_id, SEALED_FIELD, account_id, token),
            "connected_at": now,
            "refused_at": None,
        }
        insert = self._transaction.insert(crm_connections).values(account_id=account_id, **values)
        await self._transaction.run(insert.on_conflict_do_update(index_elements=["account_id"], set_=values))

    async def refuse(self, connected_at: datetime, *, now: datetime) -> bool:
        mine = (
            crm_connections.c.account_id == self._transaction.account_id,
            crm_connections.c.connected_at == connected_at,
            crm_connections.c.refused_at.is_(None),
        )
        return (await self._transaction.run(update(crm_connections).where(*mine).values(refused_at=now))).rowcount == 1

    async def remove(self) -> bool:
        mine = crm_connections.c.account_id == self._transaction.account_id
        return (await self._transaction.run(delete(crm_connections).where(mine))).rowcount == 1
