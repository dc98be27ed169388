"""Entra's sign-in as the simulator does it, driven by msal."""

import base64
import json
import warnings
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
import pytest

from meetings.adapters.office365.simulator import (
    CLIENT_ID,
    CLIENT_SECRET,
    HOME_TENANT,
    PERSONAL_TENANT,
    ConsentRefused,
    Office365Simulator,
)
from tests.contracts.calendars.world import Clock
from tests.contracts.office365.clients import REDIRECT, answer_of, graph_client, msal_app, refusal, tokens_for, trusting

ADA, BOB = "ada@example.com", "bob@example.com"
ASKED = ["Calendars.ReadWrite", "User.Read", "email"]


@pytest.fixture(autouse=True)
def _codes_in_the_query() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="response_mode='form_post'")
        yield


def _signed_in(office: Office365Simulator, app: Any, email: str = ADA, **options: Any) -> dict[str, Any]:
    flow = app.initiate_auth_code_flow(ASKED, redirect_uri=REDIRECT, **options)
    answer: dict[str, Any] = app.acquire_token_by_auth_code_flow(
        flow, answer_of(office.auto_consent(email, flow["auth_uri"]))
    )
    return answer


def _address(office: Office365Simulator, tenant: str = "common", **parameters: str) -> str:
    good = {
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "openid offline_access Calendars.ReadWrite",
        "state": "state-1",
    }
    return f"{office.endpoints.authorize(tenant)}?{urlencode(good | parameters)}"


def _code(office: Office365Simulator, **parameters: str) -> str:
    office.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,))
    return answer_of(office.auto_consent(ADA, _address(office, **parameters)))["code"]


def _redeemed(office: Office365Simulator, code: str, **form: str) -> httpx.Response:
    return tokens_for(office, {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **form})


def test_msal_signs_a_person_in_with_pkce_and_gets_calendars(office: Office365Simulator, clock: Clock) -> None:
    app = msal_app(office)
    tokens = _signed_in(office, app, state="state-1", login_hint=ADA)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 4799)
    assert set(tokens["scope"].split()) == {"openid", "profile", "email", "Calendars.ReadWrite", "User.Read"}
    claims = tokens["id_token_claims"]
    assert (claims["aud"], claims["tid"]) == (CLIENT_ID, HOME_TENANT)
    assert (claims["oid"], claims["preferred_username"], claims["email"]) == (office.object_id(ADA), ADA, ADA)
    assert claims["iss"] == f"{office.url}/{HOME_TENANT}/v2.0"
    assert claims["exp"] > int(clock().timestamp())
    (account,) = app.get_accounts()
    assert account["home_account_id"] == f"{office.object_id(ADA)}.{HOME_TENANT}"
    with httpx.Client(verify=trusting(office), trust_env=False) as client:
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert client.get(f"{office.endpoints.api}/me", headers=bearer).json()["mail"] == ADA


def test_the_identity_is_signed_with_a_published_key(office: Office365Simulator) -> None:
    tokens = office.grant(ADA)
    with httpx.Client(verify=trusting(office), trust_env=False) as client:
        described = client.get(f"{office.endpoints.authority()}/v2.0/.well-known/openid-configuration").json()
        keys = client.get(described["jwks_uri"]).json()
    key = jwt.PyJWKSet.from_dict(keys).keys[0]
    claims = jwt.decode(tokens["id_token"], key, ["RS256"], audience=CLIENT_ID, options={"verify_exp": False})
    assert described["issuer"].replace("{tenantid}", claims["tid"]) == claims["iss"]


def test_a_form_post_carries_the_code_too(office: Office365Simulator) -> None:
    app = msal_app(office)
    assert "access_token" in _signed_in(office, app, response_mode="form_post")


def test_msal_renews_silently_and_gets_another_refresh_token(office: Office365Simulator, clock: Clock) -> None:
    app = msal_app(office)
    first = _signed_in(office, app)
    clock.forward(timedelta(seconds=4800))
    (account,) = app.get_accounts()
    second = app.acquire_token_silent(["Calendars.ReadWrite"], account, force_refresh=True)
    assert second["access_token"] != first["access_token"]
    asked, renewed = (call.answer for call in office.requests_for("oauth.token"))
    assert asked["refresh_token"] != renewed["refresh_token"]


