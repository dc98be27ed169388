"""HTTP to Microsoft when the other side is slow, endless or lies (RT-3, IN-3), and on several event loops."""

import asyncio
import gc
import gzip
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from meetings.adapters.office365.client import ANSWER_BYTES, to_httpx
from meetings.adapters.office365.graph import Graph, Question
from meetings.adapters.office365.refusals import Refused
from meetings.adapters.office365.transport import Answer, Request, Transport
from meetings.application.ports.calendars import ProviderUnavailable

Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@asynccontextmanager
async def _serving(handler: Handler) -> AsyncIterator[str]:
    """A server that reads the head of a request, and leaves the rest to `handler`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await handler(writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def _saying(answer: bytes, *, end: bool = False) -> Handler:
    async def handler(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        if end:
            await writer.drain()
            writer.close()

    return handler


def _whole(body: bytes, *headers: bytes) -> bytes:
    return HEAD + b"".join(each + b"\r\n" for each in headers) + b"content-length: %d\r\n\r\n" % len(body) + body


async def _ask(address: str, seconds: float = 5.0) -> Answer:
    transport = Transport(ca_file=None, total_seconds=seconds)
    return await transport.send(Request("GET", address), transport.limit())


async def test_an_answer_arrives_whole() -> None:
    async with _serving(_saying(_whole(b'{"a": 1}', b"X-Word: Yes"))) as address:
        answer = await _ask(address)
    assert (answer.status, answer.content, answer.headers["x-word"]) == (200, b'{"a": 1}', "Yes")


async def test_a_compressed_answer_arrives_unpacked() -> None:
    body = gzip.compress(b'{"a": 1}' * 1000)
    async with _serving(_saying(_whole(body, b"content-encoding: gzip"))) as address:
        assert (await _ask(address)).content == b'{"a": 1}' * 1000


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"SMTP ready\r\n\r\n",
    "cut off": HEAD + b"content-length: 100\r\n\r\n{",
    "cut off within the head": HEAD,
    "cut off within a chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n10\r\nabc",
    "lies about compression": _whole(b"{}", b"content-encoding: gzip"),
    "compressed and cut off": _whole(gzip.compress(b"{}" * 1000)[:-9], b"content-encoding: gzip"),
    "another compression": _whole(b"{}", b"content-encoding: br"),
    "a bomb": _whole(gzip.compress(b" " * (ANSWER_BYTES + 1)), b"content-encoding: gzip"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_answer_is_none(name: str) -> None:
    async with _serving(_saying(BROKEN[name], end=True)) as address:
        with pytest.raises(ProviderUnavailable):
            await _ask(address)


async def test_an_endless_answer_ends_when_it_is_too_long() -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    async with _serving(endless) as address:
        begun = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            await _ask(address, 30)
        assert time.monotonic() - begun < 15


async def test_an_answer_that_drips_ends_in_time() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"content-length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with _serving(drip) as address:
        begun = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            await _ask(address, 0.2)
        assert time.monotonic() - begun < 5


async def test_a_file_of_authorities_that_is_none_stops_every_call(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for file in (empty, tmp_path / "missing.pem"):
        transport = Transport(ca_file=str(file), total_seconds=5)
        with pytest.raises(ProviderUnavailable, match="authorities"):
            await transport.send(Request("GET", "http://127.0.0.1:9/"), transport.limit())


async def test_nobody_there_is_no_answer() -> None:
    async with _serving(_saying(b"")) as address:
        pass
    with pytest.raises(ProviderUnavailable):
        await _ask(address)


async def test_a_redirect_is_an_answer_and_nothing_more() -> None:
    asked: list[str] = []

    async def elsewhere(writer: asyncio.StreamWriter) -> None:
        asked.append("elsewhere")
        writer.write(_whole(b"{}"))

    async with _serving(elsewhere) as other:
        moved = b"HTTP/1.1 302 Found\r\nlocation: %s\r\ncontent-length: 0\r\n\r\n" % other.encode()
        async with _serving(_saying(moved)) as address:
            assert (await _ask(address)).status == 302
            with pytest.raises(Refused):
                await Graph(address, Transport(ca_file=None, total_seconds=5)).ask(
                    "token", Question("GET", "/me"), time.monotonic() + 5
                )
    assert asked == []


async def test_the_environment_names_no_proxy_for_us(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with _serving(_saying(_whole(b"{}"))) as address:
        assert (await _ask(address)).content == b"{}"


def test_each_event_loop_has_connections_of_its_own_and_they_end_with_it() -> None:
    transport = Transport(ca_file=None, total_seconds=5)
    answers: list[bytes] = []

    async def several() -> None:
        async with _serving(_saying(_whole(b"{}"))) as address:
            for _ in range(3):
                answers.append((await transport.send(Request("GET", address), transport.limit())).content)

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        threads = [threading.Thread(target=lambda: asyncio.run(several())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        gc.collect()
    assert answers == [b"{}"] * 9
    assert transport._clients == {}


async def test_connections_that_nobody_uses_are_closed_and_opened_again() -> None:
    transport = Transport(ca_file=None, total_seconds=0.05)
    async with _serving(_saying(_whole(b"{}"))) as address:
        for _ in range(2):
            await transport.send(Request("GET", address), time.monotonic() + 5)
            for _ in range(1000):
                if not transport._clients:
                    break
                await asyncio.sleep(0.01)
            assert transport._clients == {}


@pytest.mark.parametrize(
    ("link", "ours"),
    [
        ("https://graph.example/v1.0/me/calendars?$skiptoken=1", True),
        ("https://graph.example/v1.0/", True),
        ("https://graph.example/v1.0", False),
        ("https://graph.example/beta/me", False),
        ("https://graph.example:443/v1.0/me", False),
        ("http://graph.example/v1.0/me", False),
        ("https://graph.example.evil.example/v1.0/me", False),
        ("https://graph.example@evil.example/v1.0/me", False),
        ("https://user@graph.example/v1.0/me", False),
        ("//graph.example/v1.0/me", False),
        ("https://[/v1.0/me", False),
        ("/v1.0/me", False),
        ("", False),
    ],
)
def test_only_addresses_of_graph_itself_lead_there(link: str, ours: bool) -> None:
    graph = Graph("https://graph.example/", Transport(ca_file=None, total_seconds=1))
    assert graph.leads_here(link) is ours


@pytest.mark.parametrize(
    "answer",
    [
        _whole(b"[]"),
        _whole(b"null"),
        _whole(b"{"),
        _whole(b""),
        _whole(b"\xff\xfe"),
        _whole(b"[" * 200_000),
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ],
)
async def test_a_success_that_is_not_what_was_promised_is_none(answer: bytes) -> None:
    async with _serving(_saying(answer)) as address:
        graph = Graph(address, Transport(ca_file=None, total_seconds=5))
        with pytest.raises(ProviderUnavailable):
            await graph.ask("token", Question("GET", "/me"), time.monotonic() + 5)


async def test_an_answer_without_a_body_is_none_of_an_answer() -> None:
    async with _serving(_saying(b"HTTP/1.1 204 No Content\r\n\r\n")) as address:
        graph = Graph(address, Transport(ca_file=None, total_seconds=5))
        assert await graph.ask("token", Question("DELETE", "/me/events/1"), time.monotonic() + 5) is None


def test_parameters_are_written_as_graph_writes_them() -> None:
    asked = to_httpx(Request("GET", "https://graph.example/v1.0/me", params={"$filter": "a eq 'x y+z/ü'", "$top": "5"}))
    assert asked.url.raw_path == b"/v1.0/me?$filter=a%20eq%20%27x%20y%2Bz%2F%C3%BC%27&$top=5"


def test_a_link_of_graph_is_followed_as_it_is() -> None:
    link = "https://graph.example/v1.0/me/calendars('AA=')/calendarView/delta?$deltatoken=a%2Bb_-c%20d"
    assert str(to_httpx(Request("GET", link)).url) == link


@pytest.mark.parametrize("address", ["", "/v1.0/me", "https://", "https://[", "https://a b/", "ftp://graph.example/"])
async def test_what_is_no_address_is_not_called(address: str) -> None:
    with pytest.raises(ProviderUnavailable):
        await _ask(address)


def test_no_library_is_loaded_before_the_first_call() -> None:
    code = (
        "import sys; from meetings.adapters.office365.provider import *; "
        "office365_provider(Office365Settings(client_id='i', client_secret='s'), now=None); "
        "print([name for name in ('httpx', 'msal', 'requests', 'babel') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
