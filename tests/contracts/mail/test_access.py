"""Expired and lost access, and calls too many (OA-5, OA-6, RT-2)."""

import asyncio

import pytest

from meetings.application.ports.calendars import ProviderUnavailable, RateLimited, ReauthorizationNeeded
from meetings.application.ports.mail_accounts import MailAccount
from tests.contracts.calendars.world import HeldCredentials
from tests.contracts.mail.following import Follower
from tests.contracts.mail.letters import VERA, an_outgoing
from tests.contracts.mail.world import MailWorld


def _needs_renewal(world: MailWorld) -> None:
    if not world.renewable:
        pytest.skip("people sign in with a password there, which nobody but they can renew")


async def test_a_rejected_access_is_renewed_once_and_the_mail_leaves_once(
    world: MailWorld, mail: MailAccount, credentials: HeldCredentials
) -> None:
    _needs_renewal(world)
    world.expire_access()
    await mail.send(an_outgoing(world.account))
    assert (credentials.renewals, len(world.received(VERA.email))) == (1, 1)


async def test_many_calls_at_once_share_one_renewal(world: MailWorld, credentials: HeldCredentials) -> None:
    _needs_renewal(world)
    world.expire_access()
    await asyncio.gather(*(Follower(world.offer.mail(credentials)).follow() for _ in range(4)))
    assert credentials.renewals == 1


async def test_a_lost_grant_needs_the_person(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.revoke()
    with pytest.raises(ReauthorizationNeeded):
        await follower.follow()
    with pytest.raises(ReauthorizationNeeded):
        await mail.send(an_outgoing(world.account))
    assert world.received(VERA.email) == []


async def test_credentials_that_are_not_ours_need_the_person(world: MailWorld) -> None:
    for text in ("", "{}", "null", '{"access_token": 1}'):
        with pytest.raises(ReauthorizationNeeded):
            await Follower(world.offer.mail(HeldCredentials(text))).follow()


async def test_a_call_too_many_is_told_with_the_time_to_wait(world: MailWorld, mail: MailAccount) -> None:
    world.limit_rate(7)
    with pytest.raises(RateLimited) as refused:
        await Follower(mail).follow()
    assert refused.value.retry_after == (7 if world.tells_when else None)


async def test_a_failure_of_the_server_is_one_try(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    before = world.calls()
    world.fail()
    with pytest.raises(ProviderUnavailable):
        await follower.follow()
    assert world.calls() == before + 1
    assert await follower.follow() == []


async def test_no_error_tells_a_secret_or_an_address(
    world: MailWorld, mail: MailAccount, credentials: HeldCredentials
) -> None:
    world.fail(times=None)
    with pytest.raises(ProviderUnavailable) as failed:
        await mail.send(an_outgoing(world.account))
    told = repr(failed.value) + str(failed.value) + repr(mail)
    assert VERA.email not in told
    assert str(credentials.text) not in told
