"""One suite, two databases: every test here runs on SQLite and on PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from meetings.application.ports.unit_of_work import Begin
from meetings.domain.account import Account
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.user import User
from meetings.infrastructure.database.migrate import migrate
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.identities import SqlIdentities
from meetings.infrastructure.secrets import Keyring, new_key
from tests.builders import a_connection, a_page, a_user, an_account
from tests.services import Run

KEYRING = Keyring.parse(new_key("test"))


@pytest.fixture(scope="session")
def sqlite_template(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema and no rows."""
    path = run.directory / "template.db"

    def make() -> str:
        asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))
        return str(path)

    # In a thread of its own, because pytest-asyncio's loop may be this thread's current one.
    with ThreadPoolExecutor(1) as thread:
        return Path(run.once("sqlite-template", lambda: thread.submit(make).result()))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with the newest schema that is this test's alone."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    path = tmp_path / "meetings.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, keyring=KEYRING)
    yield database
    await database.close()


@dataclass
class Tenant:
    """An account with one host, a page and a connected calendar, all stored."""

    account: Account
    host: User
    page: SchedulingPage
    connection: CalendarConnection
    begin: Begin = field(repr=False)
    look: Begin = field(repr=False)


async def a_tenant(database: Database) -> Tenant:
    account = an_account()
    host = a_user(account.account_id)
    page, connection = a_page(host), a_connection(host)
    begin = database.begin("tester")
    await SqlIdentities(database).found(account, host)
    async with begin(account.account_id) as work:
        work.pages.add(page)
        work.connections.add(connection, "the credentials")
        await work.commit()
    return Tenant(account, host, page, connection, begin, database.look())


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    return await a_tenant(database)


@pytest.fixture
async def stranger(database: Database) -> Tenant:
    """Another account in the same database."""
    return await a_tenant(database)
