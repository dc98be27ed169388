"""The worker: carries out intents, reads calendars and mailboxes, keeps push channels open, cleans up.

Dramatiq's threads take messages and bound how much runs at once, one pool for intents, one for calendars
and one for mailboxes. In each a
provider has its places, so that one that answers slowly holds up its own work only. The work itself runs on one event
loop in a thread of its own. A sweep rings for whatever is due, so nothing depends on a message (OB-1, OB-5).
"""

import asyncio
import logging
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import dramatiq

from meetings.application.carry_out import carry_out
from meetings.application.plan_sync import renew_channels
from meetings.application.ports.outbox import Intent, LeaseLost
from meetings.application.sync_calendar import sync_calendar
from meetings.application.sync_mailbox import sync_mailbox
from meetings.application.web_domains import recheck_domains
from meetings.domain.identifiers import CalendarId, MailboxId
from meetings.infrastructure.circuits.places import Places, workers_for
from meetings.infrastructure.doorbell import Bell, Doorbell
from meetings.infrastructure.housekeeping import tidy_up
from meetings.infrastructure.listening import Listening
from meetings.infrastructure.runtime import Runtime
from meetings.infrastructure.spacing import Spacing

log = logging.getLogger(__name__)

_SWEEP_LIMIT = 500
_HOUSEKEEPING_SECONDS = 3600.0
_UNASKED_AT_ONCE = 4
_ROUSE_SECONDS = 0.05
_INTENT_SECONDS = 120.0
_CALENDAR_SECONDS = 240.0
"""Work that takes longer is broken off: an intent is given back, a calendar is free again when its lease ends."""

OpenRuntime = Callable[[], AbstractAsyncContextManager[Runtime]]


