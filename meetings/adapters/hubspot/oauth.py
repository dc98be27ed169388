"""Signing in to HubSpot, instead of handing over a token: its consent page, and the server that trades what it gives.

Sources, of HubSpot's developer documentation: "Working with OAuth", "Manage OAuth access tokens with the 2026-03 API",
and of the changelog "Additional details returned when generating OAuth access tokens", "New OAuth v3 API endpoints and
standardized error responses" and "v1 OAuth API Deprecation". The library's own methods (12.0) call the endpoints of
version 1, which carry secrets in addresses and end on 16 February 2027; its client calls the newer ones just as well.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from meetings.adapters.hubspot.refusals import GrantNotTaken
from meetings.adapters.hubspot.transport import Transport
from meetings.application.ports.calendars import AccessNotGranted, CodeRejected, ProviderUnavailable
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import CrmAccessLost

SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.objects.owners.read",
    "sales-email-read",
)
"""What the calls of this adapter need; meetings and mails go by the scopes of contacts (A-CR6)."""
TOKEN_PATH = "/oauth/2026-03/token"  # noqa: S105 - a path
REVOKE_PATH = "/oauth/2026-03/token/revoke"
_MARGIN = timedelta(seconds=60)
"""A token that is about to expire would expire on its way."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in gave, as it is sealed. `expires_at` is the access token's end in seconds since the epoch."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: int

    def is_fresh(self, now: datetime) -> bool:
        return (now + _MARGIN).timestamp() < self.expires_at

    def to_text(self) -> str:
        told = {"access_token": self.access_token, "refresh_token": self.refresh_token, "expires_at": self.expires_at}
        return json.dumps(told)

    @classmethod
    def from_text(cls, text: str) -> "Grant":
        """Raises CrmAccessLost for a text of another kind: only signing in makes one of this."""
        try:
            told = json.loads(text)
            return cls(str(told["access_token"]), str(told["refresh_token"]), int(told["expires_at"]))
        except (ValueError, TypeError, KeyError):
            raise CrmAccessLost("nobody signed in to HubSpot") from None


def is_grant(text: str) -> bool:
    """Whether credentials came from a sign-in; a private app's token begins otherwise."""
    return text.startswith("{")


@dataclass(frozen=True, slots=True)
class HubSpotSignIn:
    """`CrmSignIn` for HubSpot. `client_id` and `client_secret` are those of an app in HubSpot."""

    client_id: str
    client_secret: str = field(repr=False)
    authorize_url: str
    transport: Transport = field(repr=False)
    now: Clock = field(repr=False)

    def consent_page(self, *, state: str, redirect_uri: str) -> str:
        asked = {
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(SCOPES),
            "state": state,
        }
        return f"{self.authorize_url}?{urlencode(asked, quote_via=quote)}"

    async def finish(self, *, code: str, redirect_uri: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        try:
            answer = await self._ask(TOKEN_PATH, form)
        except GrantNotTaken:
            raise CodeRejected("HubSpot does not take the code") from None
        granted = answer.get("scopes")
        if isinstance(granted, list) and (missing := set(SCOPES) - set(map(str, granted))):
            raise AccessNotGranted(", ".join(sorted(missing)))
        return self._grant_in(answer).to_text()

    async def refresh(self, text: str) -> str:
        """Credentials with a new access token; a refresh token that HubSpot does not repeat stays as it is.

        Raises:
            CrmAccessLost: the app was removed from the portal, or the grant taken back.
        """
        grant = Grant.from_text(text)
        try:
            answer = await self._ask(TOKEN_PATH, {"grant_type": "refresh_token", "refresh_token": grant.refresh_token})
        except GrantNotTaken:
            raise CrmAccessLost("HubSpot does not accept the sign-in any more") from None
        return self._grant_in(answer, grant).to_text()

    async def revoke(self, credentials: str) -> None:
        if not is_grant(credentials):
            return
        form = {"token": Grant.from_text(credentials).refresh_token, "token_type_hint": "refresh_token"}
        try:
            await self._ask(REVOKE_PATH, form)
        except GrantNotTaken:
            return

    def _grant_in(self, answer: Mapping[str, Any], before: Grant | None = None) -> Grant:
        try:
            life = timedelta(seconds=int(answer["expires_in"]))
            return Grant(
                access_token=str(answer["access_token"]),
                refresh_token=str(answer["refresh_token"] if before is None else _refresh_token(answer, before)),
                expires_at=int((self.now() + life).timestamp()),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ProviderUnavailable("a token answer without tokens") from None

    async def _ask(self, path: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        ours = {"client_id": self.client_id, "client_secret": self.client_secret}
        told = await self.transport.post_form(path, {**form, **ours})
        return told if isinstance(told, dict) else {}


def _refresh_token(answer: Mapping[str, Any], before: Grant) -> Any:
    return answer.get("refresh_token") or before.refresh_token
