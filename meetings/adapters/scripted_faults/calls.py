"""The log of every call that reached a simulator, whatever it keeps of one."""

import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from meetings.adapters.scripted_faults.faults import Asked


class Logged(Asked, Protocol):
    """As much of a simulator's record of a call as is written when the call ends."""

    status: int
    answer: Any
    worked: bool


C = TypeVar("C", bound=Logged)


class CallLog(Generic[C]):
    """Calls in the order they arrived. Observers hear of each finished call, in the server's thread."""

    def __init__(self, record: Callable[..., C]) -> None:
        """`record` makes the record of a call, from its `number` (from 1) and what `arrive` is told."""
        self.calls: list[C] = []
        self.observers: list[Callable[[C], None]] = []
        self._record = record
        self._lock = threading.Lock()

    def arrive(self, **about: Any) -> C:
        with self._lock:
            call = self._record(number=len(self.calls) + 1, **about)
            self.calls.append(call)
            return call

    def finish(self, call: C, status: int, answer: Any, *, worked: bool) -> None:
        call.status, call.answer, call.worked = status, answer, worked
        for observer in list(self.observers):
            observer(call)
