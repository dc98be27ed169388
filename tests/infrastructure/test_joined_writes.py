"""Answers are written in one go, and arrive whole: long ones, many at once, to readers who are slow or gone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from meetings.infrastructure.joined_writes import JoinedWrites
from tests.product import listening, served

PIECE = b"0123456789abcdef" * 1024
PIECES = 512


class Connection:
    """A client that reads no faster than it is told to."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "Connection":
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        self._socket.setblocking(False)
        await asyncio.get_running_loop().sock_connect(self._socket, ("127.0.0.1", self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def send(self, *paths: str, more: str = "") -> None:
        said = "".join(f"GET {path} HTTP/1.1\r\nHost: here\r\n{more}\r\n" for path in paths)
        await asyncio.get_running_loop().sock_sendall(self._socket, said.encode())

    async def receive(self, enough: Callable[[bytes], bool]) -> bytes:
        """All that comes until there is enough, or the other side closes."""
        received = b""
        async with asyncio.timeout(20):
            while not enough(received):
                some = await asyncio.get_running_loop().sock_recv(self._socket, 64 * 1024)
                if not some:
                    break
                received += some
        return received


class Site:
    """What is served: a word, a long stream, and how much of the stream was asked for so far."""

    def __init__(self) -> None:
        self.pieces_made = 0

    async def word(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.path_params["word"])

    async def stream(self, _: Request) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(PIECES):
                self.pieces_made += 1
                yield PIECE

        return StreamingResponse(pieces())


@pytest.fixture
def site() -> Iterator[tuple[Site, int]]:
    """What is served, and where."""
    site, listener = Site(), listening()
    app = FastAPI(routes=[Route("/stream", site.stream), Route("/{word}", site.word)])
    with served(app, listener):
        yield site, listener.getsockname()[1]


async def test_questions_that_do_not_wait_for_answers_are_answered_in_order(site: tuple[Site, int]) -> None:
    words = [f"word{number}" for number in range(50)]
    async with Connection(site[1]) as connection:
        await connection.send(*(f"/{word}" for word in words))
        answers = await connection.receive(lambda so_far: so_far.endswith(b"word49"))
    assert [answer.partition(b"\r\n\r\n")[2].decode() for answer in answers.split(b"HTTP/1.1 200 OK")[1:]] == words


async def test_a_connection_is_closed_after_the_whole_answer(site: tuple[Site, int]) -> None:
    async with Connection(site[1]) as connection:
        await connection.send("/bye", more="Connection: close\r\n")
        assert (await connection.receive(lambda _: False)).endswith(b"\r\n\r\nbye")


async def test_a_slow_reader_gets_everything_and_is_waited_for(site: tuple[Site, int]) -> None:
    async with Connection(site[1]) as connection:
        await connection.send("/stream", more="Connection: close\r\n")
        await connection.receive(lambda so_far: len(so_far) > 1_000)
        await asyncio.sleep(0.3)
        assert site[0].pieces_made < PIECES
        rest = await connection.receive(lambda _: False)
    assert site[0].pieces_made == PIECES
    assert rest.endswith(b"0\r\n\r\n")
    assert rest.count(PIECE[:16]) >= PIECES * 1024 - 10_000


async def test_a_reader_who_is_gone_disturbs_nobody(site: tuple[Site, int]) -> None:
    for _ in range(5):
        async with Connection(site[1]) as gone:
            await gone.send("/stream", "/word")
    async with Connection(site[1]) as connection:
        await connection.send("/still-here")
        assert (await connection.receive(lambda so_far: so_far.endswith(b"still-here"))).startswith(b"HTTP/1.1 200")


class Recorded(asyncio.Transport):
    """What a transport was told to write, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False
        self.joined = JoinedWrites(self, asyncio.get_running_loop())

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def test_what_is_written_in_one_turn_is_one_write() -> None:
    transport = Recorded()
    transport.joined.write(b"head")
    transport.joined.write(b"body")
    await asyncio.sleep(0)
    transport.joined.write(b"later")
    await asyncio.sleep(0)
    assert transport.written == [b"headbody", b"later"]


async def test_what_is_long_is_written_at_once() -> None:
    transport, long = Recorded(), b"x" * 70_000
    transport.joined.write(b"head")
    transport.joined.write(long)
    assert transport.written == [b"head" + long]


async def test_what_waits_is_written_before_the_connection_is_closed() -> None:
    transport = Recorded()
    transport.joined.write(b"last")
    transport.joined.close()
    transport.joined.write(b"too late")
    await asyncio.sleep(0)
    assert (transport.written, transport.closed) == ([b"last"], True)
