"""Documents that were planned are answered as the executor answers them, or left to it."""

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest

from meetings.graphql.kept_answers import Question
from meetings.graphql.router import GraphQLRoutes
from meetings.infrastructure.app import WebProcess
from meetings.infrastructure.http.answer_again import AnswerAgain
from tests.product import NO_RATES, Product, product
from tests.world import outside

LEAVES = ["timeZone", "durationMinutes", "mode", "from", "to", "freshness", "computedAt", "cursor", "__typename"]
WHOLE = (
    "query($input: AvailabilityInput!) { availability(input: $input) "
    "{ mode cursor days { date slotCount slots { start end } } } }"
)
HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


@pytest.fixture
async def running(database_url: str) -> AsyncIterator[Product]:
    with outside() as (google, mail):
        async with product(database_url, google, mail, with_worker=False) as found:
            await found.connect()
            await found.here.page()
            await found.here.page("anna/long", durations_minutes=(30, 60))
            yield found


def routes_of(running: Product) -> GraphQLRoutes:
    return cast(AnswerAgain, cast(WebProcess, running.app).entrance)._routes


def forget(running: Product, *, plans: bool) -> None:
    routes = routes_of(running)
    for kept in list(routes.kept_answers._answers):
        routes.kept_answers.drop(kept)
    if plans:
        routes._planned._ready.clear()


def planned(running: Product) -> int:
    return len(routes_of(running)._planned._ready)


def at_hand(running: Product, body: bytes) -> Any:
    """What would be answered without the executor."""
    question: Question = (running.url.partition("://")[2].encode(), b"", b"application/json", body)
    scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": [], "client": ("127.0.0.1", 1)}
    return routes_of(running).at_hand(question, scope)


def slots(chance: random.Random) -> str:
    return chance.choice(["slots { start }", "slots { end start }", "s: slots { start __typename begin: start }"])


def a_document(chance: random.Random) -> str:
    """As front ends write them, and some that are not that plain."""
    fields = chance.sample(LEAVES, chance.randrange(1, 5))
    if chance.random() < 0.3:
        fields.append("zone: timeZone")
    declared = ["$input: AvailabilityInput!"]
    if chance.random() < 0.8:
        on = chance.choice(["", "", "(on: [$day])", "(on: $on)", "(on: null)", '(on: ["2035-12-03"])'])
        declared += ["$day: Date!"] if "$day" in on else ["$on: [Date!]"] if "$on" in on else []
        inner = ["date", "slotCount", slots(chance), "__typename", "n: slotCount"]
        fields.append(f"days{on} {{ {' '.join(chance.sample(inner, chance.randrange(1, 4)))} }}")
    odd = [
        "nextAvailable { start }",
        "...on Availability { to }",
        "mode @include(if: true)",
        "cursor @skip(if: true)",
        "days { date } days { slotCount }",
        "mode mode",
    ]
    if chance.random() < 0.25:
        fields.append(chance.choice(odd))
    alias = chance.choice(["", "", "month: "])
    more = chance.choice(["", "", "", "", " server { version }", " __typename"])
    return f"query Q({', '.join(declared)}) {{ {alias}availability(input: $input) {{ {' '.join(fields)} }}{more} }}"


