"""The endpoint: operations by POST and over WebSocket, the explorer page by GET, and who may send what (GQ-5, GQ-6)."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from cross_web import HTTPException
from fastapi import Request, Response, WebSocket
from graphql import GraphQLError
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.exceptions import ConnectionRejectionError
from strawberry.fastapi import GraphQLRouter
from strawberry.http.parse_content_type import parse_content_type
from strawberry.http.websocket_origin import is_same_origin, normalize_origin
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL, MULTIPART_SUBSCRIPTION_PROTOCOL
from strawberry.types.unset import UNSET, UnsetType

from meetings.application.chat_links import ChatLinks
from meetings.application.links import token_hash
from meetings.application.page_memory import PageMemory
from meetings.application.toolbox import Toolbox
from meetings.application.watch_availability import AvailabilityWatch
from meetings.domain.base import DomainError
from meetings.graphql.context import Connection, Operation, Product, bearer
from meetings.graphql.explorer import CONTENT_SECURITY_POLICY, explorer_page
from meetings.graphql.feeds import Feeds
from meetings.graphql.kept_answers import KeptAnswer, KeptAnswers, Question, asked_in
from meetings.graphql.options import ApiOptions
from meetings.graphql.planned_documents import DoesNotFit, PlannedDocuments, Ready, posted
from meetings.graphql.rate_limits import Limiter, network_of
from meetings.graphql.schema import schema
from meetings.graphql.sockets import CheckedMessages, LimitedSocket, OpenSockets
from meetings.graphql.top_level_errors import (
    BAD_USER_INPUT,
    FORBIDDEN,
    UNAUTHENTICATED,
    refusal,
)

REQUEST_ID = "X-Request-Id"
_LENGTH = b"content-length"
_PLANNED_SECONDS = 2.0
"""What takes longer is not a quick answer from memory."""


def graphql_router(toolbox: Callable[[], Toolbox], options: ApiOptions) -> "GraphQLRoutes":
    """The API at the path it is included under. `toolbox` is asked once a request is there, so it may come later."""
    return GraphQLRoutes(toolbox, options)


class GraphQLRoutes(GraphQLRouter[Connection, None]):
    """The library's router with our rules of transport."""

    websocket_adapter_class = LimitedSocket  # type: ignore[assignment]  # another adapter of the same kind
    graphql_transport_ws_handler_class = CheckedMessages

    def __init__(self, toolbox: Callable[[], Toolbox], options: ApiOptions) -> None:
        self.api_options = options
        self._products = _Products(toolbox)
        self._limiter = Limiter(options.rate_storage)
        self._sockets = OpenSockets()
        self.kept_answers = KeptAnswers()
        self._planned = PlannedDocuments()
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            context_getter=self._connection,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, MULTIPART_SUBSCRIPTION_PROTOCOL),
            connection_init_wait_timeout=timedelta(seconds=options.sockets.init_seconds),
            max_subscriptions_per_connection=options.sockets.subscriptions,
            allowed_origins=options.allowed_origins,
            include_in_schema=False,
        )

    def product(self) -> Product:
        """What stands behind the API right now."""
        return self._products.current()

    async def _connection(self, connection: HTTPConnection) -> Connection:
        found = Connection(self._products.current(), self.api_options, self._limiter, connection)
        if connection.scope.get("method") != "GET":
            await found.sign_in_by_headers()
        return found

    # ---- over HTTP ----------------------------------------------------------------------------------------------

    def direct(self, app: ASGIApp, path: str) -> ASGIApp:
        """Around the application that serves this router at `path`: posted operations and sockets go straight to it,
        past all that finds out who else may be meant, which takes as long as some operations, and as much memory as
        an open socket."""

        async def direct(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == path:
                await self._post(scope, receive, send)
            elif scope["type"] == "websocket" and scope["path"] == path:
                await self._open(scope, receive, send)
            else:
                await app(scope, receive, send)

        return direct

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        context = await self._connection(request)
        context.request, context.response = request, _nothing_yet()
        self.temporal_response = context.response  # taken up by `run` before it waits for anything
        answer = await self.run(request, context, None)
        await answer(scope, receive, send)

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        context = await self._connection(socket)
        context.request = socket
        await self.run(socket, context, None)

    async def run(self, request: Any, context: Any = UNSET, root_value: Any = UNSET) -> Any:
        if self.is_websocket_request(request):
            return await self._run_socket(request, context, root_value)
        try:
            if request.method == "GET":
                answer = self._explorer(request)
            else:
                self._check_request(request, context)
                answer = await super().run(request, context, root_value)
                self._keep(request, context, answer)
        except HTTPException as malformed:
            answer = _answer(_Refused(malformed.status_code, BAD_USER_INPUT, malformed.reason), context)
        except _Refused as refused:
            answer = _answer(refused, context)
        answer.headers[REQUEST_ID] = context.request_id
        return answer

    # ---- from memory --------------------------------------------------------------------------------------------

    async def at_hand(self, question: Question, scope: Scope) -> KeptAnswer | None:
        """What would be answered now to a question of nobody in particular, if that was kept, or its document planned;
        not counted yet. Kept from now on."""
        answer = self.kept_answers.get(question)
        if answer is not None:
            if await answer.still(self._products.current().tools.clock()):
                return answer
            self.kept_answers.drop(question)
        answer = await self._as_planned(question, scope)
        if answer is not None:
            self.kept_answers.keep(question, answer)
        return answer

    async def _as_planned(self, question: Question, scope: Scope) -> KeptAnswer | None:
        asked = posted(question[-1])
        ready = self._planned.find(question[:-1], asked) if asked else None
        if asked is None or ready is None:
            return None
        context = Connection(self._products.current(), self.api_options, self._limiter, HTTPConnection(scope))
        try:
            async with asyncio.timeout(_PLANNED_SECONDS):
                body = await ready.document.answer(asked.variables, Operation(context))
        except (DoesNotFit, GraphQLError, DomainError, TimeoutError):
            return None  # which the executor finds out as well, and says so
        answer = context.sources.kept(body)
        if answer is not None:
            answer.headers = [*ready.headers, (_LENGTH, str(len(body)).encode())]
        return answer

    def keep(self, question: Question, answer: KeptAnswer) -> None:
        """From now on this is at hand, and so are answers to the same document with other variables."""
        self.kept_answers.keep(question, answer)
        asked = posted(question[-1])
        document = schema.plan(asked, self.api_options) if asked else None
        if asked is not None and document is not None:
            headers = [(name, value) for name, value in answer.headers if name != _LENGTH]
            self._planned.keep(question[:-1], asked, Ready(document, headers))

    async def count(self, answer: KeptAnswer, http: HTTPConnection) -> None:
        """As the question for it counts; raises `TooOften`."""
        address = network_of(self.api_options.client_address(http))
        for limits, what in answer.counted:
            await self._limiter.take(limits, what, address)

    def _keep(self, request: Any, context: Connection, answer: Response) -> None:
        asked = asked_in(request.scope)
        if asked is not None and context.sources.complete and answer.status_code == 200:
            asked.answer = context.sources.kept(bytes(answer.body))

    def _explorer(self, request: Request) -> Response:
        if not self.api_options.explorer or "query" in request.query_params:
            raise _Refused(405, BAD_USER_INPUT, "Operations are sent by POST, as application/json.")
        return HTMLResponse(explorer_page(), headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    def _check_request(self, request: Request, context: Connection) -> None:
        content_type, _ = parse_content_type(request.headers.get("content-type", ""))
        if content_type != "application/json":
            raise _Refused(415, BAD_USER_INPUT, "Operations are sent by POST, as application/json.")
        if context.by_cookie and not self._from_a_known_site(request):
            raise _Refused(403, FORBIDDEN, "This site may not act for its visitors here.")
        if context.token_rejected:
            raise _Refused(401, UNAUTHENTICATED, "The token is not valid (any more). Please sign in.")

    def _from_a_known_site(self, request: Request) -> bool:
        """Whether a request with a cookie comes from a page that may use it. What is no browser names no origin."""
        origin = request.headers.get("origin")
        if origin is None:
            return request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        return is_same_origin(origin, request.headers.get("host")) or normalize_origin(origin) in self.allowed_origins

    def parse_json(self, data: str | bytes) -> Any:
        found = super().parse_json(data)
        if not isinstance(found, dict):
            raise HTTPException(400, "A request is one JSON object with `query`, `variables` and `operationName`.")
        return found

    def decode_json(self, data: str | bytes) -> object:
        found: object = orjson.loads(data)
        return found

    def encode_json(self, data: object) -> str:
        """As text: bytes would go out as binary frames, which clients do not read."""
        return orjson.dumps(data).decode()

    # ---- over WebSocket -----------------------------------------------------------------------------------------

    async def _run_socket(self, request: WebSocket, context: Connection, root_value: None) -> Any:
        whose = f"address:{context.address}"
        if self._sockets.full(whose, self.api_options.sockets.connections_per_address):
            return await self.reject_websocket(request)
        with self._sockets.counted(whose), context.on_close:
            return await super().run(request, context, root_value)

    async def on_ws_connect(self, context: Connection) -> UnsetType | dict[str, object] | None:
        """Take the token of `connection_init`, else the cookie of the handshake. A token that is none, or a session
        with too many sockets, is refused with 4403."""
        token = _token_of(context.connection_params)
        if token is not None:
            await context.sign_in_by_token(token)
        if context.token_rejected:
            raise ConnectionRejectionError
        if context.token is not None:
            whose = f"session:{token_hash(context.token)}"
            if self._sockets.full(whose, self.api_options.sockets.connections_per_session):
                raise ConnectionRejectionError
            context.on_close.enter_context(self._sockets.counted(whose))
        return UnsetType()


class _Refused(Exception):
    """A request that is not looked into."""

    def __init__(self, status: int, code: str, text: str) -> None:
        self.status = status
        self.code = code
        self.text = text
        super().__init__(text)


def _answer(refused: _Refused, context: Connection) -> Response:
    content = orjson.dumps(refusal(refused.text, refused.code, context.request_id))
    return Response(content, refused.status, media_type="application/json")


def _nothing_yet() -> Response:
    """What resolvers put headers on, as the framework makes it."""
    response = Response()
    del response.headers["content-length"]
    response.status_code = 200
    return response


def _token_of(parameters: object) -> str | None:
    """The token in the payload of `connection_init`: `Authorization: Bearer ...` in any letter case, or `token`."""
    if not isinstance(parameters, dict):
        return None
    named = {str(name).lower(): value for name, value in parameters.items() if isinstance(value, str)}
    if "authorization" in named:
        return bearer(named["authorization"])
    return named.get("token")


class _Products:
    """What stands behind the API, with what everybody in this process shares of it."""

    def __init__(self, toolbox: Callable[[], Toolbox]) -> None:
        self._toolbox = toolbox
        self._product: Product | None = None

    def current(self) -> Product:
        tools = self._toolbox()
        if self._product is None or self._product.tools is not tools:
            memory = PageMemory(
                look=tools.look, signs=tools.page_signs, pulse=tools.pulse, clock=tools.clock, policy=tools.policy
            )
            watch = AvailabilityWatch(
                look=tools.look, fan_out=tools.fan_out, clock=tools.clock, policy=tools.policy, memory=memory
            )
            chat_links = ChatLinks(
                look=tools.look,
                reads=tools.reads,
                fan_out=tools.fan_out,
                links=tools.links,
                clock=tools.clock,
                policy=tools.policy,
            )
            self._product = Product(tools, watch, chat_links, Feeds(watch), memory)
        return self._product
