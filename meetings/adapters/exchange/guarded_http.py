"""HTTP to servers whose address a person typed in, or a server sent us to: requests, with the outbound guard inside.

A session looks a host up once per connection, through the guard, and connects to the address it got; the name is used
for SNI, the certificate and the `Host` header. Certificates are always verified. The environment says nothing here: no
proxies, no bundles, no `.netrc`. Redirects are answers; `hop` tells where one leads.
"""

import functools
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urljoin

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from meetings.adapters.exchange.dialling import DIRECT, Egress, dial
from meetings.application.ip_addresses import IPAddress
from meetings.application.outbound import AddressRefused, OutboundGuard


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call may last, from looking the host up to the last byte of the answer, and how long that may be.

    `connect_seconds` is for the name and the connection, and once more for the TLS handshake.
    """

    connect_seconds: float = 5.0
    total_seconds: float = 30.0
    answer_bytes: int = 10 * 2**20


LIMITS = Limits()


class CallRefused(requests.exceptions.ConnectionError):
    """The guard refused the address; nothing was sent. `refused` says why."""

    def __init__(self, refused: AddressRefused) -> None:
        self.refused = refused
        super().__init__(str(refused))


class AnswerRefused(requests.exceptions.ConnectionError):
    """An answer that is too long, or encoded in a way that nobody asked for."""


class GuardedSession(requests.Session):
    """A requests session for one connection of one person; for one thread at a time.

    `ca_certificates` is PEM, believed beside the usual authorities; a server's own certificate will do. The `timeout`
    of a call shortens the limits and never lengthens them: a number is for all of it, a pair for connecting and for all
    of it. With `stream` the limits hold until the answer was read. A handshake of several requests, such as NTLM's,
    counts as one call.

    Raises:
        ValueError: `ca_certificates` holds no certificate.
    """

    def __init__(
        self,
        guard: OutboundGuard,
        *,
        limits: Limits = LIMITS,
        egress: Egress = DIRECT,
        ca_certificates: str | None = None,
    ) -> None:
        super().__init__()
        self.trust_env = False
        self._guard = guard
        self._call = _Call(limits)
        self.adapters.clear()
        self.mount("https://", _GuardedAdapter(guard, self._call, egress, _tls(ca_certificates)))

    def send(self, request: requests.PreparedRequest, **named: Any) -> requests.Response:
        """The answer.

        Raises:
            CallRefused: the address is forbidden.
            AnswerRefused: the answer is too long.
            requests.exceptions.SSLError: the certificate is not the host's, or nobody vouches for it.
            requests.exceptions.RequestException: no answer in time, or none at all.
        """
        try:
            self._guard.check_url(str(request.url))
        except AddressRefused as refused:
            raise CallRefused(refused) from refused
        self._call.begin(named.get("timeout"))
        named |= {"proxies": {}, "verify": True, "cert": None, "allow_redirects": False}
        try:
            return super().send(request, **named)
        except requests.RequestException as error:
            raise refusal_behind(error) or error from None

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: redirects are not followed."""


def refusal_behind(error: BaseException) -> CallRefused | AnswerRefused | None:
    """The refusal that libraries made another error of, if there is one."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, CallRefused | AnswerRefused):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def hop(guard: OutboundGuard, answer: requests.Response) -> str | None:
    """Where a redirect leads, absolute and judged by the guard; None for an answer that is no redirect.

    Count the hops, and think before sending the password to another host.

    Raises:
        CallRefused: nobody goes there.
    """
    location = answer.headers.get("location")
    if not answer.is_redirect or location is None:
        return None
    try:
        url = urljoin(str(answer.url), location)
        guard.check_url(url)
    except AddressRefused as refused:
        raise CallRefused(refused) from refused
    except ValueError:
        return None
    return url


class _Call:
    """The limits, and the moment of the monotonic clock at which what runs now has to end."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.connect_seconds = limits.connect_seconds
        self.until = 0.0

    def begin(self, timeout: Any) -> None:
        connect, total = timeout if isinstance(timeout, tuple) else (None, timeout)
        self.connect_seconds = min(connect or self.limits.connect_seconds, self.limits.connect_seconds)
        self.until = time.monotonic() + min(total or self.limits.total_seconds, self.limits.total_seconds)

    def connect_until(self) -> float:
        return min(self.until, time.monotonic() + self.connect_seconds)


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, guard: OutboundGuard, call: _Call, egress: Egress, tls: ssl.SSLContext) -> None:
        self._call = call
        self._tls = tls
        self._connection = functools.partial(_GuardedConnection, guard=guard, call=call, egress=egress)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0, pool_block=True)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **named: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **named)
        self.poolmanager.pool_classes_by_scheme = {"https": functools.partial(_pool, self._connection)}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"  # the authorities are those of the context

    def send(  # type: ignore[override]  # a session gives what follows by name
        self, request: requests.PreparedRequest, stream: bool = False, **named: Any
    ) -> requests.Response:
        # What is compressed cannot be measured before it is unpacked.
        request.headers["Accept-Encoding"] = "identity"
        limits = (self._call.connect_seconds, max(self._call.until - time.monotonic(), 0.001))
        try:
            answer = super().send(request, stream=stream, timeout=limits, verify=True)
        except AddressRefused as refused:
            raise CallRefused(refused) from refused
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            answer.close()
            raise AnswerRefused("the answer is compressed")
        return answer


