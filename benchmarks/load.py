"""A load generator: a process of its own that keeps so many connections busy, and measures each answer.

`load` starts one with a job and gives its measurement. Bare HTTP/1.1 over sockets, because a client library would need
more time than the server it measures; `cpu_share` says how near this process came to its own limit.
"""

import asyncio
import itertools
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

ROOT = Path(__file__).parents[1]
LONGEST_SECONDS = 120.0


@dataclass(frozen=True)
class Job:
    """What is sent to `url`: each body once, in order, or all of them again and again until the time is over.

    Answers that do not hold `expected` count as wrong. For `warm_up` seconds nothing is measured. `host` is the name
    by which the server is called, if not that of `url`.
    """

    url: str
    bodies: Sequence[str]
    expected: str
    seconds: float
    connections: int = 16
    repeat: bool = True
    warm_up: float = 0.5
    host: str | None = None


@dataclass(frozen=True)
class Measurement:
    """`per_second` of right answers; times are those of all answers that began after the warm-up."""

    answers: int
    seconds: float
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    bytes: int
    wrong: int
    example_of_wrong: str
    cpu_share: float


class WrongAnswers(Exception):
    """The server did not do what is measured; the text is one of its answers."""


async def load(job: Job) -> Measurement:
    """Run a job in a process of its own.

    Raises:
        WrongAnswers: there were any.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.load",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps(asdict(job)).encode())
    if process.returncode:
        raise RuntimeError(f"the load generator ended with {process.returncode}")
    measured = Measurement(**json.loads(output))
    if measured.wrong:
        raise WrongAnswers(f"{measured.wrong} of {measured.answers}, such as: {measured.example_of_wrong}")
    return measured


# ---- inside the process ---------------------------------------------------------------------------------------------

Done = Callable[[float, float, bytes], None]


class Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last one is complete; closes when there is none."""

    def __init__(self, requests: Iterator[bytes], done: Done) -> None:
        self._requests = requests
        self._done = done
        self._received = bytearray()
        self._complete_at = 0
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has one of its own kind
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._complete_at:
            self._complete_at = end_of_answer(self._received)
        if self._complete_at and len(self._received) >= self._complete_at:
            answer = bytes(self._received)
            self._received.clear()
            self._complete_at = 0
            self._done(self._began, time.perf_counter(), answer)
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(request)


def end_of_answer(received: bytearray) -> int:
    """How many bytes the answer has in all; 0 while that cannot be told."""
    end_of_head = received.find(b"\r\n\r\n")
    if end_of_head < 0:
        return 0
    head = received[:end_of_head].lower()
    at = head.find(b"content-length:")
    if at < 0:  # in chunks, of which the last one is empty
        return len(received) if received.endswith(b"\r\n0\r\n\r\n") else 0
    length = head[at + len(b"content-length:") :].split(b"\r\n", 1)[0]
    return end_of_head + 4 + int(length)


async def run(job: Job) -> Measurement:
    address = urlsplit(job.url)
    host, port = str(address.hostname), int(address.port or 80)
    requests = [request(job.host or address.netloc, address.path, body) for body in job.bodies]
    began = time.perf_counter()
    measure_from, until = began + job.warm_up, began + job.warm_up + job.seconds
    expected = job.expected.encode()
    times: list[float] = []
    wrong: list[bytes] = []
    last = began
    size = 0

    def pending() -> Iterator[bytes]:
        for each in itertools.cycle(requests) if job.repeat else requests:
            if time.perf_counter() >= until:
                return
            yield each

    def done(sent: float, now: float, answer: bytes) -> None:
        nonlocal last, size
        if expected not in answer:
            wrong.append(answer)
        if sent >= measure_from:
            times.append(now - sent)
            last, size = now, len(answer)

    upcoming = pending()
    loop = asyncio.get_running_loop()
    busy = time.process_time()
    connections = [
        (await loop.create_connection(lambda: Connection(upcoming, done), host, port))[1]
        for _ in range(job.connections)
    ]
    async with asyncio.timeout(LONGEST_SECONDS):
        await asyncio.gather(*(connection.closed for connection in connections))
    elapsed = max(last - measure_from, 1e-9)
    return Measurement(
        answers=len(times),
        seconds=round(elapsed, 3),
        per_second=round(len(times) / elapsed, 1),
        p50_ms=quantile_ms(times, 0.50),
        p95_ms=quantile_ms(times, 0.95),
        p99_ms=quantile_ms(times, 0.99),
        bytes=size,
        wrong=len(wrong),
        example_of_wrong=wrong[0].decode(errors="replace")[-600:] if wrong else "",
        cpu_share=round((time.process_time() - busy) / (time.perf_counter() - began), 2),
    )


def request(host: str, path: str, body: str) -> bytes:
    content = body.encode()
    head = (
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        "Accept: application/json",
        f"Content-Length: {len(content)}",
    )
    return "\r\n".join((*head, "", "")).encode() + content


def quantile_ms(seconds: Sequence[float], share: float) -> float:
    """The smallest time that at least this share of all did not exceed, in milliseconds; 0 without any."""
    if not seconds:
        return 0.0
    return round(sorted(seconds)[max(0, math.ceil(share * len(seconds)) - 1)] * 1000, 2)


def main() -> None:
    given: dict[str, Any] = json.load(sys.stdin)
    json.dump(asdict(uvloop.run(run(Job(**given)))), sys.stdout)


if __name__ == "__main__":
    main()
