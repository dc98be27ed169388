"""The sealed credentials of connections and mailboxes, renewed by one process at a time (OA-6)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import or_, select, update

from meetings.application.ports.calendars import ProviderUnavailable, ReauthorizationNeeded
from meetings.domain.identifiers import AccountId
from meetings.infrastructure.database.sealed_credentials import OF_CONNECTIONS, CredentialsPlace
from meetings.infrastructure.database.transaction import execute
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database

LEASE_SECONDS = 60
"""Longer than any call to a provider takes (RT-3), so that nobody else starts while the answer is on its way."""

WAIT_SECONDS = 35
"""How long to wait for somebody else's refresh."""

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class _Stored:
    text: str
    version: int


class StoredCredentials:
    """See the port `Credentials`."""

    def __init__(
        self,
        database: Database,
        account_id: AccountId,
        owner: UUID,
        *,
        place: CredentialsPlace = OF_CONNECTIONS,
        lease_seconds: float = LEASE_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._database = database
        self._account_id = account_id
        self._owner = owner
        self._field = place.field
        self._table = place.table
        self._lease_seconds = lease_seconds
        self._wait_seconds = wait_seconds
        self._mine = place.of(account_id, owner)

    async def current(self) -> str:
        return (await self._read()).text

    async def renew(self, stale: str, refresh: Callable[[str], Awaitable[str]]) -> str:
        patience = time.monotonic() + self._wait_seconds
        pause = _FIRST_PAUSE
        while True:
            stored = await self._read()
            if stored.text != stale:
                return stored.text
            lease = await self._take_lease(stored.version)
            if lease is not None:
                return await self._refresh(stored, lease, refresh)
            if time.monotonic() > patience:
                raise ProviderUnavailable("somebody else's refresh of the credentials takes too long")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    async def _refresh(self, stored: _Stored, lease: UUID, refresh: Callable[[str], Awaitable[str]]) -> str:
        try:
            newer = await refresh(stored.text)
        except ReauthorizationNeeded:
            await self._give_lease_back(lease)
            latest = await self._read()
            if latest.text != stored.text:
                return latest.text
            raise
        except BaseException:
            await asyncio.shield(self._give_lease_back(lease))
            raise
        # Whatever the provider gave must be kept, even if this task is being cancelled: the old one may be used up.
        return await asyncio.shield(self._keep(newer, stored))

    async def _keep(self, newer: str, stored: _Stored) -> str:
        """Store newer credentials; if somebody stored others meanwhile (signed in again, say), theirs stay."""
        async with self._database.transaction() as connection:
            sealed = await self._database.secrets.seal(connection, self._account_id, self._field, self._owner, newer)
            change = update(self._table).where(*self._mine, self._table.c.version == stored.version)
            values = {"sealed": sealed, "version": stored.version + 1, "lease": None, "lease_until": None}
            if (await execute(connection, change.values(values))).rowcount == 1:
                return newer
        return (await self._read()).text

    async def _read(self) -> _Stored:
        query = select(self._table.c.sealed, self._table.c.version).where(*self._mine)
        async with self._database.snapshot() as connection:
            row = (await execute(connection, query)).one_or_none()
            if row is None or row.sealed is None:
                raise ReauthorizationNeeded("there are no credentials")
            text = await self._database.secrets.open(connection, self._account_id, self._field, self._owner, row.sealed)
        return _Stored(text, row.version)

    async def _take_lease(self, version: int) -> UUID | None:
        lease = uuid4()
        until = self._table.c.lease_until
        free = (self._table.c.version == version, or_(until.is_(None), until <= database_time()))
        take = update(self._table).where(*self._mine, *free)
        async with self._database.transaction() as connection:
            values = {"lease": lease, "lease_until": database_time(self._lease_seconds)}
            taken = await execute(connection, take.values(values))
        return lease if taken.rowcount == 1 else None

    async def _give_lease_back(self, lease: UUID) -> None:
        back = update(self._table).where(*self._mine, self._table.c.lease == lease)
        async with self._database.transaction() as connection:
            await execute(connection, back.values(lease=None, lease_until=None))
