"""Sending notifications: one thread, in order, tried again; and what a test may do to them on the way.

Source: "Receive change notifications through webhooks": any 2xx takes a notification, anything else is tried again with
growing pauses (their lengths are assumed); an address proves itself with a token within 10 seconds. Plain http is
allowed to loopback addresses only, which Graph does not allow at all.
"""

import contextlib
import http.client
import json
import queue
import threading
import time
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


class Sending:
    """The way of notifications to their receivers."""

    def __init__(self) -> None:
        self.sent: list[Notification] = []
        self.lost: list[Notification] = []
        self.retry_pauses: tuple[float, ...] = (0.1, 0.4)
        self.delay_seconds = 0.0
        self._lose = self._repeat = 0
        self._held: list[Notification] | None = None
        self._queue: queue.Queue[Notification | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def lose_next(self, count: int = 1) -> None:
        """The next `count` notifications never leave."""
        self._lose = count

    def repeat_next(self, count: int = 1) -> None:
        """Each of the next `count` notifications is sent twice."""
        self._repeat = count

    def hold(self) -> None:
        """Keep notifications back until `release`."""
        self._held = self._held or []

    def release(self, *, reverse: bool = False, together: bool = False) -> int:
        """Send what was held, oldest first, or newest first with `reverse`. Gives how many.

        `together` puts all that is for one address into one POST ("change notifications can be batched").
        """
        held, self._held = self._held or [], None
        ordered = held[::-1] if reverse else held
        for message in _batched(ordered) if together else ordered:
            self._enqueue(message)
        return len(held)

    def wait_until_sent(self, timeout: float = 5.0) -> None:
        """Return when no notification is under way any more. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while self._queue.unfinished_tasks:
            if time.monotonic() > deadline:
                raise TimeoutError("notifications are still under way")
            time.sleep(0.005)

    def close(self) -> None:
        """End the sending thread. Notifications not yet sent stay unsent."""
        if self._thread is not None:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._queue.get_nowait()
                    self._queue.task_done()
            self._queue.put(None)
            self._thread.join(timeout=5)
            self._thread = None

    def send(self, message: Notification) -> None:
        if self._lose:
            self._lose -= 1
            self.lost.append(message)
        elif self._held is not None:
            self._held.append(message)
        else:
            self._enqueue(message)

    def _enqueue(self, message: Notification) -> None:
        copies = 1
        if self._repeat:
            self._repeat -= 1
            copies = 2
        for _ in range(copies):
            self._queue.put(message)
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_all, name="office365-simulator-push", daemon=True)
            self._thread.start()

    def _send_all(self) -> None:
        while True:
            message = self._queue.get()
            try:
                if message is None:
                    return
                self._post(message)
            finally:
                self._queue.task_done()

    def _post(self, message: Notification) -> None:
        time.sleep(self.delay_seconds)
        self.sent.append(message)
        body = json.dumps({"value": [message.value, *message.more]})
        for pause in (*self.retry_pauses, None):
            status, _, _ = _post(message.address, body, "application/json; charset=utf-8", 3.0)
            message.statuses.append(status)
            if 200 <= status < 300 or pause is None:
                return
            time.sleep(pause)


def _batched(messages: list[Notification]) -> list[Notification]:
    by_address: dict[str, list[Json]] = {}
    for message in messages:
        by_address.setdefault(message.address, []).append(message.value)
    return [Notification(address, values[0], tuple(values[1:])) for address, values in by_address.items()]


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
