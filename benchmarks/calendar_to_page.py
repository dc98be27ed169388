"""From a change in somebody's calendar to the message at an open page: `python -m benchmarks calendar_to_page`.

A person adds an event in the (simulated) Google calendar, which sends its notification; the product asks what changed,
stores it, works availability out anew and tells the page over its WebSocket. Once with SQLite in one process, once with
PostgreSQL, Redis and a worker process; the simulator and the page are in this one. The next change is made 0.3 seconds
after the last one was seen. Told is each step's share; the clock is that of the machine, which all processes read. The
first change after the start is told by itself: the process that reads the calendar loads Google's library for it.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from benchmarks.load import quantile_ms
from benchmarks.place import POSTGRESQL, SQLITE, fill_calendar, place
from meetings.adapters.google.simulator.calls import Call
from tests.deployment import Deployment
from tests.services import Run
from tests.world import HOST_EMAIL

SLUG = "anna/intro"
PATIENCE_SECONDS = 15.0
PAUSE_SECONDS = 0.3
TARGET_MS = 500.0
STEPS = ("notification received", "calendar asked", "calendar answered", "page told")
WATCH = """
subscription Watch($input: AvailabilityInput!) {
  availabilityChanged(input: $input) {
    ... on AvailabilitySnapshot { cursor availability { days { date slots { start } } } }
    ... on AvailabilityDelta { cursor days { date slots { start } } emptiedDates }
  }
}
"""


async def run(servers: Run, *, quick: bool = False) -> dict[str, Any]:
    """So many changes one after the other, each waited for; by set-up."""
    changes = 5 if quick else 20
    return {
        "target_p95_ms": TARGET_MS,
        "changes": changes,
        "set_ups": {
            "in one process, SQLite": await measure(servers, SQLITE, changes),
            "with a worker, PostgreSQL and Redis": await measure(servers, POSTGRESQL, changes),
        },
    }


async def measure(servers: Run, database: str, changes: int) -> dict[str, Any]:
    async with place(servers, database, with_worker=database == POSTGRESQL, push=True) as deployed:
        fill_calendar(deployed.google, HOST_EMAIL, days=60, events=400)
        await deployed.here.connect()
        await deployed.here.page(SLUG, start_increment_minutes=15)
        await deployed.start()
        await _until("the channel to be open", lambda: any(map(_opened, deployed.google.requests_for("events.watch"))))
        await asyncio.sleep(2.0)  # the first message of a channel has a read of its own
        first, *times = await follow(deployed, 1 + changes)
    totals = [each[-1] for each in times]
    return {
        "p50_ms": quantile_ms(totals, 0.5),
        "p95_ms": quantile_ms(totals, 0.95),
        "first_ms": round(first[-1] * 1000, 1),
        "steps": {
            step: {
                "p50_ms": round(statistics.median(each[at] - (each[at - 1] if at else 0) for each in times) * 1000, 1),
                "share": round(sum(each[at] - (each[at - 1] if at else 0) for each in times) / sum(totals), 3),
            }
            for at, step in enumerate(STEPS)
        },
    }


async def follow(deployed: Deployment, changes: int) -> list[list[float]]:
    """For each change, when each step was over, in seconds since the change."""
    first = date.today() + timedelta(days=1)
    window = {"page": {"slug": {"slug": SLUG}}, "from": str(first), "to": str(first + timedelta(days=20))}
    answered: list[tuple[float, float]] = []

    def finished(call: Call) -> None:
        if call.operation == "events.list":
            answered.append((call.at.timestamp(), time.time()))

    deployed.google.observe(finished)
    times = []
    async with (
        deployed.visitor() as visitor,
        visitor.subscribe(WATCH, input={**window, "timeZone": "UTC"}) as events,
    ):
        snapshot = (await anext(events))["availabilityChanged"]
        starts = [slot["start"] for day in snapshot["availability"]["days"] for slot in day["slots"][::4]]
        for start in map(datetime.fromisoformat, starts[:changes]):
            await asyncio.sleep(PAUSE_SECONDS)
            answered.clear()
            began = time.time()
            deployed.google.add_event(HOST_EMAIL, "Added", start, start + timedelta(minutes=15))
            await asyncio.wait_for(anext(events), PATIENCE_SECONDS)
            told = time.time()
            asked, done = answered[0]
            noticed = await asyncio.to_thread(_notice, deployed, began, asked)
            times.append([at - began for at in (noticed, asked, done, told)])
    return times


def _notice(deployed: Deployment, began: float, at_most: float) -> float:
    """When the web process had received the notification, as its log says; at most when the calendar was asked."""
    for line in reversed(deployed.webs[0].log.read_text(errors="replace").splitlines()):
        said: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        if said.get("event") == "request" and "webhook" in said["path"]:
            at = datetime.fromisoformat(said["timestamp"]).timestamp()
            if at >= began:
                return min(at, at_most)
    return at_most


def _opened(call: Call) -> bool:
    return call.status == 200


async def _until(what: str, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_SECONDS:g} s for {what}")
        await asyncio.sleep(0.05)


def table(results: dict[str, Any]) -> str:
    lines = [f"{'from calendar to page':<38}{'p50 ms':>10}{'share':>10}"]
    for set_up, found in results["set_ups"].items():
        lines.append(
            f"{set_up:<38}{found['p50_ms']:>10.1f}      p95 {found['p95_ms']:.0f} ms, the first {found['first_ms']:.0f}"
        )
        for step, of_step in found["steps"].items():
            lines.append(f"{'  ' + step:<38}{of_step['p50_ms']:>10.1f}{of_step['share']:>10.0%}")
    lines.append(f"{results['changes']} changes each; the goal is a p95 of {results['target_p95_ms']:.0f} ms")
    return "\n".join(lines)


if __name__ == "__main__":
    started = Run.begin()
    try:
        print(table(asyncio.run(run(started))))
    finally:
        started.end()
