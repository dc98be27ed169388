"""Sending an answer, or spoiling it on the wire.

Faults below HTTP need the connection itself: `ConnectionInScope` hands uvicorn's transport to the application, with a
place to keep what belongs to the connection (a sign-in by NTLM).
"""

import asyncio
import socket
import struct
import zlib
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from meetings.adapters.scripted_faults.faults import Fault

_KEY = "simulator.connection"
_CHUNK = b" " * 65_536


class ConnectionInScope(HttpToolsProtocol):
    """uvicorn's HTTP protocol; requests carry their connection as an extension of the ASGI scope."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        application: ASGIApp = self.app
        kept: dict[str, Any] = {}

        async def with_connection(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[_KEY] = {"transport": self.transport, "kept": kept}
            await application(scope, receive, send)

        self.app = with_connection


def kept_by(scope: Scope) -> dict[str, Any]:
    """What this connection remembers; nothing lasts on a server of another kind."""
    extension = scope.get("extensions", {}).get(_KEY)
    return {} if extension is None else extension["kept"]


async def deliver(response: Response, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
    if fault is None:
        await response(scope, receive, send)
    elif fault.reset or fault.drop_after_commit:
        _close(_transport(scope), reset=fault.reset)
        await _until_gone(receive)
    elif fault.spoils_the_body:
        if isinstance(response, StreamingResponse):
            raise RuntimeError("a stream cannot be spoiled; end it instead")
        await _send_spoiled(response, fault, scope, receive)
    else:
        await response(scope, receive, send)


async def _send_spoiled(response: Response, fault: Fault, scope: Scope, receive: Receive) -> None:
    """Write the answer by hand: uvicorn would not let the body differ from its announced length."""
    transport = _transport(scope)
    body = bytes(response.body) + b" " * fault.huge_bytes
    head = [f"HTTP/1.1 {response.status_code} simulated", "connection: close"]
    if fault.compressed_bytes:
        body = _compressed(body, fault.compressed_bytes)
        head.append("content-encoding: gzip")
    head += [] if fault.endless else [f"content-length: {len(body)}"]
    head += [f"{k.decode()}: {v.decode()}" for k, v in response.raw_headers if k != b"content-length"]
    transport.write("\r\n".join([*head, "", ""]).encode())
    if fault.drip_seconds:
        for byte in body:
            if transport.is_closing():
                break
            transport.write(bytes([byte]))
            await asyncio.sleep(fault.drip_seconds)
    else:
        transport.write(body[: len(body) // 2] if fault.cut_off_body else body)
    while fault.endless and not transport.is_closing():
        if transport.get_write_buffer_size() < 4 * len(_CHUNK):
            transport.write(_CHUNK)
        await asyncio.sleep(0.001)
    _close(transport, reset=False)
    await _until_gone(receive)


def _compressed(body: bytes, blanks: int) -> bytes:
    """The body and that many blanks, in one part: some clients read only the first of several."""
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(body), *(packer.compress(_CHUNK) for _ in range(blanks // len(_CHUNK) + 1))]
    return b"".join([*parts, packer.flush()])


def _transport(scope: Scope) -> asyncio.Transport:
    extension = scope.get("extensions", {}).get(_KEY)
    if extension is None:
        raise RuntimeError("this fault needs the simulator's own server: its `serve` or `running`")
    transport: asyncio.Transport = extension["transport"]
    return transport


def _close(transport: asyncio.Transport, *, reset: bool) -> None:
    if not reset:
        transport.close()
        return
    connection = transport.get_extra_info("socket")
    # Lingering for zero seconds makes the kernel answer with RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _until_gone(receive: Receive) -> None:
    """Let uvicorn notice that the client is gone, or it logs a missing answer."""
    while (await receive())["type"] != "http.disconnect":
        pass
