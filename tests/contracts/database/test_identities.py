"""Accounts, people who sign in, sessions, programs' tokens, and trips to consent pages."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from meetings.application.ports.identities import Caller, EmailTaken, Scope
from meetings.application.ports.sign_in_attempts import SignInAttempt
from meetings.domain.calendar_connection import Provider
from meetings.infrastructure.database.sign_in_attempts import SqlSignInAttempts
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.identities import SqlIdentities
from tests.builders import NOW, a_user, an_account, connection_id
from tests.contracts.database.conftest import Tenant


@pytest.fixture
def identities(database: Database) -> SqlIdentities:
    return SqlIdentities(database)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=10)


async def deactivate(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        (await work.users.get(tenant.host.id)).active = False
        await work.commit()


async def test_a_user_is_found_by_address_in_any_letter_case(tenant: Tenant, identities: SqlIdentities) -> None:
    found = await identities.by_email(f" {tenant.host.email.upper()} ")
    assert found
    assert found.id == tenant.host.id
    assert await identities.by_email("nobody@example.com") is None
    await deactivate(tenant)
    assert await identities.by_email(tenant.host.email) is None


async def test_an_address_signs_one_person_in(tenant: Tenant, identities: SqlIdentities) -> None:
    account = an_account()
    with pytest.raises(EmailTaken):
        await identities.found(account, a_user(account.account_id, email=tenant.host.email.upper()))
    with pytest.raises(EmailTaken):
        await identities.enrol(a_user(tenant.account.account_id, email=tenant.host.email))
    colleague = a_user(tenant.account.account_id)
    await identities.enrol(colleague)
    assert await identities.by_email(colleague.email)
    await identities.found(account, a_user(account.account_id))  # the refused account left nothing behind


async def test_a_session_says_who_it_belongs_to_until_it_ends(tenant: Tenant, identities: SqlIdentities) -> None:
    await identities.open_session(tenant.host, "hash", expires_at=soon())
    await identities.open_session(tenant.host, "old", expires_at=long_ago())
    assert await identities.session("hash") == Caller(tenant.account.account_id, tenant.host.id, frozenset(Scope))
    assert await identities.session("old") is None
    assert await identities.session("unknown") is None
    await identities.close_session("hash")
    await identities.close_session("hash")
    assert await identities.session("hash") is None


async def test_a_session_of_somebody_who_left_is_none(tenant: Tenant, identities: SqlIdentities) -> None:
    await identities.open_session(tenant.host, "hash", expires_at=soon())
    await deactivate(tenant)
    assert await identities.session("hash") is None


async def test_a_programs_token_says_who_it_belongs_to_and_what_it_may(
    tenant: Tenant, stranger: Tenant, identities: SqlIdentities
) -> None:
    user, account = tenant.host.id, tenant.account.account_id
    reading = await identities.add_token(user, account, name="Report", token_hash="one", scopes=[Scope.READ])
    writing = await identities.add_token(user, account, name="Sync", token_hash="two", scopes=list(Scope))
    assert await identities.token("one") == Caller(account, user, frozenset({Scope.READ}))
    assert await identities.token("two") == Caller(account, user, frozenset(Scope))
    assert await identities.token("three") is None
    assert {token.id for token in await identities.tokens(user, account)} == {reading.id, writing.id}
    assert (reading.name, reading.scopes, reading.last_used_at) == ("Report", frozenset({Scope.READ}), None)
    assert await identities.tokens(user, stranger.account.account_id) == []
    assert not await identities.revoke_token(stranger.host.id, stranger.account.account_id, reading.id)
    assert await identities.revoke_token(user, account, reading.id)
    assert not await identities.revoke_token(user, account, reading.id)
    assert await identities.token("one") is None
    await deactivate(tenant)
    assert await identities.token("two") is None


async def test_a_token_remembers_when_it_was_last_used(tenant: Tenant, identities: SqlIdentities) -> None:
    user, account = tenant.host.id, tenant.account.account_id
    await identities.add_token(user, account, name="Report", token_hash="one", scopes=[Scope.READ])
    await identities.token("one")
    [first] = await identities.tokens(user, account)
    assert first.last_used_at
    assert abs(first.last_used_at - datetime.now(UTC)) < timedelta(minutes=1)
    await identities.token("one")
    assert await identities.tokens(user, account) == [first]  # written down once a minute at most


# ---- consent pages --------------------------------------------------------------------------------------------------


def an_attempt(tenant: Tenant, state_hash: str = "state") -> SignInAttempt:
    return SignInAttempt(
        state_hash=state_hash,
        browser_hash="browser",
        account_id=tenant.account.account_id,
        user_id=tenant.host.id,
        provider=Provider.GOOGLE,
        verifier="the verifier",
        redirect_uri="https://meetings.example.com/oauth/google/callback",
        return_to="/settings",
        disclosure_version="google-2026-11",
        reconnect=connection_id(),
        login_hint="anna@example.com",
        created_at=NOW,
        expires_at=soon(),
    )


async def test_an_attempt_is_taken_once(tenant: Tenant, database: Database) -> None:
    """OA-1."""
    attempts = SqlSignInAttempts(database)
    attempt = an_attempt(tenant)
    await attempts.add(attempt)
    assert await attempts.take("another state") is None
    taken = await asyncio.gather(*(attempts.take("state") for _ in range(6)))
    assert [found for found in taken if found] == [attempt]
    assert await attempts.take("state") is None


async def test_a_late_attempt_is_gone(tenant: Tenant, database: Database) -> None:
    attempts = SqlSignInAttempts(database)
    await attempts.add(replace(an_attempt(tenant), expires_at=long_ago()))
    assert await attempts.take("state") is None
