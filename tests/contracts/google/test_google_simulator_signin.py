"""OAuth 2.0 of the simulator, driven by google-auth and google-auth-oauthlib."""

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from google.auth.exceptions import RefreshError
from google_auth_oauthlib.flow import Flow
from googleapiclient.errors import HttpError
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError  # type: ignore[import-untyped]  # brings no types

from meetings.adapters.google.simulator import CALENDAR_SCOPE, CLIENT_ID, CLIENT_SECRET, ConsentRefused, GoogleSimulator
from tests.contracts.calendars.world import Clock
from tests.contracts.google.clients import REDIRECT, calendar_client, credentials, refresh, refusal, sign_in_flow

ADA = "ada@example.com"
EVENTS_SCOPE = "https://www.googleapis.com/auth/calendar.events"
LIST_SCOPE = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
EMAIL_SCOPE = "https://www.googleapis.com/auth/userinfo.email"


@pytest.fixture(autouse=True)
def _plain_http_and_fewer_scopes(monkeypatch: pytest.MonkeyPatch) -> None:
    # oauthlib refuses http addresses, and a person's smaller choice of scopes, unless told otherwise.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")


def _callback(
    google: GoogleSimulator, flow: Flow, *, allow: bool = True, scopes: tuple[str, ...] | None = None, **options: str
) -> str:
    address, _ = flow.authorization_url(access_type="offline", prompt="consent", **options)
    return google.auto_consent(ADA, address, allow=allow, scopes=scopes)


def _answer_of(callback: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(callback).query)


def _token_form(**form: str) -> dict[str, str]:
    return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}


def _claims(id_token: str) -> Any:
    body = id_token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_the_whole_flow_with_pkce_ends_with_working_credentials(google: GoogleSimulator, clock: Clock) -> None:
    flow = sign_in_flow(google, ["openid", "email", CALENDAR_SCOPE])
    flow.autogenerate_code_verifier = True
    callback = _callback(google, flow, state="state-1", login_hint=ADA)
    answer = _answer_of(callback)
    assert callback.startswith(f"{REDIRECT}?")
    assert answer["state"] == ["state-1"]
    assert answer["scope"] == [f"openid email {CALENDAR_SCOPE}"]

    tokens = flow.fetch_token(authorization_response=callback)
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3599
    assert set(tokens["scope"]) == {"openid", EMAIL_SCOPE, CALENDAR_SCOPE}
    claims = _claims(tokens["id_token"])
    assert (claims["iss"], claims["aud"], claims["email"]) == ("https://accounts.google.com", CLIENT_ID, ADA)
    assert claims["exp"] == int(clock().timestamp()) + 3600

    service = calendar_client(google, flow.credentials)
    assert service.calendars().get(calendarId="primary").execute()["id"] == ADA
    assert google.requests_for("calendars.get")[0].account == ADA


def test_a_person_who_says_no_sends_the_client_access_denied(google: GoogleSimulator) -> None:
    answer = _answer_of(_callback(google, sign_in_flow(google, [CALENDAR_SCOPE]), allow=False, state="s"))
    assert answer == {"state": ["s"], "error": ["access_denied"]}


def test_a_person_may_grant_some_of_the_scopes_only(google: GoogleSimulator) -> None:
    flow = sign_in_flow(google, ["openid", EVENTS_SCOPE, LIST_SCOPE])
    flow.fetch_token(authorization_response=_callback(google, flow, scopes=(EVENTS_SCOPE,)))
    assert set(flow.credentials.granted_scopes) == {"openid", EVENTS_SCOPE}

    service = calendar_client(google, flow.credentials)
    service.events().list(calendarId="primary").execute()
    with pytest.raises(HttpError) as refused:
        service.calendarList().list().execute()
    assert refusal(refused.value) == (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    assert "insufficient_scope" in refused.value.resp["www-authenticate"]


def test_a_code_works_once(google: GoogleSimulator) -> None:
    flow = sign_in_flow(google, [CALENDAR_SCOPE])
    callback = _callback(google, flow)
    flow.fetch_token(authorization_response=callback)
    with pytest.raises(InvalidGrantError):
        flow.fetch_token(authorization_response=callback)


def test_a_code_dies_after_ten_minutes(google: GoogleSimulator, clock: Clock) -> None:
    flow = sign_in_flow(google, [CALENDAR_SCOPE])
    callback = _callback(google, flow)
    clock.forward(timedelta(minutes=10))
    with pytest.raises(InvalidGrantError):
        flow.fetch_token(authorization_response=callback)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant", "Invalid code verifier."),
        ({"code_verifier": ""}, "invalid_grant", "Missing code verifier."),
        ({"redirect_uri": "http://127.0.0.1:8000/other"}, "redirect_uri_mismatch", "Bad Request"),
        ({"client_secret": "wrong"}, "invalid_client", "Unauthorized"),
        ({"grant_type": "password"}, "unsupported_grant_type", "Invalid grant_type: password"),
    ],
)
def test_a_code_is_worth_nothing_to_anybody_else(
    google: GoogleSimulator, change: dict[str, str], error: str, words: str
) -> None:
    verifier = "v" * 64
    flow = sign_in_flow(google, [CALENDAR_SCOPE], verifier=verifier)
    code = _answer_of(_callback(google, flow))["code"][0]
    form = _token_form(grant_type="authorization_code", code=code, redirect_uri=REDIRECT, code_verifier=verifier)
    answer = requests.post(google.endpoints.token, data=form | change, timeout=5)
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.json() == {"error": error, "error_description": words}


