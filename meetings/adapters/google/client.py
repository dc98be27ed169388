"""The one place that touches Google's client libraries and their HTTP client.

Importing it costs about a second, so only the threads of the pool do (transport.py). Everything here blocks, and ends
in time by itself: a thread cannot be interrupted.
"""

import functools
import http.client
import io
import json
import logging
import socket
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import httplib2
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.oauth2.credentials import Credentials as BearerCredentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient import discovery
from googleapiclient.errors import BatchError, HttpError
from googleapiclient.http import BatchHttpRequest
from googleapiclient.model import JsonModel, RawModel
from httplib2.decode import DecodeLimitError, DecodeRatioError

from meetings.adapters.google.refusals import Refused, reason_in
from meetings.application.ports.calendars import ProviderUnavailable

if TYPE_CHECKING:
    from googleapiclient.http import HttpRequest

CONNECT_SECONDS = 5.0
ANSWER_BYTES = 10 * 2**20

# It logs whole bodies of answers it cannot read; what they meant is in our own errors.
logging.getLogger("googleapiclient.http").setLevel(logging.ERROR)


class UnreadableAnswer(ValueError):
    """A success whose body is not what was promised: another content type, not JSON, not an object, or too long."""


def service(name: str, version: str, api_url: str) -> Any:
    """The client of one API, from the description bundled with the library: no network call.

    Only its methods are shared between threads; each call brings its own HTTP object.
    """
    return discovery.build(
        name,
        version,
        http=_BoundedHttp(CONNECT_SECONDS),
        model=_JsonAnswer(),
        static_discovery=True,
        cache_discovery=False,
        client_options={"api_endpoint": api_url},
    )


def call(service: Any, access_token: str, build: Callable[[Any], "HttpRequest"], seconds: float) -> Any:
    """The answer's JSON to the request that `build` makes; None where Google answers without a body.

    Never repeats, never refreshes, never follows a redirect.

    Raises:
        Refused: an answer that is no success.
        ProviderUnavailable: no answer in `seconds`, or one that cannot be read.
    """
    request = build(service)
    if isinstance(getattr(request.postproc, "__self__", None), RawModel):
        request.postproc = _no_body
    bounded = _BoundedHttp(seconds)
    try:
        return request.execute(http=_signed(bounded, access_token), num_retries=0) or None
    except HttpError as error:
        raise _refused(error) from None
    except _NO_ANSWER as error:
        raise _unavailable(error) from None
    finally:
        bounded.close()


def call_together(
    service: Any,
    batch_url: str,
    access_token: str,
    builds: Sequence[Callable[[Any], "HttpRequest"]],
    seconds: float,
) -> list[Any]:
    """The answers to several requests that travel as one, in the same order; a `Refused` for each that was no success.

    Raises as `call`, for all of them together. A token that is not accepted for one of them is not for any.
    """
    answers: list[Any] = [None] * len(builds)

    def answered(number: str, answer: Any, error: HttpError | None) -> None:
        answers[int(number)] = answer if error is None else _refused(error)

    batch = BatchHttpRequest(callback=answered, batch_uri=batch_url)
    for number, build in enumerate(builds):
        batch.add(build(service), request_id=str(number))
    bounded = _BoundedHttp(seconds)
    try:
        batch.execute(http=_signed(bounded, access_token))
    except RefreshError:
        # The library would get a new token for a 401 within; these credentials cannot, and say so without a call.
        raise Refused(401, "authError") from None
    except BatchError as error:
        raise _unavailable(error) from None
    except HttpError as error:
        raise _refused(error) from None
    except (*_NO_ANSWER, LookupError, AttributeError) as error:
        raise _unavailable(error) from None
    finally:
        bounded.close()
    return answers


def _signed(bounded: "_BoundedHttp", access_token: str) -> AuthorizedHttp:
    # Without an expiry these credentials count as valid, and without refresh statuses a 401 stays a 401.
    bearer = BearerCredentials(token=access_token)  # type: ignore[no-untyped-call]  # google-auth is typed in part
    return AuthorizedHttp(bearer, http=bounded, refresh_status_codes=())


def _refused(error: HttpError) -> Refused:
    return Refused(error.resp.status, reason_in(error.content), error.resp.get("retry-after"))


