"""Served simulators; calls are checked against the published schema of Exchange 2010 SP2, where that is at hand."""

from collections.abc import Iterator

import pytest
from exchangelib.protocol import BaseProtocol, CachingProtocol

from meetings.adapters.exchange.simulator import ExchangeSimulator
from tests.contracts.calendars.world import Clock
from tests.contracts.exchange import schema
from tests.contracts.exchange.clients import ADA, BOB, believing
from tests.contracts.exchange.schema import SchemaCheck


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def exchange(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExchangeSimulator]:
    """Ada in Berlin and Bob in New York, on Exchange 2010 SP2. Fails the test when a request or an answer breaks the
    schema.
    """
    check = SchemaCheck()
    with ExchangeSimulator(now=clock, version="14.2").serve() as simulator:
        if schema.AVAILABLE:
            simulator.observe(check)
        _people(simulator)
        monkeypatch.setattr(BaseProtocol, "HTTP_ADAPTER_CLS", believing(simulator.ca_file))
        yield simulator
        CachingProtocol.clear_cache()
    assert check.problems == []


@pytest.fixture
def unchecked_exchange(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExchangeSimulator]:
    """The same people, for requests that break the schema on purpose, and for other versions."""
    with ExchangeSimulator(now=clock, version="14.2").serve() as simulator:
        _people(simulator)
        monkeypatch.setattr(BaseProtocol, "HTTP_ADAPTER_CLS", believing(simulator.ca_file))
        yield simulator
        CachingProtocol.clear_cache()


def _people(simulator: ExchangeSimulator) -> None:
    simulator.add_account(ADA, "Ada Lovelace", time_zone="Europe/Berlin")
    simulator.add_account(BOB, "Bob Stone", time_zone="America/New_York")
