"""A served simulator whose every call is checked against Google's discovery document."""

from collections.abc import Iterator

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from tests.contracts.calendars.world import Clock
from tests.contracts.google.discovery import DiscoveryCheck
from tests.contracts.google.receiver import Receiver, listening


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def google(clock: Clock) -> Iterator[GoogleSimulator]:
    """Ada in Berlin and Bob in New York. Fails the test when a request or an answer breaks Google's description."""
    check = DiscoveryCheck()
    with GoogleSimulator(now=clock).serve() as simulator:
        simulator.observe(check)
        simulator.add_account("ada@example.com", "Ada Lovelace", time_zone="Europe/Berlin")
        simulator.add_account("bob@example.com", "Bob Stone", time_zone="America/New_York")
        yield simulator
    assert check.problems == []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as started:
        yield started


@pytest.fixture
def unchecked_google(clock: Clock) -> Iterator[GoogleSimulator]:
    """The same people, for requests that break the description on purpose."""
    with GoogleSimulator(now=clock).serve() as simulator:
        simulator.add_account("ada@example.com", "Ada Lovelace", time_zone="Europe/Berlin")
        simulator.add_account("bob@example.com", "Bob Stone", time_zone="America/New_York")
        yield simulator
