"""How long bookings, and the requests about people, are kept (TP-3)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from meetings.application.policy import Policy
from meetings.domain.booking import BookingState
from meetings.infrastructure.database.tables import booking_hosts, bookings, host_times, person_requests
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.housekeeping import tidy_up
from tests.builders import a_booking
from tests.contracts.database.conftest import Tenant

LONG = timedelta(days=731)
HOUR = timedelta(hours=1)


def ended(ago: timedelta) -> datetime:
    """Half an hour before the end of a meeting that ended so long ago."""
    return datetime.now(UTC).replace(second=0, microsecond=0) - ago - timedelta(minutes=30)


async def store(tenant: Tenant, *starts: datetime, state: BookingState = BookingState.CONFIRMED) -> list[UUID]:
    made = [
        a_booking(tenant.page, start=start, end=start + timedelta(minutes=30), state=state, hosts=tenant_hosts(tenant))
        for start in starts
    ]
    async with tenant.begin(tenant.account.account_id) as work:
        for booking in made:
            work.bookings.add(booking)
        await work.commit()
    return [booking.id for booking in made]


def tenant_hosts(tenant: Tenant) -> tuple[UUID, ...]:
    return tuple(host.user_id for host in tenant.page.hosts)


async def left(database: Database) -> set[UUID]:
    async with database.snapshot() as connection:
        return set((await connection.execute(select(bookings.c.id))).scalars())


async def test_bookings_go_two_years_after_their_end_with_all_that_hangs_on_them(
    tenant: Tenant, database: Database
) -> None:
    await store(tenant, ended(LONG + HOUR))
    kept = await store(tenant, ended(LONG - HOUR), ended(-LONG))
    assert (await tidy_up(database))["bookings"] == 1
    assert await left(database) == set(kept)
    async with database.snapshot() as connection:
        for table in (booking_hosts, host_times):
            count = await connection.execute(select(func.count(func.distinct(table.c.booking_id))))
            assert count.scalar_one() == len(kept)
    assert (await tidy_up(database))["bookings"] == 0


async def test_whoever_runs_the_product_says_how_long_bookings_are_kept(tenant: Tenant, database: Database) -> None:
    (old,) = await store(tenant, ended(timedelta(days=9)), state=BookingState.CANCELLED)
    assert "bookings" not in await tidy_up(database, Policy(bookings_kept_days=0))
    assert (await tidy_up(database, Policy(bookings_kept_days=10)))["bookings"] == 0
    assert await left(database) == {old}
    assert (await tidy_up(database, Policy(bookings_kept_days=8)))["bookings"] == 1


async def test_more_bookings_than_one_transaction_takes_are_deleted(tenant: Tenant, database: Database) -> None:
    first = ended(LONG + timedelta(days=100))
    await store(tenant, *(first + number * HOUR for number in range(1_100)), state=BookingState.CANCELLED)
    assert (await tidy_up(database))["bookings"] == 1_100


async def test_requests_about_people_go_once_nobody_needs_them(tenant: Tenant, database: Database) -> None:
    now = datetime.now(UTC)
    long_ago = now - timedelta(days=2)
    async with tenant.begin(tenant.account.account_id) as work:
        for_crm = await work.personal_data.keep_request("grace@example.org", now=long_ago)
        closed = await work.personal_data.keep_request("grace@example.org", now=long_ago)
        await work.personal_data.close_request(closed)
        await work.personal_data.keep_request("grace@example.org", now=long_ago, expires_at=now - HOUR)
        fresh = await work.personal_data.keep_request("grace@example.org", now=now, expires_at=now + HOUR)
        await work.commit()
    assert (await tidy_up(database))["person_requests"] == 2
    async with database.snapshot() as connection:
        assert set((await connection.execute(select(person_requests.c.id))).scalars()) == {for_crm, fresh}
