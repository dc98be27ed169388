"""How cost grows: `python -m benchmarks growth`. Draws `docs/performance/*.png` unless `--quick`.

Engine: busy events per host and days, hosts per page; times of the processor. Over HTTP on PostgreSQL: hosts in the
database, and web processes; what the load generator and the database take of the same cores is in these.
"""

import asyncio
import itertools
import json
import random
import statistics
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks import availability_http
from benchmarks.crowd import add_copies
from benchmarks.engine import PAGE, Pairs, Work, change, milliseconds, random_busy
from benchmarks.load import Job, load
from benchmarks.place import POSTGRESQL, cpu_ms_since, cpu_seconds, fill_calendar, place
from meetings.domain.availability import Pool
from tests.deployment import Deployment
from tests.services import Run
from tests.world import HOST_EMAIL

PICTURES = Path(__file__).parents[1] / "docs" / "performance"
BUSY, DAYS = (0, 500, 5_000, 50_000), (30, 60, 365)
HOSTS_OF_A_PAGE = (1, 2, 5, 10, 20, 50, 100, 200)
HOSTS_IN_THE_DATABASE = (1, 100, 10_000)
PROCESSES = (1, 2, 4)
ROUNDS = 5
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney", "America/Denver")
ENGINE = {"cold_ms": "cold (sweep)", "warm_ms": "kept ready", "change_ms": "after a change"}


async def run(servers: Run, *, quick: bool = False) -> dict[str, Any]:
    """All of it; `quick` leaves the largest out."""
    seconds = 2.5 if quick else 7.5
    return {
        "busy_and_days": busy_and_days(BUSY[:3] if quick else BUSY),
        "hosts_of_a_page": hosts_of_a_page(HOSTS_OF_A_PAGE[:5] if quick else HOSTS_OF_A_PAGE),
        "hosts_in_the_database": await hosts_in_the_database(
            servers, HOSTS_IN_THE_DATABASE[:2] if quick else HOSTS_IN_THE_DATABASE, seconds
        ),
        "processes": await processes(servers, PROCESSES[:2] if quick else PROCESSES, seconds),
    }


# ---- the engine ------------------------------------------------------------------------------------------------------


def busy_and_days(counts: Sequence[int]) -> list[dict[str, Any]]:
    chance = random.Random(2026)
    return [
        {"busy": busy, "days": days, **engine([random_busy(chance, days, busy)], days, Pool.ALL)}
        for busy, days in itertools.product(counts, DAYS)
    ]


def hosts_of_a_page(counts: Sequence[int]) -> list[dict[str, Any]]:
    """A round robin over 60 days, 500 busy events each."""
    chance = random.Random(2026)
    crowd = [random_busy(chance, 60, 500) for _ in range(counts[-1])]
    return [{"hosts": count, **engine(crowd[:count], 60, Pool.ANY)} for count in counts]


def engine(busy: list[Pairs], days: int, pool: Pool) -> dict[str, float]:
    work = Work("", busy, days, pool, 0, 0)
    hosts = work.ready()
    found = work.by_ready(hosts)
    assert found == work.by_engine(), "what is kept ready and the sweep disagree"
    bits = sum(each.bit_length() for host in hosts for each in (host.free(PAGE),))
    runs = range(5 if len(busy) * max(1, len(busy[0])) > 20_000 else 15)
    return {
        "cold_ms": round(statistics.median(milliseconds(work.by_engine) for _ in runs), 3),
        "warm_ms": round(statistics.median(milliseconds(lambda: work.by_ready(hosts)) for _ in runs), 3),
        "change_ms": round(statistics.median(change(work, hosts[0]) for _ in runs), 3) if busy[0] else 0.0,
        "kib_of_bits": round(bits / 8 / 1024, 2),
    }


# ---- over HTTP -------------------------------------------------------------------------------------------------------


async def hosts_in_the_database(servers: Run, counts: Sequence[int], seconds: float) -> list[dict[str, Any]]:
    """One page is asked for, of one host, while more and more others are there."""
    rows = []
    async with place(servers, POSTGRESQL, with_worker=False) as deployed:
        await prepare(deployed)
        there = 1
        for count in counts:
            await add_copies(deployed.here, count - there, busy=20)
            there = count
            rows.append({"hosts": count, **await ask(deployed, 1, seconds)})
    return rows


async def processes(servers: Run, counts: Sequence[int], seconds: float) -> list[dict[str, Any]]:
    """Web processes on one PostgreSQL and Redis, a load generator for each, all on the same cores."""
    async with place(servers, POSTGRESQL, with_worker=True, webs=counts[-1]) as deployed:
        await prepare(deployed)
        return [{"processes": count, **await ask(deployed, count, seconds)} for count in counts]


async def prepare(deployed: Deployment) -> None:
    fill_calendar(deployed.google, HOST_EMAIL, days=60, events=400)
    await deployed.here.connect()
    await deployed.here.page(availability_http.SLUG, start_increment_minutes=15)
    await deployed.start()
    for url in deployed.urls:
        await availability_http.first_answer(url, availability_http.views()[0])


