"""The one place that touches httpx. Importing it takes up to a second, so only transport.py does, and late."""

import asyncio
import logging
import ssl
import zlib
from collections.abc import AsyncGenerator, Callable
from urllib.parse import quote, urlencode

import httpx

from meetings.adapters.office365.transport import Answer, AnswerTooLong, Request
from meetings.application.ports.calendars import ProviderUnavailable

CONNECT_SECONDS = 5.0
ANSWER_BYTES = 10 * 2**20

# They log addresses, which hold ids of people's calendars and events, and headers, which hold cookies.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def tls(ca_file: str | None) -> ssl.SSLContext:
    """Believes the public authorities, and those in `ca_file`. Variables of the environment are ignored."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


class LoopClient:
    """The connections of one event loop, and when they were last used."""

    http: httpx.AsyncClient

    def __init__(
        self, loop: asyncio.AbstractEventLoop, context: ssl.SSLContext, forget: Callable[["LoopClient"], None]
    ) -> None:
        self.loop = loop
        self._tls = context
        self._forget = forget
        self._life = self._live()
        self._idle: asyncio.TimerHandle | None = None
        self._closing: asyncio.Future[None] | None = None

    async def open(self) -> None:
        self.http = await anext(self._life)

    def in_use(self, idle_seconds: float) -> None:
        """Close them `idle_seconds` from now, which is after the call that begins now, unless another comes before."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self.loop.call_later(idle_seconds, self._close)

    def _close(self) -> None:
        """Forgotten first, so that nobody begins a call on connections that are closing."""
        self._forget(self)
        self._closing = asyncio.ensure_future(self._life.aclose())

    async def _live(self) -> AsyncGenerator[httpx.AsyncClient, None]:
        """A generator that is under way is closed by its event loop before that ends, and so are the connections."""
        client = httpx.AsyncClient(
            verify=self._tls,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=16),
        )
        try:
            yield client
        finally:
            self._forget(self)
            await client.aclose()


async def exchange(client: httpx.AsyncClient, request: Request) -> Answer:
    """The whole answer, whatever its status. Has no limit in time of its own but for connecting.

    Raises:
        ProviderUnavailable: there was none.
        AnswerTooLong: it is longer than `ANSWER_BYTES`.
    """
    try:
        response = await client.send(to_httpx(request), stream=True)
        try:
            content = await _content(response)
        finally:
            await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, zlib.error, OSError) as error:
        raise ProviderUnavailable(f"no readable answer from Microsoft ({type(error).__name__})") from None
    return Answer(response.status_code, dict(response.headers.items()), content)


def to_httpx(request: Request) -> httpx.Request:
    """Raises ProviderUnavailable for an address that is none."""
    # Blanks as %20, and "$" as it is: a plus sign is not a blank everywhere.
    query = f"?{urlencode(request.params, quote_via=quote, safe='$')}" if request.params else ""
    headers = {"accept": "application/json", **{name.lower(): value for name, value in (request.headers or {}).items()}}
    headers["accept-encoding"] = "gzip"
    try:
        return httpx.Request(
            request.method,
            f"{request.address}{query}",
            headers=headers,
            json=request.json,
            data=request.form,
            content=request.content,
        )
    except (httpx.InvalidURL, ValueError, TypeError):
        raise ProviderUnavailable("an address that cannot be called") from None


async def _content(response: httpx.Response) -> bytes:
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise httpx.DecodingError("an encoding that was not asked for")
    unzip = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += unzip.decompress(chunk, ANSWER_BYTES + 1 - len(content)) if unzip else chunk
        if len(content) > ANSWER_BYTES or (unzip and unzip.unconsumed_tail):
            raise AnswerTooLong("an answer of Microsoft that is too long")
    if unzip and not unzip.eof:
        raise httpx.DecodingError("cut off")
    return bytes(content)
