"""A world of its own for each test, on SQLite. The clock stands on a Monday morning in Berlin."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, berlin, outside, sqlite_url, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    """Anna's account, nothing connected yet."""
    with outside() as (google, mail):
        async with world(sqlite_url(tmp_path), google, mail, now=berlin("2026-12-07 08:00")) as found:
            yield found
