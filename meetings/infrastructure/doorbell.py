"""Waking workers: a message says which row is due, and nothing else.

The rows are the truth (OB-1): a lost message costs the time until the next sweep, a repeated one costs one look. So
Dramatiq neither retries nor keeps anything here; its broker is in this process, or in Redis.
"""

import logging
import threading
from collections.abc import Iterable
from queue import SimpleQueue
from uuid import UUID

import redis
from dramatiq import Broker, Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, Middleware

log = logging.getLogger(__name__)

INTENTS = "intents"
CALENDARS = "calendars"

_MAX_AGE_MS = 120_000
"""Older messages are dropped unread: the sweep has said the same since."""
_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 5.0
_HEARTBEAT_TIMEOUT_MS = 20_000
_MAINTENANCE_CHANCE = 100_000
"""With these two, what a killed worker held comes back within about half a minute; the defaults take a quarter hour."""


class Bell:
    """A queue of ids with a broker of its own, because Dramatiq runs one worker per broker."""

    def __init__(self, name: str, redis_url: str | None) -> None:
        self.name = name
        self.broker = _broker(redis_url)
        self.broker.declare_queue(name)

    def ring(self, row_id: UUID) -> None:
        """Send one message; blocks for as long as the broker takes."""
        self.broker.enqueue(
            Message(queue_name=self.name, actor_name=self.name, args=(str(row_id),), kwargs={}, options={})
        )


def _broker(redis_url: str | None) -> Broker:
    middleware: list[Middleware] = [AgeLimit(max_age=_MAX_AGE_MS)]
    if redis_url is None:
        return StubBroker(middleware=middleware)
    client = redis.Redis.from_url(
        redis_url, socket_connect_timeout=_CONNECT_SECONDS, socket_timeout=_ANSWER_SECONDS, health_check_interval=15
    )
    return RedisBroker(  # type: ignore[no-untyped-call]  # dramatiq is typed in part
        client=client,
        middleware=middleware,
        namespace="meetings",
        heartbeat_timeout=_HEARTBEAT_TIMEOUT_MS,
        maintenance_chance=_MAINTENANCE_CHANCE,
    )


class Doorbell:
    """Rings for rows from any thread or event loop; never blocks and never raises.

    `start` and `stop` frame its life. What is rung before, after, or while the broker cannot be reached is lost.
    """

    def __init__(self, redis_url: str | None) -> None:
        self.intents = Bell(INTENTS, redis_url)
        self.calendars = Bell(CALENDARS, redis_url)
        self.failing = False
        """Whether the last ring did not get through."""
        self._waiting: SimpleQueue[tuple[Bell, UUID] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._send, name="doorbell", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, at most for a moment; the thread is a daemon, so a dead broker holds nothing up."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(timeout=_CONNECT_SECONDS)

    def ring_intents(self, ids: Iterable[UUID]) -> None:
        for intent_id in ids:
            self._waiting.put((self.intents, intent_id))

    def ring_calendars(self, ids: Iterable[UUID]) -> None:
        for calendar_id in ids:
            self._waiting.put((self.calendars, calendar_id))

    def _send(self) -> None:
        while (ring := self._waiting.get()) is not None:
            bell, row_id = ring
            try:
                bell.ring(row_id)
            except (redis.RedisError, OSError) as error:
                if not self.failing:
                    log.warning("the broker cannot be reached; the sweep takes over", extra={"error": str(error)})
                self.failing = True
                self._forget_the_rest()
            else:
                self.failing = False

    def _forget_the_rest(self) -> None:
        """Each would wait for the broker in vain; their rows are found by the sweep."""
        while not self._waiting.empty():
            if self._waiting.get() is None:
                self._waiting.put(None)
                return
