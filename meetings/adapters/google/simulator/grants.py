"""OAuth 2.0 state: clients, what people granted them, codes and tokens.

Source: "Using OAuth 2.0 for Web Server Applications" and "OpenID Connect" (Google Identity guides); RFC 6749, 7636
and 7009. Words of error descriptions were seen in public reports.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from meetings.adapters.google.simulator.errors import Json, OAuthError
from meetings.adapters.google.simulator.world import Account, World

CODE_LIFE = timedelta(minutes=10)
ACCESS_LIFE = timedelta(seconds=3599)
ISSUER = "https://accounts.google.com"
# Short names that the token answer spells out ("OAuth 2.0 Scopes for Google APIs"; the spelling out was seen in
# answers).
_SPELLED_OUT = {
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}


@dataclass(frozen=True)
class Client:
    id: str
    secret: str
    redirect_uris: frozenset[str]


@dataclass(frozen=True)
class AuthorizationRequest:
    """A valid request for consent. `challenge` is the S256 code challenge, or None without PKCE."""

    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str | None
    offline: bool
    asks_consent: bool
    login_hint: str | None
    nonce: str | None
    include_granted: bool


@dataclass
class Grant:
    """One person's consent for one client: the refresh token stands for it."""

    email: str
    client_id: str
    scopes: tuple[str, ...]
    refresh_token: str | None
    granted_at: datetime
    revoked: bool = False
    spent_refresh_tokens: set[str] = field(default_factory=set)


@dataclass
class AccessToken:
    grant: Grant
    expires_at: datetime


@dataclass
class _Code:
    request: AuthorizationRequest
    email: str
    scopes: tuple[str, ...]
    expires_at: datetime


