"""What is answered before all layers is what those would answer: the same refusals, headers, ids and log lines."""

import json
import logging
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest

from meetings.infrastructure.app import WebProcess
from meetings.infrastructure.http.answer_again import AnswerAgain
from tests.product import NO_RATES, Product, product, until
from tests.world import outside

SHOP, ELSEWHERE = "https://shop.example", "https://elsewhere.example"
QUESTION = """
query($input: AvailabilityInput!) { availability(input: $input) { mode computedAt days { date slotCount } } }
"""


@pytest.fixture
async def running(sqlite_url: str) -> AsyncIterator[Product]:
    with outside() as (google, mail):
        more = {"allowed_origins": (SHOP,), "pages_url": "http://pages.example"}
        async with product(sqlite_url, google, mail, with_worker=False, **more) as found:
            await found.connect()
            await found.here.page()
            yield found


def question() -> bytes:
    today = str(datetime.now(UTC).date())
    window = {"page": {"slug": {"slug": "anna/intro"}}, "from": today, "to": today, "timeZone": "UTC"}
    return json.dumps({"query": QUESTION, "variables": {"input": window}}).encode()


def forget(running: Product) -> None:
    """Forget every kept answer, so that the next request is answered by the layers."""
    answers = cast(AnswerAgain, cast(WebProcess, running.app).entrance)._routes.kept_answers
    for kept in list(answers._answers):
        answers.drop(kept)


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """All of it but when it was worked out, and what is another with each request."""
    headers = sorted((k, v) for k, v in answer.headers.multi_items() if k not in ("date", "x-request-id"))
    body = answer.text
    if answer.status_code == 200 and '"computedAt"' in body:
        body = body.replace(answer.json()["data"]["availability"]["computedAt"], "")
    if '"requestId"' in body:
        body = body.replace(answer.headers["x-request-id"], "")
    return answer.status_code, answer.http_version, headers, body


def any_request(chance: random.Random, host: str) -> dict[str, Any]:
    """A plain question, or one that differs in a thing or two from what is answered without a look."""
    headers = [("Host", host), ("Content-Type", "application/json"), ("Accept", "*/*")]
    changes: list[Any] = [
        lambda: headers.append(("Origin", chance.choice((SHOP, ELSEWHERE, "null")))),
        lambda: headers.append(("Authorization", "Bearer wrong")),
        lambda: headers.append(("Authorization", "Basic eDp5")),
        lambda: headers.append(("Cookie", "meetings_session=old")),
        lambda: headers.append(("Cookie", "theme=dark")),
        lambda: headers.append(("Sec-Fetch-Site", "cross-site")),
        lambda: headers.append(("X-Request-Id", chance.choice(("a-good-one-1", "bad one", "x" * 300)))),
        lambda: headers.append(("Accept-Language", "de")),
        lambda: headers.append(("Accept", "multipart/mixed;subscriptionSpec=1.0")),
        lambda: headers.append(("Content-Encoding", "gzip")),
        lambda: headers.append(("Content-Type", "text/plain")),
        lambda: headers.__setitem__(0, ("Host", chance.choice(("evil.example", "pages.example", "", f"{host}:1")))),
        lambda: headers.__setitem__(1, ("Content-Type", chance.choice(("text/plain", "application/json;charset=x")))),
        lambda: headers.__setitem__(2, ("Accept", "application/graphql-response+json")),
        lambda: given.__setitem__("url", chance.choice(("/graphql/", "/graphql?x=1", "/graphql?query={__typename}"))),
        lambda: given.__setitem__("method", chance.choice(("GET", "PUT", "OPTIONS", "HEAD"))),
        lambda: given.__setitem__("content", chance.choice((b"", b"[]", question() + b" ", b" " * 70_000))),
    ]
    given: dict[str, Any] = {"method": "POST", "url": "/graphql", "headers": headers, "content": question()}
    for change in chance.sample(changes, chance.choice((0, 0, 1, 1, 1, 2))):
        change()
    return given


async def lines_of(caplog: pytest.LogCaptureFixture, requests: int) -> list[logging.LogRecord]:
    """The lines that so many requests left; each is written after its answer was sent."""

    def lines() -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.name == "meetings.http"]

    async def all_there() -> bool:
        return len(lines()) >= requests

    await until("a line for each request", all_there)
    assert len(lines()) == requests
    return lines()


async def test_nothing_the_layers_would_answer_otherwise_is_answered_before_them(
    running: Product, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="meetings.http")
    chance = random.Random(6)
    host = running.url.partition("://")[2]
    again = 0
    async with httpx.AsyncClient(base_url=running.url) as http:
        for _ in range(250):
            request = any_request(chance, host)
            caplog.clear()
            warm = [await http.request(**request) for _ in range(2)]
            forget(running)
            anew = await http.request(**request)
            assert told(warm[0]) == told(warm[1]) == told(anew), request
            again += warm[0].content == warm[1].content != anew.content
            lines = [vars(line) for line in await lines_of(caplog, 3)]
            assert len({(each["method"], each["path"], each["status"]) for each in lines}) == 1
            own = [value for name, value in request["headers"] if name == "X-Request-Id"]
            ids = [answer.headers["x-request-id"] for answer in (*warm, anew)]
            assert all(len(each) >= 8 for each in ids)
            assert set(ids) == {"a-good-one-1"} if own[:1] == ["a-good-one-1"] else len(set(ids)) == 3
    assert again > 60


async def test_a_question_under_the_name_for_pages_is_not_kept(
    running: Product,
) -> None:
    async with httpx.AsyncClient(base_url=running.url, headers={"Content-Type": "application/json"}) as http:
        for _ in range(2):
            assert (await http.post("/graphql", content=question())).status_code == 200
            page = await http.post("/graphql", content=question(), headers={"Host": "pages.example"})
            assert page.status_code == 200
            forget(running)
            assert told(page) == told(
                await http.post("/graphql", content=question(), headers={"Host": "pages.example"})
            )
            answers = cast(AnswerAgain, cast(WebProcess, running.app).entrance)._routes.kept_answers
            assert not [kept for kept in answers._answers if kept[0] == b"pages.example"]


async def test_the_rate_counts_for_the_address_that_a_trusted_proxy_names(sqlite_url: str) -> None:
    rates = {**NO_RATES, "availability": ("3/minute",)}
    with outside() as (google, mail):
        more = {"rates": rates, "trusted_proxies": ("127.0.0.1",)}
        async with product(sqlite_url, google, mail, with_worker=False, **more) as running:
            await running.here.page()
            async with httpx.AsyncClient(base_url=running.url, headers={"Content-Type": "application/json"}) as http:

                async def ask(address: str) -> bool:
                    answer = await http.post("/graphql", content=question(), headers={"X-Forwarded-For": address})
                    return "errors" not in answer.json()

                assert [await ask("192.0.2.1") for _ in range(5)] == [True] * 3 + [False] * 2
                assert [await ask("192.0.2.2") for _ in range(4)] == [True] * 3 + [False]
