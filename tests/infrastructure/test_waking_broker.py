"""An idle consumer of a queue in Redis is woken; nothing is lost when nobody says anything."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
import redis
from dramatiq import Consumer, Message, MessageProxy
from dramatiq.errors import ConnectionClosed

from meetings.infrastructure.waking_broker import WakingRedisBroker
from tests import services

pytestmark = pytest.mark.services

QUEUE = "calendars"
FOR_EVER_MS = 60_000
PATIENCE_SECONDS = 20.0


@pytest.fixture
def broker(redis_url: str) -> Iterator[WakingRedisBroker]:
    made = broker_at(redis_url)
    made.declare_queue(QUEUE)
    yield made
    made.close()


def broker_at(url: str) -> WakingRedisBroker:
    client = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5)
    return WakingRedisBroker(client=client, middleware=[], namespace=f"test-{uuid4()}")  # type: ignore[no-untyped-call]


def put(broker: WakingRedisBroker) -> str:
    """A new message, of which is told; gives its id."""
    sent = put_silently(broker)
    broker.wake(QUEUE)
    return sent


def put_silently(broker: WakingRedisBroker) -> str:
    message: Message[None] = Message(queue_name=QUEUE, actor_name="read", args=(), kwargs={}, options={})
    return broker.enqueue(message).message_id


@contextmanager
def consumer(broker: WakingRedisBroker, *, prefetch: int = 2, timeout: int = FOR_EVER_MS) -> Iterator[Consumer]:
    """One that listens by now, and has found the queue as it is."""
    opened = broker.consume(QUEUE, prefetch, timeout)
    try:
        yield opened
    finally:
        opened.close()


def take(opened: Consumer) -> MessageProxy:
    """The next message."""
    return next(found for found in opened if found is not None)


def meanwhile(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """In a thread of its own; the list gets what it gave."""
    gave: list[object] = []
    thread = threading.Thread(target=lambda: gave.append(work()), daemon=True)
    thread.start()
    return thread, gave


def idle(broker: WakingRedisBroker, opened: Consumer) -> tuple[threading.Thread, list[object]]:
    """Has the consumer wait for a message, and returns once it does nothing any more."""
    waiting = meanwhile(lambda: take(opened).message_id)
    before = -1
    while before != (before := scripts_run(broker)):
        waiting[0].join(timeout=0.2)
    return waiting


def scripts_run(broker: WakingRedisBroker) -> int:
    """How often any queue was looked into so far."""
    found = broker.client.info("commandstats")
    return int(found.get("cmdstat_evalsha", {}).get("calls", 0))


def test_an_idle_consumer_is_woken_by_a_message(broker: WakingRedisBroker) -> None:
    with consumer(broker) as opened:
        thread, gave = idle(broker, opened)
        sent = put(broker)
        thread.join(PATIENCE_SECONDS)
        assert gave == [sent]


def test_an_idle_consumer_leaves_redis_alone(broker: WakingRedisBroker) -> None:
    with consumer(broker) as opened:
        thread, _ = idle(broker, opened)
        before = scripts_run(broker)
        thread.join(timeout=1.0)
        assert scripts_run(broker) == before
        put(broker)
        thread.join(PATIENCE_SECONDS)


def test_a_message_of_which_nothing_was_said_is_found_when_the_time_is_over(broker: WakingRedisBroker) -> None:
    with consumer(broker, timeout=300) as opened:
        waiting, gave = meanwhile(lambda: take(opened).message_id)
        waiting.join(timeout=0.5)
        sent = put_silently(broker)
        waiting.join(PATIENCE_SECONDS)
        assert gave == [sent]


def test_a_consumer_with_all_places_taken_goes_on_as_soon_as_one_is_free(broker: WakingRedisBroker) -> None:
    with consumer(broker, prefetch=1) as opened:
        put(broker)
        first = take(opened)
        second = put(broker)
        thread, gave = meanwhile(lambda: take(opened).message_id)
        thread.join(timeout=0.5)
        assert gave == []
        opened.ack(first)
        thread.join(PATIENCE_SECONDS)
        assert gave == [second]


def test_many_messages_are_one_reason_to_look(broker: WakingRedisBroker) -> None:
    """Of a hundred that were said before anybody listened again the queue is not looked into a hundred times."""
    with consumer(broker, prefetch=200) as opened:
        assert next(opened) is None  # the subscription is confirmed
        for _ in range(100):
            put(broker)
        before = scripts_run(broker)
        taken = [take(opened) for _ in range(100)]
        assert len({each.message_id for each in taken}) == 100
        thread, gave = meanwhile(lambda: next(opened))
        thread.join(PATIENCE_SECONDS)
        assert gave == [None]
        thread, gave = idle(broker, opened)
        assert scripts_run(broker) - before <= 4
        put(broker)
        thread.join(PATIENCE_SECONDS)


def test_a_consumer_hears_again_after_its_connection_was_cut(broker: WakingRedisBroker) -> None:
    with consumer(broker) as opened:
        thread, gave = idle(broker, opened)
        broker.client.client_kill_filter(_type="pubsub")
        sent = put(broker)
        thread.join(PATIENCE_SECONDS)
        assert gave == [sent]


def test_a_redis_that_is_away_is_told_the_way_dramatiq_wants_it() -> None:
    away = broker_at(f"redis://127.0.0.1:{services.free_port()}/0")
    began = time.monotonic()
    with pytest.raises(ConnectionClosed):
        away.consume(QUEUE)
    assert time.monotonic() - began < PATIENCE_SECONDS
