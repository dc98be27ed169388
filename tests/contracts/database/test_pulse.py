"""The pulse beats once for each commit, and whoever feels it never feels one from before they asked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from meetings.infrastructure.database.engines import write_engine
from meetings.infrastructure.database.pulse import PostgresqlPulse, SqlitePulse, database_pulse

AnyPulse = PostgresqlPulse | SqlitePulse


@pytest.fixture
async def pulse(database_url: str) -> AsyncIterator[AnyPulse]:
    felt = database_pulse(database_url)
    yield felt
    await felt.close()


@pytest.fixture
async def somebody(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Somebody else who writes into the same database."""
    engine = write_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE things (number INTEGER)"))
    yield engine
    await engine.dispose()


async def commit(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO things VALUES (1)"))


async def test_it_stays_the_same_until_somebody_commits(pulse: AnyPulse, somebody: AsyncEngine) -> None:
    felt = [(await pulse.feel()).mark for _ in range(3)]
    assert len(set(felt)) == 1
    async with somebody.begin() as connection:
        await connection.execute(text("INSERT INTO things VALUES (1)"))
        uncommitted = (await pulse.feel()).mark
    assert (await pulse.feel()).mark != felt[0]
    assert (await pulse.feel()).mark != uncommitted


async def test_of_many_who_ask_at_any_time_nobody_hears_of_a_time_before_they_asked(
    pulse: AnyPulse, somebody: AsyncEngine
) -> None:
    async def ask_again_and_again() -> None:
        while True:
            await pulse.feel()
            await asyncio.sleep(0)

    others = [asyncio.create_task(ask_again_and_again()) for _ in range(5)]
    try:
        for _ in range(30):
            before = (await pulse.feel()).mark
            await commit(somebody)
            after = await asyncio.gather(*(pulse.feel() for _ in range(4)))
            assert all(each.mark != before for each in after)
    finally:
        for other in others:
            other.cancel()


async def test_whoever_gives_up_waiting_disturbs_nobody(pulse: AnyPulse) -> None:
    for pause in (0, 0, 0.001):
        waiting = [asyncio.create_task(pulse.feel()) for _ in range(10)]
        await asyncio.sleep(pause)
        for each in waiting[::2]:
            each.cancel()
        felt = await asyncio.gather(*waiting[1::2])
        assert len({each.mark for each in felt}) == 1
        assert all(each.at is not None for each in felt)


async def test_a_database_that_is_away_has_none_and_no_two_are_the_same() -> None:
    away = PostgresqlPulse("postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")
    first, second = await away.feel(), await away.feel()
    assert first.at is None
    assert first.mark != second.mark
    await away.close()


@pytest.mark.services
async def test_whoever_waits_when_it_is_closed_does_not_wait_for_ever(postgres_url: str) -> None:
    pulse = PostgresqlPulse(postgres_url)
    await pulse.feel()
    waiting = [asyncio.create_task(pulse.feel()) for _ in range(3)]
    await asyncio.sleep(0)
    await pulse.close()
    async with asyncio.timeout(5):
        for each in waiting:
            with contextlib.suppress(asyncio.CancelledError):
                await each
