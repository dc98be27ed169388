"""Whether anything was committed since: asked of the database itself, at the price of one small question.

PostgreSQL: `pg_current_snapshot()` names every transaction whose changes can be seen ("Transaction ID and Snapshot
Information Functions"). While the text stays the same, so does all that can be read, whoever wrote or did not write.

SQLite: `PRAGMA data_version` of one connection changes with each commit of any other, in this process or another.
"""

import asyncio
import contextlib
import logging
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from meetings.application.ports.page_signs import DatabasePulse, Pulse
from meetings.infrastructure.database.engines import is_sqlite, read_engine
from meetings.infrastructure.in_one_trip import InOneTrip

_log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 5.0
_SNAPSHOT = "SELECT pg_current_snapshot()::text, statement_timestamp()"


def database_pulse(url: str) -> "SqlitePulse | PostgresqlPulse":
    """The pulse of the database at `url`, for one event loop. Connects when it is felt first."""
    parsed = make_url(url)
    return SqlitePulse(parsed) if is_sqlite(parsed) else PostgresqlPulse(url)


class SqlitePulse(DatabasePulse):
    """Reads a counter in shared memory: microseconds, so it is done right here."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    async def feel(self) -> Pulse:
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._opened += 1
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            _log.debug("no pulse: %s", type(error).__name__)
            await self.close()
            return Pulse(object(), None)
        return Pulse((self._opened, version), datetime.now(UTC))

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        arguments, options = self._url.get_dialect()().create_connect_args(self._url)
        connection: sqlite3.Connection = sqlite3.connect(
            arguments[0], **{**options, "timeout": 0, "isolation_level": None}
        )
        return connection


class PostgresqlPulse(DatabasePulse):
    """On a connection of its own, once for all who want to know."""

    def __init__(self, url: str) -> None:
        self._engine = read_engine(url)
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        self._trips: InOneTrip[None, Pulse] = InOneTrip(self._ask_for, at_once=sys.maxsize)

    async def feel(self) -> Pulse:
        return await self._trips.answer(None)

    async def close(self) -> None:
        await self._trips.close()
        await self._drop()
        await self._engine.dispose()

    async def _ask_for(self, waiting: Sequence[None]) -> list[Pulse]:
        return [await self._ask()] * len(waiting)

    async def _ask(self) -> Pulse:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                if self._driver is None:
                    await self._connect()
                mark, at = await self._driver.fetchrow(_SNAPSHOT)
        except Exception as error:  # whatever it is, the question that follows meets it as well and says it properly
            _log.debug("no pulse: %s", type(error).__name__)
            await self._drop()
            return Pulse(object(), None)
        return Pulse(mark, at)

    async def _connect(self) -> None:
        self._connection = await self._engine.connect()
        raw = await self._connection.get_raw_connection()
        self._driver = raw.driver_connection

    async def _drop(self) -> None:
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await connection.invalidate()
            with contextlib.suppress(Exception):
                await connection.close()