def test_an_old_refresh_token_works_on_unless_tokens_are_for_one_use(office: Office365Simulator) -> None:
    old = office.grant(ADA)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": old}
    assert [tokens_for(office, form).status_code for _ in range(2)] == [200, 200]
    office.grants.single_use = True
    assert [tokens_for(office, form).status_code for _ in range(2)] == [200, 400]


@pytest.mark.parametrize(
    ("happens", "error", "number", "suberror"),
    [
        ("revoke_grants", "invalid_grant", 65001, "consent_required"),
        ("expire_refresh_tokens", "invalid_grant", 700082, "token_expired"),
        ("require_more_proof", "interaction_required", 50076, "basic_action"),
    ],
)
def test_a_grant_that_ended_is_refused_in_entras_form(
    office: Office365Simulator, happens: str, error: str, number: int, suberror: str
) -> None:
    tokens = office.grant(ADA)
    getattr(office, happens)(ADA)
    refused = tokens_for(office, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
    told = refused.json()
    assert (refused.status_code, told["error"], told["error_codes"], told["suberror"]) == (
        400,
        error,
        [number],
        suberror,
    )
    assert told["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id", "error_uri"} <= set(told)


def test_conditional_access_says_which_claims_it_wants_and_can_be_lifted(office: Office365Simulator) -> None:
    tokens = office.grant(ADA)
    office.require_more_proof(ADA)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert "access_token" in json.loads(tokens_for(office, form).json()["claims"])
    office.require_more_proof(ADA, required=False)
    assert tokens_for(office, form).status_code == 200


def test_a_refresh_token_that_nobody_gave_is_refused(office: Office365Simulator) -> None:
    refused = tokens_for(office, {"grant_type": "refresh_token", "refresh_token": "1.made-up"}).json()
    assert (refused["error"], refused["error_codes"]) == ("invalid_grant", [70000])


def test_a_permission_that_was_not_granted_is_not_renewed(office: Office365Simulator) -> None:
    tokens = office.grant(ADA, ("openid", "offline_access", "User.Read"))
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "scope": "Calendars.ReadWrite"}
    assert tokens_for(office, form).json()["error_codes"] == [65001]
    form["scope"] = "https://graph.microsoft.com/User.Read offline_access"
    assert tokens_for(office, form).json()["scope"] == "openid User.Read"


def test_without_offline_access_there_is_no_refresh_token(office: Office365Simulator) -> None:
    assert "refresh_token" not in office.grant(ADA, ("openid", "User.Read"))


def test_a_code_is_good_once_for_ten_minutes_and_for_its_address(office: Office365Simulator, clock: Clock) -> None:
    code = _code(office)
    assert _redeemed(office, code, redirect_uri=f"{REDIRECT}/other").json()["error_codes"] == [500112]
    assert _redeemed(office, code).status_code == 200
    assert _redeemed(office, code).json()["error_codes"] == [54005]
    late = _code(office)
    clock.forward(timedelta(minutes=10))
    assert _redeemed(office, late).json()["error_codes"] == [70008]
    assert _redeemed(office, "made up").json()["error"] == "invalid_grant"


def test_a_code_that_was_asked_for_with_a_challenge_needs_the_verifier(office: Office365Simulator) -> None:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
    asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
    assert _redeemed(office, _code(office, **asked)).json()["error_codes"] == [50148]
    assert _redeemed(office, _code(office, **asked), code_verifier="wrong").json()["error_codes"] == [501481]
    good = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert _redeemed(office, _code(office, **asked), code_verifier=good).status_code == 200


