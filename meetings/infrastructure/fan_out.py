"""Pokes: within this process, and between processes over Redis."""

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import redis.asyncio
from redis.exceptions import RedisError

_PATIENCE_SECONDS = 2.0
_SILENCE_SECONDS = 15.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 5.0

_log = logging.getLogger(__name__)


class _Ear:
    """One listener, on the event loop that made it. Anybody may poke it, from any thread."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self._heard: set[str] = set()
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._something = asyncio.Event()

    def poke(self, topics: Collection[str]) -> None:
        mine = self.topics.intersection(topics)
        if not mine:
            return
        with self._lock:
            self._heard |= mine
        with contextlib.suppress(RuntimeError):  # its loop is closed: nobody will ever wait again
            self._loop.call_soon_threadsafe(self._something.set)

    async def wait(self, timeout: float) -> frozenset[str]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not self._heard:
                    self._something.clear()
                    await self._something.wait()
        with self._lock:
            heard, self._heard = frozenset(self._heard), set()
        return heard


class InProcessFanOut:
    """Pokes between the event loops of one process. May be used from any of them, and from plain threads by `tell`."""

    def __init__(self) -> None:
        self._ears: dict[str, set[_Ear]] = {}
        self._lock = threading.Lock()

    async def poke(self, topics: Collection[str]) -> None:
        self.tell(topics)

    def tell(self, topics: Collection[str]) -> None:
        """Poke, from wherever."""
        with self._lock:
            ears = {ear for topic in topics for ear in self._ears.get(topic, ())}
        for ear in ears:
            ear.poke(topics)

    def tell_everything(self) -> None:
        """Poke every listener with all its topics."""
        with self._lock:
            ears = {ear for listening in self._ears.values() for ear in listening}
        for ear in ears:
            ear.poke(ear.topics)

    def topics(self) -> set[str]:
        """The topics somebody listens to."""
        with self._lock:
            return set(self._ears)

    @asynccontextmanager
    async def listen(self, topics: Collection[str]) -> AsyncIterator[_Ear]:
        ear = _Ear(frozenset(topics))
        with self._lock:
            for topic in ear.topics:
                self._ears.setdefault(topic, set()).add(ear)
        try:
            yield ear
        finally:
            with self._lock:
                for topic in ear.topics:
                    listening = self._ears[topic]
                    listening.discard(ear)
                    if not listening:
                        del self._ears[topic]


class RedisFanOut:
    """Pokes between processes, over one Redis channel; belongs to the event loop that first uses it.

    Redis keeps nothing for who is not connected. So whenever the subscription stands anew, every listener is poked
    with all its topics: something may have been missed. While Redis is away, listeners of this process still hear
    what this process pokes.
    """

    def __init__(
        self,
        url: str,
        *,
        channel: str = "meetings:pokes",
        patience_seconds: float = _PATIENCE_SECONDS,
        silence_seconds: float = _SILENCE_SECONDS,
    ) -> None:
        self._redis = redis.asyncio.from_url(url, socket_connect_timeout=patience_seconds)
        self._patience_seconds = patience_seconds
        self._silence_seconds = silence_seconds
        self._channel = channel
        self._sender = uuid4().hex
        self._here = InProcessFanOut()
        self._subscribed = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    async def poke(self, topics: Collection[str]) -> None:
        if not topics:
            return
        self._here.tell(topics)
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._redis.publish(self._channel, json.dumps([self._sender, *topics]))
        except (RedisError, OSError) as error:
            _log.warning("A poke could not be delivered to other processes: %s", type(error).__name__)

    @asynccontextmanager
    async def listen(self, topics: Collection[str]) -> AsyncIterator[_Ear]:
        async with self._here.listen(topics) as ear:
            if self._reader is None:
                self._reader = asyncio.create_task(self._read_for_ever())
            # If Redis is away, what is missed from here on is made up for by the poke that follows the subscription.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience_seconds):
                    await self._subscribed.wait()
            yield ear

    async def close(self) -> None:
        """Stop listening and close the connections."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
            self._reader = None
        await self._redis.aclose()

    async def _read_for_ever(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(self._channel)
                    async for message in self._messages(subscription):
                        if message["type"] == "subscribe":
                            pause = _FIRST_PAUSE_SECONDS
                            self._subscribed.set()
                            self._here.tell_everything()
                        elif message["type"] == "message":
                            self._hear(message["data"])
            except (RedisError, OSError) as error:
                _log.warning("Lost Redis, trying again: %s", type(error).__name__)
            except Exception:
                _log.exception("Listening to Redis failed, trying again.")
            self._subscribed.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _messages(self, subscription: redis.asyncio.client.PubSub) -> AsyncIterator[dict[str, Any]]:
        """What comes in; a connection on which not even a ping is answered is given up."""
        silent = False
        while True:
            message = await subscription.get_message(timeout=self._silence_seconds)
            if message is None:
                if silent:
                    raise RedisError("no answer")
                await subscription.ping()
            else:
                yield message
            silent = message is None

    def _hear(self, data: bytes) -> None:
        try:
            sender, *topics = json.loads(data)
        except (ValueError, TypeError):
            _log.warning("A poke could not be read.")
            return
        if sender != self._sender:
            self._here.tell([topic for topic in topics if isinstance(topic, str)])
