"""Sign-in state: clients, what people consented to, codes and tokens.

Source: "Microsoft identity platform and OAuth 2.0 authorization code flow", "Refresh tokens in the Microsoft identity
platform" (a new refresh token comes with every use, the old one is not revoked by it), "Microsoft Entra
authentication and authorization error codes"; RFC 6749 and 7636.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from meetings.adapters.office365.simulator.errors import EntraError, Json
from meetings.adapters.office365.simulator.id_tokens import IdTokens, base64url
from meetings.adapters.office365.simulator.world import PERSONAL_TENANT, Account, World

# "Codes expire after a short time, typically after about 10 minutes"; access tokens vary from 60 to 90 minutes.
CODE_LIFE = timedelta(minutes=10)
ACCESS_LIFE = timedelta(seconds=4799)
SIGN_IN_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
GRAPH = "https://graph.microsoft.com/"
_MFA = (
    "Due to a configuration change made by your administrator, or because you moved to a new location, you must use"
    " multi-factor authentication to access '00000003-0000-0000-c000-000000000000'."
)


@dataclass(frozen=True)
class Client:
    """An app registration. `tenants` are those it is for; None for every organisation and personal accounts."""

    id: str
    secret: str
    redirect_uris: frozenset[str]
    tenants: frozenset[str] | None = None


@dataclass(frozen=True)
class AuthorizationRequest:
    """A valid request for consent. `scopes` as asked; `challenge` is the S256 challenge, or None without PKCE."""

    client: Client
    tenant: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str | None
    nonce: str | None
    login_hint: str | None
    response_mode: str
    client_info: bool


@dataclass
class Grant:
    """One person's consent for one client. Every refresh token of it is good until it is revoked."""

    email: str
    client_id: str
    scopes: tuple[str, ...]
    granted_at: datetime
    refresh_tokens: dict[str, datetime] = field(default_factory=dict)
    revoked: bool = False


@dataclass
class _AccessToken:
    grant: Grant
    scopes: frozenset[str]
    expires_at: datetime


@dataclass
class _Code:
    request: AuthorizationRequest
    email: str
    scopes: tuple[str, ...]
    expires_at: datetime
    used: bool = False