@pytest.mark.parametrize(
    ("form", "error", "number", "status"),
    [
        ({"client_secret": "wrong"}, "invalid_client", 7000215, 401),
        ({"client_secret": ""}, "invalid_client", 7000218, 401),
        ({"client_id": "nobody"}, "unauthorized_client", 700016, 400),
        ({"grant_type": "password"}, "unsupported_grant_type", 70003, 400),
    ],
)
def test_a_client_that_is_not_known_gets_nothing(
    office: Office365Simulator, form: dict[str, str], error: str, number: int, status: int
) -> None:
    refused = tokens_for(office, {"grant_type": "refresh_token", "refresh_token": "any", **form})
    assert (refused.status_code, refused.json()["error"], refused.json()["error_codes"]) == (status, error, [number])


def test_a_client_may_name_itself_by_http_basic(office: Office365Simulator) -> None:
    token = office.grant(ADA)["refresh_token"]
    basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    with httpx.Client(verify=trusting(office), trust_env=False) as client:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        answer = client.post(office.endpoints.token(), data=form, headers={"Authorization": f"Basic {basic}"})
    assert answer.status_code == 200


def test_a_refusal_comes_back_with_the_state(office: Office365Simulator) -> None:
    office.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,))
    answer = answer_of(office.auto_consent(ADA, _address(office), allow=False))
    assert (answer["error"], answer["error_subcode"], answer["state"]) == ("access_denied", "cancel", "state-1")
    assert answer["error_description"].startswith("AADSTS65004")


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"prompt": "none"}, "login_required"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "Calendars.Paint"}, "invalid_client"),
        ({"scope": ""}, "invalid_request"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_a_mistake_of_the_client_comes_back_as_an_error(
    office: Office365Simulator, parameters: dict[str, str], error: str
) -> None:
    office.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,))
    answer = answer_of(office.auto_consent(ADA, _address(office, **parameters)))
    assert (answer["error"], answer["state"]) == (error, "state-1")


@pytest.mark.parametrize(
    ("parameters", "number"), [({"client_id": "nobody"}, 700016), ({"redirect_uri": "https://evil.example/"}, 50011)]
)
def test_a_wrong_client_or_address_is_told_to_the_person_only(
    office: Office365Simulator, parameters: dict[str, str], number: int
) -> None:
    office.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,))
    with pytest.raises(ConsentRefused) as refused:
        office.auto_consent(ADA, _address(office, **parameters))
    assert (refused.value.status, f"AADSTS{number}" in refused.value.text) == (400, True)


def test_permissions_can_be_fewer_than_asked_for(office: Office365Simulator) -> None:
    app = msal_app(office)
    flow = app.initiate_auth_code_flow(ASKED, redirect_uri=REDIRECT)
    back = office.auto_consent(ADA, flow["auth_uri"], scopes=("User.Read",))
    tokens = app.acquire_token_by_auth_code_flow(flow, answer_of(back))
    assert "Calendars.ReadWrite" not in tokens["scope"]
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    with httpx.Client(verify=trusting(office), trust_env=False, headers=bearer) as client:
        assert client.get(f"{office.endpoints.api}/me").status_code == 200
        assert refusal(client.get(f"{office.endpoints.api}/me/calendars")) == (403, "ErrorAccessDenied")


def test_an_organisation_may_want_its_administrator_to_approve(office: Office365Simulator) -> None:
    office.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,))
    office.require_admin_consent(ADA)
    with pytest.raises(ConsentRefused) as refused:
        office.auto_consent(ADA, _address(office))
    assert "AADSTS90094" in refused.value.text
    assert "code" in answer_of(office.auto_consent(BOB, _address(office)))


def test_an_address_of_one_tenant_is_for_its_people(office: Office365Simulator) -> None:
    other = "11111111-2222-3333-4444-555555555555"
    office.add_account("cy@other.example", "Cy", tenant_id=other)
    office.add_account("di@outlook.example", "Di", tenant_id=PERSONAL_TENANT)
    office.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,))
    told: list[str] = []

    def may(email: str, tenant: str) -> bool:
        try:
            return "code" in answer_of(office.auto_consent(email, _address(office, tenant)))
        except ConsentRefused as refused:
            told.append(refused.text)
            return False

    people = (ADA, "cy@other.example", "di@outlook.example")
    assert {
        tenant: [may(email, tenant) for email in people] for tenant in ("common", "organizations", "consumers", other)
    } == {
        "common": [True, True, True],
        "organizations": [True, True, False],
        "consumers": [False, False, True],
        other: [False, True, False],
    }
    assert ["AADSTS50020" in text for text in told] == [True] * 5


