"""The sign-in and consent page: what a person sees between our link and our callback.

Source: "Microsoft identity platform and OAuth 2.0 authorization code flow" (request, response modes, errors), "User and
admin consent". A wrong client or redirect address is told to the person and never redirected (AADSTS700016,
AADSTS50011); a refusal redirects with `error=access_denied` (AADSTS65004). Entra's page grants all or nothing; that
single permissions can be left out here stands for policies of a tenant that grant less (assumed).
"""

import html
import secrets
import uuid
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse, RedirectResponse, Response

from meetings.adapters.office365.simulator.errors import EntraError
from meetings.adapters.office365.simulator.grants import SIGN_IN_SCOPES, AuthorizationRequest, Grants, short
from meetings.adapters.office365.simulator.pages import page
from meetings.adapters.office365.simulator.world import Account, World

# Delegated permissions of Microsoft Graph that the simulated methods know, as the page words them.
PERMISSIONS = {
    "calendars.read": "Read your calendars",
    "calendars.readbasic": "Read basic details of your calendars",
    "calendars.read.shared": "Read calendars you can access",
    "calendars.readwrite": "Have full access to your calendars",
    "calendars.readwrite.shared": "Read and write to your and shared calendars",
    "mailboxsettings.read": "Read your mailbox settings",
    "mailboxsettings.readwrite": "Read and write your mailbox settings",
    "mail.readwrite": "Read and write access to your mail",
    "mail.send": "Send mail as you",
    "user.read": "Sign you in and read your profile",
    "user.readbasic.all": "Read all users' basic profiles",
    "onlinemeetings.readwrite": "Read and create your online meetings",
    ".default": "Everything the app was registered for",
}
_SIGN_IN_WORDS = {
    "openid": "Sign you in",
    "profile": "View your basic profile",
    "email": "View your email address",
    "offline_access": "Maintain access to data you have given it access to",
}


