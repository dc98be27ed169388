"""The command line: what each command does, says, and ends with."""

import asyncio
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.infrastructure import cli
from meetings.infrastructure.secrets import new_key
from meetings.infrastructure.settings import read_settings
from tests import services
from tests.databases import Simulators
from tests.faults.workers import environment_of
from tests.infrastructure.test_worker_process import next_monday
from tests.world import settings_for, world

Command = Callable[..., "Ended"]
SIGN_IN = 'mutation($p: String!) { signIn(email: "anna@example.com", password: $p) { token errors { code } } }'


class Ended:
    """How a command ended: its code and what it said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, and an environment without settings."""
    for name in [name for name in os.environ if name.startswith("MEETINGS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def meetings(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs `meetings ...` in the folder."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["meetings", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        return Ended(end.value.code if isinstance(end.value.code, int) else 0, said.out, said.err)

    yield run
    root.handlers[:], root.level = before


def init(meetings: Command, *more: str) -> Ended:
    given = ("--account", "Example", "--name", "Anna Albers", "--email", "anna@example.com", *more)
    return meetings("init", *given)


# ---- setting up ---------------------------------------------------------------------------------------------------


def test_init_writes_settings_that_only_their_owner_reads_and_makes_an_owner(meetings: Command, folder: Path) -> None:
    ended = init(meetings, "--public-url", "http://127.0.0.1:9000")
    assert (ended.code, ended.err) == (0, "")
    assert re.search(r"anna@example.com owns the account 'Example', with the password \S{20}\. ", ended.out)
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    settings = read_settings()
    assert settings.public_url == "http://127.0.0.1:9000"
    assert settings.database_url.get_secret_value() == f"sqlite+aiosqlite:///{folder}/meetings.db"


def test_a_second_init_changes_nothing_and_says_what_to_do(meetings: Command, folder: Path) -> None:
    init(meetings)
    settings = (folder / ".env").read_bytes()
    ended = init(meetings)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "meetings: There is an account already; `meetings add-user` adds people to it.\n"
    assert (folder / ".env").read_bytes() == settings


def test_init_uses_settings_that_are_there(meetings: Command, folder: Path) -> None:
    (folder / ".env").write_text(f"MEETINGS_SECRET_KEYS={new_key('mine')}\n")
    assert init(meetings).code == 0
    assert (folder / ".env").read_text().count("\n") == 1
    assert (folder / "meetings.db").exists()


def test_what_init_cannot_use_is_told_in_one_sentence(meetings: Command, folder: Path) -> None:
    ended = meetings("init", "--account", " ", "--name", "Anna", "--email", "no address")
    assert ended.code == 1
    assert ended.err == "meetings: This cannot be used: account: required; email: not_an_email.\n"


def test_people_are_added_to_the_one_account(meetings: Command, folder: Path) -> None:
    init(meetings)
    ended = meetings("add-user", "--name", "Ben Brandt", "--email", "ben@example.com", "--role", "admin")
    assert ended.code == 0
    assert ended.out.startswith("ben@example.com can sign in as admin, with the password ")
    again = meetings("add-user", "--name", "Ben Brandt", "--email", "BEN@example.com")
    assert again.err == "meetings: Somebody signs in with this e-mail address already.\n"
    other = meetings("add-user", "--name", "Cora", "--email", "cora@example.com", "--account", "Other")
    assert other.err == "meetings: Name one account by --account; there are: 'Example'.\n"


def test_without_an_account_nobody_can_be_added(meetings: Command, folder: Path) -> None:
    (folder / ".env").write_text(f"MEETINGS_SECRET_KEYS={new_key()}\n")
    assert meetings("migrate").code == 0
    ended = meetings("add-user", "--name", "Ben Brandt", "--email", "ben@example.com")
    assert (ended.code, ended.err) == (1, "meetings: There is no account yet: run `meetings init`.\n")


def test_migrating_twice_changes_nothing(meetings: Command, folder: Path) -> None:
    (folder / ".env").write_text(f"MEETINGS_SECRET_KEYS={new_key()}\n")
    ended = [meetings("migrate"), meetings("migrate")]
    assert {(each.code, each.out) for each in ended} == {(0, "The database has the newest schema.\n")}


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "doctor", "rotate-keys"])
def test_without_settings_a_command_says_what_is_missing(meetings: Command, command: str) -> None:
    ended = meetings(command)
    assert (ended.code, ended.out) == (2, "")
    assert re.fullmatch(r"meetings: MEETINGS_SECRET_KEYS is missing: run `meetings init`, or make one .*\n", ended.err)


def test_a_database_that_is_away_is_told_without_a_trace(meetings: Command, folder: Path) -> None:
    url = f"postgresql+asyncpg://nobody:hidden@127.0.0.1:{services.free_port()}/nothing"
    (folder / ".env").write_text(f"MEETINGS_SECRET_KEYS={new_key()}\nMEETINGS_DATABASE_URL={url}\n")
    ended = meetings("migrate")
    assert ended.code == 1
    assert ended.err == (
        "meetings: The database or a file cannot be used (ConnectionRefusedError): run `meetings doctor`.\n"
    )


# ---- looking after it ---------------------------------------------------------------------------------------------


def test_the_doctor_says_what_to_do_and_ends_with_one(meetings: Command, folder: Path) -> None:
    (folder / ".env").write_text(
        f"MEETINGS_SECRET_KEYS={new_key()}\nMEETINGS_SMTP_URL=smtp://127.0.0.1:{services.free_port()}\n"
    )
    ended = meetings("doctor")
    assert ended.code == 1
    assert "!!  Google calendars: not set up\n    set MEETINGS_GOOGLE_CLIENT_ID" in ended.out
    assert "!!  database: its schema is not the newest\n    run `meetings migrate`\n" in ended.out
    assert "cannot be used (" in ended.out
    assert "    check MEETINGS_SMTP_URL\n" in ended.out
    assert "ok  broker: in this process" in ended.out


async def test_the_doctor_is_content_with_what_works(database_url: str, simulators: Simulators, folder: Path) -> None:
    ended = await in_a_process(environment_of(settings_for(database_url, *simulators)), folder, "doctor")
    assert (ended.code, "!!" in ended.out) == (0, False)
    assert "ok  mail: 127.0.0.1:" in ended.out
    assert "ok  database: reachable, newest schema, and the secret keys fit" in ended.out


def test_the_schema_is_printed_without_any_settings(meetings: Command) -> None:
    ended = meetings("export-schema")
    assert ended.code == 0
    assert "type Query" in ended.out
    assert ended.out.endswith("}\n")


def test_keys_are_rotated_and_old_ones_can_go(meetings: Command, folder: Path) -> None:
    old, new = new_key("old"), new_key("new")
    (folder / ".env").write_text(f"MEETINGS_SECRET_KEYS={old}\n")
    init(meetings)
    (folder / ".env").write_text(f"MEETINGS_SECRET_KEYS={new},{old}\n")
    ended = meetings("rotate-keys")
    assert ended.out == (
        "Sealed the keys of 1 account(s) by new.\nYou can remove these from MEETINGS_SECRET_KEYS now: old.\n"
    )
    (folder / ".env").write_text(f"MEETINGS_SECRET_KEYS={new}\n")
    assert meetings("rotate-keys").out == "Sealed the keys of 0 account(s) by new.\n"
    (folder / ".env").write_text(f"MEETINGS_SECRET_KEYS={old}\n")
    refused = meetings("serve")
    assert (refused.code, refused.err) == (1, "meetings: the secret key called new is needed and missing\n")


async def test_dead_letters_are_listed_and_tried_again(database_url: str, simulators: Simulators, folder: Path) -> None:
    environment = environment_of(settings_for(database_url, *simulators))

    async def dead_letters(*arguments: str) -> Ended:
        return await in_a_process(environment, folder, "dead-letters", *arguments)

    async with world(database_url, *simulators) as here:
        await here.connect()
        await here.reserve(here.wish(await here.page(), next_monday()))
        (intent_id,) = await here.tools.outbox.due(10)
        intent = await here.tools.outbox.claim(intent_id)
        assert intent is not None
        await here.tools.outbox.bury(intent, error="nobody knows")
        listed = (await dead_letters("list")).out
        assert re.search(rf"{intent_id}  .*  Example  settle_booking of \S+  1x  nobody knows\n", listed)
        assert (await dead_letters("replay", str(intent_id))).out.startswith("1 are due again")
        assert await here.tools.outbox.due(10) == [intent_id]
        unknown = await dead_letters("replay", str(intent_id))
        assert unknown.code == 1
        assert unknown.err == "meetings: 0 of 1 are due again; the others are no dead letters.\n"


def test_replaying_needs_to_be_told_what(meetings: Command, folder: Path) -> None:
    init(meetings)
    ended = meetings("dead-letters", "replay")
    assert (ended.code, ended.err) == (1, "meetings: Name the dead letters to try again, or say --all.\n")
    assert meetings("dead-letters", "list").out == "There are none.\n"


async def in_a_process(environment: dict[str, str], folder: Path, *arguments: str) -> Ended:
    """Runs `meetings ...` where another event loop is running already."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "meetings.infrastructure.cli", *arguments, env=environment, cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


# ---- running ------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_named(meetings: Command, folder: Path) -> None:
    init(meetings)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = meetings("serve", "--port", str(port))
    assert ended.code == 1
    assert ended.err == (
        f"meetings: Nothing can listen on 127.0.0.1:{port}: Address already in use. Stop what listens there, or choose"
        " another one by --port.\n"
    )


def test_several_processes_need_redis(meetings: Command, folder: Path) -> None:
    init(meetings)
    ended = meetings("serve", "--workers", "2")
    assert (ended.code, "MEETINGS_REDIS_URL" in ended.err) == (1, True)


@contextmanager
def serving(
    folder: Path, environment: dict[str, str], *, processes: int = 1
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """`meetings serve`, once all its processes have started."""
    port = services.free_port()
    command = ["serve", "--port", str(port), "--workers", str(processes)]
    process = subprocess.Popen(
        [sys.executable, "-m", "meetings.infrastructure.cli", *command],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    started, said = 0, []
    for line in process.stderr:
        said.append(line)
        started += "Application startup complete" in line
        if started == processes:
            break
    else:
        raise AssertionError("".join(said))
    # Somebody has to read on, or the server would wait for them.
    threading.Thread(target=process.stderr.read, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_from_nothing_to_a_server_that_answers_in_two_commands(meetings: Command, folder: Path) -> None:
    password = re.search(r"password (\S+)\. ", init(meetings).out)
    assert password
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEETINGS_")}
    with serving(folder, environment) as (url, process):
        assert httpx.get(f"{url}/health/ready").json()["status"] == "ready"
        sign_in = 'mutation($p: String!) { signIn(email: "anna@example.com", password: $p) { token errors { code } } }'
        answer = httpx.post(f"{url}/graphql", json={"query": sign_in, "variables": {"p": password[1]}}).json()
        assert answer["data"]["signIn"]["errors"] == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_several_processes_serve_on_one_port_and_stop_together(
    postgres_url: str, redis_url: str, simulators: tuple[GoogleSimulator, Any], folder: Path
) -> None:
    settings = settings_for(postgres_url, *simulators, redis_url=redis_url)
    with serving(folder, environment_of(settings), processes=2) as (url, process):
        assert "worker" not in httpx.get(f"{url}/health/ready").json()["checks"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
