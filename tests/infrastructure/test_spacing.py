"""How soon after each other one calendar may be read (SY-3). The clock is the test's."""

import asyncio
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from meetings.infrastructure.spacing import Spacing

ANNA, BEN = uuid4(), uuid4()


class HandDrivenLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still until it is moved."""

    now = 0.0

    def time(self) -> float:
        return self.now


class Rings:
    """A spacing on that clock, and when it rang for what, in seconds since the start."""

    def __init__(self) -> None:
        self.loop = HandDrivenLoop()
        self.heard: list[tuple[float, UUID]] = []
        self.spacing = Spacing(lambda calendar_id: self.heard.append((self.seconds, calendar_id)))

    @property
    def seconds(self) -> float:
        return round(self.loop.now, 3)

    def notice(self, calendar_id: UUID = ANNA) -> bool:
        """A worker is woken for the calendar: whether it may read it."""
        return self.loop.run_until_complete(self._asked(calendar_id))

    def wakes(self) -> bool:
        return self.loop.run_until_complete(self._awaited())

    def until(self, seconds: float) -> None:
        """The clock goes on, at most a hundredth of a second at a time."""
        while self.loop.now < seconds:
            self.loop.now = min(seconds, self.loop.now + 0.01)
            self.loop.run_until_complete(asyncio.sleep(0))

    async def _asked(self, calendar_id: UUID) -> bool:
        return self.spacing.may_begin(calendar_id)

    async def _awaited(self) -> bool:
        return self.spacing.wakes(ANNA)


@pytest.fixture
def rings() -> Iterator[Rings]:
    made = Rings()
    yield made
    made.loop.close()


def test_changes_that_follow_each_other_slowly_are_all_read_at_once(rings: Rings) -> None:
    for change in range(5):
        rings.until(0.3 * change)
        assert rings.notice()
    rings.until(5)
    assert rings.heard == []


def test_a_notice_right_after_a_read_waits_a_quarter_of_a_second(rings: Rings) -> None:
    assert rings.notice()
    rings.until(0.1)
    assert not rings.notice()
    rings.until(5)
    assert rings.heard == [(0.25, ANNA)]


def test_whoever_waited_may_read(rings: Rings) -> None:
    rings.notice()
    rings.notice()
    rings.until(0.25)
    assert rings.notice()


def test_five_hundred_notices_in_a_second_are_two_reads(rings: Rings) -> None:
    reads = 0
    for number in range(500):
        rings.until(0.002 * number)
        reads += rings.notice()
    assert (reads, rings.heard) == (1, [])
    rings.until(1.0)
    reads += rings.notice()
    rings.until(5)
    assert (reads, rings.heard) == (2, [(1.0, ANNA)])


def test_a_storm_that_goes_on_is_a_read_a_second(rings: Rings) -> None:
    reads = 0
    for number in range(1000):
        rings.until(0.01 * number)
        reads += rings.notice()
    assert reads == 10


def test_another_calendar_does_not_wait(rings: Rings) -> None:
    assert rings.notice()
    assert rings.notice(BEN)


def test_it_is_known_whether_a_worker_will_be_woken_anyway(rings: Rings) -> None:
    rings.notice()
    assert not rings.wakes()
    rings.notice()
    assert rings.wakes()
    rings.until(0.25)
    assert not rings.wakes()
