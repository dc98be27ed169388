"""An idle consumer of a queue in Redis is woken; nothing is lost when nobody says anything."""

import threading
import time
from collections.abc import Iterator
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
FOR_EVER_MS = 20_000
PATIENCE_SECONDS = 10.0


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


class Idler:
    """A consumer, and a thread that waits for one message after the other."""

    def __init__(self, broker: WakingRedisBroker, opened: Consumer) -> None:
        self.consumer = opened
        self._broker = broker
        self._thread = threading.Thread(target=lambda: None)
        self._gave: list[str] = []

    def take(self) -> MessageProxy:
        """The next message."""
        return next(found for found in self.consumer if found is not None)

    def waits(self) -> None:
        """Returns once it does nothing any more."""
        self.begins()
        before = -1
        while before != (before := scripts_run(self._broker)):
            self._thread.join(timeout=0.2)

    def begins(self) -> None:
        self._thread = threading.Thread(target=lambda: self._gave.append(self.take().message_id), daemon=True)
        self._thread.start()

    def taken(self, seconds: float = PATIENCE_SECONDS) -> list[str]:
        """What it took by then; waits at most so long for it."""
        self._thread.join(seconds)
        return self._gave

    def ends(self) -> None:
        while self._thread.is_alive():
            put(self._broker)
            self._thread.join(FOR_EVER_MS / 1000)
        self.consumer.close()


@contextmanager
def idler(broker: WakingRedisBroker, *, prefetch: int = 2, timeout: int = FOR_EVER_MS) -> Iterator[Idler]:
    started = Idler(broker, broker.consume(QUEUE, prefetch, timeout))
    try:
        yield started
    finally:
        started.ends()


def scripts_run(broker: WakingRedisBroker) -> int:
    """How often any queue was looked into so far."""
    found = broker.client.info("commandstats")
    return int(found.get("cmdstat_evalsha", {}).get("calls", 0))


def test_an_idle_consumer_is_woken_by_a_message(broker: WakingRedisBroker) -> None:
    with idler(broker) as consumer:
        consumer.waits()
        sent = put(broker)
        assert consumer.taken() == [sent]


def test_an_idle_consumer_leaves_redis_alone(broker: WakingRedisBroker) -> None:
    with idler(broker) as consumer:
        consumer.waits()
        before = scripts_run(broker)
        assert consumer.taken(seconds=1.0) == []
        assert scripts_run(broker) == before


def test_a_message_of_which_nothing_was_said_is_found_when_the_time_is_over(broker: WakingRedisBroker) -> None:
    with idler(broker, timeout=300) as consumer:
        consumer.begins()
        assert consumer.taken(seconds=0.5) == []
        sent = put_silently(broker)
        assert consumer.taken() == [sent]


def test_a_consumer_with_all_places_taken_goes_on_as_soon_as_one_is_free(broker: WakingRedisBroker) -> None:
    with idler(broker, prefetch=1) as consumer:
        put(broker)
        first = consumer.take()
        second = put(broker)
        consumer.begins()
        assert consumer.taken(seconds=0.5) == []
        consumer.consumer.ack(first)
        assert consumer.taken() == [second]


def test_what_is_said_many_times_is_one_reason_to_look(broker: WakingRedisBroker) -> None:
    with idler(broker, prefetch=200) as consumer:
        assert next(consumer.consumer) is None  # the subscription is confirmed
        for _ in range(100):
            put(broker)
        before = scripts_run(broker)
        assert len({consumer.take().message_id for _ in range(100)}) == 100
        assert next(consumer.consumer) is None  # it hears what was said, and will look
        consumer.waits()
        assert scripts_run(broker) - before <= 4


def test_a_consumer_hears_again_after_its_connection_was_cut(broker: WakingRedisBroker) -> None:
    with idler(broker) as consumer:
        consumer.waits()
        broker.client.client_kill_filter(_type="pubsub")
        sent = put(broker)
        assert consumer.taken() == [sent]


def test_a_redis_that_is_away_is_told_the_way_dramatiq_wants_it() -> None:
    away = broker_at(f"redis://127.0.0.1:{services.free_port()}/0")
    began = time.monotonic()
    with pytest.raises(ConnectionClosed):
        away.consume(QUEUE)
    assert time.monotonic() - began < PATIENCE_SECONDS
