"""Microsoft Graph v1.0: a question, and its answer as JSON."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from meetings.adapters.office365.refusals import refused
from meetings.adapters.office365.transport import Answer, Request, Transport
from meetings.application.ports.calendars import ProviderUnavailable

# Ids that stay when an event is moved to another folder ("Obtain immutable identifiers for Outlook resources"), and
# times in UTC ("Prefer headers").
_PREFER = ('IdType="ImmutableId"', 'outlook.timezone="UTC"')


@dataclass(frozen=True, slots=True)
class Question:
    """`path` below the version, or the whole address of a next page. `prefer` comes on top of what always is.

    `mime` is a mail to upload in place of a JSON body; `raw` asks for the answer's bytes as they are.
    """

    method: str
    path: str
    params: Mapping[str, str] | None = field(default=None, repr=False)
    body: Any = field(default=None, repr=False)
    prefer: tuple[str, ...] = ()
    if_match: str | None = field(default=None, repr=False)
    mime: bytes | None = field(default=None, repr=False)
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """`address` is that of Graph, without a version."""

    address: str
    transport: Transport = field(repr=False)

    async def ask(self, access_token: str, question: Question, until: float) -> Any:
        """The answer's JSON, or its bytes where these are asked for; None where Graph answers without a body. One call,
        whatever comes of it.

        Raises:
            Refused: an answer that is no success.
            ProviderUnavailable: none before `until`, or one that cannot be read.
        """
        headers = {"authorization": f"Bearer {access_token}", "prefer": ", ".join((*_PREFER, *question.prefer))}
        if question.if_match:
            headers["if-match"] = question.if_match
        content = None
        if question.mime is not None:
            # "Create message": MIME content goes in base64, as plain text.
            headers["content-type"], content = "text/plain", base64.b64encode(question.mime)
        address = question.path if self.leads_here(question.path) else f"{self._root}{question.path}"
        answer = await self.transport.send(
            Request(
                question.method, address, params=question.params, headers=headers, json=question.body, content=content
            ),
            until,
        )
        if not 200 <= answer.status < 300:
            raise refused(answer.status, answer.headers, answer.content)
        return answer.content if question.raw else _json(answer)

    def leads_here(self, link: str) -> bool:
        """Whether an address lies in Graph: nothing else may get our tokens, whoever wrote it down."""
        try:
            told, ours = urlsplit(link), urlsplit(self._root)
        except ValueError:
            return False
        return (told.scheme, told.netloc) == (ours.scheme, ours.netloc) and told.path.startswith(f"{ours.path}/")

    @property
    def _root(self) -> str:
        return f"{self.address.rstrip('/')}/v1.0"


def _json(answer: Answer) -> Any:
    if not answer.content and answer.status in (202, 204):
        return None
    try:
        if not answer.headers.get("content-type", "").startswith("application/json"):
            raise ValueError
        told = json.loads(answer.content)
        if not isinstance(told, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise ProviderUnavailable("an answer of Microsoft Graph that cannot be read") from None
    return told
