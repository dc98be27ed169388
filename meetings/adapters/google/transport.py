"""Google's blocking client, called from asyncio: a bounded pool of threads, and a limit on every call."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from meetings.adapters.google.refusals import Refused
from meetings.application.ports.calendars import ProviderUnavailable

if TYPE_CHECKING:
    from googleapiclient.http import HttpRequest

    Build = Callable[[Any], HttpRequest]
    """The request to make, by the client of the API that is meant."""

T = TypeVar("T")


class Api(Enum):
    """Google's APIs that are called: name and version in its directory."""

    CALENDAR = ("calendar", "v3")
    MAIL = ("gmail", "v1")


class Transport:
    """Calls of all connections. Limits are moments of the monotonic clock, so that several calls can share one.

    A call that nobody waits for any more ends by itself at its limit; its thread is free again then.
    """

    def __init__(self, *, urls: Mapping[Api, str], threads: int, total_seconds: float) -> None:
        self._urls = urls
        self._total_seconds = total_seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="google")
        self._loading = threading.Lock()
        self._services: dict[Api, Any] = {}

    def limit(self, seconds: float | None = None) -> float:
        """The moment that lies `seconds` ahead; without them, as far as any call may last."""
        return time.monotonic() + min(seconds or self._total_seconds, self._total_seconds)

    async def call(self, api: Api, access_token: str, build: "Build", until: float) -> Any:
        """The answer's JSON to the request that `build` makes, in a thread of the pool.

        Raises:
            Refused: Google answered with an error.
            ProviderUnavailable: there was no readable answer, or none in time.
        """
        service = await self._loaded(api)

        def work(seconds: float) -> Any:
            from meetings.adapters.google import client

            return client.call(service, access_token, build, seconds)

        return await self._in_thread(work, until)

    async def call_together(
        self, api: Api, access_token: str, builds: "Sequence[Build]", until: float
    ) -> list[Any | Refused]:
        """The same for several requests that travel as one; what was refused stands among the answers."""
        service = await self._loaded(api)
        # `batchPath` of the APIs' descriptions; the library would ask Google even where another address is set.
        batch_url = f"{self._urls[api].rstrip('/')}/batch"

        def work(seconds: float) -> list[Any]:
            from meetings.adapters.google import client

            return client.call_together(service, batch_url, access_token, builds, seconds)

        return await self._in_thread(work, until)

    async def post_form(self, address: str, form: Mapping[str, str], until: float) -> Any:
        """The same for a form sent to one of the addresses of the accounts server."""
        await self._loaded(Api.CALENDAR)

        def work(seconds: float) -> Any:
            from meetings.adapters.google import client

            return client.post_form(address, dict(form), seconds)

        return await self._in_thread(work, until)

    async def _in_thread(self, work: Callable[[float], T], until: float) -> T:
        def in_time() -> T:
            seconds = until - time.monotonic()
            if seconds <= 0:
                raise ProviderUnavailable("no thread was free in time")
            return work(seconds)

        try:
            async with asyncio.timeout(until - time.monotonic()):
                return await asyncio.get_running_loop().run_in_executor(self._pool, in_time)
        except TimeoutError:
            raise ProviderUnavailable("no answer from Google in time") from None

    async def _loaded(self, api: Api) -> Any:
        """The library, which takes about a second to import; the first call waits for it outside its own limit."""
        if api not in self._services:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._load, api)
        return self._services[api]

    def _load(self, api: Api) -> None:
        with self._loading:
            if api not in self._services:
                from meetings.adapters.google import client

                self._services[api] = client.service(*api.value, self._urls[api])
