"""What every request passes, over HTTP and WebSocket alike. Plain ASGI, so that no body is buffered on the way."""

import logging
import random
import re
import time
from collections.abc import Awaitable, Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from meetings.infrastructure import logs

log = logging.getLogger("meetings.http")

REQUEST_ID = "X-Request-Id"
_REQUEST_ID = REQUEST_ID.lower().encode()
MAX_BODY_BYTES = 64 * 1024
_ids = random.Random()  # noqa: S311  # ids tell requests apart and open nothing
_GOOD_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")


class RequestIds:
    """Gives every request an id, the caller's own if it looks like one: in the answer, in `request.state`, in the logs.

    Also writes the one log line per request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(scope)
        status, started = 0, time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start", "websocket.accept"):
                status = message.get("status", 101)
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answer)
            finally:
                log_request(request_id, scope.get("method", "WEBSOCKET"), scope["path"], status, started)


def request_id_of(scope: Scope) -> str:
    """The id of a request, given to it by the first who asks: its own if it looks like one."""
    state = scope.setdefault("state", {})
    found: str | None = state.get("request_id")
    if found is None:
        given = [value for name, value in scope["headers"] if name == _REQUEST_ID]
        wished = given[0].decode("latin-1") if given else ""
        found = state["request_id"] = wished if _GOOD_REQUEST_ID.fullmatch(wished) else f"{_ids.getrandbits(96):024x}"
    return found


def log_request(request_id: str, method: str, path: str, status: int, started: float) -> None:
    """The one line per request. `started` is when, by `time.perf_counter`."""
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    logs.log_request(request_id, method, path, status, milliseconds)


class UnexpectedErrors:
    """A mistake of ours is logged in full and answered with nothing but the request's id (GQ-4)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            log.exception("a request failed")
            if begun:
                raise
            request_id = scope.get("state", {}).get("request_id", "")
            text = f"Something went wrong on our side. If you report it, name this request: {request_id}\n"
            await PlainTextResponse(text, 500)(scope, receive, send)


class SecurityHeaders:
    """Headers that keep browsers from guessing, framing and telling others where somebody came from.

    A route that sets one of them itself is left alone.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",  # manage links are secrets that stand in an address
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if not headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
            await send(message)

        await self._app(scope, receive, answer if scope["type"] == "http" else send)


class BodyLimit:
    """Refuses requests with more than 64 KiB, also those that do not say how long they are."""

    def __init__(self, app: ASGIApp, *, most: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdigit() or int(length) > self._most:
            await PlainTextResponse("The request is too large.\n", 413)(scope, receive, send)
            return
        try:
            await self._app(scope, self._counted(receive), send)
        except _TooLarge:
            await PlainTextResponse("The request is too large.\n", 413)(scope, receive, send)

    def _counted(self, receive: Receive) -> Callable[[], Awaitable[Message]]:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise _TooLarge
            return message

        return counted


class _TooLarge(Exception):
    pass
