"""How fast a change reaches many open pages: `python -m benchmarks live_sockets`.

Processes of their own hold the sockets, from as many loopback addresses as the limit of sockets per address needs. All
watch the same page. A visitor holds a slot and lets it go again and again; told is how long after the first socket each
socket had the message, and how long after the request that made the change. Beside it, in the same run, a graphql-ws on
Node with the same subscription and events of the same shape; it works nothing out.

10,000 sockets are held by two web processes on PostgreSQL, which hear of changes through Redis.
"""

import asyncio
import base64
import json
import os
import statistics
import struct
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import uvloop

from benchmarks.load import ROOT, quantile_ms
from benchmarks.peers.node import peer
from benchmarks.place import POSTGRESQL, SQLITE, cpu_seconds, fill_calendar, place
from tests.services import Run
from tests.world import HOST_EMAIL

SLUG = "anna/intro"
PER_ADDRESS = 90
EVENTS = 10
PAUSE_SECONDS = 0.6
LONGEST_SECONDS = 240.0

WATCH = """
subscription Watch($input: AvailabilityInput!) {
  availabilityChanged(input: $input) {
    ... on AvailabilitySnapshot { cursor availability { days { date slotCount slots { start end } } } }
    ... on AvailabilityDelta { cursor days { date slotCount slots { start end } } emptiedDates mode }
  }
}
"""
HOLD = "mutation($input: HoldSlotInput!) { holdSlot(input: $input) { hold { token } errors { code } } }"
RELEASE = "mutation($token: String!) { releaseSlot(holdToken: $token) { errors { code } } }"
STARTS = "query($input: AvailabilityInput!) { availability(input: $input) { days { slots { start } } } }"


def window() -> dict[str, Any]:
    first = date.today() + timedelta(days=1)
    page = {"slug": {"slug": SLUG}}
    return {"page": page, "from": str(first), "to": str(first + timedelta(days=13)), "timeZone": "America/New_York"}


async def run(servers: Run, folder: Path | None, *, quick: bool = False) -> dict[str, Any]:
    """`folder` has the peers, where there are any."""
    rows = []
    for sockets in (200, 1_000) if quick else (1_000, 5_000):
        rows.append(await ours(servers, sockets))
        if folder is not None:
            try:
                rows.append(await of_graphql_ws(folder, sockets))
            except RuntimeError as lost:
                print(f"graphql-ws with {sockets:,} sockets: {lost}")
    rows.append(await ours(servers, 1_000 if quick else 10_000, webs=2))
    return {"rows": rows}


async def ours(servers: Run, sockets: int, *, webs: int = 1) -> dict[str, Any]:
    """The product, with one web process on SQLite, or several on PostgreSQL and Redis."""
    more: dict[str, Any] = {"webs": webs} if webs > 1 else {}
    async with place(servers, POSTGRESQL if webs > 1 else SQLITE, with_worker=webs > 1, **more) as deployed:
        fill_calendar(deployed.google, HOST_EMAIL, days=60, events=400)
        await deployed.here.connect()
        await deployed.here.page(SLUG, start_increment_minutes=15)
        await deployed.start()
        pids = [web.pid for web in deployed.webs]
        name = "meetings" if webs == 1 else f"meetings, {webs} processes"
        return {"server": name, **await measure(deployed.urls, pids, sockets, change_again_and_again)}


async def of_graphql_ws(folder: Path, sockets: int) -> dict[str, Any]:
    async with peer("graphql-ws", folder) as (url, pid):
        return {"server": "graphql-ws", **await measure([url], [pid], sockets, change_the_peer)}


