"""The records in two portals of the simulated HubSpot."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

from meetings.adapters.hubspot.access import Access, PrivateApp, SignedIn
from meetings.adapters.hubspot.crm import HubSpotCrm
from meetings.adapters.hubspot.oauth import HubSpotSignIn
from meetings.adapters.hubspot.portal import Portal
from meetings.adapters.hubspot.simulator import HubSpotSimulator, SimulatedPortal
from meetings.adapters.hubspot.transport import Transport
from meetings.application.ports.crm import Crm
from tests.contracts.calendars.world import HeldCredentials

CLIENT_ID, CLIENT_SECRET = "an-app-of-ours", "its-secret"
REDIRECT_URI = "http://127.0.0.1/oauth/hubspot/callback"


@dataclass
class HubSpotWorld:
    """See `CrmWorld`."""

    portals: tuple[SimulatedPortal, SimulatedPortal]
    crm: Crm
    rival: Crm
    elsewhere: Crm
    owners: tuple[str, str] = ("anna@example.com", "ben@example.com")

    async def count(self) -> tuple[int, int, int]:
        contacts, meetings, mails = [
            sum(len(portal.objects[kind]) for portal in self.portals) for kind in ("contacts", "meetings", "emails")
        ]
        return contacts, meetings, mails


@asynccontextmanager
async def hubspot_world() -> AsyncIterator[HubSpotWorld]:
    with HubSpotSimulator().serve() as hubspot:
        ours, theirs = (hubspot.add_portal(HubSpotWorld.owners) for _ in range(2))
        crm, rival, elsewhere = (crm_of(hubspot, portal) for portal in (ours, ours, theirs))
        yield HubSpotWorld((ours, theirs), crm, rival, elsewhere)


@asynccontextmanager
async def signed_in_world() -> AsyncIterator[HubSpotWorld]:
    """The same by signing in; each access token is about to end by the time of the next call."""
    with HubSpotSimulator().serve() as hubspot:
        hubspot.sign_ins.access_seconds = 60
        ours, theirs = (hubspot.add_portal(HubSpotWorld.owners) for _ in range(2))
        shared = await signed_in(hubspot, ours)
        crm, rival = (crm_with(hubspot, SignedIn(shared, sign_in_to(hubspot).refresh, _now)) for _ in range(2))
        other = SignedIn(await signed_in(hubspot, theirs), sign_in_to(hubspot).refresh, _now)
        yield HubSpotWorld((ours, theirs), crm, rival, crm_with(hubspot, other))


def crm_of(hubspot: HubSpotSimulator, portal: SimulatedPortal, *, wait_seconds: float = 15.0) -> HubSpotCrm:
    """The adapter as a process of its own has it, with a private app's token."""
    return crm_with(hubspot, PrivateApp(portal.token), wait_seconds=wait_seconds)


def crm_with(hubspot: HubSpotSimulator, access: Access, *, wait_seconds: float = 15.0) -> HubSpotCrm:
    return HubSpotCrm(Portal(_transport(hubspot, wait_seconds), access))


def sign_in_to(hubspot: HubSpotSimulator) -> HubSpotSignIn:
    """What people sign in with, as a process of its own has it."""
    hubspot.register_app(CLIENT_ID, CLIENT_SECRET, REDIRECT_URI)
    return HubSpotSignIn(CLIENT_ID, CLIENT_SECRET, hubspot.authorize_url, _transport(hubspot, 15.0), _now)


async def signed_in(hubspot: HubSpotSimulator, portal: SimulatedPortal) -> HeldCredentials:
    """Somebody goes to the consent page, allows, and comes back."""
    sign_in = sign_in_to(hubspot)
    page = sign_in.consent_page(state="a state", redirect_uri=REDIRECT_URI)
    back = await asyncio.to_thread(hubspot.auto_consent, portal, page)
    told = dict(parse_qsl(urlsplit(back).query))
    assert told["state"] == "a state"
    return HeldCredentials(await sign_in.finish(code=told["code"], redirect_uri=REDIRECT_URI))


def _transport(hubspot: HubSpotSimulator, wait_seconds: float) -> Transport:
    return Transport(hubspot.url, threads=4, call_seconds=5.0, wait_seconds=wait_seconds)


def _now() -> datetime:
    return datetime.now(UTC)
