"""The unit of work: one transaction, its aggregates, its events, intents and pokes."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from meetings.application.ports.fan_out import bookings_topic, host_topic, page_topic
from meetings.application.ports.outbox import LeaseLost, NewIntent
from meetings.application.reactions import SETTLE_BOOKING, TELL_HOST
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.booking import Booking
from meetings.domain.scheduling_page import SlotTaken
from meetings.infrastructure.database.reads import SqlReads
from meetings.infrastructure.database.transaction import transaction_open
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.fan_out import InProcessFanOut
from meetings.infrastructure.outbox import SqlOutbox
from tests.builders import NOW, a_booking, a_page, a_user, page_settings
from tests.contracts.database.conftest import KEYRING, Tenant


def a_reserved_booking(tenant: Tenant, **given: object) -> Booking:
    booking = a_booking(tenant.page, **given)
    booking.announce(now=NOW)
    return booking


async def test_what_was_committed_is_found_again(tenant: Tenant) -> None:
    booking = a_reserved_booking(tenant)
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(booking)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.bookings.get(booking.id)
    assert (found.invitee, found.slot, found.hosts, found.version) == (
        booking.invitee,
        booking.slot,
        booking.hosts,
        1,
    )
    assert found.pull_events() == ()


async def test_leaving_without_commit_saves_nothing(tenant: Tenant, database: Database) -> None:
    booking = a_reserved_booking(tenant)
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(booking)
        work.intend(NewIntent(TELL_HOST, booking.id, "lane"))
        await work.host_times.lock([tenant.host.id])
    async with tenant.look(tenant.account.account_id) as work:
        with pytest.raises(NotFound):
            await work.bookings.get(booking.id)
    assert await SqlOutbox(database).due(10) == []


async def test_getting_the_same_thing_twice_gives_the_same_object(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        page = await work.pages.get(tenant.page.id)
        assert await work.pages.get(tenant.page.id) is page
        assert await work.pages.of_organizer(tenant.host.id) == [page]
        connection = await work.connections.get(tenant.connection.id)
        assert (await work.connections.of_users([tenant.host.id]))[tenant.host.id] is connection
        user = await work.users.get(tenant.host.id)
        assert (await work.users.of([tenant.host.id]))[tenant.host.id] is user


async def test_a_change_is_saved_without_being_told_to(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        page = await work.pages.get(tenant.page.id)
        page.change(page_settings(headline="Something else"), now=NOW)
        await work.commit()
    assert page.version == 2
    async with tenant.look(tenant.account.account_id) as work:
        assert (await work.pages.get(page.id)).settings.headline == "Something else"


async def test_what_did_not_change_keeps_its_version(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        for aggregate in (
            await work.pages.get(tenant.page.id),
            await work.connections.get(tenant.connection.id),
            await work.users.get(tenant.host.id),
        ):
            assert aggregate.version == 1
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        assert (await work.pages.get(tenant.page.id)).version == 1


async def test_the_second_of_two_changes_of_one_version_is_refused(tenant: Tenant, database: Database) -> None:
    """Two people loaded version 1; the later save must not undo the earlier one."""
    async with tenant.look(tenant.account.account_id) as work:
        stale = await work.pages.get(tenant.page.id)
    async with tenant.begin(tenant.account.account_id) as work:
        (await work.pages.get(tenant.page.id)).change(page_settings(headline="First"), now=NOW)
        await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        page = await work.pages.get(tenant.page.id)
        page.version = stale.version
        page.change(page_settings(headline="Second"), now=NOW)
        with pytest.raises(ConcurrentChange):
            await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        assert (await work.pages.get(tenant.page.id)).settings.headline == "First"


async def test_a_reading_unit_of_work_cannot_commit(tenant: Tenant) -> None:
    async with tenant.look(tenant.account.account_id) as work:
        await work.pages.get(tenant.page.id)
        with pytest.raises(RuntimeError):
            await work.commit()


async def test_a_unit_of_work_commits_once(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(a_reserved_booking(tenant))
        await work.commit()
        with pytest.raises(RuntimeError):
            await work.commit()


async def test_a_refused_commit_saves_nothing_even_if_work_goes_on(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        page = await work.pages.get(tenant.page.id)
        page.change(page_settings(headline="Never seen"), now=NOW)
        work.bookings.add(a_reserved_booking(tenant))
        work.bookings.add(a_reserved_booking(tenant))
        with pytest.raises(SlotTaken):
            await work.commit()
        assert await work.bookings.count_on_page(page.id) == 0
    async with tenant.look(tenant.account.account_id) as work:
        assert (await work.pages.get(tenant.page.id)).settings.headline == tenant.page.settings.headline


async def test_an_aggregate_of_another_account_cannot_be_added(tenant: Tenant, stranger: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        with pytest.raises(ValueError):
            work.pages.add(a_page(stranger.host))


# ---- what follows a commit ------------------------------------------------------------------------------------------


async def test_events_become_intents_of_the_reactions_table(tenant: Tenant, database: Database) -> None:
    booking = a_reserved_booking(tenant)
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(booking)
        work.intend(NewIntent(TELL_HOST, booking.id, "mine", details={"number": "7"}))
        await work.commit()
    outbox = SqlOutbox(database)
    claimed = [await outbox.claim(intent_id) for intent_id in await outbox.due(10)]
    assert [(intent.reaction, intent.subject, dict(intent.details)) for intent in claimed if intent] == [
        (SETTLE_BOOKING, booking.id, {"news": "SlotReserved"}),
        (TELL_HOST, booking.id, {"number": "7"}),
    ]


async def test_events_become_journal_entries(tenant: Tenant, database: Database) -> None:
    booking = a_reserved_booking(tenant)
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(booking)
        await work.commit()
    entries = await SqlReads(database).journal(
        tenant.account.account_id, after=0, kinds=["SlotReserved", "PageCreated"], limit=10
    )
    assert [(entry.kind, entry.subject, entry.actor, entry.at, dict(entry.details)) for entry in entries] == [
        (
            "SlotReserved",
            booking.id,
            "tester",
            NOW,
            {"booking_id": str(booking.id), "page_id": str(tenant.page.id), "hosts": str(tenant.host.id)},
        )
    ]


async def test_pokes_and_announcements_come_after_the_commit_only(database_url: str, tenant: Tenant) -> None:
    fan_out = InProcessFanOut()
    announced: list[UUID] = []

    async def announce(ids: Sequence[UUID]) -> None:
        announced.extend(ids)

    database = Database(database_url, keyring=KEYRING, fan_out=fan_out, announce=announce)
    topics = [host_topic(tenant.host.id), bookings_topic(tenant.account.id), page_topic(tenant.page.id), "other"]
    async with fan_out.listen(topics) as listener:
        async with database.begin("tester")(tenant.account.account_id) as work:
            work.bookings.add(a_reserved_booking(tenant))
            work.poke("other")
            work.intend(NewIntent(TELL_HOST, uuid4(), "later", not_before=NOW + timedelta(days=9999)))
            await work.host_times.lock([tenant.host.id])
            assert await listener.wait(0.02) == frozenset()
            await work.commit()
        assert await listener.wait(1) == {topics[0], topics[1], "other"}
        async with database.begin("tester")(tenant.account.account_id) as work:
            work.bookings.add(a_reserved_booking(tenant, start=NOW + timedelta(days=3)))
            work.poke("other")
        assert await listener.wait(0.02) == frozenset()
    assert announced == await SqlOutbox(database).due(10)
    await database.close()


async def test_an_announcement_that_fails_does_not_undo_the_commit(database_url: str, tenant: Tenant) -> None:
    async def announce(ids: Sequence[UUID]) -> None:
        raise OSError("the broker is away")

    database = Database(database_url, keyring=KEYRING, announce=announce)
    booking = a_reserved_booking(tenant)
    async with database.begin("tester")(tenant.account.account_id) as work:
        work.bookings.add(booking)
        await work.commit()
    async with database.look()(tenant.account.account_id) as work:
        assert (await work.bookings.get(booking.id)).id == booking.id
    await database.close()


async def test_finishing_an_intent_belongs_to_the_transaction(tenant: Tenant, database: Database) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        work.intend(NewIntent(TELL_HOST, uuid4(), "lane"))
        await work.commit()
    outbox = SqlOutbox(database)
    [intent_id] = await outbox.due(10)
    intent = await outbox.claim(intent_id)
    assert intent
    async with tenant.begin(tenant.account.account_id) as work:
        await work.finish(intent)
    await outbox.extend(intent)  # rolled back: still open
    async with tenant.begin(tenant.account.account_id) as work:
        await work.finish(intent)
        await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        with pytest.raises(LeaseLost):
            await work.finish(intent)


# ---- time inside a transaction --------------------------------------------------------------------------------------


async def test_a_task_can_tell_whether_it_is_inside_a_transaction(tenant: Tenant, database: Database) -> None:
    assert not transaction_open.get()
    async with tenant.begin(tenant.account.account_id) as work:
        await work.users.get(tenant.host.id)
        assert transaction_open.get()
        assert await asyncio.to_thread(transaction_open.get)
        await work.commit()
    assert not transaction_open.get()
    async with tenant.look(tenant.account.account_id):
        assert transaction_open.get()
    assert not transaction_open.get()


async def test_reading_does_not_wait_for_a_writer(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        await work.host_times.lock([tenant.host.id])
        work.bookings.add(a_reserved_booking(tenant))
        async with asyncio.timeout(2), tenant.look(tenant.account.account_id) as reading:
            assert (await reading.pages.get(tenant.page.id)).id == tenant.page.id
        await work.commit()


# ---- the journal's order --------------------------------------------------------------------------------------------


async def test_a_reader_of_the_journal_misses_nothing_that_commits_later(tenant: Tenant, database: Database) -> None:
    """Writers in parallel, and a reader that asks for what is past the last position it saw: all, once, in order."""
    reads, account_id = SqlReads(database), tenant.account.account_id
    start = await reads.journal_end(account_id)
    seen: list[int] = []
    writing = True

    async def write(number: int) -> None:
        for turn in range(4):
            async with tenant.begin(account_id) as work:
                page = a_page(tenant.host, slug=f"page-{number}-{turn}")
                page.archive(now=NOW)
                page.restore(now=NOW)
                work.pages.add(page)
                await asyncio.sleep(0.002 * (number % 3))
                await work.commit()

    async def read() -> None:
        position = start
        while writing or position < await reads.journal_end(account_id):
            for entry in await reads.journal(
                account_id, after=position, kinds=["PageArchived", "PageRestored"], limit=7
            ):
                seen.append(entry.position)
                position = entry.position

    reader = asyncio.create_task(read())
    await asyncio.gather(*(write(number) for number in range(8)))
    writing = False
    await reader
    assert seen == list(range(start + 1, start + 65))


async def test_positions_are_counted_per_account(tenant: Tenant, stranger: Tenant, database: Database) -> None:
    reads = SqlReads(database)
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(a_reserved_booking(tenant))
        await work.commit()
    assert (
        await reads.journal_end(tenant.account.account_id),
        await reads.journal_end(stranger.account.account_id),
    ) == (1, 0)


async def test_a_user_that_was_added_can_be_got(tenant: Tenant) -> None:
    colleague = a_user(tenant.account.account_id)
    async with tenant.begin(tenant.account.account_id) as work:
        work.users.add(colleague)
        assert await work.users.get(colleague.id) is colleague
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        assert (await work.users.of([colleague.id, tenant.host.id])).keys() == {colleague.id, tenant.host.id}
