"""The product as an operator runs it: processes started from the command line, with settings from the environment.

    async with deployment(database_url, google, mail, folder=tmp_path, webs=2, redis_url=redis_url) as running:
        await running.here.connect()
        ...
        async with running.visitor() as visitor:
            await visitor.ask(...)

Google and the mail server are simulated in the test's own process. `here` works on the same database without going
through the API: it seeds before, and looks afterwards.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from meetings.adapters.google.simulator import CLIENT_ID, CLIENT_SECRET, GoogleSimulator
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.settings import PREFIX, Settings
from tests.product import NO_RATES, ApiClient, RealClock
from tests.services import Run
from tests.world import World, settings_for, variables_of_providers

ROOT = Path(__file__).parents[1]
COMMANDS = "meetings.infrastructure.cli"
START_SECONDS = 40.0
STOP_SECONDS = 30.0


class ProcessFailed(Exception):
    """A process did not do what it was started for. The message says which one, and the last it said."""


class RunningProcess:
    """One process of the product: `python -m MODULE COMMAND...`, in this folder. What it says goes to a file there."""

    def __init__(self, module: str, *command: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = " ".join((module, *command))
        self.log = folder / f"{'-'.join((module.rpartition('.')[2], *command))}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *command],
                cwd=folder,  # a `.env` of the checkout is not meant
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: it finishes nothing."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def terminate(self) -> None:
        """SIGTERM: it is to finish or give back what it does, and end with 0; see `ended`."""
        if self.alive:
            self._process.send_signal(signal.SIGTERM)

    async def ended(self, seconds: float = STOP_SECONDS) -> None:
        """Wait for its end.

        Raises:
            ProcessFailed: it takes longer, or ends with anything but 0.
        """
        try:
            code = await asyncio.to_thread(self._process.wait, seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise self.failed(f"was not over after {seconds:g} s") from None
        if code != 0:
            raise self.failed(f"ended with {code}")

    def failed(self, how: str) -> ProcessFailed:
        said = self.log.read_text(errors="replace")[-3000:]
        return ProcessFailed(f"`{self.name}` {how}. The last it said:\n{said}")


def environment_of(settings: Settings, run: Run) -> dict[str, str]:
    """The variables of a process that is to have the same settings.

    A machine that keeps no compiled code would compile the libraries anew in each process, which takes longer than
    most tests; all processes of a run share what the first one compiled.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    if kept.pop("PYTHONDONTWRITEBYTECODE", None):
        kept["PYTHONPYCACHEPREFIX"] = str(run.directory / "compiled")
    return kept | {"PYTHONPATH": str(ROOT)} | dict(_variables(settings))


def _variables(settings: Settings) -> Iterator[tuple[str, str]]:
    yield from variables_of_providers(settings).items()
    for name in settings.model_fields_set - {"providers"}:
        value = getattr(settings, name)
        if dataclasses.is_dataclass(value):
            for each in dataclasses.fields(value):
                yield f"{PREFIX}{name}__{each.name}".upper(), _text(getattr(value, each.name))
        elif value is not None:
            yield f"{PREFIX}{name}".upper(), _text(value)


def _text(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Enum():
            return str(value.value)
        case timedelta():
            return str(value.total_seconds())
        case tuple():
            return ",".join(map(str, value))
    return str(value)


@dataclass
class Deployment:
    """A product that runs. `urls` are its web processes; `here` is on the same database, with the same secrets."""

    urls: list[str]
    here: World
    folder: Path
    environment: Mapping[str, str]
    serving_module: str
    with_worker: bool
    webs: list[RunningProcess] = field(default_factory=list)
    workers: list[RunningProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next_url = itertools.cycle(self.urls)

    @property
    def google(self) -> GoogleSimulator:
        return self.here.google

    @property
    def mail(self) -> MailCatcher:
        return self.here.mail

    def visitor(self, url: str | None = None) -> ApiClient:
        """Somebody who is not signed in; each comes to the next web process unless one is named."""
        return ApiClient(url or next(self._next_url))

    async def start(self) -> None:
        """Start every process, and return when all web processes are ready."""
        ports = [url.rpartition(":")[2] for url in self.urls]
        self.webs = [self.run(self.serving_module, "serve", "--port", port) for port in ports]
        if self.with_worker:
            self.workers = [self.run(COMMANDS, "worker")]
        await asyncio.gather(*map(self._ready, self.webs, self.urls))

    def run(self, module: str, *command: str) -> RunningProcess:
        """Start one more process with the same settings; the caller ends it."""
        return RunningProcess(module, *command, folder=self.folder, environment=self.environment)

    async def stop(self) -> None:
        """Ask all of them to end, the way an orchestrator does.

        Raises:
            ProcessFailed: one did not end in good order.
        """
        processes = [process for process in (*self.webs, *self.workers) if process.alive]
        for process in processes:
            process.terminate()
        ends = await asyncio.gather(*(process.ended() for process in processes), return_exceptions=True)
        self.webs, self.workers = [], []
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    def kill(self) -> None:
        for process in (*self.webs, *self.workers):
            process.kill()

    async def _ready(self, process: RunningProcess, url: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(base_url=url, timeout=5) as http:
            while time.monotonic() < deadline and process.alive:
                try:
                    if (await http.get("/health/ready")).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        raise process.failed("did not get ready")


@asynccontextmanager
async def deployment(
    database_url: str,
    google: GoogleSimulator,
    mail: MailCatcher,
    *,
    run: Run,
    folder: Path,
    webs: int = 1,
    redis_url: str | None = None,
    serving_module: str = COMMANDS,
    migrate: bool = False,
    **more: Any,
) -> AsyncIterator[Deployment]:
    """A product on this database with Anna's account in it; nothing runs before `start`.

    Without Redis there is one web process, which works as well; with it, a worker process runs beside them.
    `serving_module` serves instead of the product's own command line, called the same way. `migrate` says that the
    database is empty. At the end everything is stopped, and that has to go in good order too.
    """
    urls = [f"http://127.0.0.1:{port_of_a_server()}" for _ in range(webs)]
    given: dict[str, Any] = {
        "public_url": urls[0],
        "redis_url": redis_url,
        "rates": NO_RATES,
        "sweep_seconds": 0.5,
        "log_level": "WARNING",
        **more,
    }
    settings = settings_for(
        database_url, google, mail, **{name: value for name, value in given.items() if value is not None}
    )
    environment = environment_of(settings, run)
    if migrate:
        await RunningProcess(COMMANDS, "migrate", folder=folder, environment=environment).ended(START_SECONDS)
    process = Process(settings)
    google.register_client(CLIENT_ID, CLIENT_SECRET, (process.links.oauth_callback("GOOGLE"),))
    async with Runtime.open(process) as runtime:
        here = World(runtime, runtime.toolbox, google, mail, RealClock(datetime.now(UTC)))
        await here.populate()
        running = Deployment(urls, here, folder, environment, serving_module, with_worker=redis_url is not None)
        try:
            yield running
        except BaseException:
            running.kill()
            raise
        await running.stop()


def port_of_a_server() -> int:
    """A free port below those that systems give to outgoing connections, so that nobody takes it before the server."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
