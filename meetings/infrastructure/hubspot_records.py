"""Which CRM an account's records are in, and HubSpot for those that have it (A-CR6)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from meetings.adapters.hubspot.access import Access, PrivateApp, SignedIn
from meetings.adapters.hubspot.crm import HubSpotCrm
from meetings.adapters.hubspot.oauth import Grant, HubSpotSignIn, is_grant
from meetings.adapters.hubspot.portal import Portal
from meetings.adapters.hubspot.transport import Transport
from meetings.application.connect_crm import note_crm_refusal
from meetings.application.ports.calendars import ProviderUnavailable
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import Crm
from meetings.domain.base import NotFound
from meetings.domain.identifiers import AccountId
from meetings.infrastructure.circuits.circuits import Circuits
from meetings.infrastructure.credentials import LEASE_SECONDS, StoredCredentials
from meetings.infrastructure.database.crm import SqlCrm
from meetings.infrastructure.database.crm_connections import OF_CRMS, SEALED_FIELD
from meetings.infrastructure.database.tables import accounts, crm_connections
from meetings.infrastructure.database.transaction import execute
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.settings import Settings

NAME = "HUBSPOT"
THREADS = 8
CALL_SECONDS = 20.0
WAIT_SECONDS = 5.0
"""How long a call waits for its turn under HubSpot's limits before it is put off."""


class NoClient(ProviderUnavailable):
    """An account signed in to HubSpot, and the client for that is not set up any more."""

    def __init__(self) -> None:
        super().__init__("the client that people signed in to HubSpot for is not set up any more")


@dataclass(frozen=True, slots=True)
class _Known:
    connected_at: datetime
    portal: Portal


class HubSpotRecords:
    """One for each process' event loop: what is remembered of a portal lasts until it is connected again."""

    def __init__(
        self,
        database: Database,
        transport: Transport,
        circuits: Circuits,
        *,
        sign_in: HubSpotSignIn | None,
        lease_seconds: float = LEASE_SECONDS,
        clock: Clock,
    ) -> None:
        self._database = database
        self._transport = transport
        self._sign_in = sign_in
        self._lease_seconds = lease_seconds
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
                text = await self._open(connection, account_id, row.sealed)
                portal = Portal(
                    self._transport, self._access(account_id, text), self._refused(account_id, row.connected_at)
                )
                known = _Known(row.connected_at, portal)
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
            text = await self._open(connection, account_id, row.sealed)
        await Portal(self._transport, self._access(account_id, text)).check_access()

    async def try_credentials(self, credentials: str) -> None:
        """See `TryCrm`. What a sign-in gave is minutes old, so that nobody has to renew it."""
        token = Grant.from_text(credentials).access_token if is_grant(credentials) else credentials
        await Portal(self._transport, PrivateApp(token)).prepare()

    async def _open(self, connection: AsyncConnection, account_id: AccountId, sealed: str) -> str:
        return await self._database.secrets.open(connection, account_id, SEALED_FIELD, account_id, sealed)

    def _access(self, account_id: AccountId, text: str) -> Access:
        if not is_grant(text):
            return PrivateApp(text)
        if self._sign_in is None:
            raise NoClient
        stored = StoredCredentials(
            self._database, account_id, account_id, place=OF_CRMS, lease_seconds=self._lease_seconds
        )
        return SignedIn(stored, self._sign_in.refresh, self._clock)

    def _refused(self, account_id: AccountId, connected_at: datetime) -> Callable[[], Awaitable[bool]]:
        async def refused() -> bool:
            begin = self._database.begin("system")
            return await note_crm_refusal(account_id, connected_at, begin=begin, clock=self._clock)

        return refused


def hubspot_transport(url: str) -> Transport:
    """To be made once per process."""
    return Transport(url, threads=THREADS, call_seconds=CALL_SECONDS, wait_seconds=WAIT_SECONDS)


def hubspot_sign_in(settings: Settings, transport: Transport, clock: Clock) -> HubSpotSignIn | None:
    """None: no app of HubSpot's is set up, so nobody can sign in there."""
    if settings.hubspot_client_id is None or settings.hubspot_client_secret is None:
        return None
    secret = settings.hubspot_client_secret.get_secret_value()
    return HubSpotSignIn(settings.hubspot_client_id, secret, settings.hubspot_authorize_url, transport, clock)
