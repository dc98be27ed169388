"""Where it stands that an account's records are kept in a CRM of its own."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from meetings.domain.crm_connection import CrmConnection


class CrmConnections(Protocol):
    """That of the unit of work's account."""

    async def current(self) -> CrmConnection | None:
        """None: the records are built in."""

    async def put(self, token: str, *, now: datetime) -> None:
        """From the commit on the records are in HubSpot, with this access token, which is stored sealed."""

    async def refuse(self, connected_at: datetime, *, now: datetime) -> bool:
        """Write down that HubSpot refuses what was given at `connected_at`. Whether this is news: not for the second
        who finds out, nor when another token was given meanwhile, or none is left."""

    async def remove(self) -> bool:
        """Whether there was one. The token is gone."""


TryCrm = Callable[[str], Awaitable[None]]
"""Call the CRM with an access token, and make ready there what our records need. Again changes nothing.

Raises:
    ReauthorizationNeeded: the token is not accepted, or lets us do too little.
    ProviderUnavailable, RateLimited: worth another try.
    RecordRefused: it cannot be made ready.
"""
