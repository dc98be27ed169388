"""When which calendar is read again, by whom, and the push channels behind it."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from hmac import compare_digest

from sqlalchemy import delete, exists, func, insert, or_, select, update

from meetings.application.ports.calendars import PushChannel
from meetings.application.ports.sync_schedule import PlannedConnection, StoredChannel, SyncClaim
from meetings.domain.calendar_connection import Provider
from meetings.domain.identifiers import AccountId, CalendarId, ConnectionId
from meetings.infrastructure.database.reading_turns import CALENDAR_TURNS
from meetings.infrastructure.database.tables import connections, push_channels, sync_schedule
from meetings.infrastructure.database.transaction import AnyRow, execute, insert_into
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database

_plan, _channels = sync_schedule.c, push_channels.c


class SqlSyncSchedule:
    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- reading in turn --------------------------------------------------------------------------------------------

    async def plan(self, account_id: AccountId, connection_id: ConnectionId, calendars: list[CalendarId]) -> None:
        mine = (_plan.connection_id == connection_id, _plan.account_id == account_id)
        rows = [
            {
                "calendar_id": calendar,
                "account_id": account_id,
                "connection_id": connection_id,
                "requested": False,
                "fence": 0,
            }
            for calendar in calendars
        ]
        async with self._database.transaction() as connection:
            await execute(connection, delete(sync_schedule).where(*mine, _plan.calendar_id.not_in(calendars)))
            for row in rows:
                new = insert_into(connection, sync_schedule).values(**row, due_at=database_time())
                await execute(connection, new.on_conflict_do_nothing())

    async def planned(self, providers: Collection[Provider], limit: int) -> list[PlannedConnection]:
        told = connections.c
        chosen = (
            select(told.id, told.account_id, told.connected_at)
            .where(told.provider.in_([provider.value for provider in providers]))
            .where(exists().where(_plan.connection_id == told.id))
            .order_by(told.connected_at, told.id)
            .limit(limit)
            .subquery()
        )
        query = select(chosen, _plan.calendar_id).join(sync_schedule, _plan.connection_id == chosen.c.id)
        async with self._database.snapshot() as connection:
            rows = (await execute(connection, query.order_by(chosen.c.connected_at, chosen.c.id))).all()
        found: dict[tuple[AccountId, ConnectionId, datetime], set[CalendarId]] = {}
        for row in rows:
            found.setdefault((row.account_id, row.id, row.connected_at), set()).add(row.calendar_id)
        return [PlannedConnection(*whose, frozenset(calendars)) for whose, calendars in found.items()]

    async def request(self, calendar_id: CalendarId) -> None:
        async with self._database.transaction() as connection:
            await execute(connection, CALENDAR_TURNS.request(calendar_id))

    async def due(self, limit: int) -> list[CalendarId]:
        async with self._database.snapshot() as connection:
            return [CalendarId(found) for found in (await execute(connection, CALENDAR_TURNS.due(limit))).scalars()]

    async def claim(self, calendar_id: CalendarId, *, lease_seconds: int) -> SyncClaim | None:
        async with self._database.transaction() as connection:
            row = (await execute(connection, CALENDAR_TURNS.claim(calendar_id, lease_seconds))).one_or_none()
        return None if row is None else _claim(row, row.fence)

    async def extend(self, claim: SyncClaim, *, lease_seconds: int) -> bool:
        renewal = CALENDAR_TURNS.renewal(claim.calendar_id, claim, lease_seconds)
        async with self._database.transaction() as connection:
            return bool((await execute(connection, renewal)).rowcount)

    async def finish(self, claim: SyncClaim, *, next_at: datetime) -> bool:
        back = CALENDAR_TURNS.finish(claim.calendar_id, claim, next_at)
        async with self._database.transaction() as connection:
            return bool((await execute(connection, back)).scalar_one_or_none())

    # ---- push channels ----------------------------------------------------------------------------------------------

    async def store_channel(self, channel: StoredChannel, *, secret_hash: str) -> None:
        row = {
            "channel_id": channel.channel.channel_id,
            "account_id": channel.account_id,
            "calendar_id": channel.calendar_id,
            "connection_id": channel.connection_id,
            "resource_id": channel.channel.resource_id,
            "secret_hash": secret_hash,
            "expires_at": channel.channel.expires_at,
            "renew_at": channel.renew_at,
        }
        async with self._database.transaction() as connection:
            await execute(connection, insert(push_channels), row)

    async def channel(self, channel_id: str, secret_hash: str) -> StoredChannel | None:
        async with self._database.snapshot() as connection:
            query = select(push_channels).where(_channels.channel_id == channel_id)
            row = (await execute(connection, query)).one_or_none()
        known = "" if row is None else row.secret_hash
        matches = compare_digest(known.encode(), secret_hash.encode())
        return _channel(row) if row is not None and matches else None

    async def channels_of(self, calendar_id: CalendarId) -> list[StoredChannel]:
        query = select(push_channels).where(_channels.calendar_id == calendar_id).order_by(_channels.id.desc())
        async with self._database.snapshot() as connection:
            rows: Sequence[AnyRow] = (await execute(connection, query)).all()
        return [_channel(row) for row in rows]

    async def drop_channel(self, channel_id: str) -> None:
        async with self._database.transaction() as connection:
            await execute(connection, delete(push_channels).where(_channels.channel_id == channel_id))

    async def renew_channel(self, channel_id: str) -> None:
        long_ago = datetime(1970, 1, 1, tzinfo=UTC)
        query = update(push_channels).where(_channels.channel_id == channel_id).values(renew_at=long_ago)
        async with self._database.transaction() as connection:
            await execute(connection, query)

    async def without_channel(
        self, providers: Collection[Provider], limit: int, *, renew_before: datetime
    ) -> list[SyncClaim]:
        newest = (
            select(_channels.calendar_id, func.max(_channels.id).label("id")).group_by(_channels.calendar_id).subquery()
        )
        query = (
            select(sync_schedule)
            .select_from(
                sync_schedule.join(connections, connections.c.id == _plan.connection_id)
                .outerjoin(newest, newest.c.calendar_id == _plan.calendar_id)
                .outerjoin(push_channels, _channels.id == newest.c.id)
            )
            .where(connections.c.provider.in_([provider.value for provider in providers]))
            .where(or_(_channels.id.is_(None), _channels.renew_at < renew_before))
            .order_by(_channels.renew_at, _plan.calendar_id)
            .limit(limit)
        )
        async with self._database.snapshot() as connection:
            return [_claim(row, 0) for row in (await execute(connection, query)).all()]


def _claim(row: AnyRow, fence: int) -> SyncClaim:
    return SyncClaim(CalendarId(row.calendar_id), ConnectionId(row.connection_id), AccountId(row.account_id), fence)


def _channel(row: AnyRow) -> StoredChannel:
    return StoredChannel(
        channel=PushChannel(row.channel_id, row.resource_id, row.expires_at),
        calendar_id=CalendarId(row.calendar_id),
        connection_id=ConnectionId(row.connection_id),
        account_id=AccountId(row.account_id),
        renew_at=row.renew_at,
    )
