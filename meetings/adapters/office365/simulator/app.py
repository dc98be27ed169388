"""The ASGI application: finds the operation, checks the token, does the work, logs the call, applies faults."""

import asyncio
import json
import logging
import time
import uuid
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from meetings.adapters.office365.simulator import errors, events, pages
from meetings.adapters.office365.simulator.api import CalendarApi, Request, page_number
from meetings.adapters.office365.simulator.calls import Call
from meetings.adapters.office365.simulator.consent import ConsentPages
from meetings.adapters.office365.simulator.errors import EntraError, GraphError
from meetings.adapters.office365.simulator.grants import Grants
from meetings.adapters.office365.simulator.id_tokens import IdTokens
from meetings.adapters.office365.simulator.odata import read_prefer
from meetings.adapters.office365.simulator.openid import configuration
from meetings.adapters.office365.simulator.operations import CALLING_BACK, find_operation
from meetings.adapters.office365.simulator.world import Account, World, immutable_id
from meetings.adapters.scripted_faults.calls import CallLog
from meetings.adapters.scripted_faults.credentials import basic_credentials, bearer
from meetings.adapters.scripted_faults.delivery import deliver
from meetings.adapters.scripted_faults.faults import Fault, Faults

logger = logging.getLogger(__name__)

_GRAPH_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_OPTIONS = frozenset("$select $expand $filter $top $skip $skiptoken $deltatoken".split())


