"""Bookings reach HubSpot whatever happens to it (A-CR8): nothing waits for it, nothing is lost, nothing is doubled."""

from collections.abc import AsyncIterator, Iterator

import pytest

from meetings.adapters.hubspot.simulator import HubSpotSimulator, SimulatedPortal
from meetings.application.connect_crm import connect_hubspot
from meetings.application.ports.calendars import ProviderError
from tests.contracts.calendars.world import CalendarWorld
from tests.databases import Simulators, database_url, simulators, sqlite_template
from tests.faults.test_worker_kills import nothing_open, reserve
from tests.faults.workers import fresh_worker
from tests.hosted import PLACES, Hosted, hosted, now
from tests.waiting import until
from tests.world import HOST_EMAIL, World

__all__ = ["database_url", "simulators", "sqlite_template"]


@pytest.fixture
def hubspot() -> Iterator[HubSpotSimulator]:
    with HubSpotSimulator().serve() as started:
        yield started


@pytest.fixture
def place() -> Iterator[CalendarWorld]:
    with PLACES["google"](clock=now) as started:
        yield started


@pytest.fixture
async def anna(
    database_url: str, place: CalendarWorld, simulators: Simulators, hubspot: HubSpotSimulator
) -> AsyncIterator[Hosted]:
    async with hosted(database_url, place, simulators, sweep_seconds=0.2, hubspot_url=hubspot.url) as found:
        await found.connect()
        yield found


@pytest.fixture
async def portal(anna: Hosted, hubspot: HubSpotSimulator) -> SimulatedPortal:
    made = hubspot.add_portal([HOST_EMAIL])
    await connect(anna.here, made)
    return made


async def connect(here: World, portal: SimulatedPortal) -> None:
    tools = here.tools
    await connect_hubspot(portal.token, caller=here.caller, begin=tools.begin, try_crm=tools.try_crm, clock=tools.clock)


@pytest.mark.parametrize(
    "fault",
    [{"status": 503}, {"drop_after_commit": True}, {"status": 429, "retry_after": 1}],
    ids=str,
)
async def test_a_booking_made_while_hubspot_fails_is_on_record_once_in_the_end(
    anna: Hosted, portal: SimulatedPortal, hubspot: HubSpotSimulator, fault: dict[str, object]
) -> None:
    for operation in ("contacts.upsert", "meetings.upsert", "meetings.associate"):
        hubspot.fault(operation, **fault)
    _, booking_id = await reserve(anna.here)
    async with fresh_worker(anna.here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(anna.here), seconds=60)
    (contact,) = portal.objects["contacts"].values()
    (meeting,) = portal.objects["meetings"].values()
    assert contact.properties["hubspot_owner_id"] == portal.owners[HOST_EMAIL]
    assert (meeting.properties["meetings_key"], meeting.properties["hs_meeting_outcome"]) == (
        str(booking_id),
        "SCHEDULED",
    )
    assert meeting.associated == {("contacts", contact.id)}


async def test_a_booking_made_while_the_token_was_refused_is_on_record_after_connecting_again(
    anna: Hosted, portal: SimulatedPortal, hubspot: HubSpotSimulator
) -> None:
    here = anna.here
    portal.revoked = True
    _, booking_id = await reserve(here)
    async with here.tools.look(here.anna.account_id) as work:
        assert (await work.bookings.get(booking_id)).host == here.anna.id
    crm = await here.tools.crm_of(here.anna.account_id)
    with pytest.raises(ProviderError):
        await crm.known([HOST_EMAIL])
    async with here.tools.look(here.anna.account_id) as work:
        connection = await work.crm_connection.current()
    assert connection is not None
    assert connection.refused_at is not None
    hubspot.renew_token(portal, "pat-eu1-another-one")
    await connect(here, portal)
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here), seconds=60)
    (meeting,) = portal.objects["meetings"].values()
    assert meeting.properties["meetings_key"] == str(booking_id)
