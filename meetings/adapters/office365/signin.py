"""Microsoft's consent page: OAuth 2.0 code flow with PKCE, and OpenID Connect to know that it was us who asked.

Sources: "Microsoft identity platform and OAuth 2.0 authorization code flow", "Scopes and permissions in the Microsoft
identity platform" (Microsoft's documentation); msal makes the requests.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from meetings.adapters.office365.graph import Graph, Question
from meetings.adapters.office365.identity import Entra, Tokens
from meetings.adapters.office365.identity_token import is_for_us
from meetings.adapters.office365.refusals import Asked, Refused, as_provider_error, code_error, refresh_error
from meetings.adapters.office365.tokens import Grant, lean
from meetings.application.ports.calendars import (
    AccessNotGranted,
    Authorization,
    CodeRejected,
    Granted,
    ProviderUnavailable,
)
from meetings.domain.account_use import BOTH, CALENDAR_ONLY, AccountUse

SCOPES: Mapping[AccountUse, tuple[str, ...]] = {
    AccountUse.CALENDAR: ("Calendars.ReadWrite",),
    AccountUse.EMAIL: ("Mail.ReadWrite", "Mail.Send"),
}
"""What each use needs, all of it. Writing includes reading."""
_OF_EVERYBODY = ("User.Read",)
# Named by A-CC6 for both uses together, although writing includes it.
_WITH_BOTH = ("Calendars.Read",)

_KEPT = ("state", "redirect_uri", "scope", "code_verifier", "nonce")


@dataclass(frozen=True, slots=True)
class Office365SignIn:
    """`SignIn` for Microsoft Entra. `tenant` is whom the operator lets in."""

    entra: Entra
    graph: Graph
    tenant: str

    async def begin(
        self, *, state: str, redirect_uri: str, login_hint: str | None, uses: frozenset[AccountUse] = CALENDAR_ONLY
    ) -> Authorization:
        """Asks for no more than `uses` need (A-CC6); msal adds openid and offline_access.

        Reads the tenant's public description, once an hour at most. The verifier is JSON: PKCE's verifier, the
        nonce, and what both belong to.

        The person is asked which account to use (A-CC5).
        """
        asked = [*scopes_of(uses), *(_WITH_BOTH if uses == BOTH else ()), "email"]
        flow = await self.entra.begin(asked, state=state, redirect_uri=redirect_uri, login_hint=login_hint)
        return Authorization(url=flow["auth_uri"], verifier=json.dumps({name: flow[name] for name in _KEPT}))

    async def finish(self, *, code: str, verifier: str, redirect_uri: str) -> Granted:
        """Besides what the port says, CodeRejected stands for an identity that is not meant for us (OA-1).

        Raises:
            AuthorizationDenied: the organisation's administrator does not let us in.
        """
        flow, until = _flow(verifier), self.entra.limit()
        if flow["redirect_uri"] != redirect_uri:
            raise CodeRejected("the code was asked for another address")
        tokens = await self.entra.trade_code(flow, code, until)
        answer = tokens.answer or {}
        if "access_token" not in answer:
            raise code_error(answer)
        self._require_identity(answer.get("id_token_claims"), flow["nonce"])
        uses = _granted_uses(answer, tokens)
        email = await self._address(answer["access_token"], until)
        return Granted(account_email=email, credentials=self._grant(tokens, email, uses).to_text(), uses=uses)

    async def revoke(self, credentials: str) -> None:
        """Nothing that an app may do takes its grant back: Entra has no endpoint to revoke a token, ending all sessions
        of the person would also end those of every other app and needs a permission of its own
        (user: revokeSignInSessions), and so does deleting the consent (oAuth2PermissionGrant). The stored credentials
        being deleted is what there is; the rest is the person's, at https://myapps.microsoft.com.
        """

    async def refreshed(self, text: str, until: float) -> str:
        """Credentials with a new access token for what was granted. A refresh token that Entra replaced is replaced;
        the old one would work on for a while.

        Raises:
            ReauthorizationNeeded: the grant was revoked or expired, or the organisation wants to see the person again.
        """
        grant = Grant.from_text(text)
        tokens = await self.entra.refresh(grant.cache, grant.mailbox, scopes_of(grant.uses), until)
        if tokens.answer is None or "access_token" not in tokens.answer:
            raise refresh_error(tokens.answer)
        return self._grant(tokens, grant.email, grant.uses).to_text()

    def _require_identity(self, claims: Any, nonce: str) -> None:
        if not isinstance(claims, dict) or not is_for_us(
            claims,
            client_id=self.entra.client_id,
            nonce=nonce,
            issuer=self.entra.issuer(),
            tenant=self.tenant,
            now=self.entra.now(),
        ):
            raise CodeRejected("the identity that came with the code is not meant for us")

    async def _address(self, access_token: str, until: float) -> str:
        """The mailbox's own address; of an account without one, its sign-in name."""
        question = Question("GET", "/me", params={"$select": "mail,userPrincipalName"})
        try:
            me = await self.graph.ask(access_token, question, until)
        except Refused as refused:
            raise as_provider_error(refused, Asked.ACCOUNT, self.entra.now()) from None
        email = me.get("mail") or me.get("userPrincipalName")
        if not isinstance(email, str) or not email:
            raise AccessNotGranted("email address")
        return email

    def _grant(self, tokens: Tokens, email: str, uses: frozenset[AccountUse]) -> Grant:
        assert tokens.answer is not None
        try:
            life = timedelta(seconds=int(tokens.answer["expires_in"]))
            return Grant(
                access_token=str(tokens.answer["access_token"]),
                expires_at=int((self.entra.now() + life).timestamp()),
                mailbox=tokens.mailbox,
                email=email,
                cache=lean(tokens.cache),
                uses=uses,
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ProviderUnavailable("a token answer without tokens") from None


def scopes_of(uses: frozenset[AccountUse]) -> list[str]:
    """The permissions of Graph that `uses` cannot do without."""
    return [*(scope for use in AccountUse if use in uses for scope in SCOPES[use]), *_OF_EVERYBODY]


def _flow(verifier: str) -> Any:
    """Raises CodeRejected for what `begin` did not make."""
    try:
        flow = json.loads(verifier)
    except (ValueError, RecursionError):
        flow = None
    if not isinstance(flow, dict) or set(flow) != set(_KEPT):
        raise CodeRejected("not a verifier of ours")
    return flow


def _granted_uses(answer: Any, tokens: Tokens) -> frozenset[AccountUse]:
    """What the granted scopes open. They come back with or without the address of what they are for, in any case.

    Raises:
        AccessNotGranted: nothing, or nothing while the person is away.
    """
    granted = {scope.rpartition("/")[2].lower() for scope in str(answer.get("scope", "")).split()}
    uses = frozenset(use for use, scopes in SCOPES.items() if {scope.lower() for scope in scopes} <= granted)
    if not uses:
        raise AccessNotGranted("calendar")
    if not json.loads(tokens.cache).get("RefreshToken"):
        raise AccessNotGranted("access while you are away")
    return uses
