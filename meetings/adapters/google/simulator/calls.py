"""What is kept of every call that reaches the simulator."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.datastructures import Headers, QueryParams


@dataclass
class Call:
    """One request and what came of it.

    `operation` is the method of the discovery document (`events.list`) or one of `oauth.authorize`, `oauth.consent`,
    `oauth.token`, `oauth.revoke`, `oauth.userinfo`, `batch`, `page` and `unknown`. A call that came in a batch has the
    number of that one in `within`. `account` is the address the access token
    speaks for. `body` and `answer` are parsed JSON, a form as lists by name, or None. `status` is what the work gave,
    or the fault that stood in for it; 0 while it runs and after a reset. `fault` names what a scripted fault did:
    then the client may have seen something else than `status` and `answer`. `worked` says whether the work was done.
    `at` is the simulator's clock; `monotonic_seconds` serves to measure pauses between calls.
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
    within: int | None = None
    account: str | None = None
    status: int = 0
    answer: Any = None
    fault: str | None = None
    worked: bool = False
