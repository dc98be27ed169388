"""Live availability for many: equal subscriptions are executed and encoded once for each change, and sent to all.

Those with the same document, variables and operation, who are nobody in particular, share a feed. A feed knows what
each of them has seen; what it sends leads from there to what is true now, so one who reads slowly skips what lies
between and nothing queues up. The first event of one of them is sent to the next ones too, as long as it is exactly
what they would be told themselves.
"""

import asyncio
import logging
import struct
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import coroutine
from typing import Any

from meetings.application.availability_cursor import Digest
from meetings.application.read_availability import Availability, AvailabilityQuestion
from meetings.application.watch_availability import AvailabilityWatch, Delta, delta_of
from meetings.graphql.kept_answers import Still

log = logging.getLogger(__name__)

_AT_ONCE = 100
"""After so many messages others get their turn on the event loop."""

Encode = Callable[[Delta], Coroutine[Any, Any, str]]
"""Executes the feed's document for an event and gives the payload as JSON."""
_FRAMES = 16
"""For so many beginnings a payload keeps its frame; clients call their first subscription the same."""


class Payload:
    """What a change is told with, encoded; the messages to those whose begin the same are the same bytes."""

    __slots__ = ("_frames", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._frames: dict[str, bytes] = {}

    def message(self, head: str) -> str:
        """The message of graphql-transport-ws that begins with `head`."""
        return f"{head}{self._text}}}"

    def frame(self, head: str) -> bytes:
        """The same as a frame of a server (RFC 6455, 5.2: final, text, not masked)."""
        frame = self._frames.get(head)
        if frame is None:
            frame = _frame(self.message(head).encode())
            if len(self._frames) < _FRAMES:
                self._frames[head] = frame
        return frame


def _frame(text: bytes) -> bytes:
    size = len(text)
    if size < 126:
        return struct.pack(">BB", 0x81, size) + text
    if size < 1 << 16:
        return struct.pack(">BBH", 0x81, 126, size) + text
    return struct.pack(">BBQ", 0x81, 127, size) + text


Send = Callable[[Payload], Coroutine[Any, Any, None]]
"""Sends a payload to one subscriber; raises when they are gone."""


WriteFrame = Callable[[bytes], bool]
"""Sends a frame at once if there is room; tells whether it did."""


@dataclass(eq=False, slots=True)
class Subscriber:
    """Messages to them begin with `head`; `write` is None where no frames can be written. `seen` is what they know.
    While they are not `idle` nothing else is sent to them; `over` ends when the feed does."""

    head: str
    send: Send
    write: WriteFrame | None
    seen: Digest
    idle: bool = False
    over: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(frozen=True, eq=False)
class Words:
    """What makes subscriptions equal; `key` tells them apart."""

    query: str
    variables: dict[str, object] | None
    operation_name: str | None
    key: tuple[str, str, str | None]


@dataclass(frozen=True, eq=False)
class First:
    """The first event that somebody with these words was told, and what of: `told` is what they know since."""

    words: Words
    payload: Payload
    told: Availability
    still: Still

    async def holds(self, now: datetime) -> bool:
        """Whether whoever subscribes now would be told the same."""
        return now < self.told.true_until and await self.still()


class Feeds:
    """All feeds of one event loop, by what makes subscriptions equal."""

    def __init__(self, watch: AvailabilityWatch) -> None:
        self._watch = watch
        self._feeds: dict[object, _Feed] = {}
        self._firsts: dict[object, First] = {}

    def first(self, words: Words) -> First | None:
        """The latest first event of these words, if somebody follows by them."""
        return self._firsts.get(words.key)

    async def follow(
        self, words: Words, question: AvailabilityQuestion, encode: Encode, me: Subscriber, first: First | None
    ) -> None:
        """Send `me` every change from what they have seen on; returns when the page is gone. Cancel it to leave.

        `first` is for those who come next, until nobody follows any more.
        """
        key = (words.key, question)
        if first is not None:
            self._firsts[words.key] = first
        feed = self._feeds.get(key)
        if feed is None or feed.ended:
            feed = self._feeds[key] = _Feed(self._watch.follow(question), encode)
        feed.enter(me)
        try:
            await me.over
        finally:
            feed.leave(me)
            if not feed.subscribers:
                if self._feeds.get(key) is feed:
                    del self._feeds[key]
                    self._firsts.pop(words.key, None)
                await feed.stop()


class _Feed:
    def __init__(self, states: AsyncGenerator[Availability], encode: Encode) -> None:
        self.subscribers: set[Subscriber] = set()
        self.ended = False
        self._states = states
        self._encode = encode
        self._current: Availability | None = None
        self._payloads: dict[Digest, Payload] = {}
        self._rest: set[asyncio.Task[None]] = set()
        self._task = asyncio.create_task(self._run())

    def enter(self, subscriber: Subscriber) -> None:
        self.subscribers.add(subscriber)
        subscriber.idle = True
        if self._current is not None and self._current.digest != subscriber.seen:
            self._later(self._tell_one(subscriber))

    def leave(self, subscriber: Subscriber) -> None:
        self.subscribers.discard(subscriber)
        subscriber.idle = False

    async def stop(self) -> None:
        tasks = [self._task, *self._rest]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        try:
            async for found in self._states:
                if self._current is None or found.digest != self._current.digest:
                    self._current = found
                    self._payloads.clear()
                    await self._tell(list(self.subscribers))
        except Exception:
            log.exception("a feed of live availability ended")
        finally:
            self.ended = True
            await self._states.aclose()
            for subscriber in self.subscribers:
                if not subscriber.over.done():
                    subscriber.over.set_result(None)

    async def _tell(self, subscribers: Sequence[Subscriber]) -> None:
        """Nearly all of them have seen the same, which is one and the same digest."""
        seen: Digest | None = None
        for number, subscriber in enumerate(subscribers, 1):
            found = self._current
            if subscriber.seen is not seen or found is None or found.digest is seen:
                before = subscriber.seen
                await self._tell_one(subscriber)
                payload = self._payloads.get(before)
                seen = before if payload is not None else None
            elif payload is not None and subscriber.idle:
                write = subscriber.write
                if write is not None and write(payload.frame(subscriber.head)):
                    subscriber.seen = found.digest  # what `_begin` does, in the few steps that thousands take
                else:
                    self._begin(subscriber, found, payload)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _tell_one(self, subscriber: Subscriber) -> None:
        """Send, and go on without waiting when the subscriber's connection is full."""
        while subscriber.idle:
            found, seen = self._current, subscriber.seen
            if found is None or seen == found.digest:
                return
            payload = await self._payload(found, seen)
            if self._current is found and subscriber.seen is seen:
                self._begin(subscriber, found, payload)
                return

    def _begin(self, subscriber: Subscriber, found: Availability, payload: Payload) -> None:
        if not subscriber.idle:
            return
        subscriber.seen = found.digest
        if subscriber.write is not None and subscriber.write(payload.frame(subscriber.head)):
            return
        subscriber.idle = False
        sending = subscriber.send(payload)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            self._sent(subscriber)
        except Exception as gone:
            self._drop(subscriber, gone)
        else:
            self._later(self._finish(subscriber, sending, waits_for))

    async def _finish(self, subscriber: Subscriber, sending: Coroutine[Any, Any, None], waits_for: object) -> None:
        try:
            await _resumed(sending, waits_for)
        except Exception as gone:
            self._drop(subscriber, gone)
            return
        self._sent(subscriber)
        await self._tell_one(subscriber)

    def _sent(self, subscriber: Subscriber) -> None:
        subscriber.idle = subscriber in self.subscribers

    async def _payload(self, found: Availability, seen: Digest) -> Payload:
        payload = self._payloads.get(seen)
        if payload is None:
            payload = Payload(await self._encode(delta_of(found, seen)))
            if self._current is found:
                self._payloads[seen] = payload
        return payload

    def _drop(self, subscriber: Subscriber, gone: Exception) -> None:
        self.leave(subscriber)
        log.debug("a subscriber is gone: %s", type(gone).__name__)
        if not subscriber.over.done():
            subscriber.over.set_result(None)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._rest.add(task)
        task.add_done_callback(self._rest.discard)


@coroutine
def _resumed(work: Coroutine[Any, Any, None], waits_for: object) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was begun by hand and now waits for something."""
    try:
        yield waits_for
    except BaseException as thrown:
        with suppress(StopIteration):
            work.throw(thrown)
        raise
    yield from work
