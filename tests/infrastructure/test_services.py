"""The servers that other tests lean on are real, empty at the start of a test, and gone after the run."""

import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest
import redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests import services

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.services


def libpq(url: str) -> str:
    return url.replace("+asyncpg", "")


async def test_postgresql_is_one_that_production_may_use(postgres_url: str) -> None:
    engine = create_async_engine(postgres_url)
    async with engine.connect() as connection:
        version = (await connection.execute(text("SHOW server_version_num"))).scalar_one()
        extensions = (await connection.execute(text("SELECT extname FROM pg_extension"))).scalars().all()
    await engine.dispose()
    assert int(version) >= 150000
    assert "btree_gist" in extensions


@pytest.mark.parametrize("time_of_asking", ["first", "second"])
async def test_each_test_has_a_database_of_its_own(postgres_url: str, time_of_asking: str) -> None:
    connection = await asyncpg.connect(libpq(postgres_url))
    await connection.execute("CREATE TABLE only_here (id int)")
    await connection.close()


async def test_a_database_is_dropped_while_somebody_is_connected(postgres: services.Postgres) -> None:
    url = await postgres.create_database()
    connection = await asyncpg.connect(libpq(url))
    await postgres.drop_database(url)
    connection.terminate()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(libpq(url))


@pytest.mark.parametrize("time_of_asking", ["first", "second"])
def test_each_test_has_an_empty_redis(redis_url: str, time_of_asking: str) -> None:
    with redis.Redis.from_url(redis_url, db=3) as client:
        assert client.ping() is True
        assert client.incr("visits") == 1


def test_a_server_is_started_once_for_all_processes_of_a_run() -> None:
    run = services.Run.begin()
    try:
        assert run.server("redis", "r") == services.Run.join(run.directory).server("redis", "r")
    finally:
        run.end()
    assert not run.directory.exists()


def test_a_server_that_cannot_start_says_why_and_is_not_tried_again() -> None:
    run = services.Run.begin()
    try:
        with pytest.raises(services.ServerUnavailable, match="mysql did not start") as first:
            run.server("mysql", "m")
        started_at = time.monotonic()
        with pytest.raises(services.ServerUnavailable) as second:
            run.server("mysql", "m")
        assert str(second.value) == str(first.value)
        assert time.monotonic() - started_at < 0.1
    finally:
        run.end()


BEGIN_A_RUN = """
import time
from tests import services
run = services.Run.begin()
print(run.directory, run.server("redis", "r"), flush=True)
time.sleep(60)
"""


def test_a_run_that_is_killed_leaves_no_server_and_no_file() -> None:
    process = subprocess.Popen([sys.executable, "-c", BEGIN_A_RUN], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    directory, url = process.stdout.readline().split()
    assert answers(url)

    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while (answers(url) or Path(directory).exists()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not answers(url)
    assert not Path(directory).exists()


def answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
