"""Whatever happens, whoever is asked: a question, another process, and somebody who has been told all changes agree."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest

from meetings.application.page_memory import PageMemory
from meetings.application.ports.fan_out import page_topic
from meetings.application.ports.reads import PagePointer
from meetings.application.read_availability import AvailabilityQuestion
from meetings.application.watch_availability import AvailabilityWatch, Snapshot
from meetings.infrastructure.runtime import Process, Runtime
from tests.application.test_page_memory import MONDAY, History, from_memory, memory_of, read_anew, same_for_all
from tests.world import World

STEPS = 25


@asynccontextmanager
async def another_process(here: World) -> AsyncIterator[World]:
    """Other connections to the same database, and nothing else in common but the clock: no poke reaches it."""
    async with Runtime.open(Process(here.runtime.settings)) as runtime:
        tools = replace(runtime.toolbox, clock=here.clock)
        other = World(runtime, tools, here.google, here.mail, here.clock)
        other.anna = here.anna
        yield other


class Watcher:
    """Keeps what it is told, and nothing else."""

    def __init__(self, here: World, memory: PageMemory, question: AvailabilityQuestion) -> None:
        tools = here.tools
        watch = AvailabilityWatch(
            look=tools.look, fan_out=tools.fan_out, clock=here.clock, policy=tools.policy, memory=memory
        )
        self.days: dict[date, list[int]] = {}
        self.cursor = ""
        self._told = asyncio.Condition()
        self._events = watch.watch(question, None)
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for event in self._events:
            async with self._told:
                if isinstance(event, Snapshot):
                    self.days = dict(event.availability.days)
                else:
                    self.days.update(event.days)
                    for gone in event.emptied:
                        del self.days[gone]
                self.cursor = event.cursor
                self._told.notify_all()

    async def knows(self, cursor: str) -> None:
        async with asyncio.timeout(20), self._told:
            await self._told.wait_for(lambda: self.cursor == cursor)

    async def leave(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._events.aclose()


@pytest.mark.parametrize("seed", [11, 12])
async def test_question_other_process_and_replayed_messages_agree_throughout_any_history(
    anywhere: World, seed: int
) -> None:
    await anywhere.connect()
    page = await anywhere.page(durations_minutes=(30, 45))
    settings = (await anywhere.state(page)).page.settings
    history = History(anywhere, page, random.Random(seed), settings)
    memory = memory_of(anywhere)
    question = AvailabilityQuestion(page, MONDAY, MONDAY + timedelta(days=20), "America/New_York", 30)
    watcher = Watcher(anywhere, memory, question)
    async with another_process(anywhere) as other:
        others = memory_of(other)
        try:
            for _ in range(STEPS):
                await one_step(history, page, watcher, other, others, memory, question)
        finally:
            await watcher.leave()


async def one_step(
    history: History,
    page: PagePointer,
    watcher: Watcher,
    other: World,
    others: PageMemory,
    memory: PageMemory,
    question: AvailabilityQuestion,
) -> None:
    here = history.here
    what = await history.happens()
    if what.startswith(("time_passes", "holds_expire")):  # nobody says so; the reader would look within half a minute
        await here.tools.fan_out.poke([page_topic(page.page_id)])
    fresh = await read_anew(here, question)
    assert list((await from_memory(other, others, question)).starts) == list(fresh.starts), what
    await same_for_all(here, memory, [question])
    await watcher.knows(fresh.digest.cursor())
    assert watcher.days == fresh.days, what
