"""Accounts that keep their records in HubSpot, and the sealed credentials for that."""

from datetime import datetime

from sqlalchemy import delete, select, update

from meetings.domain.crm_connection import CrmConnection
from meetings.infrastructure.database.sealed_credentials import CredentialsPlace
from meetings.infrastructure.database.tables import crm_connections
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.secrets import Secrets

SEALED_FIELD = "crm_connections.sealed"
"""What sealed credentials are bound to, beside their account."""
OF_CRMS = CredentialsPlace(crm_connections, "account_id", SEALED_FIELD)


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

    async def put(self, credentials: str, *, now: datetime) -> None:
        account_id = self._transaction.account_id
        connection = self._transaction.connection
        values = {
            "sealed": await self._secrets.seal(connection, account_id, SEALED_FIELD, account_id, credentials),
            "connected_at": now,
            "refused_at": None,
            "lease": None,
            "lease_until": None,
        }
        insert = self._transaction.insert(crm_connections).values(account_id=account_id, version=1, **values)
        others = {**values, "version": crm_connections.c.version + 1}
        await self._transaction.run(insert.on_conflict_do_update(index_elements=["account_id"], set_=others))

    async def refuse(self, connected_at: datetime, *, now: datetime) -> bool:
        mine = (
            crm_connections.c.account_id == self._transaction.account_id,
            crm_connections.c.connected_at == connected_at,
            crm_connections.c.refused_at.is_(None),
        )
        return (await self._transaction.run(update(crm_connections).where(*mine).values(refused_at=now))).rowcount == 1

    async def remove(self) -> str | None:
        account_id, connection = self._transaction.account_id, self._transaction.connection
        gone = delete(crm_connections).where(crm_connections.c.account_id == account_id)
        for row in await self._transaction.rows(gone.returning(crm_connections.c.sealed)):
            return await self._secrets.open(connection, account_id, SEALED_FIELD, account_id, row.sealed)
        return None
