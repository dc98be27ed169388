"""Microsoft Entra through msal, which is synchronous and takes a while to import: in threads of its own.

Every call gets an application object of its own, so that no account's tokens are in reach of another's; what is the
same for all, the public description of the tenant, is kept. msal's HTTP goes through our own client on the event loop,
with the limits of every other call; a status that msal would remember and repeat by itself never reaches it.
"""

import asyncio
import json
import logging
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from meetings.adapters.office365.refusals import Asked, Refused, as_provider_error
from meetings.adapters.office365.transport import Request, Transport
from meetings.application.ports.calendars import CodeRejected, ProviderUnavailable
from meetings.application.ports.clock import Clock

T = TypeVar("T")
Json = dict[str, Any]

# On lower levels it logs codes and verifiers.
logging.getLogger("msal").setLevel(logging.WARNING)

_DESCRIPTION_SECONDS = 3600.0
_DESCRIPTION = "/.well-known/openid-configuration"
_DESCRIBED = {"issuer", "authorization_endpoint", "token_endpoint"}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Entra answered, an error or tokens, and msal's cache after that, as text. `mailbox`: the home account id."""

    answer: Mapping[str, Any] | None = field(repr=False)
    cache: str = field(repr=False)
    mailbox: str


class Entra:
    """Who we are to the sign-in service at `authority` (its address with the tenant), and what can be asked of it."""

    def __init__(
        self, *, client_id: str, client_secret: str, authority: str, transport: Transport, threads: int, now: Clock
    ) -> None:
        self.client_id = client_id
        self.now = now
        self._client_secret = client_secret
        self._authority = authority
        self._transport = transport
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="office365")
        self._descriptions: dict[str, tuple[float, str]] = {}

    def limit(self) -> float:
        return self._transport.limit()

    async def begin(self, scopes: list[str], *, state: str, redirect_uri: str, login_hint: str | None) -> Json:
        """msal's record of a walk through the consent page: `auth_uri` is where it starts, the rest is to be kept."""

        def work(app: Any) -> Json:
            flow: Json = app.initiate_auth_code_flow(
                scopes, state=state, redirect_uri=redirect_uri, login_hint=login_hint, prompt="select_account"
            )
            return flow

        return await self._with_app(None, work, self.limit())

    async def trade_code(self, flow: Json, code: str, until: float) -> Tokens:
        """The answer to the code of a callback.

        Raises:
            CodeRejected: it belongs to another walk.
        """

        def work(app: Any) -> Tokens:
            _ = app.authority.token_endpoint  # read now, so that what fails below is not the description
            try:
                answer = app.acquire_token_by_auth_code_flow(flow, {"code": code, "state": flow["state"]})
            except RuntimeError:  # the one that msal raises for another nonce
                raise CodeRejected("the identity that came with the code is of another walk") from None
            return _tokens(app, answer)

        return await self._with_app(None, work, until)

    def issuer(self) -> str:
        """What the sign-in service says of itself, as far as it was asked; "{tenantid}" in it stands for the account's.

        Raises:
            ProviderUnavailable: it was not, or does not say.
        """
        for _, description in list(self._descriptions.values()):
            return str(json.loads(description)["issuer"])
        raise ProviderUnavailable("Microsoft's sign-in does not describe itself")

    async def refresh(self, cache: str, mailbox: str, scopes: list[str], until: float) -> Tokens:
        """A new access token from what is in `cache`. An answer of None: nothing there to ask with."""

        def work(app: Any) -> Tokens:
            account = next((each for each in app.get_accounts() if each["home_account_id"] == mailbox), None)
            kept = app.token_cache.search("RefreshToken", query={"home_account_id": mailbox})
            if account is None or not list(kept):
                return _tokens(app, None)
            # None stands for an answer that says nothing, too.
            return _tokens(app, app.acquire_token_silent_with_error(scopes, account, force_refresh=True) or {})

        return await self._with_app(cache, work, until)

    async def _with_app(self, cache: str | None, work: Callable[[Any], T], until: float) -> T:
        loop = asyncio.get_running_loop()

        def in_time() -> T:
            if until <= time.monotonic():
                raise ProviderUnavailable("no thread was free in time")
            return self._ask(cache, work, _Wire(self._transport, loop, until, self.now, self._descriptions))

        try:
            async with asyncio.timeout(until - time.monotonic()):
                return await loop.run_in_executor(self._pool, in_time)
        except TimeoutError:
            raise ProviderUnavailable("no answer from Microsoft's sign-in in time") from None

    def _ask(self, cache: str | None, work: Callable[[Any], T], wire: "_Wire") -> T:
        msal = _msal()
        kept = msal.SerializableTokenCache()
        try:
            if cache is not None:
                kept.deserialize(cache)
            app = msal.ConfidentialClientApplication(
                self.client_id,
                client_credential=self._client_secret,
                authority=self._authority,
                token_cache=kept,
                http_client=wire,
                # The address comes from the operator; nobody else has to vouch for it.
                instance_discovery=False,
                # msal asks for it by itself; we have no use for names and pictures.
                exclude_scopes=["profile"],
            )
            return work(app)
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            raise ProviderUnavailable(f"Microsoft's sign-in cannot be understood ({type(error).__name__})") from None


