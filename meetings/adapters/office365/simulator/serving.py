"""Serving an ASGI application over TLS on a free loopback port: in a thread, or inside the running loop.

Clients of Entra insist on https, so each simulator is its own certificate authority; `CertificateFiles` says where its
certificate lies. People's browsers do not know that authority, so the pages for people may be served without TLS.
"""

import asyncio
import contextlib
import shutil
import socket
import tempfile
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme
import uvicorn
from starlette.types import ASGIApp

from meetings.adapters.scripted_faults.delivery import ConnectionInScope


@dataclass(frozen=True)
class CertificateFiles:
    """PEM files: `authority` for clients to trust, `chain` and `key` for the server."""

    authority: str
    chain: str
    key: str


def certificates(owner: object) -> CertificateFiles:
    """A new authority and a certificate of 127.0.0.1, `::1` and localhost, as files that last as long as `owner`."""
    authority = trustme.CA(organization_name="Office 365, simulated")
    issued = authority.issue_cert("127.0.0.1", "::1", "localhost")
    folder = tempfile.mkdtemp(prefix="office365-simulator-")
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    files = [str(Path(folder) / name) for name in ("authority.pem", "chain.pem", "key.pem")]
    authority.cert_pem.write_to_path(files[0])
    for each in issued.cert_chain_pems:
        each.write_to_path(files[1], append=True)
    issued.private_key_pem.write_to_path(files[2])
    return CertificateFiles(*files)


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
def serve_in_thread(app: ASGIApp, files: CertificateFiles | None, port: int = 0) -> Iterator[str]:
    """Serve until the block ends, without `files` over plain http; gives the base address, such as
    `https://127.0.0.1:40123`."""
    listener = _listener(port)
    server = _server(app, files)
    loop = asyncio.new_event_loop()
    server.stop = asyncio.Event()
    thread = threading.Thread(target=_run, args=(loop, server, listener), name="office365-simulator", daemon=True)
    thread.start()
    try:
        yield _address(listener, files)
    finally:
        loop.call_soon_threadsafe(server.stop.set)
        thread.join(timeout=10)
        loop.close()
        listener.close()


@contextlib.asynccontextmanager
async def serve_in_loop(app: ASGIApp, files: CertificateFiles | None, port: int = 0) -> AsyncIterator[str]:
    """The same inside the running loop, for a program that already has one."""
    listener = _listener(port)
    server = _server(app, files)
    server.stop = asyncio.Event()
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield _address(listener, files)
    finally:
        server.stop.set()
        await task
        listener.close()


def _run(loop: asyncio.AbstractEventLoop, server: _Server, listener: socket.socket) -> None:
    asyncio.set_event_loop(loop)
    loop.run_until_complete(server.serve(sockets=[listener]))
    loop.run_until_complete(loop.shutdown_default_executor())


def _server(app: ASGIApp, files: CertificateFiles | None) -> _Server:
    config = uvicorn.Config(
        app,
        http=ConnectionInScope,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        ssl_certfile=files.chain if files else None,
        ssl_keyfile=files.key if files else None,
    )
    return _Server(config)


def _listener(port: int) -> socket.socket:
    """Bound and listening at once, so a client that comes before the loop runs only waits."""
    # asyncio switches Nagle's algorithm off only for sockets that say they are TCP; it costs 40 ms a call otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(512)
    return listener


def _address(listener: socket.socket, files: CertificateFiles | None) -> str:
    return f"{'https' if files else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
