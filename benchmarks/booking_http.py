"""How many bookings a second, and how long it takes from the commit of a booking to its event in the calendar:
`python -m benchmarks.booking_http`.

Visitors book different slots of several hosts, so many at once. Everything shares the machine: web process, worker,
PostgreSQL, Redis, the simulated Google and mail server, and the load generator.
"""

import asyncio
import json
import math
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from benchmarks.load import Job, Measurement, load
from benchmarks.place import POSTGRESQL, SQLITE, add_host, cpu_ms_since, cpu_seconds, place
from meetings.adapters.google.simulator import Call, GoogleSimulator
from meetings.application.reactions import SETTLE_BOOKING
from meetings.infrastructure.database.tables import bookings, intents
from tests.deployment import Deployment
from tests.product import until
from tests.services import Run

CONCURRENCY = 16
HOSTS = 8

BOOK = """
mutation Book($input: BookMeetingInput!) {
  bookMeeting(input: $input) {
    booking { status start end joinUrl manageUrl }
    errors { code message path }
  }
}
"""

STARTS = """
query Starts($input: AvailabilityInput!) { availability(input: $input) { days { slots { start } } } }
"""


class Deliveries:
    """When each event was in the simulated calendar."""

    def __init__(self, google: GoogleSimulator) -> None:
        self.at: dict[str, datetime] = {}
        google.observe(self._see)

    def _see(self, call: Call) -> None:
        if call.operation == "events.insert" and call.worked and call.status == 200:
            self.at.setdefault(call.body["id"], datetime.now(UTC))


async def run(servers: Run, *, quick: bool = False) -> dict[str, Any]:
    """Measure on both databases, with a Google that answers at once and one that takes 300 ms for each call."""
    seconds = 3.0 if quick else 10.0
    cases = [(POSTGRESQL, 0), (POSTGRESQL, 300), (SQLITE, 0), (SQLITE, 300)]
    rows = [await measure(servers, database, delay, seconds) for database, delay in (cases[:2] if quick else cases)]
    return {"concurrency": CONCURRENCY, "hosts": HOSTS, "rows": rows}


async def measure(servers: Run, database: str, delay_ms: int, seconds: float) -> dict[str, Any]:
    async with place(servers, database, with_worker=True) as deployed:
        slugs = [await add_host(deployed.here, number) for number in range(HOSTS)]
        await deployed.start()
        wishes = await different_wishes(deployed, slugs)
        deliveries = Deliveries(deployed.google)
        if delay_ms:
            deployed.google.fault(is_calendar_call, times=None, delay_before=delay_ms / 1000)
        before = cpu_seconds(deployed.webs[0].pid)
        measured = await load(
            Job(
                f"{deployed.urls[0]}/graphql",
                wishes,
                expected='"errors":[]',
                seconds=seconds,
                connections=CONCURRENCY,
                repeat=False,
                warm_up=0,
            )
        )
        cpu_ms = cpu_ms_since(before, deployed.webs[0].pid, measured.answers)
        await until("everything is written", lambda: everything_is_written(deployed), seconds=60)
        return row(database, delay_ms, measured, cpu_ms, await delivery_seconds(deployed, deliveries))


def is_calendar_call(call: Call) -> bool:
    return call.operation.startswith(("events.", "freebusy."))


async def different_wishes(deployed: Deployment, slugs: list[str]) -> list[str]:
    """A request for each slot of each page: as many pages after each other as there are, then their next slots."""
    async with deployed.visitor() as visitor:
        found = [(await visitor.ask(STARTS, input=window(slug)))["availability"] for slug in slugs]
    starts = [[slot["start"] for day in each["days"] for slot in day["slots"]] for each in found]
    return [
        json.dumps({"query": BOOK, "variables": {"input": wish(slug, start)}})
        for several in zip(*starts, strict=True)
        for slug, start in zip(slugs, several, strict=True)
    ]


def window(slug: str) -> dict[str, Any]:
    first = date.today() + timedelta(days=1)
    last = first + timedelta(days=58)
    return {"page": {"slug": {"slug": slug}}, "from": str(first), "to": str(last), "timeZone": "UTC"}


def wish(slug: str, start: str) -> dict[str, Any]:
    return {
        "page": {"slug": {"slug": slug}},
        "start": start,
        "timeZone": "America/New_York",
        "invitee": {"firstName": "Grace", "lastName": "Hopper", "email": "grace@example.org"},
        "idempotencyKey": str(uuid4()),
    }


async def everything_is_written(deployed: Deployment) -> bool:
    """Whether no booking waits for its calendar. What people are told of it may take longer."""
    query = select(func.count()).where(
        intents.c.reaction == SETTLE_BOOKING, intents.c.done_at.is_(None), intents.c.died_at.is_(None)
    )
    async with deployed.here.runtime.database.snapshot() as connection:
        return (await connection.execute(query)).scalar_one() == 0


async def delivery_seconds(deployed: Deployment, deliveries: Deliveries) -> list[float]:
    """For each booking, how long after its commit its event was in the calendar.

    The intent bears the time at which it was stored, right before the commit, so the times are a little too long.
    """
    query = (
        select(bookings.c.event_id, intents.c.created_at)
        .join(intents, intents.c.subject == bookings.c.id)
        .where(intents.c.reaction == SETTLE_BOOKING)
    )
    async with deployed.here.runtime.database.snapshot() as connection:
        committed = (await connection.execute(query)).all()
    return [(deliveries.at[event_id] - at).total_seconds() for event_id, at in committed]


def row(
    database: str, delay_ms: int, measured: Measurement, cpu_ms: float | None, delivery: list[float]
) -> dict[str, Any]:
    ordered = sorted(delivery)

    def quantile_ms(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1000, 1)

    return {
        "database": database,
        "provider_ms": delay_ms,
        "bookings": measured.answers,
        "per_second": measured.per_second,
        "p50_ms": measured.p50_ms,
        "p95_ms": measured.p95_ms,
        "p99_ms": measured.p99_ms,
        "web_cpu_ms": cpu_ms,
        "delivered": len(ordered),
        "delivery_p50_ms": quantile_ms(0.50),
        "delivery_p95_ms": quantile_ms(0.95),
    }


def table(results: dict[str, Any]) -> str:
    columns = {
        "per s": "per_second",
        "p50 ms": "p50_ms",
        "p99 ms": "p99_ms",
        "CPU ms": "web_cpu_ms",
        "to calendar p50 ms": "delivery_p50_ms",
        "p95 ms": "delivery_p95_ms",
    }
    widths = {name: max(9, len(name) + 2) for name in columns}
    lines = [
        f"{'bookMeeting, 16 at once':<28}{'database':<12}" + "".join(f"{name:>{widths[name]}}" for name in columns)
    ]
    for each in results["rows"]:
        cells = "".join(f"{each[column] or 0:>{widths[name]}.1f}" for name, column in columns.items())
        lines.append(f"{'provider takes ' + str(each['provider_ms']) + ' ms':<28}{each['database']:<12}{cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    started = Run.begin()
    try:
        print(table(asyncio.run(run(started))))
    finally:
        started.end()
