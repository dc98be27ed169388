"""The guard against double bookings taken out: the control for every test that shows that it guards (TH-2).

What is left looks whether a time is taken and then takes it, as a program without locks and constraints would.
"""

from collections.abc import Callable, Collection
from types import TracebackType

from sqlalchemy import select, text

from meetings.application.ports.unit_of_work import Begin, TakenTime
from meetings.domain.identifiers import AccountId, BookingId, UserId
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.database.host_times import SqlHostTimes
from meetings.infrastructure.database.tables import host_times
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.database.unit_of_work import Database, SqlUnitOfWork


class HostTimesWithoutLock(SqlHostTimes):
    """Looks with the eyes of `seen`, a transaction that may have begun long before this one had its turn to write."""

    def __init__(self, transaction: Transaction, seen: SqlHostTimes) -> None:
        super().__init__(transaction)
        self._seen = seen

    async def lock(self, hosts: Collection[UserId]) -> None:
        return

    async def taken(
        self,
        hosts: Collection[UserId],
        span: TimeSpan,
        *,
        excluding: BookingId | None = None,
        excluding_hold: str | None = None,
    ) -> list[TakenTime]:
        return await self._seen.taken(hosts, span, excluding=excluding, excluding_hold=excluding_hold)


class UnguardedWork(SqlUnitOfWork):
    """Saves without locks.

    On SQLite nobody can look and write at the same time as somebody else, so here it looks before it waits for its
    turn. On PostgreSQL that needs no help.
    """

    def __init__(self, database: Database, account_id: AccountId, actor: str) -> None:
        super().__init__(database, account_id, actor)
        self._before = database.snapshot()
        self._looking: Transaction | None = None

    async def __aenter__(self) -> "UnguardedWork":
        connection = await self._before.__aenter__()
        if connection.dialect.name == "sqlite":
            await connection.execute(select(host_times.c.id).limit(1))  # a snapshot begins with the first look
            self._looking = Transaction(connection, self.account_id, keep_images=False)
        else:
            await self._before.__aexit__(None, None, None)
        await super().__aenter__()
        return self

    def _enter_repositories(self, transaction: Transaction) -> None:
        super()._enter_repositories(transaction)
        self.host_times = HostTimesWithoutLock(transaction, SqlHostTimes(self._looking or transaction))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, traceback)
        if self._looking is not None:
            await self._before.__aexit__(None, None, None)


def unguarded(database: Database) -> Callable[[str], Begin]:
    """As `Database.begin`, for units of work without locks."""

    def begin_as(actor: str) -> Begin:
        return lambda account_id: UnguardedWork(database, account_id, actor)

    return begin_as


async def without_constraint(database: Database) -> None:
    """Take the database's own rule against overlaps away, for good."""
    async with database.transaction() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("ALTER TABLE host_times DROP CONSTRAINT host_times_no_overlap"))
        else:
            await connection.execute(text("DROP TRIGGER host_times_no_overlap"))
