"""A world of its own for each test. The clock stands on a Monday morning in Berlin."""

from collections.abc import AsyncIterator

import pytest

from tests.world import World, berlin, outside, world

EIGHT = berlin("2035-12-03 08:00")


@pytest.fixture
async def here(sqlite_url: str) -> AsyncIterator[World]:
    """Anna's account on SQLite, nothing connected yet."""
    with outside() as (google, mail):
        async with world(sqlite_url, google, mail, now=EIGHT) as found:
            yield found


@pytest.fixture
async def anywhere(database_url: str) -> AsyncIterator[World]:
    """The same once on SQLite and once on PostgreSQL: for what the database has a say in."""
    with outside() as (google, mail):
        async with world(database_url, google, mail, now=EIGHT) as found:
            yield found
