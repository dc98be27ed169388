"""Where the product is measured: its own processes, PostgreSQL and Redis or SQLite, all on this machine."""

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from meetings.adapters.google.simulator import GoogleSimulator
from tests.deployment import Deployment, deployment
from tests.services import Postgres, Run
from tests.world import World, outside

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


@asynccontextmanager
async def place(run: Run, database: str, *, with_worker: bool, **more: Any) -> AsyncIterator[Deployment]:
    """One web process on an empty database, not started yet; on PostgreSQL there is a worker process only when asked
    for, on SQLite the web process works as well. Logs and sweeps are those of production."""
    with TemporaryDirectory(prefix="meetings-benchmark-") as folder, outside() as (google, mail):
        url = f"sqlite+aiosqlite:///{folder}/meetings.db"
        if database == POSTGRESQL:
            url = await Postgres(run.server("postgres", "postgres")).create_database()
        if database == POSTGRESQL and with_worker:
            more["redis_url"] = run.server("redis", "redis")
        async with deployment(
            url,
            google,
            mail,
            run=run,
            folder=Path(folder),
            migrate=True,
            serving_module="benchmarks.server",
            log_level="INFO",
            log_format="json",
            sweep_seconds=10.0,
            **more,
        ) as prepared:
            yield prepared


async def add_host(here: World, number: int) -> str:
    """One more host with a connected calendar and a page; gives the page's slug."""
    email = f"host{number}@example.com"
    here.google.add_account(email, f"Host {number}", time_zone="Europe/Berlin")
    colleague = replace(here)
    colleague.anna = await here.add_colleague(f"Host {number}", email)
    await colleague.connect(email=email)
    slug = f"host{number}/intro"
    await colleague.page(slug)
    return slug


def fill_calendar(google: GoogleSimulator, calendar: str, *, days: int, events: int) -> None:
    """So many events of 15 to 60 minutes on quarter hours between 7 and 17 UTC; the same for every run on one day."""
    chance = random.Random(2026)
    today = datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0)
    for number in range(events):
        start = today + timedelta(days=chance.randrange(days), minutes=15 * chance.randrange(40))
        google.add_event(calendar, f"Event {number}", start, start + timedelta(minutes=15 * chance.randrange(1, 5)))


def cpu_seconds(pid: int) -> float | None:
    """What a process has used of a processor so far, which a busy machine distorts less than it does times; None where
    the system does not tell it this way (proc(5))."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def cpu_ms_since(before: float | None, pid: int, answers: int) -> float | None:
    """Milliseconds of a processor per answer since `before`."""
    now = cpu_seconds(pid)
    return None if before is None or now is None or not answers else round((now - before) * 1000 / answers, 2)
