"""Answers to visitors kept as the bytes they were sent in, for as long as they are exactly what would be answered anew.

An operation may be kept when all it told came from memory, of pages or of links beside chats: each of its root fields
says so, and until when the clock leaves it true. Before it is sent again that memory is asked whether it is still the
same; that of pages asks the database whether anything was committed. Nothing private is kept: only what was asked
without a session or a token.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from starlette.types import Scope

MOST_BYTES = 32 * 1024 * 1024
LONGEST_QUESTION = 8 * 1024
ASKED = "meetings.asked"
"""Where a request's scope says that its answer may be kept, as an `Asked`."""

Still = Callable[[], Awaitable[bool]]
"""Whether what was remembered is still what would be found."""

Question = tuple[bytes, bytes, bytes, bytes]
"""The body, after the headers `Host`, `Origin` and `Accept`: all that an answer to a visitor depends on."""


@dataclass(eq=False, slots=True)
class KeptAnswer:
    """`stills` ask each memory it came from. `counted` are the limits the operation counts against, with what is
    counted, as often as it does. `headers` are all but the request's id."""

    body: bytes
    stills: Sequence[Still]
    until: datetime
    counted: Sequence[tuple[tuple[str, ...], str]]
    headers: Sequence[tuple[bytes, bytes]] = field(default=())

    async def still(self, now: datetime) -> bool:
        """Whether this is what would be answered now."""
        if now >= self.until:
            return False
        for still in self.stills:
            if not await still():
                return False
        return True


@dataclass(eq=False, slots=True)
class Asked:
    """A question that may be kept with its `answer`, once there is one that may be kept as well."""

    answer: KeptAnswer | None = None


class KeptAnswers:
    """The answers of one process, at most `most_bytes` of them with their questions."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[Question, KeptAnswer] = OrderedDict()

    def get(self, question: Question) -> KeptAnswer | None:
        found = self._answers.get(question)
        if found is not None:
            self._answers.move_to_end(question)
        return found

    def keep(self, question: Question, answer: KeptAnswer) -> None:
        self.drop(question)
        self._answers[question] = answer
        self._bytes += _size(question, answer)
        while self._bytes > self._most_bytes:
            self.drop(next(iter(self._answers)))

    def drop(self, question: Question) -> None:
        answer = self._answers.pop(question, None)
        if answer is not None:
            self._bytes -= _size(question, answer)


def _size(question: Question, answer: KeptAnswer) -> int:
    headers = sum(len(name) + len(value) + 150 for name, value in answer.headers)
    return sum(map(len, question)) + len(answer.body) + headers + 1_000


def asked_in(scope: Scope) -> Asked | None:
    """What a request's answer is to be put into, if it may be kept."""
    found: Asked | None = scope.get(ASKED)
    return found
