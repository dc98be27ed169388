"""What a test or the demo does with the simulator."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from meetings.adapters.hubspot.simulator.app import Call, Simulation
from meetings.adapters.hubspot.simulator.browser import walk_consent
from meetings.adapters.hubspot.simulator.oauth import AUTHORIZE_PATH, App, SignIns
from meetings.adapters.hubspot.simulator.portal import SimulatedPortal
from meetings.adapters.scripted_faults.faults import Fault
from meetings.adapters.scripted_faults.serving import serve_in_loop, serve_in_thread


class HubSpotSimulator:
    """HubSpot as a whole: several portals at one address, `url` while it is served."""

    def __init__(self) -> None:
        self._simulation = Simulation()
        self._next_owner = 70_001
        self.url = ""

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator["HubSpotSimulator"]:
        """In a thread of its own, until the block ends."""
        with serve_in_thread(self._simulation, port) as self.url:
            yield self

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["HubSpotSimulator"]:
        """Inside the running loop."""
        async with serve_in_loop(self._simulation, port) as self.url:
            yield self

    def add_portal(self, owners: Iterable[str] = (), **about: Any) -> SimulatedPortal:
        """A portal with these people; `about` are fields of `SimulatedPortal`."""
        portal = SimulatedPortal(**about)
        for email in owners:
            portal.owners[email] = str(self._next_owner)
            self._next_owner += 1
        self._simulation.portals[portal.token] = portal
        return portal

    def renew_token(self, portal: SimulatedPortal, token: str) -> None:
        """The portal's private app gets another token; the one before is not accepted any more."""
        del self._simulation.portals[portal.token]
        portal.token, portal.revoked = token, False
        self._simulation.portals[token] = portal

    # ---- signing in -------------------------------------------------------------------------------------------------

    @property
    def authorize_url(self) -> str:
        """The consent page."""
        return f"{self.url}{AUTHORIZE_PATH}"

    @property
    def sign_ins(self) -> SignIns:
        """What tokens are given (`calls_per_token`, `rotate`), and the apps in portals."""
        return self._simulation.sign_ins

    def register_app(self, client_id: str, client_secret: str, *redirect_uris: str) -> None:
        """The one app people can sign in for."""
        self.sign_ins.app = App(client_id, client_secret, frozenset(redirect_uris))

    def auto_consent(self, portal: SimulatedPortal, authorization_url: str, *, allow: bool = True) -> str:
        """Walk the consent page as a browser would, over HTTP; gives the address it is sent back to.

        Blocks: call it from a thread of its own when the simulator runs inside the same loop.
        """
        return walk_consent(authorization_url, portal.hub_id, allow=allow)

    def expire_access_tokens(self, portal: SimulatedPortal) -> None:
        """All access tokens so far give 401; refreshing works."""
        with self._simulation.lock:
            self.sign_ins.expire(portal)

    def remove_app(self, portal: SimulatedPortal) -> None:
        """Access tokens give 401, refreshing gives `invalid_grant`."""
        with self._simulation.lock:
            self.sign_ins.remove(portal)

    # ---- what goes wrong --------------------------------------------------------------------------------------------

    def fault(self, match: Any = None, **about: Any) -> Fault:
        """See `scripted_faults`."""
        return self._simulation.faults.add(Fault(match, **about))

    def clear_faults(self) -> None:
        self._simulation.faults.clear()

    def calls(self, operation: str | None = None) -> list[Call]:
        return [call for call in self._simulation.calls if operation in (None, call.operation)]
