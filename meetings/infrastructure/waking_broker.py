"""Queues in Redis whose consumers are woken by what happens, and do not ask again and again whether it did.

Dramatiq's own consumer sleeps between two questions. Here whoever put messages into a queue says so on a channel, on
which idle consumers listen. Redis keeps nothing for who does not listen (redis.io, "Pub/Sub"), so a consumer also asks
by itself when nothing was said for its timeout: what was said is a hint, the queue is what counts.
"""

import threading
from collections.abc import Iterable

from dramatiq import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed
from redis import RedisError


class WakingRedisBroker(RedisBroker):
    """Dramatiq's broker on Redis, with a way to wake the idle consumers of a queue in any process."""

    def wake(self, queue_name: str) -> None:
        """Have idle consumers look into the queue; to be said once after everything that was put into it.

        Blocks for as long as Redis takes, and raises `RedisError`.
        """
        self.client.publish(self.channel(queue_name), b"")

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """`timeout`: how many milliseconds an idle consumer waits at most before it looks into the queue by itself."""
        return _WokenConsumer(self, queue_name, prefetch, timeout)

    def channel(self, queue_name: str) -> str:
        """Where it is said that there is something in the queue."""
        return f"{self.namespace}:{queue_name}.rung"


class _WokenConsumer(Consumer):
    """Takes messages as Dramatiq's consumer does, and waits in another way: with all places taken for one to become
    free, otherwise for news of the queue.

    A new or renewed subscription is confirmed on the channel, which counts as news: something may have come before it.
    """

    def __init__(self, broker: WakingRedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        self._queue = broker.consumer_class(broker, queue_name, prefetch, 0)  # never sleeps by itself
        self._prefetch = prefetch
        self._timeout_seconds = timeout / 1000
        self._freed = threading.Event()
        self._channel = broker.channel(queue_name)
        self._news = broker.client.pubsub()
        self._listen()

    def __next__(self) -> MessageProxy | None:
        self._freed.clear()
        message: MessageProxy | None = next(self._queue)
        if message is None:
            if self._queue.outstanding_message_count >= self._prefetch:
                self._freed.wait(self._timeout_seconds)
            elif not self._freed.is_set():
                self._wait_for_news()
        return message

    def ack(self, message: MessageProxy) -> None:
        try:
            self._queue.ack(message)
        finally:
            self._freed.set()

    def nack(self, message: MessageProxy) -> None:
        try:
            self._queue.nack(message)
        finally:
            self._freed.set()

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        self._queue.requeue(messages)

    def close(self) -> None:
        self._news.close()

    def _listen(self) -> None:
        try:
            self._news.subscribe(self._channel)
        except RedisError as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]  # dramatiq is typed in part

    def _wait_for_news(self) -> None:
        """What is said several times is one reason to look."""
        try:
            if self._news.get_message(timeout=self._timeout_seconds) is not None:
                while self._news.get_message() is not None:
                    pass
        except RedisError:
            self._news.close()
            self._listen()
