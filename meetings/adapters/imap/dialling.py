"""Connecting to a mail server whose name somebody typed in, or found in a domain's records: guarded, and over TLS."""

import socket
import ssl
import time
from dataclasses import dataclass

from meetings.application.ip_addresses import IPAddress
from meetings.application.outbound import OutboundGuard
from meetings.application.ports.mail_accounts import ServerAddress

# IMAP and SMTP for people's programs: over TLS (RFC 8314), and the older ports that STARTTLS is spoken on.
MAIL_PORTS = (range(993, 994), range(143, 144), range(465, 466), range(587, 588))
CONNECT_SECONDS = 5.0
_TRIED_ADDRESSES = 4


@dataclass(frozen=True, slots=True)
class Dialling:
    """Which servers may be called, and whose certificates are believed. Nothing here is switched off for anybody."""

    guard: OutboundGuard
    tls: ssl.SSLContext

    def connect(self, server: ServerAddress, until: float) -> socket.socket:
        """A connection to one of the server's addresses, each of which was checked; nothing was said on it yet.

        Blocks; `until` is a moment of the monotonic clock.

        Raises:
            AddressRefused: the address is not to be called.
            OSError: none of them answers in time.
        """
        addresses = self.guard.resolve(server.host, server.port)[:_TRIED_ADDRESSES]
        failure: OSError = ConnectionRefusedError("no address")
        for address in addresses:
            try:
                return _dial(address, server.port, until)
            except OSError as error:
                failure = error
        raise failure

    def secured(self, plain: socket.socket, server: ServerAddress, until: float) -> ssl.SSLSocket:
        """The same connection over TLS, with a certificate for the server's name."""
        plain.settimeout(left(until))
        return self.tls.wrap_socket(plain, server_hostname=server.host)


def left(until: float) -> float:
    """Seconds until a moment of the monotonic clock. Raises TimeoutError when there are none."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("out of time")
    return seconds


def _dial(address: IPAddress, port: int, until: float) -> socket.socket:
    connected = socket.create_connection((str(address), port), min(CONNECT_SECONDS, left(until)))
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected
