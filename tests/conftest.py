"""What all tests share: Hypothesis profiles, and a database and a Redis for whoever asks for one."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests import services

hypothesis.settings.register_profile(
    "default",
    deadline=None,  # cores are shared with the other workers, so a time limit would fail at random
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("default"), derandomize=True, database=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))

RUN = pytest.StashKey[services.Run]()
FIXTURES_WITH_A_SERVER = {"postgres", "redis_server"}


# ---- one run, all its processes -----------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "services: needs PostgreSQL or Redis; given by itself to a test that names such a fixture,"
        " to be written where a fixture is asked for by `request.getfixturevalue`",
    )
    shared = getattr(config, "workerinput", {}).get("services")
    config.stash[RUN] = services.Run.join(Path(shared)) if shared else services.Run.begin()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker process (pytest-xdist) which run it is part of."""
    node.workerinput["services"] = str(node.config.stash[RUN].directory)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FIXTURES_WITH_A_SERVER.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("services")


def pytest_unconfigure(config: pytest.Config) -> None:
    if RUN in config.stash:
        config.stash[RUN].end()


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> services.Run:
    """The run this process is part of."""
    return pytestconfig.stash[RUN]


# ---- PostgreSQL: one server for the whole run ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres(run: services.Run) -> services.Postgres:
    """A PostgreSQL server, for tests that make their own databases."""
    return services.Postgres(run.server("postgres", "postgres"))


@pytest.fixture(scope="session")
def postgres_template(run: services.Run, postgres: services.Postgres) -> str:
    """The name of a database with the newest schema and no rows, made once per run."""

    async def make() -> str:
        from meetings.infrastructure.database.migrate import migrate

        await migrate(await postgres.create_database(name="meetings_template"))
        return "meetings_template"

    # In a thread of its own, because pytest-asyncio's loop may be this thread's current one.
    with ThreadPoolExecutor(1) as thread:
        return run.once("template", lambda: thread.submit(asyncio.run, make()).result())


@pytest.fixture
async def postgres_url(postgres: services.Postgres, postgres_template: str) -> AsyncIterator[str]:
    """SQLAlchemy's URL of a PostgreSQL database with the newest schema that is this test's alone."""
    url = await postgres.create_database(template=postgres_template)
    yield url
    await postgres.drop_database(url)


# ---- SQLite, or both -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(run: services.Run) -> Path:
    """A SQLite file with the newest schema and no rows, made once per run."""
    path = run.directory / "template.db"

    async def make() -> str:
        from meetings.infrastructure.database.migrate import migrate

        await migrate(f"sqlite+aiosqlite:///{path}")
        return str(path)

    with ThreadPoolExecutor(1) as thread:
        return Path(run.once("sqlite-template", lambda: thread.submit(asyncio.run, make()).result()))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a SQLite database with the newest schema that is this test's alone."""
    path = tmp_path / "meetings.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database with the newest schema that is this test's alone; the test runs once on each kind."""
    url: str = request.getfixturevalue("postgres_url" if request.param == "postgresql" else "sqlite_url")
    return url


# ---- Redis: one server per worker process, because channels are shared by all of a server's databases --------------


@pytest.fixture(scope="session")
def redis_server(run: services.Run, pytestconfig: pytest.Config) -> str:
    """The URL of this process's Redis."""
    worker = getattr(pytestconfig, "workerinput", {}).get("workerid", "alone")
    return run.server("redis", f"redis-{worker}")


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of an empty Redis that nobody else uses while the test runs."""
    import redis

    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server
