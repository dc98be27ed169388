"""HTTP to Microsoft: one client per event loop, with limits on everything (RT-3), and nothing repeated or followed."""

import asyncio
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meetings.application.ports.calendars import ProviderUnavailable

if TYPE_CHECKING:
    from meetings.adapters.office365.client import LoopClient


@dataclass(frozen=True, slots=True)
class Request:
    """`params` come behind the address, which otherwise stays as it is; `json`, `form` or `content` is the body."""

    method: str
    address: str
    params: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, Any] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


class AnswerTooLong(ProviderUnavailable):
    """There is one, and it is longer than what is read."""


class Transport:
    """`ca_file` names further authorities whose certificates are believed, beside the public ones.

    Limits are moments of the monotonic clock, so that several calls can share one. Proxy variables of the environment
    are ignored.
    """

    def __init__(self, *, ca_file: str | None, total_seconds: float) -> None:
        self._ca_file = ca_file
        self._total_seconds = total_seconds
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._tls: ssl.SSLContext | None = None
        self._clients: dict[asyncio.AbstractEventLoop, LoopClient] = {}

    def limit(self, seconds: float | None = None) -> float:
        """The moment that lies `seconds` ahead; without them, as far as any call may last."""
        return time.monotonic() + min(seconds or self._total_seconds, self._total_seconds)

    async def send(self, request: Request, until: float) -> Answer:
        """The whole answer, whatever its status.

        Raises:
            ProviderUnavailable: there was none, none before `until`, or one that is too long.
        """
        tls = self._tls
        if tls is None:
            tls = await asyncio.to_thread(self._load)
        from meetings.adapters.office365.client import exchange

        try:
            async with asyncio.timeout(until - time.monotonic()):
                return await exchange((await self._client(tls)).http, request)
        except TimeoutError:
            raise ProviderUnavailable("no answer from Microsoft in time") from None

    async def _client(self, tls: ssl.SSLContext) -> "LoopClient":
        """That of this event loop. Its connections close with the loop, or a while after the last call."""
        from meetings.adapters.office365.client import LoopClient

        loop = asyncio.get_running_loop()
        with self._lock:
            known = self._clients.get(loop)
        if known is None:
            known = LoopClient(loop, tls, self._forget)
            await known.open()
            with self._lock:
                self._clients[loop] = known
        known.in_use(2 * self._total_seconds)
        return known

    def _forget(self, client: "LoopClient") -> None:
        with self._lock:
            if self._clients.get(client.loop) is client:
                del self._clients[client.loop]

    def _load(self) -> ssl.SSLContext:
        """The library and the authorities, in a thread: the first call waits for them outside its own limit."""
        with self._loading:
            if self._tls is None:
                from meetings.adapters.office365 import client

                try:
                    self._tls = client.tls(self._ca_file)
                except OSError as error:
                    text = f"the file of further authorities cannot be read ({type(error).__name__})"
                    raise ProviderUnavailable(text) from None
            return self._tls