def test_an_app_of_one_organisation_lets_nobody_else_in(office: Office365Simulator) -> None:
    office.add_account("cy@other.example", "Cy", tenant_id="11111111-2222-3333-4444-555555555555")
    office.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,), tenants=(HOME_TENANT,))
    assert "code" in answer_of(office.auto_consent(ADA, _address(office)))
    with pytest.raises(ConsentRefused):
        office.auto_consent("cy@other.example", _address(office))


def test_each_tenant_describes_itself_and_unknown_ones_do_not(office: Office365Simulator) -> None:
    def described(tenant: str) -> httpx.Response:
        with httpx.Client(verify=trusting(office), trust_env=False) as client:
            return client.get(f"{office.endpoints.authority(tenant)}/v2.0/.well-known/openid-configuration")

    assert described("common").json()["issuer"] == f"{office.url}/{{tenantid}}/v2.0"
    by_domain = described("example.com").json()
    assert by_domain["issuer"] == f"{office.url}/{HOME_TENANT}/v2.0"
    assert by_domain["token_endpoint"] == f"{office.url}/{HOME_TENANT}/oauth2/v2.0/token"
    unknown = described("99999999-2222-3333-4444-555555555555")
    assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_tenant")


def test_the_consent_page_names_the_client_the_account_and_each_permission(office: Office365Simulator) -> None:
    office.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,))
    with httpx.Client(verify=trusting(office), trust_env=False) as client:
        page = client.get(_address(office, login_hint=BOB)).text
    assert "<b>127.0.0.1:8000</b> (simulated) would like to" in page
    assert f'value="{BOB}" checked' in page
    assert "Have full access to your calendars" in page
    assert "Maintain access to data you have given it access to" in page


def test_nobody_believes_the_server_without_its_authority(office: Office365Simulator) -> None:
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.ConnectError) as refused:
        client.get(office.url)
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value)


def test_pages_for_people_can_be_had_without_tls(clock: Clock) -> None:
    with Office365Simulator(now=clock).serve(pages_port=0) as office:
        office.add_account(ADA, "Ada Lovelace", time_zone="Europe/Berlin")
        app = msal_app(office)
        flow = app.initiate_auth_code_flow(ASKED, redirect_uri=REDIRECT)
        assert office.pages_url.startswith("http://")
        assert flow["auth_uri"].startswith(f"{office.pages_url}/common/oauth2/v2.0/authorize?")
        assert flow["auth_uri"].partition("?")[0] != office.endpoints.authorize()
        tokens = app.acquire_token_by_auth_code_flow(flow, answer_of(office.auto_consent(ADA, flow["auth_uri"])))
        assert tokens["id_token_claims"]["email"] == ADA
        calendar = office.default_calendar(ADA)
        made = office.add_event(calendar, "Tea", clock(), clock() + timedelta(hours=1))
        with httpx.Client(trust_env=False) as browser, graph_client(office, ADA) as client:
            assert "Ada Lovelace" in browser.get(office.pages_url).text
            assert "Tea" in browser.get(f"{office.pages_url}/calendar/{ADA}").text
            link = client.get(f"/me/events/{made['id']}").json()["webLink"]
            assert "Tea" in browser.get(link).text
            office.cancel_event(calendar, made["id"])
            assert browser.get(link).status_code == 404


async def test_it_can_be_served_inside_a_running_loop(clock: Clock) -> None:
    async with Office365Simulator(now=clock).running() as office:
        office.add_account(ADA, "Ada Lovelace")
        token = office.grant(ADA)["access_token"]
        async with httpx.AsyncClient(verify=trusting(office), trust_env=False) as client:
            me = await client.get(f"{office.endpoints.api}/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["displayName"] == "Ada Lovelace"