def variables(chance: random.Random, *, plain: bool = False) -> dict[str, Any]:
    """A window, often with something about it that is unusual or wrong."""
    first = datetime.now(UTC).date() + timedelta(days=chance.randrange(0, 20))
    window: dict[str, Any] = {
        "page": {"slug": {"slug": "anna/intro"}},
        "from": str(first),
        "to": str(first + timedelta(days=chance.randrange(0, 20))),
        "timeZone": chance.choice(["UTC", "America/New_York", "US/Eastern", "Asia/Kolkata", "Pacific/Apia"]),
    }
    given: dict[str, Any] = {"input": window, "day": str(first + timedelta(days=1)), "on": [str(first)]}
    changes: list[Any] = [
        lambda: window.update(timeZone=chance.choice(["Mars/Olympus", 7, None, "utc"])),
        lambda: window.update(to=chance.choice(["2035-13-01", "2001-01-01", None, str(first + timedelta(days=90))])),
        lambda: window.update(durationMinutes=chance.choice([30, 60, 25, "30", None, 1e30])),
        lambda: window.update(rescheduleToken=chance.choice([None, "", "forged"])),
        lambda: window.update(page={"slug": {"slug": chance.choice(["anna/long", "/ANNA%2Fintro/", "nobody", ""])}}),
        lambda: window.update(page={"slug": {"slug": "anna/intro", "host": chance.choice([None, "evil.example"])}}),
        lambda: window.update(page=chance.choice([{}, {"slug": None}, {"linkToken": "x"}, {"url": "http://x/y"}])),
        lambda: window.pop(chance.choice(list(window))),
        lambda: window.update(more=1),
        lambda: given.update(input=chance.choice([None, [], [window], "x"])),
        lambda: given.update(day=chance.choice([None, "x", 5])),
        lambda: given.update(on=chance.choice([None, [], [str(first), str(first)], str(first), [None]])),
        lambda: given.update(unknown=1),
    ]
    if not plain:
        for change in chance.sample(changes, chance.choice((0, 0, 1, 1, 2))):
            change()
    return given


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """All of it but when it was worked out, and what is another with each request."""
    body = answer.json()
    for root in (body.get("data") or {}).values():
        if isinstance(root, dict):
            root.pop("computedAt", None)
    text = json.dumps(body).replace(answer.headers["x-request-id"], "")
    headers = sorted((k, v) for k, v in answer.headers.multi_items() if k not in ("date", "x-request-id"))
    if "computedAt" in answer.text or "requestId" in answer.text:
        headers = [(k, v) for k, v in headers if k != "content-length"]
    return answer.status_code, headers, text


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_planned_document_is_answered_to_any_variables_as_the_executor_does(
    running: Product, seed: int
) -> None:
    chance = random.Random(seed)
    without_executor = 0
    async with httpx.AsyncClient(base_url=running.url, headers=HEADERS, timeout=20) as http:
        for _ in range(40):
            document = a_document(chance)
            first = {"query": document, "variables": variables(chance, plain=True)}
            await http.post("/graphql", content=json.dumps(first))
            for _ in range(3):
                body = json.dumps({"query": document, "variables": variables(chance)}).encode()
                forget(running, plans=False)
                without_executor += await at_hand(running, body) is not None
                forget(running, plans=False)
                quick = await http.post("/graphql", content=body)
                forget(running, plans=True)
                slow = await http.post("/graphql", content=body)
                assert told(quick) == told(slow), body
                await http.post("/graphql", content=json.dumps(first))
    assert without_executor > 20


@pytest.mark.parametrize(
    "change",
    [
        {"operationName": "Other"},
        {"operationName": ""},
        {"operationName": 5},
        {"extensions": {}},
        {"variables": None},
        {"variables": []},
        {"query": None},
    ],
)
async def test_an_unusual_way_of_asking_is_left_to_the_executor(running: Product, change: dict[str, Any]) -> None:
    plain = {"query": WHOLE, "variables": variables(random.Random(1), plain=True)}
    async with httpx.AsyncClient(base_url=running.url, headers=HEADERS) as http:
        await http.post("/graphql", content=json.dumps(plain))
        assert planned(running) == 1
        body = json.dumps({**plain, **change}).encode()
        quick = await http.post("/graphql", content=body)
        forget(running, plans=True)
        slow = await http.post("/graphql", content=body)
        assert told(quick) == told(slow)


async def test_what_cannot_be_read_as_an_operation_is_left_to_the_executor(running: Product) -> None:
    for body in (b"", b"[]", b"{", b'"x"', b"\xff"):
        assert await at_hand(running, body) is None


async def test_a_refused_document_is_not_planned_nor_one_that_asks_for_more(running: Product) -> None:
    asked = variables(random.Random(1), plain=True)
    unplanned = [
        WHOLE.replace("mode", "nothing"),
        WHOLE.replace("mode", "nextAvailable { start }"),
        WHOLE.replace("mode", "...M") + " fragment M on Availability { mode }",
        WHOLE[:-1] + " viewer { user { email } } }",
    ]
    async with httpx.AsyncClient(base_url=running.url, headers=HEADERS) as http:
        for document in unplanned:
            await http.post("/graphql", content=json.dumps({"query": document, "variables": asked}))
        assert planned(running) == 0
        for number in range(300):
            document = WHOLE.replace("mode", f"mode m{number}: mode")
            await http.post("/graphql", content=json.dumps({"query": document, "variables": asked}))
        assert planned(running) == 256


async def test_questions_that_differ_count_against_the_rate_like_any_other(sqlite_url: str) -> None:
    with outside() as (google, mail):
        rates = {**NO_RATES, "availability": ("5/minute",)}
        async with product(sqlite_url, google, mail, with_worker=False, rates=rates) as running:
            await running.here.page()
            window = variables(random.Random(1), plain=True)["input"]
            first = datetime.now(UTC).date()
            async with httpx.AsyncClient(base_url=running.url, headers=HEADERS) as http:
                answers = [
                    await http.post(
                        "/graphql",
                        json={
                            "query": WHOLE,
                            "variables": {
                                "input": {**window, "from": str(first), "to": str(first + timedelta(days=ahead))}
                            },
                        },
                    )
                    for ahead in range(8)
                ]
    refused = [answer.json().get("errors", [{}])[0].get("extensions", {}).get("code") for answer in answers]
    assert refused == [None] * 5 + ["RATE_LIMITED"] * 3
