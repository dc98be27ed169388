"""The product behind its API, one for each test: SQLite unless the test asks for PostgreSQL as well.

@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
"""

from collections.abc import AsyncIterator

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.databases import database_url, simulators, sqlite_template
from tests.product import ApiClient, Product, product

__all__ = ["database_url", "simulators", "sqlite_template"]


@pytest.fixture
async def served(database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]) -> AsyncIterator[Product]:
    """The product with its worker; Anna's account is in it, nothing connected yet."""
    async with product(database_url, *simulators) as started:
        yield started


@pytest.fixture
async def visitor(served: Product) -> AsyncIterator[ApiClient]:
    """Somebody who is not signed in."""
    async with served.visitor() as client:
        yield client


@pytest.fixture
async def host(served: Product) -> AsyncIterator[ApiClient]:
    """Anna, signed in."""
    async with served.host() as client:
        yield client
