"""The ASGI application: finds the operation, checks the token, does the work, logs the call, applies faults."""

import asyncio
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from meetings.adapters.google.simulator import errors, mail_batch, pages
from meetings.adapters.google.simulator.api import CalendarApi, Request
from meetings.adapters.google.simulator.calls import Call
from meetings.adapters.google.simulator.consent import ConsentPages
from meetings.adapters.google.simulator.errors import GoogleError, Json, OAuthError
from meetings.adapters.google.simulator.grants import Grants, userinfo
from meetings.adapters.google.simulator.listing import page_number
from meetings.adapters.google.simulator.mail_api import MailApi
from meetings.adapters.google.simulator.methods import BASE_PATHS, find_method, methods, read_query
from meetings.adapters.google.simulator.partial import select
from meetings.adapters.google.simulator.world import Account, World
from meetings.adapters.scripted_faults.calls import CallLog
from meetings.adapters.scripted_faults.credentials import basic_credentials, bearer
from meetings.adapters.scripted_faults.delivery import deliver
from meetings.adapters.scripted_faults.faults import Fault, Faults

logger = logging.getLogger(__name__)

AUTH_PATH, TOKEN_PATH, REVOKE_PATH, USERINFO_PATH = "/o/oauth2/v2/auth", "/token", "/revoke", "/oauth2/v3/userinfo"
_OWN_OPERATIONS = {
    ("GET", AUTH_PATH): "oauth.authorize",
    ("POST", AUTH_PATH): "oauth.consent",
    ("POST", TOKEN_PATH): "oauth.token",
    ("POST", REVOKE_PATH): "oauth.revoke",
    ("GET", USERINFO_PATH): "oauth.userinfo",
    ("POST", USERINFO_PATH): "oauth.userinfo",
    ("POST", mail_batch.BATCH_PATH): "batch",
}


