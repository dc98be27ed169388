"""Waking workers: who is woken, and how many messages a sweep adds to those that wait."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from uuid import uuid4

import dramatiq
import pytest

from meetings.infrastructure.doorbell import Bell, Doorbell


@pytest.fixture(params=["in-process", pytest.param("redis", marks=pytest.mark.services)])
def doorbell(request: pytest.FixtureRequest) -> Iterator[Doorbell]:
    """A bell that nobody answers."""
    started = Doorbell(request.getfixturevalue("redis_url") if request.param == "redis" else None)
    started.start()
    yield started
    started.stop()


def waiting_after(doorbell: Doorbell) -> int:
    """How many messages about intents wait once everything that was rung has been sent."""
    doorbell.stop()
    found = doorbell.intents.waiting()
    doorbell.start()
    return found


def test_every_row_that_is_new_is_rung_for(doorbell: Doorbell) -> None:
    doorbell.ring_intents([uuid4() for _ in range(300)])
    assert waiting_after(doorbell) == 300


def test_a_sweep_fills_an_empty_queue_only_so_far(doorbell: Doorbell) -> None:
    doorbell.ring_again(intents=[uuid4() for _ in range(500)], calendars=[])
    assert waiting_after(doorbell) == 200
    assert doorbell.calendars.waiting() == 0


def test_a_sweep_rings_for_the_oldest_rows_even_when_many_messages_wait(doorbell: Doorbell) -> None:
    doorbell.ring_intents([uuid4() for _ in range(300)])
    for _ in range(3):
        doorbell.ring_again(intents=[uuid4() for _ in range(500)], calendars=[])
    assert waiting_after(doorbell) == 360


def test_a_worker_that_waits_is_woken_by_a_ring(doorbell: Doorbell) -> None:
    calendar_id, heard = uuid4(), []
    waiting = doorbell.calendars.broker.consume("calendars", timeout=20_000)

    def wait() -> None:
        heard.append(next(message.args for message in waiting if message is not None))

    worker = threading.Thread(target=wait, daemon=True)
    worker.start()
    worker.join(timeout=0.5)
    doorbell.ring_calendars([calendar_id])
    worker.join(timeout=10)
    in_time = list(heard)
    worker.join()
    waiting.close()
    assert in_time == [(str(calendar_id),)]


def test_idle_threads_are_roused_when_they_are_to_stop() -> None:
    bell, worked_on, begun = Bell("calendars", None), [], threading.Event()

    def work(message: str) -> None:
        worked_on.append(bell.row_of(message))
        begun.set()

    dramatiq.actor(actor_name=bell.name, queue_name=bell.name, broker=bell.broker)(work)
    pool = dramatiq.Worker(bell.broker, queues={bell.name}, worker_threads=3, worker_timeout=60_000)
    pool.start()
    row_id = uuid4()
    bell.ring([row_id])
    assert begun.wait(10)
    with ThreadPoolExecutor(1) as aside:
        stopping = aside.submit(pool.stop, timeout=60_000)
        while wait([stopping], timeout=0.05).not_done:
            bell.rouse(len(pool.workers))
    assert [row for row in worked_on if row is not None] == [row_id]
