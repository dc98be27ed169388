"""What `meetings doctor` says of accounts that have their records in HubSpot."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from meetings.adapters.hubspot.simulator import HubSpotSimulator, SimulatedPortal
from meetings.application.connect_crm import connect_hubspot
from meetings.application.sign_in import NewPerson, found_account
from meetings.infrastructure.doctor import Finding, examine
from tests.databases import Simulators, database_url, simulators, sqlite_template
from tests.world import PASSWORD, World, world

__all__ = ["database_url", "simulators", "sqlite_template"]


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
    made = hubspot.add_portal()
    await connect(here, made)
    return made


async def connect(here: World, portal: SimulatedPortal, caller: Any = None) -> None:
    tools = here.tools
    await connect_hubspot(
        portal.token, caller=caller or here.caller, begin=tools.begin, try_crm=tools.try_crm, clock=tools.clock
    )


async def of_hubspot(here: World) -> list[Finding]:
    found = [finding async for finding in examine(here.runtime.settings)]
    assert "pat-" not in repr(found)
    return [finding for finding in found if finding.what.startswith("HubSpot")]


async def test_nothing_is_said_where_records_are_built_in(here: World) -> None:
    assert await of_hubspot(here) == []


async def test_each_account_is_looked_at(here: World, portal: SimulatedPortal, hubspot: HubSpotSimulator) -> None:
    here.clock.passes(seconds=1)
    tools = here.tools
    person = NewPerson("Olga", "olga@other.example", PASSWORD)
    olga = await found_account(
        "Other", person, identities=tools.identities, passwords=tools.passwords, clock=here.clock
    )
    other = hubspot.add_portal()
    await connect(here, other, here.caller_of(olga))
    other.revoked = True
    first, second = await of_hubspot(here)
    assert first == Finding("HubSpot of Example", "answers and lets us in")
    assert (second.what, second.found) == ("HubSpot of Other", "refuses us")
    assert second.advice is not None
    assert "connect HubSpot again" in second.advice


async def test_looking_tells_nobody_and_changes_nothing(here: World, portal: SimulatedPortal) -> None:
    await here.settle_down()
    portal.revoked = True
    await of_hubspot(here)
    await here.settle_down()
    assert here.mail.mails == ()
    async with here.tools.look(here.anna.account_id) as work:
        connection = await work.crm_connection.current()
    assert connection is not None
    assert connection.refused_at is None


@pytest.mark.parametrize("fault", [{"status": 503}, {"reset": True}, {"delay_before": 12.0}], ids=str)
async def test_a_portal_that_is_away_is_told_in_time(
    here: World, portal: SimulatedPortal, hubspot: HubSpotSimulator, fault: dict[str, Any]
) -> None:
    hubspot.fault("owners.list", **fault)
    began = time.monotonic()
    [finding] = await of_hubspot(here)
    assert time.monotonic() - began < 11
    assert finding.found == "does not answer us (ProviderUnavailable)"
    assert finding.advice is not None
