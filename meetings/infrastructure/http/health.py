"""Whether this process lives, and whether it can do its work (PF-2). Says nothing of anybody's data."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import redis.asyncio
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from sqlalchemy import case, func, select

from meetings.infrastructure.database.tables import mirror_states
from meetings.infrastructure.http.state import runtime_of
from meetings.infrastructure.runtime import Runtime
from meetings.infrastructure.secrets import BadKeys

log = logging.getLogger(__name__)
router = APIRouter(prefix="/health")

OK = "ok"
_SECONDS = 2.0
_FAILURES = 3
"""From this many failed reads in a row on, a calendar counts as one that cannot be read."""

Check = Callable[[Runtime], Awaitable[str]]


@router.get("/live")
async def live() -> dict[str, str]:
    """The process runs and its event loop turns; asks nobody else."""
    return {"status": OK}


@router.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """Whether requests should come here: 200 or 503, with what every check said.

    Without the database, with another schema or the wrong secret keys nothing works. Without the broker, the worker or
    a provider much still does, and the rest is made up for later: "degraded".
    """
    runtime = runtime_of(request)
    needed = await _all(runtime, {"database": _database, "keys": _keys})
    others: dict[str, str] = {}
    if set(needed.values()) == {OK}:
        others = await _all(runtime, {"broker": _broker, "providers": _providers})
        worker = request.app.state.worker
        if worker is not None:
            others["worker"] = OK if worker.alive else "the worker stopped; restart this process"
    unfit = [check for check, said in needed.items() if said != OK]
    weak = [check for check, said in others.items() if said != OK]
    answer: dict[str, Any] = {
        "status": "unavailable" if unfit else "degraded" if weak else "ready",
        "checks": {**needed, **others},
        "versions": {"meetings": version("meetings"), "tzdata": version("tzdata")},
    }
    return JSONResponse(answer, 503 if unfit else 200)


async def _all(runtime: Runtime, checks: dict[str, Check]) -> dict[str, str]:
    said = await asyncio.gather(*(_within_time(check(runtime)) for check in checks.values()))
    return dict(zip(checks, said, strict=True))


async def _within_time(check: Awaitable[str]) -> str:
    try:
        async with asyncio.timeout(_SECONDS):
            return await check
    except TimeoutError:
        return f"no answer within {_SECONDS:g} s"
    except Exception as error:
        log.warning("a health check failed", extra={"error": f"{type(error).__name__}: {error}"})
        return "cannot be reached"


async def _database(runtime: Runtime) -> str:
    return OK if await runtime.database.ready() else "the schema is not the newest: run `meetings migrate`"


async def _keys(runtime: Runtime) -> str:
    try:
        await runtime.check_keys()
    except BadKeys as bad:
        return f"{bad}: mend MEETINGS_SECRET_KEYS"
    return OK


async def _broker(runtime: Runtime) -> str:
    url = runtime.process.redis_url
    if url is None:
        return OK
    client = redis.asyncio.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)
    try:
        await client.ping()
    except (RedisError, OSError):
        return "cannot be reached; work goes on more slowly"
    finally:
        await client.aclose()
    return OK


async def _providers(runtime: Runtime) -> str:
    failing = func.sum(case((mirror_states.c.failures >= _FAILURES, 1), else_=0))
    async with runtime.database.snapshot() as connection:
        bad, of = (await connection.execute(select(failing, func.count()).select_from(mirror_states))).one()
    return f"{bad} of {of} calendars cannot be read" if of and bad * 2 > of else OK
