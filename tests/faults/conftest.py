"""Databases, simulators and workers for the fault tests."""

from collections.abc import Iterator

import pytest

from tests.databases import database_url, simulators, sqlite_template
from tests.faults.workers import Nursery, nursery

__all__ = ["database_url", "simulators", "sqlite_template"]


@pytest.fixture(scope="session")
def killable_worker() -> Iterator[Nursery]:
    """Starts workers that die at a step, one after the other."""
    with nursery() as started:
        yield started
