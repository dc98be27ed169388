"""Who may fill in a form, and from which addresses: A-FO3 to A-FO5."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.documents import BOOK, CREATE_PAGE, ERRORS, REQUEST, UPDATE_PAGE, at, book, page
from tests.api.domain_manager import tell
from tests.product import ApiClient, Product, product
from tests.siteverify import SECRET, SiteVerify

SHOWN = "query($at: PageAddress!) { publicSchedulingPage(at: $at) { captchaSiteKey } server { captchaSiteKey } }"
RULES = (
    "mutation($id: ID!, $input: SchedulingPageInput!) { updateSchedulingPage(id: $id, input: $input) "
    f"{{ page {{ blockedEmailDomains blockFreeEmail captcha }} {ERRORS} }} }}"
)


def request_of(email: str = "grace@navy.example", **more: Any) -> dict[str, Any]:
    wish = {**book(at("10:00")), "invitee": {"firstName": "Grace", "lastName": "Hopper", "email": email}, **more}
    del wish["start"]
    return {**wish, "preferredStarts": [at("10:00")]}


async def refusals(client: ApiClient, email: str = "grace@navy.example", **more: Any) -> list[str]:
    told = await tell(client, REQUEST, input=request_of(email, **more))
    return [error["code"] for error in told["errors"]]


async def page_of(host: ApiClient, **rules: Any) -> str:
    given = {"internalName": "Intro", "slug": "anna/intro", "durationsMinutes": [30], "minimumNotice": "PT0M", **rules}
    told = await tell(host, CREATE_PAGE, input=given)
    assert told["errors"] == []
    return str(told["page"]["id"])


# ---- addresses ------------------------------------------------------------------------------------------------------


async def test_afo3_listed_and_free_domains_cannot_book_and_nothing_is_listed_at_first(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    own = await page_of(host)
    assert await refusals(visitor, "grace@gmail.com") == []
    changed = await tell(host, RULES, id=own, input={"blockedEmailDomains": ["Navy.Example", "navy.example"]})
    assert changed["page"] == {"blockedEmailDomains": ["navy.example"], "blockFreeEmail": False, "captcha": False}
    told = await tell(visitor, REQUEST, input=request_of("grace@navy.example"))
    [error] = told["errors"]
    assert (error["code"], error["path"]) == ("EMAIL_DOMAIN_BLOCKED", ["input", "invitee", "email"])
    assert await refusals(visitor, "grace@MAIL.navy.example") == ["EMAIL_DOMAIN_BLOCKED"]
    assert await refusals(visitor, "grace@notnavy.example") == []
    assert await refusals(visitor, "grace@gmail.com") == []
    await tell(host, RULES, id=own, input={"blockFreeEmail": True})
    assert await refusals(visitor, "grace@gmail.com") == ["EMAIL_DOMAIN_BLOCKED"]
    await tell(host, RULES, id=own, input={"blockFreeEmail": False, "blockedEmailDomains": []})
    assert await refusals(visitor, "grace@navy.example") == []


@pytest.mark.parametrize("wrong", ["", "nothing", "a b.com", "grace@navy.example"])
async def test_afo3_what_is_no_domain_cannot_be_listed(served: Product, host: ApiClient, wrong: str) -> None:
    own = await page_of(host)
    told = await tell(host, UPDATE_PAGE, id=own, input={"blockedEmailDomains": ["good.example", wrong]}, revision=None)
    [error] = told["errors"]
    assert (error["code"], error["path"]) == ("VALIDATION", ["input", "blockedEmailDomains", "1"])


async def test_afo4_false_addresses_are_refused_and_those_of_reserved_names_are_not(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await page_of(host)
    assert set(await refusals(visitor, "grace")) == {"EMAIL_INVALID"}
    for name in ("example.com", "mail.example.org", "navy.example"):
        assert await refusals(visitor, f"grace@{name}") == [], name


async def test_afo4_addresses_that_nobody_can_have_are_refused_where_that_is_set(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]
) -> None:
    policy = {"refuse_reserved_addresses": True}
    async with product(database_url, *simulators, policy=policy, with_worker=False) as served, served.host() as anna:
        await page_of(anna)
        async with served.visitor() as visitor:
            for name in ("example.com", "mail.example.org", "navy.example"):
                assert await refusals(visitor, f"grace@{name}") == ["EMAIL_INVALID"], name
            assert await refusals(visitor, "grace@gmail.com") == []


# ---- captcha --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def guarded(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], siteverify: SiteVerify
) -> AsyncIterator[Product]:
    keys: dict[str, Any] = {
        "turnstile_site_key": "site-key",
        "turnstile_secret": SECRET,
        "turnstile_url": siteverify.url,
    }
    async with product(database_url, *simulators, with_worker=False, **keys) as served:
        yield served


async def test_afo5_a_page_with_a_captcha_takes_nothing_without_a_good_token(
    guarded: Product, siteverify: SiteVerify
) -> None:
    async with guarded.host() as anna, guarded.visitor() as visitor:
        own = await page_of(anna)
        assert await refusals(visitor) == []
        shown = await visitor.ask(SHOWN, at=page())
        assert shown == {"publicSchedulingPage": {"captchaSiteKey": None}, "server": {"captchaSiteKey": "site-key"}}
        await tell(anna, RULES, id=own, input={"captcha": True})
        assert (await visitor.ask(SHOWN, at=page()))["publicSchedulingPage"] == {"captchaSiteKey": "site-key"}
        for token in (None, "", "made up", "x" * 5000):
            told = await tell(visitor, REQUEST, input=request_of(captchaToken=token))
            [error] = told["errors"]
            assert (error["code"], error["path"]) == ("CAPTCHA_FAILED", ["input", "captchaToken"])
            told = await tell(visitor, BOOK, input=book(at("10:00"), captchaToken=token))
            assert [error["code"] for error in told["errors"]] == ["CAPTCHA_FAILED"]
        siteverify.gives("good")
        key = str(uuid4())
        assert await refusals(visitor, captchaToken="good", idempotencyKey=key) == []
        assert await refusals(visitor, captchaToken="good", idempotencyKey=key) == [], "the same form, sent again"
        assert await refusals(visitor, captchaToken="good") == ["CAPTCHA_FAILED"]
        assert await refusals(anna) == [], "whoever is signed in is no stranger"


async def test_afo5_while_nobody_can_check_tokens_nobody_gets_through(guarded: Product, siteverify: SiteVerify) -> None:
    async with guarded.host() as anna, guarded.visitor() as visitor:
        await page_of(anna, captcha=True)
        siteverify.status, siteverify.body = 503, b"away"
        assert await refusals(visitor, captchaToken=siteverify.gives("good")) == ["PROVIDER_UNAVAILABLE"]


async def test_afo5_where_no_captcha_is_set_up_pages_ask_for_none(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await page_of(host, captcha=True)
    shown = await visitor.ask(SHOWN, at=page())
    assert shown == {"publicSchedulingPage": {"captchaSiteKey": None}, "server": {"captchaSiteKey": None}}
    assert await refusals(visitor) == []