class Worker:
    """One per process. `start` returns once it works; `stop` within the given time, with nothing half done.

    `open_runtime` is called on the worker's own event loop.
    """

    def __init__(self, open_runtime: OpenRuntime, doorbell: Doorbell) -> None:
        self._open_runtime = open_runtime
        self._doorbell = doorbell
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._ready = threading.Event()
        self._refusal: BaseException | None = None
        self._pools: list[tuple[Bell, dramatiq.Worker]] = []
        self._spacing = Spacing(lambda calendar_id: doorbell.ring_calendars([calendar_id]))

    # ---- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Raises what opening the runtime raised."""
        self._thread.start()
        self._ready.wait()
        if self._refusal is not None:
            raise self._refusal
        settings, providers = self._runtime.settings, len(self._runtime.toolbox.providers)
        inboxes = len(self._runtime.toolbox.inbox_offers)
        self._pools = [
            self._pool(self._doorbell.intents, self._carry_out, workers_for(settings.intent_threads, providers)),
            self._pool(self._doorbell.calendars, self._sync, workers_for(settings.sync_threads, providers)),
            self._pool(self._doorbell.mailboxes, self._sync_mailbox, workers_for(settings.sync_threads, inboxes)),
        ]

    def stop(self) -> None:
        """Take nothing new, let what runs end, and give back what has not ended after `stop_seconds` (PF-1)."""
        milliseconds = int(self._runtime.settings.stop_seconds * 1000)
        self._call(self._sweeping.cancel)
        with ThreadPoolExecutor(len(self._pools) or 1) as threads:
            stopping = [threads.submit(pool.stop, timeout=milliseconds) for _, pool in self._pools]
            while wait(stopping, timeout=_ROUSE_SECONDS).not_done:
                for bell, pool in self._pools:
                    bell.rouse(sum(thread.is_alive() for thread in pool.workers))
        for stopped in stopping:
            stopped.result()
        self._call(self._stopping.set)
        self._thread.join(timeout=5)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _call(self, function: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop ended already
            self._loop.call_soon_threadsafe(function)

    def _pool(
        self, bell: Bell, work: Callable[[UUID], Coroutine[None, None, None]], threads: int
    ) -> tuple[Bell, dramatiq.Worker]:
        def actor(message: str) -> None:
            row_id = bell.row_of(message)
            if row_id is not None:
                with suppress(CancelledError):
                    asyncio.run_coroutine_threadsafe(work(row_id), self._loop).result()

        dramatiq.actor(actor_name=bell.name, queue_name=bell.name, broker=bell.broker)(actor)
        pool = dramatiq.Worker(bell.broker, queues={bell.name}, worker_threads=threads, worker_timeout=bell.look_ms)
        pool.start()
        return bell, pool

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._refusal = error
            log.exception("the worker stopped")
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        async with self._open_runtime() as self._runtime:
            await self._runtime.refuse_wrong_keys()
            tools, settings = self._runtime.toolbox, self._runtime.settings
            of_intents = Places(settings.intent_threads)
            self._for_intents = replace(
                tools,
                calendars_of=of_intents.within(tools.calendars_of),
                mail_account_of=of_intents.within_mail(tools.mail_account_of),
            )
            self._for_reading = Places(settings.sync_threads).within(tools.calendars_of)
            self._for_mail = Places(settings.sync_threads).within_mail(tools.mail_account_of)
            self._sweeping = asyncio.create_task(self._sweep())
            self._ready.set()
            await self._stopping.wait()
            await _cancel_the_rest()

    # ---- the work ---------------------------------------------------------------------------------------------------

    async def _carry_out(self, intent_id: UUID) -> None:
        tools = self._for_intents
        intent = await tools.outbox.claim(intent_id)
        if intent is None:
            return
        try:
            async with asyncio.timeout(_INTENT_SECONDS), self._kept_lease(intent):
                await carry_out(intent, tools)
        except TimeoutError:
            await tools.outbox.retry(intent, at=tools.clock() + timedelta(seconds=30), error="it took too long")
        except asyncio.CancelledError:
            await tools.outbox.retry(intent, at=tools.clock(), error="the worker was stopped")
            raise

    @asynccontextmanager
    async def _kept_lease(self, intent: Intent) -> AsyncIterator[None]:
        """Renews the lease while the block runs; when it is lost, the block is left to whoever has it (OB-2)."""
        work = asyncio.current_task()
        lost = False

        async def renew() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(self._runtime.settings.lease_seconds / 3)
                try:
                    await self._runtime.toolbox.outbox.extend(intent)
                except LeaseLost:
                    lost = True
                    if work is not None:
                        work.cancel()
                    return

        renewing = asyncio.create_task(renew())
        try:
            yield
        except asyncio.CancelledError:
            if not lost or work is None:
                raise
            work.uncancel()
            log.info("another worker has this intent", extra={"intent": str(intent.id)})
        finally:
            renewing.cancel()

    async def _sync(self, calendar_id: UUID) -> None:
        if not self._spacing.may_begin(calendar_id):
            return
        tools = self._runtime.toolbox
        async with asyncio.timeout(_CALENDAR_SECONDS):
            again = await sync_calendar(
                CalendarId(calendar_id),
                begin=tools.begin,
                look=tools.look,
                calendars_of=self._for_reading,
                schedule=tools.schedule,
                clock=tools.clock,
                policy=tools.policy,
            )
        if again and not self._spacing.wakes(calendar_id):
            self._doorbell.ring_calendars([calendar_id])

    async def _sync_mailbox(self, mailbox_id: UUID) -> None:
        tools = self._runtime.toolbox
        async with asyncio.timeout(_CALENDAR_SECONDS):
            again = await sync_mailbox(
                MailboxId(mailbox_id),
                begin=tools.begin,
                look=tools.look,
                mail_account_of=self._for_mail,
                crm_of=tools.crm_of,
                schedule=tools.mail_schedule,
                clock=tools.clock,
                policy=tools.policy,
            )
        if again:
            self._doorbell.ring_mailboxes([mailbox_id])

    # ---- the sweep --------------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """Claims make it safe that every worker sweeps. Chores wait for providers, so they have a task of their own."""
        every = self._runtime.settings.sweep_seconds
        async with asyncio.TaskGroup() as both:
            both.create_task(_again_and_again("ring for what is due", self._ring, every))
            both.create_task(_again_and_again("see to chores", _Chores(self._runtime).see_to, every))

    async def _ring(self) -> None:
        tools = self._runtime.toolbox
        intents, calendars = await tools.outbox.due(_SWEEP_LIMIT), await tools.schedule.due(_SWEEP_LIMIT)
        mailboxes = await tools.mail_schedule.due(_SWEEP_LIMIT)
        self._doorbell.ring_again(intents=intents, calendars=calendars, mailboxes=mailboxes)
        if self._doorbell.failing:
            unasked = [
                *map(self._carry_out, intents), *map(self._sync, calendars), *map(self._sync_mailbox, mailboxes)
            ]  # fmt: skip
            await self._work_unasked(unasked)

    async def _work_unasked(self, due: Sequence[Coroutine[None, None, None]]) -> None:
        """While the broker is away nobody is told anything, so the sweep does the work itself, a little at a time."""
        places = asyncio.Semaphore(_UNASKED_AT_ONCE)

        async def one(work: Coroutine[None, None, None]) -> None:
            async with places:
                await work

        for failed in await asyncio.gather(*map(one, due), return_exceptions=True):
            if isinstance(failed, Exception):
                log.error("work without a broker failed", exc_info=failed)


class _Chores:
    """What one worker at a time sees to: push channels, conversations and custom domains that are due at every sweep,
    housekeeping every hour."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._listening = Listening(runtime, runtime.settings.listen_at_most)
        self._housekeeping_at = 0.0

    async def see_to(self) -> None:
        if not await self._runtime.leadership.held():
            await self._listening.stop()
            return
        await self._listening.see_to()
        tools = self._runtime.toolbox
        if self._runtime.settings.uses_push:
            await renew_channels(
                look=tools.look,
                providers=tools.providers,
                push_of=tools.push_of,
                schedule=tools.schedule,
                links=tools.links,
                clock=tools.clock,
            )
        await recheck_domains(look=tools.look, begin=tools.begin, reads=tools.reads, dns=tools.dns, clock=tools.clock)
        now = asyncio.get_running_loop().time()
        if now >= self._housekeeping_at:
            self._housekeeping_at = now + _HOUSEKEEPING_SECONDS
            await tidy_up(self._runtime.database, tools.policy)


async def _again_and_again(what: str, work: Callable[[], Awaitable[None]], every: float) -> None:
    """Jittered, so that processes do not fall into step; a failure is repeated by the next round."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("a sweep failed", extra={"what": what})
        await asyncio.sleep(every * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, nothing secret


async def _cancel_the_rest() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
