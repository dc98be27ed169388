"""Signing in, renewing and giving back (OA-1, OA-3, OA-4, OA-6, B-CC2)."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from meetings.application.ports.calendars import (
    AccessNotGranted,
    Authorization,
    Calendars,
    CodeRejected,
    ReauthorizationNeeded,
    SignIn,
)
from meetings.domain.timespan import TimeSpan
from tests.contracts.calendars.world import CalendarWorld, HeldCredentials, at

WEEK = TimeSpan(at(2, 0), at(9, 0))


def _consent_page(world: CalendarWorld) -> SignIn:
    if world.provider.sign_in is None:
        pytest.skip("people sign in with a password there, not on a consent page")
    return world.provider.sign_in


async def _begin(world: CalendarWorld) -> Authorization:
    page = _consent_page(world)
    return await page.begin(state="state-1", redirect_uri=world.redirect_uri(), login_hint=world.account)


async def test_signing_in_gives_credentials_that_work(world: CalendarWorld) -> None:
    begun = await _begin(world)
    code = world.consent(begun.url)
    granted = await _consent_page(world).finish(code=code, verifier=begun.verifier, redirect_uri=world.redirect_uri())
    assert granted.account_email == world.account
    listed = await world.provider.calendars(HeldCredentials(granted.credentials)).list_calendars()
    assert listed[0].external_id == world.primary


async def test_the_address_carries_our_state_and_a_challenge_but_not_the_verifier(world: CalendarWorld) -> None:
    first, second = await _begin(world), await _begin(world)
    asked = parse_qs(urlsplit(first.url).query)
    assert (asked["state"], asked["redirect_uri"]) == (["state-1"], [world.redirect_uri()])
    assert asked["code_challenge_method"] == ["S256"]
    assert first.verifier not in first.url
    assert first.verifier != second.verifier
    assert len(first.verifier) >= 43


async def test_a_code_is_worth_nothing_with_another_verifier_or_address_or_twice(world: CalendarWorld) -> None:
    begun, sign_in, address = await _begin(world), _consent_page(world), world.redirect_uri()
    with pytest.raises(CodeRejected):
        await sign_in.finish(
            code=world.consent(begun.url), verifier=(await _begin(world)).verifier, redirect_uri=address
        )
    with pytest.raises(CodeRejected):
        await sign_in.finish(code=world.consent(begun.url), verifier=begun.verifier, redirect_uri=f"{address}/other")
    with pytest.raises(CodeRejected):
        await sign_in.finish(code="made up", verifier=begun.verifier, redirect_uri=address)
    code = world.consent(begun.url)
    await sign_in.finish(code=code, verifier=begun.verifier, redirect_uri=address)
    with pytest.raises(CodeRejected):
        await sign_in.finish(code=code, verifier=begun.verifier, redirect_uri=address)


async def test_without_the_calendar_permission_there_is_no_connection(world: CalendarWorld) -> None:
    begun = await _begin(world)
    code = world.consent(begun.url, calendars=False)
    with pytest.raises(AccessNotGranted) as refused:
        await _consent_page(world).finish(code=code, verifier=begun.verifier, redirect_uri=world.redirect_uri())
    assert refused.value.missing == "calendar"


def _needs_renewal(world: CalendarWorld) -> None:
    if not world.renewable:
        pytest.skip("people sign in with a password there, which nobody but they can renew")


async def test_a_rejected_access_is_renewed_once_and_the_call_repeated_once(
    world: CalendarWorld, calendars: Calendars, credentials: HeldCredentials
) -> None:
    _needs_renewal(world)
    world.expire_access()
    event = world.add_event(world.primary, at(3, 9), at(3, 10))
    (page,) = [page async for page in calendars.changes(world.primary, None, WEEK)]
    assert ([each.event_id for each in page.changed], credentials.renewals) == ([event], 1)
    await calendars.list_calendars()
    assert credentials.renewals == 1


async def test_many_calls_at_once_share_one_renewal(
    world: CalendarWorld, calendars: Calendars, credentials: HeldCredentials
) -> None:
    _needs_renewal(world)
    world.expire_access()
    several = [world.provider.calendars(credentials) for _ in range(3)]
    await asyncio.gather(*(each.list_calendars() for each in [*several, calendars, calendars]))
    assert credentials.renewals == 1


async def test_a_revoked_grant_needs_the_person(
    world: CalendarWorld, calendars: Calendars, credentials: HeldCredentials
) -> None:
    world.revoke()
    with pytest.raises(ReauthorizationNeeded):
        await calendars.list_calendars()
    assert credentials.renewals == int(world.renewable)


async def test_credentials_that_are_not_ours_need_the_person(world: CalendarWorld) -> None:
    for text in ("", "{}", "null", '{"access_token": 1}'):
        with pytest.raises(ReauthorizationNeeded):
            await world.provider.calendars(HeldCredentials(text)).list_calendars()


async def test_giving_the_grant_back_ends_it_and_may_be_repeated(world: CalendarWorld) -> None:
    page, credentials = _consent_page(world), world.sign_in()
    calendars = world.provider.calendars(credentials)
    await calendars.list_calendars()
    for _ in range(2):
        await page.revoke(await credentials.current())
    if not world.returned_grants:
        pytest.skip("the provider takes no grant back; only that asking does no harm is shown")
    with pytest.raises(ReauthorizationNeeded):
        await calendars.list_calendars()
