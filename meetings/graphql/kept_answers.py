"""Answers to visitors kept as the bytes they were sent in, for as long as they are exactly what would be answered anew.

An operation may be kept when all it told came from the memory of pages: each of its root fields says so, and until when
the clock leaves it true. Before it is sent again the memory is asked whether those pages are still the same, which asks
the database whether anything was committed. Nothing private is kept: only what was asked without a session or a token.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from meetings.application.sites import Site, SiteKind
from meetings.graphql.context import SESSION_COOKIE
from meetings.graphql.rate_limits import TooOften
from meetings.graphql.sources import KeptAnswer

MOST_BYTES = 32 * 1024 * 1024
LONGEST_QUESTION = 8 * 1024
_SCOPE_KEY = "meetings.question"


class KeptAnswers:
    """The answers of one process, at most `most_bytes` of them with their questions."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[bytes, KeptAnswer] = OrderedDict()

    def get(self, question: bytes) -> KeptAnswer | None:
        found = self._answers.get(question)
        if found is not None:
            self._answers.move_to_end(question)
        return found

    def keep(self, question: bytes, answer: KeptAnswer) -> None:
        self.drop(question)
        self._answers[question] = answer
        self._bytes += _size(question, answer)
        while self._bytes > self._most_bytes:
            self.drop(next(iter(self._answers)))

    def drop(self, question: bytes) -> None:
        answer = self._answers.pop(question, None)
        if answer is not None:
            self._bytes -= _size(question, answer)


def _size(question: bytes, answer: KeptAnswer) -> int:
    return 2 * len(question) + len(answer.body) + 500


Count = Callable[[HTTPConnection], Awaitable[None]]


class AnswerAgain:
    """Sends a kept answer at once; everything else goes on to the application, with its body as it came."""

    def __init__(
        self, app: ASGIApp, *, path: str, answers: KeptAnswers, now: Callable[[], datetime], count: Count
    ) -> None:
        self._app = app
        self._path = path
        self._answers = answers
        self._now = now
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plain = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == self._path
        if not (plain and _public(scope) and _under_the_main_name(scope)):
            await self._app(scope, receive, send)
            return
        first = await receive()
        question = first.get("body", b"")
        if first["type"] != "http.request" or first.get("more_body") or len(question) > LONGEST_QUESTION:
            await self._app(scope, _again(first, receive), send)
            return
        if await self._answered(question, scope, send):
            return
        scope[_SCOPE_KEY] = question
        await self._app(scope, _again(first, receive), send)

    async def _answered(self, question: bytes, scope: Scope, send: Send) -> bool:
        answer = self._answers.get(question)
        if answer is None:
            return False
        if self._now() >= answer.until or not await _still(answer):
            self._answers.drop(question)
            return False
        try:
            for _ in range(answer.counted):
                await self._count(HTTPConnection(scope))
        except TooOften:
            return False
        length = str(len(answer.body)).encode()
        headers = [(b"content-length", length), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        return True


def question_of(scope: Scope) -> bytes | None:
    """The body of a request whose answer may be kept."""
    found: bytes | None = scope.get(_SCOPE_KEY)
    return found


async def _still(answer: KeptAnswer) -> bool:
    for known in answer.pages:
        if not await answer.memory.still(known):
            return False
    return True


def _under_the_main_name(scope: Scope) -> bool:
    """Under other names, the same question means other pages, and visitors are known again."""
    site: Site | None = scope.get("state", {}).get("site")
    return site is None or site.kind is SiteKind.MAIN


def _public(scope: Scope) -> bool:
    """Whether a request is plain JSON from nobody in particular."""
    plain = False
    for name, value in scope["headers"]:
        if name == b"authorization" or (name == b"cookie" and SESSION_COOKIE.encode() in value):
            return False
        if name == b"content-type":
            plain = value == b"application/json"
    return plain


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
