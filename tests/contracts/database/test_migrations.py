"""Migrations: up, down, up again; the result is what the tables say."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, inspect, text
from sqlalchemy.exc import IntegrityError

from meetings.infrastructure.database.engines import write_engine
from meetings.infrastructure.database.migrate import migrate
from meetings.infrastructure.database.tables import metadata
from meetings.infrastructure.database.unit_of_work import Database
from tests import services
from tests.contracts.database.conftest import KEYRING, a_tenant


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a database with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/empty.db"
        return
    postgres: services.Postgres = request.getfixturevalue("postgres")
    url = await postgres.create_database()
    yield url
    await postgres.drop_database(url)


async def tables(url: str) -> set[str]:
    engine = write_engine(url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda inner: inspect(inner).get_table_names())
    await engine.dispose()
    return set(names) - {"alembic_version"}


async def test_up_down_and_up_again(empty_url: str) -> None:
    for _ in range(2):
        await migrate(empty_url)
        assert await tables(empty_url) == set(metadata.tables)
        await migrate(empty_url)
        await migrate(empty_url, "base")
        assert await tables(empty_url) == set()
    await migrate(empty_url)
    await migrate(empty_url, "-1")
    await migrate(empty_url, "+1")
    await migrate(empty_url, "0001")
    await migrate(empty_url)
    database = Database(empty_url, keyring=KEYRING)
    await a_tenant(database)
    await database.close()


async def test_what_the_migrations_make_is_what_the_tables_say(empty_url: str) -> None:
    await migrate(empty_url)
    engine = write_engine(empty_url)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": connection.dialect.name != "sqlite"})
        return [found for found in compare_metadata(context, metadata) if not is_the_guards_column(found)]

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def is_the_guards_column(difference: object) -> bool:
    """`host_times.during` of PostgreSQL is made by the database from the two ends, and read by its constraint only."""
    match difference:
        case ("remove_column", _, "host_times", Column(name="during")):
            return True
    return False


async def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    await asyncio.gather(*(migrate(empty_url) for _ in range(4)))
    assert await tables(empty_url) == set(metadata.tables)


async def test_a_database_is_ready_once_it_has_the_newest_schema(empty_url: str) -> None:
    database = Database(empty_url, keyring=KEYRING)
    assert not await database.ready()
    await database.migrate()
    assert await database.ready()
    await database.migrate("base")
    assert not await database.ready()
    await database.close()


async def test_an_interrupted_migration_leaves_nothing_and_can_be_repeated(empty_url: str) -> None:
    """PF-6: the last table is in the way, so the migration fails at its end."""
    engine = write_engine(empty_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE host_times (x INTEGER)"))
    with pytest.raises(Exception, match="host_times"):
        await migrate(empty_url)
    assert await tables(empty_url) == {"host_times"}
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE host_times"))
    await engine.dispose()
    await migrate(empty_url)
    assert await tables(empty_url) == set(metadata.tables)


async def test_the_database_itself_refuses_overlapping_rows(database: Database, database_url: str) -> None:
    """Not only code that goes through a unit of work: plain SQL, inserts and updates alike (BK-1)."""
    tenant = await a_tenant(database)
    row = (
        "INSERT INTO host_times (account_id, host_id, page_id, hold, start_minute, end_minute)"
        " VALUES ('{account}', '{account}', '{account}', '{hold}', {start}, {end})"
    )
    postgresql = database_url.startswith("postgresql")
    account = str(tenant.account.id) if postgresql else tenant.account.id.hex

    async def insert(hold: str, start: int, end: int) -> None:
        async with database.transaction() as connection:
            holds = "INSERT INTO slot_holds VALUES ('{0}', '{1}', '{1}', 'v', 'a', {2}, {2}, {2})"
            at = "now()" if postgresql else "0"
            await connection.execute(text(holds.format(hold, account, at)))
            await connection.execute(text(row.format(account=account, hold=hold, start=start, end=end)))

    await insert("one", 0, 30)
    await insert("two", 30, 60)
    for start, end in ((0, 30), (10, 20), (29, 31), (-5, 100)):
        with pytest.raises(IntegrityError, match="host_times_no_overlap"):
            await insert("three", start, end)
    with pytest.raises(IntegrityError, match="span"):
        await insert("three", 90, 90)
    with pytest.raises(IntegrityError, match="host_times_no_overlap"):
        async with database.transaction() as connection:
            await connection.execute(text("UPDATE host_times SET start_minute = 20 WHERE start_minute = 30"))
