"""One process at a time for chores that need no more: an advisory lock on PostgreSQL, everybody on SQLite."""

from sqlalchemy import NullPool, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from meetings.infrastructure.database.engines import is_sqlite

_LOCK = 7_304_915_027
"""Any number, as long as no other advisory lock of this product has it."""
_CONNECT_SECONDS = 10


class Leadership:
    """Held by a connection of its own, so it is free again as soon as its process is gone.

    SQLite is for one process, whose worker leads.
    """

    def __init__(self, database_url: str) -> None:
        parsed = make_url(database_url)
        self._engine = None
        if not is_sqlite(parsed):
            # The lock belongs to the session, so there is neither a pool nor a transaction around it.
            self._engine = create_async_engine(
                parsed,
                poolclass=NullPool,
                isolation_level="AUTOCOMMIT",
                connect_args={"server_settings": {"application_name": "meetings"}, "timeout": _CONNECT_SECONDS},
            )
        self._connection: AsyncConnection | None = None

    async def held(self) -> bool:
        """Whether this process leads; takes the lead if nobody has it. Raises what the driver raises."""
        if self._engine is None:
            return True
        if self._connection is not None:
            try:
                await self._connection.execute(text("SELECT 1"))
                return True
            except (SQLAlchemyError, OSError):
                await self.close()
        connection = await self._engine.connect()
        taken = (await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK})).scalar_one()
        if taken:
            self._connection = connection
        else:
            await connection.close()
        return bool(taken)

    async def close(self) -> None:
        """Let go: the lock ends with the session."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
