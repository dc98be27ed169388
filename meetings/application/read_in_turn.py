"""Reading a calendar or a mailbox in turn with everybody else who could, and when it is read next."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from meetings.application.kept_lease import kept_lease
from meetings.application.ports.calendars import ProviderError, RateLimited
from meetings.application.ports.clock import Clock
from meetings.application.ports.outbox import LeaseLost
from meetings.application.ports.reading_turns import Claim, Key, ReadingTurns
from meetings.application.retry_schedule import next_try

log = logging.getLogger(__name__)

LEASE_SECONDS = 60
"""How long after the death of its reader something is read by another. Renewed while the reading lasts."""


async def read_in_turn(
    key: Key,
    *,
    turns: ReadingTurns[Key, Claim],
    read: Callable[[Claim, datetime], Awaitable[datetime]],
    failed: Callable[[Claim, ProviderError, datetime], Awaitable[datetime]],
    clock: Clock,
    poll: timedelta,
) -> bool:
    """Read this if it is due and nobody else is reading it. Gives whether it is due again.

    `read` is told since when, and says when to read next; so does `failed`, which is told what the provider said.
    Either may raise `LeaseLost`: then it is left to whoever has it now. Whatever else happens, it is given back with a
    time for the next read: after what nobody foresaw, which is raised, that is a `poll` later.
    """
    claim = await turns.claim(key, lease_seconds=LEASE_SECONDS)
    if claim is None:
        return False
    started = clock()
    extend = partial(turns.extend, claim, lease_seconds=LEASE_SECONDS)
    try:
        async with kept_lease(extend, every=LEASE_SECONDS / 3):
            next_at = await read(claim, started)
    except LeaseLost:
        return _left(claim)
    except ProviderError as error:
        try:
            next_at = await failed(claim, error, started)
        except LeaseLost:
            return _left(claim)
    except asyncio.CancelledError:
        await turns.finish(claim, next_at=clock())
        raise
    except Exception:
        await turns.finish(claim, next_at=clock() + poll)
        raise
    return await turns.finish(claim, next_at=next_at)


def _left(claim: object) -> bool:
    log.info("another worker reads this, or nobody is to", extra={"claim": str(claim)})
    return False


def next_poll(interval: timedelta, *, now: datetime) -> datetime:
    """After a read that went well; jittered, so that what is read does not fall into step (SY-1)."""
    return now + interval * random.uniform(0.7, 1.0)  # noqa: S311  # spreading load, nothing secret


def after_failure(error: ProviderError, failures: int, *, now: datetime, poll: timedelta) -> datetime:
    """After so many failed reads in a row: never later than usual, unless the provider asks for it."""
    again_at = next_try(error, failures, now=now, chance=random.uniform(0.5, 1.0))  # noqa: S311  # jitter, no secret
    return again_at if isinstance(error, RateLimited) else min(again_at, now + poll)
