"""HubSpot's blocking client, called from asyncio: a pool of threads of its own, and a limit on every call (RT-6)."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from meetings.adapters.hubspot.pace import Pace
from meetings.application.ports.calendars import ProviderUnavailable, RateLimited

if TYPE_CHECKING:
    from meetings.adapters.hubspot.client import Answer, Client

    Answered = Answer | tuple[Exception, Mapping[str, str]]


class Transport:
    """Calls of all portals. A call that nobody waits for any more ends by itself at its limit."""

    def __init__(self, url: str, *, threads: int, call_seconds: float, wait_seconds: float) -> None:
        self._url = url
        self._threads = threads
        self._call_seconds = call_seconds
        self._wait_seconds = wait_seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hubspot")
        self._loading = threading.Lock()
        self._client: Client | None = None

    async def call(
        self, token: str, pace: Pace, method: str, path: str, *, query: Mapping[str, str], body: object, search: bool
    ) -> Any:
        """The answer's JSON. Waits for its turn, but not for long.

        Raises:
            ProviderError: as the port `Crm` says, and `RecordRefused`.
        """
        await self._turn(pace, search=search)
        answer = await self._within_time(lambda client, seconds: client.call(token, method, path, query, body, seconds))
        now = time.monotonic()
        if isinstance(answer, tuple):
            refused, headers = answer
            pace.heard(headers, now)
            if isinstance(refused, RateLimited):
                pace.rest(refused.retry_after or 0.0, now)
            raise refused
        pace.heard(answer.headers, now)
        return answer.json

    async def post_form(self, path: str, form: Mapping[str, str]) -> Any:
        """The answer's JSON of the server that trades tokens.

        Raises:
            GrantNotTaken: what was sent to be traded is worth nothing.
            ProviderUnavailable, RateLimited: worth another try.
        """
        answer = await self._within_time(lambda client, seconds: client.post_form(path, form, seconds))
        if isinstance(answer, tuple):
            raise answer[0]
        return answer.json

    async def _within_time(self, ask: "Callable[[Client, float], Answered]") -> "Answered":
        client = await self._loaded()
        until = time.monotonic() + self._call_seconds

        def work() -> "Answered":
            seconds = until - time.monotonic()
            if seconds <= 0:
                raise ProviderUnavailable("no thread was free in time")
            return ask(client, seconds)

        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + self._call_seconds):
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except TimeoutError:
            raise ProviderUnavailable("no answer from HubSpot in time") from None

    async def _turn(self, pace: Pace, *, search: bool) -> None:
        patience = time.monotonic() + self._wait_seconds
        while wait := pace.take(time.monotonic(), search=search):
            if time.monotonic() + wait > patience:
                raise RateLimited("HubSpot's limit is nearly used up", retry_after=wait)
            await asyncio.sleep(wait)

    async def _loaded(self) -> "Client":
        """The library takes a while to import; the first call waits for it outside its own limit."""
        if self._client is None:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._load)
        assert self._client is not None
        return self._client

    def _load(self) -> None:
        with self._loading:
            if self._client is None:
                from meetings.adapters.hubspot.client import Client

                self._client = Client(self._url, connections=self._threads)
