"""Notifications on their way to a receiver.

Source: "Receive change notifications through webhooks": any 2xx takes a notification, anything else is tried again with
growing pauses (their lengths are assumed); an address proves itself with a token within 10 seconds. Plain http is
allowed to loopback addresses only, which Graph does not allow at all.
"""

import http.client
import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from meetings.adapters.office365.simulator.errors import GraphError, Json

VALIDATION_SECONDS = 10.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class Notification:
    """One POST. `more` are notices that travel with `value`; `statuses` are the receiver's answers, 0 for none, one per
    attempt."""

    address: str
    value: Json
    more: tuple[Json, ...] = ()
    statuses: list[int] = field(default_factory=list)


def attempt(message: Notification) -> int:
    """The receiver's answer, 0 for none."""
    body = json.dumps({"value": [message.value, *message.more]})
    return _post(message.address, body, "application/json; charset=utf-8", 3.0)[0]


def taken(status: int) -> bool:
    """Whether an answer ends the attempts."""
    return 200 <= status < 300


def by_address(messages: list[Notification]) -> list[Notification]:
    """All that is for one address in one POST ("change notifications can be batched")."""
    found: dict[str, list[Json]] = {}
    for message in messages:
        found.setdefault(message.address, []).append(message.value)
    return [Notification(address, values[0], tuple(values[1:])) for address, values in found.items()]


def validate(address: str) -> None:
    """Raises GraphError 400 unless the address echoes a token (code and messages: microsoft-graph-docs, issue 4848;
    nodejs-webhooks-sample, issue 158; that for another text is assumed)."""
    token = f"Validation: Testing client application reachability for subscription Request-Id: {uuid.uuid4()}"
    glue = "&" if urlsplit(address).query else "?"
    target = f"{address}{glue}{urlencode({'validationToken': token}, quote_via=quote)}"
    status, content_type, text = _post(target, "", "text/plain; charset=utf-8", VALIDATION_SECONDS)
    if status == 0:
        raise invalid("Subscription validation request timed out.")
    if status != 200:
        words = f"Subscription validation request failed. HTTP status code is '{status}'."
        raise invalid(f"{words} Notification endpoint must respond with 200 OK to validation request.")
    if not content_type.startswith("text/plain") or text.strip() != token:
        raise invalid("Subscription validation request failed. The validation token was not echoed as text/plain.")


def checked_address(value: Any, name: str) -> str:
    parts = urlsplit(str(value))
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return str(value)
    raise invalid(f"Invalid {name}: it must be an HTTPS address.")


def invalid(message: str) -> GraphError:
    return GraphError(400, "InvalidRequest", message)


def _post(address: str, body: str, content_type: str, timeout: float) -> tuple[int, str, str]:
    """The receiver's status, content type and text; status 0 when there was no answer in time."""
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("POST", target, body=body.encode(), headers={"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type") or "", answer.read(65536).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, "", ""
    finally:
        connection.close()
