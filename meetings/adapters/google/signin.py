"""Google's consent page: OAuth 2.0 code flow with PKCE, and OpenID Connect to learn whose account it is.

Sources: "Using OAuth 2.0 for Web Server Applications" and "OpenID Connect" (Google Identity guides), RFC 7636.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from meetings.adapters.google.tokens import AccountsServer
from meetings.application.ports.calendars import AccessNotGranted, Authorization, CodeRejected, Granted
from meetings.domain.account_use import CALENDAR_ONLY, AccountUse

# One box on the consent page for what the disclosure says in one breath: read every calendar the account reaches, write
# events, create calendars (S21, S22). The narrower scopes that together cover it (calendar.events,
# calendar.calendarlist.readonly, calendar.freebusy, calendar.calendars) are a box each, and people leave some unticked.
CALENDAR_SCOPE = "https://www.googleapis.com/auth/calendar"
MAIL_SCOPES = (
    "https://www.googleapis.com/auth/gmail.send",
    "https://www.googleapis.com/auth/gmail.readonly",
)
SCOPES: Mapping[AccountUse, tuple[str, ...]] = {
    AccountUse.CALENDAR: (CALENDAR_SCOPE,),
    AccountUse.EMAIL: MAIL_SCOPES,
}
"""What each use needs, all of it."""
_ISSUERS = ("https://accounts.google.com", "accounts.google.com")


@dataclass(frozen=True, slots=True)
class GoogleSignIn:
    """`SignIn` for Google."""

    authorize_url: str
    accounts: AccountsServer

    async def begin(
        self, *, state: str, redirect_uri: str, login_hint: str | None, uses: frozenset[AccountUse] = CALENDAR_ONLY
    ) -> Authorization:
        """`prompt=consent` with offline access: otherwise Google gives a refresh token only the very first time."""
        verifier = secrets.token_urlsafe(64)
        asked = {
            "client_id": self.accounts.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(
                ("openid", "email", *(scope for use in AccountUse if use in uses for scope in SCOPES[use]))
            ),
            "state": state,
            "nonce": _nonce(verifier),
            "code_challenge": _base64url(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
            "access_type": "offline",
            "prompt": "consent",
        }
        if login_hint:
            asked["login_hint"] = login_hint
        return Authorization(url=f"{self.authorize_url}?{urlencode(asked)}", verifier=verifier)

    async def finish(self, *, code: str, verifier: str, redirect_uri: str) -> Granted:
        """Besides what the port says, CodeRejected stands for an identity that is not meant for us (OA-1)."""
        answer = await self.accounts.trade_code(code=code, verifier=verifier, redirect_uri=redirect_uri)
        grant = self.accounts.grant_in(answer)
        uses = frozenset(use for use, scopes in SCOPES.items() if set(scopes) <= set(grant.scopes))
        if not uses:
            raise AccessNotGranted("calendar")
        if not grant.refresh_token:
            raise AccessNotGranted("access while you are away")
        email = self._email_in(answer.get("id_token"), verifier)
        return Granted(account_email=email, credentials=grant.to_text(), uses=uses)

    async def revoke(self, credentials: str) -> None:
        await self.accounts.revoke(credentials)

    def _email_in(self, id_token: Any, verifier: str) -> str:
        """The account's address.

        The signature is not checked: the token came from Google itself over TLS, not through a browser ("OpenID
        Connect", obtaining user information from the ID token).
        """
        claims = _claims(id_token)
        try:
            ours = (
                claims.get("iss") in _ISSUERS
                and claims.get("aud") == self.accounts.client_id
                and secrets.compare_digest(claims["nonce"], _nonce(verifier))
                and claims["exp"] > self.accounts.now().timestamp()
            )
        except (KeyError, TypeError):
            ours = False
        if not ours:
            raise CodeRejected("the identity that came with the code is not meant for us")
        email = claims.get("email")
        if not isinstance(email, str) or not email:
            raise AccessNotGranted("email address")
        return email


def _nonce(verifier: str) -> str:
    """Bound to the verifier, so that nothing more has to be remembered between sending and returning."""
    return _base64url(hashlib.sha256(b"nonce:" + verifier.encode()).digest())


def _claims(id_token: Any) -> Any:
    try:
        payload = str(id_token).split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