def _pool(connection: Callable[..., HTTPSConnection], *arguments: Any, **named: Any) -> HTTPSConnectionPool:
    pool = HTTPSConnectionPool(*arguments, **named)
    pool.ConnectionCls = connection  # type: ignore[assignment]  # called as a class is
    return pool


class _GuardedConnection(HTTPSConnection):
    """Connects to an address the guard gave, and keeps the limits of the call that runs."""

    sock: "_BoundedSocket | None"

    def __init__(self, *arguments: Any, guard: OutboundGuard, call: _Call, egress: Egress, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._guard = guard
        self._call = call
        self._egress = egress

    def _new_conn(self) -> Any:
        until = self._call.connect_until()
        try:
            sock = dial(_looked_up(self._guard, self.host, self.port, until), self.port, until, self._egress)
        except TimeoutError:
            raise ConnectTimeoutError(self, "no connection in time") from None
        except OSError as error:
            raise NewConnectionError(self, f"no connection ({type(error).__name__})") from error
        sock.settimeout(max(self._call.connect_until() - time.monotonic(), 0.001))  # for the handshake
        return sock

    def connect(self) -> None:
        super().connect()
        self._bound()

    def request(self, *arguments: Any, **named: Any) -> None:
        self._bound()
        super().request(*arguments, **named)

    def _bound(self) -> None:
        if self.sock is not None:
            self.sock.bound(self._call.until, self._call.limits.answer_bytes)


class _BoundedSocket(ssl.SSLSocket):
    """Turns the timeout of a socket, which is for each byte that comes, into one moment for all of them.

    One call of OpenSSL keeps to the timeout that was set before it, however slowly a record arrives.
    """

    _until: float | None = None
    _bytes_left = 0

    def bound(self, until: float, count: int) -> None:
        """Raise TimeoutError after `until` (monotonic), AnswerRefused after `count` bytes."""
        self._until = until
        self._bytes_left = count

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self._keep_to_limit()
        count = super().recv_into(*arguments, **named)
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise AnswerRefused("the answer is too long")
        return count

    def send(self, *arguments: Any, **named: Any) -> int:
        self._keep_to_limit()
        return super().send(*arguments, **named)

    def _keep_to_limit(self) -> None:
        if self._until is not None:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("out of time")
            self.settimeout(left)


@functools.lru_cache(maxsize=128)
def _tls(ca_certificates: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_certificates is not None:
        # A certificate that is trusted by itself need not be an authority's.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(cadata=ca_certificates)
        except (ssl.SSLError, ValueError):
            raise ValueError("it holds no certificate in PEM") from None
    context.sslsocket_class = _BoundedSocket
    return context


def _looked_up(guard: OutboundGuard, host: str, port: int, until: float) -> tuple[IPAddress, ...]:
    """The guard's answer, in time: the system's resolver keeps no limit, and a thread cannot be interrupted."""
    answers: SimpleQueue[tuple[IPAddress, ...] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(guard.resolve(host, port))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=look_up, name="name of a server", daemon=True).start()
    try:
        answer = answers.get(timeout=max(until - time.monotonic(), 0.001))
    except Empty:
        raise TimeoutError("no answer from the resolver in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