class ConsentPages:
    """Open pages by their id."""

    def __init__(self, world: World, grants: Grants) -> None:
        self._world = world
        self._grants = grants
        self._open: dict[str, AuthorizationRequest] = {}

    def show(self, tenant: str, query: QueryParams) -> Response:
        """GET of the authorisation address: the page, an error page, or a redirect with an error."""
        client = self._grants.clients.get(query.get("client_id", ""))
        if client is None:
            given = query.get("client_id", "")
            return self._blocked(700016, f"Application with identifier '{given}' was not found in the directory.")
        if query.get("redirect_uri") not in client.redirect_uris:
            words = "The redirect URI specified in the request does not match the redirect URIs configured for the"
            return self._blocked(50011, f"{words} application '{client.id}'.")
        request = AuthorizationRequest(
            client=client,
            tenant=tenant,
            redirect_uri=query["redirect_uri"],
            scopes=tuple(dict.fromkeys(query.get("scope", "").split())),
            state=query.get("state"),
            challenge=query.get("code_challenge"),
            nonce=query.get("nonce"),
            login_hint=query.get("login_hint"),
            response_mode=query.get("response_mode", "query"),
            client_info=query.get("client_info") == "1",
        )
        problem = self._problem(query, request)
        if problem is not None:
            return self._back_with(request, problem)
        page_id = secrets.token_urlsafe(24)
        self._open[page_id] = request
        return HTMLResponse(page("Sign in to your account", self._form(page_id, request)))

    def decide(self, form: dict[str, list[str]]) -> Response:
        """POST of the form: back to the client with a code, or with `access_denied`. A page is decided once."""
        request = self._open.pop((form.get("page") or [""])[0], None)
        account = self._world.accounts.get((form.get("account") or [""])[0])
        if request is None or account is None:
            return HTMLResponse(page("Error", "<p>This page has expired.</p>"), status_code=400)
        if form.get("decision") != ["accept"]:
            refused = EntraError("access_denied", 65004, "User declined to consent to access the app.")
            return self._back_with(request, refused, error_subcode="cancel")
        if not self._may_use(request, account):
            words = (
                f"Selected user account does not exist in tenant '{request.tenant}' and cannot access the application"
            )
            return self._blocked(50020, f"{words} '{request.client.id}' in that tenant.")
        if account.email in self._grants.admin_consent:
            words = (
                "An administrator of the organisation has set a policy that prevents you from granting the permissions."
            )
            return self._blocked(90094, f"Need admin approval. {words}")
        ticked = form.get("scope", [])
        scopes = tuple(scope for scope in request.scopes if scope in ticked or scope in SIGN_IN_SCOPES)
        code = self._grants.allow(request, account.email, scopes)
        # `session_state` comes along since OpenID Connect session management.
        return _back(request, {"code": code, "session_state": str(uuid.uuid4())})

    def _may_use(self, request: AuthorizationRequest, account: Account) -> bool:
        own = request.client.tenants is None or account.tenant_id in request.client.tenants
        return own and self._grants.may_sign_in(request.tenant, account)

    def _problem(self, query: QueryParams, request: AuthorizationRequest) -> EntraError | None:
        if query.get("response_type") != "code":
            words = "The app returned an unsupported response type; only the authorization code flow is simulated."
            return EntraError("unsupported_response_type", 70005, words)
        if request.response_mode not in ("query", "form_post", "fragment"):
            return EntraError("invalid_request", 900144, "The response_mode is not supported.")
        if not request.scopes:
            words = "The request body must contain the following parameter: 'scope'."
            return EntraError("invalid_request", 900144, words)
        unknown = [scope for scope in request.scopes if scope not in SIGN_IN_SCOPES and short(scope) not in PERMISSIONS]
        if unknown:
            words = f"The application asked for scope '{' '.join(unknown)}' that doesn't exist on the resource."
            return EntraError("invalid_client", 650053, words)
        if request.challenge and query.get("code_challenge_method", "plain") != "S256":
            return EntraError("invalid_request", 501491, "Only the code challenge method S256 is simulated.")
        if query.get("prompt") == "none":
            return EntraError("login_required", 50058, "A silent sign-in request was sent but no user is signed in.")
        return None

    def _back_with(self, request: AuthorizationRequest, error: EntraError, **more: str) -> Response:
        description = error.description(str(uuid.uuid4()), str(uuid.uuid4()), self._world.now())
        return _back(request, {"error": error.error, "error_description": description, **more})

    def _blocked(self, number: int, words: str) -> Response:
        body = f"<h1>Sorry, but we’re having trouble signing you in.</h1><p>AADSTS{number}: {html.escape(words)}</p>"
        return HTMLResponse(page("Sign in to your account", body), status_code=400)

    def _form(self, page_id: str, request: AuthorizationRequest) -> str:
        host = html.escape(urlsplit(request.redirect_uri).netloc)
        accounts = "".join(
            f'<label><input type="radio" name="account" value="{html.escape(account.email)}"'
            f"{' checked' if self._preselected(account.email, request) else ''}> {html.escape(account.name)}"
            f" &lt;{html.escape(account.email)}&gt;</label>"
            for account in self._world.accounts.values()
        )
        scopes = "".join(f"<li>{html.escape(_words(scope))}</li>" for scope in request.scopes)
        hidden = "".join(f'<input type="hidden" name="scope" value="{html.escape(scope)}">' for scope in request.scopes)
        return (
            f"<h1>Permissions requested</h1><p><b>{host}</b> (simulated) would like to:</p><ul>{scopes}</ul>"
            f'<form method="post"><input type="hidden" name="page" value="{page_id}">{hidden}'
            f"<fieldset><legend>Pick an account</legend>{accounts}</fieldset>"
            '<button name="decision" value="cancel">Cancel</button> '
            '<button name="decision" value="accept">Accept</button></form>'
        )

    def _preselected(self, email: str, request: AuthorizationRequest) -> bool:
        hinted = self._world.accounts.get(request.login_hint or "")
        return email == (hinted.email if hinted else next(iter(self._world.accounts)))


def _words(scope: str) -> str:
    return _SIGN_IN_WORDS.get(scope) or PERMISSIONS[short(scope)]


def _back(request: AuthorizationRequest, parameters: dict[str, str]) -> Response:
    if request.state is not None:
        parameters = {**parameters, "state": request.state}
    if request.response_mode == "form_post":
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in parameters.items()
        )
        form = f'<form method="POST" name="hiddenform" action="{html.escape(request.redirect_uri)}">{fields}'
        script = "<script>document.forms[0].submit();</script>"
        return HTMLResponse(page("Working...", f"{form}<button>Continue</button></form>{script}"))
    glue = "#" if request.response_mode == "fragment" else "&" if "?" in request.redirect_uri else "?"
    return RedirectResponse(f"{request.redirect_uri}{glue}{urlencode(parameters)}", status_code=302)
