"""Where it stands that an account's records are kept in a CRM of its own."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from meetings.domain.crm_connection import CrmConnection


class CrmConnections(Protocol):
    """That of the unit of work's account."""

    async def current(self) -> CrmConnection | None:
        """None: the records are built in."""

    async def put(self, credentials: str, *, now: datetime) -> None:
        """From the commit on the records are in HubSpot, with these credentials, which are stored sealed: a private
        app's access token, or what a sign-in gave."""

    async def refuse(self, connected_at: datetime, *, now: datetime) -> bool:
        """Write down that HubSpot refuses what was given at `connected_at`. Whether this is news: not for the second
        who finds out, nor when another token was given meanwhile, or none is left."""

    async def remove(self) -> str | None:
        """The credentials there were, to be given back; they are gone here. None: there was no connection."""


class CrmSignIn(Protocol):
    """The CRM's consent page. A trip there is good once; see `CrmTrips`."""

    def consent_page(self, *, state: str, redirect_uri: str) -> str:
        """Where to send the person, with our one-time `state` and all the scopes that are needed."""

    async def finish(self, *, code: str, redirect_uri: str) -> str:
        """The credentials for the code of a callback, to be sealed.

        Raises:
            CodeRejected: used, expired, or not ours.
            AccessNotGranted: less was granted than is needed.
            ProviderUnavailable, RateLimited: no answer; the code may be used up.
        """

    async def revoke(self, credentials: str) -> None:
        """Give back what a sign-in gave; again, or for a token that was handed over, nothing happens.

        Raises:
            ProviderUnavailable, RateLimited: worth another try.
        """


TryCrm = Callable[[str], Awaitable[None]]
"""Call the CRM with credentials, an access token or what a sign-in gave, and make ready there what our records need.
Again changes nothing.

Raises:
    ReauthorizationNeeded: the token is not accepted, or lets us do too little.
    ProviderUnavailable, RateLimited: worth another try.
    RecordRefused: it cannot be made ready.
"""
