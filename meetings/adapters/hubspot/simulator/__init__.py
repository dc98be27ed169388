"""HubSpot, simulated: CRM objects, properties, owners and associations over HTTP on a loopback address.

    with HubSpotSimulator().serve() as hubspot:
        portal = hubspot.add_portal(owners=["anna@example.com"])
        ... point a real client at hubspot.url with portal.token ...

It answers as HubSpot's documentation and its OpenAPI descriptions say; what rests on a guess is marked "assumed". For
the demo and the tests only.
"""

from meetings.adapters.hubspot.simulator.app import Call
from meetings.adapters.hubspot.simulator.control import HubSpotSimulator
from meetings.adapters.hubspot.simulator.portal import SimulatedPortal
from meetings.adapters.scripted_faults.faults import Fault

__all__ = ["Call", "Fault", "HubSpotSimulator", "SimulatedPortal"]