@pytest.mark.parametrize(
    ("parameter", "value", "status"),
    [("client_id", "nobody", 401), ("redirect_uri", REDIRECT + "/", 400), ("response_type", "token", 400)],
)
def test_a_wrong_request_shows_an_error_page_and_never_redirects(
    google: GoogleSimulator, parameter: str, value: str, status: int
) -> None:
    sign_in_flow(google, [CALENDAR_SCOPE])
    good = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "response_type": "code", "scope": CALENDAR_SCOPE}
    address = requests.Request("GET", google.endpoints.authorize, params=good | {parameter: value}).prepare().url
    with pytest.raises(ConsentRefused) as refused:
        google.auto_consent(ADA, str(address))
    assert refused.value.status == status


def test_an_expired_access_token_is_refreshed_by_the_client(google: GoogleSimulator, clock: Clock) -> None:
    service = calendar_client(google, ADA)
    service.events().list(calendarId="primary").execute()
    clock.forward(timedelta(hours=1))
    service.events().list(calendarId="primary").execute()
    assert [call.status for call in google.requests_for("events.list")] == [200, 401, 200]
    refresh = google.requests_for("oauth.token")[0]
    assert (refresh.status, "refresh_token" in refresh.answer) == (200, False)


def test_a_call_without_a_valid_token_is_told_how_to_get_one(google: GoogleSimulator) -> None:
    address = f"{google.endpoints.api}/calendars/primary/events"
    bad = requests.get(address, headers={"Authorization": "Bearer ya29.made-up"}, timeout=5)
    assert (bad.status_code, bad.json()["error"]["errors"][0]["reason"]) == (401, "authError")
    assert bad.json()["error"]["status"] == "UNAUTHENTICATED"
    assert 'error="invalid_token"' in bad.headers["WWW-Authenticate"]
    none = requests.get(address, timeout=5)
    assert (none.status_code, none.json()["error"]["errors"][0]["reason"]) == (401, "required")


def test_when_the_person_removes_the_app_neither_token_works(google: GoogleSimulator) -> None:
    signed_in = credentials(google, ADA)
    google.revoke_grants(ADA)
    with pytest.raises(RefreshError) as refused:
        calendar_client(google, signed_in).events().list(calendarId="primary").execute()
    assert "invalid_grant: Token has been expired or revoked." in str(refused.value)


def test_revoking_an_access_token_revokes_its_refresh_token(google: GoogleSimulator) -> None:
    signed_in = credentials(google, ADA)
    answer = requests.post(google.endpoints.revoke, data={"token": signed_in.token}, timeout=5)
    assert (answer.status_code, answer.json()) == (200, {})
    with pytest.raises(RefreshError):
        refresh(signed_in)
    again = requests.post(google.endpoints.revoke, params={"token": signed_in.refresh_token}, timeout=5)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_token")


def test_with_rotation_a_refresh_token_works_once(google: GoogleSimulator) -> None:
    google.grants.rotate = True
    signed_in = credentials(google, ADA)
    first = signed_in.refresh_token
    refresh(signed_in)
    assert signed_in.refresh_token != first
    old = _token_form(grant_type="refresh_token", refresh_token=str(first))
    assert requests.post(google.endpoints.token, data=old, timeout=5).json()["error"] == "invalid_grant"
    refresh(signed_in)


def test_refresh_tokens_of_an_app_in_testing_die_after_seven_days(google: GoogleSimulator, clock: Clock) -> None:
    google.grants.refresh_life = timedelta(days=7)
    signed_in = credentials(google, ADA)
    clock.forward(timedelta(days=7) - timedelta(seconds=1))
    refresh(signed_in)
    clock.forward(timedelta(seconds=1))
    with pytest.raises(RefreshError):
        refresh(signed_in)


def test_a_second_sign_in_gives_a_refresh_token_only_when_consent_is_asked_again(google: GoogleSimulator) -> None:
    flow = sign_in_flow(google, [CALENDAR_SCOPE])
    flow.fetch_token(authorization_response=_callback(google, flow))
    quiet = sign_in_flow(google, [CALENDAR_SCOPE])
    address, _ = quiet.authorization_url(access_type="offline")
    assert "refresh_token" not in quiet.fetch_token(authorization_response=google.auto_consent(ADA, address))
    loud = sign_in_flow(google, [CALENDAR_SCOPE])
    assert "refresh_token" in loud.fetch_token(authorization_response=_callback(google, loud))


def test_userinfo_says_who_signed_in(google: GoogleSimulator) -> None:
    tokens = google.grant(ADA, ("openid", "email", "profile"))
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    about = requests.get(google.endpoints.userinfo, headers=bearer, timeout=5).json()
    assert (about["email"], about["email_verified"], about["name"]) == (ADA, True, "Ada Lovelace")
    assert about["sub"] == _claims(tokens["id_token"])["sub"]


def test_the_consent_page_names_the_client_the_account_and_each_permission(google: GoogleSimulator) -> None:
    flow = sign_in_flow(google, ["openid", EVENTS_SCOPE])
    address, _ = flow.authorization_url(login_hint="bob@example.com")
    page = requests.get(address, timeout=5).text
    assert "<b>127.0.0.1:8000</b> wants to access your Google Account" in page
    assert 'value="bob@example.com" checked' in page
    assert "View and edit events on all your calendars" in page
