"""Google's blocking client, called from asyncio: a bounded pool of threads, and a limit on every call."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from meetings.application.ports.calendars import ProviderUnavailable

if TYPE_CHECKING:
    from googleapiclient._apis.calendar.v3 import CalendarResource
    from googleapiclient.http import HttpRequest

    Build = Callable[[CalendarResource], HttpRequest]

T = TypeVar("T")


class Transport:
    """Calls of all connections. Limits are moments of the monotonic clock, so that several calls can share one.

    A call that nobody waits for any more ends by itself at its limit; its thread is free again then.
    """

    def __init__(self, *, api_url: str, threads: int, total_seconds: float) -> None:
        self._api_url = api_url
        self._total_seconds = total_seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="google")
        self._loading = threading.Lock()
        self._service: CalendarResource | None = None

    def limit(self, seconds: float | None = None) -> float:
        """The moment that lies `seconds` ahead; without them, as far as any call may last."""
        return time.monotonic() + min(seconds or self._total_seconds, self._total_seconds)

    async def call(self, access_token: str, build: "Build", until: float) -> Any:
        """The answer's JSON to the Calendar request that `build` makes, in a thread of the pool.

        Raises:
            Refused: Google answered with an error.
            ProviderUnavailable: there was no readable answer, or none in time.
        """
        service = await self._loaded()

        def work(seconds: float) -> Any:
            from meetings.adapters.google import client

            return client.call(service, access_token, build, seconds)

        return await self._in_thread(work, until)

    async def post_form(self, address: str, form: Mapping[str, str], until: float) -> Any:
        """The same for a form sent to one of the addresses of the accounts server."""
        await self._loaded()

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

    async def _loaded(self) -> "CalendarResource":
        """The library, which takes about a second to import; the first call waits for it outside its own limit."""
        if self._service is None:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._load)
        assert self._service is not None
        return self._service

    def _load(self) -> None:
        with self._loading:
            if self._service is None:
                from meetings.adapters.google import client

                self._service = client.calendar_service(self._api_url)
