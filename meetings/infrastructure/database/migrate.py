"""Bringing a database to the newest schema, or back."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from meetings.infrastructure.database.engines import write_engine

_ONE_AT_A_TIME = 7_304_915_026
"""Any number, as long as no other advisory lock of this product has it."""


async def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to `revision`: `head`, an id, or steps such as `-1`; `base` empties it.

    All in one transaction, so an interrupted run leaves what was there and can be repeated. Several processes may call
    it at once: one works, the others find nothing left to do.
    """
    engine = write_engine(url)
    try:
        await migrate_engine(engine, revision)
    finally:
        await engine.dispose()


async def migrate_engine(engine: AsyncEngine, revision: str = "head") -> None:
    """As `migrate`, over an engine from `write_engine`."""
    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SET LOCAL lock_timeout = 0"))
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        await connection.run_sync(_run, revision)


def at_newest(connection: Connection) -> bool:
    """Whether the database has the newest schema this code knows. For `run_sync`."""
    current = MigrationContext.configure(connection).get_current_heads()
    return set(current) == _newest()


@cache
def _newest() -> frozenset[str]:
    """The newest revisions; read once, because a health check asks every few seconds."""
    return frozenset(ScriptDirectory.from_config(_config()).get_heads())


def _run(connection: Connection, revision: str) -> None:
    config = _config(connection)
    current = MigrationContext.configure(connection).get_current_revision()
    downwards = revision == "base" or revision.startswith("-") or _is_behind(config, revision, current)
    (command.downgrade if downwards else command.upgrade)(config, revision)


def _is_behind(config: Config, revision: str, current: str | None) -> bool:
    if current is None or revision in ("head", current) or revision.startswith("+"):
        return False
    older = ScriptDirectory.from_config(config).iterate_revisions(current, "base")
    return any(script.revision == revision for script in older)


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
