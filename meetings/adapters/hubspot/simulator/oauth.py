"""Signing in: the app, its consent page, and the server that trades codes and tokens.

Sources, of HubSpot's developer documentation: "Working with OAuth", "Manage OAuth access tokens with the 2026-03 API",
and of the changelog "Additional details returned when generating OAuth access tokens" and "New OAuth v3 API endpoints
and standardized error responses"; RFC 6749.
"""

import html
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from meetings.adapters.hubspot.simulator.errors import Json
from meetings.adapters.hubspot.simulator.portal import SimulatedPortal

AUTHORIZE_PATH, TOKEN_PATH = "/oauth/authorize", "/oauth/2026-03/token"
REVOKE_PATH = f"{TOKEN_PATH}/revoke"
ACCESS_SECONDS = 1_800
"""Half an hour ("Manage OAuth access tokens")."""
CODE_SECONDS = 600.0
"""How long a code is good is not told (assumed)."""


@dataclass
class App:
    """What people sign in for; all of its scopes are asked for at once."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: frozenset[str] = frozenset()


@dataclass
class Install:
    """An app in a portal: the refresh token stands for it."""

    portal: SimulatedPortal
    scopes: tuple[str, ...]
    refresh_token: str = field(repr=False)
    refreshes: int = 0
    revoked: bool = False
    removed: bool = False


@dataclass
class _Issued:
    install: Install
    ends_at: float
    calls_left: int | None


@dataclass
class _Code:
    install: Install
    redirect_uri: str
    ends_at: float


class SignIns:
    """An access token is good for `access_seconds`, and for `calls_per_token` calls where that is set. `rotate` gives
    another refresh token each time and makes the one before useless, as a server may (RFC 6749, 6); HubSpot repeats it
    (assumed). Moments are those of the monotonic clock; the caller holds the lock."""

    def __init__(self) -> None:
        self.app: App | None = None
        self.access_seconds = ACCESS_SECONDS
        self.calls_per_token: int | None = None
        self.rotate = False
        self.installs: list[Install] = []
        self._issued: dict[str, _Issued] = {}
        self._codes: dict[str, _Code] = {}

    def portal_of(self, token: str, now: float) -> SimulatedPortal | None:
        """Whose access token this is. A newer one leaves those before it as they are (assumed)."""
        issued = self._issued.get(token)
        if issued is None or issued.install.removed or issued.ends_at <= now:
            return None
        if issued.calls_left is not None:
            if issued.calls_left <= 0:
                return None
            issued.calls_left -= 1
        return issued.install.portal

    def expire(self, portal: SimulatedPortal) -> None:
        """All access tokens of a portal come to their end."""
        for issued in self._issued.values():
            if issued.install.portal is portal:
                issued.ends_at = 0.0

    def remove(self, portal: SimulatedPortal) -> None:
        """The portal's people remove the app: its tokens are worth nothing at once."""
        for install in self.installs:
            if install.portal is portal:
                install.removed = True

    # ---- the consent page -------------------------------------------------------------------------------------------

    def page(self, query: Mapping[str, str], portals: Mapping[str, SimulatedPortal]) -> Response:
        if problem := self._problem(query):
            return HTMLResponse(problem, 400)
        asked = "".join(f"<li>{html.escape(scope)}</li>" for scope in query["scope"].split())
        boxes = "".join(f'<option value="{hub_id}">{hub_id}</option>' for hub_id in portals)
        form = f'<form method="post"><ul>{asked}</ul><select name="hub_id">{boxes}</select><button name="decision">'
        return HTMLResponse(f"{form}Connect app</button></form>")

    def decided(
        self, query: Mapping[str, str], form: Mapping[str, str], portals: Mapping[str, SimulatedPortal], now: float
    ) -> Response:
        """Back to the app. Who says no comes back with an error as of RFC 6749, 4.1.2.1 (assumed)."""
        portal = portals.get(form.get("hub_id", ""))
        if (problem := self._problem(query)) or portal is None:
            return HTMLResponse(problem or "no such account", 400)
        told = {"state": query["state"]} if "state" in query else {}
        if form.get("decision") != "allow":
            return _to(query["redirect_uri"], {"error": "access_denied", **told})
        code = secrets.token_urlsafe(16)
        install = Install(portal, tuple(query["scope"].split()), _refresh_token())
        self._codes[code] = _Code(install, query["redirect_uri"], now + CODE_SECONDS)
        return _to(query["redirect_uri"], {"code": code, **told})

    def _problem(self, query: Mapping[str, str]) -> str | None:
        if self.app is None or query.get("client_id") != self.app.client_id:
            return "the app is unknown"
        if query.get("redirect_uri") not in self.app.redirect_uris:
            return "the redirect address is not one of the app's"
        return None if query.get("scope") else "no scopes are asked for"

    # ---- the server that trades -------------------------------------------------------------------------------------

    def trade(self, form: Mapping[str, str], now: float) -> tuple[int, Json]:
        if not self._knows(form):
            return _no("invalid_client", "BAD_CLIENT_ID", "client is unknown")
        if form.get("grant_type") == "authorization_code":
            code = self._codes.pop(form.get("code", ""), None)
            if code is None or code.ends_at <= now or form.get("redirect_uri") != code.redirect_uri:
                return _no("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code")
            self.installs.append(code.install)
            return 200, self._tokens(code.install, now)
        if form.get("grant_type") == "refresh_token":
            install = self._install(form.get("refresh_token", ""))
            if install is None or install.revoked or install.removed:
                return _no("invalid_grant", "BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked")
            install.refreshes += 1
            if self.rotate:
                install.refresh_token = _refresh_token()
            return 200, self._tokens(install, now)
        return _no("unsupported_grant_type", "BAD_GRANT_TYPE", "grant_type is not supported")

    def revoke(self, form: Mapping[str, str]) -> tuple[int, Json]:
        """The refresh token is worth nothing any more; access tokens go on until their end ("Managing tokens").
        One that is not known is success (RFC 7009, 2.2)."""
        if not self._knows(form):
            return _no("invalid_client", "BAD_CLIENT_ID", "client is unknown")
        if (install := self._install(form.get("token", ""))) is not None:
            install.revoked = True
        return 200, {}

    def _knows(self, form: Mapping[str, str]) -> bool:
        ours = self.app and (self.app.client_id, self.app.client_secret)
        return ours == (form.get("client_id"), form.get("client_secret"))

    def _install(self, refresh_token: str) -> Install | None:
        return next((each for each in self.installs if each.refresh_token == refresh_token), None)

    def _tokens(self, install: Install, now: float) -> Json:
        token = f"C{secrets.token_urlsafe(60)}"
        self._issued[token] = _Issued(install, now + self.access_seconds, self.calls_per_token)
        return {
            "token_type": "bearer",
            "refresh_token": install.refresh_token,
            "access_token": token,
            "expires_in": self.access_seconds,
            "hub_id": int(install.portal.hub_id),
            "scopes": list(install.scopes),
        }


def answered(told: tuple[int, Json]) -> Response:
    return JSONResponse(told[1], told[0])


def _refresh_token() -> str:
    return f"eu1-{secrets.token_hex(16)}"


def _no(error: str, status: str, words: str) -> tuple[int, Json]:
    return 400, {"error": error, "error_description": words, "status": status, "message": words}


def _to(address: str, told: Mapping[str, str]) -> Response:
    return RedirectResponse(f"{address}{'&' if '?' in address else '?'}{urlencode(told)}", 302)
