"""Counting in one process: what the library's storage would say, at the same price however many are counted."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits.aio.storage import MemoryStorage

from meetings.graphql.counts_in_memory import CountsInMemory

BEGIN = 1_800_000_000.0
LIMIT, SECONDS = 5, 60
steps = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 3), st.integers(0, 100)), max_size=40)


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Iterator[Clock]:
    """What both are told; the library's storage asks for the time by itself."""
    with pytest.MonkeyPatch.context() as patched:
        clock = Clock()
        patched.setattr(time, "time", clock)
        yield clock


@given(steps)
def test_counts_are_those_of_the_library(clock: Clock, taken: list[tuple[str, int, int]]) -> None:
    async def compare() -> None:
        ours, librarys = CountsInMemory(clock), MemoryStorage()
        clock.now = BEGIN
        for key, amount, seconds in taken:
            clock.now += seconds
            granted = [
                await each.acquire_sliding_window_entry(key, LIMIT, SECONDS, amount) for each in (ours, librarys)
            ]
            assert granted[0] == granted[1]
            found = [await each.get_sliding_window(key, SECONDS) for each in (ours, librarys)]
            assert found[0] == pytest.approx(found[1])

    asyncio.run(compare())


async def test_a_key_that_is_cleared_is_counted_anew(clock: Clock) -> None:
    storage = CountsInMemory(clock)
    for _ in range(LIMIT):
        assert await storage.acquire_sliding_window_entry("a", LIMIT, SECONDS)
    assert not await storage.acquire_sliding_window_entry("a", LIMIT, SECONDS)
    await storage.clear_sliding_window("a", SECONDS)
    assert await storage.acquire_sliding_window_entry("a", LIMIT, SECONDS)


async def test_of_many_who_come_once_only_those_that_still_count_are_remembered(clock: Clock) -> None:
    storage = CountsInMemory(clock)
    for number in range(20_000):
        clock.now += 0.2
        assert await storage.acquire_sliding_window_entry(f"visitor {number}", LIMIT, SECONDS)
    still_counting = 2 * SECONDS / 0.2
    assert await storage.reset() <= 2 * still_counting + 1


async def test_too_many_at_once_are_forgotten_from_the_first_on(clock: Clock) -> None:
    storage = CountsInMemory(clock, most_counted=1_000)
    for number in range(5_000):
        await storage.acquire_sliding_window_entry(f"visitor {number}", LIMIT, SECONDS)
        assert (await storage.get_sliding_window(f"visitor {number}", SECONDS))[2] == 1
    assert (await storage.get_sliding_window("visitor 4900", SECONDS))[2] == 1
    assert (await storage.get_sliding_window("visitor 1", SECONDS))[2] == 0