def _tokens(app: Any, answer: Mapping[str, Any] | None) -> Tokens:
    accounts = app.get_accounts()
    return Tokens(
        answer=answer,
        cache=app.token_cache.serialize(),
        mailbox=accounts[0]["home_account_id"] if accounts else "",
    )


_LOADING = threading.Lock()


def _msal() -> Any:
    with _LOADING:
        import msal

        # The code comes back through the person's browser by GET here; it is worth nothing without the verifier.
        warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended")
        return msal


@dataclass(frozen=True, slots=True)
class _Answer:
    """As msal's HttpResponse wants it."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ProviderUnavailable(f"Microsoft's sign-in answered {self.status_code}")


@dataclass(frozen=True, slots=True)
class _Wire:
    """msal's HttpClient: its calls are made on the event loop that waits for this thread."""

    transport: Transport = field(repr=False)
    loop: asyncio.AbstractEventLoop
    until: float
    now: Clock
    descriptions: dict[str, tuple[float, str]] = field(repr=False)

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> _Answer:
        kept = self.descriptions.get(url)
        if kept is not None and kept[0] > time.monotonic():
            return _Answer(200, kept[1], {})
        answer = self._send(Request("GET", url, params=params, headers=headers))
        if answer.status_code == 200 and url.endswith(_DESCRIPTION) and set(json.loads(answer.text)) >= _DESCRIBED:
            self.descriptions[url] = (time.monotonic() + _DESCRIPTION_SECONDS, answer.text)
        return answer

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> _Answer:
        return self._send(Request("POST", url, params=params, form=data, headers=headers))

    def close(self) -> None:
        """Connections are the event loop's."""

    def _send(self, request: Request) -> _Answer:
        """Only answers that msal can read reach it: it logs others whole, with the tokens in them.

        Raises:
            RateLimited, ProviderUnavailable: there is none.
        """
        sent = asyncio.run_coroutine_threadsafe(self.transport.send(request, self.until), self.loop)
        try:
            answer = sent.result(max(0.0, self.until - time.monotonic()) + 1)
        except TimeoutError:
            sent.cancel()
            raise ProviderUnavailable("no answer from Microsoft's sign-in in time") from None
        if answer.status >= 500 or answer.status in (408, 425, 429):
            refused = Refused(answer.status, retry_after=answer.headers.get("retry-after"))
            raise as_provider_error(refused, Asked.ACCOUNT, self.now())
        return _Answer(answer.status, _json_text(answer.content), answer.headers)


def _json_text(content: bytes) -> str:
    try:
        text = content.decode()
        if isinstance(json.loads(text), dict):
            return text
    except (ValueError, RecursionError):
        pass
    raise ProviderUnavailable("Microsoft's sign-in answered something unreadable")
