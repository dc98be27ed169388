"""The product behind its API, one for each test: SQLite unless the test asks for PostgreSQL as well.

@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.adapters.google.simulator import GoogleSimulator
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.demo.name_server import NameServer
from tests.databases import database_url, simulators, sqlite_template
from tests.mailboxes import exchange_server
from tests.product import ApiClient, Product, product
from tests.siteverify import SiteVerify

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


@pytest.fixture
def exchange() -> Iterator[ExchangeSimulator]:
    """A server with Anna's mailbox; a product may call it whose settings say so (`may_call`)."""
    with exchange_server() as started:
        yield started


@pytest.fixture
def dns() -> Iterator[NameServer]:
    """A server of names; a product asks it whose settings say so."""
    with NameServer().serve() as server:
        yield server


@pytest.fixture
def siteverify() -> Iterator[SiteVerify]:
    """A server for captchas; a product asks it whose settings say so."""
    with SiteVerify().serve() as server:
        yield server
