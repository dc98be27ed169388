"""The contract runs once per provider, for Exchange with its oldest and a newer version. Another one is a line more in
`WORLDS`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest

from meetings.application.ports.calendars import Calendars, ServerAuth
from tests.contracts.calendars.exchange_world import exchange_world
from tests.contracts.calendars.google_world import google_world
from tests.contracts.calendars.office365_world import office365_world
from tests.contracts.calendars.world import CalendarWorld, HeldCredentials

WORLDS: dict[str, Callable[..., AbstractContextManager[CalendarWorld]]] = {
    "google": google_world,
    "office365": office365_world,
    "exchange": exchange_world,
    "exchange-2019": partial(exchange_world, version="15.2", auth=ServerAuth.NTLM),
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
