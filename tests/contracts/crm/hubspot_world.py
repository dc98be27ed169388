"""The records in two portals of the simulated HubSpot."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from meetings.adapters.hubspot.crm import HubSpotCrm
from meetings.adapters.hubspot.portal import Portal
from meetings.adapters.hubspot.simulator import HubSpotSimulator, SimulatedPortal
from meetings.adapters.hubspot.transport import Transport
from meetings.application.ports.crm import Crm


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


def crm_of(hubspot: HubSpotSimulator, portal: SimulatedPortal, *, wait_seconds: float = 15.0) -> HubSpotCrm:
    """The adapter as a process of its own has it."""

    async def token() -> str:
        return portal.token

    transport = Transport(hubspot.url, threads=4, call_seconds=5.0, wait_seconds=wait_seconds)
    return HubSpotCrm(Portal(transport, token))
