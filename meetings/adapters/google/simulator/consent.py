"""The consent page: what a person sees between our link and our callback.

Source: "Using OAuth 2.0 for Web Server Applications". A wrong client or redirect address is told to the person and
never redirected ("Error 400: redirect_uri_mismatch"); a refusal redirects with `error=access_denied`; people may
untick single permissions ("granular permissions"), the sign-in ones excepted.
"""

import html
import secrets
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse, RedirectResponse, Response

from meetings.adapters.google.simulator.grants import AuthorizationRequest, Grants
from meetings.adapters.google.simulator.methods import scope_texts
from meetings.adapters.google.simulator.pages import page
from meetings.adapters.google.simulator.world import World

SIGN_IN_SCOPES = {
    "openid": "Associate you with your personal info on Google",
    "email": "See your primary Google Account email address",
    "profile": "See your personal info, including any personal info you've made publicly available",
    "https://www.googleapis.com/auth/userinfo.email": "See your primary Google Account email address",
    "https://www.googleapis.com/auth/userinfo.profile": "See your personal info",
}


class ConsentPages:
    """Open consent pages by their id."""

    def __init__(self, world: World, grants: Grants) -> None:
        self._world = world
        self._grants = grants
        self._open: dict[str, AuthorizationRequest] = {}

    def show(self, query: QueryParams) -> Response:
        """GET of the authorisation address: the page, or an error page."""
        problem = self._problem(query)
        if problem is not None:
            status, error, words = problem
            body = f"<h1>Access blocked: authorization error</h1><p>{words}</p><p>Error {status}: {error}</p>"
            return HTMLResponse(page("Error", body), status_code=status)
        request = self._request(query)
        page_id = secrets.token_urlsafe(24)
        self._open[page_id] = request
        return HTMLResponse(page("Sign in with Google", self._form(page_id, request)))

    def decide(self, form: dict[str, list[str]]) -> Response:
        """POST of the form: back to the client with a code, or with `access_denied`. A page is decided once."""
        request = self._open.pop((form.get("page") or [""])[0], None)
        email = (form.get("account") or [""])[0]
        if request is None or email not in self._world.accounts:
            return HTMLResponse(page("Error", "<p>This page has expired.</p>"), status_code=400)
        if form.get("decision") != ["allow"]:
            return _back(request, {"error": "access_denied"})
        ticked = form.get("scope", [])
        scopes = tuple(scope for scope in request.scopes if scope in ticked or scope in SIGN_IN_SCOPES)
        code = self._grants.allow(request, email, scopes)
        scope = " ".join(scopes)
        return _back(request, {"code": code, "scope": scope, "authuser": "0", "prompt": "consent"})

    def _problem(self, query: QueryParams) -> tuple[int, str, str] | None:
        client = self._grants.clients.get(query.get("client_id", ""))
        if client is None:
            return 401, "invalid_client", "The OAuth client was not found."
        if query.get("redirect_uri") not in client.redirect_uris:
            return 400, "redirect_uri_mismatch", "The redirect URI in the request does not match a registered one."
        if query.get("response_type") != "code":
            return 400, "unsupported_response_type", "Only the authorization code flow is simulated."
        if not query.get("scope", "").split():
            return 400, "invalid_request", "Missing required parameter: scope"
        unknown = [scope for scope in query["scope"].split() if scope not in SIGN_IN_SCOPES | scope_texts()]
        if unknown:
            return 400, "invalid_scope", f"Some requested scopes were invalid: {html.escape(' '.join(unknown))}"
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            return 400, "invalid_request", "Only the code challenge method S256 is simulated."
        if query.get("access_type", "online") not in ("online", "offline"):
            return 400, "invalid_request", "Invalid access_type."
        return None

    def _request(self, query: QueryParams) -> AuthorizationRequest:
        return AuthorizationRequest(
            client=self._grants.clients[query["client_id"]],
            redirect_uri=query["redirect_uri"],
            scopes=tuple(dict.fromkeys(query["scope"].split())),
            state=query.get("state"),
            challenge=query.get("code_challenge"),
            offline=query.get("access_type") == "offline",
            asks_consent="consent" in query.get("prompt", "").split(),
            login_hint=query.get("login_hint"),
            nonce=query.get("nonce"),
            include_granted=query.get("include_granted_scopes") == "true",
        )

    def _form(self, page_id: str, request: AuthorizationRequest) -> str:
        host = html.escape(urlsplit(request.redirect_uri).netloc)
        accounts = "".join(
            f'<label><input type="radio" name="account" value="{html.escape(account.email)}"'
            f"{' checked' if self._preselected(account.email, request) else ''}> {html.escape(account.name)}"
            f" &lt;{html.escape(account.email)}&gt;</label>"
            for account in self._world.accounts.values()
        )
        texts = SIGN_IN_SCOPES | scope_texts()
        scopes = "".join(
            f'<label><input type="checkbox" name="scope" value="{html.escape(scope)}" checked'
            f"{' disabled' if scope in SIGN_IN_SCOPES else ''}> {html.escape(texts[scope])}</label>"
            for scope in request.scopes
        )
        return (
            f"<h1>Sign in with Google</h1><p><b>{host}</b> wants to access your Google Account (simulated)</p>"
            f'<form method="post"><input type="hidden" name="page" value="{page_id}">'
            f"<fieldset><legend>Account</legend>{accounts}</fieldset>"
            f"<fieldset><legend>This will allow {host} to</legend>{scopes}</fieldset>"
            '<button name="decision" value="deny">Cancel</button> '
            '<button name="decision" value="allow">Allow</button></form>'
        )

    def _preselected(self, email: str, request: AuthorizationRequest) -> bool:
        hinted = self._world.accounts.get(request.login_hint or "")
        return email == (hinted.email if hinted else next(iter(self._world.accounts)))


def _back(request: AuthorizationRequest, parameters: dict[str, str]) -> Response:
    """Redirect with the state first; a redirect address may have a query of its own."""
    state = {"state": request.state} if request.state is not None else {}
    glue = "&" if "?" in request.redirect_uri else "?"
    return RedirectResponse(f"{request.redirect_uri}{glue}{urlencode(state | parameters)}", status_code=302)