class SimulatorApp:
    """Give it to any ASGI server; faults below HTTP need the simulator's own."""

    def __init__(
        self,
        world: World,
        grants: Grants,
        consent: ConsentPages,
        api: CalendarApi,
        mail: MailApi,
        log: CallLog[Call],
        faults: Faults[Fault],
    ) -> None:
        self._world = world
        self._grants = grants
        self._consent = consent
        self._handlers = {**api.handlers, **mail.handlers}
        self._log = log
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        http = HttpRequest(scope, receive)
        raw = await http.body()
        call = self._arrived(http, raw)
        fault = self._faults.fault_for(call)
        if fault is not None:
            call.fault = fault.name
            await asyncio.sleep(fault.delay_before)
        if fault is not None and fault.replaces_the_work:
            response = _scripted(call, fault)
            self._log.finish(call, 0 if fault.reset else response.status_code, None, worked=False)
        else:
            response = self._work(call, str(http.base_url).rstrip("/"), raw)
            for hook in self._faults.hooks_for(call):
                # In a thread: the hook may itself call the simulator over HTTP.
                await asyncio.to_thread(hook.action)
        if fault is not None:
            await asyncio.sleep(fault.delay)
        await deliver(response, fault, scope, receive, send)

    def _arrived(self, http: HttpRequest, raw: bytes) -> Call:
        path = http.scope["path"]
        found = find_method(http.method, path)
        own = _OWN_OPERATIONS.get((http.method, path), "page" if not path.startswith(BASE_PATHS) else "unknown")
        with self._world.lock:
            known = self._grants.account_of(bearer(http.headers.get("authorization")) or "")
            return self._log.arrive(
                verb=http.method,
                path=path,
                operation=found[0].name if found else own,
                path_parameters=found[1] if found else {},
                query=http.query_params,
                headers=http.headers,
                body=_parsed(http.headers.get("content-type", ""), raw),
                at=self._world.now(),
                monotonic_seconds=time.monotonic(),
                page=page_number(dict(http.query_params)),
                account=known[0].email if known else None,
            )

    def _work(self, call: Call, base_url: str, raw: bytes = b"") -> Response:
        with self._world.lock:
            try:
                batch = call.operation == "batch"
                response = self._batch(call, base_url, raw) if batch else self._answer(call, base_url)
            except (GoogleError, OAuthError) as error:
                headers = error.headers if isinstance(error, GoogleError) else {}
                response = _json(error.body, error.status, headers)
            except Exception:
                logger.exception("the Google simulator failed at %s", call.operation)
                response = _json(errors.scripted(500).body, 500, {})
        answer = _parsed(response.headers.get("content-type", ""), response.body)
        self._log.finish(call, response.status_code, answer, worked=True)
        return response

    def _answer(self, call: Call, base_url: str) -> Response:
        if call.operation == "page":
            return self._page(call)
        if call.operation == "unknown":
            return HTMLResponse(pages.page("Error 404 (Not Found)", "<p>404. That's an error.</p>"), status_code=404)
        if call.operation.startswith("oauth."):
            return self._oauth(call)
        method = next(each for each in methods() if each.name == call.operation)
        account = self._authorized(call, method.scopes)
        handler = self._handlers.get(call.operation)
        if handler is None:
            raise GoogleError(501, "notImplemented", f"{call.operation} is not simulated.")
        query = read_query(method, call.query)
        if call.verb in ("POST", "PUT", "PATCH") and not isinstance(call.body, dict):
            raise GoogleError(400, "parseError", "Parse Error")
        request = Request(
            account=account,
            path=call.path_parameters,
            query=query,
            body=call.body or {},
            if_match=call.headers.get("if-match"),
            base_url=base_url,
        )
        body = handler(request)
        if body is None:
            return Response(status_code=204)
        if call.verb == "GET" and body.get("etag") and call.headers.get("if-none-match") == body["etag"]:
            # Conditional retrieval ("Get specific versions of resources").
            return Response(status_code=304)
        return _json(select(body, call.query["fields"]) if call.query.get("fields") else body, 200, _etag(body))

    def _batch(self, call: Call, base_url: str, raw: bytes) -> Response:
        """Each request is worked and logged as if it had come alone, with the token of the whole where it has none.

        A token that is not good is refused for the whole (assumed).
        """
        token = call.headers.get("authorization", "")
        if self._grants.account_of(bearer(token) or "") is None:
            raise errors.invalid_credentials() if token else errors.login_required()
        parts = mail_batch.taken_apart(call.headers.get("content-type", ""), raw)
        return mail_batch.put_together([(part.content_id, self._part(call, part, base_url)) for part in parts])

    def _part(self, call: Call, part: mail_batch.Inner, base_url: str) -> Response:
        found = find_method(part.verb, part.path)
        inner = self._log.arrive(
            verb=part.verb,
            path=part.path,
            operation=found[0].name if found else "unknown",
            path_parameters=found[1] if found else {},
            query=part.query,
            headers=Headers({"authorization": call.headers.get("authorization", ""), **part.headers}),
            body=part.body,
            at=self._world.now(),
            monotonic_seconds=time.monotonic(),
            account=call.account,
            within=call.number,
        )
        fault = self._faults.fault_for(inner)
        if fault is None or not fault.replaces_the_work:
            return self._work(inner, base_url)
        inner.fault = fault.name
        response = _scripted(inner, fault)
        self._log.finish(inner, response.status_code, None, worked=False)
        return response

    def _authorized(self, call: Call, scopes: frozenset[str]) -> Account:
        """The account behind the bearer token, if one of `scopes` was granted."""
        token = bearer(call.headers.get("authorization"))
        if token is None:
            raise errors.login_required()
        known = self._grants.account_of(token)
        if known is None:
            raise errors.invalid_credentials()
        account, granted = known
        if not granted & scopes:
            raise errors.insufficient_scopes(sorted(scopes))
        return account

    def _oauth(self, call: Call) -> Response:
        form = call.body if isinstance(call.body, dict) else {}
        single = {name: values[-1] for name, values in form.items() if isinstance(values, list)}
        if call.operation == "oauth.authorize":
            return self._consent.show(call.query)
        if call.operation == "oauth.consent":
            return self._consent.decide(form)
        if call.operation == "oauth.token":
            single |= basic_credentials(call.headers.get("authorization"))
            return _json(self._grants.exchange(single), 200, {"Cache-Control": "no-store"})
        if call.operation == "oauth.revoke":
            self._grants.revoke(single.get("token") or call.query.get("token", ""))
            return _json({}, 200, {})
        known = self._grants.account_of(bearer(call.headers.get("authorization")) or "")
        if known is None:
            raise OAuthError(401, "invalid_request", "Invalid Credentials")
        return _json(userinfo(*known), 200, {})

    def _page(self, call: Call) -> Response:
        user = call.path.removeprefix("/calendar/u/")
        if call.path == "/":
            return HTMLResponse(pages.index_page(self._world))
        if user in self._world.accounts:
            return HTMLResponse(pages.account_page(self._world, self._world.accounts[user]))
        owner = self._world.accounts.get(call.path.removeprefix("/mail/u/"))
        if owner is not None:
            return HTMLResponse(pages.mailbox_page(owner))
        if call.path == "/calendar/event":
            return HTMLResponse(pages.event_page(self._world, call.query.get("eid", "")))
        raise errors.not_found()


def _scripted(call: Call, fault: Fault) -> Response:
    """The answer a fault gives instead of the work."""
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    status = fault.status or 200
    if fault.body is not None or fault.content_type is not None:
        body = "<html><body>Sign in to the network</body></html>" if fault.body is None else fault.body
        return Response(body, status, headers, media_type=fault.content_type or "application/json")
    if call.operation.startswith("oauth."):
        words = {"error": fault.reason or "server_error", "error_description": "Scripted."}
        return _json(words, status, headers)
    error = errors.scripted(status, fault.reason)
    return _json(error.body, status, {**error.headers, **headers})


def _json(body: Json, status: int, headers: dict[str, str]) -> Response:
    return JSONResponse(body, status, headers, media_type="application/json; charset=UTF-8")


def _etag(body: Json) -> dict[str, str]:
    return {"ETag": body["etag"]} if "etag" in body else {}


def _parsed(content_type: str, raw: bytes | memoryview) -> Any:
    """JSON, or a form as lists by name; None for anything else."""
    data = bytes(raw)
    if "x-www-form-urlencoded" in content_type:
        return parse_qs(data.decode(), keep_blank_values=True)
    if "json" in content_type and data:
        try:
            return json.loads(data)
        except ValueError:
            return None
    return None
