"""Signing in with Microsoft: what is asked for, what is checked, what is kept (OA-1, OA-3, A-CC6)."""

import base64
import contextlib
import json
import logging
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from meetings.adapters.office365.provider import REGISTRATION, Office365Settings, office365_provider
from meetings.adapters.office365.simulator import CLIENT_ID, CLIENT_SECRET, HOME_TENANT, PERSONAL_TENANT
from meetings.application.ports.calendars import (
    AccessNotGranted,
    CalendarUnreadable,
    CodeRejected,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
    SignIn,
)
from meetings.domain.account_use import BOTH, CALENDAR_ONLY, EMAIL_ONLY, AccountUse
from meetings.domain.timespan import TimeSpan
from tests.contracts.calendars.office365_world import ADA, REDIRECT, Office365World, office365_world
from tests.contracts.calendars.world import HeldCredentials, at

WEEK = TimeSpan(at(2, 0), at(9, 0))


@pytest.fixture
def world() -> Iterator[Office365World]:
    with office365_world() as started:
        yield started


def _page(world: Office365World, **settings: Any) -> SignIn:
    page = world.provider_with(**settings).sign_in
    assert page is not None
    return page


def _code(world: Office365World, url: str, person: str = ADA) -> str:
    return parse_qs(urlsplit(world.office.auto_consent(person, url)).query)["code"][0]


async def _finish(world: Office365World, page: SignIn, person: str = ADA) -> Any:
    begun = await page.begin(state="s-1", redirect_uri=REDIRECT, login_hint=person)
    return await page.finish(code=_code(world, begun.url, person), verifier=begun.verifier, redirect_uri=REDIRECT)


async def test_exactly_what_calendars_need_is_asked_for(world: Office365World) -> None:
    begun = await _page(world).begin(state="s-1", redirect_uri=REDIRECT, login_hint=ADA)
    asked = parse_qs(urlsplit(begun.url).query)
    assert set(asked["scope"][0].split()) == {"openid", "offline_access", "email", "User.Read", "Calendars.ReadWrite"}
    assert begun.url.startswith(world.office.endpoints.authorize("common"))
    assert (asked["client_id"], asked["response_type"], asked["login_hint"]) == ([CLIENT_ID], ["code"], [ADA])
    assert (asked["code_challenge_method"], asked["prompt"]) == (["S256"], ["select_account"])
    assert json.loads(begun.verifier)["code_verifier"] not in begun.url
    assert json.loads(begun.verifier)["nonce"] not in begun.url


_SIGN_IN_ONLY = {"openid", "offline_access", "email", "User.Read"}


@pytest.mark.parametrize(
    ("uses", "scopes"),
    [
        (CALENDAR_ONLY, {"Calendars.ReadWrite"}),
        (EMAIL_ONLY, {"Mail.ReadWrite", "Mail.Send"}),
        (BOTH, {"Mail.ReadWrite", "Mail.Send", "Calendars.Read", "Calendars.ReadWrite"}),
    ],
)
async def test_a_cc6_each_use_asks_for_what_it_needs_and_both_for_the_whole_list(
    world: Office365World, uses: frozenset[AccountUse], scopes: set[str]
) -> None:
    page = _page(world)
    begun = await page.begin(state="s-1", redirect_uri=REDIRECT, login_hint=None, uses=uses)
    assert set(parse_qs(urlsplit(begun.url).query)["scope"][0].split()) == scopes | _SIGN_IN_ONLY
    granted = await page.finish(code=_code(world, begun.url), verifier=begun.verifier, redirect_uri=REDIRECT)
    assert granted.uses == uses


@pytest.mark.parametrize(
    ("left", "uses"),
    [(("User.Read", "Calendars.ReadWrite"), CALENDAR_ONLY), (("User.Read", "Mail.ReadWrite", "Mail.Send"), EMAIL_ONLY)],
)
async def test_of_both_uses_one_may_be_granted_and_a_new_token_is_asked_for_that_one(
    world: Office365World, left: tuple[str, ...], uses: frozenset[AccountUse]
) -> None:
    page = _page(world)
    begun = await page.begin(state="s-1", redirect_uri=REDIRECT, login_hint=None, uses=BOTH)
    back = world.office.auto_consent(ADA, begun.url, scopes=left)
    code = parse_qs(urlsplit(back).query)["code"][0]
    granted = await page.finish(code=code, verifier=begun.verifier, redirect_uri=REDIRECT)
    assert granted.uses == uses
    world.expire_access()
    with contextlib.suppress(CalendarUnreadable, ReauthorizationNeeded):
        await world.provider.calendars(HeldCredentials(granted.credentials)).list_calendars()
    renewed = world.office.requests_for("oauth.token")[-1]
    assert renewed.status == 200
    asked = set(renewed.body["scope"][0].split()) - {"openid", "offline_access", "profile"}
    assert asked == set(left)


