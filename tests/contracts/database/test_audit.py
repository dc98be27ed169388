"""The journal's chain (TP-5): an entry that was changed, removed or slipped in is found."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Delete, Insert, Update, delete, insert, select, update

from meetings.domain.scheduling_page import PageChanged
from meetings.infrastructure.database.audit import Audit, audit
from meetings.infrastructure.database.tables import journal, journal_heads
from meetings.infrastructure.database.unit_of_work import Database
from tests.builders import NOW
from tests.contracts.database.conftest import Tenant


async def happen(tenant: Tenant, times: int = 1, actor: str = "somebody") -> None:
    """Things that happen in an account, each in a transaction of its own."""
    for _ in range(times):
        async with tenant.begin(tenant.account.account_id) as work:
            account = await work.account()
            account.switch_exchange_full_sync(on=not account.exchange_full_sync, now=NOW)
            await work.commit()


async def look(tenant: Tenant, database: Database) -> Audit:
    return await audit(database, tenant.account.account_id)


async def do(database: Database, statement: Update | Delete | Insert) -> None:
    async with database.transaction() as connection:
        await connection.execute(statement)


async def rows(tenant: Tenant, database: Database) -> list[Any]:
    mine = select(journal).where(journal.c.account_id == tenant.account.account_id).order_by(journal.c.position)
    async with database.snapshot() as connection:
        return list((await connection.execute(mine)).all())


async def test_a_journal_that_nobody_touched_is_whole(tenant: Tenant, stranger: Tenant, database: Database) -> None:
    await happen(tenant, 3)
    await happen(stranger, 2)
    found = await look(tenant, database)
    entries = await rows(tenant, database)
    assert (found.entries, found.unhashed, found.broken_at) == (len(entries), 0, None)
    assert found.head == entries[-1].hash
    assert len({entry.hash for entry in entries}) == len(entries)


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "nobody"},
        {"kind": "Other"},
        {"details": {"on": "maybe"}},
        {"at": NOW.replace(year=2020)},
        {"hash": "0"},
    ],
)
async def test_an_edited_entry_is_found(tenant: Tenant, database: Database, change: dict[str, Any]) -> None:
    await happen(tenant, 4)
    last = len(await rows(tenant, database))
    mine = journal.c.account_id == tenant.account.account_id
    await do(database, update(journal).where(mine, journal.c.position == last - 2).values(**change))
    assert (await look(tenant, database)).broken_at == last - 2


async def test_removed_entries_are_found_also_the_newest(tenant: Tenant, database: Database) -> None:
    await happen(tenant, 4)
    last = len(await rows(tenant, database))
    mine = journal.c.account_id == tenant.account.account_id
    await do(database, delete(journal).where(mine, journal.c.position == last))
    assert (await look(tenant, database)).broken_at == last
    await do(database, delete(journal).where(mine, journal.c.position == last - 2))
    assert (await look(tenant, database)).broken_at == last - 2


async def test_an_entry_without_a_hash_in_the_middle_is_found(tenant: Tenant, database: Database) -> None:
    await happen(tenant, 4)
    last = len(await rows(tenant, database))
    mine = journal.c.account_id == tenant.account.account_id
    await do(database, update(journal).where(mine, journal.c.position == last - 1).values(hash=None))
    assert (await look(tenant, database)).broken_at == last - 1


async def test_an_entry_that_was_slipped_in_is_found(tenant: Tenant, database: Database) -> None:
    await happen(tenant, 2)
    (*_, newest) = await rows(tenant, database)
    await do(database, insert(journal).values({**newest._mapping, "position": newest.position + 1}))
    mine = journal_heads.c.account_id == tenant.account.account_id
    await do(database, update(journal_heads).where(mine).values(position=newest.position + 1))
    assert (await look(tenant, database)).broken_at == newest.position + 1


async def test_writers_at_the_same_time_make_one_chain(tenant: Tenant, database: Database) -> None:
    async def one(number: int) -> None:
        async with tenant.begin(tenant.account.account_id) as work:
            await work.personal_data.keep_request(f"{number}@example.org", now=NOW)
            page = await work.pages.get(tenant.page.id)
            page.record(PageChanged(at=NOW, page_id=page.id))
            await work.commit()

    await asyncio.gather(*(one(number) for number in range(20)))
    found = await look(tenant, database)
    assert (found.broken_at, found.entries) == (None, len(await rows(tenant, database)))
    assert found.entries >= 20


async def test_entries_of_an_older_version_come_first_or_are_chained_by_the_next(
    tenant: Tenant, database: Database
) -> None:
    await happen(tenant, 2)
    mine, head = journal.c.account_id == tenant.account.account_id, journal_heads.c.account_id
    await do(database, update(journal).where(mine).values(hash=None))
    nothing = {"hash": None, "hashed_position": None}
    await do(database, update(journal_heads).where(head == tenant.account.account_id).values(nothing))
    old = len(await rows(tenant, database))
    await happen(tenant)
    found = await look(tenant, database)
    assert (found.unhashed, found.entries, found.broken_at) == (old, old + 1, None)
    (*_, newest) = await rows(tenant, database)
    older = {**newest._mapping, "position": newest.position + 1, "hash": None}
    await do(database, insert(journal).values(older))
    grown = update(journal_heads).where(head == tenant.account.account_id).values(position=newest.position + 1)
    await do(database, grown)
    assert (await look(tenant, database)).broken_at is None
    await happen(tenant)
    found = await look(tenant, database)
    assert (found.unhashed, found.entries, found.broken_at) == (old, old + 3, None)
