"""aiosqlite with one trip to its thread per statement.

SQLAlchemy asks an asynchronous driver four things per statement: a cursor, to execute, the rows, to close. With
aiosqlite each is a trip to another thread and back, several times the cost of a small query; here all four are one.
Written against aiosqlite 0.22 and SQLAlchemy 2.1; the contract tests of the database notice if either changes.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy import URL


def sqlite_connector(url: URL) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """What `create_async_engine` takes as its `async_creator`."""
    arguments, options = url.get_dialect()().create_connect_args(url)

    async def connect() -> aiosqlite.Connection:
        connection = OneTripConnection(lambda: sqlite3.connect(arguments[0], **options), iter_chunk_size=64)
        connection._thread.daemon = True  # as SQLAlchemy does: a forgotten connection must not keep the process alive
        return await connection

    return connect


class OneTripConnection(aiosqlite.Connection):
    def cursor(self) -> "OneTripCursor":  # type: ignore[override]  # what SQLAlchemy uses of it
        return OneTripCursor(self)

    async def in_thread(self, function: Callable[[], None]) -> None:
        """Call a function in the thread that owns the connection."""
        await self._execute(function)  # type: ignore[no-untyped-call]  # aiosqlite is typed in part


class OneTripCursor:
    """The part of aiosqlite's cursor that SQLAlchemy uses. A statement's rows are fetched with it."""

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> "OneTripCursor":
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> "OneTripCursor":
        await self._connection.in_thread(partial(self._run, sqlite3.Cursor.execute, sql, parameters))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> "OneTripCursor":
        await self._connection.in_thread(partial(self._run, sqlite3.Cursor.executemany, sql, parameters))
        return self

    def _run(self, execute: Callable[..., Any], sql: str, parameters: Any) -> None:
        """In the connection's thread."""
        cursor = self._connection._conn.cursor()
        try:
            execute(cursor, sql, parameters)
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []
