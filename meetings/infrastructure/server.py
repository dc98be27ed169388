"""Running the processes: the web server and the worker, each until it is told to stop."""

import logging
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from types import FrameType
from typing import NoReturn

import uvicorn

from meetings.infrastructure.frames import SharedFrames
from meetings.infrastructure.joined_writes import WholeAnswers
from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.settings import Settings
from meetings.infrastructure.worker import Worker

log = logging.getLogger(__name__)

_SOCKET_MESSAGE_BYTES = 64 * 1024
_START_SECONDS = 60
"""How long one of several processes may be silent, as it is while it starts, before it is replaced."""
_APPLICATION = "meetings.infrastructure.app:app_from_environment"


class WorkerEnded(Exception):
    """The worker stopped without being told to; the log says why."""


class PortTaken(Exception):
    """Somebody else listens there."""


def serve(settings: Settings, host: str, port: int, *, processes: int, application: str = _APPLICATION) -> None:
    """Serve the application of the environment's settings until SIGTERM or SIGINT; then return.

    `application` names what makes it, as `module:function`, because each process makes its own.

    Raises:
        PortTaken: nobody can listen at this address and port.
    """
    check_free(host, port)
    with _survive_signals():
        uvicorn.run(
            application,
            factory=True,
            host=host,
            port=port,
            workers=processes,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # done by the application, which knows whom to trust
            http=WholeAnswers,
            ws=SharedFrames,
            ws_ping_interval=20.0,
            ws_ping_timeout=20.0,
            ws_max_size=_SOCKET_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            timeout_worker_healthcheck=_START_SECONDS,
            timeout_graceful_shutdown=math.ceil(settings.stop_seconds),
        )


def work(
    settings: Settings, *, open_runtime: Callable[[Process], AbstractAsyncContextManager[Runtime]] = Runtime.open
) -> None:
    """Run a worker until SIGTERM or SIGINT. What is not finished by then is given back."""
    stop = threading.Event()
    process = Process(settings)
    with _on_signal(stop.set):
        process.start()
        worker = Worker(partial(open_runtime, process), process.doorbell)
        worker.start()
        log.info("the worker is ready")
        while worker.alive and not stop.wait(timeout=1.0):
            pass
        worker.stop()
        process.stop()
    if not stop.is_set():
        raise WorkerEnded
    log.info("the worker has stopped")


def leave() -> NoReturn:
    """End this process with 0 now: a call to a provider that nobody waits for any more may still sit in a thread."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


@contextmanager
def _survive_signals() -> Iterator[None]:
    """The server raises the signal that stopped it once more; a stop in good order is to end with 0 all the same."""
    with _on_signal(lambda: None):
        yield


@contextmanager
def _on_signal(action: Callable[[], object]) -> Iterator[None]:
    def handle(number: int, frame: FrameType | None) -> None:
        action()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_free(host: str, port: int) -> None:
    """Raise `PortTaken` unless somebody can listen at this address and port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family, reuse_port=False).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "it is no address of this machine"
        raise PortTaken(
            f"Nothing can listen on {host}:{port}: {reason}. Stop what listens there, or choose another one by --port."
        ) from None
