"""HTTP to Microsoft: one client per event loop, with limits on everything (RT-3), and nothing repeated or followed."""

import asyncio
import logging
import ssl
import threading
import time
import zlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from meetings.application.ports.calendars import ProviderUnavailable

CONNECT_SECONDS = 5.0
ANSWER_BYTES = 10 * 2**20

# They log addresses, which hold ids of people's calendars and events, and headers, which hold cookies.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


class Transport:
    """`ca_file` names further authorities whose certificates are believed, beside the public ones.

    Limits are moments of the monotonic clock, so that several calls can share one. Proxy variables and certificate
    variables of the environment are ignored.
    """

    def __init__(self, *, ca_file: str | None, total_seconds: float) -> None:
        self._ca_file = ca_file
        self._total_seconds = total_seconds
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None
        self._clients: dict[asyncio.AbstractEventLoop, _Client] = {}

    def limit(self, seconds: float | None = None) -> float:
        """The moment that lies `seconds` ahead; without them, as far as any call may last."""
        return time.monotonic() + min(seconds or self._total_seconds, self._total_seconds)

    async def send(self, request: httpx.Request, until: float) -> Answer:
        """The whole answer, whatever its status.

        Raises:
            ProviderUnavailable: there was none, none before `until`, or one longer than `ANSWER_BYTES`.
        """
        request.headers.update({"accept-encoding": "gzip", "accept": "application/json"})
        try:
            async with asyncio.timeout(until - time.monotonic()):
                client = await self._client()
                response = await client.send(request, stream=True)
                try:
                    content = await _content(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise ProviderUnavailable("no answer from Microsoft in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, zlib.error, OSError) as error:
            raise ProviderUnavailable(f"no readable answer from Microsoft ({type(error).__name__})") from None
        return Answer(response.status_code, dict(response.headers.items()), content)

    async def _client(self) -> httpx.AsyncClient:
        """That of this event loop. Its connections close with the loop, or a while after the last call."""
        loop = asyncio.get_running_loop()
        with self._lock:
            known = self._clients.get(loop)
        if known is None:
            known = _Client(self._life(loop))
            await known.open()
            with self._lock:
                self._clients[loop] = known
        known.in_use(loop, 2 * self._total_seconds)
        return known.http

    async def _life(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[httpx.AsyncClient, None]:
        """A generator that is under way is closed by its event loop before that ends, and so are the connections."""
        client = httpx.AsyncClient(
            verify=self._context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=16),
        )
        try:
            yield client
        finally:
            with self._lock:
                self._clients.pop(loop, None)
            await client.aclose()

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = httpx.create_ssl_context(trust_env=False)
                if self._ca_file is not None:
                    self._tls.load_verify_locations(self._ca_file)
            return self._tls


class _Client:
    """A client, and when it was last used."""

    http: httpx.AsyncClient

    def __init__(self, life: AsyncGenerator[httpx.AsyncClient, None]) -> None:
        self._life = life
        self._idle: asyncio.TimerHandle | None = None
        self._closing: asyncio.Future[None] | None = None

    async def open(self) -> None:
        self.http = await anext(self._life)

    def in_use(self, loop: asyncio.AbstractEventLoop, idle_seconds: float) -> None:
        """Close it `idle_seconds` from now, which is after the call that begins now, unless another comes before."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = loop.call_later(idle_seconds, self._close)

    def _close(self) -> None:
        self._closing = asyncio.ensure_future(self._life.aclose())


async def _content(response: httpx.Response) -> bytes:
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise httpx.DecodingError("an encoding that was not asked for")
    unzip = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += unzip.decompress(chunk, ANSWER_BYTES + 1 - len(content)) if unzip else chunk
        if len(content) > ANSWER_BYTES or (unzip and unzip.unconsumed_tail):
            raise httpx.DecodingError("too long")
    if unzip and not unzip.eof:
        raise httpx.DecodingError("cut off")
    return bytes(content)


def request(
    method: str,
    address: str,
    *,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    form: Mapping[str, Any] | None = None,
) -> httpx.Request:
    """A request to send; the parameters of an address that has some are kept when none are given."""
    try:
        return httpx.Request(
            method,
            # Blanks as %20, and "$" as it is: a plus sign is not a blank everywhere.
            f"{address}?{urlencode(params, quote_via=quote, safe='$')}" if params else address,
            headers=headers,
            json=json,
            data=form,
        )
    except (httpx.InvalidURL, ValueError, TypeError):
        raise ProviderUnavailable("an address that cannot be called") from None
