"""The API's questions: by id, in slices, by address; one account alone."""

from datetime import timedelta
from typing import Any

import pytest

from meetings.application.ports.reads import BadCursor, PagePointer, Slice
from meetings.domain.booking import Booking, BookingState
from meetings.domain.scheduling_page import PageType
from meetings.infrastructure.database.reads import SqlReads
from meetings.infrastructure.database.unit_of_work import Database
from tests.builders import NOW, START, a_booking, a_page, a_user
from tests.contracts.database.conftest import Tenant


@pytest.fixture
def reads(database: Database) -> SqlReads:
    return SqlReads(database)


async def five_bookings(tenant: Tenant) -> list[Booking]:
    """Latest first; two of them at the same time, one requested."""
    colleague = a_user(tenant.account.account_id)
    given: list[dict[str, Any]] = [
        {"start": START + timedelta(days=3)},
        {"start": START + timedelta(days=2), "state": BookingState.REQUESTED},
        {"start": START + timedelta(days=1), "hosts": (colleague.id,)},
        {"start": START + timedelta(days=1)},
        {"start": START},
    ]
    made = [a_booking(tenant.page, **values) for values in given]
    async with tenant.begin(tenant.account.account_id) as work:
        work.users.add(colleague)
        for booking in made:
            work.bookings.add(booking)
        await work.commit()
    return sorted(made, key=lambda booking: (booking.start, booking.id), reverse=True)


def every_booking(**given: Any) -> dict[str, Any]:
    return {"host": None, "page": None, "states": None, "start_from": None, "start_to": None} | given


async def test_a_public_address_leads_to_its_page_until_it_is_archived(tenant: Tenant, reads: SqlReads) -> None:
    assert await reads.page_at(tenant.page.slug) == PagePointer(tenant.account.account_id, tenant.page.id)
    assert await reads.page_at("nobody") is None
    async with tenant.begin(tenant.account.account_id) as work:
        (await work.pages.get(tenant.page.id)).archive(now=NOW)
        await work.commit()
    assert await reads.page_at(tenant.page.slug) is None


async def test_things_are_found_by_id_in_their_own_account_only(
    tenant: Tenant, stranger: Tenant, reads: SqlReads
) -> None:
    booking = a_booking(tenant.page)
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(booking)
        await work.commit()
    mine, theirs = tenant.account.account_id, stranger.account.account_id
    for account, found in ((mine, True), (theirs, False)):
        users = await reads.users(account, [tenant.host.id])
        pages = await reads.pages_by_id(account, [tenant.page.id])
        bookings = await reads.bookings_by_id(account, [booking.id])
        of_users = await reads.connections(account, [tenant.host.id])
        connections = await reads.connections_by_id(account, [tenant.connection.id])
        states = await reads.mirror_states(account, tenant.connection.id)
        assert users.keys() == ({tenant.host.id} if found else set())
        assert pages.keys() == ({tenant.page.id} if found else set())
        assert bookings.keys() == ({booking.id} if found else set())
        assert of_users.keys() == ({tenant.host.id} if found else set())
        assert connections.keys() == ({tenant.connection.id} if found else set())
        assert states.keys() == ({tenant.connection.calendars[0].id} if found else set())
    account_read = await reads.account(mine)
    assert account_read
    assert account_read.name == tenant.account.name
    assert await reads.account_of_booking(booking.id) == mine
    assert await reads.account_of_booking(a_booking().id) is None
    assert await reads.users(mine, []) == {}


async def test_bookings_come_latest_first_in_slices(tenant: Tenant, stranger: Tenant, reads: SqlReads) -> None:
    expected = await five_bookings(tenant)
    await five_bookings(stranger)
    seen: list[Booking] = []
    after: str | None = None
    sizes = []
    while True:
        found: Slice[Booking] = await reads.bookings(tenant.account.account_id, **every_booking(), first=2, after=after)
        seen += [booking for _, booking in found.items]
        sizes.append(len(found.items))
        if not found.has_next:
            break
        after = found.items[-1][0]
    assert sizes == [2, 2, 1]
    assert [booking.id for booking in seen] == [booking.id for booking in expected]


