"""The whole product with a host whose calendar is at any provider: what holds for one has to hold for all.

    async with hosted(database_url, place, simulators) as anna: ...

`place` is a provider's simulator as the contract of calendars knows it; its clock has to be the real one.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from meetings.application.connect_calendar import StartConnection, start_connection
from meetings.application.connect_exchange import ConnectExchange, connect_exchange
from meetings.application.ports.calendars import CalendarProvider
from meetings.domain.calendar_connection import Provider
from meetings.domain.identifiers import ConnectionId
from tests.contracts.calendars.exchange_world import exchange_world
from tests.contracts.calendars.google_world import google_world
from tests.contracts.calendars.office365_world import office365_world
from tests.contracts.calendars.world import CalendarWorld, SeenEvent
from tests.databases import Simulators
from tests.world import DASHBOARD, Callback, World, world


def now() -> datetime:
    return datetime.now(UTC)


PLACES: dict[str, Callable[..., AbstractContextManager[CalendarWorld]]] = {
    "google": google_world,
    "office365": office365_world,
    "exchange": exchange_world,
}
"""Each provider once; the contract of calendars also knows its versions."""


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Iterator[CalendarWorld]:
    """Each provider's simulator in turn, with the real clock."""
    with PLACES[request.param](clock=now) as started:
        yield started


@dataclass
class Hosted:
    """Anna, whose calendar is at `place`; `here` is everything around her."""

    here: World
    place: CalendarWorld

    @property
    def provider(self) -> Provider:
        return self.place.provider.provider

    @property
    def offered(self) -> CalendarProvider:
        """The provider as the product has it."""
        return self.here.tools.providers[self.provider]

    async def connect(self, *, reconnect: ConnectionId | None = None) -> ConnectionId:
        """Connect her calendar the way this provider wants it, and read it once."""
        tools, caller = self.here.tools, self.here.caller
        version = self.offered.disclosure.version
        typed = self.place.type_in()
        if typed is not None:
            stored = await connect_exchange(
                ConnectExchange(version, typed, reconnect),
                caller=caller,
                begin=tools.begin,
                look=tools.look,
                providers=tools.providers,
                clock=self.here.clock,
            )
            await self.here.settle_down()
            assert stored.connection_id is not None
            return stored.connection_id
        started = await start_connection(
            StartConnection(self.provider, version, DASHBOARD, reconnect),
            caller=caller,
            look=tools.look,
            providers=tools.providers,
            attempts=tools.sign_in_attempts,
            links=tools.links,
            clock=self.here.clock,
            policy=tools.policy,
        )
        state = parse_qs(urlsplit(started.authorization_url).query)["state"][0]
        code = self.place.consent(started.authorization_url)
        finished = await self.here.come_back(Callback(state, code, None, started.browser_secret, self.provider))
        await self.here.settle_down()
        assert finished.connection_id is not None
        return finished.connection_id

    def events(self) -> list[SeenEvent]:
        """The live events of her primary calendar, as she sees them."""
        return self.place.seen(self.place.primary)


def settings_of(place: CalendarWorld) -> dict[str, Any]:
    """The product's settings that let it find this simulator."""
    prefix = place.provider.provider.value.lower()
    return {f"{prefix}_{name}": value for name, value in place.settings().items()}


@asynccontextmanager
async def hosted(database_url: str, place: CalendarWorld, simulators: Simulators, **more: Any) -> AsyncIterator[Hosted]:
    """Anna's product on an empty database, not connected yet."""
    async with world(database_url, *simulators, **{**settings_of(place), **more}) as here:
        yield Hosted(here, place)
