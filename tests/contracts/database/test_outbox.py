"""Intents: claimed by one worker at a time, leased, fenced, in the order of their lane."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from meetings.application.ports.outbox import Intent, LeaseLost, NewIntent
from meetings.infrastructure.database.tables import intents
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.outbox import SqlOutbox
from tests.builders import NOW
from tests.contracts.database.conftest import Tenant

FAR = NOW + timedelta(days=9_999)


@pytest.fixture
def outbox(database: Database) -> SqlOutbox:
    return SqlOutbox(database)


async def intend(tenant: Tenant, database: Database, *lanes: str, **given: Any) -> list[UUID]:
    """Store an intent per lane and give their ids in order."""
    async with tenant.begin(tenant.account.account_id) as work:
        for lane in lanes:
            values: dict[str, Any] = {"reaction": "tell", "subject": uuid4(), "lane": lane}
            work.intend(NewIntent(**(values | given)))
        await work.commit()
    async with database.snapshot() as connection:
        found = await connection.execute(select(intents.c.id).order_by(intents.c.seq.desc()).limit(len(lanes)))
    return list(reversed(found.scalars().all()))


async def lapse(database: Database, intent: Intent) -> None:
    """Let the lease of an intent run out."""
    async with database.transaction() as connection:
        lapsed = update(intents).where(intents.c.id == intent.id).values(lease_until=database_time(-1))
        await connection.execute(lapsed)


async def claimed(outbox: SqlOutbox, intent_id: UUID) -> Intent:
    intent = await outbox.claim(intent_id)
    assert intent
    return intent


async def test_a_claimed_intent_says_what_was_stored(tenant: Tenant, database: Database, outbox: SqlOutbox) -> None:
    subject = uuid4()
    [intent_id] = await intend(tenant, database, "lane", subject=subject, details={"news": "Booked"})
    intent = await claimed(outbox, intent_id)
    assert (intent.id, intent.account_id, intent.reaction, intent.subject, intent.lane, dict(intent.details)) == (
        intent_id,
        tenant.account.account_id,
        "tell",
        subject,
        "lane",
        {"news": "Booked"},
    )
    assert (intent.attempts, intent.fence) == (1, 1)


async def test_due_intents_come_oldest_first_and_only_while_claimable(
    tenant: Tenant, database: Database, outbox: SqlOutbox
) -> None:
    first, second = await intend(tenant, database, "one", "two")
    await intend(tenant, database, "three", not_before=FAR)
    assert await outbox.due(10) == [first, second]
    assert await outbox.due(1) == [first]
    intent = await claimed(outbox, first)
    assert await outbox.due(10) == [second]
    await outbox.done(intent)
    assert await outbox.due(10) == [second]


async def test_of_twenty_claimers_one_gets_the_intent(tenant: Tenant, database: Database, outbox: SqlOutbox) -> None:
    """OB-2."""
    for intent_id in await intend(tenant, database, "one", "two", "three"):
        claims = await asyncio.gather(*(outbox.claim(intent_id) for _ in range(20)))
        assert [claim.fence for claim in claims if claim] == [1]


async def test_a_lease_that_ran_out_lets_the_next_one_claim(
    tenant: Tenant, database: Database, outbox: SqlOutbox
) -> None:
    [intent_id] = await intend(tenant, database, "lane")
    first = await claimed(outbox, intent_id)
    assert await outbox.claim(intent_id) is None
    await lapse(database, first)
    assert await outbox.due(10) == [intent_id]
    second = await claimed(outbox, intent_id)
    assert (second.attempts, second.fence) == (2, 2)


async def test_a_lease_runs_on_database_time(tenant: Tenant, database: Database) -> None:
    [intent_id] = await intend(tenant, database, "lane")
    hasty = SqlOutbox(database, lease_seconds=0.2)
    await claimed(hasty, intent_id)
    assert await hasty.claim(intent_id) is None
    await asyncio.sleep(0.25)
    assert await hasty.claim(intent_id)


async def test_an_extended_lease_holds(tenant: Tenant, database: Database, outbox: SqlOutbox) -> None:
    [intent_id] = await intend(tenant, database, "lane")
    intent = await claimed(outbox, intent_id)
    await lapse(database, intent)
    await outbox.extend(intent)
    assert await outbox.claim(intent_id) is None


async def test_whoever_lost_the_lease_writes_nothing_down(
    tenant: Tenant, database: Database, outbox: SqlOutbox
) -> None:
    """OB-4: the fence has moved on."""
    [intent_id] = await intend(tenant, database, "lane")
    slow = await claimed(outbox, intent_id)
    await lapse(database, slow)
    quick = await claimed(outbox, intent_id)
    for attempt in (outbox.extend(slow), outbox.done(slow)):
        with pytest.raises(LeaseLost):
            await attempt
    async with tenant.begin(tenant.account.account_id) as work:
        with pytest.raises(LeaseLost):
            await work.finish(slow)
    await outbox.retry(slow, at=FAR, error="late")
    await outbox.bury(slow, error="late")
    await outbox.done(quick)
    assert await outbox.dead(tenant.account.account_id, 10) == []


async def test_a_lane_is_worked_on_in_order_and_one_at_a_time(
    tenant: Tenant, database: Database, outbox: SqlOutbox
) -> None:
    first, second, third, elsewhere = await intend(tenant, database, "lane", "lane", "lane", "another lane")
    assert await outbox.due(10) == [first, elsewhere]
    assert await outbox.claim(second) is None
    intent = await claimed(outbox, first)
    assert await outbox.claim(second) is None
    await outbox.done(intent)
    assert await outbox.claim(third) is None
    await outbox.done(await claimed(outbox, second))
    assert await outbox.claim(third)


async def test_an_intent_that_waits_for_another_try_holds_its_lane(
    tenant: Tenant, database: Database, outbox: SqlOutbox
) -> None:
    first, second = await intend(tenant, database, "lane", "lane")
    await outbox.retry(await claimed(outbox, first), at=FAR, error="away")
    assert await outbox.due(10) == []
    assert await outbox.claim(second) is None


async def test_a_delayed_intent_holds_nobody_up(tenant: Tenant, database: Database, outbox: SqlOutbox) -> None:
    await intend(tenant, database, "lane", not_before=FAR)
    [second] = await intend(tenant, database, "lane")
    assert await outbox.due(10) == [second]
    assert await outbox.claim(second)


async def test_a_dead_intent_holds_nobody_up(tenant: Tenant, database: Database, outbox: SqlOutbox) -> None:
    first, second = await intend(tenant, database, "lane", "lane")
    await outbox.bury(await claimed(outbox, first), error="no")
    assert await outbox.claim(second)


async def test_claims_in_one_lane_at_the_same_time_have_one_winner(
    tenant: Tenant, database: Database, outbox: SqlOutbox
) -> None:
    """Also when an older intent turns up in the lane after a younger one was claimed."""
    ids = await intend(tenant, database, *["lane"] * 6)
    claims = await asyncio.gather(*(outbox.claim(intent_id) for intent_id in ids * 4))
    assert len([claim for claim in claims if claim]) == 1
    [winner] = [claim for claim in claims if claim]
    async with database.transaction() as connection:
        older = update(intents).where(intents.c.id == ids[3]).values(seq=-5)
        await connection.execute(older)
    assert await outbox.claim(ids[3]) is None
    await outbox.done(winner)
    assert await outbox.claim(ids[3])


async def test_the_oldest_intent_about_a_subject_can_be_claimed(
    tenant: Tenant, database: Database, outbox: SqlOutbox
) -> None:
    subject = uuid4()
    first, second = await intend(tenant, database, "one", "two", subject=subject)
    await intend(tenant, database, "three", subject=subject, reaction="other")
    intent = await outbox.claim_for("tell", subject)
    assert intent
    assert intent.id == first
    assert await outbox.claim_for("tell", subject) is None
    await outbox.done(intent)
    intent = await outbox.claim_for("tell", subject)
    assert intent
    assert intent.id == second
    assert await outbox.claim_for("tell", uuid4()) is None


async def test_dead_intents_are_listed_and_replayed(
    tenant: Tenant, stranger: Tenant, database: Database, outbox: SqlOutbox
) -> None:
    """OB-6."""
    first, second = await intend(tenant, database, "one", "two")
    for intent_id in (first, second):
        await outbox.bury(await claimed(outbox, intent_id), error=f"no {intent_id}")
    assert await outbox.due(10) == []
    assert await outbox.claim(first) is None
    dead = await outbox.dead(tenant.account.account_id, 10)
    assert [(entry.id, entry.attempts, entry.error) for entry in dead] == [
        (second, 1, f"no {second}"),
        (first, 1, f"no {first}"),
    ]
    assert await outbox.dead(stranger.account.account_id, 10) == []
    assert not await outbox.replay(stranger.account.account_id, first)
    assert await outbox.replay(tenant.account.account_id, first)
    assert not await outbox.replay(tenant.account.account_id, first)
    assert (await claimed(outbox, first)).attempts == 1
