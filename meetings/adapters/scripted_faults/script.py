"""What tests hold of a simulator, whatever it simulates: which calls reached it, and what goes wrong there."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from meetings.adapters.scripted_faults.calls import CallLog, Logged
from meetings.adapters.scripted_faults.faults import Fault, Faults, Hook, Match, matches

C = TypeVar("C", bound=Logged)
F = TypeVar("F", bound=Fault)


class Scripted(Generic[C, F]):
    """A simulator that keeps a record `C` of every call, and can have faults of the kind `F`. Thread-safe."""

    def __init__(self, record: Callable[..., C], fault: Callable[..., F]) -> None:
        self._log = CallLog(record)
        self._faults = Faults[F]()
        self._fault = fault

    # -- looking

    @property
    def calls(self) -> list[C]:
        return list(self._log.calls)

    def requests_for(self, match: Match) -> list[C]:
        """The calls of one operation, of a group of them (`oauth.`), or that a function picks."""
        return [call for call in self.calls if matches(match, call)]

    def forget_calls(self) -> None:
        self._log.calls.clear()

    def observe(self, observer: Callable[[C], None]) -> None:
        """Tell `observer` of every finished call, in the server's thread; of a stream when it begins."""
        self._log.observers.append(observer)

    # -- faults

    def fault(self, match: Match = None, **about: Any) -> F:
        """Script a fault; see `meetings.adapters.scripted_faults.faults` for what it can do, and the simulator's own
        kind of fault where it has one."""
        return self._faults.add(self._fault(match, **about))

    def on_call(self, match: Match, action: Callable[[], object], *, on_call: int = 1) -> None:
        """Run `action` once, after the work of the n-th matching call and before its answer leaves.

        A change made there falls between two pages of a list, or between a commit and its answer.
        """
        self._faults.add_hook(Hook(match, action, on_call))

    def remove_fault(self, fault: F) -> None:
        self._faults.remove(fault)

    def clear_faults(self) -> None:
        self._faults.clear()
