"""An empty database for each test, on SQLite or PostgreSQL, and the simulators; a conftest imports the fixtures.

@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
"""

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.infrastructure.database.migrate import migrate
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.world import outside, sqlite_url

Simulators = tuple[GoogleSimulator, MailCatcher]

BOTH_DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.services)]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the newest schema and no rows, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrate(sqlite_url(folder))).result()
    return folder / "meetings.db"


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database with the newest schema that is this test's alone."""
    if getattr(request, "param", "sqlite") == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "meetings.db")
    return sqlite_url(tmp_path)


@pytest.fixture
def simulators() -> Iterator[Simulators]:
    """Google and a mail server."""
    with outside() as started:
        yield started
