"""Which calendar is read next, by one at a time, and its push channels."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from meetings.application.ports.calendars import PushChannel
from meetings.application.ports.outbox import LeaseLost
from meetings.application.ports.sync_schedule import PlannedConnection, StoredChannel, SyncClaim
from meetings.domain.calendar_connection import Provider
from meetings.domain.identifiers import CalendarId
from meetings.infrastructure.database.sync_schedule import SqlSyncSchedule
from meetings.infrastructure.database.tables import sync_schedule
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database
from tests.builders import calendar_id
from tests.contracts.database.conftest import Tenant


@pytest.fixture
def schedule(database: Database) -> SqlSyncSchedule:
    return SqlSyncSchedule(database)


def later(minutes: float = 10) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


async def plan(schedule: SqlSyncSchedule, tenant: Tenant, *calendars: CalendarId) -> None:
    await schedule.plan(tenant.account.account_id, tenant.connection.id, list(calendars))


async def claimed(schedule: SqlSyncSchedule, calendar: CalendarId) -> SyncClaim:
    claim = await schedule.claim(calendar, lease_seconds=60)
    assert claim
    return claim


async def lapse(database: Database, calendar: CalendarId) -> None:
    async with database.transaction() as connection:
        lapsed = update(sync_schedule).where(sync_schedule.c.calendar_id == calendar)
        await connection.execute(lapsed.values(lease_until=database_time(-1)))


async def test_planned_calendars_are_due_at_once_and_others_are_forgotten(
    tenant: Tenant, stranger: Tenant, schedule: SqlSyncSchedule
) -> None:
    first, second, third, theirs = (calendar_id() for _ in range(4))
    await plan(schedule, stranger, theirs)
    await plan(schedule, tenant, first, second)
    await schedule.finish(await claimed(schedule, first), next_at=later())
    await plan(schedule, tenant, first, third)
    assert set(await schedule.due(10)) == {third, theirs}  # the first keeps its time
    await plan(schedule, tenant)
    assert await schedule.due(10) == [theirs]


async def test_a_calendar_is_read_by_one_at_a_time(tenant: Tenant, schedule: SqlSyncSchedule) -> None:
    calendar = calendar_id()
    await plan(schedule, tenant, calendar)
    claims = await asyncio.gather(*(schedule.claim(calendar, lease_seconds=60) for _ in range(10)))
    [claim] = [claim for claim in claims if claim]
    assert claim == SyncClaim(calendar, tenant.connection.id, tenant.account.account_id, 1)
    assert await schedule.due(10) == []
    assert not await schedule.finish(claim, next_at=later())
    assert await schedule.due(10) == []
    assert await schedule.claim(calendar, lease_seconds=60) is None


async def test_however_many_requests_make_one_more_read(tenant: Tenant, schedule: SqlSyncSchedule) -> None:
    """SY-3."""
    calendar = calendar_id()
    await plan(schedule, tenant, calendar)
    first = await claimed(schedule, calendar)
    await asyncio.gather(*(schedule.request(calendar) for _ in range(20)))
    assert await schedule.due(10) == []
    assert await schedule.finish(first, next_at=later())
    assert await schedule.due(10) == [calendar]
    assert not await schedule.finish(await claimed(schedule, calendar), next_at=later())
    assert await schedule.due(10) == []
    await schedule.request(calendar)
    assert await schedule.due(10) == [calendar]
    await schedule.request(calendar_id())


async def test_whoever_lost_the_lease_gives_nothing_back(
    tenant: Tenant, database: Database, schedule: SqlSyncSchedule
) -> None:
    calendar = calendar_id()
    await plan(schedule, tenant, calendar)
    slow = await claimed(schedule, calendar)
    await lapse(database, calendar)
    assert await schedule.due(10) == [calendar]
    quick = await claimed(schedule, calendar)
    assert quick.fence > slow.fence
    await schedule.request(calendar)
    assert not await schedule.finish(slow, next_at=later())
    assert await schedule.due(10) == []
    assert await schedule.finish(quick, next_at=later())


async def test_a_lease_is_renewed_by_whoever_has_it_and_by_nobody_else(
    tenant: Tenant, database: Database, schedule: SqlSyncSchedule
) -> None:
    calendar = calendar_id()
    await plan(schedule, tenant, calendar)
    slow = await claimed(schedule, calendar)
    await lapse(database, calendar)
    assert await schedule.extend(slow, lease_seconds=60)  # late, but nobody came before
    assert await schedule.due(10) == []
    await lapse(database, calendar)
    quick = await claimed(schedule, calendar)
    assert not await schedule.extend(slow, lease_seconds=60)
    await schedule.finish(quick, next_at=later(-1))
    assert not await schedule.extend(quick, lease_seconds=60)
    assert await schedule.due(10) == [calendar]


async def test_a_reader_that_was_followed_by_another_writes_nothing_down(
    tenant: Tenant, stranger: Tenant, database: Database, schedule: SqlSyncSchedule
) -> None:
    calendar = calendar_id()
    await plan(schedule, tenant, calendar)
    slow = await claimed(schedule, calendar)
    async with database.begin("test")(tenant.account.account_id) as work:
        await work.mirror.keep_reading(slow, lease_seconds=60)
        await work.commit()
    await lapse(database, calendar)
    quick = await claimed(schedule, calendar)
    async with database.begin("test")(tenant.account.account_id) as work:
        with pytest.raises(LeaseLost):
            await work.mirror.keep_reading(slow, lease_seconds=60)
        await work.mirror.keep_reading(quick, lease_seconds=60)
    async with database.begin("test")(stranger.account.account_id) as work:
        with pytest.raises(LeaseLost):
            await work.mirror.keep_reading(replace(quick, account_id=stranger.account.account_id), lease_seconds=60)
    await plan(schedule, tenant)
    async with database.begin("test")(tenant.account.account_id) as work:
        with pytest.raises(LeaseLost):
            await work.mirror.keep_reading(quick, lease_seconds=60)


async def test_the_longest_due_comes_first(tenant: Tenant, schedule: SqlSyncSchedule) -> None:
    calendars = [calendar_id() for _ in range(3)]
    await plan(schedule, tenant, *calendars)
    for calendar, minutes in zip(calendars, (-1, -3, -2), strict=True):
        await schedule.finish(await claimed(schedule, calendar), next_at=later(minutes))
    assert await schedule.due(10) == [calendars[1], calendars[2], calendars[0]]
    assert await schedule.due(1) == [calendars[1]]


# ---- push channels --------------------------------------------------------------------------------------------------


def a_channel(tenant: Tenant, calendar: CalendarId, name: str, *, renew_at: datetime) -> StoredChannel:
    channel = PushChannel(name, f"resource of {name}", renew_at + timedelta(days=1))
    return StoredChannel(channel, calendar, tenant.connection.id, tenant.account.account_id, renew_at)


async def test_a_channel_is_found_by_its_id_and_secret_only(tenant: Tenant, schedule: SqlSyncSchedule) -> None:
    channel = a_channel(tenant, calendar_id(), "channel", renew_at=later())
    await schedule.store_channel(channel, secret_hash="hash")
    assert await schedule.channel("channel", "hash") == channel
    for name, secret in (("channel", "wrong"), ("channel", ""), ("other", "hash"), ("other", ""), ("channel", "é")):
        assert await schedule.channel(name, secret) is None
    await schedule.drop_channel("channel")
    await schedule.drop_channel("channel")
    assert await schedule.channel("channel", "hash") is None


async def test_calendars_whose_newest_channel_is_missing_or_old_are_listed(
    tenant: Tenant, schedule: SqlSyncSchedule
) -> None:
    none, old, fresh, renewed = calendars = [calendar_id() for _ in range(4)]
    await plan(schedule, tenant, *calendars)
    for calendar, name, minutes in (
        (old, "old", 5),
        (fresh, "fresh", 60),
        (renewed, "first", 5),
        (renewed, "second", 60),
        (calendar_id(), "not planned", 5),
    ):
        await schedule.store_channel(a_channel(tenant, calendar, name, renew_at=later(minutes)), secret_hash="hash")
    newest_first = [channel.channel.channel_id for channel in await schedule.channels_of(renewed)]
    assert newest_first == ["second", "first"]
    wanted = await schedule.without_channel([Provider.GOOGLE], 10, renew_before=later(30))
    assert {claim.calendar_id for claim in wanted} == {none, old}
    assert wanted[0] == SyncClaim(wanted[0].calendar_id, tenant.connection.id, tenant.account.account_id, 0)
    assert len(await schedule.without_channel([Provider.GOOGLE], 1, renew_before=later(30))) == 1
    assert await schedule.without_channel([Provider.EXCHANGE], 10, renew_before=later(30)) == []


async def test_a_channel_that_ends_is_wanted_anew(tenant: Tenant, schedule: SqlSyncSchedule) -> None:
    calendar = calendar_id()
    await plan(schedule, tenant, calendar)
    await schedule.store_channel(a_channel(tenant, calendar, "channel", renew_at=later(600)), secret_hash="hash")
    assert await schedule.without_channel([Provider.GOOGLE], 10, renew_before=later(0)) == []
    for _ in range(2):
        await schedule.renew_channel("channel")
    (wanted,) = await schedule.without_channel([Provider.GOOGLE], 10, renew_before=later(0))
    assert wanted.calendar_id == calendar
    assert await schedule.channel("channel", "hash")
    await schedule.renew_channel("never opened")


async def test_connections_of_which_calendars_are_read_are_told_by_provider(
    tenant: Tenant, stranger: Tenant, schedule: SqlSyncSchedule
) -> None:
    first, second, theirs = (calendar_id() for _ in range(3))
    await plan(schedule, tenant, first, second)
    await plan(schedule, stranger, theirs)
    found = {planned.connection_id: planned for planned in await schedule.planned([Provider.GOOGLE], 10)}
    mine = tenant.connection
    assert found[mine.id] == PlannedConnection(mine.account_id, mine.id, mine.connected_at, frozenset({first, second}))
    assert found[stranger.connection.id].calendars == {theirs}
    assert await schedule.planned([Provider.EXCHANGE], 10) == []
    assert len(await schedule.planned([Provider.GOOGLE], 1)) == 1
    await plan(schedule, tenant)
    assert [planned.connection_id for planned in await schedule.planned([Provider.GOOGLE], 10)] == [
        stranger.connection.id
    ]
