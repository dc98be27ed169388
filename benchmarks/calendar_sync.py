"""How long a calendar takes to be read, whole and then for its changes: `python -m benchmarks.calendar_sync`.

For each provider a simulated calendar with many events; a process of its own reads it into a SQLite database, as the
worker does. The simulator runs in this process, so its share of the wall time is in the figures, its memory is not.
"""

import asyncio
import json
import random
import shutil
import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from meetings.infrastructure.database.migrate import migrate
from tests.contracts.calendars.world import CalendarWorld
from tests.deployment import environment_of
from tests.hosted import PLACES, Hosted, hosted, now
from tests.services import Run
from tests.world import outside, sqlite_url

SIZES = (1_000, 5_000, 10_000)
CHANGES = 50
DAYS = 170
_WIDTH = 14


async def run(servers: Run, *, quick: bool = False) -> dict[str, Any]:
    """Each provider with calendars of each size; `quick` leaves the largest out."""
    rows = []
    with TemporaryDirectory(prefix="meetings-benchmark-") as folder:
        template = Path(folder)
        await migrate(sqlite_url(template))
        for provider, world in PLACES.items():
            for size in SIZES[:2] if quick else SIZES:
                read = await measure(servers, world(clock=now), size, template)
                rows.append({"provider": provider, "events": size, **read})
    return {"changes": CHANGES, "rows": rows}


async def measure(
    servers: Run, world: AbstractContextManager[CalendarWorld], size: int, template: Path
) -> dict[str, Any]:
    """A full read and a read of the changes after it."""
    with TemporaryDirectory(prefix="meetings-benchmark-") as folder, world as place, outside() as simulators:
        shutil.copy(template / "meetings.db", folder)
        url = sqlite_url(Path(folder))
        async with hosted(url, place, simulators) as anna:
            await anna.connect()
            events = await asyncio.to_thread(_fill, place, size)
            whole = await _read(servers, anna, whole=True)
            await asyncio.to_thread(_change, place, events)
            changes = await _read(servers, anna, whole=False)
    return {"whole": whole, "changes": changes}


def _fill(place: CalendarWorld, size: int) -> list[str]:
    """So many events of 15 to 60 minutes over the coming months; the same for every run on one day."""
    chance = random.Random(2026)
    day = datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0) + timedelta(days=1)
    events = []
    for _ in range(size):
        start = day + timedelta(days=chance.randrange(DAYS), minutes=15 * chance.randrange(40))
        events.append(place.add_event(place.primary, start, start + timedelta(minutes=15 * chance.randrange(1, 5))))
    return events


def _change(place: CalendarWorld, events: list[str]) -> None:
    day = datetime.now(UTC).replace(hour=5, minute=0, second=0, microsecond=0)
    for number, event in enumerate(events[:CHANGES]):
        start = day + timedelta(days=1 + number)
        place.move_event(place.primary, event, start, start + timedelta(minutes=30))


async def _read(servers: Run, anna: Hosted, *, whole: bool) -> dict[str, Any]:
    """One read in a process of its own: seconds, calls, and how far its memory grew above what it began with."""
    (calendar,) = (await anna.here.connection()).selected_calendars
    reader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.calendar_reader",
        str(calendar.id),
        "whole" if whole else "changes",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment_of(anna.here.runtime.settings, servers),
    )
    assert reader.stdout is not None
    ready = await reader.stdout.readline()
    before = anna.place.calls()
    answer, _ = await reader.communicate(b"go\n")
    if reader.returncode or not ready:
        raise RuntimeError(f"the reader ended with {reader.returncode}")
    return {**json.loads(answer), "calls": anna.place.calls() - before}


def table(results: dict[str, Any]) -> str:
    """Seconds hold the simulator's work, CPU seconds the reader's alone."""
    columns = {"s": "seconds", "CPU s": "cpu_seconds", "calls": "calls", "MiB more": "mib"}
    reads = {"whole": "whole", f"{results['changes']} changes": "changes"}
    heads = "".join(f"{f'{read}: {name}' if name == 's' else name:>{_WIDTH}}" for read in reads for name in columns)
    lines = [f"{'calendar':<12}{'events':>8}{heads}"]
    for row in results["rows"]:
        cells = "".join(f"{row[read][column]:>{_WIDTH}.4g}" for read in reads.values() for column in columns.values())
        lines.append(f"{row['provider']:<12}{row['events']:>8}{cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    started = Run.begin()
    try:
        print(table(asyncio.run(run(started))))
    finally:
        started.end()
