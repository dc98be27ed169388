"""What opens a portal: a private app's token, or a sign-in whose access tokens last half an hour."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from meetings.adapters.hubspot.oauth import Grant
from meetings.application.ports.calendars import Credentials, ReauthorizationNeeded
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import CrmAccessLost


class Access(Protocol):
    """Raises `CrmAccessLost` where HubSpot lets nobody in any more, and what the port `Crm` says besides."""

    async def token(self) -> str:
        """The access token to call with."""

    async def another(self, rejected: str) -> str | None:
        """One to call with after HubSpot did not accept this one; None where there is no other."""


class PrivateApp:
    """A token that holds until somebody takes it back."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token

    async def another(self, rejected: str) -> str | None:
        return None


class SignedIn:
    """Keeps the credentials it read. Of all processes one at a time gets a new access token: `Credentials` sees to
    that, and `refresh` is how."""

    def __init__(self, credentials: Credentials, refresh: Callable[[str], Awaitable[str]], now: Clock) -> None:
        self._credentials = credentials
        self._refresh = refresh
        self._now = now
        self._text: str | None = None

    async def token(self) -> str:
        text = await self._current() if self._text is None else self._text
        if not Grant.from_text(text).is_fresh(self._now()):
            text = await self._renewed(text)
        return Grant.from_text(text).access_token

    async def another(self, rejected: str) -> str | None:
        text = await self._current()
        if Grant.from_text(text).access_token == rejected:
            text = await self._renewed(text)
        return Grant.from_text(text).access_token

    async def _current(self) -> str:
        try:
            self._text = await self._credentials.current()
        except ReauthorizationNeeded:
            raise CrmAccessLost("HubSpot is not connected any more") from None
        return self._text

    async def _renewed(self, stale: str) -> str:
        try:
            self._text = await self._credentials.renew(stale, self._refresh)
        except CrmAccessLost:
            raise
        except ReauthorizationNeeded:
            raise CrmAccessLost("HubSpot is not connected any more") from None
        return self._text