class Grants:
    """`single_use` ends a refresh token with its use (Entra does so for single-page apps only); `refresh_life` ends
    tokens that were not used for so long (90 days); `conditional_access` names people who have to prove more now.
    """

    def __init__(self, world: World, id_tokens: IdTokens) -> None:
        self.clients: dict[str, Client] = {}
        self.single_use = False
        self.refresh_life = timedelta(days=90)
        self.conditional_access: set[str] = set()
        self.admin_consent: set[str] = set()
        self.grants: list[Grant] = []
        self._world = world
        self._id_tokens = id_tokens
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, _AccessToken] = {}

    def account_of(self, access_token: str) -> tuple[Account, frozenset[str], str] | None:
        """Who the token speaks for, with which scopes (in small letters, without Graph's address), for which client."""
        token = self._access.get(access_token)
        if token is None or token.grant.revoked or token.expires_at <= self._world.now():
            return None
        return self._world.accounts[token.grant.email], token.scopes, token.grant.client_id

    def knows(self, access_token: str) -> bool:
        return access_token in self._access

    def is_granted(self, email: str) -> bool:
        return any(grant.email == email and not grant.revoked for grant in self.grants)

    def allow(self, request: AuthorizationRequest, email: str, scopes: tuple[str, ...]) -> str:
        """The person said yes to `scopes`. Gives a code, good once and for ten minutes."""
        code = f"1.{secrets.token_urlsafe(96)}"
        self._codes[code] = _Code(request, email, scopes, self._world.now() + CODE_LIFE)
        return code

    def exchange(self, tenant: str, form: dict[str, str], base_url: str) -> Json:
        """POST token. Raises EntraError."""
        client = self._client(form)
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self._from_code(client, tenant, form, base_url)
        if kind == "refresh_token":
            return self._from_refresh_token(client, tenant, form, base_url)
        raise EntraError("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")

    def grant_directly(self, email: str, client_id: str, scopes: tuple[str, ...], base_url: str) -> Json:
        """What a walk through the consent page ends with, without the walk."""
        grant = Grant(email, client_id, scopes, self._world.now())
        self.grants.append(grant)
        return self._token_answer(grant, scopes, base_url, client_info=True, nonce=None)

    def revoke_all(self, email: str) -> None:
        """The person, or an administrator, took the consent away."""
        for grant in self.grants:
            grant.revoked = grant.revoked or grant.email == email

    def expire_access_tokens(self, email: str) -> None:
        for token in self._access.values():
            if token.grant.email == email:
                token.expires_at = self._world.now()

    def expire_refresh_tokens(self, email: str) -> None:
        """As after 90 days without use."""
        for grant in self.grants:
            if grant.email == email:
                grant.refresh_tokens = dict.fromkeys(grant.refresh_tokens, self._world.now() - self.refresh_life)

    def may_sign_in(self, tenant: str, account: Account) -> bool:
        """Whether an address under `tenant` is for this account ("Protocol endpoints", {tenant} values)."""
        personal = account.tenant_id == PERSONAL_TENANT
        return {"common": True, "organizations": not personal, "consumers": personal}.get(
            tenant, tenant in (account.tenant_id, account.email.partition("@")[2])
        )

    def _client(self, form: dict[str, str]) -> Client:
        client = self.clients.get(form.get("client_id", ""))
        if client is None:
            given = form.get("client_id", "")
            words = f"Application with identifier '{given}' was not found in the directory."
            raise EntraError("unauthorized_client", 700016, words)
        if not form.get("client_secret"):
            words = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise EntraError("invalid_client", 7000218, words, status=401)
        if not hmac.compare_digest(client.secret, form["client_secret"]):
            words = "Invalid client secret provided. Ensure that it is the client secret value, not its id."
            raise EntraError("invalid_client", 7000215, words, status=401)
        return client

    def _from_code(self, client: Client, tenant: str, form: dict[str, str], base_url: str) -> Json:
        code = self._codes.get(form.get("code", ""))
        if code is None or code.request.client.id != client.id:
            raise EntraError("invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
        if code.used:
            words = "OAuth2 Authorization code was already redeemed, please retry with a new valid code."
            raise EntraError("invalid_grant", 54005, words)
        if code.expires_at <= self._world.now():
            words = "The provided authorization code or refresh token has expired due to inactivity."
            raise EntraError("invalid_grant", 70008, words)
        if form.get("redirect_uri") != code.request.redirect_uri:
            words = "The reply address does not match the reply address provided when requesting Authorization code."
            raise EntraError("invalid_client", 500112, words)
        _check_verifier(code.request.challenge, form.get("code_verifier"))
        self._check_person(code.email, tenant, client)
        code.used = True
        scopes = _asked(form, code.scopes, all_of_them=False)
        grant = Grant(code.email, client.id, code.scopes, self._world.now())
        self.grants.append(grant)
        wants_info = code.request.client_info or form.get("client_info") == "1"
        return self._token_answer(grant, scopes, base_url, client_info=wants_info, nonce=code.request.nonce)

    def _from_refresh_token(self, client: Client, tenant: str, form: dict[str, str], base_url: str) -> Json:
        token = form.get("refresh_token", "")
        grant = next((each for each in self.grants if token and token in each.refresh_tokens), None)
        if grant is None or grant.client_id != client.id:
            words = "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid."
            raise EntraError("invalid_grant", 70000, words, suberror="bad_token")
        if grant.revoked:
            words = (
                "The user or administrator has not consented to use the application. Send an interactive authorization"
            )
            raise EntraError(
                "invalid_grant", 65001, f"{words} request for this user and resource.", suberror="consent_required"
            )
        if grant.refresh_tokens[token] + self.refresh_life <= self._world.now():
            words = "The refresh token has expired due to inactivity."
            raise EntraError("invalid_grant", 700082, words, suberror="token_expired")
        self._check_person(grant.email, tenant, client)
        if self.single_use:
            del grant.refresh_tokens[token]
        else:
            grant.refresh_tokens[token] = self._world.now()
        scopes = _asked(form, grant.scopes, all_of_them=True)
        return self._token_answer(grant, scopes, base_url, client_info=form.get("client_info") == "1", nonce=None)

    def _check_person(self, email: str, tenant: str, client: Client) -> None:
        account = self._world.accounts[email]
        if not self.may_sign_in(tenant, account) or (client.tenants and account.tenant_id not in client.tenants):
            words = (
                f"User account does not exist in tenant '{tenant}' and cannot access the application in that tenant."
            )
            raise EntraError("invalid_grant", 50020, words)
        if email in self.conditional_access:
            claims = '{"access_token":{"polids":{"essential":true,"values":["5ce770ea-8690-4747-aa73-c5b3cd509cd4"]}}}'
            raise EntraError("interaction_required", 50076, _MFA, suberror="basic_action", claims=claims)

    def _token_answer(
        self, grant: Grant, scopes: tuple[str, ...], base_url: str, *, client_info: bool, nonce: str | None
    ) -> Json:
        account, now = self._world.accounts[grant.email], self._world.now()
        granted = tuple(scope for scope in scopes if scope in grant.scopes)
        access_token = f"eyJ0eXAiOiJKV1QiLCJub25jZSI6.{secrets.token_urlsafe(120)}.{secrets.token_urlsafe(60)}"
        self._access[access_token] = _AccessToken(grant, frozenset(map(short, granted)), now + ACCESS_LIFE)
        life = int(ACCESS_LIFE.total_seconds())
        answer: Json = {
            "token_type": "Bearer",
            # offline_access is not told among the scopes ("Successful response").
            "scope": " ".join(scope for scope in granted if scope != "offline_access"),
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": access_token,
        }
        if "offline_access" in grant.scopes:
            refresh_token = f"1.{secrets.token_urlsafe(180)}"
            grant.refresh_tokens[refresh_token] = now
            answer["refresh_token"] = refresh_token
        if "openid" in grant.scopes:
            answer["id_token"] = self._id_tokens.sign(account, grant.client_id, set(grant.scopes), now, base_url, nonce)
        if client_info:
            answer["client_info"] = base64url(f'{{"uid":"{account.object_id}","utid":"{account.tenant_id}"}}'.encode())
        return answer


def short(scope: str) -> str:
    """A permission by its bare name; Graph's may be written with its address."""
    return re.sub(rf"^{re.escape(GRAPH)}", "", scope, flags=re.IGNORECASE).lower()


def _asked(form: dict[str, str], granted: tuple[str, ...], *, all_of_them: bool) -> tuple[str, ...]:
    """The scopes of a token request that were granted; `/.default` and none at all mean everything.

    Raises:
        EntraError: one was not, and `all_of_them` are wanted. That a code gives what there is, without an error, is
            assumed.
    """
    wanted = form.get("scope", "").split()
    names = {short(scope) for scope in wanted} - SIGN_IN_SCOPES
    if not names or ".default" in names:
        return granted
    if all_of_them and names - {short(scope) for scope in granted}:
        words = "The user or administrator has not consented to use the application. Send an interactive authorization"
        raise EntraError(
            "invalid_grant", 65001, f"{words} request for this user and resource.", suberror="consent_required"
        )
    return tuple(scope for scope in granted if short(scope) in names or scope in SIGN_IN_SCOPES)


def _check_verifier(challenge: str | None, verifier: str | None) -> None:
    """RFC 7636 4.6."""
    if challenge is None and not verifier:
        return
    if not verifier or challenge is None:
        raise EntraError("invalid_grant", 50148, "The code_verifier does not match the code_challenge supplied in the"
                         " authorization request.")  # fmt: skip
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(digest, challenge):
        raise EntraError("invalid_grant", 501481, "The Code_Verifier does not match the code_challenge supplied in the"
                         " authorization request.")  # fmt: skip
