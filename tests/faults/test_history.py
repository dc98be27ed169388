"""Random histories of concurrent clients, failing calendars and impatience keep their invariants (TH-3, TH-5)."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.databases import BOTH_DATABASES
from tests.faults.history import History
from tests.unguarded import unguarded, without_constraint
from tests.world import World, berlin, world

SEEDS = [("sqlite", seed) for seed in range(10)] + [("postgresql", seed) for seed in range(100, 105)]


@pytest.fixture
async def here(database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]) -> AsyncIterator[World]:
    google, mail = simulators
    async with world(database_url, google, mail, now=berlin("2035-12-03 08:00")) as found:
        yield found


@pytest.mark.parametrize(
    ("database_url", "seed"),
    [pytest.param(kind, seed, marks=[pytest.mark.services] if kind == "postgresql" else []) for kind, seed in SEEDS],
    indirect=["database_url"],
)
async def test_a_random_history_keeps_its_invariants(here: World, seed: int) -> None:
    """I1, I2, I4, I5, in the database and in the calendars."""
    history = History(here, seed)
    await history.prepare()
    await history.run()
    told = [entry.acknowledged for entry in history.entries]
    print(f"seed {seed}: {len(told)} wishes, {told.count(True)} booked, {told.count(None)} unknown")
    assert told.count(True) >= 3
    assert await history.violations() == []
    assert await history.same_answers() == []


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_without_its_guard_the_same_history_double_books(here: World) -> None:
    """TH-2: the control. If this finds nothing, the histories above prove nothing."""
    await without_constraint(here.runtime.database)
    first = History(here, 0, calm=True)
    await first.prepare()
    here.tools = replace(here.tools, begin_as=unguarded(here.runtime.database))
    for seed in range(5):
        history = History(here, seed, calm=True, hosts=[first.hosts[seed % 3]])
        await history.run(wishes=2)
        if any("meets two people" in found for found in await history.violations()):
            return
    pytest.fail("nobody was double-booked in five histories without a guard")