async def test_credentials_from_before_there_was_mail_open_calendars(world: Office365World) -> None:
    granted = await _finish(world, _page(world))
    old = {name: value for name, value in json.loads(granted.credentials).items() if name != "uses"}
    world.expire_access()
    assert len(await world.provider.calendars(HeldCredentials(json.dumps(old))).list_calendars()) == 1


async def test_what_was_granted_is_kept_without_names_and_works(world: Office365World) -> None:
    granted = await _finish(world, _page(world))
    assert granted.account_email == ADA
    kept = json.loads(granted.credentials)
    assert set(json.loads(kept["cache"])) == {"RefreshToken", "Account", "AppMetadata"}
    assert "Lovelace" not in granted.credentials
    assert len(await world.provider.calendars(HeldCredentials(granted.credentials)).list_calendars()) == 1
    world.expire_access()
    assert len(await world.provider.calendars(HeldCredentials(granted.credentials)).list_calendars()) == 1


async def test_the_address_is_the_mailboxs_own_and_without_one_the_sign_in_name(world: Office365World) -> None:
    world.office.add_account("eve@example.com", user_principal_name="eve@login.example")
    world.office.add_account("max@example.com", mailbox=False, user_principal_name="max@login.example")
    assert (await _finish(world, _page(world), "eve@example.com")).account_email == "eve@example.com"
    assert (await _finish(world, _page(world), "max@example.com")).account_email == "max@login.example"


@pytest.mark.parametrize("tenant", [HOME_TENANT, "organizations", "common"])
async def test_accounts_of_the_organisation_come_in_through_each_door(world: Office365World, tenant: str) -> None:
    assert (await _finish(world, _page(world, tenant=tenant))).account_email == ADA


def _with_claims(answer: dict[str, Any], verifier: str, **claims: Any) -> str:
    """A token answer whose ID token says something else. Its signature does not fit; nobody looks at it over TLS."""
    claims = {"nonce": sha256(json.loads(verifier)["nonce"].encode()).hexdigest(), **claims}
    head, payload, signature = answer["id_token"].split(".")
    told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    forged = base64.urlsafe_b64encode(json.dumps({**told, **claims}).encode()).rstrip(b"=").decode()
    return json.dumps({**answer, "id_token": f"{head}.{forged}.{signature}"})


async def test_an_identity_that_is_meant_for_us_is_taken(world: Office365World) -> None:
    """The other side of the next test."""
    page = _page(world)
    begun = await page.begin(state="s-1", redirect_uri=REDIRECT, login_hint=ADA)
    code = _code(world, begun.url)
    world.office.fault("oauth.token", body=_with_claims(world.office.grant(ADA), begun.verifier))
    assert (await page.finish(code=code, verifier=begun.verifier, redirect_uri=REDIRECT)).account_email == ADA


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-app"},
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://login.evil.example/v2.0"},
        {"tid": PERSONAL_TENANT},
        {"exp": 1},
    ],
)
async def test_an_identity_that_is_not_meant_for_us_is_refused(world: Office365World, claims: dict[str, Any]) -> None:
    page = _page(world)
    begun = await page.begin(state="s-1", redirect_uri=REDIRECT, login_hint=ADA)
    code = _code(world, begun.url)
    world.office.fault("oauth.token", body=_with_claims(world.office.grant(ADA), begun.verifier, **claims))
    with pytest.raises(CodeRejected):
        await page.finish(code=code, verifier=begun.verifier, redirect_uri=REDIRECT)


@pytest.mark.parametrize("verifier", ["", "{}", "null", "[]", '{"state": 1}', "[" * 100_000, "a" * 64])
async def test_a_verifier_that_is_not_ours_is_refused_without_a_call(world: Office365World, verifier: str) -> None:
    with pytest.raises(CodeRejected):
        await _page(world).finish(code="c", verifier=verifier, redirect_uri=REDIRECT)
    assert world.office.calls == []


async def test_access_while_the_person_is_away_is_needed(world: Office365World) -> None:
    page = _page(world)
    begun = await page.begin(state="s-1", redirect_uri=REDIRECT, login_hint=ADA)
    code = _code(world, begun.url)
    world.office.fault("oauth.token", body=_without_refresh(world, begun.verifier))
    with pytest.raises(AccessNotGranted) as refused:
        await page.finish(code=code, verifier=begun.verifier, redirect_uri=REDIRECT)
    assert refused.value.missing == "access while you are away"


def _without_refresh(world: Office365World, verifier: str) -> str:
    answer = {name: value for name, value in world.office.grant(ADA).items() if name != "refresh_token"}
    return _with_claims(answer, verifier)


