"""Whose identity is taken for ours: OpenID Connect's checks, and the operator's choice of tenants (OA-1)."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meetings.adapters.office365.identity_token import is_for_us
from meetings.adapters.office365.tokens import Grant, lean
from meetings.application.ports.calendars import ReauthorizationNeeded

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
TENANT = "aaaaaaaa-0000-4000-8000-00000000000a"
OTHER = "bbbbbbbb-0000-4000-8000-00000000000b"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"


def _claims(**other: Any) -> dict[str, Any]:
    return {
        "aud": "our-client",
        "iss": f"https://login.example/{TENANT}/v2.0",
        "tid": TENANT,
        "nonce": hashlib.sha256(b"n-1").hexdigest(),
        "exp": int(NOW.timestamp()) + 60,
        **other,
    }


def _accepted(
    claims: dict[str, Any], tenant: str = "common", issuer: str = "https://login.example/{tenantid}/v2.0"
) -> bool:
    return is_for_us(claims, client_id="our-client", nonce="n-1", issuer=issuer, tenant=tenant, now=NOW)


def test_what_fits_in_all_points_is_taken() -> None:
    assert _accepted(_claims())


def test_the_tenant_is_known_by_the_issuer_when_the_profile_was_not_asked_for() -> None:
    """ "ID token claims reference": tid and oid come with the scope "profile" only."""
    without = {name: value for name, value in _claims().items() if name != "tid"}
    assert _accepted(without)
    assert _accepted(without, tenant=TENANT)
    assert not _accepted(without, tenant=OTHER)
    personal = {**without, "iss": f"https://login.example/{PERSONAL}/v2.0"}
    assert (_accepted(personal), _accepted(personal, tenant="organizations")) == (True, False)


@pytest.mark.parametrize(
    "other",
    [
        {"aud": "another-client"},
        {"aud": ["our-client"]},
        {"aud": None},
        {"iss": "https://login.example/common/v2.0"},
        {"iss": f"https://evil.example/{TENANT}/v2.0"},
        {"iss": None},
        {"iss": f"https://login.example/{TENANT}/v2.0/"},
        {"iss": f"https://login.example/{TENANT}/{TENANT}/v2.0"},
        {"iss": "https://login.example//v2.0"},
        {"iss": "https://login.example/v2.0"},
        {"tid": OTHER},
        {"tid": f"{TENANT}/../{OTHER}"},
        {"nonce": hashlib.sha256(b"n-2").hexdigest()},
        {"nonce": "n-1"},
        {"nonce": None},
        {"nonce": "é"},
        {"exp": int((NOW - timedelta(hours=1)).timestamp())},
        {"exp": None},
        {"exp": "later"},
    ],
)
def test_what_misses_one_point_is_not(other: dict[str, Any]) -> None:
    assert not _accepted(_claims(**other))


def test_a_little_difference_between_clocks_does_no_harm() -> None:
    assert _accepted(_claims(exp=int((NOW - timedelta(seconds=90)).timestamp())))


def test_only_the_tenant_that_was_set_is_let_in() -> None:
    fixed = f"https://login.example/{TENANT}/v2.0"
    assert _accepted(_claims(), tenant=TENANT.upper(), issuer=fixed)
    stranger = _claims(tid=OTHER, iss=f"https://login.example/{OTHER}/v2.0")
    assert not _accepted(stranger, tenant=TENANT, issuer=fixed)
    assert not _accepted(stranger, tenant="contoso.example", issuer=fixed)
    assert _accepted(_claims(), tenant="contoso.example", issuer=fixed)


def test_personal_accounts_are_let_in_by_common_and_not_by_organizations() -> None:
    personal = _claims(tid=PERSONAL, iss=f"https://login.example/{PERSONAL}/v2.0")
    assert _accepted(personal)
    assert not _accepted(personal, tenant="organizations")


def _grant() -> Grant:
    return Grant(
        access_token="secret-access", expires_at=1_772_442_000, mailbox="oid.tid", email="ada@example.com", cache="{}"
    )


def test_credentials_survive_being_stored() -> None:
    assert Grant.from_text(_grant().to_text()) == _grant()


def test_a_token_that_ends_within_a_minute_is_not_used() -> None:
    end = datetime.fromtimestamp(_grant().expires_at, UTC)
    assert _grant().is_fresh(end - timedelta(seconds=61))
    assert not _grant().is_fresh(end - timedelta(seconds=60))


@pytest.mark.parametrize("text", ["", "null", "{}", "[]", "5", '{"access_token": "a", "expires_at": "x"}'])
def test_other_texts_are_no_credentials(text: str) -> None:
    with pytest.raises(ReauthorizationNeeded):
        Grant.from_text(text)


def test_no_secret_shows_in_the_representation() -> None:
    assert "secret" not in repr(_grant())


def test_of_the_token_cache_only_what_refreshing_needs_is_kept() -> None:
    cache = {
        "AccessToken": {"a": 1},
        "IdToken": {"b": 2},
        "RefreshToken": {"c": 3},
        "Account": {"d": 4},
        "AppMetadata": {},
    }
    assert json.loads(lean(json.dumps(cache))) == {"RefreshToken": {"c": 3}, "Account": {"d": 4}, "AppMetadata": {}}
