"""What Google gave us to act for one person, and the accounts server that trades it.

The library's own refreshing is not used: it would repeat failed tries inside the call, and happen in every process at
once. Its code flow is not used either: it takes plain loopback addresses only after a switch in the environment, has no
limits, and fails when the person ticks fewer boxes than it asked for.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from meetings.adapters.google.refusals import Asked, Refused, as_provider_error
from meetings.adapters.google.transport import Transport
from meetings.application.ports.calendars import ProviderUnavailable, ReauthorizationNeeded
from meetings.application.ports.clock import Clock

# A token that is about to expire would expire on its way.
_MARGIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Grant:
    """The text of `Credentials`, read. `expires_at` is the access token's end in seconds since the epoch."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: int
    scopes: tuple[str, ...]

    def is_fresh(self, now: datetime) -> bool:
        return (now + _MARGIN).timestamp() < self.expires_at

    def to_text(self) -> str:
        return json.dumps(
            {
                "access_token": self.access_token,
                "refresh_token": self.refresh_token,
                "expires_at": self.expires_at,
                "scopes": self.scopes,
            }
        )

    @classmethod
    def from_text(cls, text: str) -> "Grant":
        """Raises ReauthorizationNeeded for a text that is not ours: only signing in again makes a new one."""
        try:
            told = json.loads(text)
            return cls(
                access_token=str(told["access_token"]),
                refresh_token=str(told["refresh_token"]),
                expires_at=int(told["expires_at"]),
                scopes=tuple(map(str, told["scopes"])),
            )
        except (ValueError, TypeError, KeyError):
            raise ReauthorizationNeeded("the stored credentials cannot be read") from None


@dataclass(frozen=True, slots=True)
class AccountsServer:
    """Google's token and revocation endpoints, and who we are to them."""

    client_id: str
    client_secret: str = field(repr=False)
    token_url: str
    revoke_url: str
    transport: Transport = field(repr=False)
    now: Clock = field(repr=False)

    async def trade_code(self, *, code: str, verifier: str, redirect_uri: str) -> Any:
        """The token answer for the code of a callback. Raises CodeRejected when it is used, late or not ours."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        return await self._ask(form, Asked.CODE, self.transport.limit())

    async def refresh(self, text: str, until: float) -> str:
        """Credentials with a new access token; a refresh token that Google does not repeat stays as it is.

        Raises:
            ReauthorizationNeeded: the grant was revoked or expired.
        """
        grant = Grant.from_text(text)
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
        answer = await self._ask(form, Asked.REFRESH, until)
        return self.grant_in(answer, grant).to_text()

    async def revoke(self, text: str) -> None:
        """Give the grant back; one that Google does not know any more is success."""
        until = self.transport.limit()
        try:
            await self.transport.post_form(self.revoke_url, {"token": Grant.from_text(text).refresh_token}, until)
        except Refused as refused:
            if refused.reason != "invalid_token":
                raise as_provider_error(refused, Asked.ACCOUNT, self.now()) from None

    def grant_in(self, answer: Any, before: Grant | None = None) -> Grant:
        """The grant that a token answer tells of; what it leaves out is as `before`.

        Raises:
            ProviderUnavailable: the answer lacks what every token answer has (RFC 6749 5.1).
        """
        try:
            life = timedelta(seconds=int(answer["expires_in"]))
            told = Grant(
                access_token=str(answer["access_token"]),
                refresh_token=str(answer.get("refresh_token") or (before.refresh_token if before else "")),
                expires_at=int((self.now() + life).timestamp()),
                scopes=tuple(str(answer.get("scope", "")).split()),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ProviderUnavailable("a token answer without tokens") from None
        return replace(told, scopes=told.scopes or (before.scopes if before else ()))

    async def _ask(self, form: dict[str, str], asked: Asked, until: float) -> Any:
        ours = {"client_id": self.client_id, "client_secret": self.client_secret}
        try:
            return await self.transport.post_form(self.token_url, form | ours, until)
        except Refused as refused:
            raise as_provider_error(refused, asked, self.now()) from None
