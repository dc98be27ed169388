"""What is at hand is answered before everything else: answers to visitors that were kept as they were sent, and
answers to documents that were planned.

Stands outside all other layers and does what those would do for such a request, no less: the name it came to, the rate
limit, the request's id, the line in the log. The headers are those which the layers themselves put on the first time.
Whatever is not plain in any way goes on to the application, as it came.
"""

import time
from functools import lru_cache

import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from meetings.application.links import Links
from meetings.application.sites import SiteKind, standard_site
from meetings.graphql.context import SESSION_COOKIE
from meetings.graphql.kept_answers import ASKED, LONGEST_QUESTION, Asked, Question
from meetings.graphql.rate_limits import TooOften
from meetings.graphql.router import GraphQLRoutes
from meetings.infrastructure.http.middleware import REQUEST_ID, log_request, request_id_of

log = structlog.get_logger(__name__)

_SESSION = SESSION_COOKIE.encode()
_REQUEST_ID = REQUEST_ID.lower().encode()
_LONGEST_HEADER = 500
_DECIDING = {b"host": 0, b"origin": 1, b"accept": 2}
"""Headers that an answer to a visitor may depend on, beside its content type, which is always the same."""
_HOPS = frozenset((b"upgrade", b"expect", b"content-encoding", b"te", b"trailer", b"range"))
"""Headers that a browser's plain question does not have; with one, somebody else shall find out what it means."""


class AnswerAgain:
    """Sends what is at hand at once; everything else goes on to the application, with its body as it came."""

    def __init__(self, app: ASGIApp, *, path: str, routes: GraphQLRoutes, links: Links) -> None:
        self._app = app
        self._path = path
        self._routes = routes
        self._is_main = lru_cache(maxsize=64)(lambda host: _is_main(host, links))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        deciding = None if scope["query_string"] or scope.get("root_path") else _deciding(scope)
        if deciding is None or not self._is_main(deciding[0]):
            await self._app(scope, receive, send)
            return
        first = await receive()
        body = first.get("body", b"")
        if first["type"] != "http.request" or first.get("more_body") or len(body) > LONGEST_QUESTION:
            await self._app(scope, _again(first, receive), send)
            return
        question = (*deciding, body)
        if not await self._answered(question, scope, send, began):
            asked = scope[ASKED] = Asked()
            await self._app(scope, _again(first, receive), self._kept(question, asked, send))

    async def _answered(self, question: Question, scope: Scope, send: Send, began: float) -> bool:
        """Whether the answer was at hand. If not, the application answers under the same id."""
        request_id = request_id_of(scope)
        structlog.contextvars.bind_contextvars(request_id=request_id)  # in the context of this request's own task
        try:
            answer = await self._routes.at_hand(question, scope)
            if answer is None:
                return False
            await self._routes.count(answer, HTTPConnection(scope))
        except TooOften:
            return False
        except Exception as failure:
            log.warning("an answer that was at hand was not sent", error=type(failure).__name__)
            return False
        headers = [*answer.headers, (_REQUEST_ID, request_id.encode())]
        status = 0
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            status = 200
            await send({"type": "http.response.body", "body": answer.body})
        finally:
            log_request(request_id, "POST", self._path, status, began)
        return True

    def _kept(self, question: Question, asked: Asked, send: Send) -> Send:
        """A `send` that keeps what is sent, if it may be, with the headers of all layers in between."""

        async def sent(message: Message) -> None:
            answer = asked.answer
            if answer is not None and message["type"] == "http.response.start" and message["status"] == 200:
                headers = [(name.lower(), value) for name, value in message["headers"]]
                if all(name != b"set-cookie" for name, _ in headers):
                    answer.headers = [(name, value) for name, value in headers if name != _REQUEST_ID]
                    self._routes.keep(question, answer)
            await send(message)

        return sent


def _deciding(scope: Scope) -> tuple[bytes, bytes, bytes] | None:
    """The headers an answer may depend on; None unless the request is plain JSON from nobody in particular."""
    found = [b"", b"", b""]
    plain = False
    for name, value in scope["headers"]:
        at = _DECIDING.get(name)
        if at is not None:
            if found[at] or len(value) > _LONGEST_HEADER:
                return None
            found[at] = value
        elif name == b"content-type":
            if plain or value != b"application/json":
                return None
            plain = True
        elif name == b"authorization" or name in _HOPS or (name == b"cookie" and _SESSION in value):
            return None
    return (found[0], found[1], found[2]) if plain else None


def _is_main(host: bytes, links: Links) -> bool:
    """Under other names, the same question means other pages, and visitors are known again."""
    site = standard_site(host.decode("latin-1"), links)
    return site is not None and site.kind is SiteKind.MAIN


def _again(first: Message, receive: Receive) -> Receive:
    """A `receive` that begins with what was received already."""
    given = False

    async def received() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return first

    return received