class SimulatorApp:
    """Give it to any ASGI server; faults below HTTP need the simulator's own."""

    def __init__(
        self,
        world: World,
        grants: Grants,
        id_tokens: IdTokens,
        consent: ConsentPages,
        api: CalendarApi,
        log: CallLog[Call],
        faults: Faults[Fault],
    ) -> None:
        self._world = world
        self._grants = grants
        self._id_tokens = id_tokens
        self._consent = consent
        self._api = api
        self._log = log
        self._faults = faults
        self._running: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        http = HttpRequest(scope, receive)
        call = self._arrived(http, await http.body())
        fault = self._faults.fault_for(call)
        if fault is not None:
            call.fault = fault.name
            await asyncio.sleep(fault.delay_before)
        if fault is not None and fault.replaces_the_work:
            response = self._scripted(call, fault)
            self._log.finish(call, 0 if fault.reset else response.status_code, None, worked=False)
        else:
            response = await self._counted(call, str(http.base_url).rstrip("/"))
            for hook in self._faults.hooks_for(call):
                # In a thread: the hook may itself call the simulator over HTTP.
                await asyncio.to_thread(hook.action)
        if fault is not None:
            await asyncio.sleep(fault.delay)
        await deliver(response, fault, scope, receive, send)

    def _arrived(self, http: HttpRequest, raw: bytes) -> Call:
        operation, parameters, _ = find_operation(http.method, http.scope["path"])
        query = {name.lower(): value for name, value in http.query_params.items()}
        with self._world.lock:
            known = self._grants.account_of(bearer(http.headers.get("authorization")) or "")
            return self._log.arrive(
                verb=http.method,
                path=http.scope["path"],
                operation=operation,
                path_parameters=parameters,
                query=http.query_params,
                headers=http.headers,
                body=_parsed(http.headers.get("content-type", ""), raw),
                at=self._world.now(),
                monotonic_seconds=time.monotonic(),
                page=page_number(query, self._api.settings.largest_page),
                account=known[0].email if known else None,
            )

    async def _counted(self, call: Call, base_url: str) -> Response:
        """The work, unless too many calls for one mailbox run already: four at once for one app ("Microsoft Graph
        service-specific throttling limits", Outlook)."""
        if call.account is None or not call.path.startswith("/v1.0"):
            return self._work(call, base_url)
        self._running[call.account] = self._running.get(call.account, 0) + 1
        try:
            if self._running[call.account] > self._api.settings.concurrent_calls:
                response = self._graph_error(call, errors.mailbox_busy())
                self._log.finish(call, 429, json.loads(bytes(response.body)), worked=True)
                return response
            if self._api.settings.service_seconds:
                await asyncio.sleep(self._api.settings.service_seconds)
            if call.operation in CALLING_BACK:
                return await asyncio.to_thread(self._work, call, base_url)
            return self._work(call, base_url)
        finally:
            self._running[call.account] -= 1

    def _work(self, call: Call, base_url: str) -> Response:
        try:
            if call.operation in CALLING_BACK:
                response = self._answer(call, base_url)
            else:
                with self._world.lock:
                    response = self._answer(call, base_url)
        except GraphError as error:
            response = self._graph_error(call, error)
        except EntraError as error:
            response = JSONResponse(error.body(self._world.now()), error.status)
        except Exception:
            logger.exception("the Office 365 simulator failed at %s", call.operation)
            response = self._graph_error(call, errors.scripted(500))
        answer = _parsed(response.headers.get("content-type", ""), response.body)
        self._log.finish(call, response.status_code, answer, worked=True)
        return response

    def _answer(self, call: Call, base_url: str) -> Response:
        if call.operation == "page":
            return self._page(call)
        if call.operation == "unknown":
            segment = call.path.rpartition("/")[2]
            raise errors.bad_request(f"Resource not found for the segment '{segment}'.")
        if call.operation.startswith("oauth."):
            return self._sign_in(call, base_url)
        return self._graph(call, base_url)

    def _graph(self, call: Call, base_url: str) -> Response:
        account, client_id = self._authorized(call)
        query = {name.lower(): value for name, value in call.query.items()}
        # Delta ignores what it does not take; elsewhere what is not simulated is refused, so that it shows.
        unknown = {name for name in query if name.startswith("$")} - _OPTIONS
        if unknown and call.operation != "calendarView.delta":
            raise errors.bad_request(f"The query parameter '{sorted(unknown)[0]}' is not supported.")
        unread = call.body is None or (isinstance(call.body, str) and call.operation != "messages.create")
        if call.verb in ("POST", "PATCH") and unread and call.headers.get("content-length", "0") != "0":
            raise errors.bad_request("Unable to read JSON request payload. Please ensure Content-Type header is set.")
        prefer = read_prefer({"prefer": ", ".join(call.headers.getlist("prefer"))})
        request = Request(
            account=account,
            client_id=client_id,
            path=call.path_parameters,
            url=base_url + call.path,
            query=query,
            body=call.body if isinstance(call.body, dict) else {},
            prefer=prefer,
            if_match=call.headers.get("if-match"),
            content=call.body if isinstance(call.body, str) else None,
        )
        answer = self._api.answer(call.operation, request)
        headers = self._headers(call)
        if prefer.applied:
            headers["Preference-Applied"] = prefer.applied
        if answer.location is not None:
            headers["Location"] = answer.location
        if answer.content is not None:
            return Response(answer.content, answer.status, headers, media_type="text/plain")
        if answer.body is None:
            return Response(status_code=answer.status, headers=headers)
        return JSONResponse(answer.body, answer.status, headers, media_type=_GRAPH_TYPE)

    def _authorized(self, call: Call) -> tuple[Account, str]:
        """The account behind the bearer token, if one of the operation's permissions was granted."""
        token = bearer(call.headers.get("authorization"))
        if token is None:
            raise errors.bad_token("Access token is empty.")
        known = self._grants.account_of(token)
        if known is None and not self._grants.knows(token):
            raise errors.bad_token("IDX14100: JWT is not well formed.")
        if known is None:
            raise errors.bad_token()
        account, granted, client_id = known
        user = call.path_parameters.get("user", account.object_id).lower()
        if user not in (account.object_id, account.email, account.user_principal_name):
            raise errors.access_denied()
        needed = find_operation(call.verb, call.path)[2]
        if needed and not granted & (needed | {".default"}):
            if call.operation == "me.get":
                message = "Insufficient privileges to complete the operation."
                raise GraphError(403, "Authorization_RequestDenied", message)
            raise errors.access_denied()
        return account, client_id

    def _sign_in(self, call: Call, base_url: str) -> Response:
        tenant = call.path_parameters["tenant"]
        form = call.body if isinstance(call.body, dict) else {}
        if call.operation == "oauth.configuration":
            return JSONResponse(configuration(self._world, tenant, base_url))
        if call.operation == "oauth.keys":
            return JSONResponse(self._id_tokens.key_set())
        if call.operation == "oauth.authorize":
            return self._consent.show(tenant, call.query)
        if call.operation == "oauth.consent":
            return self._consent.decide(form)
        if call.operation == "oauth.logout":
            return HTMLResponse(pages.page("Sign out", "<h1>You signed out of your account</h1>"))
        single = {name: values[-1] for name, values in form.items() if isinstance(values, list)}
        single |= basic_credentials(call.headers.get("authorization"))
        answer = self._grants.exchange(tenant, single, base_url)
        return JSONResponse(answer, 200, {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})

    def _page(self, call: Call) -> Response:
        if call.path == "/":
            return HTMLResponse(pages.index_page(self._world))
        if call.path == "/owa/":
            return self._event_page(call.query.get("itemid", ""))
        account = self._world.accounts.get(call.path.removeprefix("/calendar/"))
        if account is None:
            return HTMLResponse(pages.page("Not found", "<h1>404</h1>"), status_code=404)
        return HTMLResponse(pages.account_page(self._world, account))

    def _event_page(self, event_id: str) -> Response:
        """The page behind an event's webLink."""
        for calendar in self._world.calendars.values():
            try:
                found = events.find(calendar, immutable_id(event_id))
            except GraphError:
                continue
            return HTMLResponse(pages.event_page(found.fields, calendar))
        return HTMLResponse(pages.page("Not found", "<p>This event is not there any more.</p>"), status_code=404)

    def _graph_error(self, call: Call, error: GraphError) -> Response:
        headers = self._headers(call)
        body = error.body(headers["request-id"], headers["client-request-id"], self._world.now())
        return JSONResponse(body, error.status, {**headers, **error.headers}, media_type="application/json")

    def _headers(self, call: Call) -> dict[str, str]:
        request_id = str(uuid.uuid4())
        return {
            "request-id": request_id,
            "client-request-id": call.headers.get("client-request-id", request_id),
            "OData-Version": "4.0",
            "Cache-Control": "private",
        }

    def _scripted(self, call: Call, fault: Fault) -> Response:
        """The answer a fault gives instead of the work."""
        headers = dict(fault.headers)
        if fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
        status = fault.status or 200
        if fault.body is not None or fault.content_type is not None:
            body = "<html><body>Sign in to the network</body></html>" if fault.body is None else fault.body
            return Response(body, status, headers, media_type=fault.content_type or "application/json")
        if call.operation.startswith("oauth."):
            error = EntraError(fault.reason or "temporarily_unavailable", 90033, "A transient error has occurred.")
            return JSONResponse(error.body(self._world.now()), status, headers)
        response = self._graph_error(call, errors.scripted(status, fault.reason))
        response.headers.update(headers)
        return response


def _parsed(content_type: str, raw: bytes | memoryview) -> Any:
    """JSON, a form as lists by name, or plain text; None for anything else."""
    data = bytes(raw)
    if "x-www-form-urlencoded" in content_type:
        return parse_qs(data.decode(), keep_blank_values=True)
    if "json" in content_type and data:
        try:
            return json.loads(data)
        except ValueError:
            return None
    return data.decode("ascii", "replace") if data and content_type.startswith("text/plain") else None
