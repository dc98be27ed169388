"""Whose product a page says it is made by: A-SP20, A-PL2."""

from itertools import product as pairs
from typing import Any

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.domain.plan import Hub, Tier
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.documents import at, page, request
from tests.api.domain_manager import tell
from tests.api.gates import codes, create, gated, needed, plan
from tests.api.test_reading import statements
from tests.databases import BOTH_DATABASES
from tests.product import ApiClient, Product

BRANDING = "query($at: PageAddress!) { publicSchedulingPage(at: $at) { headline branding } }"
ASK = """mutation($input: RequestMeetingInput!) { requestMeeting(input: $input) {
  booking { page { branding } } errors { code }
} }"""
Simulators = tuple[GoogleSimulator, MailCatcher]


async def branded(client: ApiClient) -> bool:
    found: bool = (await client.ask(BRANDING, at=page()))["publicSchedulingPage"]["branding"]
    return found


async def test_asp20_a_free_account_has_one_page_and_it_is_branded(database_url: str, simulators: Simulators) -> None:
    async with gated(database_url, *simulators) as served, served.host() as anna, served.visitor() as visitor:
        assert codes(await create(anna, "anna/intro")) == []
        assert await branded(visitor)
        refused = await create(anna, "anna/second")
        assert codes(refused) == ["PAGE_LIMIT_REACHED"]
        assert needed(refused)["tier"] == "STARTER"


async def test_asp20_every_hub_from_starter_on_takes_the_branding_away(
    database_url: str, simulators: Simulators
) -> None:
    async with gated(database_url, *simulators) as served, served.visitor() as visitor:
        await served.here.page()
        for hub, tier in pairs(Hub, Tier):
            await plan(served, (hub, tier))
            assert await branded(visitor) is (tier is Tier.FREE), (hub, tier)


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_an_answer_that_is_kept_is_forgotten_when_the_plan_changes(
    database_url: str, simulators: Simulators
) -> None:
    async with gated(database_url, *simulators) as served, served.visitor() as visitor:
        await served.here.page()
        for subscriptions, expected in (([], True), ([(Hub.CMS, Tier.STARTER)], False), ([], True)):
            await plan(served, *subscriptions)
            assert await branded(visitor) is expected
            assert await answered_again(served, visitor) is expected


async def answered_again(served: Product, visitor: ApiClient) -> bool:
    """What is told without the database being asked for anything: from the bytes that were sent before."""
    for _ in range(20):  # the clock's next minute, or a worker, may come in between
        with statements(served) as seen:
            told = await branded(visitor)
        if not seen:
            return told
    raise AssertionError("the answer is not kept")


async def test_where_everybody_has_all_features_no_page_is_branded(served: Product, visitor: ApiClient) -> None:
    await served.here.page()
    assert not await branded(visitor)


async def test_the_invitees_own_view_of_the_page_says_the_same(database_url: str, simulators: Simulators) -> None:
    async with gated(database_url, *simulators) as served, served.visitor() as visitor:
        await served.here.page()
        for subscriptions, expected in (([], True), ([(Hub.SALES, Tier.ENTERPRISE)], False)):
            await plan(served, *subscriptions)
            told: dict[str, Any] = await tell(visitor, ASK, input=request(at("10:00")))
            assert told["errors"] == []
            assert told["booking"]["page"]["branding"] is expected
