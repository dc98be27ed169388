"""Workers that die by SIGKILL at a named step.

Each is the product's own worker with the product's settings; only the ports it works with are wrapped. A step is a
port, a method and a side, such as `outbox.claim:after` or `calendars.put_event:before`. A claim that came to nothing
has no side `after`.

`python -m tests.faults.killable_worker` is a nursery: it has everything imported and forks a worker per line of JSON on
its standard input, so that a test does not wait for imports. It answers with the worker's pid, and later its end.
"""

import functools
import inspect
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from meetings.domain.identifiers import AccountId
from meetings.infrastructure import server
from meetings.infrastructure.logs import set_up_logs
from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.settings import read_settings


class Killing:
    """Passes every call on to a port, and ends this process when the step is reached."""

    def __init__(self, inner: Any, port: str, step: str) -> None:
        self._inner = inner
        self._port = port
        self._step = step

    def __getattr__(self, method: str) -> Any:
        original = getattr(self._inner, method)
        if not inspect.iscoroutinefunction(original):
            return original

        @functools.wraps(original)
        async def wrapped(*given: Any, **named: Any) -> Any:
            self._reached(f"{method}:before")
            result = await original(*given, **named)
            if method != "claim" or result is not None:
                self._reached(f"{method}:after")
            return result

        return wrapped

    def _reached(self, step: str) -> None:
        if self._step == f"{self._port}.{step}":
            os.kill(os.getpid(), signal.SIGKILL)


@asynccontextmanager
async def killable_runtime(step: str, process: Process) -> AsyncIterator[Runtime]:
    async with Runtime.open(process) as runtime:
        tools = runtime.toolbox

        async def crm_of(account_id: AccountId) -> Any:
            return Killing(await tools.crm_of(account_id), "crm", step)

        wrapped = replace(
            tools,
            crm_of=crm_of,
            outbox=Killing(tools.outbox, "outbox", step),
            schedule=Killing(tools.schedule, "schedule", step),
            mailer=Killing(tools.mailer, "mailer", step),
            calendars_of=lambda connection: Killing(tools.calendars_of(connection), "calendars", step),
            mail_schedule=Killing(tools.mail_schedule, "mail_schedule", step),
            mail_account_of=lambda mailbox: Killing(tools.mail_account_of(mailbox), "mail", step),
        )
        yield replace(runtime, toolbox=wrapped)


def work(environment: dict[str, str], step: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    settings = read_settings(env_file=None)
    set_up_logs(settings.log_format, settings.log_level)
    server.work(settings, open_runtime=functools.partial(killable_runtime, step))


def fork(environment: dict[str, str], step: str) -> int:
    """Start a worker in a process of its own, and give its pid."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            work(environment, step)
        finally:
            os._exit(0)
    return pid


def answer(text: dict[str, int]) -> None:
    print(json.dumps(text), flush=True)


if __name__ == "__main__":
    import meetings.adapters.google.client  # noqa: F401  # loaded late by the product, and slow

    for line in sys.stdin:
        wish = json.loads(line)
        worker = fork(wish["environment"], wish["step"])
        answer({"pid": worker})
        answer({"end": os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])})
