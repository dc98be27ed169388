"""A database transaction of one account, as the repositories see it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Executable, Row, Table, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DBAPIError, TimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from meetings.application.ports.unit_of_work import LockTimeout
from meetings.domain.base import Aggregate, ConcurrentChange
from meetings.domain.identifiers import AccountId
from meetings.infrastructure.database.engines import lock_not_available

A = TypeVar("A", bound=Aggregate)

transaction_open: ContextVar[bool] = ContextVar("transaction_open", default=False)
"""Whether the present task is inside a transaction. Whoever sends something over the network can look here (BK-2)."""

AnyRow = Row[*tuple[Any, ...]]

Image = Mapping[str, Any]
"""Everything of an aggregate that is stored, but for its version."""


class Transaction:
    """One account's transaction and the aggregates that were got or added in it.

    `keep_images` is off where nothing will be saved.
    """

    def __init__(self, connection: AsyncConnection, account_id: AccountId, *, keep_images: bool) -> None:
        self.connection = connection
        self.account_id = account_id
        self.is_postgresql = connection.dialect.name == "postgresql"
        self.pokes: set[str] = set()
        self._keep_images = keep_images
        self._known: dict[tuple[type[Aggregate], UUID], Aggregate] = {}
        self._images: dict[tuple[type[Aggregate], UUID], Image | None] = {}

    # ---- statements -------------------------------------------------------------------------------------------------

    async def run(self, statement: Executable, values: Any = None) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement.

        Raises:
            LockTimeout: it waited too long for somebody else.
        """
        return await execute(self.connection, statement, values)

    async def rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[AnyRow]:
        """Every row of a query."""
        return (await self.run(statement, values)).all()

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """An INSERT that knows ON CONFLICT."""
        return insert_into(self.connection, table)

    async def wait_at_most(self, seconds: int) -> None:
        """From here on, how long a statement waits for a lock. SQLite waits where a transaction begins, not later."""
        if self.is_postgresql:
            await self.run(select(func.set_config("lock_timeout", f"{seconds}s", True)))

    async def lock_names(self, names: Collection[str]) -> None:
        """Lock names for the rest of the transaction, always in the same order. Host locks come before this."""
        if self.is_postgresql:
            for name in sorted(set(names)):
                await self.run(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    async def save(self, table: Table, version: int, before: Image | None, after: Image) -> None:
        """Insert the row of a new aggregate, or update the row that is still at `version`.

        Raises:
            ConcurrentChange: the row is at another version, or gone.
        """
        if before is None:
            await self.run(insert(table), {**after, "version": version + 1})
            return
        whose = table.c.account_id if "account_id" in table.c else table.c.id  # an account is its own
        same = (table.c.id == after["id"], whose == self.account_id, table.c.version == version)
        changes = {key: value for key, value in after.items() if value != before[key]}
        result = await self.run(update(table).where(*same).values(**changes, version=version + 1))
        if result.rowcount != 1:
            raise ConcurrentChange

    # ---- aggregates -------------------------------------------------------------------------------------------------

    def loaded(self, aggregate: A, image: Callable[[A], Image]) -> A:
        """The one object that stands for an aggregate: the first that was loaded or added."""
        key = (type(aggregate), aggregate.id)
        known = self._known.get(key)
        if known is not None:
            return known  # type: ignore[return-value]  # the key names its type
        self._known[key] = aggregate
        if self._keep_images:
            self._images[key] = image(aggregate)
        return aggregate

    def added(self, aggregate: Aggregate) -> None:
        """Take in a new aggregate.

        Raises:
            ValueError: it belongs to another account.
        """
        if aggregate.account_id != self.account_id:
            raise ValueError("an aggregate of another account")
        key = (type(aggregate), aggregate.id)
        self._known[key] = aggregate
        self._images[key] = None

    def known(self, kind: type[A], aggregate_id: UUID) -> A | None:
        """The aggregate, if it was loaded or added before."""
        return self._known.get((kind, aggregate_id))  # type: ignore[return-value]  # the key names its type

    def all_known(self) -> list[Aggregate]:
        """Every aggregate that was loaded or added, in that order."""
        return list(self._known.values())

    def image_before(self, aggregate: Aggregate) -> Image | None:
        """What is stored of an aggregate; None for a new one."""
        return self._images[type(aggregate), aggregate.id]


async def execute(
    connection: AsyncConnection, statement: Executable, values: Any = None
) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement.

    Raises:
        LockTimeout: it waited too long for somebody else.
    """
    try:
        return await connection.execute(statement, values)
    except DBAPIError as error:
        if lock_not_available(error):
            raise LockTimeout(type(error.orig).__name__) from error
        raise
    except TimeoutError as error:
        raise LockTimeout("no connection was free") from error


def insert_into(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the words of the connection's database."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
