"""Connecting to addresses that were checked before, directly or through the operator's proxy."""

import base64
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from meetings.application.ip_addresses import IPAddress

TRIED_ADDRESSES = 6
LONGEST_HEAD = 8192


@dataclass(frozen=True, slots=True)
class Egress:
    """Which way calls leave, where servers let only listed addresses in (S80).

    `proxy` is a forward proxy, `http://[user:password@]host:port`. It is asked to CONNECT to the checked address and
    never to the name: it would look the name up again, and could be told something else. `source_address` is one of
    this machine's own.
    """

    proxy: str | None = field(default=None, repr=False)
    source_address: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a proxy or an address that is none; the text repeats neither."""
        if self.proxy is not None:
            parts = urlsplit(self.proxy)
            if parts.scheme != "http" or not parts.hostname or parts.port is None or parts.path.strip("/"):
                raise ValueError("a proxy is written http://host:port or http://user:password@host:port")
        if self.source_address is not None:
            ip_address(self.source_address)


DIRECT = Egress()


def dial(addresses: Sequence[IPAddress], port: int, until: float, egress: Egress) -> socket.socket:
    """A socket that is connected to the first of `addresses` that answers, before `until` (monotonic).

    Raises:
        TimeoutError: none answered in time.
        OSError: none can be reached.
    """
    if egress.source_address is not None:
        version = ip_address(egress.source_address).version
        addresses = [address for address in addresses if address.version == version or egress.proxy is not None]
    failure: OSError = ConnectionRefusedError("no address that this machine can call")
    tried = addresses[:TRIED_ADDRESSES]
    for number, address in enumerate(tried):
        try:
            # Each gets its share of what is left, so that one that swallows packets leaves time for the next.
            return _dial(address, port, time.monotonic() + _left(until) / (len(tried) - number), egress)
        except OSError as error:
            failure = error
    raise failure


def _dial(address: IPAddress, port: int, until: float, egress: Egress) -> socket.socket:
    source = (egress.source_address, 0) if egress.source_address else None
    if egress.proxy is None:
        sock = socket.create_connection((str(address), port), _left(until), source)
    else:
        proxy = urlsplit(egress.proxy)
        sock = socket.create_connection((str(proxy.hostname), int(proxy.port or 0)), _left(until), source)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if egress.proxy is not None:
            _tunnel(sock, address, port, until, urlsplit(egress.proxy))
    except BaseException:
        sock.close()
        raise
    return sock


def _tunnel(sock: socket.socket, address: IPAddress, port: int, until: float, proxy: SplitResult) -> None:
    where = f"[{address}]:{port}" if isinstance(address, IPv6Address) else f"{address}:{port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if proxy.username is not None:
        pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        lines.append("Proxy-Authorization: Basic " + base64.b64encode(pair.encode()).decode())
    sock.settimeout(_left(until))
    sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        sock.settimeout(_left(until))
        received = sock.recv(1)  # not one byte of what follows the head
        if not received or len(head) >= LONGEST_HEAD:
            raise ConnectionAbortedError("the proxy did not answer")
        head += received
    status = head.split(b" ", 2)[1:2]
    if not head.startswith(b"HTTP/1.") or status != [b"200"]:
        raise ConnectionRefusedError("the proxy refused")


def _left(until: float) -> float:
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("out of time")
    return seconds
