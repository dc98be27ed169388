"""Old rows go, and only old ones (TP-3)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, func, select, update

from meetings.application.ports.calendars import PushChannel
from meetings.application.ports.crm_trips import CrmTrip
from meetings.application.ports.outbox import NewIntent
from meetings.application.ports.sync_schedule import StoredChannel
from meetings.application.ports.unit_of_work import KeptResult, SlotHold
from meetings.infrastructure.database.crm_trips import SqlCrmTrips
from meetings.infrastructure.database.sign_in_attempts import SqlSignInAttempts
from meetings.infrastructure.database.sync_schedule import SqlSyncSchedule
from meetings.infrastructure.database.tables import (
    crm_trips,
    host_times,
    idempotency_keys,
    intents,
    push_channels,
    sessions,
    sign_in_attempts,
    slot_holds,
)
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.housekeeping import tidy_up
from meetings.infrastructure.identities import SqlIdentities
from meetings.infrastructure.outbox import SqlOutbox
from tests.builders import START, booking_id
from tests.contracts.database.conftest import Tenant
from tests.contracts.database.test_identities import an_attempt

DAY = 24 * 3600


def now() -> datetime:
    return datetime.now(UTC)


async def one_row_of_each(tenant: Tenant, database: Database, name: str, *, hours: int) -> None:
    """What housekeeping looks at, fresh: called twice, with other names."""
    account, calendar = tenant.account.account_id, tenant.connection.calendars[0].id
    start = START + timedelta(hours=hours)
    hold = SlotHold(name, tenant.page.id, (tenant.host.id,), start, start + timedelta(minutes=30), name, name)
    async with tenant.begin(account) as work:
        await work.host_times.hold(hold, minutes=5, most_per_visitor=2, most_per_address=2)
        await work.idempotency.keep("book", "visitor", name, KeptResult(name, booking_id()))
        work.intend(NewIntent("tell", uuid4(), name))
        await work.commit()
    outbox = SqlOutbox(database)
    [intent_id] = await outbox.due(10)
    intent = await outbox.claim(intent_id)
    assert intent
    await outbox.done(intent)
    later = now() + timedelta(hours=1)
    await SqlIdentities(database).open_session(tenant.host, name, expires_at=later)
    await SqlSignInAttempts(database).add(an_attempt(tenant, name))
    trip = CrmTrip(name, name, account, tenant.host.id, "https://here.test", "https://there.test", later)
    await SqlCrmTrips(database).add(trip)
    channel = StoredChannel(PushChannel(name, name, later), calendar, tenant.connection.id, account, later)
    await SqlSyncSchedule(database).store_channel(channel, secret_hash=name)


async def age(database: Database, *, seconds: int) -> None:
    """Make every row that much older."""
    ago = database_time(-seconds)
    ages: dict[Table, dict[str, Any]] = {
        slot_holds: {"expires_at": ago},
        idempotency_keys: {"created_at": ago},
        intents: {"done_at": ago},
        push_channels: {"expires_at": ago},
        sessions: {"expires_at": ago},
        sign_in_attempts: {"expires_at": ago},
        crm_trips: {"expires_at": ago},
    }
    async with database.transaction() as connection:
        for table, values in ages.items():
            await connection.execute(update(table).values(values))


async def count(database: Database, table: Table) -> int:
    async with database.snapshot() as connection:
        found: int = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
    return found


async def test_old_rows_are_removed_and_fresh_ones_stay(tenant: Tenant, database: Database) -> None:
    await one_row_of_each(tenant, database, "old", hours=0)
    await age(database, seconds=8 * DAY)
    await one_row_of_each(tenant, database, "fresh", hours=1)
    removed = await tidy_up(database)
    # Visitors hang on a booking: see the API's tests of forms that are filled in. The others: see test_retention.py.
    assert removed == {**dict.fromkeys(removed, 1), "visitors": 0, "bookings": 0, "person_requests": 0}
    assert await tidy_up(database) == dict.fromkeys(removed, 0)
    assert await count(database, host_times) == 1


async def test_rows_that_are_not_old_enough_stay(tenant: Tenant, database: Database) -> None:
    await one_row_of_each(tenant, database, "young", hours=0)
    await age(database, seconds=DAY - 60)
    assert set((await tidy_up(database)).values()) == {0}


async def test_dead_intents_stay(tenant: Tenant, database: Database) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        work.intend(NewIntent("tell", uuid4(), "lane"))
        await work.commit()
    outbox = SqlOutbox(database)
    [intent_id] = await outbox.due(10)
    intent = await outbox.claim(intent_id)
    assert intent
    await outbox.bury(intent, error="no")
    async with database.transaction() as connection:
        await connection.execute(update(intents).values(died_at=database_time(-99 * DAY)))
    await tidy_up(database)
    assert [entry.id for entry in await outbox.dead(tenant.account.account_id, 10)] == [intent_id]
