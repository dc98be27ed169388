"""Counting in Redis in one trip for all who wait: what the library would say, and nobody waits long for it."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
import redis.asyncio as redis
from limits.aio.storage import RedisStorage
from redis.exceptions import RedisError

from meetings.graphql.rate_limits import Limiter, TooOften
from meetings.infrastructure.counts_in_redis import CountingPaused, CountsInRedis

WINDOW = 60


@pytest.mark.services
async def test_counts_are_those_of_the_library_and_shared_with_it(redis_url: str) -> None:
    ours = CountsInRedis(redis_url)
    librarys = RedisStorage(f"async+{redis_url}", implementation="redispy")
    chance = random.Random(7)
    granted = {"ours": 0, "alone": 0}
    for _ in range(60):
        key, amount = chance.choice("ab"), chance.randint(1, 3)
        storage = chance.choice((ours, librarys))
        one = await storage.acquire_sliding_window_entry(f"together-{key}", 20, WINDOW, amount)
        other = await librarys.acquire_sliding_window_entry(f"alone-{key}", 20, WINDOW, amount)
        assert one == other
        granted["ours"] += one
        granted["alone"] += other
    assert 0 < granted["ours"] == granted["alone"] < 60
    assert (await ours.get_sliding_window("together-a", WINDOW))[2] <= 20


@pytest.mark.services
async def test_many_at_once_over_two_processes_get_no_more_than_the_limit(redis_url: str) -> None:
    processes = [Limiter(CountsInRedis(redis_url)) for _ in range(2)]
    results = await asyncio.gather(
        *(each.take(("10/minute",), "x", "somebody") for each in processes for _ in range(40)), return_exceptions=True
    )
    assert sum(result is None for result in results) == 10
    assert {type(result) for result in results} == {type(None), TooOften}


@pytest.mark.services
async def test_a_redis_that_forgot_its_scripts_is_told_again(redis_url: str) -> None:
    counts = CountsInRedis(redis_url)
    assert await counts.acquire_sliding_window_entry("a", 2, WINDOW)
    async with redis.Redis.from_url(redis_url) as client:
        await client.script_flush()
    assert await counts.acquire_sliding_window_entry("a", 2, WINDOW)
    assert not await counts.acquire_sliding_window_entry("a", 2, WINDOW)


@pytest.mark.services
async def test_whoever_gives_up_waiting_disturbs_nobody(redis_url: str) -> None:
    counts = CountsInRedis(redis_url)
    waiting = [asyncio.create_task(counts.acquire_sliding_window_entry("a", 100, WINDOW)) for _ in range(20)]
    await asyncio.sleep(0)
    for each in waiting[::2]:
        each.cancel()
    assert await asyncio.gather(*waiting[1::2]) == [True] * 10


@pytest.mark.services
async def test_a_key_of_another_kind_fails_alone(redis_url: str) -> None:
    counts = CountsInRedis(redis_url)
    async with redis.Redis.from_url(redis_url) as client:
        await client.hset("LIMITS:{broken}", "a", "b")
    broken, fine = await asyncio.gather(
        counts.acquire_sliding_window_entry("broken", 2, WINDOW),
        counts.acquire_sliding_window_entry("fine", 2, WINDOW),
        return_exceptions=True,
    )
    assert (isinstance(broken, Exception), fine) == (True, True)


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """The URL of a Redis that takes connections and says nothing."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    server.close()


async def test_nobody_waits_long_for_a_redis_that_is_silent(silent: str) -> None:
    counts, loop = CountsInRedis(silent), asyncio.get_running_loop()
    began = loop.time()
    first = asyncio.create_task(counts.acquire_sliding_window_entry("a", 2, WINDOW))
    await asyncio.sleep(0.1)
    behind = [asyncio.create_task(counts.acquire_sliding_window_entry("a", 2, WINDOW)) for _ in range(5)]
    results = await asyncio.gather(first, *behind, return_exceptions=True)
    assert isinstance(results[0], TimeoutError | RedisError)
    assert {type(each) for each in results[1:]} == {CountingPaused}
    assert loop.time() - began < 5
    with pytest.raises(CountingPaused):
        await counts.acquire_sliding_window_entry("a", 2, WINDOW)


async def test_while_redis_is_silent_a_process_counts_alone_at_half_the_rate(silent: str) -> None:
    limiter = Limiter(CountsInRedis(silent))
    for _ in range(5):
        await limiter.take(("10/minute",), "x", "somebody")
    with pytest.raises(TooOften) as refused:
        await limiter.take(("10/minute",), "x", "somebody")
    assert refused.value.limit == 5


@pytest.mark.services
async def test_after_a_pause_it_is_counted_in_redis_again(redis_url: str) -> None:
    counts = CountsInRedis(redis_url)
    async with redis.Redis.from_url(redis_url) as client:
        await client.client_pause(1_500)
        with pytest.raises((TimeoutError, RedisError)):
            await counts.acquire_sliding_window_entry("a", 2, WINDOW)
        await asyncio.sleep(2.5)
    assert await counts.acquire_sliding_window_entry("b", 1, WINDOW)
    assert not await counts.acquire_sliding_window_entry("b", 1, WINDOW)
