"""Several requests in one: the format of "Batching requests" (Gmail API guides), taken apart and put together."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response

from meetings.adapters.google.simulator.errors import GoogleError, Json

BATCH_PATH = "/batch"
LARGEST_BATCH = 100


@dataclass(frozen=True)
class Inner:
    """One request of a batch. `content_id` comes back with its answer."""

    content_id: str
    verb: str
    path: str
    query: QueryParams
    headers: Headers
    body: Json | None


def taken_apart(content_type: str, raw: bytes) -> list[Inner]:
    """Raises GoogleError 400 for what is no batch, or too large a one: 100 requests."""
    message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw)
    parts = message.get_payload()
    if not message.is_multipart() or not isinstance(parts, list):
        raise GoogleError(400, "badRequest", "Failed to parse batch request, error: no multipart/mixed")
    if len(parts) > LARGEST_BATCH:
        raise GoogleError(400, "badRequest", f"The batch request has more than {LARGEST_BATCH} requests.")
    return [_inner(part) for part in parts if isinstance(part, Message)]


def _inner(part: Message) -> Inner:
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    line, _, rest = raw.replace(b"\r\n", b"\n").partition(b"\n")
    verb, target, *_ = (*line.decode("ascii", "replace").split(" "), "", "")
    request = message_from_bytes(rest)
    body = request.get_payload(decode=True)
    address = urlsplit(target)
    return Inner(
        content_id=str(part["Content-ID"]),
        verb=verb,
        path=unquote(address.path),
        query=QueryParams(address.query),
        headers=Headers({name: str(value) for name, value in request.items()}),
        body=json.loads(body) if isinstance(body, bytes) and body.strip() else None,
    )


def put_together(answers: Sequence[tuple[str, Response]]) -> Response:
    boundary = f"batch_{secrets.token_urlsafe(24)}"
    lines: list[str] = []
    for content_id, answer in answers:
        body = bytes(answer.body).decode()
        lines += [
            f"--{boundary}",
            "Content-Type: application/http",
            f"Content-ID: {content_id.replace('<', '<response-', 1)}",
            "",
            f"HTTP/1.1 {answer.status_code} simulated",
            f"Content-Type: {answer.headers['content-type']}",
            *([f"Retry-After: {answer.headers['retry-after']}"] if "retry-after" in answer.headers else []),
            f"Content-Length: {len(body)}",
            "",
            body,
        ]
    text = "\r\n".join([*lines, f"--{boundary}--", ""])
    return Response(text, 200, media_type=f"multipart/mixed; boundary={boundary}")
