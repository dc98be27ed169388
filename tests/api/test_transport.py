"""What every request passes: ids, masking, headers, sizes, hosts, proxies, other sites."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse

from meetings.application.links import Links
from meetings.infrastructure.http.hosts import KnownHost
from tests.databases import Simulators
from tests.product import ApiClient, Product, TopLevelErrors, product, served_alone

PAGE = '{ publicSchedulingPage(at: {slug: {slug: "anna/intro"}}) { headline } }'


# ---- request ids and masking --------------------------------------------------------------------------------------


async def test_a_request_keeps_the_id_it_came_with(visitor: ApiClient) -> None:
    answer = await visitor.http.get("/health/live", headers={"X-Request-Id": "from-the-proxy.1"})
    assert answer.headers["x-request-id"] == "from-the-proxy.1"


@pytest.mark.parametrize("given", ["", "short", "x" * 129, "with space 1", "new\tline12", "<script>alert", "a;b;c;d;e"])
async def test_an_id_that_looks_like_none_is_replaced(visitor: ApiClient, given: str) -> None:
    answer = await visitor.http.get("/health/live", headers={"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f]{24}", answer.headers["x-request-id"])


async def test_two_requests_have_two_ids(visitor: ApiClient) -> None:
    ids = {(await visitor.http.get("/health/live")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


async def test_a_graphql_error_names_the_same_id_as_the_header(visitor: ApiClient) -> None:
    answer = await visitor.http.post("/graphql", json={"query": "{ nothing }"}, headers={"X-Request-Id": "request-77"})
    assert answer.headers["x-request-id"] == "request-77"
    assert answer.json()["errors"][0]["extensions"]["requestId"] == "request-77"


async def test_a_mistake_of_ours_says_its_id_and_nothing_else(served: Product, visitor: ApiClient) -> None:
    await served.here.page()
    async with served.here.runtime.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE pages RENAME TO hidden_pages")
    with pytest.raises(TopLevelErrors) as masked:
        await visitor.ask(PAGE)
    assert masked.value.codes == ["INTERNAL_SERVER_ERROR"]
    plain = await visitor.http.get("/p/anna/intro", headers={"X-Request-Id": "request-78"})
    assert plain.status_code == 500
    assert "request-78" in plain.text
    for text in (json.dumps(masked.value.errors), plain.text):
        assert not re.search(r"(?i)pages|sqlite|select|traceback|\.py", text)


# ---- headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/health/live", "/schema.graphql", "/b/unknown", "/p/unknown", "/nothing/here"])
async def test_every_answer_carries_the_headers_that_protect_browsers(visitor: ApiClient, path: str) -> None:
    headers = (await visitor.http.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers
    assert "strict-transport-security" not in headers


async def test_browsers_are_kept_on_https_where_that_is_our_address(database_url: str, simulators: Simulators) -> None:
    async with served_alone(database_url, *simulators, public_url="https://meetings.example.com") as visitor:
        assert "strict-transport-security" in (await visitor.http.get("/health/live")).headers


async def test_there_is_no_page_that_describes_the_routes(visitor: ApiClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await visitor.http.get(path)).status_code == 404


# ---- sizes --------------------------------------------------------------------------------------------------------


async def test_a_large_request_is_refused(visitor: ApiClient) -> None:
    for path in ("/graphql", "/webhooks/google"):
        answer = await visitor.http.post(path, content=b"x" * 70_000, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413


async def test_a_large_request_that_does_not_say_how_large_is_refused(visitor: ApiClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 1_000

    answer = await visitor.http.post("/graphql", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


# ---- hosts (CD-3) -------------------------------------------------------------------------------------------------

OURS = ["meetings.example.com", "MEETINGS.example.com", "meetings.example.com:443"]
FOREIGN = [
    "evil.example",
    "meetings.example.com.evil.example",
    "evil.example:443",
    "meetings.example.com:80",
    "meetings.example.com:8443",
    "meetings.example.com:",
    "meetings.example.com:443:443",
    "meetings.example.com:0443x",
    "meetings.example.com.",
    ".meetings.example.com",
    "xmeetings.example.com",
    "meetings.example.co",
    "meetings.example.com@evil.example",
    "evil.example@meetings.example.com",
    "meetings.example.com/evil",
    "meetings.example.com#",
    "meetings.example.com?",
    "meetings.example.com\\evil.example",
    "meetings.example.com, evil.example",
    "meetings.example.com evil.example",
    "localhost",
    "127.0.0.1",
    "127.0.0.1:8000",
    "[::1]",
    "[::1]:443",
    "0.0.0.0",
    "*",
    "",
    "meetings%2eexample.com",
    "mеetings.example.com".encode().decode("latin-1"),
    "xn--metings-bva.example.com",
    "https://meetings.example.com",
    "meetings.example.com:99999999999",
    "meetings.example.com:-443",
    "meetings.example.com:٤٤٣".encode().decode("latin-1"),
]


@asynccontextmanager
async def known_host() -> AsyncIterator[httpx.AsyncClient]:
    """What stands behind the check of the host, without a server in between that has its own opinion."""
    app = FastAPI()
    links = Links("https://meetings.example.com", "https://meetings.example.com", [bytes(32)])
    app.add_middleware(KnownHost, links=links)

    @app.get("/{path:path}")
    async def anything(path: str) -> PlainTextResponse:
        return PlainTextResponse("content")

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://meetings.example.com") as client:
        yield client


@pytest.mark.parametrize("host", OURS)
async def test_our_own_name_is_answered(host: str) -> None:
    async with known_host() as client:
        assert (await client.get("/p/anna", headers={"Host": host})).text == "content"


@pytest.mark.parametrize("host", FOREIGN)
async def test_any_other_name_is_misdirected_and_sees_nothing(host: str) -> None:
    async with known_host() as client:
        answer = await client.get("/p/anna", headers=[(b"Host", host.encode("latin-1"))])
    assert (answer.status_code, answer.text) == (421, "")


async def test_two_names_at_once_are_misdirected() -> None:
    async with known_host() as client:
        both = [("Host", "meetings.example.com"), ("Host", "meetings.example.com")]
        assert (await client.get("/p/anna", headers=both)).status_code == 421


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host", "X-Forwarded-Server"])
async def test_a_forwarded_name_changes_nothing(name: str) -> None:
    async with known_host() as client:
        ours = await client.get("/p/anna", headers={name: "host=evil.example"})
        foreign = await client.get("/p/anna", headers={"Host": "evil.example", name: "meetings.example.com"})
    assert (ours.status_code, foreign.status_code) == (200, 421)


async def test_health_is_told_under_any_name() -> None:
    async with known_host() as client:
        assert (await client.get("/health/live", headers={"Host": "10.1.2.3:8000"})).status_code == 200


async def test_production_answers_under_its_own_name_alone(database_url: str, simulators: Simulators) -> None:
    production: dict[str, Any] = {"environment": "production", "public_url": "https://meetings.example.com"}
    async with served_alone(database_url, *simulators, **production) as somebody:
        assert (await somebody.http.get("/")).status_code == 421
        ours = await somebody.http.get("/", headers={"Host": "meetings.example.com"})
        assert ours.status_code == 200
        assert (await somebody.http.get("/health/live")).status_code == 200


# ---- proxies ------------------------------------------------------------------------------------------------------

SIGN_IN = 'mutation { signIn(email: "nobody@example.com", password: "wrong password") { errors { code } } }'
FEW = {"sign_in": ("3/minute",)}


async def tries_from(visitor: ApiClient, addresses: list[str]) -> list[str]:
    """What each try to sign in was told, when the proxy says it came from this address."""
    told = []
    for number, address in enumerate(addresses):
        document = SIGN_IN.replace("nobody@", f"nobody-{number}@")
        body = (
            await visitor.http.post("/graphql", json={"query": document}, headers={"X-Forwarded-For": address})
        ).json()
        errors = body.get("errors") or body["data"]["signIn"]["errors"]
        told.append(errors[0].get("code") or errors[0]["extensions"]["code"])
    return told


async def test_whoever_is_no_trusted_proxy_cannot_say_where_a_request_came_from(
    database_url: str, simulators: Simulators
) -> None:
    async with product(database_url, *simulators, rates=FEW) as running, running.visitor() as visitor:
        told = await tries_from(visitor, [f"198.51.100.{number}" for number in range(5)])
    assert told[-2:] == ["RATE_LIMITED", "RATE_LIMITED"]


async def test_a_trusted_proxy_tells_where_a_request_came_from(database_url: str, simulators: Simulators) -> None:
    trusting: dict[str, Any] = {"rates": FEW, "trusted_proxies": ("127.0.0.0/8",)}
    async with product(database_url, *simulators, **trusting) as running, running.visitor() as visitor:
        spread = await tries_from(visitor, [f"198.51.100.{number}" for number in range(5)])
        forged = await tries_from(visitor, [f"203.0.113.{number}, 192.0.2.9" for number in range(5)])
    assert "RATE_LIMITED" not in spread
    assert forged[-2:] == ["RATE_LIMITED", "RATE_LIMITED"]


# ---- other sites --------------------------------------------------------------------------------------------------


async def test_only_listed_sites_may_read_answers(database_url: str, simulators: Simulators) -> None:
    async with served_alone(database_url, *simulators, allowed_origins=("https://www.example.com",)) as visitor:
        ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        listed = await visitor.http.options("/graphql", headers={"Origin": "https://www.example.com", **ask})
        other = await visitor.http.options("/graphql", headers={"Origin": "https://evil.example", **ask})
    assert listed.headers["access-control-allow-origin"] == "https://www.example.com"
    assert listed.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in other.headers