@pytest.mark.parametrize(
    ("operation", "fault", "meaning"),
    [
        ("oauth.token", {"status": 500}, ProviderUnavailable),
        ("oauth.token", {"status": 429, "retry_after": 7}, RateLimited),
        ("oauth.token", {"body": "<h1>Hm</h1>"}, ProviderUnavailable),
        ("oauth.token", {"body": "[" * 100_000}, ProviderUnavailable),
        ("oauth.token", {"reset": True}, ProviderUnavailable),
        ("oauth.token", {"status": 401, "body": '{"error": "invalid_client"}'}, ProviderUnavailable),
        ("me.get", {"status": 500}, ProviderUnavailable),
        ("me.get", {"status": 429}, RateLimited),
    ],
)
async def test_trouble_while_trading_the_code_is_told(
    world: Office365World, operation: str, fault: dict[str, Any], meaning: type[ProviderError]
) -> None:
    world.office.fault(operation, times=None, **fault)
    with pytest.raises(ProviderError) as refused:
        await _finish(world, _page(world))
    assert type(refused.value) is meaning


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"body": "{}"}, {"body": "no"}, {"status": 404, "body": "no"}, {"reset": True}]
)
async def test_without_the_description_of_the_tenant_nobody_can_begin(
    world: Office365World, fault: dict[str, Any]
) -> None:
    world.office.fault("oauth.configuration", **fault)
    page = _page(world)
    with pytest.raises(ProviderUnavailable):
        await page.begin(state="s-1", redirect_uri=REDIRECT, login_hint=None)
    await page.begin(state="s-1", redirect_uri=REDIRECT, login_hint=None)


async def test_a_certificate_that_nobody_vouches_for_is_not_believed(world: Office365World) -> None:
    with pytest.raises(ProviderUnavailable):
        await _page(world, ca_file=None).begin(state="s-1", redirect_uri=REDIRECT, login_hint=None)
    assert world.office.calls == []


async def test_no_secret_is_in_a_log_an_error_or_a_repr(
    world: Office365World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page = _page(world)
    begun = await page.begin(state="state-1", redirect_uri=REDIRECT, login_hint=None)
    code = _code(world, begun.url)
    granted = await page.finish(code=code, verifier=begun.verifier, redirect_uri=REDIRECT)
    credentials = HeldCredentials(granted.credentials)
    calendars = world.provider.calendars(credentials)
    texts, errors = [granted.credentials], []
    faults: list[tuple[str, dict[str, Any]]] = [
        ("calendarView.delta", {"status": 403, "body": "no"}),
        ("oauth.token", {"status": 500}),
        ("oauth.token", {"cut_off_body": True}),
    ]
    for operation, fault in faults:
        world.expire_access()
        fault_set = world.office.fault(operation, times=None, **fault)
        with pytest.raises(ProviderError) as refused:
            [each async for each in calendars.changes(world.primary, None, WEEK)]
        errors.append(f"{refused.value!r} {refused.getrepr(showlocals=False)}")
        world.office.remove_fault(fault_set)
        texts.append(await credentials.current())
    secrets = [code, CLIENT_SECRET]
    secrets += [json.loads(begun.verifier)[name] for name in ("code_verifier", "nonce")]
    secrets += [json.loads(text)["access_token"] for text in texts]
    secrets += [
        each["secret"] for text in texts for each in json.loads(json.loads(text)["cache"])["RefreshToken"].values()
    ]
    said = [caplog.text, repr(world.provider), repr(page), repr(granted), repr(begun), *errors]
    assert [secret for secret in secrets for text in said if secret in text] == []
    assert [error for error in errors if ADA in error] == []


# ---- settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cloud", "login", "graph"),
    [
        ("global", "https://login.microsoftonline.com", "https://graph.microsoft.com"),
        ("usgov", "https://login.microsoftonline.us", "https://graph.microsoft.us"),
        ("usgovdod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
        ("china", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
    ],
)
def test_each_cloud_has_its_addresses(cloud: str, login: str, graph: str) -> None:
    settings = Office365Settings(client_id="id", client_secret="secret", cloud=cloud)
    assert REGISTRATION.addresses(settings) == (login, graph)


def test_a_cloud_that_is_none_is_refused_and_the_secret_is_not_shown() -> None:
    with pytest.raises(ValueError, match="usgov"):
        Office365Settings(client_id="id", client_secret="secret", cloud="germany")
    assert "hidden" not in repr(Office365Settings(client_id="id", client_secret="hidden"))


def test_the_registration_makes_a_provider_from_its_settings() -> None:
    settings = REGISTRATION.settings(client_id="id", client_secret="secret")
    provider = REGISTRATION.make(settings, lambda: at(2, 8))
    assert provider.provider is office365_provider(settings, now=lambda: at(2, 8)).provider
    assert "{callback}" in REGISTRATION.set_up
    assert REGISTRATION.read_push is not None


def test_the_disclosure_says_what_is_read_and_what_is_changed() -> None:
    disclosure = REGISTRATION.make(
        REGISTRATION.settings(client_id="id", client_secret="s"), lambda: at(2, 8)
    ).disclosure
    for statement in (
        "access to your Office 365 calendar and to every calendar you can reach through Outlook",
        "to run your scheduling pages and to link events with contacts of your CRM",
        "create and change calendars",
        "create, change and delete single events",
    ):
        assert statement in disclosure.body_markdown
    notes = " ".join(disclosure.notes)
    assert all(word in notes for word in ("shared team inbox", "signed in with", "One account", "administrator"))
