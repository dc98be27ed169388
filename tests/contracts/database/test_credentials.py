"""The credentials of a connection: sealed, and renewed once however many want newer ones (OA-6)."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from meetings.application.ports.calendars import ProviderUnavailable, ReauthorizationNeeded
from meetings.infrastructure.credentials import StoredCredentials
from meetings.infrastructure.database.tables import credentials
from meetings.infrastructure.database.transaction import transaction_open
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database
from tests.contracts.database.conftest import KEYRING, Tenant


class TokenEndpoint:
    """A provider's: a refresh token is good once, and its answer takes a while."""

    def __init__(self, valid: str = "the credentials") -> None:
        self.valid = valid
        self.calls = 0
        self.in_transaction = False

    async def refresh(self, given: str) -> str:
        self.calls += 1
        self.in_transaction |= transaction_open.get()
        spent = given != self.valid
        newer = self.valid if spent else f"credentials {self.calls}"
        self.valid = newer
        await asyncio.sleep(0.03)
        if spent:
            raise ReauthorizationNeeded("invalid_grant")
        return newer


def of(tenant: Tenant, database: Database, **given: Any) -> StoredCredentials:
    return StoredCredentials(database, tenant.account.account_id, tenant.connection.id, **given)


async def replace(tenant: Tenant, text: str | None) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        await work.connections.replace_credentials(tenant.connection.id, text)
        await work.commit()


async def test_the_newest_credentials_are_given(tenant: Tenant, database: Database) -> None:
    stored = of(tenant, database)
    assert await stored.current() == "the credentials"
    await replace(tenant, "newer")
    assert await stored.current() == "newer"
    await replace(tenant, None)
    with pytest.raises(ReauthorizationNeeded):
        await stored.current()
    with pytest.raises(ReauthorizationNeeded):
        await stored.renew("newer", TokenEndpoint().refresh)


async def test_credentials_of_another_account_are_not_given(
    tenant: Tenant, stranger: Tenant, database: Database
) -> None:
    stored = StoredCredentials(database, tenant.account.account_id, stranger.connection.id)
    with pytest.raises(ReauthorizationNeeded):
        await stored.current()


async def test_twenty_who_want_newer_ones_make_one_refresh(tenant: Tenant, database_url: str) -> None:
    """In two processes, of which each knows only the database."""
    processes = [Database(database_url, keyring=KEYRING) for _ in range(2)]
    endpoint = TokenEndpoint()
    expired = "the credentials"
    for number in range(1, 4):
        renewed = await asyncio.gather(
            *(of(tenant, processes[turn % 2]).renew(expired, endpoint.refresh) for turn in range(20))
        )
        assert set(renewed) == {f"credentials {number}"}
        expired = renewed[0]
    assert endpoint.calls == 3
    assert not endpoint.in_transaction
    for process in processes:
        await process.close()


async def test_without_lease_the_twenty_lose_the_grant(tenant: Tenant, database: Database) -> None:
    """The control for the test above: everybody refreshes for themselves, and the single-use token is spent."""
    endpoint = TokenEndpoint()

    async def unguarded() -> str:
        return await endpoint.refresh(await of(tenant, database).current())

    results = await asyncio.gather(*(unguarded() for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(result, ReauthorizationNeeded) for result in results) >= 1


async def test_whoever_comes_late_gets_what_others_made(tenant: Tenant, database: Database) -> None:
    endpoint = TokenEndpoint()
    await of(tenant, database).renew("the credentials", endpoint.refresh)
    assert await of(tenant, database).renew("the credentials", endpoint.refresh) == "credentials 1"
    assert endpoint.calls == 1


async def test_a_refused_grant_is_looked_at_again_first(tenant: Tenant, database: Database) -> None:
    """The person signed in again while the provider was answering no."""

    async def refuse(_: str) -> str:
        await replace(tenant, "signed in again")
        raise ReauthorizationNeeded("invalid_grant")

    assert await of(tenant, database).renew("the credentials", refuse) == "signed in again"


async def test_a_refused_grant_is_told_and_lets_the_next_one_try(tenant: Tenant, database: Database) -> None:
    endpoint = TokenEndpoint(valid="something else")
    for _ in range(2):
        with pytest.raises(ReauthorizationNeeded):
            await of(tenant, database).renew("the credentials", endpoint.refresh)
    assert endpoint.calls == 2


async def test_a_refresh_that_fails_otherwise_lets_the_next_one_try(tenant: Tenant, database: Database) -> None:
    async def fail(_: str) -> str:
        raise ProviderUnavailable("time-out")

    with pytest.raises(ProviderUnavailable):
        await of(tenant, database).renew("the credentials", fail)
    assert await of(tenant, database).renew("the credentials", TokenEndpoint().refresh) == "credentials 1"


async def test_a_refresh_that_is_cancelled_lets_the_next_one_try(tenant: Tenant, database: Database) -> None:
    async def hang(_: str) -> str:
        await asyncio.sleep(60)
        return ""

    task = asyncio.create_task(of(tenant, database).renew("the credentials", hang))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        assert await of(tenant, database).renew("the credentials", TokenEndpoint().refresh) == "credentials 1"


async def test_somebody_who_signed_in_meanwhile_is_not_overwritten(tenant: Tenant, database: Database) -> None:
    async def refresh(_: str) -> str:
        await replace(tenant, "signed in again")
        return "from the old grant"

    assert await of(tenant, database).renew("the credentials", refresh) == "signed in again"
    assert await of(tenant, database).current() == "signed in again"


async def test_a_process_that_died_during_a_refresh_is_waited_for_and_replaced(
    tenant: Tenant, database: Database
) -> None:
    async with database.transaction() as connection:
        held = update(credentials).where(credentials.c.connection_id == tenant.connection.id)
        await connection.execute(held.values(lease=tenant.connection.id, lease_until=database_time(0.4)))
    endpoint = TokenEndpoint()
    with pytest.raises(ProviderUnavailable):
        await of(tenant, database, wait_seconds=0.05).renew("the credentials", endpoint.refresh)
    assert await of(tenant, database).renew("the credentials", endpoint.refresh) == "credentials 1"
