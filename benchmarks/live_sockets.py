"""How fast a change reaches many open pages: `python -m benchmarks.live_sockets [SOCKETS]`.

One web process on SQLite; a process of its own holds the sockets, from as many loopback addresses as the limit of
sockets per address needs. All watch the same page. A visitor holds a slot and lets it go again and again; told is how
long after the first socket each socket had the message, and how long after the request that made the change.
"""

import asyncio
import base64
import json
import os
import statistics
import struct
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import uvloop

from benchmarks.load import ROOT, quantile_ms
from benchmarks.place import SQLITE, cpu_seconds, fill_calendar, place
from tests.services import Run
from tests.world import HOST_EMAIL

SLUG = "anna/intro"
PER_ADDRESS = 90
EVENTS = 10

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


async def run(servers: Run, sockets: int) -> dict[str, Any]:
    async with place(servers, SQLITE, with_worker=False) as deployed:
        fill_calendar(deployed.google, HOST_EMAIL, days=60, events=400)
        await deployed.here.connect()
        await deployed.here.page(SLUG, start_increment_minutes=15)
        await deployed.start()
        url, pid = deployed.urls[0], deployed.webs[0].pid
        before = resident_kib(pid)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.live_sockets",
            "hold",
            url,
            str(sockets),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**26,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            opened = json.loads(await process.stdout.readline())
            idle = resident_kib(pid)
            busy = cpu_seconds(pid)
            asked = await change_again_and_again(url)
            used = None if busy is None else (cpu_seconds(pid) or busy) - busy
            process.stdin.write(b"\n")
            heard: list[list[float]] = json.loads(await process.stdout.readline())
        finally:
            process.kill()
            await process.wait()
    return {"sockets": sockets, **opened, **told(asked, heard), **per_socket(before, idle, used, sockets)}


def told(asked: list[float], heard: list[list[float]]) -> dict[str, Any]:
    """The times of event n of each socket, after the request that made it and after the first socket had it."""
    complete = [times for times in heard if len(times) == len(asked)]
    spread, whole = [], []
    for number, at in enumerate(asked):
        times = sorted(each[number] for each in complete)
        if times:
            spread.append([each - times[0] for each in times])
            whole.append([each - at for each in times])
    p99 = [quantile_ms(each, 0.99) for each in spread]
    return {
        "events": len(asked),
        "sockets_with_all_events": len(complete),
        "spread_p50_ms": round(statistics.median(quantile_ms(each, 0.5) for each in spread), 1),
        "spread_p99_ms": round(statistics.median(p99), 1),
        "worst_event_to_median": round(max(p99) / statistics.median(p99), 2),
        "from_request_p99_ms": round(statistics.median(quantile_ms(each, 0.99) for each in whole), 1),
    }


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
            await asyncio.sleep(0.6)
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
            elif self.ready.done():
                self.times.append(time.monotonic())
            elif b'"next"' in message[:60]:
                self.ready.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed"))

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
        return message if opcode == 1 else self._next()

    def _send(self, text: str) -> None:
        body = text.encode()
        size = struct.pack(">B", 0x80 | len(body)) if len(body) < 126 else struct.pack(">BH", 0x80 | 126, len(body))
        self._transport.write(b"\x81" + size + b"\0\0\0\0" + body)  # masked with nothing


async def hold(url: str, sockets: int) -> None:
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
                local_addr=(f"127.0.0.{2 + number // PER_ADDRESS}", 0),
            )
            for number in range(first, min(first + 50, sockets))
        ]
        pages += [page for _, page in some]
        await asyncio.gather(*(page.ready for _, page in some))
    print(json.dumps({"open_per_second": round(sockets / (time.monotonic() - began))}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps([page.times for page in pages]), flush=True)


def main() -> None:
    if sys.argv[1:2] == ["hold"]:
        uvloop.run(hold(sys.argv[2], int(sys.argv[3])))
        return
    servers = Run.begin()
    try:
        for sockets in [int(each) for each in sys.argv[1:]] or [1000, 5000]:
            print(json.dumps(asyncio.run(run(servers, sockets)), indent=1), flush=True)
    finally:
        servers.end()


if __name__ == "__main__":
    main()
