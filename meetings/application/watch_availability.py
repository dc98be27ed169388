"""Live availability: a snapshot, then whole days as they change.

All who ask the same question share one reader: a change is computed once, however many look on. Each of them keeps
only what it has seen, so a slow one skips intermediate states and never queues.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from meetings.application.availability_cursor import Digest
from meetings.application.page_memory import PageMemory
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.fan_out import FanOut, Listener, host_topic, page_topic
from meetings.application.ports.unit_of_work import Begin
from meetings.application.read_availability import Availability, AvailabilityQuestion, read_availability
from meetings.domain.base import DomainError
from meetings.domain.booking_mode import BookingMode

log = logging.getLogger(__name__)

_GATHER_SECONDS = 0.02
"""Changes that come this shortly after each other are read once."""

Read = Callable[[AvailabilityQuestion], Awaitable[Availability]]


@dataclass(frozen=True)
class Snapshot:
    """Everything the window offers now."""

    cursor: str
    availability: Availability


@dataclass(frozen=True)
class Delta:
    """The days that differ from what the watcher had seen; each replaces that day whole."""

    cursor: str
    availability: Availability
    changed: tuple[date, ...]
    emptied: tuple[date, ...]

    @property
    def mode(self) -> BookingMode:
        return self.availability.mode

    @property
    def days(self) -> dict[date, list[int]]:
        """The starts of each changed day that still offers something."""
        return {day: self.availability.days[day] for day in self.changed}


class AvailabilityWatch:
    """Everybody in this process who watches availability."""

    def __init__(
        self, *, look: Begin, fan_out: FanOut, clock: Clock, policy: Policy, memory: PageMemory | None = None
    ) -> None:
        self._look = look
        self._memory = memory
        self._fan_out = fan_out
        self._clock = clock
        self._policy = policy
        self._readers: dict[AvailabilityQuestion, _Reader] = {}

    async def watch(self, question: AvailabilityQuestion, after: str | None) -> AsyncGenerator[Snapshot | Delta]:
        """First what changed since the cursor `after` (nothing is a delta too), or a snapshot; then every change.

        A cursor of another question, or none at all, gives a snapshot. Ends when the page is gone.

        Raises:
            NotFound, InvalidInput: as `read_availability`, before anything is given.
        """
        async with self._reader(question) as reader:
            found = reader.current
            seen = found.digest.seen_by(after) if after else None
            yield delta_of(found, seen) if seen else Snapshot(found.digest.cursor(), found)
            last = found.digest
            while newer := await reader.next(found):
                found = newer
                if found.digest != last:
                    yield delta_of(found, last)
                    last = found.digest

    async def follow(self, question: AvailabilityQuestion) -> AsyncGenerator[Availability]:
        """What the window offers now, and again whenever it was read anew, the latest only. Ends when the page is gone.

        Raises:
            NotFound, InvalidInput: as `read_availability`, before anything is given.
        """
        async with self._reader(question) as reader:
            found: Availability | None = reader.current
            while found is not None:
                yield found
                found = await reader.next(found)

    async def _read(self, question: AvailabilityQuestion) -> Availability:
        return await read_availability(
            question, look=self._look, clock=self._clock, policy=self._policy, memory=self._memory
        )

    @asynccontextmanager
    async def _reader(self, question: AvailabilityQuestion) -> AsyncIterator["_Reader"]:
        reader = self._readers.get(question)
        if reader is None or reader.gone:
            reader = self._readers[question] = _Reader(question, self._fan_out, self._policy, self._read)
        reader.watchers += 1
        try:
            await reader.ready()
            yield reader
        finally:
            reader.watchers -= 1
            if not reader.watchers:
                if self._readers.get(question) is reader:  # first, so that nobody comes in while it stops
                    del self._readers[question]
                await reader.stop()


class _Reader:
    """One question, read again whenever something it depends on changed, and as the clock moves."""

    def __init__(self, question: AvailabilityQuestion, fan_out: FanOut, policy: Policy, read: Read) -> None:
        self.watchers = 0
        self.gone = False
        self.current: Availability
        self._question = question
        self._fan_out = fan_out
        self._policy = policy
        self._read_anew = read
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._run())

    async def ready(self) -> None:
        """Wait for the first answer; raises what reading it raised."""
        await asyncio.shield(self._started)

    async def next(self, seen: Availability) -> Availability | None:
        """The newest answer that is not `seen`; None once the page is gone."""
        async with self._news:
            await self._news.wait_for(lambda: self.current is not seen or self.gone)
        return None if self.current is seen else self.current

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._started.cancel()

    async def _run(self) -> None:
        try:
            await self._follow()
        except Exception as end:
            if not isinstance(end, DomainError):
                log.exception("live availability ended")
            if not self._started.done():
                self._started.set_exception(end)
            self.gone = True
            async with self._news:
                self._news.notify_all()

    async def _follow(self) -> None:
        """Listen first, then read, so that no change falls between the two. A page with other hosts starts over."""
        hosts = (await self._read()).state.host_ids
        while True:
            topics = {page_topic(self._question.page.page_id), *(host_topic(host) for host in hosts)}
            async with self._fan_out.listen(topics) as ear:
                while True:
                    await self._show(await self._read())
                    if self.current.state.host_ids != hosts:
                        break
                    await self._wait(ear)
            hosts = self.current.state.host_ids

    async def _wait(self, ear: Listener) -> None:
        """Until somebody says that something changed, or the clock has to; then gather what comes shortly after."""
        ahead = (self.current.true_until - self.current.computed_at).total_seconds()
        await ear.wait(min(self._policy.watch_seconds, max(1.0, ahead)))
        await asyncio.sleep(_GATHER_SECONDS)

    async def _show(self, found: Availability) -> None:
        self.current = found
        if not self._started.done():
            self._started.set_result(None)
        async with self._news:
            self._news.notify_all()

    async def _read(self) -> Availability:
        return await self._read_anew(self._question)


def delta_of(found: Availability, seen: Digest) -> Delta:
    """What leads from what was seen to what was found."""
    changed, emptied = found.digest.changed_since(seen)
    return Delta(found.digest.cursor(), found, tuple(changed), tuple(emptied))
