"""A local webhook that keeps what it is sent."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.loopback import Quiet, on_loopback


class Receiver:
    """`messages` are the headers of each POST, in the order of arrival; `status` is what it answers."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.status = 200
        self.address = ""

    def states(self) -> list[str]:
        return [message["X-Goog-Resource-State"] for message in self.messages]

    def wait_for(self, count: int, timeout: float = 5.0) -> list[dict[str, str]]:
        deadline = time.monotonic() + timeout
        while len(self.messages) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.messages)} of {count} messages arrived")
            time.sleep(0.002)
        return self.messages


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(Quiet):
        def do_POST(self) -> None:
            receiver.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            receiver.messages.append(dict(self.headers.items()))
            self.send_response(receiver.status)
            self.end_headers()

    with on_loopback(Handler) as port:
        receiver.address = f"http://127.0.0.1:{port}/hooks/google?kind=calendar"
        yield receiver
