"""Which CRM an account's records are in, and HubSpot for those that have it (A-CR6)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from meetings.adapters.hubspot.crm import HubSpotCrm
from meetings.adapters.hubspot.portal import Portal
from meetings.adapters.hubspot.transport import Transport
from meetings.application.connect_crm import note_crm_refusal
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import Crm
from meetings.domain.base import NotFound
from meetings.domain.identifiers import AccountId
from meetings.infrastructure.circuits.circuits import Circuits
from meetings.infrastructure.database.crm import SqlCrm
from meetings.infrastructure.database.crm_connections import SEALED_FIELD
from meetings.infrastructure.database.tables import accounts, crm_connections
from meetings.infrastructure.database.transaction import execute
from meetings.infrastructure.database.unit_of_work import Database

NAME = "HUBSPOT"
THREADS = 8
CALL_SECONDS = 20.0
WAIT_SECONDS = 5.0
"""How long a call waits for its turn under HubSpot's limits before it is put off."""


@dataclass(frozen=True, slots=True)
class _Known:
    connected_at: datetime
    portal: Portal


class HubSpotRecords:
    """One for each process' event loop: what is remembered of a portal lasts until it is connected again."""

    def __init__(self, database: Database, transport: Transport, circuits: Circuits, *, clock: Clock) -> None:
        self._database = database
        self._transport = transport
        self._circuits = circuits
        self._clock = clock
        self._portals: dict[AccountId, _Known] = {}

    async def crm_of(self, account_id: AccountId) -> Crm:
        """HubSpot where the account connected it, else the built-in records."""
        query = select(crm_connections).where(crm_connections.c.account_id == account_id)
        async with self._database.snapshot() as connection:
            row = (await execute(connection, query)).one_or_none()
            if row is None:
                self._portals.pop(account_id, None)
                return SqlCrm(self._database, account_id)
            known = self._portals.get(account_id)
            if known is None or known.connected_at != row.connected_at:
                secrets = self._database.secrets
                token = await secrets.open(connection, account_id, SEALED_FIELD, account_id, row.sealed)
                known = _Known(row.connected_at, self._portal(account_id, token, row.connected_at))
                self._portals[account_id] = known
        return self._circuits.around_crm(HubSpotCrm(known.portal), account_id, NAME)

    async def connected(self) -> list[tuple[AccountId, str]]:
        """The accounts that have their records in HubSpot, and their names, oldest first."""
        query = (
            select(accounts.c.id, accounts.c.name)
            .join(crm_connections, crm_connections.c.account_id == accounts.c.id)
            .order_by(accounts.c.created_at, accounts.c.id)
        )
        async with self._database.snapshot() as connection:
            return [(AccountId(row.id), row.name) for row in await execute(connection, query)]

    async def check_access(self, account_id: AccountId) -> None:
        """Ask HubSpot one thing in an account's name; nobody is told what comes of it.

        Raises:
            NotFound: its records are not in HubSpot.
            ProviderError: as the port `Crm` says.
        """
        query = select(crm_connections).where(crm_connections.c.account_id == account_id)
        async with self._database.snapshot() as connection:
            row = (await execute(connection, query)).one_or_none()
            if row is None:
                raise NotFound("crm connection")
            token = await self._database.secrets.open(connection, account_id, SEALED_FIELD, account_id, row.sealed)
        await self._given(token).check_access()

    async def try_token(self, token: str) -> None:
        """See `TryCrm`."""

        await self._given(token).prepare()

    def _given(self, token: str) -> Portal:
        async def given() -> str:
            return token

        return Portal(self._transport, given)

    def _portal(self, account_id: AccountId, token: str, connected_at: datetime) -> Portal:
        async def given() -> str:
            return token

        async def refused() -> bool:
            begin = self._database.begin("system")
            return await note_crm_refusal(account_id, connected_at, begin=begin, clock=self._clock)

        return Portal(self._transport, given, refused)


def hubspot_transport(url: str) -> Transport:
    """To be made once per process."""
    return Transport(url, threads=THREADS, call_seconds=CALL_SECONDS, wait_seconds=WAIT_SECONDS)
