"""Sealed credentials, each beside the row of its owner, as a unit of work stores and replaces them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, insert, select, update

from meetings.domain.base import NotFound
from meetings.infrastructure.database.tables import credentials, mailbox_credentials
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.secrets import Secrets


@dataclass(frozen=True, slots=True)
class CredentialsPlace:
    """A table of credentials: whose they are is its column `owner`; `field` is what the sealed text is bound to."""

    table: Table
    owner: str
    field: str

    def of(self, account_id: UUID, owner: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """The row of one owner."""
        return self.table.c[self.owner] == owner, self.table.c.account_id == account_id


OF_CONNECTIONS = CredentialsPlace(credentials, "connection_id", "credentials.sealed")
OF_MAILBOXES = CredentialsPlace(mailbox_credentials, "mailbox_id", "mailbox_credentials.sealed")


class SealedCredentials:
    """The credentials of one place within one transaction. Those of a new owner wait until its row is written."""

    def __init__(self, transaction: Transaction, secrets: Secrets, place: CredentialsPlace) -> None:
        self._transaction = transaction
        self._secrets = secrets
        self._place = place
        self._new: dict[UUID, str | None] = {}

    def add(self, owner: UUID, text: str | None) -> None:
        """What a new owner begins with; `write_new` has to follow."""
        self._new[owner] = text

    async def write_new(self, owner: UUID) -> None:
        """Write down what a new owner begins with; its own row is there by now."""
        text = self._new.pop(owner)
        row: dict[str, Any] = {
            self._place.owner: owner,
            "account_id": self._transaction.account_id,
            "sealed": None if text is None else await self._seal(owner, text),
            "version": 1,
        }
        await self._transaction.run(insert(self._place.table), row)

    async def replace(self, owner: UUID, text: str | None) -> str | None:
        """Store others, or none; gives the ones there were.

        Raises:
            NotFound: no such owner.
        """
        if owner in self._new:
            before, self._new[owner] = self._new[owner], text
            return before
        table = self._place.table
        mine = self._place.of(self._transaction.account_id, owner)
        rows = await self._transaction.rows(select(table.c.sealed).where(*mine).with_for_update())
        if not rows:
            raise NotFound("credentials")
        sealed = None if text is None else await self._seal(owner, text)
        values = {"sealed": sealed, "version": table.c.version + 1, "lease": None, "lease_until": None}
        await self._transaction.run(update(table).where(*mine).values(**values))
        return None if rows[0].sealed is None else await self._open(owner, rows[0].sealed)

    async def _seal(self, owner: UUID, text: str) -> str:
        transaction = self._transaction
        return await self._secrets.seal(transaction.connection, transaction.account_id, self._place.field, owner, text)

    async def _open(self, owner: UUID, sealed: str) -> str:
        transaction = self._transaction
        return await self._secrets.open(
            transaction.connection, transaction.account_id, self._place.field, owner, sealed
        )
