"""Pokes reach every listener of a topic: within a process, and between processes over Redis."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import redis.asyncio

from meetings.application.ports.fan_out import FanOut, Listener
from meetings.infrastructure.fan_out import InProcessFanOut, RedisFanOut

Processes = tuple[FanOut, FanOut]


@pytest.fixture(params=["in process", pytest.param("redis", marks=pytest.mark.services)])
async def processes(request: pytest.FixtureRequest) -> AsyncIterator[Processes]:
    """The fan-out as two users of it see it: one who pokes and one who listens."""
    if request.param == "in process":
        shared = InProcessFanOut()
        yield shared, shared
        return
    url = request.getfixturevalue("redis_url")
    one, other = RedisFanOut(url), RedisFanOut(url)
    yield one, other
    await one.close()
    await other.close()


async def settled(listener: Listener) -> None:
    """Take the poke that a new subscription starts with, where there is one."""
    await listener.wait(0.1)


async def test_a_poke_reaches_who_listens_to_its_topic(processes: Processes) -> None:
    here, there = processes
    async with there.listen(["a", "b"]) as listener, here.listen(["c"]) as other:
        await settled(listener)
        await settled(other)
        await here.poke(["a"])
        assert await listener.wait(1) == {"a"}
        assert await other.wait(0.05) == frozenset()


async def test_pokes_that_arrive_while_nobody_waits_are_kept_as_a_set(processes: Processes) -> None:
    here, there = processes
    async with there.listen(["a", "b", "c"]) as listener:
        await settled(listener)
        for _ in range(3):
            await here.poke(["a", "c", "elsewhere"])
        await asyncio.sleep(0.1)
        assert await listener.wait(1) == {"a", "c"}
        assert await listener.wait(0.02) == frozenset()


async def test_a_poke_right_after_listening_began_is_heard(processes: Processes) -> None:
    here, there = processes
    async with there.listen(["a"]) as listener:
        await here.poke(["a"])
        assert await listener.wait(1) == {"a"}


async def test_every_listener_hears_and_own_pokes_too(processes: Processes) -> None:
    here, there = processes
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(fan_out.listen(["a"])) for fan_out in (here, there, there)]
        for listener in listeners:
            await settled(listener)
        await there.poke(["a"])
        assert [await listener.wait(1) for listener in listeners] == [{"a"}] * 3


async def test_waiting_ends_with_an_empty_set(processes: Processes) -> None:
    _, there = processes
    async with there.listen(["a"]) as listener:
        await settled(listener)
        began = asyncio.get_running_loop().time()
        assert await listener.wait(0.05) == frozenset()
        assert 0.04 < asyncio.get_running_loop().time() - began < 1


async def test_poking_nothing_and_nobody_is_fine(processes: Processes) -> None:
    here, _ = processes
    await here.poke([])
    await here.poke(["nobody"])


# ---- within a process -----------------------------------------------------------------------------------------------


async def test_a_poke_from_another_threads_loop_is_heard() -> None:
    """An embedded worker runs a loop of its own."""
    fan_out = InProcessFanOut()
    async with fan_out.listen(["a"]) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(fan_out.poke(["a"])))
        thread.start()
        assert await listener.wait(2) == {"a"}
        thread.join()


async def test_a_listener_whose_loop_is_gone_harms_nobody() -> None:
    fan_out = InProcessFanOut()
    loop = asyncio.new_event_loop()
    abandoned = fan_out.listen(["a"])
    await asyncio.to_thread(loop.run_until_complete, abandoned.__aenter__())
    loop.close()
    async with fan_out.listen(["a"]) as listener:
        await fan_out.poke(["a"])
        assert await listener.wait(1) == {"a"}


async def test_nothing_is_left_of_a_listener_that_left() -> None:
    fan_out = InProcessFanOut()
    async with fan_out.listen(["a", "b"]), fan_out.listen(["a"]):
        assert fan_out.topics() == {"a", "b"}
    assert fan_out.topics() == set()


# ---- over Redis -----------------------------------------------------------------------------------------------------


async def test_a_lost_subscription_is_made_again_and_everybody_looks_again(redis_url: str) -> None:
    """What was poked in between is lost, so every listener is poked with all its topics."""
    here, there = RedisFanOut(redis_url), RedisFanOut(redis_url)
    async with there.listen(["a", "b"]) as listener, redis.asyncio.from_url(redis_url) as admin:
        await settled(listener)
        await admin.client_kill_filter(_type="pubsub")
        assert await listener.wait(5) == {"a", "b"}
        await here.poke(["b"])
        assert await listener.wait(2) == {"b"}
    await here.close()
    await there.close()


async def test_a_silent_redis_counts_as_lost(redis_url: str) -> None:
    """A connection that died without a word is noticed, because nothing answers a ping."""
    fan_out = RedisFanOut(redis_url, silence_seconds=0.1)
    async with fan_out.listen(["a"]) as listener, redis.asyncio.from_url(redis_url) as admin:
        await settled(listener)
        assert await listener.wait(0.35) == frozenset()  # pings are answered
        await admin.client_pause(500, all=True)
        assert await listener.wait(5) == {"a"}
    await fan_out.close()


async def test_while_redis_is_away_this_process_still_hears_itself() -> None:
    fan_out = RedisFanOut("redis://127.0.0.1:1/0", patience_seconds=0.1)
    async with fan_out.listen(["a"]) as listener:
        await fan_out.poke(["a"])
        assert await listener.wait(1) == {"a"}
    await fan_out.close()


async def test_what_cannot_be_read_is_passed_over(redis_url: str) -> None:
    here, there = RedisFanOut(redis_url), RedisFanOut(redis_url)
    async with there.listen(["a"]) as listener, redis.asyncio.from_url(redis_url) as admin:
        await settled(listener)
        for rubbish in (b"", b"{", b"7", b"[]", b'"text"', b"\xff", b'["sender", 7, null, {}]', b'{"a": 1}'):
            await admin.publish("meetings:pokes", rubbish)
        await here.poke(["a"])
        assert await listener.wait(2) == {"a"}
    await here.close()
    await there.close()


async def test_one_connection_serves_every_listener(redis_url: str) -> None:
    fan_out = RedisFanOut(redis_url)
    async with AsyncExitStack() as stack, redis.asyncio.from_url(redis_url) as admin:
        for number in range(30):
            await stack.enter_async_context(fan_out.listen([f"topic-{number}"]))
        assert len(await admin.client_list(_type="pubsub")) == 1
    await fan_out.close()
