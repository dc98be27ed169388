"""The contract runs once per provider. Another provider is one more line in `WORLDS`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from meetings.application.ports.calendars import Calendars
from tests.contracts.calendars.exchange_world import exchange_world
from tests.contracts.calendars.google_world import google_world
from tests.contracts.calendars.office365_world import office365_world
from tests.contracts.calendars.world import CalendarWorld, HeldCredentials

WORLDS: dict[str, Callable[[], AbstractContextManager[CalendarWorld]]] = {
    "google": google_world,
    "office365": office365_world,
    "exchange": exchange_world,
}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[CalendarWorld]:
    with WORLDS[request.param]() as started:
        yield started


@pytest.fixture
def credentials(world: CalendarWorld) -> HeldCredentials:
    return world.sign_in()


@pytest.fixture
def calendars(world: CalendarWorld, credentials: HeldCredentials) -> Calendars:
    return world.provider.calendars(credentials)
