"""Calls in the name of one connection: signed, a few at once, with one new access token when Google rejects the old."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from meetings.adapters.google.refusals import Asked, Refused, as_provider_error
from meetings.adapters.google.tokens import AccountsServer, Grant
from meetings.adapters.google.transport import Api, Transport
from meetings.application.ports.calendars import Credentials, ProviderUnavailable
from meetings.application.ports.clock import Clock

if TYPE_CHECKING:
    from meetings.adapters.google.transport import Build

T = TypeVar("T")


class AuthorizedCalls:
    """Keeps the credentials it read: made for one use case, not for the life of a process, though that would work."""

    def __init__(
        self,
        credentials: Credentials,
        accounts: AccountsServer,
        transport: Transport,
        now: Clock,
        at_once: int,
        api: Api = Api.CALENDAR,
    ) -> None:
        self._api = api
        self._credentials = credentials
        self._accounts = accounts
        self._transport = transport
        self._now = now
        self._places = asyncio.Semaphore(at_once)
        self._text: str | None = None

    def limit(self, seconds: float | None = None) -> float:
        return self._transport.limit(seconds)

    async def call(self, build: "Build", asked: Asked, until: float) -> Any:
        """The answer's JSON, None without a body. Raises any `ProviderError` that fits what was asked."""
        try:
            return await self.attempt(build, until)
        except Refused as refused:
            raise self.error(refused, asked) from None

    async def attempt(self, build: "Build", until: float) -> Any:
        """The same for callers to whom some refusals are answers; these are raised as `Refused`."""
        return await self._signed(lambda token: self._transport.call(self._api, token, build, until), until)

    async def attempt_together(self, builds: "Sequence[Build]", until: float) -> list[Any | Refused]:
        """The same for several requests in one; what was refused stands among the answers, in their order."""
        return await self._signed(lambda token: self._transport.call_together(self._api, token, builds, until), until)

    def error(self, refused: Refused, asked: Asked) -> Exception:
        return as_provider_error(refused, asked, self._now())

    async def _signed(self, call: Callable[[str], Awaitable[T]], until: float) -> T:
        try:
            async with asyncio.timeout(until - time.monotonic()), self._places:
                text = await self._current(until)
                try:
                    return await call(Grant.from_text(text).access_token)
                except Refused as refused:
                    if not refused.access_token_rejected:
                        raise
                text = await self._renewed(text, until)
                return await call(Grant.from_text(text).access_token)
        except TimeoutError:
            raise ProviderUnavailable("no answer from Google in time") from None

    async def _current(self, until: float) -> str:
        if self._text is None:
            self._text = await self._credentials.current()
        if Grant.from_text(self._text).is_fresh(self._now()):
            return self._text
        return await self._renewed(self._text, until)

    async def _renewed(self, stale: str, until: float) -> str:
        """Calls whose token was rejected together get one new one: `Credentials` sees to that."""
        self._text = await self._credentials.renew(stale, lambda text: self._accounts.refresh(text, until))
        return self._text
