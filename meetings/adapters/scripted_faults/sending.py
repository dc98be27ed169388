"""Sending notices of changes: one thread, in order, tried again; and what a test may do to them on the way."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar


class Sent(Protocol):
    """A notice; `statuses` are the receiver's answers, 0 for none, one per attempt."""

    statuses: list[int]


N = TypeVar("N", bound=Sent)


class Sending(Generic[N]):
    """The way of notices to their receivers.

    `attempt` sends one and gives the receiver's answer; one that is not `final` is followed by another attempt after
    each of `retry_pauses` (seconds). `sent` and `lost` are in the order in which they were to leave.
    """

    def __init__(self, attempt: Callable[[N], int], final: Callable[[int], bool]) -> None:
        self.sent: list[N] = []
        self.lost: list[N] = []
        self.retry_pauses: tuple[float, ...] = (0.1, 0.4)
        self.delay_seconds = 0.0
        self._attempt = attempt
        self._final = final
        self._lose = self._repeat = 0
        self._held: list[N] | None = None
        self._queue: queue.Queue[N | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def lose_next(self, count: int = 1) -> None:
        """The next `count` notices never leave."""
        self._lose = count

    def repeat_next(self, count: int = 1) -> None:
        """Each of the next `count` notices is sent twice."""
        self._repeat = count

    def hold(self) -> None:
        """Keep notices back until `release`."""
        self._held = self._held or []

    def release(self, *, reverse: bool = False, joined: Callable[[list[N]], Iterable[N]] | None = None) -> int:
        """Send what was held, oldest first, or newest first with `reverse`; with `joined`, what it makes of them. Gives
        how many were held."""
        held, self._held = self._held or [], None
        ordered = held[::-1] if reverse else held
        for notice in joined(ordered) if joined else ordered:
            self._enqueue(notice)
        return len(held)

    def wait_until_sent(self, timeout: float = 5.0) -> None:
        """Return when no notice is under way any more. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while self._queue.unfinished_tasks:
            if time.monotonic() > deadline:
                raise TimeoutError("notices are still under way")
            time.sleep(0.005)

    def send(self, notice: N) -> None:
        if self._lose:
            self._lose -= 1
            self.lost.append(notice)
        elif self._held is not None:
            self._held.append(notice)
        else:
            self._enqueue(notice)

    def close(self) -> None:
        """End the sending thread. Notices not yet sent stay unsent."""
        if self._thread is not None:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._queue.get_nowait()
                    self._queue.task_done()
            self._queue.put(None)
            self._thread.join(timeout=5)
            self._thread = None

    def _enqueue(self, notice: N) -> None:
        copies = 1
        if self._repeat:
            self._repeat -= 1
            copies = 2
        for _ in range(copies):
            self._queue.put(notice)
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_all, name="simulator-notices", daemon=True)
            self._thread.start()

    def _send_all(self) -> None:
        while True:
            notice = self._queue.get()
            try:
                if notice is None:
                    return
                self._deliver(notice)
            finally:
                self._queue.task_done()

    def _deliver(self, notice: N) -> None:
        time.sleep(self.delay_seconds)
        self.sent.append(notice)
        for pause in (*self.retry_pauses, None):
            status = self._attempt(notice)
            notice.statuses.append(status)
            if self._final(status) or pause is None:
                return
            time.sleep(pause)
