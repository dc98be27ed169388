"""The server's HTTP protocol, with the head and the body of an answer written in one go.

The server writes them one after the other (uvicorn 0.54, `RequestResponseCycle.send`), and its event loop hands each to
the system at once (uvloop 0.23): a second way through the network and a second time to wake the reader, which is a
fifth of what an answer from memory takes.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_AT_ONCE = 64 * 1024
"""Bytes that wait at most. What is longer is written right away, so that the transport says when it has no room."""


class JoinedWrites:
    """A transport that writes what it is given in one turn of the event loop together, at the turn's end; for the rest,
    the one given."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what waits. Nothing if it was written before, or if nobody is there any more."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        if waiting and not self.transport.is_closing():
            self.transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def close(self) -> None:
        """Close when everything was written."""
        self.flush()
        self.transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


class WholeAnswers(HttpToolsProtocol):
    """Writes through `JoinedWrites`. A connection that becomes a WebSocket gets its own transport back."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # TCP only, as uvicorn
        super().connection_made(transport)
        self._joined = JoinedWrites(transport, self.loop)
        self.transport = cast(asyncio.Transport, self._joined)

    def handle_websocket_upgrade(self) -> None:
        self._joined.flush()
        self.transport = self._joined.transport
        super().handle_websocket_upgrade()
