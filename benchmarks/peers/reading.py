"""200 slots with three fields each, and a month with counts: this product, GraphQL Yoga and Apollo Server in turns.

The peers answer from memory, with no database, no rate limit, no log and nothing to work out. The product does all of
that: SQLite, the copy of a calendar, limits and a log line per request.
"""

import json
import statistics
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load import Job, load
from benchmarks.peers.node import peer
from benchmarks.place import SQLITE, cpu_ms_since, cpu_seconds, place
from meetings.domain.availability_rules import AvailabilityRules, WallRange, WeeklyHours
from tests.services import Run

SLUG = "anna/intro"
CONNECTIONS = 16
SLOTS = 200
PRODUCT = "meetings"
PEERS = {"GraphQL Yoga": "yoga", "Apollo Server": "apollo"}

DAY = """
query Day($input: AvailabilityInput!) {
  availability(input: $input) { mode days { date slotCount slots { __typename start end } } }
}
"""
MONTH = """
query Month($input: AvailabilityInput!) {
  availability(input: $input) { mode timeZone durationMinutes freshness cursor days { date slotCount } }
}
"""


@dataclass(frozen=True)
class Server:
    name: str
    url: str
    pid: int


def questions() -> Mapping[str, str]:
    first = date.today() + timedelta(days=2)
    spans = {f"day with {SLOTS} slots": (DAY, first), "month with counts": (MONTH, first + timedelta(days=30))}
    return {
        name: json.dumps(
            {
                "query": document,
                "variables": {
                    "input": {
                        "page": {"slug": {"slug": SLUG}},
                        "from": str(first),
                        "to": str(last),
                        "timeZone": "Europe/Berlin",
                    }
                },
            }
        )
        for name, (document, last) in spans.items()
    }


async def run(servers: Run, folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    """A row per view; rates are medians of the rounds, in which the servers take turns."""
    rounds, seconds = (1, 1.5) if quick else (3, 2.5)
    async with place(servers, SQLITE, with_worker=False) as deployed, AsyncExitStack() as stack:
        every_day = WeeklyHours(tuple(range(7)), WallRange(6 * 60, 6 * 60 + 30 + 5 * (SLOTS - 1)))
        await deployed.here.connect()
        await deployed.here.page(
            SLUG, start_increment_minutes=5, availability=AvailabilityRules("Europe/Berlin", (every_day,))
        )
        await deployed.start()
        running = [Server(PRODUCT, deployed.urls[0], deployed.webs[0].pid)]
        for name, kind in PEERS.items():
            running.append(Server(name, *await stack.enter_async_context(peer(kind, folder))))
        return [await compare(name, body, running, rounds, seconds) for name, body in questions().items()]


async def compare(view: str, body: str, servers: list[Server], rounds: int, seconds: float) -> dict[str, Any]:
    sizes = {each.name: await warm(each, body) for each in servers}
    rates: dict[str, list[float]] = {each.name: [] for each in servers}
    cpu: dict[str, list[float]] = {each.name: [] for each in servers}
    for _ in range(rounds):
        for each in servers:
            before = cpu_seconds(each.pid)
            job = Job(f"{each.url}/graphql", [body], '"mode":"ONLINE"', seconds, CONNECTIONS, warm_up=0)
            found = await load(job)
            rates[each.name].append(found.per_second)
            cpu[each.name].append(cpu_ms_since(before, each.pid, found.answers) or 0)
    per_second = {name: round(statistics.median(each)) for name, each in rates.items()}
    return {
        "view": view,
        "bytes": sizes,
        "per_second": per_second,
        "cpu_ms": {name: round(statistics.median(each), 3) for name, each in cpu.items()},
        "ahead_by": {name: round(per_second[PRODUCT] / per_second[name], 2) for name in PEERS},
    }


async def warm(server: Server, body: str) -> int:
    """Ask often enough for engines that compile what is called often; gives the size of the answer."""
    async with httpx.AsyncClient(timeout=30) as http:
        for _ in range(300):
            answer = await http.post(
                f"{server.url}/graphql", content=body, headers={"Content-Type": "application/json"}
            )
            if answer.status_code != httpx.codes.OK or '"mode":"ONLINE"' not in answer.text:
                raise RuntimeError(f"{server.name}: {answer.text[:300]}")
        return len(answer.content)


def table(rows: list[dict[str, Any]]) -> str:
    names = (PRODUCT, *PEERS)
    lines = [f"{'the same question, per s':<28}" + "".join(f"{name:>16}" for name in names)]
    for row in rows:
        lines.append(f"{row['view']:<28}" + "".join(f"{row['per_second'][name]:>16,}" for name in names))
        ahead = "".join(f"{row['ahead_by'][name]:>15.2f}x" for name in PEERS)
        lines.append(f"{'  ahead by':<28}{'':>16}{ahead}")
        lines.append(f"{'  CPU ms per answer':<28}" + "".join(f"{row['cpu_ms'][name]:>16.3f}" for name in names))
    return "\n".join(lines)
