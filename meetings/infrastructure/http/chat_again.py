"""What the API told of a link beside a chat, sent again as the bytes it was sent in: every page of a web site asks the
same.

Stands innermost, right before posted operations are executed, so that all layers do what they do for any request. The
rate limit counts here as it does there.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from meetings.application.chat_links import ChatLinks
from meetings.graphql.chat import CHAT_LINK, TOLD, Told
from meetings.graphql.options import ApiOptions
from meetings.graphql.rate_limits import Limiter, TooOften, network_of

_LONGEST_QUESTION = 2_000
_LONGEST_ANSWER = 4_000
_LONGEST_HEADER = 200
_MOST_KEPT = 1_000
_NAMED = CHAT_LINK.encode()
_SOMEBODY = frozenset((b"authorization", b"cookie"))
_KEPT_HEADERS = frozenset((b"content-type", b"content-length"))

_Question = tuple[bytes, bytes]
"""The header `Accept`, and the body."""


@dataclass(frozen=True, slots=True)
class _Answer:
    told: Told
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class ChatAgain:
    """Around what executes operations at `path`. Only what nobody in particular asked is kept, while the link in it is
    the one that would be told anew. `links` is asked once a request is there, so it may come later."""

    def __init__(self, app: ASGIApp, *, path: str, links: Callable[[], ChatLinks], options: ApiOptions) -> None:
        self._app = app
        self._path = path
        self._links = links
        self._options = options
        self._limiter = Limiter(options.rate_storage)
        self._answers: OrderedDict[_Question, _Answer] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        accept = _accepted(scope)
        if accept is None:
            await self._app(scope, receive, send)
            return
        first = await receive()
        body: bytes = first.get("body", b"")
        if first.get("more_body") or len(body) > _LONGEST_QUESTION or _NAMED not in body:
            await self._app(scope, _again(first, receive), send)
            return
        question = (accept, body)
        answer = self._answers.get(question)
        if answer is not None and await self._may_be_sent(answer, question, scope):
            await send({"type": "http.response.start", "status": 200, "headers": list(answer.headers)})
            await send({"type": "http.response.body", "body": answer.body})
            return
        told = scope[TOLD] = Told()
        await self._app(scope, _again(first, receive), self._kept(question, told, send))

    async def _may_be_sent(self, answer: _Answer, question: _Question, scope: Scope) -> bool:
        if not await answer.told.still(self._links()):
            self._answers.pop(question, None)
            return False
        whose = network_of(self._options.client_address(HTTPConnection(scope)))
        try:
            await self._limiter.take(self._options.rates.chat_link, "chat_link", whose)
        except TooOften:
            return False  # and is told so in the API's own words
        if question in self._answers:
            self._answers.move_to_end(question)
        return True

    def _kept(self, question: _Question, told: Told, send: Send) -> Send:
        """A `send` that keeps what is sent, if all it told was a link."""
        headers: tuple[tuple[bytes, bytes], ...] | None = None

        async def sent(message: Message) -> None:
            nonlocal headers
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = tuple((name, value) for name, value in message["headers"] if name in _KEPT_HEADERS)
            elif message["type"] == "http.response.body" and headers is not None and told.link is not None:
                body = message.get("body", b"")
                if len(body) <= _LONGEST_ANSWER and not message.get("more_body"):
                    self._answers[question] = _Answer(told, headers, body)
                    if len(self._answers) > _MOST_KEPT:
                        self._answers.popitem(last=False)
            await send(message)

        return sent


def _accepted(scope: Scope) -> bytes | None:
    """What the caller takes; None unless it sends plain JSON, and nothing that says who it is."""
    accept, plain = b"", False
    for name, value in scope["headers"]:
        if name in _SOMEBODY:
            return None
        if name == b"content-type":
            plain = value == b"application/json"
        elif name == b"accept":
            accept = value
    return accept if plain and len(accept) <= _LONGEST_HEADER else None


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
