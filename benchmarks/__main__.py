"""All benchmarks: `python -m benchmarks`, or a short version of them with `--quick`.

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
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import availability_http, booking_http, calendar_sync, chat_links, crm_timeline, engine, inbox_sync
from tests.services import Postgres, Run

HERE = Path(__file__).parent
PACKAGES = ("strawberry-graphql", "graphql-core", "fastapi", "uvicorn", "sqlalchemy", "asyncpg", "aiosqlite", "tzdata")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure how fast the product is.")
    parser.add_argument("--quick", action="store_true", help="shorter, and less exact")
    quick: bool = parser.parse_args().quick
    began = time.perf_counter()
    servers = Run.begin()
    try:
        results = asyncio.run(measure(servers, quick=quick))
    finally:
        servers.end()
    results["about"]["seconds"] = round(time.perf_counter() - began)
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print(f"\n{results['about']['seconds']} s in all; everything is in benchmarks/results.json.")


async def measure(servers: Run, *, quick: bool) -> dict[str, Any]:
    """Everything, each part printed when it is known."""
    about = await about_this_run(servers, quick=quick)
    print(f"{about['machine']['processor']}, {about['machine']['cores']} cores, Python {about['versions']['python']}")
    results: dict[str, Any] = {"about": about, "engine": engine.run()}
    tell(engine.table(results["engine"]))
    results["availability"] = await availability_http.run(servers, quick=quick)
    tell(availability_http.table(results["availability"]))
    results["booking"] = await booking_http.run(servers, quick=quick)
    tell(booking_http.table(results["booking"]))
    results["calendar_sync"] = await calendar_sync.run(servers, quick=quick)
    tell(calendar_sync.table(results["calendar_sync"]))
    results["chat_links"] = await chat_links.run(servers, quick=quick)
    tell(chat_links.table(results["chat_links"]))
    results["crm_timeline"] = await crm_timeline.run(servers, quick=quick)
    tell(crm_timeline.table(results["crm_timeline"]))
    results["inbox_sync"] = await inbox_sync.run(servers, quick=quick)
    tell(inbox_sync.table(results["inbox_sync"]))
    return results


def tell(table: str) -> None:
    print(f"\n{table}", flush=True)


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
