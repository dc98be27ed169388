"""`GET /chat.js` and what it asks for: for any site, small, without cookies."""

import gzip
from collections.abc import AsyncIterator

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.chat_profile import widget_key
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.chats import LINK, change, switch
from tests.api.gates import create, id_of
from tests.api.setting_up import online
from tests.foreign_site import ForeignSite, foreign_site, page_of
from tests.headless import Browser, browser_path, headless
from tests.product import NO_RATES, ApiClient, Product, TopLevelErrors, product

SITE = "https://shop.example"


def asked(served: Product) -> dict[str, str]:
    anna = served.here.anna
    return {"key": widget_key(anna.account_id), "agent": id_of(anna)}


async def test_the_script_is_small_and_for_any_site(visitor: ApiClient) -> None:
    answer = await visitor.http.get("/chat.js", headers={"Origin": SITE})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "max-age=3600" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers
    assert len(gzip.compress(answer.content)) < 5_000


async def test_a_script_that_is_still_the_same_is_not_sent_again(visitor: ApiClient) -> None:
    first = await visitor.http.get("/chat.js")
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}'):
        again = await visitor.http.get("/chat.js", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert (await visitor.http.get("/chat.js", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_sites_are_told_what_the_api_tells_and_nobody_keeps_it(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await online(served)
    await switch(host, on=True)
    answer = await visitor.http.get("/chat/link", params=asked(served), headers={"Origin": SITE})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert answer.json()["link"] == (await visitor.ask(LINK, **asked(served)))["chatMeetingLink"]
    await switch(host, on=False)
    assert (await visitor.http.get("/chat/link", params=asked(served))).json() == {"link": None}


@pytest.mark.parametrize("wrong", [{}, {"key": "x"}, {"agent": "' or 1=1"}, {"key": "k" * 5_000}])
async def test_what_names_nobody_is_told_nothing(
    served: Product, host: ApiClient, visitor: ApiClient, wrong: dict[str, str]
) -> None:
    await create(host, "anna/intro")
    await switch(host, on=True)
    answer = await visitor.http.get("/chat/link", params={**asked(served), **wrong} if wrong else {})
    assert (answer.status_code, answer.json()) == (200, {"link": None})


async def test_a_ch3_links_are_counted_by_address_over_script_and_api_together(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]
) -> None:
    few = {**NO_RATES, "chat_link": ("4/hour",)}
    async with product(database_url, *simulators, rates=few) as served, served.visitor() as visitor:
        for _ in range(2):
            await visitor.ask(LINK, **asked(served))
            assert (await visitor.http.get("/chat/link", params=asked(served))).status_code == 200
        refused = await visitor.http.get("/chat/link", params=asked(served), headers={"Origin": SITE})
        assert (refused.status_code, refused.json()) == (429, {"link": None})
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["access-control-allow-origin"] == "*"
        with pytest.raises(TopLevelErrors) as limited:
            await visitor.ask(LINK, **asked(served))
        assert limited.value.codes == ["RATE_LIMITED"]


# ---- in a browser ---------------------------------------------------------------------------------------------------


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium of the machine."""
    if browser_path() is None:
        pytest.skip("there is no chromium, chromium-browser or google-chrome on the PATH")
    async with headless() as started:
        yield started


@pytest.fixture
async def shop(served: Product) -> AsyncIterator[ForeignSite]:
    """Somebody's web site that includes the script, beside Anna."""
    snippet = {"data-widget-key": asked(served)["key"], "data-agent-id": asked(served)["agent"]}
    with foreign_site(page_of(f"{served.url}/chat.js", snippet), allowed=served.url) as site:
        yield site


async def test_a_foreign_page_shows_the_person_and_the_link_and_following_it_opens_the_page(
    served: Product, host: ApiClient, browser: Browser, shop: ForeignSite
) -> None:
    await online(served)
    name = "Anna <b>from</b> Sales"
    assert (await change(host, displayName=name, meetingLinkText="Meet me?", showMeetingLink=True))["errors"] == []
    await browser.open(shop.url)
    await browser.until("document.querySelector('.meetings-chat-link')")
    assert await browser.told("document.querySelector('.meetings-chat-name').textContent") == name
    assert await browser.told("document.querySelectorAll('.meetings-chat b').length") == 0
    assert await browser.told("document.querySelector('.meetings-chat-link').textContent") == "Meet me?"
    assert "Next free time" in await browser.told("document.querySelector('.meetings-chat-next').textContent")
    opened = await browser.follow("document.querySelector('.meetings-chat-link')")
    assert opened == f"{served.url}/meetings/anna/intro"
    assert await browser.told("document.querySelector('h1').textContent", of=opened)
    assert await browser.cookies() == []


async def test_a_foreign_page_shows_nothing_while_the_link_is_off(
    served: Product, host: ApiClient, browser: Browser, shop: ForeignSite
) -> None:
    await create(host, "anna/intro")
    await browser.open(shop.url)
    await browser.until("performance.getEntriesByType('resource').some(each => each.name.includes('/chat/link'))")
    assert await browser.told("document.querySelectorAll('.meetings-chat').length") == 0
