"""One suite, two databases: every test here runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from meetings.application.ports.unit_of_work import Begin
from meetings.domain.account import Account
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.user import User
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.identities import SqlIdentities
from meetings.infrastructure.secrets import Keyring, new_key
from tests.builders import a_connection, a_page, a_user, an_account

KEYRING = Keyring.parse(new_key("test"))


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
