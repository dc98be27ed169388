"""HubSpot's own client, blocking, with what it lacks: a limit on the size of an answer and on the whole of a call."""

import io
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from hubspot.crm.objects import ApiClient, Configuration
from hubspot.crm.objects.exceptions import ApiException

from meetings.adapters.hubspot.refusals import refusal, refusal_of_grant
from meetings.application.ports.calendars import ProviderUnavailable

MOST_BYTES = 16_000_000
"""The list of a portal's properties is the longest answer: some hundred of about a kilobyte, more with options."""
_CHUNK = 65_536
_OF_THE_WIRE = ("content-encoding", "content-length", "transfer-encoding")

logging.getLogger("hubspot.crm.objects.rest").setLevel(logging.INFO)  # it would log answers


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the JSON, and the headers."""

    json: Any
    headers: Mapping[str, str]


class Client:
    """One for all portals. `url` is where the API is."""

    def __init__(self, url: str, *, connections: int) -> None:
        self._api = ApiClient(Configuration(host=url.rstrip("/")))
        self._api.rest_client.pool_manager = _Bounded(connections)

    def call(
        self, token: str, method: str, path: str, query: Mapping[str, str], body: object, seconds: float
    ) -> Answer | tuple[Exception, Mapping[str, str]]:
        """The answer, or what a refusal means with its headers.

        Raises:
            ProviderUnavailable: there was no readable answer in time.
        """
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Content-Type": "application/json"}
        return self._ask(
            method, path, refusal, seconds, query_params=list(query.items()), header_params=headers, body=body
        )

    def post_form(
        self, path: str, form: Mapping[str, str], seconds: float
    ) -> Answer | tuple[Exception, Mapping[str, str]]:
        """The same for a form sent to the server that trades tokens, without a token."""
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        fields = list(form.items())
        return self._ask("POST", path, refusal_of_grant, seconds, header_params=headers, post_params=fields)

    def _ask(
        self,
        method: str,
        path: str,
        meaning: Callable[[int, Mapping[str, str], str | None], Exception],
        seconds: float,
        **sent: Any,
    ) -> Answer | tuple[Exception, Mapping[str, str]]:
        try:
            json, _, told = self._api.call_api(
                path,
                method,
                response_types_map={200: "object", 201: "object", 207: "object"},
                auth_settings=[],
                _request_timeout=float(seconds),
                **sent,
            )
        except ApiException as error:
            if not error.status:
                raise ProviderUnavailable("no safe connection to HubSpot") from None
            said = dict(error.headers or {})
            return meaning(error.status, said, error.body), said
        except (urllib3.exceptions.HTTPError, OSError, UnicodeDecodeError, AttributeError) as error:
            raise ProviderUnavailable(f"no answer from HubSpot: {type(error).__name__}") from None
        return Answer(json, dict(told))


class _Bounded:
    """What the library takes for its pool of connections. Nothing is repeated, no redirection followed."""

    def __init__(self, connections: int) -> None:
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=connections, cert_reqs="CERT_REQUIRED", retries=False)

    def request(
        self, method: str, url: str, *, timeout: Any, preload_content: bool, **rest: Any
    ) -> urllib3.HTTPResponse:
        until = time.monotonic() + timeout.total
        answer = self._pool.request(
            method, url, timeout=timeout, preload_content=False, retries=False, redirect=False, **rest
        )
        try:
            body = _read(answer, until)
        except BaseException:
            answer.close()
            raise
        answer.release_conn()
        headers = {name: value for name, value in answer.headers.items() if name.casefold() not in _OF_THE_WIRE}
        return urllib3.HTTPResponse(body=io.BytesIO(body), headers=headers, status=answer.status, preload_content=True)


def _read(answer: Any, until: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := answer.read1(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise ProviderUnavailable("HubSpot's answer is too long")
        if time.monotonic() > until:
            raise ProviderUnavailable("HubSpot's answer takes too long")
    return b"".join(parts)
