"""Connections to SQLite or PostgreSQL, each set up for the promises the rest of this package makes."""

from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import URL, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from meetings.infrastructure.database.sqlite_driver import sqlite_connector

SQLITE_WAIT_SECONDS = 10
"""How long a writer waits for its turn on SQLite, where one writes at a time."""


def write_engine(url: str) -> AsyncEngine:
    """The engine for transactions that may write.

    SQLite: `BEGIN IMMEDIATE`, so that nothing changes between what a transaction reads and what it writes. One
    connection, so that writers of this event loop take turns in the order they came.
    """
    parsed = make_url(url)
    if is_sqlite(parsed):
        engine = _sqlite(parsed, pool_size=1, max_overflow=0, pool_timeout=3 * SQLITE_WAIT_SECONDS)
        _set_up_sqlite(engine, "BEGIN IMMEDIATE")
        return engine
    return _postgresql(parsed, "READ COMMITTED")


def read_engine(url: str) -> AsyncEngine:
    """The engine for what only reads; the database refuses writes. Reading waits for no writer.

    PostgreSQL: connections of their own, because all the others may be waiting for a host's lock; and each statement
    alone, because beginning and ending a transaction takes two more trips, and READ COMMITTED sees no more in one.
    """
    parsed = make_url(url)
    if not is_sqlite(parsed):
        return _postgresql(parsed, "AUTOCOMMIT", default_transaction_read_only="on")
    engine = _sqlite(parsed, pool_size=4, max_overflow=4, pool_timeout=SQLITE_WAIT_SECONDS)
    _set_up_sqlite(engine, "BEGIN", "PRAGMA query_only=on")
    return engine


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def lock_not_available(error: DBAPIError) -> bool:
    """Whether a statement gave up waiting for somebody else: lock timeout, deadlock, or SQLite being busy."""
    if getattr(error.orig, "sqlstate", None) in ("55P03", "40P01"):
        return True
    return "database is locked" in str(error.orig)


def broken_constraint(error: DBAPIError) -> str:
    """The name of the constraint that refused a row; on SQLite its table and columns (`users.email_key`)."""
    cause = getattr(error.orig, "__cause__", None)
    return getattr(cause, "constraint_name", None) or str(error.orig).rpartition(": ")[2]


def _sqlite(url: URL, **options: Any) -> AsyncEngine:
    return _engine(url, async_creator=sqlite_connector(url), **options)


def _postgresql(url: URL, isolation_level: str, **more: str) -> AsyncEngine:
    limits = {
        "application_name": "meetings",
        "jit": "off",
        "lock_timeout": "10s",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "60s",
        **more,
    }
    return _engine(
        url,
        pool_size=8,
        max_overflow=12,
        pool_timeout=10,
        isolation_level=isolation_level,
        connect_args={"server_settings": limits, "timeout": 10},
    )


def _engine(url: URL, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # they may be secrets or somebody's data, and errors are logged
        **options,
    )


def _set_up_sqlite(engine: AsyncEngine, begin: str, *pragmas: str) -> None:
    event.listen(engine.sync_engine, "connect", _sqlite_connection(pragmas))

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _sqlite_connection(pragmas: tuple[str, ...]) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    def on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver would otherwise open transactions by its own rules
        cursor = connection.cursor()
        # busy_timeout first: switching to WAL needs a lock for a moment
        for pragma in (
            f"PRAGMA busy_timeout={SQLITE_WAIT_SECONDS * 1000}",
            "PRAGMA journal_mode=wal",
            "PRAGMA synchronous=normal",
            "PRAGMA foreign_keys=on",
            *pragmas,
        ):
            cursor.execute(pragma)
        cursor.close()

    return on_connect
