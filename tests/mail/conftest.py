"""Everything about mail with contacts, for a mailbox at each provider in turn."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.mail.conftest import WORLDS
from tests.databases import Simulators, database_url, simulators, sqlite_template
from tests.mailed import Mailed, mailed

__all__ = ["database_url", "simulators", "sqlite_template"]


@pytest.fixture(params=WORLDS)
async def anna(request: pytest.FixtureRequest, database_url: str, simulators: Simulators) -> AsyncIterator[Mailed]:
    """Anna, whose mailbox is at each provider in turn."""
    async with mailed(database_url, request.param, simulators) as found:
        yield found


@pytest.fixture
async def ada(database_url: str, simulators: Simulators) -> AsyncIterator[Mailed]:
    """The same at one provider, for what no provider has a part in."""
    async with mailed(database_url, next(iter(WORLDS)), simulators) as found:
        yield found
