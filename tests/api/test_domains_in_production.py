"""Custom domains as they are in production: over HTTPS, with no other name answered; what becomes of a lost one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.web_domains import recheck_domains
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.demo.name_server import NameServer
from tests.api.documents import REQUEST, at, page, request
from tests.api.domain_manager import CHOOSE, DOMAINS, PRIMARY, choices, connect, tell, urls
from tests.api.gates import codes, create
from tests.api.test_domains import SIGN_IN, other_account
from tests.databases import BOTH_DATABASES
from tests.product import ApiClient, Product, product
from tests.world import Clock

MAIN = "meetings.example.com"
NAME = "yourcustomname.com"
COOKIE = "__Host-meetings_visitor"
PREFILL = "query($at: PageAddress!) { publicSchedulingPage(at: $at) { prefill { key values } } }"


@pytest.fixture
def names() -> Any:
    with NameServer().serve() as server:
        yield server


@pytest.fixture
async def served(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], names: NameServer
) -> AsyncIterator[Product]:
    more: dict[str, Any] = {"environment": "production", "public_url": f"https://{MAIN}", "dns_servers": names.address}
    async with product(database_url, *simulators, with_worker=False, **more) as started:
        yield started


@pytest.fixture
async def host(served: Product) -> AsyncIterator[ApiClient]:
    """Anna, signed in at the main name."""
    async with served.visitor(Host=MAIN) as client:
        token = (await client.ask(SIGN_IN))["signIn"]["token"]
        client.http.headers["Authorization"] = f"Bearer {token}"
        client.http.cookies.clear()
        yield client


async def status_at(served: Product, name: str, path: str) -> int:
    async with served.visitor(Host=name) as visitor:
        return (await visitor.http.get(path)).status_code


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_s69_pages_of_a_lost_domain_are_at_a_standard_host_and_nothing_is_left_under_it(
    served: Product, host: ApiClient, names: NameServer
) -> None:
    tools, clock = served.here.tools, Clock(served.here.clock())

    async def days_pass(days: int) -> None:
        for _ in range(days):
            clock.passes(hours=25)
            await recheck_domains(look=tools.look, begin=tools.begin, reads=tools.reads, dns=tools.dns, clock=clock)

    await create(host, "example")
    domain = await connect(host, names, NAME)
    await tell(host, PRIMARY, id=domain["id"])
    await tell(host, CHOOSE, domain=NAME)
    assert await urls(host) == [f"https://{NAME}/meetings/example"]
    names.clear(domain["record"]["name"])
    await days_pass(2)
    assert await urls(host) == [f"https://{NAME}/meetings/example"], "two days without the record change nothing"
    assert await status_at(served, NAME, "/meetings/example") == 200
    await days_pass(3)
    assert [(each["state"], each["isPrimary"]) for each in (await host.ask(DOMAINS))["viewer"]["domains"]] == [
        ("PENDING", False)
    ]
    assert await urls(host) == [f"https://{MAIN}/meetings/example"]
    assert [name for name, _, chosen in await choices(host) if chosen] == [MAIN]
    assert await status_at(served, MAIN, "/meetings/example") == 200
    for path in ("/meetings/example", "/robots.txt", "/"):
        assert await status_at(served, NAME, path) == 421
    assert await status_at(served, "web:8000", f"/tls/ask?domain={NAME}") == 404


async def test_s67_over_https_the_visitors_cookie_is_of_this_very_host_alone(
    served: Product, host: ApiClient, names: NameServer
) -> None:
    await served.here.page()
    await connect(host, names, NAME)
    async with served.visitor(Host=NAME) as visitor:
        answer = await visitor.send(REQUEST, input=request(at("10:00")))
        assert answer.json()["data"]["requestMeeting"]["errors"] == []
        [header] = answer.headers.get_list("set-cookie")
    cookie, *attributes = [part.strip() for part in header.split(";")]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= {each.lower() for each in attributes}
    assert not any(each.lower().startswith("domain") for each in attributes)
    for name, known in ((NAME, True), (MAIN, False), (f"meet.{MAIN}", False)):
        async with served.visitor(Host=name, Cookie=cookie) as there:
            filled = (await there.ask(PREFILL, at=page()))["publicSchedulingPage"]["prefill"]
        assert bool(filled) is known, name
    async with served.visitor(Host=NAME, Cookie=cookie.removeprefix("__Host-")) as neighbour:
        assert (await neighbour.ask(PREFILL, at=page()))["publicSchedulingPage"]["prefill"] == []


async def test_ado2_nothing_is_asked_for_or_booked_on_a_page_of_another_account_or_an_unknown_name(
    served: Product, host: ApiClient, names: NameServer
) -> None:
    eve = await other_account(served)
    await served.here.page()
    await served.here.page("eve/intro", owner=eve)
    await connect(host, names, NAME)

    async def refusal(name: str, **where: Any) -> list[str]:
        async with served.visitor(Host=name) as visitor:
            told = await tell(visitor, REQUEST, input=request(at("10:00"), page=where))
            return codes(told)

    own, other = {"slug": "anna/intro"}, {"slug": "eve/intro"}
    for name, where, expected in (
        (NAME, {"slug": own}, []),
        (NAME, {"slug": other}, ["PAGE_NOT_FOUND"]),
        (MAIN, {"slug": {**other, "host": NAME}}, ["PAGE_NOT_FOUND"]),
        (MAIN, {"url": f"https://{NAME}/meetings/eve/intro"}, ["PAGE_NOT_FOUND"]),
        (MAIN, {"slug": {**own, "host": "unknown.example"}}, ["PAGE_NOT_FOUND"]),
        (MAIN, {"url": "https://unknown.example/meetings/anna/intro"}, ["PAGE_NOT_FOUND"]),
        (MAIN, {"slug": other}, []),
    ):
        assert await refusal(name, **where) == expected, (name, where)
