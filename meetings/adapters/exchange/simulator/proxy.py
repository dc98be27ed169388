"""A forward proxy that knows CONNECT alone (RFC 9110 9.3.6), to prove which way calls leave.

    with forward_proxy(source="127.0.0.2") as proxy:
        ... a client with the proxy `proxy.url` ...
    proxy.tunnels  # who asked for which host, and from where the proxy connected on

A call that came through a tunnel has that tunnel's `left_from` as its `Call.peer`.
"""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Address = tuple[str, int]


@dataclass(frozen=True)
class Tunnel:
    """`asked` is host:port as the client wrote it, `client` where it came from, `left_from` this side of the way on."""

    asked: str
    client: Address
    left_from: Address


@dataclass
class ForwardProxy:
    """`refused` are requests that were no CONNECT, or for a host that cannot be reached."""

    port: int
    tunnels: list[Tunnel] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def forward_proxy(*, source: str = "127.0.0.1", routes: Mapping[str, Address] | None = None) -> Iterator[ForwardProxy]:
    """Serve on a loopback port until the block ends, and connect on from `source`.

    `routes` leads a `host:port` elsewhere, such as `autodiscover.example.com:443` to a simulator.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        proxy = ForwardProxy(listener.getsockname()[1])
        accepting = threading.Thread(target=_accept, args=(listener, proxy, source, routes or {}), daemon=True)
        accepting.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(timeout=5)


def _accept(listener: socket.socket, proxy: ForwardProxy, source: str, routes: Mapping[str, Address]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, proxy, source, routes), daemon=True).start()


def _serve(client: socket.socket, proxy: ForwardProxy, source: str, routes: Mapping[str, Address]) -> None:
    with contextlib.suppress(OSError, ValueError), client:
        verb, target, _ = _head(client).split(" ", 2)
        host, _, port = target.rpartition(":")
        if verb != "CONNECT":
            _refuse(client, proxy, f"{verb} {target}", "405 Method Not Allowed")
            return
        address = routes.get(target, (host.strip("[]"), int(port)))
        try:
            server = socket.create_connection(address, timeout=10, source_address=(source, 0))
        except OSError:
            _refuse(client, proxy, f"{verb} {target}", "502 Bad Gateway")
            return
        with server:
            server.settimeout(None)
            for each in (client, server):  # Nagle's algorithm would hold back the parts of a handshake
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            proxy.tunnels.append(Tunnel(target, client.getpeername()[:2], server.getsockname()[:2]))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _relay(client, server)


def _refuse(client: socket.socket, proxy: ForwardProxy, asked: str, status: str) -> None:
    proxy.refused.append(asked)
    client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


def _head(client: socket.socket) -> str:
    """The first line of the request; its headers are read and left. Raises ValueError for more than 16 kB."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        received = client.recv(1)
        if not received or len(head) > 16_384:
            raise ValueError("no request")
        head += received
    return head.decode("ascii").split("\r\n", 1)[0]


def _relay(one: socket.socket, other: socket.socket) -> None:
    while True:
        for ready in select.select([one, other], [], [])[0]:
            data = ready.recv(65_536)
            if not data:
                return
            (other if ready is one else one).sendall(data)
