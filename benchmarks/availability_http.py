"""How fast `availability` is over HTTP, and how much slower than a static answer of the same bytes from the same
server: `python -m benchmarks.availability_http`.

One web process, one host with 400 events in the next 60 days, a page of 30 minutes every 15 on weekdays. Static answers
and views take turns, and the medians of the rounds are told, so that a disturbance hits both.
"""

import asyncio
import json
import statistics
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx

from benchmarks.load import Job, Measurement, load
from benchmarks.place import POSTGRESQL, SQLITE, cpu_ms_since, cpu_seconds, fill_calendar, place
from tests.deployment import Deployment
from tests.services import Run
from tests.world import HOST_EMAIL

SLUG = "anna/intro"
CONNECTIONS = 8

MONTH = """
query Month($input: AvailabilityInput!) {
  availability(input: $input) {
    __typename mode timeZone durationMinutes freshness cursor
    days { __typename date slotCount }
  }
}
"""

DAY = """
query Day($input: AvailabilityInput!, $day: Date!) {
  availability(input: $input) {
    __typename mode timeZone durationMinutes freshness cursor
    days(on: [$day]) { __typename date slotCount slots { __typename start end } }
  }
}
"""


@dataclass(frozen=True)
class View:
    name: str
    body: str


def views() -> list[View]:
    """A month to paint, and the day a visitor chose in it."""
    first = date.today() + timedelta(days=1)
    day = next(day for number in range(7) if (day := first + timedelta(days=number)).weekday() == 2)
    return [
        View("month, 31 days with counts", question(MONTH, first, first + timedelta(days=30))),
        View("day with its slots", question(DAY, day, day, day=str(day))),
    ]


def question(document: str, first: date, last: date, **more: str) -> str:
    window = {
        "page": {"slug": {"slug": SLUG}},
        "from": str(first),
        "to": str(last),
        "timeZone": "America/New_York",
    }
    return json.dumps({"query": document, "variables": {"input": window, **more}})


async def run(servers: Run, *, quick: bool = False) -> dict[str, Any]:
    """Measure both views on both databases."""
    rounds, seconds = (1, 1.2) if quick else (3, 2.5)
    rows = []
    for database in (POSTGRESQL, SQLITE):
        async with place(servers, database, with_worker=False) as deployed:
            fill_calendar(deployed.google, HOST_EMAIL, days=60, events=400)
            await deployed.here.connect()
            await deployed.here.page(SLUG, start_increment_minutes=15)
            await deployed.start()
            rows += [{"database": database, **await measure(deployed, view, rounds, seconds)} for view in views()]
    return {"connections": CONNECTIONS, "rows": rows}


async def measure(deployed: Deployment, view: View, rounds: int, seconds: float) -> dict[str, Any]:
    url, pid = deployed.urls[0], deployed.webs[0].pid
    answer = await first_answer(url, view)
    statics, own, cpu = [], [], []
    for _ in range(rounds):
        common: dict[str, Any] = {"bodies": [view.body], "connections": CONNECTIONS, "warm_up": 0}
        statics.append(await load(Job(f"{url}/static", expected='"data"', seconds=seconds / 2, **common)))
        before = cpu_seconds(pid)
        own.append(await load(Job(f"{url}/graphql", expected='"mode":"ONLINE"', seconds=seconds, **common)))
        cpu.append(cpu_ms_since(before, pid, own[-1].answers))
    static_rate, own_rate = (statistics.median(each.per_second for each in found) for found in (statics, own))
    return {
        "view": view.name,
        "bytes": len(answer),
        "per_second": own_rate,
        "p50_ms": _median(own, "p50_ms"),
        "p99_ms": _median(own, "p99_ms"),
        "web_cpu_ms": None if None in cpu else statistics.median(each for each in cpu if each is not None),
        "static_per_second": static_rate,
        "static_p50_ms": _median(statics, "p50_ms"),
        "static_p99_ms": _median(statics, "p99_ms"),
        "ratio_to_static": round(static_rate / own_rate, 2),
        "load_cpu_share_at_static": max(each.cpu_share for each in statics),
    }


async def first_answer(url: str, view: View) -> bytes:
    """Ask once, and have the server answer the same bytes as its static answer from now on."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        answer = await http.post("/graphql", content=view.body, headers={"Content-Type": "application/json"})
        found = answer.json()
        if answer.status_code != httpx.codes.OK or not found["data"]["availability"]["days"]:
            raise RuntimeError(f"nothing to measure: {answer.text[:600]}")
        await http.put("/static", content=answer.content)
        return answer.content


def _median(found: list[Measurement], name: str) -> float:
    return float(round(statistics.median(getattr(each, name) for each in found), 2))


def table(results: dict[str, Any]) -> str:
    columns = {
        "bytes": ("bytes", ">8"),
        "per s": ("per_second", ">8.0f"),
        "p50 ms": ("p50_ms", ">9.2f"),
        "p99 ms": ("p99_ms", ">9.2f"),
        "CPU ms": ("web_cpu_ms", ">9.2f"),
        "static per s": ("static_per_second", ">14.0f"),
        "ratio": ("ratio_to_static", ">8.2f"),
    }
    head = "".join(f"{name:{layout.split('.')[0]}}" for name, (_, layout) in columns.items())
    lines = [f"{'availability over HTTP':<28}{'database':<12}{head}"]
    for row in results["rows"]:
        cells = "".join(f"{row[column] or 0:{layout}}" for column, layout in columns.values())
        lines.append(f"{row['view']:<28}{row['database']:<12}{cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    started = Run.begin()
    try:
        print(table(asyncio.run(run(started))))
    finally:
        started.end()
