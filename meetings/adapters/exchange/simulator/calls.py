"""What is kept of every call that reaches the simulator."""

from dataclasses import dataclass
from datetime import datetime

from starlette.datastructures import Headers

from meetings.adapters.exchange.simulator.soap import Element


@dataclass
class Call:
    """One request and what came of it.

    `operation` is the EWS operation (`GetItem`), or one of `autodiscover.pox`, `autodiscover.soap`,
    `autodiscover.redirect`, `page` and `unknown`. `scheme` is how the caller showed who it is: `Basic`, `NTLM`,
    `connection` (an earlier sign-in on the same connection) or None; the header itself is not kept. `account` is the
    address of who signed in. `body` is the request, as XML where it is that; `answer` the whole answer's bytes, for a
    stream what was sent so far. `peer` is the (address, port) the connection came from, `via` what a proxy that is no
    tunnel says about itself. `status` is what the work gave, or the fault that stood in for it; 0 while it runs and
    after a reset. `fault` names what a scripted fault did: then the client may have seen something else. `worked` says
    whether the work was done. `at` is the simulator's clock; `monotonic_seconds` serves to measure pauses.
    """

    number: int
    verb: str
    path: str
    host: str
    secure: bool
    operation: str
    headers: Headers
    raw: bytes
    body: Element | None
    peer: tuple[str, int]
    via: str | None
    at: datetime
    monotonic_seconds: float
    scheme: str | None = None
    account: str | None = None
    status: int = 0
    answer: bytes = b""
    fault: str | None = None
    worked: bool = False
