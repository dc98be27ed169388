"""A forward proxy on this machine that only knows CONNECT, and remembers what it was asked."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Proxy:
    port: int
    heads: list[list[str]] = field(default_factory=list)


@contextlib.contextmanager
def connect_proxy(*, status: str = "200 Connection established") -> Iterator[Proxy]:
    """Connects to the address it is asked for when `status` says so."""
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(listener.getsockname()[1])

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    def serve(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                received = client.recv(1)
                if not received:
                    return
                head += received
            lines = head.decode("ascii").strip().split("\r\n")
            proxy.heads.append(lines)
            if not status.startswith("200"):
                client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            host, _, port = lines[0].split(" ")[1].rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port))) as server:
                client.sendall(f"HTTP/1.1 {status}\r\nVia: 1.1 here\r\n\r\n".encode())
                _relay(client, server)

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield proxy
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)


def _relay(one: socket.socket, other: socket.socket) -> None:
    while True:
        for ready in select.select([one, other], [], [])[0]:
            data = ready.recv(65536)
            if not data:
                return
            (other if ready is one else one).sendall(data)
