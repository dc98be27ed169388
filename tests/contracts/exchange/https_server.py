"""An HTTPS server on this machine that answers as a test wants, well or badly, and counts who comes."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import trustme

Answering = Callable[[ssl.SSLSocket, "Asked"], None]
"""Writes to the connection what it wants; the connection stays open until the caller leaves."""


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


class Authority:
    """An authority for one test run, and the server certificates it makes."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self.pem = self._ca.cert_pem.bytes().decode()

    def server(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        until = datetime.now(UTC) + timedelta(days=-1 if expired else 1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # trustme's authority is valid from 2000 on, so that a certificate may have ended yesterday.
        self._ca.issue_cert(*names, not_after=until).configure_cert(context)
        return context


@dataclass
class Server:
    port: int
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


@contextlib.contextmanager
def https_server(tls: ssl.SSLContext | None, answer: Answering, address: str = "127.0.0.1") -> Iterator[Server]:
    """Each connection in a thread of its own; it stays open while `answer` returns."""
    listener = socket.create_server((address, 0), backlog=64)
    server = Server(listener.getsockname()[1])
    open_sockets: list[socket.socket] = []
    if tls is not None:
        tls.sni_callback = lambda sock, name, context: server.server_names.append(name)

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            open_sockets.append(plain)
            threading.Thread(target=serve, args=(plain,), daemon=True).start()

    def serve(plain: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), plain:
            if tls is None:
                return
            with tls.wrap_socket(plain, server_side=True) as connection:
                while (asked := _read(connection)) is not None:
                    server.asked.append(asked)
                    answer(connection, asked)

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in open_sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        accepting.join(5)


def _read(connection: ssl.SSLSocket) -> Asked | None:
    reader = connection.makefile("rb", buffering=0)
    line = reader.readline().decode("ascii").strip()
    if not line:
        return None
    headers: dict[str, str] = {}
    while (header := reader.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    length, body = int(headers.get("content-length", "0")), b""
    while len(body) < length:
        body += reader.read(length - len(body))
    return Asked(line, headers, body)


def answering(
    body: bytes = b"<ok/>", *, status: str = "200 OK", headers: tuple[str, ...] = ("Content-Type: text/xml",)
) -> Answering:
    """A plain, well-formed answer."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]).encode("ascii")
    return lambda connection, asked: connection.sendall(head + body)
