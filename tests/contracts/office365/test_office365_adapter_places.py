"""Three calls at once for one mailbox, counted over all event loops of the process (RT-6)."""

import asyncio
import threading

import pytest

from meetings.adapters.office365.places import Places, few_at_once


class Counter:
    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self._lock = threading.Lock()

    async def work(self, places: Places, mailbox: str = "ada") -> None:
        async with places.place(mailbox):
            with self._lock:
                self.now += 1
                self.most = max(self.most, self.now)
            await asyncio.sleep(0.002)
            with self._lock:
                self.now -= 1


async def test_no_more_than_that_many_are_under_way() -> None:
    places, counter = Places(3), Counter()
    await asyncio.gather(*(counter.work(places) for _ in range(20)))
    assert (counter.most, counter.now) == (3, 0)


async def test_mailboxes_do_not_wait_for_each_other() -> None:
    places, counter = Places(1), Counter()
    await asyncio.gather(*(counter.work(places, f"box-{number}") for number in range(5)))
    assert counter.most == 5


def test_several_event_loops_share_the_places() -> None:
    places, counter = Places(3), Counter()

    async def many() -> None:
        await asyncio.gather(*(counter.work(places) for _ in range(25)))

    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert (counter.most, counter.now) == (3, 0)


async def test_who_gives_up_waiting_leaves_the_place_to_the_next() -> None:
    places, entered = Places(1), asyncio.Event()

    async def enter() -> None:
        async with places.place("ada"):
            entered.set()

    async with places.place("ada"):
        first = asyncio.create_task(enter())
        await asyncio.sleep(0)
        second = asyncio.create_task(enter())
        await asyncio.sleep(0)
        first.cancel()
    await asyncio.wait_for(second, 2)
    assert (first.cancelled(), entered.is_set()) == (True, True)


async def test_who_gives_up_in_the_moment_of_getting_the_place_leaves_it_too() -> None:
    places = Places(1)

    async def enter() -> None:
        async with places.place("ada"):
            pass

    for _ in range(50):
        async with places.place("ada"):
            late = asyncio.create_task(enter())
            await asyncio.sleep(0)
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
    await asyncio.wait_for(enter(), 2)


async def test_a_waiter_whose_event_loop_is_gone_does_not_keep_the_place() -> None:
    places = Places(1)

    async def enter() -> None:
        async with places.place("ada"):
            pass

    def abandon() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(enter())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        left_behind.append(task)

    left_behind: list[asyncio.Task[None]] = []
    async with places.place("ada"):
        await asyncio.to_thread(abandon)
    await asyncio.wait_for(enter(), 2)
    left_behind[0]._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own


async def test_what_fails_inside_gives_the_place_back() -> None:
    places = Places(1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with places.place("ada"):
                raise RuntimeError
    async with places.place("ada"):
        pass


async def test_a_mailbox_that_nobody_uses_is_forgotten() -> None:
    places = Places(2)
    await asyncio.gather(*(Counter().work(places, f"box-{number % 7}") for number in range(50)))
    assert places._mailboxes == {}


async def test_small_questions_are_asked_two_at_once_and_answered_in_order() -> None:
    now, most = 0, 0

    async def double(number: int) -> int:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001 * (10 - number))
        now -= 1
        return 2 * number

    assert await few_at_once(double, range(10)) == [2 * number for number in range(10)]
    assert most == 2
    assert await few_at_once(double, []) == []


async def test_the_first_small_question_that_fails_ends_the_others() -> None:
    asked: list[int] = []

    async def fail(number: int) -> None:
        asked.append(number)
        await asyncio.sleep(0)
        raise LookupError

    with pytest.raises(LookupError):
        await few_at_once(fail, range(50))
    await asyncio.sleep(0.01)
    assert len(asked) < 6
