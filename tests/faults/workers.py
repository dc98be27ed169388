"""Worker processes for fault tests: one that dies at a step, and one in this process that finishes what was left."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.settings import Settings
from meetings.infrastructure.worker import Worker
from tests.world import variables_of_providers

ROOT = Path(__file__).parents[2]
DIE_SECONDS = 30.0


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables of a process that is to have the same settings."""
    values = {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else value
        for name, value in ((name, getattr(settings, name)) for name in settings.model_fields_set)
    }
    given = {
        f"MEETINGS_{name.upper()}": str(getattr(value, "value", value))
        for name, value in values.items()
        if value is not None and name not in ("policy", "rates", "allowed_origins", "trusted_proxies", "providers")
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEETINGS_")}
    return {**kept, **given, **variables_of_providers(settings)}


class Nursery:
    """Where killable workers come from, one after the other."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._pid: int | None = None

    def start(self, settings: Settings, step: str = "never") -> None:
        """Start a worker that dies at the step."""
        assert self._process.stdin is not None
        wish = {"environment": environment_of(settings), "step": step}
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        self._pid = self._answer()["pid"]

    def kill(self) -> None:
        """Kill the worker now, from outside."""
        assert self._pid is not None
        os.kill(self._pid, signal.SIGKILL)

    async def killed(self) -> bool:
        """Whether the worker was killed; waits for its end. A step that is never reached ends in SIGTERM."""
        assert self._pid is not None
        patience = threading.Timer(DIE_SECONDS, os.kill, (self._pid, signal.SIGTERM))
        patience.start()
        end = await asyncio.to_thread(self._answer)
        patience.cancel()
        return end["end"] == -signal.SIGKILL

    def _answer(self) -> dict[str, int]:
        assert self._process.stdout is not None
        found: dict[str, int] = json.loads(self._process.stdout.readline())
        return found


@contextmanager
def nursery() -> Iterator[Nursery]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.killable_worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Nursery(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=DIE_SECONDS)


@asynccontextmanager
async def fresh_worker(settings: Settings) -> AsyncIterator[None]:
    """Another worker, started after the first one is gone."""
    process = Process(settings)
    process.start()
    worker = Worker(partial(Runtime.open, process), process.doorbell)
    await asyncio.to_thread(worker.start)
    try:
        yield
    finally:
        await asyncio.to_thread(worker.stop)
        process.stop()
