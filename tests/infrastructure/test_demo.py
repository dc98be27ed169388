"""The demo is the first thing a newcomer runs: its tour is a test of the whole product."""

import re
import socket
import subprocess
import sys


def demo(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "meetings.infrastructure.cli", "demo", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_every_step_of_the_tour_is_as_expected() -> None:
    done = demo("--once", "--port", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    numbers = [int(number) for number in re.findall(r"^ *(\d+)\. ", done.stdout, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert f"The tour: {len(numbers)} steps, all as expected" in done.stdout
    assert done.stderr == ""


def test_a_port_in_use_is_one_sentence_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = demo("--once", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
