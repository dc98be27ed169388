"""The link beside a chat: S73 to S76, A-CH1 to A-CH3."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from meetings.application.chat_profile import widget_key
from meetings.application.sign_in import NewPerson, found_account
from meetings.graphql.node_ids import Kind, to_id
from tests.api.chats import LINK, OWN, change, switch
from tests.api.documents import BOOK, ERRORS, UPDATE_PAGE, at, book
from tests.api.domain_manager import CHOOSE, tell
from tests.api.gates import SET_DEFAULT, create, id_of
from tests.api.people import DEACTIVATE
from tests.api.setting_up import online
from tests.databases import BOTH_DATABASES
from tests.product import ApiClient, Product
from tests.world import PASSWORD


async def shown(served: Product, visitor: ApiClient, **other: str) -> dict[str, Any] | None:
    """What a site that Anna's account put its widget into shows beside Anna."""
    anna = served.here.anna
    asked = {"key": widget_key(anna.account_id), "agent": id_of(anna), **other}
    link: dict[str, Any] | None = (await visitor.ask(LINK, **asked))["chatMeetingLink"]
    return link


def refused(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    assert payload["profile"] is None
    return [(error["code"], error["path"]) for error in payload["errors"]]


async def test_s73_a_visitor_in_a_chat_opens_the_page_by_the_link_and_books(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await online(served)
    await switch(host, on=True)
    link = await shown(served, visitor)
    assert link is not None
    assert (link["text"], link["mode"]) == ("Book a meeting with me", "ONLINE")
    assert link["nextAvailable"]["start"] < link["nextAvailable"]["end"]
    async with httpx.AsyncClient() as browser:
        assert (await browser.get(link["url"])).status_code == 200
    booked = await visitor.ask(BOOK, input=book(at("10:00"), page={"url": link["url"]}))
    assert booked["bookMeeting"]["errors"] == []
    assert booked["bookMeeting"]["booking"]["status"] == "CONFIRMED"


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_s74_the_link_is_off_at_first_and_gone_at_once_when_switched_off_again(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    own = (await host.ask(OWN))["viewer"]["chatProfile"]
    assert own["showMeetingLink"] is False
    assert await shown(served, visitor) is None
    for _ in range(3):
        await switch(host, on=True)
        assert [await shown(served, visitor) is not None for _ in range(3)] == [True] * 3
        await switch(host, on=False)
        assert await shown(served, visitor) is None


async def test_s75_the_link_leads_to_a_page_of_ones_own_choice(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    other = (await create(host, "anna/demo", "Demo"))["page"]["id"]
    await switch(host, on=True)
    assert (await shown(served, visitor) or {})["url"].endswith("/meetings/anna/intro")
    told = await change(host, schedulingPageId=other)
    assert told["profile"]["schedulingPage"] == {"id": other, "slug": "anna/demo"}
    assert (await shown(served, visitor) or {})["url"].endswith("/meetings/anna/demo")
    assert (await change(host, schedulingPageId=None))["profile"]["schedulingPage"]["slug"] == "anna/intro"
    assert (await shown(served, visitor) or {})["url"].endswith("/meetings/anna/intro")


async def test_s75_without_choice_the_link_follows_the_default_page(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    other = (await create(host, "anna/demo", "Demo"))["page"]["id"]
    await switch(host, on=True)
    assert (await shown(served, visitor) or {})["url"].endswith("/meetings/anna/intro")
    assert (await host.ask(SET_DEFAULT, id=other))["setDefaultSchedulingPage"]["errors"] == []
    assert (await shown(served, visitor) or {})["url"].endswith("/meetings/anna/demo")


async def test_s75_nobody_links_to_a_colleagues_page_or_one_that_is_not_there(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    await served.here.add_colleague("Ben Example", "ben@example.com")
    async with served.visitor() as ben:
        await ben.sign_in("ben@example.com", PASSWORD)
        theirs = (await create(ben, "ben/intro"))["page"]["id"]
    for unknown in (theirs, to_id(Kind.PAGE, uuid4()), "no id at all"):
        answer = await change(host, schedulingPageId=unknown, showMeetingLink=True)
        assert refused(answer) == [("VALIDATION", ["input", "schedulingPageId"])]
    assert await shown(served, visitor) is None


async def test_s75_the_link_cannot_be_switched_on_without_any_page(host: ApiClient) -> None:
    answer = await change(host, showMeetingLink=True)
    assert refused(answer) == [("VALIDATION", ["input", "schedulingPageId"])]
    assert answer["errors"][0]["rule"] == "REQUIRED"


async def test_s75_a_chosen_page_that_was_taken_down_leaves_the_default_page(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    other = (await create(host, "anna/demo", "Demo"))["page"]["id"]
    await change(host, schedulingPageId=other, showMeetingLink=True)
    assert (await shown(served, visitor) or {})["url"].endswith("/meetings/anna/demo")
    archive = f"mutation($id: ID!) {{ archiveSchedulingPage(id: $id) {{ {ERRORS} }} }}"
    assert (await host.ask(archive, id=other))["archiveSchedulingPage"]["errors"] == []
    assert (await shown(served, visitor) or {})["url"].endswith("/meetings/anna/intro")
    assert (await change(host, displayName="Anna"))["errors"] == []
    assert refused(await change(host, schedulingPageId=other)) == [("VALIDATION", ["input", "schedulingPageId"])]


async def test_s76_settings_are_saved_together_or_not_at_all(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    before = (await host.ask(OWN))["viewer"]["chatProfile"]
    good = {"displayName": "Anna from Sales", "showMeetingLink": True, "meetingLinkText": "See you?"}
    bad = await change(host, **good, avatarUrl="javascript:alert(1)")
    assert refused(bad) == [("VALIDATION", ["input", "avatarUrl"])]
    bad = await change(host, **{**good, "meetingLinkText": "x" * 121, "displayName": "y" * 81})
    assert sorted(refused(bad)) == [
        ("VALIDATION", ["input", "displayName"]),
        ("VALIDATION", ["input", "meetingLinkText"]),
    ]
    bad = await change(host, **{**good, "showMeetingLink": None})
    assert refused(bad) == [("VALIDATION", ["input", "showMeetingLink"])]
    assert (await host.ask(OWN))["viewer"]["chatProfile"] == before
    assert await shown(served, visitor) is None
    assert (await change(host, **good))["errors"] == []
    assert await shown(served, visitor) is not None


async def test_a_ch1_beside_a_chat_stand_picture_name_and_link_with_its_own_words(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    picture = "https://cdn.example.com/anna.png"
    wish = {"displayName": "Anna", "avatarUrl": picture, "meetingLinkText": "A talk?", "showMeetingLink": True}
    told = await change(host, **wish)
    assert {name: told["profile"][name] for name in wish} == wish
    link = await shown(served, visitor)
    assert link is not None
    assert (link["agentName"], link["agentAvatarUrl"], link["text"]) == ("Anna", picture, "A talk?")
    cleared = await change(host, displayName=None, avatarUrl=None, meetingLinkText=None)
    assert (cleared["profile"]["displayName"], cleared["profile"]["avatarUrl"]) == (served.here.anna.name, None)
    link = await shown(served, visitor)
    assert link is not None
    assert (link["agentName"], link["agentAvatarUrl"]) == (served.here.anna.name, None)


async def test_a_ch2_a_bot_resolves_the_link_with_nothing_but_key_and_id(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    await switch(host, on=True)
    own = (await host.ask(OWN))["viewer"]
    asked = {"key": own["account"]["widgetKey"], "agent": own["user"]["id"]}
    assert (await visitor.ask(LINK, **asked))["chatMeetingLink"] is not None


async def test_a_ch3_whoever_is_unknown_looks_like_somebody_without_link(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    await switch(host, on=True)
    tools = served.here.tools
    eve = NewPerson("Eve", "eve@elsewhere.example", PASSWORD)
    elsewhere = await found_account(
        "Elsewhere", eve, identities=tools.identities, passwords=tools.passwords, clock=served.here.clock
    )
    assert await shown(served, visitor) is not None
    for other in (
        {"agent": to_id(Kind.USER, uuid4())},
        {"agent": to_id(Kind.PAGE, served.here.anna.id)},
        {"agent": "' or 1=1"},
        {"key": "unknown"},
        {"key": widget_key(elsewhere.account_id)},
    ):
        assert await shown(served, visitor, **other) is None


async def test_a_ch3_the_link_says_what_the_page_can_do_now(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    await switch(host, on=True)
    assert (await shown(served, visitor) or {})["mode"] == "OFFLINE"
    await served.connect()
    assert (await shown(served, visitor) or {})["mode"] == "ONLINE"
    off = f"mutation {{ updateSettings(input: {{ schedulingPages: false }}) {{ {ERRORS} }} }}"
    await host.ask(off)
    link = await shown(served, visitor)
    assert link is not None
    assert (link["mode"], link["nextAvailable"]) == ("BLOCKED", None)


async def test_a_booked_time_is_not_the_next_one_any_more(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    await online(served)
    await switch(host, on=True)
    first = (await shown(served, visitor) or {})["nextAvailable"]["start"]
    booked = await visitor.ask(BOOK, input=book(first))
    assert booked["bookMeeting"]["errors"] == []
    assert (await shown(served, visitor) or {})["nextAvailable"]["start"] > first


async def test_the_link_follows_the_address_of_the_page_at_once(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    page = (await create(host, "anna/intro"))["page"]["id"]
    await switch(host, on=True)
    main, second = served.here.tools.links.standard_hosts
    for document, variables, url in (
        (UPDATE_PAGE, {"id": page, "input": {"slug": "anna/talk"}}, f"http://{main}/meetings/anna/talk"),
        (CHOOSE, {"domain": second}, f"http://{second}/anna/talk"),
    ):
        assert await shown(served, visitor)  # kept from here on
        assert (await tell(host, document, **variables))["errors"] == []
        assert (await shown(served, visitor) or {})["url"] == url


async def test_whoever_left_the_account_is_shown_no_more_at_once(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    ben = await served.here.add_colleague("Ben Example", "ben@example.com")
    async with served.visitor() as browser:
        await browser.sign_in("ben@example.com", PASSWORD)
        await create(browser, "ben/intro")
        await switch(browser, on=True)
    assert await shown(served, visitor, agent=id_of(ben))
    assert (await tell(host, DEACTIVATE, who=id_of(ben)))["errors"] == []
    assert await shown(served, visitor, agent=id_of(ben)) is None


async def test_asked_by_many_at_once_while_it_is_switched_the_last_word_holds(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    for on in (True, False, True, False):
        asking = [asyncio.create_task(shown(served, visitor)) for _ in range(10)]
        await switch(host, on=on)
        answers = await asyncio.gather(*(shown(served, visitor) for _ in range(10)))
        assert {answer is not None for answer in answers} == {on}
        await asyncio.gather(*asking)
