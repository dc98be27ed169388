"""Keys of commands: kept with the change, once (ID-1, ID-2)."""

import asyncio
from datetime import timedelta

import pytest

from meetings.application.ports.unit_of_work import KeptResult, LockTimeout
from tests.builders import START, a_booking, booking_id
from tests.contracts.database.conftest import Tenant

KEY = ("bookMeeting", "visitor", "key-1")


async def test_what_was_kept_is_found_after_the_commit_only(tenant: Tenant) -> None:
    result = KeptResult("fingerprint", booking_id())
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.idempotency.find(*KEY) is None
        assert await work.idempotency.keep(*KEY, result)
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.idempotency.find(*KEY) is None
        assert await work.idempotency.keep(*KEY, result)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        assert await work.idempotency.find(*KEY) == result


@pytest.mark.parametrize("position", [0, 1, 2])
async def test_a_key_belongs_to_its_operation_and_scope(tenant: Tenant, position: int) -> None:
    parts = ["other" if number == position else part for number, part in enumerate(KEY)]
    other = (parts[0], parts[1], parts[2])
    async with tenant.begin(tenant.account.account_id) as work:
        await work.idempotency.keep(*KEY, KeptResult("one", booking_id()))
        assert await work.idempotency.find(*other) is None
        assert await work.idempotency.keep(*other, KeptResult("two", booking_id()))
        await work.commit()


async def test_a_key_belongs_to_its_account(tenant: Tenant, stranger: Tenant) -> None:
    for owner in (tenant, stranger):
        async with owner.begin(owner.account.account_id) as work:
            assert await work.idempotency.find(*KEY) is None
            assert await work.idempotency.keep(*KEY, KeptResult(str(owner.account.id), booking_id()))
            await work.commit()


async def test_of_ten_commands_with_one_key_one_is_carried_out(tenant: Tenant) -> None:
    async def command(number: int) -> bool:
        async with tenant.begin(tenant.account.account_id) as work:
            work.bookings.add(a_booking(tenant.page, start=START + timedelta(hours=number)))
            if not await work.idempotency.keep(*KEY, KeptResult("same", booking_id())):
                return False
            await work.commit()
            return True

    assert sum(await asyncio.gather(*map(command, range(10)))) == 1
    async with tenant.look(tenant.account.account_id) as work:
        assert await work.bookings.count_on_page(tenant.page.id) == 1


async def test_whoever_waited_for_a_command_that_failed_goes_on(tenant: Tenant) -> None:
    async def second() -> bool:
        async with tenant.begin(tenant.account.account_id) as work:
            kept = await work.idempotency.keep(*KEY, KeptResult("second", booking_id()))
            await work.commit()
            return kept

    async with tenant.begin(tenant.account.account_id) as work:
        await work.idempotency.keep(*KEY, KeptResult("first", booking_id()))
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.05)
        assert not waiting.done()
    assert await waiting
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.idempotency.find(*KEY)
    assert found
    assert found.fingerprint == "second"


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.services)], indirect=True)
async def test_nobody_waits_for_ever(tenant: Tenant) -> None:
    """A host is waited for 3 s (BK-2), a key 5 s (ID-2). SQLite waits where a transaction begins instead."""

    async def lock() -> float:
        began = asyncio.get_running_loop().time()
        async with tenant.begin(tenant.account.account_id) as work:
            with pytest.raises(LockTimeout):
                await work.host_times.lock([tenant.host.id])
        return asyncio.get_running_loop().time() - began

    async def keep() -> float:
        began = asyncio.get_running_loop().time()
        async with tenant.begin(tenant.account.account_id) as work:
            with pytest.raises(LockTimeout):
                await work.idempotency.keep(*KEY, KeptResult("second", booking_id()))
        return asyncio.get_running_loop().time() - began

    async with tenant.begin(tenant.account.account_id) as work:
        await work.host_times.lock([tenant.host.id])
        await work.idempotency.keep(*KEY, KeptResult("first", booking_id()))
        for_host, for_key = await asyncio.gather(lock(), keep())
    assert 2.9 <= for_host < 4.5
    assert 4.9 <= for_key < 6.5
