"""Scripted faults, and hooks between calls.

A fault waits for calls that match, lets the first `on_call - 1` pass, then hits `times` of them (None: all from then
on). What it can do, alone or together:

- `status` (with `reason`, `headers`, `retry_after`): answer so instead of doing the work;
- `body`, `content_type`: answer these bytes, or this kind, instead of doing the work (status 200 unless given);
- `delay_before`: seconds before the work; `delay`: seconds between the work and its answer;
- `drop_after_commit`: do the work, then close the connection without an answer;
- `reset`: close the connection with a TCP reset, before the work;
- `cut_off_body`: do the work, then send half of the answer and close;
- `drip_seconds`: send the answer one byte at a time with this pause; `huge_bytes`: pad the answer with that many
  blanks; `compressed_bytes`: the same, compressed with gzip to next to nothing; `endless`: pad it until the client
  goes away.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar


class Asked(Protocol):
    """As much of a simulator's record of a call as faults look at; `account` is who asks."""

    @property
    def operation(self) -> str: ...

    @property
    def account(self) -> str | None: ...


Match = str | Callable[[Any], bool] | None
"""None matches every call, a text its operation (`events.list`) or a group of them (`events.`)."""


@dataclass
class Fault:
    named: ClassVar[tuple[str, ...]] = (
        *("drop_after_commit", "reset", "cut_off_body", "drip_seconds", "huge_bytes", "compressed_bytes", "endless"),
        *("body", "content_type", "status"),
    )
    """What a call is logged to have met, the first that holds."""

    match: Match = None
    page: int | None = None
    account: str | None = None
    on_call: int = 1
    times: int | None = 1
    status: int | None = None
    reason: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: int | str | None = None
    body: bytes | str | None = None
    content_type: str | None = None
    delay_before: float = 0.0
    delay: float = 0.0
    drop_after_commit: bool = False
    reset: bool = False
    cut_off_body: bool = False
    drip_seconds: float = 0.0
    huge_bytes: int = 0
    compressed_bytes: int = 0
    endless: bool = False
    seen: int = 0
    hits: int = 0

    @property
    def replaces_the_work(self) -> bool:
        return self.reset or self.status is not None or self.body is not None or self.content_type is not None

    @property
    def spoils_the_body(self) -> bool:
        sizes = self.huge_bytes or self.compressed_bytes
        return bool(self.cut_off_body or self.drip_seconds or sizes or self.endless)

    @property
    def name(self) -> str:
        return next((name for name in self.named if getattr(self, name)), "delay")

    def wants(self, call: Asked) -> bool:
        """Counts a matching call, and says whether this one is hit. Only calls of lists have pages."""
        if not matches(self.match, call) or self.page not in (None, getattr(call, "page", None)):
            return False
        if self.account is not None and call.account != self.account:
            return False
        self.seen += 1
        due = self.seen >= self.on_call and (self.times is None or self.hits < self.times)
        self.hits += due
        return due


F = TypeVar("F", bound=Fault)


@dataclass
class Hook:
    """Runs `action` after the work of a matching call and before its answer leaves."""

    match: Match
    action: Callable[[], object]
    on_call: int
    seen: int = 0

    def wants(self, call: Asked) -> bool:
        if not matches(self.match, call):
            return False
        self.seen += 1
        return self.seen == self.on_call


class Faults(Generic[F]):
    """Those of one simulator. Thread-safe."""

    def __init__(self) -> None:
        self._faults: list[F] = []
        self._hooks: list[Hook] = []
        self._lock = threading.Lock()

    def add(self, fault: F) -> F:
        with self._lock:
            self._faults.append(fault)
        return fault

    def remove(self, fault: F) -> None:
        with self._lock:
            if fault in self._faults:
                self._faults.remove(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self._hooks.clear()

    def add_hook(self, hook: Hook) -> None:
        with self._lock:
            self._hooks.append(hook)

    def fault_for(self, call: Asked) -> F | None:
        """The first fault that is due; faults behind it do not count this call."""
        with self._lock:
            return next((fault for fault in self._faults if fault.wants(call)), None)

    def hooks_for(self, call: Asked) -> list[Hook]:
        with self._lock:
            return [hook for hook in self._hooks if hook.wants(call)]


def matches(match: Match, call: Asked) -> bool:
    if match is None:
        return True
    if callable(match):
        return bool(match(call))
    return call.operation == match or (match.endswith(".") and call.operation.startswith(match))
