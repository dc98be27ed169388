"""What a process remembers of a page says the same as reading everything anew, whatever happened in between."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from meetings.application.change_settings import change_settings
from meetings.application.hold_slot import release_slot
from meetings.application.page_memory import PageMemory
from meetings.application.ports.page_signs import DatabasePulse, Pulse
from meetings.application.ports.reads import PagePointer
from meetings.application.read_availability import Availability, AvailabilityQuestion, next_available, read_availability
from meetings.application.scheduling_pages import ChangePage, archive_page, change_page
from meetings.domain.availability_rules import AvailabilityRules, WallRange, WeeklyHours
from meetings.domain.base import DomainError, NotFound
from meetings.domain.booking import Booking
from meetings.domain.page_settings import PageSettings
from meetings.domain.period import Period
from tests.world import HOST_EMAIL, World

MONDAY = date(2035, 12, 3)
STEPS = 45


def memory_of(here: World, *, pulse: DatabasePulse | None = None, **more: int) -> PageMemory:
    tools = here.tools
    return PageMemory(
        look=tools.look,
        signs=tools.page_signs,
        pulse=pulse or tools.pulse,
        clock=here.clock,
        policy=tools.policy,
        **more,
    )


async def from_memory(here: World, memory: PageMemory, question: AvailabilityQuestion) -> Availability:
    tools = here.tools
    return await read_availability(question, look=tools.look, clock=here.clock, policy=tools.policy, memory=memory)


async def read_anew(here: World, question: AvailabilityQuestion) -> Availability:
    tools = here.tools
    return await read_availability(question, look=tools.look, clock=here.clock, policy=tools.policy)


def questions(page: PagePointer, chance: random.Random) -> list[AvailabilityQuestion]:
    first = MONDAY + timedelta(days=chance.randrange(-2, 20))
    zone = chance.choice(["Europe/Berlin", "America/New_York", "Pacific/Apia"])
    return [
        AvailabilityQuestion(page, first, first + timedelta(days=chance.choice([0, 6, 30, 61])), zone, minutes)
        for minutes in (None, 30, 45)
    ]


async def same_for_all(here: World, memory: PageMemory, asked: list[AvailabilityQuestion]) -> None:
    tools = here.tools
    for question in asked:
        known = await from_memory(here, memory, question)
        fresh = await read_anew(here, question)
        assert (known.starts, known.mode, known.freshness) == (list(fresh.starts), fresh.mode, fresh.freshness)
        assert known.digest == fresh.digest
        common: dict[str, Any] = {"look": tools.look, "clock": here.clock, "policy": tools.policy}
        assert await next_available(known, memory=memory, **common) == await next_available(fresh, **common)


@dataclass
class History:
    """Random things that happen to Anna and her page."""

    here: World
    page: PagePointer
    chance: random.Random
    settings: PageSettings

    def __post_init__(self) -> None:
        self.bookings: list[Booking] = []
        self.holds: list[str] = []
        self.events: list[str] = []

    @property
    def steps(self) -> list[Callable[[], Awaitable[object]]]:
        return [
            self.book, self.book, self.cancel, self.move, self.hold, self.hold, self.release, self.holds_expire,
            self.external_event, self.external_event, self.event_gone, self.sync, self.sync, self.change_rules,
            self.change_rules, self.time_passes, self.time_passes, self.working_hours, self.switch_pages, self.nothing,
        ]  # fmt: skip

    async def happens(self) -> str:
        step = self.chance.choice(self.steps)
        try:
            await step()
        except DomainError as refused:
            return f"{step.__name__}: {type(refused).__name__}"
        return step.__name__

    async def start(self) -> datetime:
        question = AvailabilityQuestion(self.page, MONDAY, MONDAY + timedelta(days=20), "UTC", 30)
        found = await read_anew(self.here, question)
        if not found.starts:
            raise NotFound("free slot")
        return found.slot(self.chance.choice(found.starts)).start

    async def book(self) -> None:
        self.bookings.append(await self.here.book(self.page, await self.start(), duration_minutes=30))

    async def cancel(self) -> None:
        if self.bookings:
            await self.here.cancel(self.bookings.pop(self.chance.randrange(len(self.bookings))))

    async def move(self) -> None:
        if self.bookings:
            await self.here.move(self.bookings[-1], await self.start())

    async def hold(self) -> None:
        held = await self.here.hold(self.page, await self.start(), visitor=str(self.chance.random()))
        self.holds.append(held.token)

    async def release(self) -> None:
        if self.holds:
            await release_slot(self.holds.pop(), begin=self.here.tools.begin)

    async def holds_expire(self) -> None:
        await self.here.holds_expire()

    async def external_event(self) -> None:
        start = self.here.clock.now + timedelta(minutes=self.chance.randrange(60 * 24 * 20))
        length = timedelta(minutes=self.chance.randrange(1, 300))
        event = self.here.google.add_event(HOST_EMAIL, "Somebody else's", start, start + length)
        self.events.append(event["id"])

    async def event_gone(self) -> None:
        if self.events:
            self.here.google.cancel_event(HOST_EMAIL, self.events.pop())

    async def sync(self) -> None:
        await self.here.sync()

    async def change_rules(self) -> None:
        first = self.chance.choice([8, 9, 10]) * 60
        days = tuple(sorted(self.chance.sample(range(7), self.chance.randrange(1, 8))))
        self.settings = replace(
            self.settings,
            availability=AvailabilityRules("Europe/Berlin", (WeeklyHours(days, WallRange(first, 1020)),)),
            buffer_before_minutes=self.chance.choice([0, 10]),
            minimum_notice=Period(minutes=self.chance.choice([0, 180])),
            max_per_day=self.chance.choice([None, None, 1, 2]),
            max_per_week=self.chance.choice([None, None, 3]),
        )
        tools = self.here.tools
        wish = ChangePage(self.page.page_id, lambda settings: self.settings)
        await change_page(wish, caller=self.here.caller, begin=tools.begin, clock=self.here.clock, policy=tools.policy)

    async def time_passes(self) -> None:
        self.here.clock.passes(minutes=self.chance.choice([1, 2, 29, 31, 60 * 24, 60 * 24 * 8]))

    async def working_hours(self) -> None:
        hours = AvailabilityRules("UTC", (WeeklyHours((0, 1, 2, 3, 4), WallRange(480, 900)),))
        chosen = self.chance.choice([None, hours])
        await change_settings(
            lambda settings: replace(settings, working_hours=chosen),
            caller=self.here.caller,
            begin=self.here.tools.begin,
            clock=self.here.clock,
        )

    async def switch_pages(self) -> None:
        await self.here.switch_pages(on=self.chance.random() < 0.7)

    async def nothing(self) -> None:
        pass


@pytest.mark.parametrize("seed", range(3))
async def test_memory_says_what_reading_says_throughout_any_history(anywhere: World, seed: int) -> None:
    await anywhere.connect()
    page = await anywhere.page(durations_minutes=(30, 45))
    settings = (await anywhere.state(page)).page.settings
    history = History(anywhere, page, random.Random(seed), settings)
    memory = memory_of(anywhere)
    asked = questions(page, history.chance)
    told = []
    for _ in range(STEPS):
        told.append(await history.happens())
        try:
            await same_for_all(anywhere, memory, asked)
        except AssertionError as differs:
            raise AssertionError(f"after {told}") from differs
        if history.chance.random() < 0.3:
            asked = questions(page, history.chance)


async def test_a_page_that_is_taken_down_is_gone_from_memory_too(anywhere: World) -> None:
    page = await anywhere.page()
    memory = memory_of(anywhere)
    question = AvailabilityQuestion(page, MONDAY, MONDAY, "UTC")
    await from_memory(anywhere, memory, question)
    tools = anywhere.tools
    await archive_page(
        page.page_id, True, caller=anywhere.caller, begin=tools.begin, clock=anywhere.clock, policy=tools.policy
    )
    with pytest.raises(NotFound):
        await from_memory(anywhere, memory, question)


async def test_nothing_is_read_while_nothing_was_committed(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    memory = memory_of(anywhere)
    known = await memory.page(page, anywhere.clock.now)
    assert await memory.page(page, anywhere.clock.now) is known
    assert await memory.still(known)
    await anywhere.page("anna/other")
    assert await memory.page(page, anywhere.clock.now) is known  # something was committed, but nothing about this page
    ready = known.hosts[0]
    await anywhere.hold(page, anywhere.clock.now + timedelta(hours=2))
    assert not await memory.still(known)
    newer = await memory.page(page, anywhere.clock.now)
    assert newer is not known
    assert newer.hosts[0] is ready  # changed in place


async def test_what_is_remembered_is_bounded(here: World) -> None:
    pages = [await here.page(f"anna/{number}") for number in range(6)]
    memory = memory_of(here, most_spans=700)
    known = [await memory.page(page, here.clock.now) for page in pages]
    assert not await memory.still(known[0])
    assert await memory.still(known[-1])
    assert len(memory._entries) == 3


async def test_a_database_that_gives_no_pulse_is_read_each_time(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    memory = memory_of(anywhere, pulse=NoPulse())
    question = AvailabilityQuestion(page, MONDAY, MONDAY, "UTC")
    before = await from_memory(anywhere, memory, question)
    await anywhere.hold(page, before.slot(before.starts[0]).start)
    assert list((await from_memory(anywhere, memory, question)).starts) == list(before.starts)[1:]


class NoPulse:
    async def feel(self) -> Pulse:
        return Pulse(object(), None)


async def test_many_who_ask_at_once_share_one_look(anywhere: World) -> None:
    page = await anywhere.page()
    memory = memory_of(anywhere)
    found = await asyncio.gather(*(memory.page(page, anywhere.clock.now) for _ in range(20)))
    assert all(each is found[0] for each in found)
