"""Scripted faults, and hooks between calls.

A fault waits for calls that match, lets the first `on_call - 1` pass, then hits `times` of them (None: all from then
on). What it can do, alone or together:

- `anonymous`: hit calls that are not signed in as well, also those of a handshake;
- `status` (with `headers`, `retry_after`): answer so, with a page of IIS, instead of doing the work;
- `code` (with `back_off_ms`): this response code instead of doing the work; as a SOAP fault when `as_fault`, which
  ErrorServerBusy and others that concern the whole request always are;
- `body`, `content_type`: answer these bytes, or this kind, instead of doing the work (status 200 unless given);
- `hostile`: XML that a careful reader refuses, instead of the work: `dtd`, `entities`, `external` or `depth`;
- `delay_before`: seconds before the work; `delay`: seconds between the work and its answer;
- `drop_after_commit`: do the work, then close the connection without an answer;
- `reset`: close the connection with a TCP reset, before the work;
- `cut_off_body`: do the work, then send half of the answer and close;
- `drip_seconds`: send the answer one byte at a time with this pause; `huge_bytes`: pad the answer with that many
  blanks; `compressed_bytes`: the same, compressed with gzip to next to nothing; `endless`: pad it until the client
  goes away.

A stream can be refused, delayed, dropped or reset, but not spoiled: `ExchangeSimulator.end_streams` breaks it off.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from meetings.adapters.exchange.simulator.calls import Call

Match = str | Callable[[Call], bool] | None

# What anybody may see.
_FOR_ALL = ("page", "unknown", "autodiscover.redirect")
_WHOLE_REQUEST = (
    "ErrorServerBusy",
    "ErrorExceededConnectionCount",
    "ErrorInvalidServerVersion",
    "ErrorSchemaValidation",
)


@dataclass
class Fault:
    match: Match = None
    account: str | None = None
    anonymous: bool = False
    on_call: int = 1
    times: int | None = 1
    status: int | None = None
    code: str | None = None
    as_fault: bool = False
    back_off_ms: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: int | str | None = None
    body: bytes | str | None = None
    content_type: str | None = None
    hostile: str | None = None
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
        given = (self.status, self.code, self.body, self.content_type, self.hostile)
        return self.reset or any(each is not None for each in given)

    @property
    def spoils_the_body(self) -> bool:
        sizes = self.huge_bytes or self.compressed_bytes
        return bool(self.cut_off_body or self.drip_seconds or sizes or self.endless)

    @property
    def ends_the_request(self) -> bool:
        return self.as_fault or self.code in _WHOLE_REQUEST

    @property
    def name(self) -> str:
        named = (
            *(
                "drop_after_commit",
                "reset",
                "cut_off_body",
                "drip_seconds",
                "huge_bytes",
                "compressed_bytes",
                "endless",
            ),
            *("hostile", "body", "content_type", "code", "status"),
        )
        return next((name for name in named if getattr(self, name)), "delay")

    def wants(self, call: Call) -> bool:
        """Counts a matching call, and says whether this one is hit."""
        if not (self.anonymous or call.account is not None or call.operation in _FOR_ALL):
            return False
        if not matches(self.match, call) or (self.account is not None and call.account != self.account):
            return False
        self.seen += 1
        due = self.seen >= self.on_call and (self.times is None or self.hits < self.times)
        self.hits += due
        return due


@dataclass
class Hook:
    """Runs `action` after the work of a matching call and before its answer leaves."""

    match: Match
    action: Callable[[], object]
    on_call: int
    seen: int = 0

    def wants(self, call: Call) -> bool:
        if not matches(self.match, call):
            return False
        self.seen += 1
        return self.seen == self.on_call


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._hooks: list[Hook] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
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

    def fault_for(self, call: Call) -> Fault | None:
        """The first fault that is due; faults behind it do not count this call."""
        with self._lock:
            return next((fault for fault in self._faults if fault.wants(call)), None)

    def hooks_for(self, call: Call) -> list[Hook]:
        with self._lock:
            return [hook for hook in self._hooks if hook.wants(call)]


def matches(match: Match, call: Call) -> bool:
    """None matches every call, a text its operation (`GetItem`) or a group of them (`autodiscover.`)."""
    if match is None:
        return True
    if callable(match):
        return match(call)
    return call.operation == match or (match.endswith(".") and call.operation.startswith(match))