async def ask(deployed: Deployment, count: int, seconds: float) -> dict[str, Any]:
    """The same question again and again, then one that differs each time, to so many of the processes at once; of
    several rounds, the one in the middle."""
    same = [availability_http.views()[0].body]
    found: dict[str, Any] = {}
    for name in ("same", "different"):
        rounds = [
            await one_round(deployed, name, [same] * count if name == "same" else different(count), seconds / ROUNDS)
            for _ in range(ROUNDS)
        ]
        found |= sorted(rounds, key=lambda each: each[f"{name}_per_second"])[ROUNDS // 2]
    return found


async def one_round(deployed: Deployment, name: str, bodies: list[list[str]], seconds: float) -> dict[str, Any]:
    pids = [web.pid for web in deployed.webs[: len(bodies)]]
    before = [cpu_seconds(pid) for pid in pids]
    jobs = [
        Job(f"{url}/graphql", some, '"mode":', seconds, 8, repeat=name == "same", warm_up=0, host=name_of(deployed))
        for url, some in zip(deployed.urls, bodies, strict=False)
    ]
    measured = await asyncio.gather(*map(load, jobs))
    used = [cpu_ms_since(*each) for each in zip(before, pids, (m.answers for m in measured), strict=True)]
    return {
        f"{name}_per_second": round(sum(each.per_second for each in measured)),
        f"{name}_p99_ms": max(each.p99_ms for each in measured),
        f"{name}_cpu_ms": round(statistics.mean(each or 0 for each in used), 3),
    }


def name_of(deployed: Deployment) -> str:
    """The product's main name, under which all its processes answer behind a proxy."""
    return deployed.urls[0].partition("://")[2]


_pages_of_questions = itertools.count()


def different(count: int) -> list[list[str]]:
    """For each of so many processes, questions that were not asked before, at most 4,000."""
    first = date.today() + timedelta(days=1)
    windows = [
        availability_http.question(availability_http.MONTH, first + timedelta(days=ahead), first + timedelta(days=last))
        for ahead in range(25)
        for last in range(ahead + 5, ahead + 32)
    ]
    mark = next(_pages_of_questions)
    bodies = [
        each.replace("America/New_York", zone).replace("query Month", f"query Month{mark}")
        for zone in ZONES
        for each in windows
    ]
    return [bodies[number::count] for number in range(count)]


# ---- shown -----------------------------------------------------------------------------------------------------------


def table(results: dict[str, Any]) -> str:
    parts = []
    for title, rows in results.items():
        names = list(rows[0])
        widths = [max(len(name), 9) + 2 for name in names]
        head = "".join(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))
        lines = ["".join(f"{row[name]:>{width},}" for name, width in zip(names, widths, strict=True)) for row in rows]
        parts.append("\n".join([f"growth: {title.replace('_', ' ')}", head, *lines]))
    return "\n\n".join(parts)


def draw(results: dict[str, Any], folder: Path = PICTURES) -> list[Path]:
    """The pictures of `docs/performance.md`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(exist_ok=True)
    drawn = []

    def picture(name: str, title: str, across: str, up: str, lines: dict[str, tuple[list[float], list[float]]]) -> None:
        figure, axes = pyplot.subplots(figsize=(6.4, 4.0), dpi=110)
        for label, (x, y) in lines.items():
            axes.plot(x, y, marker="o", label=label)
        axes.set(title=title, xlabel=across, ylabel=up, ylim=(0, None))
        if max(max(x) for x, _ in lines.values()) > 50:
            axes.set_xscale("symlog", linthresh=min(each for x, _ in lines.values() for each in x if each))
            axes.set_xlim(left=0)
        axes.grid(alpha=0.3)
        axes.legend()
        figure.tight_layout()
        drawn.append(folder / f"{name}.png")
        figure.savefig(drawn[-1], metadata={"Software": None})
        pyplot.close(figure)

    rows = results["busy_and_days"]
    for column, label in ENGINE.items():
        lines = {f"{days} days": _line([row for row in rows if row["days"] == days], "busy", column) for days in DAYS}
        picture(f"busy-{column.removesuffix('_ms')}", f"One host: {label}", "busy events", "ms of processor", lines)
    rows = results["hosts_of_a_page"]
    lines = {label: _line(rows, "hosts", column) for column, label in ENGINE.items()}
    picture("hosts-of-a-page", "Round robin, 60 days, 500 busy events each", "hosts", "ms of processor", lines)
    for name, across in (("hosts_in_the_database", "hosts"), ("processes", "processes")):
        rows = results.get(name, [])
        if not rows:
            continue
        kinds = ("same", "different")
        lines = {f"{kind} question": _line(rows, across, f"{kind}_per_second") for kind in kinds}
        title, label = f"availability over HTTP: {name.replace('_', ' ')}", name.replace("_", " ")
        picture(name.replace("_", "-"), title, label, "answers per second", lines)
    return drawn


def _line(rows: list[dict[str, Any]], x: str, y: str) -> tuple[list[float], list[float]]:
    return [row[x] for row in rows], [row[y] for row in rows]


if __name__ == "__main__":
    started = Run.begin()
    try:
        measured = asyncio.run(run(started))
        print(table(measured))
        print(json.dumps(measured))
        draw(measured)
    finally:
        started.end()
