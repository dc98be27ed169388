"""A lease that lasts as long as the work does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

log = logging.getLogger(__name__)


@asynccontextmanager
async def kept_lease(extend: Callable[[], Awaitable[object]], *, every: float) -> AsyncIterator[None]:
    """Renews a lease again and again while the block runs, after so many seconds each: a slow server takes its time.

    One that was lost all the same, because this process stood still, is noticed with the next commit.
    """

    async def renew() -> None:
        while True:
            await asyncio.sleep(every)
            try:
                await extend()
            except Exception:
                log.warning("a lease could not be renewed", exc_info=True)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
