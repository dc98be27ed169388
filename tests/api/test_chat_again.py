"""What was told of a link beside a chat is sent again only as what would be told anew, and counts as that does."""

from collections.abc import AsyncIterator

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.chat_profile import widget_key
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.chats import LINK, OWN, change, switch
from tests.api.gates import create, id_of
from tests.api.test_domains import other_account
from tests.product import NO_RATES, ApiClient, Product, TopLevelErrors, product

EVE_EMAIL = "eve@elsewhere.example"
TWO = """query($key: String!, $agent: ID!, $otherKey: String!, $other: ID!) {
  %s
}"""
FIRST = "first: chatMeetingLink(widgetKey: $key, agentId: $agent) { text }"
SECOND = "second: chatMeetingLink(widgetKey: $otherKey, agentId: $other) { text }"
PAGE = 'page: publicSchedulingPage(at: { slug: { slug: "eve/intro" } }) { headline }'
IN_A_FRAGMENT = """query($key: String!, $agent: ID!) { ...all }
fragment all on Query { link: chatMeetingLink(widgetKey: $key, agentId: $agent) { text } %s }"""
HEADLINE = """mutation($id: ID!, $to: String!) {
  updateSchedulingPage(id: $id, input: { headline: $to }) { errors { code } }
}"""


def asked(served: Product) -> dict[str, str]:
    anna = served.here.anna
    return {"key": widget_key(anna.account_id), "agent": id_of(anna)}


async def test_the_same_question_has_the_same_answer_under_an_id_of_its_own(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    await switch(host, on=True)
    answers = [await visitor.send(LINK, **asked(served)) for _ in range(4)]
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4
    kept = [{name: value for name, value in answer.headers.items() if name != "date"} for answer in answers]
    for headers in kept:
        del headers["x-request-id"]
    assert kept == kept[:1] * 4
    assert {"content-security-policy", "x-content-type-options", "content-type"} <= set(kept[0])


@pytest.fixture
async def eve(served: Product) -> AsyncIterator[ApiClient]:
    """The owner of another account, whose changes are no news for Anna's."""
    await other_account(served)
    async with served.visitor() as client:
        await client.sign_in(EVE_EMAIL)
        yield client


@pytest.mark.parametrize("document", [f"query($key: String!, $agent: ID!) {{ {FIRST} {PAGE} }}", IN_A_FRAGMENT % PAGE])
async def test_an_operation_that_tells_more_tells_all_of_it_anew(
    served: Product, host: ApiClient, visitor: ApiClient, eve: ApiClient, document: str
) -> None:
    await create(host, "anna/intro")
    await switch(host, on=True)
    page = (await create(eve, "eve/intro"))["page"]
    for words in ("One", "Two"):
        await eve.ask(HEADLINE, id=page["id"], to=words)
        for _ in range(3):
            assert (await visitor.ask(document, **asked(served)))["page"] == {"headline": words}


@pytest.mark.parametrize("fields", [(FIRST, SECOND), (SECOND, FIRST)])
async def test_of_two_links_in_one_question_one_that_is_switched_off_is_gone(
    served: Product, host: ApiClient, visitor: ApiClient, eve: ApiClient, fields: tuple[str, str]
) -> None:
    await create(host, "anna/intro")
    await create(eve, "eve/intro")
    for client in (host, eve):
        await switch(client, on=True)
    own = (await eve.ask(OWN))["viewer"]
    both = {**asked(served), "otherKey": own["account"]["widgetKey"], "other": own["user"]["id"]}
    document = TWO % " ".join(fields)
    for _ in range(3):
        assert all((await visitor.ask(document, **both)).values())
    await switch(eve, on=False)
    shown = await visitor.ask(document, **both)
    assert (bool(shown["first"]), bool(shown["second"])) == (True, False)


async def test_whoever_comes_with_a_bad_token_is_told_so_whatever_others_asked(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    await switch(host, on=True)
    for _ in range(2):
        assert (await visitor.send(LINK, **asked(served))).status_code == 200
    async with ApiClient(served.url, token="none of ours") as other:
        assert (await other.send(LINK, **asked(served))).status_code == 401
    async with served.visitor(**{"Content-Type": "text/plain"}) as other:
        body = visitor.http.build_request("POST", "/graphql", json={"query": LINK, "variables": asked(served)}).content
        assert (await other.http.post("/graphql", content=body)).status_code == 415


async def test_what_is_sent_again_counts_as_asked(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]
) -> None:
    few = {**NO_RATES, "chat_link": ("5/hour",)}
    async with product(database_url, *simulators, rates=few) as served, served.host() as anna:
        await create(anna, "anna/intro")
        await switch(anna, on=True)
        async with served.visitor() as visitor:
            for _ in range(5):
                assert (await visitor.ask(LINK, **asked(served)))["chatMeetingLink"]
            for _ in range(2):
                with pytest.raises(TopLevelErrors) as limited:
                    await visitor.ask(LINK, **asked(served))
                assert limited.value.codes == ["RATE_LIMITED"]


async def test_every_change_of_the_profile_is_told_at_once_however_often_was_asked(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await create(host, "anna/intro")
    await switch(host, on=True)
    for words in ("One?", "Two?", "Three?"):
        await change(host, meetingLinkText=words)
        told = [(await visitor.ask(LINK, **asked(served)))["chatMeetingLink"]["text"] for _ in range(3)]
        assert told == [words] * 3