@pytest.mark.parametrize(
    ("which", "count"),
    [
        ({}, 5),
        ({"states": [BookingState.REQUESTED]}, 1),
        ({"states": []}, 0),
        ({"start_from": START + timedelta(days=1)}, 4),
        ({"start_to": START + timedelta(days=1)}, 1),
        ({"start_from": START + timedelta(days=1), "start_to": START + timedelta(days=2)}, 2),
    ],
)
async def test_bookings_are_filtered_and_counted(
    tenant: Tenant, reads: SqlReads, which: dict[str, Any], count: int
) -> None:
    await five_bookings(tenant)
    found = await reads.bookings(tenant.account.account_id, **every_booking(**which), first=50, after=None)
    assert len(found.items) == count
    assert await reads.count_bookings(tenant.account.account_id, **every_booking(**which)) == count


async def test_bookings_are_filtered_by_host_and_page(tenant: Tenant, stranger: Tenant, reads: SqlReads) -> None:
    await five_bookings(tenant)
    account = tenant.account.account_id
    assert await reads.count_bookings(account, **every_booking(host=tenant.host.id)) == 4
    assert await reads.count_bookings(account, **every_booking(page=tenant.page.id)) == 5
    assert await reads.count_bookings(account, **every_booking(page=stranger.page.id)) == 0
    assert await reads.count_bookings(account, **every_booking(host=stranger.host.id)) == 0


async def test_pages_come_oldest_first_in_slices(tenant: Tenant, reads: SqlReads) -> None:
    colleague = a_user(tenant.account.account_id)
    async with tenant.begin(tenant.account.account_id) as work:
        work.users.add(colleague)
        for number in range(3):
            work.pages.add(a_page(tenant.host, slug=f"page-{number}", created_at=NOW + timedelta(minutes=number + 1)))
        work.pages.add(a_page(colleague, slug="colleague", created_at=NOW + timedelta(minutes=9)))
        archived = a_page(tenant.host, slug="archived")
        archived.archive(now=NOW)
        work.pages.add(archived)
        await work.commit()
    account = tenant.account.account_id
    every: dict[str, Any] = {"organizer": None, "type": None, "archived": False}
    first = await reads.pages(account, **every, first=3, after=None)
    rest = await reads.pages(account, **every, first=3, after=first.items[-1][0])
    assert [page.slug for _, page in first.items] == [tenant.page.slug, "page-0", "page-1"]
    assert [page.slug for _, page in rest.items] == ["page-2", "colleague"]
    assert (first.has_next, rest.has_next) == (True, False)
    assert await reads.count_pages(account, **every) == 5
    assert await reads.count_pages(account, organizer=colleague.id, type=None, archived=False) == 1
    assert await reads.count_pages(account, organizer=None, type=PageType.GROUP, archived=False) == 0
    old = await reads.pages(account, organizer=None, type=PageType.ONE_ON_ONE, archived=True, first=3, after=None)
    assert [page.slug for _, page in old.items] == ["archived"]


@pytest.mark.parametrize(
    "cursor", ["", "x", "W10=", "WyJhIiwiYiJd", "bnVsbA==", "é", "WyIyMDI2LTAxLTAxIiwiMCJd", "MQ=="]
)
async def test_a_cursor_that_was_never_given_is_refused(tenant: Tenant, reads: SqlReads, cursor: str) -> None:
    with pytest.raises(BadCursor):
        await reads.bookings(tenant.account.account_id, **every_booking(), first=2, after=cursor)
    with pytest.raises(BadCursor):
        await reads.pages(tenant.account.account_id, organizer=None, type=None, archived=False, first=2, after=cursor)


async def test_the_journal_is_read_by_kind_from_a_position(tenant: Tenant, stranger: Tenant, reads: SqlReads) -> None:
    account = tenant.account.account_id
    for _ in range(2):
        async with tenant.begin(account) as work:
            page = await work.pages.get(tenant.page.id)
            page.archive(now=NOW)
            page.restore(now=NOW)
            await work.commit()
    both = ["PageArchived", "PageRestored"]
    entries = await reads.journal(account, after=0, kinds=both, limit=10)
    assert [(entry.position, entry.kind) for entry in entries] == [
        (1, "PageArchived"),
        (2, "PageRestored"),
        (3, "PageArchived"),
        (4, "PageRestored"),
    ]
    assert [entry.position for entry in await reads.journal(account, after=1, kinds=both[1:], limit=1)] == [2]
    assert await reads.journal(stranger.account.account_id, after=0, kinds=both, limit=10) == []
    assert await reads.journal(account, after=0, kinds=[], limit=10) == []
    assert await reads.journal_end(account) == 4
