"""What the endpoint takes, and from whom (GQ-5), and how it answers when something is wrong (GQ-4)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from meetings.graphql.options import ApiOptions
from tests.api.documents import BOOK, book
from tests.product import ApiClient, Product

MUTATION = 'mutation { createApiToken(name: "x", scopes: [READ]) { token errors { code } } }'
TOKENS = "{ viewer { apiTokens { name } } }"
JSON = {"Content-Type": "application/json"}


async def test_only_json_by_post_is_carried_out(host: ApiClient) -> None:
    """The shapes a foreign page can send without asking first, and some more."""
    body = b'{"query": "mutation { createApiToken(name: \\"x\\", scopes: [READ]) { token } }"}'
    form = {"query": MUTATION}
    boundary = "multipart/form-data; boundary=application/json"
    shapes: list[dict[str, Any]] = [
        {"method": "GET", "params": form},
        {"method": "GET", "params": {**form, "operationName": ""}, "headers": {"Accept": "text/html"}},
        {"method": "HEAD", "params": form},
        {"method": "POST", "params": form},
        {"method": "POST", "content": body, "headers": {"Content-Type": "text/plain"}},
        {"method": "POST", "content": body, "headers": {"Content-Type": "text/plain; application/json"}},
        {"method": "POST", "content": body, "headers": {"Content-Type": "text/plain;charset=application/json"}},
        {"method": "POST", "content": body, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"method": "POST", "data": form},
        {"method": "POST", "files": {"operations": (None, body), "map": (None, b"{}"), "0": b""}},
        {"method": "POST", "content": body, "headers": {"Content-Type": boundary}},
        {"method": "POST", "content": body},
        {"method": "POST", "content": body, "headers": {"Content-Type": "application/graphql"}},
        {"method": "POST", "content": MUTATION.encode(), "headers": {"Content-Type": "application/graphql"}},
        {"method": "PUT", "content": body, "headers": JSON},
        {"method": "DELETE", "content": body, "headers": JSON},
        {"method": "POST", "content": b"[" + body + b"]", "headers": JSON},
        {"method": "POST", "content": b"not json", "headers": JSON},
        {"method": "POST", "content": b"5", "headers": JSON},
        {"method": "POST", "content": b'{"query": 5}', "headers": JSON},
        {"method": "POST", "content": b'{"query": "{ server { version } }", "variables": []}', "headers": JSON},
        {"method": "POST", "content": b'{"query": "{ server { version } }", "operationName": 5}', "headers": JSON},
        {"method": "POST", "content": b"{}", "headers": JSON},
        {"method": "POST", "content": b'{"query": "' + b"x" * 70_000 + b'"}', "headers": JSON},
    ]
    for shape in shapes:
        answer = await host.http.request(url="/graphql", **shape)
        assert 400 <= answer.status_code < 500, shape
        if answer.headers.get("content-type") == "application/json" and answer.content and "errors" in answer.json():
            [error] = answer.json()["errors"]
            assert error["extensions"]["requestId"] == answer.headers["x-request-id"], shape
    assert (await host.ask(TOKENS))["viewer"]["apiTokens"] == []


async def test_a_cookie_counts_only_from_our_own_pages(served: Product, host: ApiClient) -> None:
    own, foreign = served.url, "https://evil.example"
    cases: list[tuple[dict[str, str], int]] = [
        ({}, 200),
        ({"Origin": own}, 200),
        ({"Origin": own, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": foreign}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": own + ".evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ]
    for headers, status in cases:
        answer = await host.http.post("/graphql", json={"query": MUTATION}, headers=headers)
        assert answer.status_code == status, headers
    made = (await host.ask(TOKENS))["viewer"]["apiTokens"]
    assert len(made) == sum(status == 200 for _, status in cases)


async def test_a_token_that_is_none_is_refused_and_a_cookie_that_is_none_is_not(served: Product) -> None:
    question = {"query": "{ viewer { role } server { version } }"}
    async with httpx.AsyncClient(base_url=served.url) as http:
        for header in ("Bearer nonsense", "Bearer mtg_nonsense", "Bearer", "Basic YTpi"):
            answer = await http.post("/graphql", json=question, headers={"Authorization": header})
            assert answer.status_code == 401
            assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        http.cookies.set("meetings_session", "nonsense")
        answer = await http.post("/graphql", json=question)
        assert answer.json()["data"]["viewer"] is None
        assert answer.json()["data"]["server"]["version"]


async def test_what_cannot_be_read_in_a_query_says_why(visitor: ApiClient) -> None:
    question = (
        'query($z: TimeZone!) { availability(input: {page: {slug: {slug: "a"}}, from: "2026-12-01", '
        'to: "2026-12-01", timeZone: $z}) { mode } }'
    )
    [error] = (await visitor.send(question, z="Mars/X")).json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["reason"]) == ("BAD_USER_INPUT", "TIMEZONE_INVALID")
    literal = question.replace("($z: TimeZone!)", "").replace("$z}", '"Mars/X"}')
    [error] = (await visitor.send(literal)).json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["reason"]) == ("BAD_USER_INPUT", "TIMEZONE_INVALID")
    [missing] = (await visitor.send(question)).json()["errors"]
    assert missing["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_subscription_comes_as_a_multipart_answer_too(served: Product, visitor: ApiClient) -> None:
    await served.here.page()
    subscription = """subscription { availabilityChanged(input: {
        page: {slug: {slug: "anna/intro"}}, from: "2026-12-01", to: "2026-12-01", timeZone: "UTC"
    }) { __typename } }"""
    headers = {"Accept": 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json'}
    async with visitor.http.stream("POST", "/graphql", json={"query": subscription}, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("multipart/mixed")
        assert '"AvailabilitySnapshot"' in await _first_part_with(answer.aiter_text(), "data")
    broken = {"query": "subscription { availabilityChanged {"}
    async with visitor.http.stream("POST", "/graphql", json=broken, headers=headers) as answer:
        assert '"GRAPHQL_PARSE_FAILED"' in await _first_part_with(answer.aiter_text(), "errors")


async def _first_part_with(chunks: AsyncIterator[str], word: str) -> str:
    seen = ""
    async with asyncio.timeout(10):
        async for chunk in chunks:
            seen += chunk
            if word in seen:
                return seen
    raise AssertionError(seen)


async def test_a_plain_query_is_never_answered_as_a_stream(visitor: ApiClient) -> None:
    """Clients that list `text/event-stream` for every operation get JSON all the same."""
    accept = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream"
    question = {"query": "{ server { version } }"}
    answer = await visitor.http.post("/graphql", json=question, headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["data"]["server"]["version"]


async def test_the_explorer_is_one_page_with_examples(visitor: ApiClient) -> None:
    answer = await visitor.http.get("/graphql", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "script-src" in answer.headers["content-security-policy"]
    assert "mutation Book" in answer.text
    assert "/*EXAMPLES*/" not in answer.text


def test_the_explorer_and_introspection_are_off_unless_switched_on() -> None:
    assert (ApiOptions().explorer, ApiOptions().introspection_for_anonymous) == (False, False)


async def test_what_nobody_expected_is_masked(served: Product, visitor: ApiClient) -> None:
    """The database loses a table; nothing of that is told."""
    await served.here.page()
    async with served.here.runtime.database.transaction() as connection:
        await connection.execute(text("ALTER TABLE pages RENAME TO gone"))
    answer = (await visitor.send(BOOK, input=book("2026-12-01T09:00:00Z"))).json()
    assert answer["data"] is None
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["requestId"]
    for secret in ("gone", "pages", "sqlite", "SELECT", "Traceback", "/"):
        assert secret.lower() not in error["message"].lower()


@pytest.mark.parametrize("path", ["/graphql/", "/graphql/x"])
async def test_other_paths_are_not_the_api(visitor: ApiClient, path: str) -> None:
    answer = await visitor.http.post(path, json={"query": "{ server { version } }"})
    assert answer.status_code in (307, 404, 405)
