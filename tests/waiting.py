"""Waiting for what happens elsewhere, and not for long."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


async def until(what: str, true: Any, *, seconds: float = 15.0) -> Any:
    """What `true` gives, awaited if need be, as soon as that is anything but None or False.

    Raises:
        TimeoutError: it never was.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found is not None and found is not False:
            return found
        await asyncio.sleep(0.02)
    raise TimeoutError(f"{what} did not happen within {seconds:g} s")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block has to end in less than so many seconds."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds
