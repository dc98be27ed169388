"""The simulator's web application: who calls, at which rate, what for, and what goes wrong."""

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from meetings.adapters.hubspot.simulator import objects
from meetings.adapters.hubspot.simulator.errors import Json, Refusal, refusal_body
from meetings.adapters.hubspot.simulator.oauth import AUTHORIZE_PATH, REVOKE_PATH, TOKEN_PATH, SignIns, answered
from meetings.adapters.hubspot.simulator.portal import SimulatedPortal, property_of
from meetings.adapters.scripted_faults.delivery import deliver
from meetings.adapters.scripted_faults.faults import Fault, Faults

_KIND = r"(?P<kind>contacts|meetings|emails)"
_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("GET", AUTHORIZE_PATH, "oauth.page"),
    ("POST", AUTHORIZE_PATH, "oauth.decision"),
    ("POST", TOKEN_PATH, "oauth.token"),
    ("POST", REVOKE_PATH, "oauth.revoke"),
    ("POST", rf"/crm/v3/objects/{_KIND}/batch/(?P<verb>read|upsert|update|archive)", "batch"),
    ("POST", rf"/crm/v3/objects/{_KIND}/search", "search"),
    ("POST", r"/crm/v3/objects/(?P<kind>contacts)/gdpr-delete", "gdpr-delete"),
    ("PATCH", rf"/crm/v3/objects/{_KIND}/(?P<id>\d+)", "patch"),
    ("GET", r"/crm/v3/owners/?", "owners.list"),
    ("GET", rf"/crm/v3/properties/{_KIND}", "properties.list"),
    ("POST", rf"/crm/v3/properties/{_KIND}", "properties.create"),
    ("POST", rf"/crm/v3/properties/{_KIND}/groups", "properties.group"),
    ("POST", rf"/crm/v4/associations/{_KIND}/(?P<to>contacts|meetings|emails)/batch/associate/default", "associate"),
    ("POST", rf"/crm/v4/associations/{_KIND}/(?P<to>contacts|meetings|emails)/batch/read", "associated"),
)
_BATCH: dict[str, Callable[[SimulatedPortal, str, Json], tuple[int, Json | None]]] = {
    "read": objects.batch_read,
    "upsert": objects.batch_upsert,
    "update": objects.batch_update,
    "archive": objects.batch_archive,
}
_ASSOCIATED_PAGE = 500


@dataclass
class Call:
    """One request and what came of it. `operation` is such as `contacts.upsert`, `emails.search`, `owners.list`,
    `meetings.associate`, `oauth.token`; `account` the access token."""

    number: int
    verb: str
    path: str
    operation: str
    body: Any
    account: str | None
    at: float
    status: int = 0
    answer: Any = None
    fault: str | None = None
    worked: bool = False


@dataclass
class Simulation:
    """Portals by their token, the log of calls, and the faults. An ASGI application."""

    portals: dict[str, SimulatedPortal] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    sign_ins: SignIns = field(default_factory=SignIns)
    faults: Faults[Fault] = field(default_factory=Faults)
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = await request.body()
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        operation, named = _route(request.method, request.url.path)
        body = _read(operation, raw)
        with self.lock:
            call = Call(len(self.calls) + 1, request.method, request.url.path, operation, body, token, time.monotonic())
            self.calls.append(call)
        fault = self.faults.fault_for(call)
        if fault is not None:
            call.fault = fault.name
            await asyncio.sleep(fault.delay_before)
        if fault is not None and fault.replaces_the_work:
            response = _faulty(fault)
        else:
            response = self._answer(call, token, named, dict(request.query_params))
        for hook in self.faults.hooks_for(call):
            hook.action()
        if fault is not None:
            await asyncio.sleep(fault.delay)
        call.status = response.status_code
        await deliver(response, fault, scope, receive, send)

    def _answer(self, call: Call, token: str, named: dict[str, str], query: dict[str, str]) -> Response:
        if call.operation.startswith("oauth."):
            return self._sign_in(call, query)
        with self.lock:
            portal = self.portals.get(token) or self.sign_ins.portal_of(token, call.at)
        return self._work(call, portal, named, query)

    def _sign_in(self, call: Call, query: dict[str, str]) -> Response:
        with self.lock:
            by_hub_id = {portal.hub_id: portal for portal in self.portals.values()}
            match call.operation:
                case "oauth.page":
                    return self.sign_ins.page(query, by_hub_id)
                case "oauth.decision":
                    return self.sign_ins.decided(query, call.body, by_hub_id, call.at)
                case "oauth.token":
                    return answered(self.sign_ins.trade(call.body, call.at))
            return answered(self.sign_ins.revoke(call.body))

    def _work(
        self, call: Call, portal: SimulatedPortal | None, named: dict[str, str], query: dict[str, str]
    ) -> Response:
        if portal is None or portal.revoked:
            return JSONResponse(refusal_body("INVALID_AUTHENTICATION", "Authentication credentials not found"), 401)
        with self.lock:
            used = portal.used(call.at)
            search = call.operation.endswith(".search")
            if used >= portal.limit:
                return _limited(portal, "TEN_SECONDLY_ROLLING")
            if search and len(portal.searches) >= portal.search_limit:
                return _limited(portal, "SECONDLY")
            portal.calls.append(call.at)
            if search:
                portal.searches.append(call.at)
            headers = {
                "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(portal.interval * 1000)),
                "X-HubSpot-RateLimit-Max": str(portal.limit),
                "X-HubSpot-RateLimit-Remaining": str(portal.limit - used - 1),
            }
            if search:
                headers = {}  # search answers carry no such headers ("API usage guidelines")
            try:
                if call.operation.partition(".")[0] in portal.missing_scopes:
                    raise Refusal(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes")
                status, answer = _answer(portal, call, named, query)
            except Refusal as refused:
                status, answer = refused.status, refused.body
            call.worked = status < 300
            call.answer = answer
        if answer is None:
            return Response(status_code=status, headers=headers)
        return JSONResponse(answer, status, headers)


def _read(operation: str, raw: bytes) -> Any:
    if operation.startswith("oauth."):
        return dict(parse_qsl(raw.decode()))
    return json.loads(raw) if raw else None


def _route(method: str, path: str) -> tuple[str, dict[str, str]]:
    for verb, pattern, name in _ROUTES:
        found = re.fullmatch(pattern, path)
        if found and method == verb:
            named = {**found.groupdict(), "route": name}
            if "." in name:
                return name, named
            return f"{named['kind']}.{named['verb'] if name == 'batch' else name}", named
    return "unknown", {"route": "unknown"}


def _answer(portal: SimulatedPortal, call: Call, named: dict[str, str], query: dict[str, str]) -> tuple[int, Any]:
    kind = named.get("kind", "")
    match named["route"]:
        case "batch":
            return _BATCH[named["verb"]](portal, kind, call.body)
        case "search":
            return objects.search(portal, kind, call.body)
        case "gdpr-delete":
            return objects.gdpr_delete(portal, kind, call.body)
        case "patch":
            return objects.patch(portal, kind, named["id"], call.body)
        case "owners.list":
            return _owners(portal, query)
        case "properties.list":
            return 200, {"results": list(portal.properties[kind].values())}
        case "properties.create":
            return _create_property(portal, kind, call.body)
        case "properties.group":
            if call.body["name"] in portal.groups[kind]:
                raise Refusal(409, "OBJECT_ALREADY_EXISTS", "the group exists")
            portal.groups[kind].add(call.body["name"])
            return 201, {**call.body, "archived": False, "displayOrder": -1}
        case "associate":
            return _associate(portal, kind, named["to"], call.body)
        case "associated":
            return _associated(portal, kind, named["to"], call.body)
    raise Refusal(404, "OBJECT_NOT_FOUND", "no such address")


def _owners(portal: SimulatedPortal, query: dict[str, str]) -> tuple[int, Json]:
    limit, begin = int(query.get("limit", "100")), int(query.get("after", "0"))
    people = list(portal.owners.items())
    results = [
        {"id": owner, "email": email, "archived": False, "userId": int(owner)}
        for email, owner in people[begin : begin + limit]
    ]
    answer: Json = {"results": results}
    if len(people) > begin + limit:
        answer["paging"] = {"next": {"after": str(begin + limit)}}
    return 200, answer


def _create_property(portal: SimulatedPortal, kind: str, body: Json) -> tuple[int, Json]:
    """A property with unique values can be made for meetings and mails, too (assumed)."""
    if body["name"] in portal.properties[kind]:
        raise Refusal(409, "OBJECT_ALREADY_EXISTS", "the property exists")
    if body["groupName"] not in portal.groups[kind]:
        raise Refusal(400, "VALIDATION_ERROR", "no such group")
    made = property_of(body["name"], body["groupName"], hasUniqueValue=body.get("hasUniqueValue", False))
    portal.properties[kind][body["name"]] = made
    return 201, made


def _associate(portal: SimulatedPortal, kind: str, to: str, body: Json) -> tuple[int, Json]:
    for pair in body["inputs"]:
        one = portal.objects[kind].get(pair["from"]["id"])
        other = portal.objects[to].get(pair["to"]["id"])
        if one is None or other is None:
            raise Refusal(400, "VALIDATION_ERROR", "no such object")
        one.associated.add((to, other.id))
        other.associated.add((kind, one.id))
    return 200, {"status": "COMPLETE", "results": []}


def _associated(portal: SimulatedPortal, kind: str, to: str, body: Json) -> tuple[int, Json]:
    results = []
    for asked in body["inputs"]:
        one = portal.objects[kind].get(asked["id"])
        others = sorted((other for what, other in one.associated if what == to), key=int) if one else []
        if not others:
            continue
        begin = int(asked.get("after", "0"))
        page: Json = {
            "from": {"id": asked["id"]},
            "to": [{"toObjectId": int(each)} for each in others[begin : begin + _ASSOCIATED_PAGE]],
        }
        if len(others) > begin + _ASSOCIATED_PAGE:
            page["paging"] = {"next": {"after": str(begin + _ASSOCIATED_PAGE)}}
        results.append(page)
    return 200, {"status": "COMPLETE", "results": results}


def _limited(portal: SimulatedPortal, policy: str) -> Response:
    body = refusal_body("RATE_LIMITS", "You have reached your limit.", errorType="RATE_LIMIT", policyName=policy)
    return JSONResponse(body, 429)


def _faulty(fault: Fault) -> Response:
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    body = fault.body if fault.body is not None else json.dumps(refusal_body(fault.reason or "ERROR", "scripted"))
    return Response(body, fault.status or 200, headers, media_type=fault.content_type or "application/json")