def post_form(address: str, form: dict[str, str], seconds: float) -> Any:
    """The same for a form sent to the accounts server, without a token."""
    bounded = _BoundedHttp(seconds)
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    try:
        response, content = bounded.request(address, "POST", body=urlencode(form), headers=headers)
        if response.status >= 300:
            raise Refused(response.status, reason_in(content), response.get("retry-after"))
        return _object_in(response, content)
    except _NO_ANSWER as error:
        raise _unavailable(error) from None
    finally:
        bounded.close()


def _unavailable(error: Exception) -> ProviderUnavailable:
    return ProviderUnavailable(f"no readable answer from Google ({type(error).__name__})")


def _no_body(response: httplib2.Response, content: Any) -> None:
    """For methods that promise no answer: the library's own model takes a captive portal's page for their success."""
    if content:
        raise UnreadableAnswer("a body where none was promised")


def _object_in(response: httplib2.Response, content: Any) -> Any:
    if not str(response.get("content-type", "")).startswith("application/json"):
        raise UnreadableAnswer("not JSON by its content type")
    value = json.loads(content)
    if not isinstance(value, dict):
        raise UnreadableAnswer("not an object")
    return value


class _JsonAnswer(JsonModel):
    """Takes only what the API promises; the library's own model hands a captive portal's page on as a text."""

    def response(self, resp: httplib2.Response, content: Any) -> Any:
        answer = super().response(resp, content)  # type: ignore[no-untyped-call]  # its stubs are typed in part
        return answer if resp.status == 204 else _object_in(resp, content)


class _BoundedHttp(httplib2.Http):
    """One call's HTTP: `seconds` for everything from connecting to the last byte, however slowly bytes arrive.

    Proxy variables of the environment are ignored: the library would need another package for them, and asks for it
    even where `no_proxy` names the host.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(timeout=seconds, proxy_info=None, decode_limit_hard=ANSWER_BYTES)
        self.follow_redirects = False

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Any = None,
        redirections: int = 0,
        connection_type: Any = None,
    ) -> Any:
        kind = _TlsConnection if urlsplit(uri).scheme == "https" else _PlainConnection
        return super().request(uri, method, body, headers, redirections, kind)


class _BoundedConnection(http.client.HTTPConnection):
    """Turns the timeout of a connection, which httplib2 means per read, into one limit for all of it."""

    def connect(self) -> None:
        seconds = self.timeout or CONNECT_SECONDS
        until = time.monotonic() + seconds
        self.timeout = min(CONNECT_SECONDS, seconds)
        super().connect()
        self.sock.settimeout(_left(until))
        self.response_class = functools.partial(_BoundedResponse, until=until)  # type: ignore[assignment]  # callable

    def getresponse(self) -> http.client.HTTPResponse:
        """The answer's head.

        A connection closed without an answer is an OSError: for anything else httplib2 sends the request a second time,
        and a write whose answer was lost would be made twice.
        """
        try:
            return super().getresponse()
        except (http.client.BadStatusLine, http.client.ResponseNotReady):
            raise ConnectionAbortedError("no answer") from None


class _PlainConnection(_BoundedConnection, httplib2.HTTPConnectionWithTimeout):
    pass


class _TlsConnection(_BoundedConnection, httplib2.HTTPSConnectionWithTimeout):
    pass


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, until: float, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_BoundedReader(sock, until))


class _BoundedReader(io.RawIOBase):
    """Reads from a socket until a moment of the monotonic clock, and no more than `ANSWER_BYTES`."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._until = until
        self._bytes_left = ANSWER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._until))
        count = self._raw.readinto(buffer)
        self._bytes_left -= count or 0
        if self._bytes_left < 0:
            raise UnreadableAnswer("too long")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _left(until: float) -> float:
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("out of time")
    return seconds


# TypeError: how the library fails on an answer that was cut off in some places. RecursionError: deeply nested JSON.
_NO_ANSWER = (
    OSError,
    http.client.HTTPException,
    httplib2.HttpLib2Error,
    GoogleAuthError,
    DecodeLimitError,
    DecodeRatioError,
    ValueError,
    TypeError,
    RecursionError,
)