async def measure(
    urls: Sequence[str], pids: Sequence[int], sockets: int, make_changes: Callable[[str], Awaitable[list[float]]]
) -> dict[str, Any]:
    """`make_changes` tells when it sent each request that changed something."""
    before = sum(map(resident_kib, pids))
    async with AsyncExitStack() as stack:
        stack.enter_context(visitors_elsewhere(servers=len(pids)))
        holding = [
            await stack.enter_async_context(held(url, sockets // len(urls), number)) for number, url in enumerate(urls)
        ]
        idle = sum(map(resident_kib, pids))
        busy = [cpu_seconds(pid) for pid in pids]
        asked = await make_changes(urls[0])
        await asyncio.sleep(sockets / 1_000)  # for what is still under way
        after = [cpu_seconds(pid) for pid in pids]
        used = (
            None
            if None in busy or None in after
            else sum(each or 0 for each in after) - sum(each or 0 for each in busy)
        )
        heard = [times for each in holding for times in await each.heard()]
    opened = min(each.open_per_second for each in holding)
    return {
        "sockets": sockets,
        "open_per_second": opened,
        **told(asked, heard),
        **per_socket(before, idle, used, sockets),
    }


@contextmanager
def visitors_elsewhere(servers: int) -> Iterator[None]:
    """Keep this process and those it starts off as many processors as there are servers, if that leaves any: visitors
    are on other machines, and one who is woken must not take the server's turn. Servers may run anywhere."""
    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    others = sorted(mine)[servers:]
    if others:
        os.sched_setaffinity(0, others)
    try:
        yield
    finally:
        if others:
            os.sched_setaffinity(0, mine)


@dataclass
class Holding:
    """A process that holds sockets. `heard` ends it."""

    process: asyncio.subprocess.Process
    open_per_second: int

    async def heard(self) -> list[list[float]]:
        """When each socket had each message, by the machine's clock."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        found: list[list[float]] = json.loads(await self.process.stdout.readline())
        return found


@asynccontextmanager
async def held(url: str, sockets: int, number: int) -> AsyncIterator[Holding]:
    """So many open pages; `number` tells several of these processes apart."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.live_sockets",
        "hold",
        url,
        str(sockets),
        str(number),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LONGEST_SECONDS):
            said = await process.stdout.readline()
        yield Holding(process, json.loads(said)["open_per_second"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def told(asked: list[float], heard: list[list[float]]) -> dict[str, Any]:
    """The times of event n of each socket, after the request that made it and after the first socket had it."""
    complete = [times for times in heard if len(times) == len(asked)]
    spread, whole = [], []
    for number, at in enumerate(asked):
        times = sorted(each[number] for each in complete)
        if times:
            spread.append([each - times[0] for each in times])
            whole.append([each - at for each in times])
    if not spread:
        raise RuntimeError(f"none of {len(heard)} sockets had all {len(asked)} events")
    p99 = [quantile_ms(each, 0.99) for each in spread]
    return {
        "events": len(asked),
        "sockets_with_all_events": len(complete),
        "spread_p50_ms": round(statistics.median(quantile_ms(each, 0.5) for each in spread), 1),
        "spread_p99_ms": round(statistics.median(p99), 1),
        "worst_event_to_median": round(max(p99) / statistics.median(p99), 2),
        "from_request_p99_ms": round(statistics.median(quantile_ms(each, 0.99) for each in whole), 1),
    }


async def change_the_peer(url: str) -> list[float]:
    """Events of the size that the product's have."""
    at: list[float] = []
    day = date.today() + timedelta(days=1)
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        for number in range(2 * EVENTS):
            at.append(time.monotonic())
            await http.post("/change", params={"date": str(day), "slots": 29 - number % 2})
            await asyncio.sleep(PAUSE_SECONDS)
    return at


def per_socket(before: int, idle: int, used: float | None, sockets: int) -> dict[str, Any]:
    return {
        "kib_per_socket": round((idle - before) / sockets, 1),
        "cpu_us_per_message": None if used is None else round(used * 1e6 / sockets / (2 * EVENTS), 1),
    }


async def change_again_and_again(url: str) -> list[float]:
    """When each request that changed something was sent."""
    at: list[float] = []
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:

        async def ask(document: str, **variables: object) -> dict[str, Any]:
            at.append(time.monotonic())
            answer = await http.post("/graphql", json={"query": document, "variables": variables})
            found: dict[str, Any] = answer.json()["data"]
            await asyncio.sleep(PAUSE_SECONDS)
            return found

        found = await ask(STARTS, input=window())
        start = found["availability"]["days"][0]["slots"][0]["start"]
        at.clear()
        for _ in range(EVENTS):
            wish = {"page": {"slug": {"slug": SLUG}}, "start": start}
            hold = (await ask(HOLD, input=wish))["holdSlot"]
            await ask(RELEASE, token=hold["hold"]["token"])
    return at


def resident_kib(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


# ---- inside the process that holds the sockets -----------------------------------------------------------------------


class Page(asyncio.Protocol):
    """As little of RFC 6455 and graphql-transport-ws as a page that only listens needs."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._received = bytearray()
        self._upgraded = False
        self.times: list[float] = []
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            "GET /graphql HTTP/1.1",
            f"Host: {self._host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Origin: http://{self._host}",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: graphql-transport-ws",
        )
        self._transport.write("\r\n".join((*head, "", "")).encode())

    def data_received(self, data: bytes) -> None:
        if self._is_one_event(data):
            self.times.append(time.monotonic())
            return
        self._received += data
        if not self._upgraded:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in self._received[:20]:
                self.ready.set_exception(ConnectionError(self._received[:200].decode(errors="replace")))
                return
            del self._received[: end + 4]
            self._upgraded = True
            self._send('{"type":"connection_init"}')
        while (message := self._next()) is not None:
            if b'"connection_ack"' in message[:60]:
                payload = {"query": WATCH, "variables": {"input": window()}}
                self._send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            elif b'"next"' not in message[:60]:
                continue
            elif self.ready.done():
                self.times.append(time.monotonic())
            else:
                self.ready.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed"))

    def _is_one_event(self, data: bytes) -> bool:
        """The usual case, found out quickly: what takes long here would be measured as the server's."""
        if self._received or data[:2] != b"\x81\x7e" or not self.ready.done():
            return False
        return len(data) == 4 + (data[2] << 8 | data[3]) and b'"next"' in data[:70]

    def _next(self) -> bytes | None:
        received = self._received
        if len(received) < 2:
            return None
        length, at = received[1] & 0x7F, 2
        if length == 126:
            length, at = struct.unpack_from(">H", received, 2)[0] if len(received) >= 4 else 1 << 30, 4
        elif length == 127:
            length, at = struct.unpack_from(">Q", received, 2)[0] if len(received) >= 10 else 1 << 30, 10
        if len(received) < at + length:
            return None
        message, opcode = bytes(received[at : at + length]), received[0] & 0x0F
        del received[: at + length]
        if opcode == 9:  # whoever answers no ping is taken for gone after a while; masked with nothing
            self._transport.write(struct.pack(">BB", 0x8A, 0x80 | length) + b"\0\0\0\0" + message)
        return message if opcode == 1 else self._next()

    def _send(self, text: str) -> None:
        body = text.encode()
        size = struct.pack(">B", 0x80 | len(body)) if len(body) < 126 else struct.pack(">BH", 0x80 | 126, len(body))
        self._transport.write(b"\x81" + size + b"\0\0\0\0" + body)  # masked with nothing


async def hold(url: str, sockets: int, group: int) -> None:
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    pages: list[Page] = []
    began = time.monotonic()
    for first in range(0, sockets, 50):
        some = [
            await loop.create_connection(
                lambda: Page(address.netloc),
                str(address.hostname),
                int(address.port or 80),
                local_addr=(f"127.0.{group}.{2 + number // PER_ADDRESS}", 0),
            )
            for number in range(first, min(first + 50, sockets))
        ]
        pages += [page for _, page in some]
        await asyncio.gather(*(page.ready for _, page in some))
    print(json.dumps({"open_per_second": round(sockets / (time.monotonic() - began))}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps([page.times for page in pages]), flush=True)


def table(results: dict[str, Any]) -> str:
    columns = {
        "sockets": ">9,",
        "sockets_with_all_events": ">25,",
        "spread_p50_ms": ">15.1f",
        "spread_p99_ms": ">15.1f",
        "worst_event_to_median": ">23.2f",
        "from_request_p99_ms": ">21.1f",
        "kib_per_socket": ">16.1f",
    }
    lines = [
        f"{'open pages':<24}"
        + "".join(f"{name:{layout.split('.')[0].rstrip(',')}}" for name, layout in columns.items())
    ]
    for row in results["rows"]:
        lines.append(f"{row['server']:<24}" + "".join(f"{row[name]:{layout}}" for name, layout in columns.items()))
    return "\n".join(lines)


if __name__ == "__main__":
    uvloop.run(hold(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
