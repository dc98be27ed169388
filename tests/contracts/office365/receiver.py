"""A local webhook that proves itself as Graph demands, and keeps what it is sent."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from meetings.application.ports.calendars import PushCall
from tests.loopback import Quiet, on_loopback


class Receiver:
    """`calls` are the POSTs in the order of arrival, validations left out; those are `validations`.

    `status` is what a notification gets. Without `proves_itself` a validation gets an empty 200; `proof_type` is the
    content type of the echo.
    """

    def __init__(self) -> None:
        self.calls: list[PushCall] = []
        self.validations: list[str] = []
        self.status = 202
        self.proves_itself = True
        self.proof_type = "text/plain"
        self.address = ""

    def values(self) -> list[dict[str, Any]]:
        """Each notice of each call."""
        return [value for call in list(self.calls) for value in json.loads(call.body)["value"]]

    def wait_for(self, count: int, timeout: float = 5.0) -> list[dict[str, Any]]:
        deadline = time.monotonic() + timeout
        while len(self.values()) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.values())} of {count} notices arrived")
            time.sleep(0.002)
        return self.values()


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            token = query.get("validationToken")
            if token is None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.calls.append(PushCall(headers, query, body))
                self.send_response(receiver.status)
                self.end_headers()
                return
            receiver.validations.append(token)
            self.send_response(200)
            self.send_header("Content-Type", receiver.proof_type)
            self.end_headers()
            self.wfile.write(token.encode() if receiver.proves_itself else b"")

    with on_loopback(Handler) as port:
        receiver.address = f"http://127.0.0.1:{port}/hooks/office365?kind=calendar"
        yield receiver
