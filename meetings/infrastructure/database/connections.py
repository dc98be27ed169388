"""Calendar connections with their calendars and sealed credentials, as a unit of work gets and saves them."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.identifiers import ConnectionId, UserId
from meetings.infrastructure.database.engines import broken_constraint
from meetings.infrastructure.database.mapping import calendar_rows, connection_row, connections_from
from meetings.infrastructure.database.sealed_credentials import OF_CONNECTIONS, SealedCredentials
from meetings.infrastructure.database.tables import accounts, calendars, connections
from meetings.infrastructure.database.transaction import Image, Transaction
from meetings.infrastructure.secrets import Secrets

WITH_CALENDARS = (
    select(
        connections,
        accounts.c.exchange_full_sync,
        *(column.label(f"calendar_{column.name}") for column in calendars.c if column.name != "account_id"),
    )
    .select_from(
        connections.join(accounts, accounts.c.id == connections.c.account_id).outerjoin(
            calendars, calendars.c.connection_id == connections.c.id
        )
    )
    .order_by(connections.c.id, calendars.c.position)
)
OF_USERS = WITH_CALENDARS.where(
    connections.c.account_id == bindparam("account"), connections.c.user_id.in_(bindparam("ids", expanding=True))
)
BY_IDS = WITH_CALENDARS.where(
    connections.c.account_id == bindparam("account"), connections.c.id.in_(bindparam("ids", expanding=True))
)


class SqlCalendarConnections:
    def __init__(self, transaction: Transaction, secrets: Secrets) -> None:
        self._transaction = transaction
        self._credentials = SealedCredentials(transaction, secrets, OF_CONNECTIONS)

    async def get(self, connection_id: ConnectionId) -> CalendarConnection:
        known = self._transaction.known(CalendarConnection, connection_id)
        if known is not None:
            return known
        values = {"account": self._transaction.account_id, "ids": [connection_id]}
        for connection in connections_from(await self._transaction.rows(BY_IDS, values)):
            return self._transaction.loaded(connection, connection_image)
        raise NotFound("calendar connection")

    async def of_users(self, user_ids: Collection[UserId]) -> dict[UserId, CalendarConnection]:
        if not user_ids:
            return {}
        values = {"account": self._transaction.account_id, "ids": list(user_ids)}
        found = connections_from(await self._transaction.rows(OF_USERS, values))
        loaded = [self._transaction.loaded(connection, connection_image) for connection in found]
        return {connection.user_id: connection for connection in loaded}

    def add(self, connection: CalendarConnection, credentials: str) -> None:
        self._transaction.added(connection)
        self._credentials.add(connection.id, credentials)

    async def replace_credentials(self, connection_id: ConnectionId, credentials: str | None) -> str | None:
        return await self._credentials.replace(connection_id, credentials)

    async def save(self, connection: CalendarConnection, before: Image | None, after: Image) -> None:
        """Write a connection and its calendars down.

        Raises:
            ConcurrentChange: somebody else did since, or the person has another connection meanwhile.
        """
        transaction = self._transaction
        rows_before, row_before = _split(before)
        rows_after, row_after = _split(after)
        assert row_after is not None
        try:
            await transaction.save(connections, connection.version, row_before, row_after)
        except IntegrityError as error:
            if broken_constraint(error) in ("connections_user_id_key", "connections.user_id"):
                raise ConcurrentChange from error
            raise
        if before is None:
            await self._credentials.write_new(connection.id)
        await self._save_calendars(rows_before, rows_after)

    async def _save_calendars(self, before: Sequence[Image], after: Sequence[Image]) -> None:
        known = {row["id"]: row for row in before}
        gone = set(known) - {row["id"] for row in after}
        if gone:
            await self._transaction.run(delete(calendars).where(calendars.c.id.in_(gone)))
        new = [dict(row) for row in after if row["id"] not in known]
        if new:
            await self._transaction.run(insert(calendars), new)
        for row in after:
            if row["id"] in known and row != known[row["id"]]:
                await self._transaction.run(update(calendars).where(calendars.c.id == row["id"]).values(**row))


def connection_image(connection: CalendarConnection) -> Image:
    """The connection's row, and under `calendars` those of its calendars."""
    return {**connection_row(connection), "calendars": calendar_rows(connection)}


def _split(image: Image | None) -> tuple[Sequence[Image], Image | None]:
    if image is None:
        return (), None
    return image["calendars"], {key: value for key, value in image.items() if key != "calendars"}
