"""The ASGI application: finds what is asked for, checks who asks, does the work, logs the call, applies faults."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from lxml import etree
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from meetings.adapters.exchange.simulator import autodiscover, pages, soap
from meetings.adapters.exchange.simulator.answers import XML, fault_answer, scripted, status_page, unauthorized
from meetings.adapters.exchange.simulator.calls import Call
from meetings.adapters.exchange.simulator.errors import EwsFault
from meetings.adapters.exchange.simulator.faults import Fault
from meetings.adapters.exchange.simulator.operations import STREAMING, Operations, operation_of
from meetings.adapters.exchange.simulator.settings import Autodiscover, Settings
from meetings.adapters.exchange.simulator.signin import Gate, Refused
from meetings.adapters.exchange.simulator.soap import Element
from meetings.adapters.exchange.simulator.streaming import Streams
from meetings.adapters.exchange.simulator.world import Account, World
from meetings.adapters.scripted_faults.calls import CallLog
from meetings.adapters.scripted_faults.delivery import deliver, kept_by
from meetings.adapters.scripted_faults.faults import Faults

logger = logging.getLogger(__name__)

EWS_PATH = "/ews/exchange.asmx"


@dataclass(frozen=True)
class _Stream:
    ids: list[str]
    seconds: float
    owner: str


class SimulatorApp:
    """Give it to any ASGI server; faults below HTTP and NTLM need the simulator's own."""

    def __init__(
        self,
        world: World,
        settings: Settings,
        operations: Operations,
        streams: Streams,
        log: CallLog[Call],
        faults: Faults[Fault],
    ) -> None:
        self._world = world
        self._settings = settings
        self._operations = operations
        self._streams = streams
        self._log = log
        self._faults = faults
        self._gate = Gate(world, settings)
        self._running: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        http = HttpRequest(scope, receive)
        call = self._arrived(http, await http.body())
        account: Account | None = None
        refused: Refused | None = None
        try:
            account = self._signed_in(call, http, scope)
        except Refused as refusal:
            refused = refusal
        fault = self._faults.fault_for(call)
        if fault is not None:
            call.fault = fault.name
        elif refused is not None:
            await self._finished(call, unauthorized(refused))(scope, receive, send)
            return
        with _Counted(self._running, call.account) as running:
            answer = await self._answer(call, http, account, refused, fault, running)
            if fault is not None:
                await asyncio.sleep(fault.delay)
            await deliver(answer, fault, scope, receive, send)

    async def _answer(
        self,
        call: Call,
        http: HttpRequest,
        account: Account | None,
        refused: Refused | None,
        fault: Fault | None,
        running: int,
    ) -> Response:
        if fault is not None:
            await asyncio.sleep(fault.delay_before)
        if fault is not None and fault.replaces_the_work:
            in_messages = call.operation in self._operations.handlers
            answer = scripted(call, fault, self._settings.version, self._gate.challenges, in_messages=in_messages)
            self._log.finish(call, 0 if fault.reset else answer.status_code, bytes(answer.body), worked=False)
            return answer
        if refused is not None:
            return self._finished(call, unauthorized(refused))
        answer = self._work(call, http, account, running)
        for hook in self._faults.hooks_for(call):
            # In a thread: the hook may itself call the simulator over HTTP.
            await asyncio.to_thread(hook.action)
        return answer

    def _arrived(self, http: HttpRequest, raw: bytes) -> Call:
        path = http.scope["path"]
        body = _parsed(raw)
        headers = http.headers.mutablecopy()
        del headers["authorization"]
        client = http.scope.get("client") or ("", 0)
        return self._log.arrive(
            verb=http.method,
            path=path,
            host=http.headers.get("host", ""),
            secure=http.url.scheme == "https",
            operation=_operation(http.method, path.lower().rstrip("/") or "/", body),
            headers=headers,
            raw=raw,
            body=body,
            peer=(client[0], client[1]),
            via=http.headers.get("via") or http.headers.get("x-forwarded-for"),
            at=self._world.now(),
            monotonic_seconds=time.monotonic(),
            scheme=http.headers.get("authorization", "").partition(" ")[0] or None,
        )

    def _signed_in(self, call: Call, http: HttpRequest, scope: Scope) -> Account | None:
        """Who asks, where that matters; None for pages anybody may see. Raises Refused."""
        if call.operation in ("page", "unknown", "autodiscover.redirect"):
            return None
        set_up = self._autodiscover(call)
        if call.operation.startswith("autodiscover.") and (set_up.absent or set_up.http_redirect):
            return None
        with self._world.lock:
            account = self._gate.account_of(http.headers, kept_by(scope))
        call.account = account.email
        call.scheme = call.scheme or "connection"
        return account

    def _work(self, call: Call, http: HttpRequest, account: Account | None, running: int) -> Response:
        base = f"{http.url.scheme}://{call.host}"
        with self._world.lock:
            try:
                return self._finished(call, self._dispatched(call, base, account, running))
            except EwsFault as fault:
                return self._finished(call, fault_answer(fault))
            except Exception:
                logger.exception("the Exchange simulator failed at %s", call.operation)
                return self._finished(call, fault_answer(EwsFault("ErrorInternalServerError")))

    def _dispatched(self, call: Call, base: str, account: Account | None, running: int) -> Response:
        set_up = self._autodiscover(call)
        if call.operation.startswith("autodiscover."):
            if set_up.absent:
                return status_page(404)
            if set_up.http_redirect:
                return RedirectResponse(set_up.http_redirect, 302)
            if account is None:
                return status_page(404)
            return self._discovered(call, base)
        if call.operation == "unknown":
            return status_page(404)
        if call.operation == "page":
            return _shown(call)
        assert account is not None
        if call.verb != "POST":
            return HTMLResponse(pages.ews_page(), 200)
        if "text/xml" not in call.headers.get("content-type", ""):
            return status_page(415)
        if call.body is None:
            return status_page(400)
        return self._operated(call, call.body, account, running)

    def _operated(self, call: Call, body: Element, account: Account, running: int) -> Response:
        """Raises EwsFault: more calls at once than EWSMaxConcurrency allows, or a request that cannot be understood."""
        streams = self._streams.count_of(account.email)
        if running > self._settings.most_at_once + streams:
            raise EwsFault("ErrorExceededConnectionCount")
        operation, request = self._operations.request(body, account)
        if operation != STREAMING:
            answer = self._operations.handlers[operation](request)
            return Response(soap.envelope(answer, self._settings.version), 200, media_type=XML)
        if streams >= self._settings.most_streams:
            raise EwsFault("ErrorExceededConnectionCount")
        asked = self._streams.asked(request)
        if isinstance(asked, tuple):
            return StreamingResponse(self._streamed(call, _Stream(*asked, account.email)), 200, media_type=XML)
        return Response(soap.envelope(asked, self._settings.version), 200, media_type=XML)

    async def _streamed(self, call: Call, stream: _Stream) -> AsyncIterator[bytes]:
        async for part in self._streams.run(stream.ids, stream.seconds, stream.owner):
            call.answer += part
            yield part

    def _discovered(self, call: Call, base: str) -> Response:
        about = (self._autodiscover(call), self._world, f"{base}/EWS/Exchange.asmx", self._settings.version)
        if call.operation == "autodiscover.pox":
            return Response(autodiscover.pox(call.raw, *about), 200, media_type=XML)
        if call.body is None:
            return status_page(400)
        return Response(autodiscover.soap(call.body, *about), 200, media_type=XML)

    def _autodiscover(self, call: Call) -> Autodiscover:
        return self._settings.autodiscover.at(f"https://{call.host}{call.path}")

    def _finished(self, call: Call, answer: Response) -> Response:
        body = b"" if isinstance(answer, StreamingResponse) else bytes(answer.body)
        self._log.finish(call, answer.status_code, body, worked=True)
        return answer


class _Counted:
    """How many calls of one account run at once, this one included."""

    def __init__(self, running: dict[str, int], account: str | None) -> None:
        self._running = running
        self._account = account or ""

    def __enter__(self) -> int:
        self._running[self._account] = self._running.get(self._account, 0) + 1
        return self._running[self._account]

    def __exit__(self, *_: Any) -> None:
        self._running[self._account] -= 1


def _operation(verb: str, path: str, body: Element | None) -> str:
    if path == EWS_PATH:
        found = operation_of(body)
        return found[0] if found else "ews"
    if path in (autodiscover.POX_PATH, autodiscover.SOAP_PATH):
        if verb == "GET":
            return "autodiscover.redirect"
        return "autodiscover.pox" if path == autodiscover.POX_PATH else "autodiscover.soap"
    return "page" if path == "/" or path.startswith("/owa") else "unknown"


def _shown(call: Call) -> Response:
    """`/` leads to Outlook on the web, and so does every page of it that wants a sign-in."""
    if call.path in ("", "/"):
        return RedirectResponse("/owa/", 302)
    return HTMLResponse(pages.login_page())


def _parsed(raw: bytes) -> Element | None:
    try:
        return soap.read(raw) if raw else None
    except etree.XMLSyntaxError:
        return None
