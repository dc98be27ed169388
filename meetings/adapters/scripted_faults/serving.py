"""Serving an ASGI application on a free loopback port, with or without TLS: in a thread, or inside the running loop."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

from meetings.adapters.scripted_faults.delivery import ConnectionInScope


class _Server(uvicorn.Server):
    """A server beside other work: signals stay with the program, and stopping does not wait for idle connections."""

    stop: asyncio.Event

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self.stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)


@contextlib.contextmanager
def serve_in_thread(app: ASGIApp, port: int = 0, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve until the block ends; gives the base address, such as `http://127.0.0.1:40123`, with `tls` one of https."""
    listener = _listener(port)
    server = _server(app, tls)
    loop = asyncio.new_event_loop()
    server.stop = asyncio.Event()
    thread = threading.Thread(target=_run, args=(loop, server, listener), name="simulator", daemon=True)
    thread.start()
    try:
        yield _address(listener, tls)
    finally:
        loop.call_soon_threadsafe(server.stop.set)
        thread.join(timeout=10)
        loop.close()
        listener.close()


@contextlib.asynccontextmanager
async def serve_in_loop(app: ASGIApp, port: int = 0, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The same inside the running loop, for a program that already has one."""
    listener = _listener(port)
    server = _server(app, tls)
    server.stop = asyncio.Event()
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield _address(listener, tls)
    finally:
        server.stop.set()
        await task
        listener.close()


def _run(loop: asyncio.AbstractEventLoop, server: _Server, listener: socket.socket) -> None:
    asyncio.set_event_loop(loop)
    loop.run_until_complete(server.serve(sockets=[listener]))
    loop.run_until_complete(loop.shutdown_default_executor())


def _server(app: ASGIApp, tls: ssl.SSLContext | None) -> _Server:
    config = uvicorn.Config(
        app,
        http=ConnectionInScope,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        # Some protocols sign in a connection rather than a request (NTLM), so an idle one stays open.
        timeout_keep_alive=60,
    )
    config.load()
    config.ssl = tls
    return _Server(config)


def _listener(port: int) -> socket.socket:
    """Bound and listening at once, so a client that comes before the loop runs only waits."""
    # asyncio switches Nagle's algorithm off only for sockets that say they are TCP; it costs 40 ms a call otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(512)
    return listener


def _address(listener: socket.socket, tls: ssl.SSLContext | None) -> str:
    return f"{'http' if tls is None else 'https'}://127.0.0.1:{listener.getsockname()[1]}"
