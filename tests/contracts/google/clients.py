"""Google's own client libraries, pointed at a simulator."""

from typing import Any

import httplib2
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from google_auth_oauthlib.flow import Flow
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from meetings.adapters.google.simulator import CALENDAR_SCOPE, CLIENT_ID, CLIENT_SECRET, GoogleSimulator

REDIRECT = "http://127.0.0.1:8000/oauth/google/callback"


def credentials(google: GoogleSimulator, email: str, *, scopes: tuple[str, ...] = (CALENDAR_SCOPE,)) -> Credentials:
    tokens = google.grant(email, scopes)
    return Credentials(  # type: ignore[no-untyped-call]  # google-auth is typed in part
        token=tokens["access_token"],
        refresh_token=tokens["refresh_token"],
        token_uri=google.endpoints.token,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
    )


def refresh(signed_in: Credentials) -> None:
    signed_in.refresh(Request())  # type: ignore[no-untyped-call]  # google-auth is typed in part


def calendar_client(google: GoogleSimulator, of: str | Credentials, *, timeout: float = 5.0) -> Any:
    """The Calendar service of google-api-python-client, signed in as `of`."""
    signed_in = credentials(google, of) if isinstance(of, str) else of
    http = AuthorizedHttp(signed_in, http=httplib2.Http(timeout=timeout))
    return build(
        "calendar",
        "v3",
        http=http,
        static_discovery=True,
        cache_discovery=False,
        client_options={"api_endpoint": google.endpoints.api},
    )


def refusal(error: HttpError) -> tuple[int, str]:
    """Status and reason of an answer that is an error."""
    details: Any = error.error_details
    return int(error.status_code), str(details[0]["reason"])


def sign_in_flow(google: GoogleSimulator, scopes: list[str], *, verifier: str | None = None) -> Flow:
    """The web flow of google-auth-oauthlib; the client is registered with `REDIRECT`."""
    google.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,))
    config = {
        "web": {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "auth_uri": google.endpoints.authorize,
            "token_uri": google.endpoints.token,
            "redirect_uris": [REDIRECT],
        }
    }
    return Flow.from_client_config(config, scopes, redirect_uri=REDIRECT, code_verifier=verifier)
