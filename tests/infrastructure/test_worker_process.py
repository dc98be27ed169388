"""The worker as a process: woken over Redis, working without it, stopped in good order (OB-1, PF-1)."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.domain.booking import BookingState
from meetings.domain.identifiers import BookingId
from meetings.infrastructure.database.tables import intents
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.secrets import new_key
from meetings.infrastructure.settings import Settings
from tests import services
from tests.faults.workers import ROOT, environment_of
from tests.waiting import until
from tests.world import World, world

Simulators = tuple[GoogleSimulator, MailCatcher]


class WorkerProcess:
    """`meetings worker`, started and ready."""

    def __init__(self, settings: Settings) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "meetings.infrastructure.cli", "worker"],
            cwd=ROOT,
            env=environment_of(settings),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if "the worker is ready" in line:
                return
        raise AssertionError("".join(self.log))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """How it ended after the signal, and after how many seconds."""
        began = time.monotonic()
        self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=40)
        self.log.append(rest)
        return self.process.returncode, time.monotonic() - began


@contextmanager
def worker(settings: Settings) -> Iterator[WorkerProcess]:
    started = WorkerProcess(settings)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
            started.process.communicate()


@pytest.fixture
async def here(database_url: str, simulators: Simulators, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Anna, with a connected calendar. By itself a worker looks only every five minutes."""
    settings = {"sweep_seconds": 300, "stop_seconds": 1.0, **getattr(request, "param", {})}
    async with world(database_url, *simulators, **settings) as found:
        await found.connect()
        yield found


@pytest.fixture
async def here_on_redis(postgres_url: str, redis_url: str, simulators: Simulators) -> AsyncIterator[World]:
    """The same on PostgreSQL and Redis; `here` plays the web process, so its bell rings."""
    async with world(postgres_url, *simulators, sweep_seconds=300, redis_url=redis_url) as found:
        await found.connect()
        found.runtime.process.start()
        yield found
        found.runtime.process.stop()


def next_monday() -> datetime:
    day = datetime.now(UTC) + timedelta(days=7)
    day += timedelta(days=(7 - day.weekday()) % 7)
    return day.replace(hour=9, minute=0, second=0, microsecond=0)


async def reserve(here: World) -> BookingId:
    return await here.reserve(here.wish(await here.page(), next_monday()))


async def is_confirmed(here: World, booking_id: BookingId) -> bool:
    return (await here.booking(booking_id)).state is BookingState.CONFIRMED


async def test_a_worker_hears_over_redis_of_what_was_just_committed(here_on_redis: World) -> None:
    here = here_on_redis
    with worker(here.runtime.settings) as running:
        await asyncio.sleep(0.5)  # its first sweep is over, the next one is minutes away
        booking_id = await reserve(here)
        await until("the worker to write the event", lambda: is_confirmed(here, booking_id), seconds=10)
        await until("the letters to arrive", lambda: len(here.mail.mails) == 2 or None, seconds=10)
        code, _ = await asyncio.to_thread(running.stop)
    assert code == 0
    assert len(here.events()) == 1


async def test_a_worker_goes_on_without_its_broker(here: World) -> None:
    nobody = f"redis://127.0.0.1:{services.free_port()}/0"
    alone = here.runtime.settings.model_copy(update={"sweep_seconds": 0.3, "redis_url": SecretStr(nobody)})
    booking_id = await reserve(here)
    with worker(alone) as running:
        await until("the worker to write the event", lambda: is_confirmed(here, booking_id), seconds=20)
        code, _ = await asyncio.to_thread(running.stop)
    assert code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_worker_stops_at_once_and_ends_with_zero(here: World, number: signal.Signals) -> None:
    with worker(here.runtime.settings) as running:
        code, seconds = await asyncio.to_thread(running.stop, number)
    assert code == 0
    assert seconds < 10


@pytest.mark.parametrize("here", [{"stop_seconds": 10.0}], indirect=True)
async def test_a_worker_that_is_told_to_stop_finishes_what_it_is_doing(here: World) -> None:
    booking_id = await reserve(here)
    here.google.fault("events.insert", delay=1.5)
    with worker(here.runtime.settings) as running:
        await until("the write to begin", lambda: bool(here.google.requests_for("events.insert")) or None)
        code, _ = await asyncio.to_thread(running.stop)
    assert code == 0
    assert await is_confirmed(here, booking_id)


async def test_what_does_not_end_in_time_is_given_back(here: World) -> None:
    booking_id = await reserve(here)
    here.google.fault("events.insert", delay_before=25.0)
    with worker(here.runtime.settings) as running:
        await until("the write to begin", lambda: bool(here.google.requests_for("events.insert")) or None)
        code, seconds = await asyncio.to_thread(running.stop)
    assert code == 0
    assert seconds < 15
    async with here.runtime.database.snapshot() as connection:
        (intent,) = (await connection.execute(select(intents).where(intents.c.done_at.is_(None)))).all()
    assert (intent.subject, intent.lease_until, intent.error) == (booking_id, None, "the worker was stopped")
    assert intent.due_at <= datetime.now(UTC)


async def test_a_worker_with_the_wrong_key_refuses_to_start(here: World) -> None:
    await here.runtime.check_keys()
    other = here.runtime.settings.model_copy(update={"secret_keys": SecretStr(new_key())})
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "meetings.infrastructure.cli", "worker"],
        cwd=ROOT,
        env=environment_of(other),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("meetings: the secret key called k1 is not the one")
