"""All benchmarks: `python -m benchmarks`; some of them: `python -m benchmarks engine peers`; shorter ones: `--quick`.

Prints a table and writes `benchmarks/results.json`, with what is needed to compare it to another one.
"""

import argparse
import asyncio
import json
import os
import platform
import sqlite3
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import (
    availability_http,
    booking_http,
    calendar_sync,
    calendar_to_page,
    chat_links,
    crm_timeline,
    engine,
    growth,
    inbox_sync,
    live_sockets,
)
from benchmarks.peers import reading
from benchmarks.peers.node import NoPeers, installed
from tests.services import Postgres, Run

HERE = Path(__file__).parent
PACKAGES = ("strawberry-graphql", "graphql-core", "fastapi", "uvicorn", "sqlalchemy", "asyncpg", "aiosqlite", "tzdata")


Part = Callable[[Run, Path | None, bool], Awaitable[dict[str, Any]]]
"""Measures something. The folder has the peers, where there are any; then whether to be quick about it."""


async def _engine(_: Run, __: Path | None, quick: bool) -> dict[str, Any]:
    return engine.run()


async def _peers(servers: Run, folder: Path | None, quick: bool) -> dict[str, Any]:
    return {"rows": await reading.run(servers, folder, quick=quick)} if folder else {"rows": []}


async def _growth(servers: Run, _: Path | None, quick: bool) -> dict[str, Any]:
    found = await growth.run(servers, quick=quick)
    if not quick:
        growth.draw(found)
    return found


PARTS: dict[str, tuple[Part, Callable[[dict[str, Any]], str]]] = {
    "engine": (_engine, engine.table),
    "availability": (lambda run, _, quick: availability_http.run(run, quick=quick), availability_http.table),
    "peers": (_peers, lambda found: reading.table(found["rows"])),
    "live_sockets": (lambda run, folder, quick: live_sockets.run(run, folder, quick=quick), live_sockets.table),
    "calendar_to_page": (lambda run, _, quick: calendar_to_page.run(run, quick=quick), calendar_to_page.table),
    "growth": (_growth, growth.table),
    "booking": (lambda run, _, quick: booking_http.run(run, quick=quick), booking_http.table),
    "calendar_sync": (lambda run, _, quick: calendar_sync.run(run, quick=quick), calendar_sync.table),
    "chat_links": (lambda run, _, quick: chat_links.run(run, quick=quick), chat_links.table),
    "crm_timeline": (lambda run, _, quick: crm_timeline.run(run, quick=quick), crm_timeline.table),
    "inbox_sync": (lambda run, _, quick: inbox_sync.run(run, quick=quick), inbox_sync.table),
}
WITH_PEERS = {"peers", "live_sockets"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure how fast the product is.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one or more of {', '.join(PARTS)}; all if left out")
    parser.add_argument("--quick", action="store_true", help="shorter, and less exact")
    given = parser.parse_args()
    unknown = set(given.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    servers = Run.begin()
    try:
        results = asyncio.run(measure(servers, given.parts or list(PARTS), quick=given.quick))
    finally:
        servers.end()
    if given.parts and (HERE / "results.json").exists():
        results = {**json.loads((HERE / "results.json").read_text()), **results}
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print(f"\n{results['about']['seconds']} s in all; everything is in benchmarks/results.json.")


async def measure(servers: Run, parts: Sequence[str], *, quick: bool) -> dict[str, Any]:
    """The parts, each printed with how long it took when it is known."""
    began = time.perf_counter()
    about = await about_this_run(servers, quick=quick)
    print(f"{about['machine']['processor']}, {about['machine']['cores']} cores, Python {about['versions']['python']}")
    results: dict[str, Any] = {}
    about["seconds_of"] = {}
    async with AsyncExitStack() as stack:
        folder: Path | None = None
        if WITH_PEERS & set(parts):
            try:
                folder = await stack.enter_async_context(installed())
            except NoPeers as why:
                print(f"\nNothing is compared with servers of others: {why}.")
        for name in parts:
            if name == "peers" and folder is None:
                continue
            run, table = PARTS[name]
            started = time.perf_counter()
            results[name] = await run(servers, folder, quick)
            about["seconds_of"][name] = round(time.perf_counter() - started)
            print(f"\n{table(results[name])}\n({name}: {about['seconds_of'][name]} s)", flush=True)
    about["seconds"] = round(time.perf_counter() - began)
    return {"about": about, **results}


async def about_this_run(servers: Run, *, quick: bool) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "quick": quick,
        "machine": machine(),
        "versions": {**versions(), "postgresql": await postgresql_version(servers)},
    }


def commit() -> str:
    """The commit that is measured, with a plus when files differ from it; empty outside a checkout."""
    try:
        found = _git("rev-parse", "--short=12", "HEAD")
        return found + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*words: str) -> str:
    return subprocess.run(("git", *words), cwd=HERE, check=True, capture_output=True, text=True).stdout.strip()


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> Mapping[str, str]:
    own = {"meetings": version("meetings"), "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    return {**own, **{package: version(package) for package in PACKAGES}}


async def postgresql_version(servers: Run) -> str:
    import asyncpg

    url = Postgres(servers.server("postgres", "postgres")).url
    connection = await asyncpg.connect(dsn=url.replace("+asyncpg", ""))
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
