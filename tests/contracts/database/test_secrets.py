"""Secrets in the database: sealed, bound to their place, readable with the right keys only (OA-7, OA-8)."""

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, Table, select, text, update

from meetings.application.ports.sign_in_attempts import SignInAttempt
from meetings.infrastructure.credentials import StoredCredentials
from meetings.infrastructure.database.sign_in_attempts import SqlSignInAttempts
from meetings.infrastructure.database.tables import account_keys, credentials, metadata
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.identities import SqlIdentities
from meetings.infrastructure.secrets import BadKeys, Keyring, SealBroken, new_key
from tests.contracts.database.conftest import KEYRING, Tenant, a_tenant
from tests.contracts.database.test_identities import an_attempt

OLD, NEW = new_key("old"), new_key("new")


def opened(tenant: Tenant, database: Database) -> StoredCredentials:
    return StoredCredentials(database, tenant.account.account_id, tenant.connection.id)


async def sealed(database: Database, tenant: Tenant) -> str:
    async with database.snapshot() as connection:
        query = select(credentials.c.sealed).where(credentials.c.connection_id == tenant.connection.id)
        found: str = (await connection.execute(query)).scalar_one()
    return found


async def put(database: Database, tenant: Tenant, text: str) -> None:
    async with database.transaction() as connection:
        mine = credentials.c.connection_id == tenant.connection.id
        await connection.execute(update(credentials).where(mine).values(sealed=text))


@pytest.mark.parametrize("position", [0, 2, 5, 20, -6, -1])
async def test_an_edited_secret_does_not_open(tenant: Tenant, database: Database, position: int) -> None:
    text = list(await sealed(database, tenant))
    text[position] = "A" if text[position] != "A" else "B"
    await put(database, tenant, "".join(text))
    with pytest.raises(SealBroken):
        await opened(tenant, database).current()


@pytest.mark.parametrize("wrong", ["", ":", "1:", "1:AAAA", "x:y", "9:AAAA", "no colon"])
async def test_what_was_never_sealed_does_not_open(tenant: Tenant, database: Database, wrong: str) -> None:
    await put(database, tenant, wrong)
    with pytest.raises(SealBroken):
        await opened(tenant, database).current()


async def test_a_secret_that_was_moved_does_not_open(tenant: Tenant, stranger: Tenant, database: Database) -> None:
    await put(database, tenant, await sealed(database, stranger))
    with pytest.raises(SealBroken):
        await opened(tenant, database).current()
    secrets = database.secrets
    account, other = tenant.account.account_id, stranger.account.account_id
    async with database.snapshot() as connection:
        text = await secrets.seal(connection, account, "table.field", "row", "hello")
        assert await secrets.open(connection, account, "table.field", "row", text) == "hello"
        for place in ((other, "table.field", "row"), (account, "table.other", "row"), (account, "table.field", "2")):
            with pytest.raises(SealBroken):
                await secrets.open(connection, *place, text)


async def test_the_same_secret_is_never_sealed_the_same_way(tenant: Tenant, database: Database) -> None:
    account = tenant.account.account_id
    async with database.snapshot() as connection:
        texts = [await database.secrets.seal(connection, account, "table.field", "row", "hello") for _ in range(5)]
    assert len(set(texts)) == 5


async def test_no_secret_stands_in_a_copy_of_the_database(tenant: Tenant, database: Database) -> None:
    planted = "canary-of-a-refresh-token"
    async with tenant.begin(tenant.account.account_id) as work:
        await work.connections.replace_credentials(tenant.connection.id, planted)
        await work.commit()
    attempt = an_attempt(tenant)
    attempts = SqlSignInAttempts(database)
    await attempts.add(SignInAttempt(**{**_fields(attempt), "verifier": "canary-of-a-verifier"}))
    copy = repr(await everything(database))
    assert "canary" not in copy
    assert "state" in copy  # the copy does hold what is no secret
    key = KEYRING.derive(b"test")
    assert all(secret.hex() not in copy for secret in key)


