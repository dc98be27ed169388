"""The IMAP library, called from asyncio: a bounded pool of threads, and a limit on every call."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from meetings.application.ports.calendars import ProviderUnavailable

T = TypeVar("T")


class Pool:
    """Calls of all mailboxes. Limits are moments of the monotonic clock.

    A call that nobody waits for any more ends by itself at its limit; its thread is free again then.
    """

    def __init__(self, *, threads: int, total_seconds: float) -> None:
        self.total_seconds = total_seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="imap")

    def limit(self) -> float:
        return time.monotonic() + self.total_seconds

    async def run(self, work: Callable[[], T], until: float) -> T:
        """What `work` gives. It has to end by `until` by itself. Raises ProviderUnavailable when it did not in time."""

        def in_time() -> T:
            if time.monotonic() >= until:
                raise ProviderUnavailable("no thread was free in time")
            return work()

        try:
            async with asyncio.timeout(until - time.monotonic() + 1):
                return await asyncio.get_running_loop().run_in_executor(self._threads, in_time)
        except TimeoutError:
            raise ProviderUnavailable("no answer from the mail server in time") from None
