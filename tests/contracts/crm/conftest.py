"""The contract runs once per CRM. Another one is a line more in `PLACES`."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from meetings.application.ports.crm import Crm
from tests.contracts.crm.built_in_world import built_in_world
from tests.contracts.crm.hubspot_world import hubspot_world, signed_in_world
from tests.contracts.crm.world import CrmWorld

Place = AbstractAsyncContextManager[CrmWorld]

PLACES: dict[str, Callable[[pytest.FixtureRequest], Place]] = {
    "sqlite": lambda request: built_in_world(request.getfixturevalue("sqlite_url")),
    "postgresql": lambda request: built_in_world(request.getfixturevalue("postgres_url")),
    "hubspot": lambda request: hubspot_world(),
    "hubspot by sign-in": lambda request: signed_in_world(),
}


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services), "hubspot", "hubspot by sign-in"]
)
def place(request: pytest.FixtureRequest) -> Place:
    return PLACES[request.param](request)


@pytest.fixture
async def world(place: Place) -> AsyncIterator[CrmWorld]:
    async with place as started:
        yield started


@pytest.fixture
def crm(world: CrmWorld) -> Crm:
    return world.crm