def _fields(attempt: SignInAttempt) -> dict[str, Any]:
    return {name: getattr(attempt, name) for name in attempt.__slots__}


async def everything(database: Database) -> list[Any]:
    """Every row of every table, as it is stored."""
    async with database.snapshot() as connection:
        stored = MetaData()
        await connection.run_sync(stored.reflect)
        assert set(metadata.tables) <= set(stored.tables)
        return [(table.name, await _rows(connection, table)) for table in stored.sorted_tables]


async def _rows(connection: Any, table: Table) -> list[Any]:
    return [tuple(row) for row in await connection.execute(text(f'SELECT * FROM "{table.name}"'))]


async def test_no_secret_stands_in_the_files_of_the_database(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "meetings.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite+aiosqlite:///{path}", keyring=KEYRING)
    tenant = await a_tenant(database)
    async with tenant.begin(tenant.account.account_id) as work:
        await work.connections.replace_credentials(tenant.connection.id, "canary-of-a-refresh-token")
        await work.commit()
    held = content_of(tmp_path)
    await database.close()
    assert b"canary" not in held
    assert tenant.page.slug.encode() in held
    with sqlite3.connect(path) as copy:
        assert "canary" not in "\n".join(copy.iterdump())


def content_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


# ---- the right keys -------------------------------------------------------------------------------------------------


async def test_a_database_starts_with_its_own_keys_only(database_url: str) -> None:
    mine = Database(database_url, keyring=Keyring.parse(OLD))
    await asyncio.gather(*(mine.check_keys() for _ in range(3)))
    await a_tenant(mine)
    await mine.check_keys()
    await mine.close()
    imposter = new_key("old")
    wrong = {
        NEW: "called old is needed and missing",
        imposter: "called old is not the one",
        f"{NEW},{imposter}": "called old is not the one",
    }
    for keys, why in wrong.items():
        other = Database(database_url, keyring=Keyring.parse(keys))
        with pytest.raises(BadKeys, match=why):
            await other.check_keys()
        await other.close()


async def test_keys_are_changed_while_everything_stays_readable(database_url: str) -> None:
    """OA-8: new key in front, wrap again, old key out."""
    before = Database(database_url, keyring=Keyring.parse(OLD))
    await before.check_keys()
    tenants = [await a_tenant(before) for _ in range(3)]
    await before.close()

    both = Database(database_url, keyring=Keyring.parse(f"{NEW},{OLD}"))
    await both.check_keys()
    assert await opened(tenants[0], both).current() == "the credentials"
    assert await both.rewrap_keys() == 3
    assert await both.rewrap_keys() == 0
    await both.close()

    after = Database(database_url, keyring=Keyring.parse(NEW))
    await after.check_keys()
    for tenant in tenants:
        assert await opened(tenant, after).current() == "the credentials"
    await after.close()


async def test_an_old_key_cannot_leave_while_it_is_in_use(database_url: str) -> None:
    both = Database(database_url, keyring=Keyring.parse(f"{NEW},{OLD}"))
    await both.check_keys()
    tenant = await a_tenant(both)
    old = Keyring.parse(OLD)
    context = f"account_keys|{tenant.account.id.hex}|1".encode()
    async with both.transaction() as connection:
        key_id, wrapped = old.seal(b"0" * 32, context)
        await connection.execute(update(account_keys).values(key_id=key_id, wrapped=wrapped))
    await both.check_keys()
    await both.close()
    alone = Database(database_url, keyring=Keyring.parse(NEW))
    with pytest.raises(BadKeys, match="still in use are missing: old"):
        await alone.check_keys()
    await alone.close()


async def test_an_account_founded_later_uses_the_newest_key(database_url: str) -> None:
    both = Database(database_url, keyring=Keyring.parse(f"{NEW},{OLD}"))
    await a_tenant(both)
    async with both.snapshot() as connection:
        assert (await connection.execute(select(account_keys.c.key_id))).scalars().all() == ["new"]
    assert await SqlIdentities(both).by_email("nobody@example.com") is None
    await both.close()
