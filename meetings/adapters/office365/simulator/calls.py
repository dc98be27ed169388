"""What is kept of every call that reaches the simulator."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.datastructures import Headers, QueryParams


@dataclass
class Call:
    """One request and what came of it.

    `operation` is a method of Graph by its name in `operations.py` (`events.list`) or one of `oauth.configuration`,
    `oauth.keys`, `oauth.authorize`, `oauth.consent`, `oauth.token`, `oauth.logout`, `page` and `unknown`. `account` is
    the address the access token speaks for. `body` and `answer` are parsed JSON, a form as lists by name, or None.
    `status` is what the work gave, or the fault that stood in for it; 0 while it runs and after a reset. `fault` names
    what a scripted fault did: then the client may have seen something else than `status` and `answer`. `worked` says
    whether the work was done. `at` is the simulator's clock; `monotonic_seconds` serves to measure pauses between
    calls.
    """

    number: int
    verb: str
    path: str
    operation: str
    path_parameters: dict[str, str]
    query: QueryParams
    headers: Headers
    body: Any
    at: datetime
    monotonic_seconds: float
    page: int = 1
    account: str | None = None
    status: int = 0
    answer: Any = None
    fault: str | None = None
    worked: bool = False
