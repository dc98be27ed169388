"""Waking workers: a message says which row is due, and nothing else.

The rows are the truth (OB-1): a lost message costs the time until the next sweep, a repeated one costs one look. So
Dramatiq neither retries nor keeps anything here; its broker is in this process, or in Redis.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from uuid import UUID

import redis
from dramatiq import Broker, Message
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, Middleware

from meetings.infrastructure.waking_broker import WakingRedisBroker

log = logging.getLogger(__name__)

INTENTS = "intents"
CALENDARS = "calendars"
MAILBOXES = "mailboxes"

_MAX_AGE_MS = 120_000
"""Older messages are dropped unread: the sweep has said the same since."""
_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 5.0
_HEARTBEAT_TIMEOUT_MS = 20_000
_MAINTENANCE_CHANCE = 100_000
"""With these two, what a killed worker held comes back within about half a minute; the defaults take a quarter hour."""
_LOOK_MS = 5_000
_LOOK_IN_REDIS_MS = 500
"""After so long with nothing heard an idle worker looks whether it is to stop and, in Redis, into the queue. In this
process it is roused when it is to stop: each look takes the interpreter from whoever answers a visitor."""
_NOBODY = ""
_ENOUGH_WAITING = 200
_AGAIN_AT_LEAST = 20
"""A sweep fills a queue up to the first, and rings for the oldest rows in any case."""


class Bell:
    """A queue of ids with a broker of its own, because Dramatiq runs one worker per broker."""

    def __init__(self, name: str, redis_url: str | None) -> None:
        self.name = name
        self.broker = _broker(redis_url)
        self.broker.declare_queue(name)
        self.look_ms = _LOOK_MS if redis_url is None else _LOOK_IN_REDIS_MS

    def ring(self, row_ids: Sequence[UUID]) -> None:
        """Send one message for each; blocks for as long as the broker takes."""
        for row_id in row_ids:
            self.broker.enqueue(self._message(str(row_id)))
        if isinstance(self.broker, WakingRedisBroker):
            self.broker.wake(self.name)

    def rouse(self, threads: int) -> None:
        """Have so many idle threads of this process, and those who take messages for them, look whether they are to
        stop. With Redis they look by themselves soon enough."""
        if isinstance(self.broker, StubBroker):
            for _ in range(threads):
                self.broker.enqueue(self._message(_NOBODY))
            self.broker.enqueue(self._message(_NOBODY), delay=0)

    def row_of(self, message: str) -> UUID | None:
        """The row that is due, by what a message brought; None if it was only to rouse somebody."""
        return None if message == _NOBODY else UUID(message)

    def _message(self, about: str) -> "Message[None]":
        return Message(queue_name=self.name, actor_name=self.name, args=(about,), kwargs={}, options={})

    def waiting(self) -> int:
        """How many messages no worker has taken yet; blocks for as long as the broker takes."""
        if isinstance(self.broker, WakingRedisBroker):
            return int(self.broker.client.llen(f"{self.broker.namespace}:{self.name}"))
        assert isinstance(self.broker, StubBroker)
        return int(self.broker.queues[self.name].qsize())


def _broker(redis_url: str | None) -> Broker:
    middleware: list[Middleware] = [AgeLimit(max_age=_MAX_AGE_MS)]
    if redis_url is None:
        return StubBroker(middleware=middleware)
    client = redis.Redis.from_url(
        redis_url, socket_connect_timeout=_CONNECT_SECONDS, socket_timeout=_ANSWER_SECONDS, health_check_interval=15
    )
    return WakingRedisBroker(  # type: ignore[no-untyped-call]  # dramatiq is typed in part
        client=client,
        middleware=middleware,
        namespace="meetings",
        heartbeat_timeout=_HEARTBEAT_TIMEOUT_MS,
        maintenance_chance=_MAINTENANCE_CHANCE,
    )


@dataclass(frozen=True)
class _Ring:
    """Rows of one kind to ring for."""

    bell: Bell
    ids: Sequence[UUID]
    again: bool = False

    def send(self) -> None:
        ids = self.ids
        if self.again:
            ids = ids[: max(_AGAIN_AT_LEAST, _ENOUGH_WAITING - self.bell.waiting())]
        self.bell.ring(ids)


class Doorbell:
    """Rings for rows from any thread or event loop; never blocks and never raises.

    `start` and `stop` frame its life. What is rung before, after, or while the broker cannot be reached is lost.
    """

    def __init__(self, redis_url: str | None) -> None:
        self.intents = Bell(INTENTS, redis_url)
        self.calendars = Bell(CALENDARS, redis_url)
        self.mailboxes = Bell(MAILBOXES, redis_url)
        self.failing = False
        """Whether the last ring did not get through."""
        self._waiting: SimpleQueue[_Ring | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._send, name="doorbell", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, at most for a moment; the thread is a daemon, so a dead broker holds nothing up."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(timeout=_CONNECT_SECONDS)

    def ring_intents(self, ids: Sequence[UUID]) -> None:
        self._put(_Ring(self.intents, ids))

    def ring_calendars(self, ids: Sequence[UUID]) -> None:
        self._put(_Ring(self.calendars, ids))

    def ring_mailboxes(self, ids: Sequence[UUID]) -> None:
        self._put(_Ring(self.mailboxes, ids))

    def ring_again(
        self, *, intents: Sequence[UUID] = (), calendars: Sequence[UUID] = (), mailboxes: Sequence[UUID] = ()
    ) -> None:
        """Ring for rows whose message may have been lost, oldest first: for as many as the workers can soon look at.

        Most of them wait in the queue already when there is much to do, and each repetition would cost a look.
        """
        self._put(_Ring(self.intents, intents, again=True))
        self._put(_Ring(self.calendars, calendars, again=True))
        self._put(_Ring(self.mailboxes, mailboxes, again=True))

    def _put(self, ring: _Ring) -> None:
        if ring.ids:
            self._waiting.put(ring)

    def _send(self) -> None:
        while (ring := self._waiting.get()) is not None:
            try:
                ring.send()
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
