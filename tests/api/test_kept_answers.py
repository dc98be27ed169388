"""Answers that are sent again are those that would be given anew, and nothing private is ever kept."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from meetings.application.chat_profile import widget_key
from meetings.application.hold_slot import release_slot
from meetings.application.ports.reads import PagePointer
from meetings.application.read_availability import AvailabilityQuestion, read_availability
from meetings.graphql.kept_answers import KeptAnswer, KeptAnswers
from meetings.graphql.leaf_lists import LeafListExecutor
from meetings.infrastructure.app import WebProcess
from meetings.infrastructure.http.answer_again import AnswerAgain
from tests.api.chats import LINK, change, switch
from tests.api.gates import id_of
from tests.product import NO_RATES, ApiClient, Product, TopLevelErrors, product
from tests.world import HOST_EMAIL, outside

DAYS = """
query Days($input: AvailabilityInput!) {
  availability(input: $input) { mode cursor days { date slotCount slots { start end } } nextAvailable { start } }
}
"""
PAGE = """
query Page($at: PageAddress!) {
  publicSchedulingPage(at: $at) { headline mode bookableFrom bookableTo durationsMinutes hosts { displayName } }
}
"""
VIEWER = "{ viewer { user { email } } }"


@pytest.fixture
async def running(database_url: str) -> AsyncIterator[Product]:
    with outside() as (google, mail):
        async with product(database_url, google, mail, with_worker=False) as found:
            yield found


def window(first: date, days: int = 20, slug: str = "anna/intro") -> dict[str, Any]:
    page = {"slug": {"slug": slug}}
    return {"page": page, "from": str(first), "to": str(first + timedelta(days=days)), "timeZone": "America/New_York"}


async def same(running: Product, visitor: ApiClient, page: PagePointer, first: date) -> dict[str, Any]:
    """Ask twice, and compare with what reading everything anew gives."""
    here = running.here
    await visitor.ask(DAYS, input=window(first))
    told: dict[str, Any] = (await visitor.ask(DAYS, input=window(first)))["availability"]
    question = AvailabilityQuestion(page, first, first + timedelta(days=20), "America/New_York")
    fresh = await read_availability(question, look=here.tools.look, clock=here.clock, policy=here.tools.policy)
    assert told["mode"] == fresh.mode.value
    assert told["cursor"] == fresh.digest.cursor()
    starts = [slot["start"] for day in told["days"] for slot in day["slots"]]
    assert [datetime.fromisoformat(each) for each in starts] == [fresh.slot(each).start for each in fresh.starts]
    return told


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_answered_again_is_what_would_be_read_anew_throughout_a_history(
    running: Product, seed: int
) -> None:
    await running.connect()
    here, chance = running.here, random.Random(seed)
    page = await here.page()
    first = datetime.now(UTC).date() + timedelta(days=1)
    holds: list[str] = []
    bookings = []
    async with running.visitor() as visitor:
        for _ in range(25):
            told = await same(running, visitor, page, first)
            start = datetime.fromisoformat(chance.choice([s for d in told["days"] for s in d["slots"]])["start"])
            match chance.randrange(8):
                case 0:
                    bookings.append(await here.book(page, start))
                case 1 if bookings:
                    await here.cancel(bookings.pop())
                case 2 | 3:
                    holds.append((await here.hold(page, start, visitor=str(chance.random()))).token)
                case 4 if holds:
                    await release_slot(holds.pop(), begin=here.tools.begin)
                case 5:
                    await here.holds_expire()
                case 6:
                    running.google.add_event(HOST_EMAIL, "Elsewhere", start, start + timedelta(minutes=50))
                    await here.sync()
                case 7:
                    await here.switch_pages(on=False)
                    assert (await same_or_blocked(visitor, first))["mode"] == "BLOCKED"
                    await here.switch_pages(on=True)
        await same(running, visitor, page, first)


async def same_or_blocked(visitor: ApiClient, first: date) -> dict[str, Any]:
    found: dict[str, Any] = (await visitor.ask(DAYS, input=window(first)))["availability"]
    return found


async def test_the_public_page_changes_at_once_and_is_gone_at_once(running: Product) -> None:
    await running.here.page()
    at = {"slug": {"slug": "anna/intro"}}
    async with running.visitor() as visitor, running.host() as anna:
        for _ in range(2):
            assert (await visitor.ask(PAGE, at=at))["publicSchedulingPage"]["headline"] == "Meet Anna"
        pages = "{ viewer { schedulingPages(first: 5) { nodes { id revision } } } }"
        [mine] = (await anna.ask(pages))["viewer"]["schedulingPages"]["nodes"]
        archive = "mutation($id: ID!) { archiveSchedulingPage(id: $id) { errors { code } } }"
        await anna.ask(archive, id=mine["id"])
        assert (await visitor.ask(PAGE, at=at))["publicSchedulingPage"] is None


async def test_what_somebody_signed_in_sees_is_never_sent_to_anybody_else(running: Product) -> None:
    async with running.visitor() as visitor, running.host() as anna:
        assert (await anna.ask(VIEWER))["viewer"]["user"]["email"] == HOST_EMAIL
        assert (await visitor.ask(VIEWER))["viewer"] is None
        assert (await anna.ask(VIEWER))["viewer"]["user"]["email"] == HOST_EMAIL


async def test_an_answer_that_is_sent_again_counts_against_the_rate(database_url: str) -> None:
    rates = {**NO_RATES, "availability": ("5/minute",)}
    with outside() as (google, mail):
        async with product(database_url, google, mail, with_worker=False, rates=rates) as running:
            await running.here.page()
            first = datetime.now(UTC).date()
            async with running.visitor() as visitor:
                told = [(await visitor.send(DAYS, input=window(first))).json() for _ in range(7)]
    codes = [(each.get("errors") or [{"extensions": {"code": None}}])[0]["extensions"]["code"] for each in told]
    assert codes == [None] * 5 + ["RATE_LIMITED"] * 2


async def test_the_link_beside_a_chat_is_sent_again_counts_and_is_another_once_it_changed(database_url: str) -> None:
    rates = {**NO_RATES, "chat_link": ("6/hour",)}
    with outside() as (google, mail):
        async with product(database_url, google, mail, with_worker=False, rates=rates) as running:
            await running.here.page()
            asked = {"key": widget_key(running.here.anna.account_id), "agent": id_of(running.here.anna)}
            async with running.visitor() as visitor, running.host() as anna:
                await switch(anna, on=True)
                told = [(await visitor.ask(LINK, **asked))["chatMeetingLink"]["text"] for _ in range(3)]
                routes = cast(AnswerAgain, cast(WebProcess, running.app).entrance)._routes
                assert len(routes.kept_answers._answers) == 1
                await change(anna, meetingLinkText="Talk to me")
                told += [(await visitor.ask(LINK, **asked))["chatMeetingLink"]["text"] for _ in range(3)]
                with pytest.raises(TopLevelErrors) as refused:
                    await visitor.ask(LINK, **asked)
    assert told == ["Book a meeting with me"] * 3 + ["Talk to me"] * 3
    assert refused.value.codes == ["RATE_LIMITED"]


async def test_lists_in_wire_form_are_what_the_plain_executor_gives(
    running: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running.connect()
    await running.here.page()
    first = datetime.now(UTC).date() + timedelta(days=1)
    documents = [
        "{ __typename a: date slotCount slots { __typename e: end start } }",
        "{ date slots { ...S } } } } fragment S on Slot { start ... on Slot { start end } ",
        "{ date @include(if: false) n: slotCount slots @skip(if: false) { end @skip(if: true) start } }",
    ]
    async with running.visitor() as visitor:
        for number, selection in enumerate(documents):
            document = f"query Q{number}($input: AvailabilityInput!) {{ availability(input: $input) {{ days {selection}"
            document += "} }" if "fragment" not in selection else "}"
            quick = await visitor.ask(document, input=window(first))
            with monkeypatch.context() as patched:
                patched.delattr(LeafListExecutor, "complete_iterable_value")
                plain = await visitor.ask(document + " ", input=window(first))
            assert quick == plain
            assert quick["availability"]["days"]


def test_no_more_bytes_are_kept_than_allowed() -> None:
    answers = KeptAnswers(most_bytes=10_000)
    for number in range(100):
        answer = KeptAnswer(b"x" * 500, [], datetime.now(UTC), [])
        answers.keep((b"", b"", b"", str(number).encode()), answer)
    assert answers.get((b"", b"", b"", b"0")) is None
    assert answers.get((b"", b"", b"", b"99")) is not None
    assert answers._bytes <= 10_000