class Grants:
    """`rotate` gives a new refresh token with every refresh and makes the old one useless (Google does not; others do).

    `refresh_life` ends refresh tokens of a project in testing after seven days ("Refresh token expiration").
    """

    def __init__(self, world: World) -> None:
        self.clients: dict[str, Client] = {}
        self.rotate = False
        self.refresh_life: timedelta | None = None
        self.grants: list[Grant] = []
        self._world = world
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, AccessToken] = {}

    def account_of(self, access_token: str) -> tuple[Account, frozenset[str]] | None:
        """Who the token speaks for and with which scopes; None when it is unknown, expired or revoked."""
        token = self._access.get(access_token)
        if token is None or token.grant.revoked or token.expires_at <= self._world.now():
            return None
        return self._world.accounts[token.grant.email], frozenset(token.grant.scopes)

    def is_granted(self, email: str) -> bool:
        return any(grant.email == email and not grant.revoked for grant in self.grants)

    def allow(self, request: AuthorizationRequest, email: str, scopes: tuple[str, ...]) -> str:
        """The person said yes to `scopes`. Gives a code: one use, ten minutes (assumed)."""
        code = f"4/0A{secrets.token_urlsafe(48)}"
        self._codes[code] = _Code(request, email, scopes, self._world.now() + CODE_LIFE)
        return code

    def exchange(self, form: dict[str, str]) -> Json:
        """POST /token. The form is the client's; raises OAuthError."""
        client = self._client(form)
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self._from_code(client, form)
        if kind == "refresh_token":
            return self._from_refresh_token(client, form)
        raise OAuthError(400, "unsupported_grant_type", f"Invalid grant_type: {kind or ''}")

    def grant_directly(self, email: str, client_id: str, scopes: tuple[str, ...]) -> Json:
        """What a walk through the consent page ends with, without the walk."""
        grant = Grant(email, client_id, _spelled_out(scopes), _refresh_token(), self._world.now())
        self.grants.append(grant)
        return self._token_answer(grant, refresh_token=grant.refresh_token)

    def revoke(self, token: str) -> None:
        """POST /revoke: an access token takes its refresh token with it ("Revoking a token")."""
        found = self._access.get(token)
        grant = found.grant if found else next((each for each in self.grants if each.refresh_token == token), None)
        if grant is None or grant.revoked:
            raise OAuthError(400, "invalid_token", "Token expired or revoked")
        grant.revoked = True

    def revoke_all(self, email: str) -> None:
        """The person removed the app's access in the Google Account."""
        for grant in self.grants:
            grant.revoked = grant.revoked or grant.email == email

    def expire_access_tokens(self, email: str) -> None:
        for token in self._access.values():
            if token.grant.email == email:
                token.expires_at = self._world.now()

    def _client(self, form: dict[str, str]) -> Client:
        client = self.clients.get(form.get("client_id", ""))
        if client is None:
            raise OAuthError(401, "invalid_client", "The OAuth client was not found.")
        if not hmac.compare_digest(client.secret, form.get("client_secret", "")):
            raise OAuthError(401, "invalid_client", "Unauthorized")
        return client

    def _from_code(self, client: Client, form: dict[str, str]) -> Json:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None:
            raise OAuthError(400, "invalid_grant", "Malformed auth code.")
        if code.expires_at <= self._world.now() or code.request.client.id != client.id:
            raise OAuthError(400, "invalid_grant", "Bad Request")
        if form.get("redirect_uri") != code.request.redirect_uri:
            raise OAuthError(400, "redirect_uri_mismatch", "Bad Request")
        _check_verifier(code.request.challenge, form.get("code_verifier"))
        request, known = code.request, self._known_scopes(code.email, client.id)
        scopes = dict.fromkeys((*code.scopes, *(known if request.include_granted else ())))
        # Only the first consent, or a forced one, gives a refresh token ("access_type", "prompt").
        lasting = request.offline and (request.asks_consent or not known)
        grant = Grant(
            code.email, client.id, _spelled_out(tuple(scopes)), _refresh_token() if lasting else None, self._world.now()
        )
        self.grants.append(grant)
        return self._token_answer(grant, refresh_token=grant.refresh_token, nonce=request.nonce)

    def _from_refresh_token(self, client: Client, form: dict[str, str]) -> Json:
        token = form.get("refresh_token", "")
        grant = next((each for each in self.grants if token and each.refresh_token == token), None)
        if grant is None or grant.revoked or grant.client_id != client.id or self._is_stale(grant):
            raise OAuthError(400, "invalid_grant", "Token has been expired or revoked.")
        if not self.rotate:
            return self._token_answer(grant, refresh_token=None)
        grant.spent_refresh_tokens.add(token)
        grant.refresh_token = _refresh_token()
        return self._token_answer(grant, refresh_token=grant.refresh_token)

    def _is_stale(self, grant: Grant) -> bool:
        return self.refresh_life is not None and grant.granted_at + self.refresh_life <= self._world.now()

    def _known_scopes(self, email: str, client_id: str) -> tuple[str, ...]:
        known = [each for each in self.grants if each.email == email and each.client_id == client_id]
        return tuple(scope for grant in known if not grant.revoked for scope in grant.scopes)

    def _token_answer(self, grant: Grant, *, refresh_token: str | None, nonce: str | None = None) -> Json:
        access_token = f"ya29.{secrets.token_urlsafe(60)}"
        self._access[access_token] = AccessToken(grant, self._world.now() + ACCESS_LIFE)
        answer: Json = {
            "access_token": access_token,
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "scope": " ".join(grant.scopes),
            "token_type": "Bearer",
        }
        if refresh_token is not None:
            answer["refresh_token"] = refresh_token
            if self.refresh_life is not None:
                answer["refresh_token_expires_in"] = int(self.refresh_life.total_seconds())
        if "openid" in grant.scopes:
            answer["id_token"] = self._id_token(grant, access_token, nonce)
        return answer

    def _id_token(self, grant: Grant, access_token: str, nonce: str | None) -> str:
        """A signed JWT. HS256 with the client's secret stands in for Google's RS256 and its published keys."""
        account, now = self._world.accounts[grant.email], int(self._world.now().timestamp())
        claims: Json = {
            "iss": ISSUER,
            "azp": grant.client_id,
            "aud": grant.client_id,
            "sub": account.subject,
            "at_hash": _base64url(hashlib.sha256(access_token.encode()).digest()[:16]),
            "iat": now,
            "exp": now + 3600,
        }
        if _SPELLED_OUT["email"] in grant.scopes:
            claims |= {"email": account.email, "email_verified": True}
        if _SPELLED_OUT["profile"] in grant.scopes:
            claims["name"] = account.name
        if nonce:
            claims["nonce"] = nonce
        parts = [_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        secret = self.clients[grant.client_id].secret.encode()
        signature = hmac.new(secret, ".".join(parts).encode(), hashlib.sha256).digest()
        return ".".join([*parts, _base64url(signature)])


def userinfo(account: Account, scopes: frozenset[str]) -> Json:
    """The OpenID Connect userinfo claims the scopes allow."""
    claims: Json = {"sub": account.subject}
    if _SPELLED_OUT["profile"] in scopes:
        given, _, family = account.name.partition(" ")
        claims |= {"name": account.name, "given_name": given, "family_name": family}
    if _SPELLED_OUT["email"] in scopes:
        claims |= {"email": account.email, "email_verified": True}
    return claims


def _check_verifier(challenge: str | None, verifier: str | None) -> None:
    """RFC 7636 4.6. A verifier for a request without challenge is refused too."""
    if challenge is None and not verifier:
        return
    if not verifier:
        raise OAuthError(400, "invalid_grant", "Missing code verifier.")
    if challenge is None or not hmac.compare_digest(_base64url(hashlib.sha256(verifier.encode()).digest()), challenge):
        raise OAuthError(400, "invalid_grant", "Invalid code verifier.")


def _spelled_out(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_SPELLED_OUT.get(scope, scope) for scope in scopes))


def _refresh_token() -> str:
    return f"1//0{secrets.token_urlsafe(64)}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
