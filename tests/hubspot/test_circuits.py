"""A portal that is away is left alone for a while, and others go on (RT-5)."""

from collections.abc import AsyncIterator, Iterator

import pytest

from meetings.adapters.hubspot.simulator import HubSpotSimulator, SimulatedPortal
from meetings.application.connect_crm import connect_hubspot
from meetings.application.ports.calendars import ProviderResting, ProviderUnavailable
from meetings.application.ports.crm import Crm, CrmAccessLost
from meetings.application.sign_in import NewPerson, found_account
from meetings.domain.base import NotFound
from meetings.domain.user import User
from meetings.infrastructure.circuits.breaker import IN_A_ROW, REST_SECONDS
from tests.databases import Simulators, database_url, simulators, sqlite_template
from tests.world import PASSWORD, World, world

__all__ = ["database_url", "simulators", "sqlite_template"]

VERA = "vera@visitors.example"
CALL = "contacts.read"


@pytest.fixture
def hubspot() -> Iterator[HubSpotSimulator]:
    with HubSpotSimulator().serve() as started:
        yield started


@pytest.fixture
async def here(database_url: str, simulators: Simulators, hubspot: HubSpotSimulator) -> AsyncIterator[World]:
    async with world(database_url, *simulators, hubspot_url=hubspot.url) as here:
        yield here


@pytest.fixture
async def portal(here: World, hubspot: HubSpotSimulator) -> SimulatedPortal:
    return await connected(here, here.anna, hubspot)


async def connected(here: World, user: User, hubspot: HubSpotSimulator) -> SimulatedPortal:
    portal, tools = hubspot.add_portal(), here.tools
    await connect_hubspot(
        portal.token, caller=here.caller_of(user), begin=tools.begin, try_crm=tools.try_crm, clock=tools.clock
    )
    return portal


async def records(here: World) -> Crm:
    """As each use case opens them."""
    return await here.tools.crm_of(here.anna.account_id)


async def goes_away(here: World, hubspot: HubSpotSimulator) -> None:
    await (await records(here)).known([VERA])
    for _ in range(IN_A_ROW):
        hubspot.fault(CALL, status=503)
        with pytest.raises(ProviderUnavailable) as away:
            await (await records(here)).known([VERA])
        assert not isinstance(away.value, ProviderResting)


async def test_a_portal_that_is_away_is_not_asked_until_it_had_time_to_come_back(
    here: World, portal: SimulatedPortal, hubspot: HubSpotSimulator
) -> None:
    await goes_away(here, hubspot)
    asked = len(hubspot.calls())
    for _ in range(3):
        with pytest.raises(ProviderResting) as resting:
            await (await records(here)).known([VERA])
        assert 0 < resting.value.retry_after <= REST_SECONDS
    assert len(hubspot.calls()) == asked
    here.clock.passes(seconds=REST_SECONDS + 1)
    assert await (await records(here)).known([VERA]) == {}


async def test_the_records_of_another_account_are_not_held_back(
    here: World, portal: SimulatedPortal, hubspot: HubSpotSimulator
) -> None:
    tools, person = here.tools, NewPerson("Olga", "olga@other.example", PASSWORD)
    olga = await found_account(
        "Other", person, identities=tools.identities, passwords=tools.passwords, clock=here.clock
    )
    await connected(here, olga, hubspot)
    await goes_away(here, hubspot)
    assert await (await tools.crm_of(olga.account_id)).known([VERA]) == {}


async def test_what_hubspot_refuses_is_an_answer(
    here: World, portal: SimulatedPortal, hubspot: HubSpotSimulator
) -> None:
    for _ in range(2 * IN_A_ROW):
        with pytest.raises(NotFound):
            await (await records(here)).change_contact("404", {"company": "Acme"})
    portal.revoked = True
    for _ in range(2 * IN_A_ROW):
        with pytest.raises(CrmAccessLost):
            await (await records(here)).known([VERA])
