"""A served simulator whose every call is checked against Microsoft's OpenAPI description, where that is at hand."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from meetings.adapters.office365.simulator import Office365Simulator
from tests.contracts.calendars.world import Clock
from tests.contracts.office365 import openapi
from tests.contracts.office365.clients import graph_client
from tests.contracts.office365.openapi import OpenApiCheck
from tests.contracts.office365.receiver import Receiver, listening


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def office(clock: Clock) -> Iterator[Office365Simulator]:
    """Ada in Berlin and Bob in New York. Fails the test when a request or an answer breaks Microsoft's description."""
    check = OpenApiCheck()
    with Office365Simulator(now=clock).serve() as simulator:
        if openapi.AVAILABLE:
            simulator.observe(check)
        _add_people(simulator)
        yield simulator
    assert check.problems == []


@pytest.fixture
def unchecked_office(clock: Clock) -> Iterator[Office365Simulator]:
    """The same people, for requests that break the description on purpose."""
    with Office365Simulator(now=clock).serve() as simulator:
        _add_people(simulator)
        yield simulator


@pytest.fixture
def ada(office: Office365Simulator) -> Iterator[httpx.Client]:
    """A client of Graph, signed in as Ada."""
    with graph_client(office, "ada@example.com") as client:
        yield client


@pytest.fixture
def signed_in(office: Office365Simulator) -> Iterator[Callable[..., httpx.Client]]:
    """`signed_in(email, scopes=..., prefer=...)` gives more clients."""
    with ExitStack() as open_clients:
        yield lambda email, **about: open_clients.enter_context(graph_client(office, email, **about))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as started:
        yield started


def _add_people(simulator: Office365Simulator) -> None:
    simulator.add_account("ada@example.com", "Ada Lovelace", time_zone="Europe/Berlin")
    simulator.add_account("bob@example.com", "Bob Stone", time_zone="America/New_York")
