"""Domains of an account's own: S4 to S6, S43, S64 to S66, S68 to S72, A-DO2, CD-1 to CD-4."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import product as pairs
from typing import Any

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.sign_in import NewPerson, found_account
from meetings.application.web_domains import recheck_domains
from meetings.domain.plan import Hub, Tier
from meetings.domain.user import Role, User
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.demo.name_server import NameServer
from tests.api.domain_manager import (
    ADD,
    CHECK,
    CHOICES,
    CHOOSE,
    DOMAINS,
    INDEXING,
    PRIMARY,
    PUBLIC_AT,
    REMOVE,
    at_host,
    choices,
    claim,
    connect,
    host_of,
    tell,
    urls,
)
from tests.api.gates import codes, create, needed, plan
from tests.databases import BOTH_DATABASES
from tests.product import ApiClient, Product, product
from tests.world import HOST_EMAIL, PASSWORD, Clock

EVE_EMAIL = "eve@elsewhere.example"
BEN_EMAIL = "ben@example.com"
NAME = "yourcustomname.com"
SIGN_IN = f'mutation {{ signIn(email: "{HOST_EMAIL}", password: "{PASSWORD}") {{ token errors {{ code }} }} }}'


@pytest.fixture
async def named(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], dns: NameServer
) -> AsyncIterator[Product]:
    """A product that asks this DNS server, and nobody in it but those who call."""
    async with product(database_url, *simulators, dns_servers=dns.address, with_worker=False) as started:
        yield started


@pytest.fixture
async def anna(named: Product) -> AsyncIterator[ApiClient]:
    async with named.host() as client:
        yield client


@pytest.fixture
async def eve(named: Product) -> AsyncIterator[ApiClient]:
    """The owner of another account."""
    await other_account(named)
    async with named.visitor() as client:
        await client.sign_in(EVE_EMAIL)
        yield client


async def other_account(served: Product) -> User:
    here = served.here
    people: dict[str, Any] = {
        "identities": here.tools.identities,
        "passwords": here.tools.passwords,
        "clock": here.clock,
    }
    return await found_account("Elsewhere", NewPerson("Eve", EVE_EMAIL, PASSWORD), **people)


async def recheck(served: Product, clock: Clock) -> int:
    tools = served.here.tools
    return await recheck_domains(look=tools.look, begin=tools.begin, reads=tools.reads, dns=tools.dns, clock=clock)


async def seen_at(served: Product, name: str, path: str) -> int:
    """The status of a page asked for under a name."""
    async with at_host(served, name) as visitor:
        return (await visitor.http.get(path)).status_code


# ---- which hosts there are ------------------------------------------------------------------------------------------


async def test_s65_everybody_has_exactly_two_standard_hosts_and_can_have_pages_under_both(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]
) -> None:
    policy = {"all_features": False}
    async with product(database_url, *simulators, policy=policy, with_worker=False) as served, served.host() as anna:
        main, second = served.here.tools.links.standard_hosts
        await create(anna, "example")
        assert await choices(anna) == [(main, True, True), (second, True, False)]
        assert await urls(anna) == [f"http://{main}/meetings/example"]
        told = await tell(anna, CHOOSE, domain=second)
        assert [each["isDefault"] for each in told["domains"]] == [False, True]
        assert await urls(anna) == [f"http://{second}/example"]
        for path in ("/meetings/example", "/p/example"):
            assert (await served.visitor().http.get(path)).status_code == 200
        assert await seen_at(served, second.split(":")[0], "/example") == 200
        assert codes(await tell(anna, CHOOSE, domain="yourcustomname.com")) == ["PLAN_REQUIRED"]
        assert (await tell(anna, CHOOSE, domain=main))["errors"] == []
        assert await urls(anna) == [f"http://{main}/meetings/example"]


async def test_s64_and_s43_marketing_or_cms_from_starter_on_open_custom_domains_to_everybody_in_the_account(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], dns: NameServer
) -> None:
    """Every hub at every tier alone; Ben has no seat of anything."""
    more: dict[str, Any] = {"policy": {"all_features": False}, "dns_servers": dns.address, "with_worker": False}
    async with product(database_url, *simulators, **more) as served, AsyncExitStack() as stack:
        anna = await stack.enter_async_context(served.host())
        await served.here.add_colleague("Ben Beck", BEN_EMAIL)
        ben = await stack.enter_async_context(served.visitor())
        await ben.sign_in(BEN_EMAIL)
        await plan(served, (Hub.CMS, Tier.STARTER))
        await connect(anna, dns, NAME)
        for hub, tier in pairs(Hub, Tier):
            await plan(served, (hub, tier))
            chosen = await tell(ben, CHOOSE, domain=NAME)
            added = await tell(anna, ADD, host="second.example")
            if hub in (Hub.MARKETING, Hub.CMS) and tier is not Tier.FREE:
                assert (chosen["errors"], added["errors"]) == ([], []), (hub, tier)
            else:
                wanted = {
                    "code": "PLAN_REQUIRED",
                    "feature": "CUSTOM_DOMAIN",
                    "hubs": ["MARKETING", "CMS"],
                    "tier": "STARTER",
                    "needsSeat": False,
                }
                assert needed(chosen) == needed(added) == wanted, (hub, tier)


async def test_apl5_after_a_downgrade_a_custom_domain_stays_served_and_cannot_be_edited(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], dns: NameServer
) -> None:
    more: dict[str, Any] = {"policy": {"all_features": False}, "dns_servers": dns.address, "with_worker": False}
    async with product(database_url, *simulators, **more) as served, served.host() as anna:
        await plan(served, (Hub.MARKETING, Tier.STARTER))
        await create(anna, "example")
        domain = await connect(anna, dns, NAME)
        await tell(anna, CHOOSE, domain=NAME)
        await plan(served)
        assert await urls(anna) == [f"http://{host_of(served, NAME)}/meetings/example"]
        assert await seen_at(served, NAME, "/meetings/example") == 200
        assert (NAME, False, True) in await choices(anna)
        assert codes(await tell(anna, PRIMARY, id=domain["id"])) == ["PLAN_REQUIRED"]
        assert codes(await tell(anna, ADD, host="more.example")) == ["PLAN_REQUIRED"]
        assert (await tell(anna, CHECK, id=domain["id"]))["errors"] == []
        assert (await tell(anna, REMOVE, id=domain["id"]))["errors"] == []


# ---- one domain, from claim to removal ------------------------------------------------------------------------------


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_s66_s68_and_s69_a_domain_is_shown_to_be_ours_serves_pages_and_falls_back_when_removed(
    named: Product, anna: ApiClient, dns: NameServer
) -> None:
    """S6 as well: a page's address is under the domain that was chosen."""
    await create(anna, "example")
    main, second = named.here.tools.links.standard_hosts
    domain = await claim(anna, "YourCustomName.com.")
    assert (domain["host"], domain["state"], domain["connectedAt"]) == (NAME, "PENDING", None)
    assert domain["record"]["type"] == "TXT"
    assert domain["record"]["name"] == f"_meetings-verification.{NAME}"
    assert NAME not in [each for each, _, _ in await choices(anna)]
    assert codes(await tell(anna, CHOOSE, domain=NAME)) == ["DOMAIN_NOT_CONNECTED"]
    assert codes(await tell(anna, CHECK, id=domain["id"])) == ["DNS_NOT_READY"]
    dns.set(domain["record"]["name"], "something else", "meetings-verification=" + "0" * 64)
    assert codes(await tell(anna, CHECK, id=domain["id"])) == ["DNS_NOT_READY"]
    assert await seen_at(named, NAME, "/robots.txt") == 200  # at home an unknown name means the main one

    dns.set(domain["record"]["name"], "something else", domain["record"]["value"])
    connected = await tell(anna, CHECK, id=domain["id"])
    assert (connected["errors"], connected["domain"]["state"]) == ([], "CONNECTED")
    assert (NAME, False, False) in await choices(anna)
    chosen = await tell(anna, CHOOSE, domain=f" {NAME.upper()} ")
    assert [each["domain"] for each in chosen["domains"] if each["isDefault"]] == [NAME]
    [url] = await urls(anna)
    assert url == f"http://{host_of(named, NAME)}/meetings/example"
    assert await seen_at(named, NAME, "/meetings/example") == 200
    assert await seen_at(named, NAME, "/meetings/nothing") == 404
    assert (await named.visitor().http.get("/meetings/example")).status_code == 200
    assert (await named.visitor().ask(PUBLIC_AT, at={"url": url}))["publicSchedulingPage"]["url"] == url
    former = f"http://{main}/p/example"
    assert (await named.visitor().ask(PUBLIC_AT, at={"url": former}))["publicSchedulingPage"]["url"] == url

    assert (await tell(anna, REMOVE, id=domain["id"]))["removedId"] == domain["id"]
    assert await urls(anna) == [f"http://{main}/meetings/example"]
    assert await choices(anna) == [(main, True, True), (second, True, False)]
    assert (await named.visitor().ask(PUBLIC_AT, at={"url": url}))["publicSchedulingPage"] is None
    again = await claim(anna, NAME)
    assert again["record"]["value"] != domain["record"]["value"]
    assert codes(await tell(anna, CHECK, id=again["id"])) == ["DNS_NOT_READY"]


async def test_s70_the_line_against_indexing_is_told_always_and_served_where_the_owner_asks(
    named: Product, anna: ApiClient, dns: NameServer
) -> None:
    line = "Disallow: /meetings*"
    domain = await connect(anna, dns, NAME)
    assert (domain["robotsHint"], domain["indexingAllowed"]) == (line, True)
    assert {each["robotsHint"] for each in (await anna.ask(CHOICES))["viewer"]["meetingDomains"]} == {line}
    async with at_host(named, NAME) as visitor:
        assert line not in (await visitor.http.get("/robots.txt")).text
        await tell(anna, INDEXING, id=domain["id"], allowed=False)
        lines = (await visitor.http.get("/robots.txt")).text.splitlines()
        assert lines == ["User-agent: *", "Disallow: /b/", line]
        assert line not in (await named.visitor().http.get("/robots.txt")).text
        await tell(anna, INDEXING, id=domain["id"], allowed=True)
        assert line not in (await visitor.http.get("/robots.txt")).text


async def test_a_primary_domain_is_for_everybody_who_chose_none(
    named: Product, anna: ApiClient, dns: NameServer
) -> None:
    await create(anna, "example")
    waiting = await claim(anna, "waiting.example")
    assert codes(await tell(anna, PRIMARY, id=waiting["id"])) == ["DOMAIN_NOT_CONNECTED"]
    first, second = [await connect(anna, dns, name) for name in ("one.example", "two.example")]
    for domain in (first, second):
        assert (await tell(anna, PRIMARY, id=domain["id"]))["domain"]["isPrimary"] is True
    assert [each["isPrimary"] for each in (await anna.ask(DOMAINS))["viewer"]["domains"]] == [False, False, True]
    assert await urls(anna) == [f"http://{host_of(named, 'two.example')}/meetings/example"]
    await tell(anna, CHOOSE, domain="one.example")
    assert await urls(anna) == [f"http://{host_of(named, 'one.example')}/meetings/example"]


async def test_only_owners_and_admins_see_and_change_domains(named: Product, anna: ApiClient, dns: NameServer) -> None:
    domain = await connect(anna, dns, NAME)
    await named.here.add_colleague("Ben Beck", BEN_EMAIL)
    await named.here.add_colleague("Ada Admin", "ada@example.com", Role.ADMIN)
    async with named.visitor() as ben, named.visitor() as ada:
        await ben.sign_in(BEN_EMAIL)
        await ada.sign_in("ada@example.com")
        for document in (CHECK, PRIMARY, REMOVE):
            assert codes(await tell(ben, document, id=domain["id"])) == ["PERMISSION_MISSING"]
        assert codes(await tell(ben, INDEXING, id=domain["id"], allowed=False)) == ["PERMISSION_MISSING"]
        assert codes(await tell(ben, ADD, host="ben.example")) == ["PERMISSION_MISSING"]
        assert (await tell(ben, CHOOSE, domain=NAME))["errors"] == []
        assert (await tell(ada, ADD, host="ada.example"))["errors"] == []


@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        ("", "REQUIRED"),
        ("example", "NOT_A_DOMAIN"),
        ("10.1.2.3", "NOT_A_DOMAIN"),
        ("https://example.com", "NOT_A_DOMAIN"),
        ("example.com/x", "NOT_A_DOMAIN"),
        ("example.com:443", "NOT_A_DOMAIN"),
        ("-a.example.com", "NOT_A_DOMAIN"),
        ("a" * 64 + ".com", "NOT_A_DOMAIN"),
        ("*.example.com", "NOT_A_DOMAIN"),
        ("meet.localhost", "RESERVED"),
    ],
)
async def test_what_is_no_domain_of_ones_own_is_refused(named: Product, anna: ApiClient, typed: str, rule: str) -> None:
    [error] = (await tell(anna, ADD, host=typed))["errors"]
    assert (error["code"], error["rule"], error["path"]) == ("VALIDATION", rule, ["host"])


# ---- one slug over all domains --------------------------------------------------------------------------------------


async def test_s71_and_s72_a_slug_of_one_domain_is_taken_on_every_other(
    named: Product, anna: ApiClient, eve: ApiClient, dns: NameServer
) -> None:
    """The article's pair: `example` on the standard host, then on `yourcustomname.com`."""
    assert (await create(anna, "example"))["errors"] == []
    await connect(eve, dns, NAME)
    await tell(eve, CHOOSE, domain=NAME)
    refused = await create(eve, "example")
    assert codes(refused) == ["SLUG_TAKEN"]
    assert await seen_at(named, NAME, "/meetings/example") == 404
    assert (await create(eve, "example-two"))["errors"] == []
    assert codes(await create(anna, "Example-Two/")) == ["SLUG_TAKEN"]


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_s72_of_fifty_pages_created_at_once_with_one_slug_on_two_domains_one_wins(
    named: Product, anna: ApiClient, eve: ApiClient, dns: NameServer
) -> None:
    for client, name in ((anna, "one.example"), (eve, NAME)):
        await connect(client, dns, name)
        await tell(client, CHOOSE, domain=name)
    answers = await asyncio.gather(*(create([anna, eve][n % 2], "example") for n in range(50)))
    assert sorted(codes(answer) for answer in answers) == [[]] + [["SLUG_TAKEN"]] * 49
    served = [await seen_at(named, name, "/meetings/example") for name in ("one.example", NAME)]
    assert sorted(served) == [200, 404]


# ---- whose page under which name ------------------------------------------------------------------------------------


async def test_ado2_a_page_is_not_served_under_another_accounts_domain(
    named: Product, anna: ApiClient, eve: ApiClient, dns: NameServer
) -> None:
    await create(anna, "annas")
    await create(eve, "eves")
    await connect(eve, dns, NAME)
    assert [await seen_at(named, NAME, f"/meetings/{slug}") for slug in ("eves", "annas")] == [200, 404]
    for host, slug, there in (
        (host_of(named, NAME), "eves", True),
        (host_of(named, NAME), "annas", False),
        ("nobodys.example", "eves", False),
        (named.here.tools.links.standard_hosts[1], "annas", True),
    ):
        at = {"slug": {"slug": slug, "host": host}}
        assert bool((await named.visitor().ask(PUBLIC_AT, at=at))["publicSchedulingPage"]) is there, (host, slug)
    async with at_host(named, NAME) as visitor:
        assert (await visitor.ask(PUBLIC_AT, at={"slug": {"slug": "eves"}}))["publicSchedulingPage"]
        assert (await visitor.ask(PUBLIC_AT, at={"slug": {"slug": "annas"}}))["publicSchedulingPage"] is None


async def test_cd4_nobody_is_signed_in_under_a_custom_domain(named: Product, anna: ApiClient, dns: NameServer) -> None:
    await connect(anna, dns, NAME)
    session = dict(anna.http.cookies)
    [(cookie, token)] = session.items()
    headers = {"Host": host_of(named, NAME), "Cookie": f"{cookie}={token}"}
    async with ApiClient(named.url, headers=headers) as here:
        assert (await here.ask("{ viewer { role } }"))["viewer"] is None
        answer = await here.send(SIGN_IN)
        assert answer.json()["data"]["signIn"] == {"token": None, "errors": [{"code": "PERMISSION_MISSING"}]}
        assert "set-cookie" not in answer.headers
    async with ApiClient(named.url, token=token, headers={"Host": host_of(named, NAME)}) as here:
        assert (await here.ask("{ viewer { role } }"))["viewer"] is None
    main = await named.visitor().send(SIGN_IN)
    assert "domain=" not in main.headers["set-cookie"].lower()


async def test_under_a_custom_domain_there_is_only_what_visitors_need(
    named: Product, anna: ApiClient, dns: NameServer
) -> None:
    await connect(anna, dns, NAME)
    for path in ("/", "/p/x", "/oauth/google/callback", "/webhooks/google", "/settings", "/example"):
        assert await seen_at(named, NAME, path) == 404


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_cd3_in_production_only_known_names_are_answered(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], dns: NameServer
) -> None:
    own = "https://meetings.example.com"
    more: dict[str, Any] = {"environment": "production", "public_url": own, "dns_servers": dns.address}
    async with product(database_url, *simulators, with_worker=False, **more) as served:
        address = served.url
        async with ApiClient(address, headers={"Host": "meetings.example.com"}) as anna:
            answer = await anna.send(SIGN_IN)
            anna.http.headers["Authorization"] = f"Bearer {answer.json()['data']['signIn']['token']}"
            anna.http.cookies.clear()
            await create(anna, "example")
            domain = await connect(anna, dns, NAME)
            for host, path, status in (
                (NAME, "/meetings/example", 200),
                (f"{NAME}:443", "/meetings/example", 200),
                (NAME.upper(), "/meetings/example", 200),
                (f"{NAME}:8443", "/meetings/example", 421),
                (f"{NAME}.", "/meetings/example", 421),
                (f"www.{NAME}", "/meetings/example", 421),
                (f"{NAME}.evil.example", "/meetings/example", 421),
                ("evil.example", "/", 421),
                ("meet.meetings.example.com", "/example", 200),
                ("meet.meetings.example.com", "/meetings/example", 200),
                ("10.1.2.3", "/", 421),
            ):
                async with ApiClient(address, headers={"Host": host, "X-Forwarded-Host": NAME}) as visitor:
                    found = await visitor.http.get(path)
                assert found.status_code == status, host
                assert status == 200 or found.content == b""
            asked = {
                name: (
                    await anna.http.get("/tls/ask", params={"domain": name}, headers={"Host": "web:8000"})
                ).status_code
                for name in (NAME, "meetings.example.com", "meet.meetings.example.com", "evil.example", "", "web")
            }
            assert [name for name, status in asked.items() if status == 200] == list(asked)[:3]
            assert set(asked.values()) == {200, 404}
            await tell(anna, REMOVE, id=domain["id"])
            async with ApiClient(address, headers={"Host": NAME}) as visitor:
                assert (await visitor.http.get("/meetings/example")).status_code == 421
            assert (await anna.http.get("/tls/ask", params={"domain": NAME})).status_code == 404


# ---- taking domains over --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_cd1_and_cd2_nothing_is_taken_over_in_fifteen_steps(
    named: Product, anna: ApiClient, eve: ApiClient, dns: NameServer
) -> None:
    """Anna owns the domain; Eve tries whatever does not take control of its DNS."""
    clock = Clock(named.here.clock())
    await create(eve, "eves")

    async def eve_is_served() -> bool:
        return await seen_at(named, NAME, "/meetings/eves") == 200 and any(
            each["state"] != "PENDING" for each in (await eve.ask(DOMAINS))["viewer"]["domains"]
        )

    # 1 Eve claims first, and cannot show control.
    eves = await claim(eve, NAME)
    assert codes(await tell(eve, CHECK, id=eves["id"])) == ["DNS_NOT_READY"]
    # 2 Her claim does not keep Anna from making one, with another value.
    annas = await claim(anna, NAME)
    assert len({eves["record"]["value"], annas["record"]["value"]}) == 2
    assert len(annas["record"]["value"].partition("=")[2]) * 4 >= 128
    # 3 Eve's domain of her own says what Anna's should.
    dns.set("_meetings-verification.eves.example", annas["record"]["value"])
    assert codes(await tell(eve, CHECK, id=eves["id"])) == ["DNS_NOT_READY"]
    # 4 The record stands at the name itself and at a longer one, not where it belongs.
    dns.set(NAME, eves["record"]["value"])
    dns.set(f"x._meetings-verification.{NAME}", eves["record"]["value"])
    assert codes(await tell(eve, CHECK, id=eves["id"])) == ["DNS_NOT_READY"]
    # 5 Anna shows control, with Eve's claim still waiting: the true owner wins.
    dns.set(annas["record"]["name"], annas["record"]["value"])
    assert (await tell(anna, CHECK, id=annas["id"]))["domain"]["state"] == "CONNECTED"
    # 6 Anna's record does nothing for Eve.
    assert codes(await tell(eve, CHECK, id=eves["id"])) == ["DNS_NOT_READY"]
    # 7 Nor does Anna's id in Eve's hands.
    for document in (CHECK, PRIMARY, REMOVE):
        assert codes(await tell(eve, document, id=annas["id"])) == ["NOT_FOUND"]
    # 8 A new claim, once it is Anna's, is refused, in any spelling.
    assert (await tell(eve, REMOVE, id=eves["id"]))["errors"] == []
    for typed in (NAME, NAME.upper(), f"{NAME}.", f" {NAME} "):
        assert codes(await tell(eve, ADD, host=typed)) == ["DOMAIN_TAKEN"]
    # 9 A DNS that says nothing, for as long as it likes, takes nothing away.
    dns.failing = True
    for _ in range(5):
        clock.passes(hours=25)
        assert await recheck(named, clock) == 0
    dns.failing = False
    assert await seen_at(named, NAME, "/robots.txt") == 200
    # 10 A record that is gone for less than 72 hours neither.
    dns.set(annas["record"]["name"], "another text")
    clock.passes(hours=25)
    assert await recheck(named, clock) == 1
    [claimed] = (await anna.ask(DOMAINS))["viewer"]["domains"]
    assert claimed["state"] == "ENDANGERED"
    assert codes(await tell(eve, ADD, host=NAME)) == ["DOMAIN_TAKEN"]
    # 11 Coming back, it counts from the beginning.
    dns.set(annas["record"]["name"], annas["record"]["value"])
    clock.passes(hours=25)
    assert await recheck(named, clock) == 1
    assert [each["state"] for each in (await anna.ask(DOMAINS))["viewer"]["domains"]] == ["CONNECTED"]
    # 12 Gone for 72 hours the domain is off, for everybody.
    dns.clear(annas["record"]["name"])
    for _ in range(4):
        clock.passes(hours=25)
        await recheck(named, clock)
    assert [each["state"] for each in (await anna.ask(DOMAINS))["viewer"]["domains"]] == ["PENDING"]
    assert not await eve_is_served()
    # 13 Whoever claims it then needs a value of their own; the old ones of both are worth nothing.
    eves_second = await claim(eve, NAME)
    dns.set(annas["record"]["name"], eves["record"]["value"], annas["record"]["value"])
    assert codes(await tell(eve, CHECK, id=eves_second["id"])) == ["DNS_NOT_READY"]
    # 14 Nor do they bring Anna back: she has got a new one as well.
    assert codes(await tell(anna, CHECK, id=annas["id"])) == ["DNS_NOT_READY"]
    renewed = await claim(anna, NAME)
    assert renewed["id"] == annas["id"]
    # 15 Both values at once, Anna's lookup first: hers it is, and Eve is told so.
    dns.set(annas["record"]["name"], renewed["record"]["value"], eves_second["record"]["value"])
    assert (await tell(anna, CHECK, id=annas["id"]))["domain"]["state"] == "CONNECTED"
    assert codes(await tell(eve, CHECK, id=eves_second["id"])) == ["DOMAIN_TAKEN"]
    assert not await eve_is_served()


async def test_cd2_domains_are_looked_at_once_a_day(named: Product, anna: ApiClient, dns: NameServer) -> None:
    await connect(anna, dns, NAME)
    await claim(anna, "waiting.example")
    clock = Clock(named.here.clock())
    dns.asked.clear()
    assert await recheck(named, clock) == 0
    clock.now += timedelta(hours=24, seconds=1)
    assert (await recheck(named, clock), await recheck(named, clock)) == (1, 0)
    assert dns.asked == [f"_meetings-verification.{NAME}"]


async def test_a_dns_that_does_not_answer_is_told_apart_from_a_missing_record(
    named: Product, anna: ApiClient, dns: NameServer
) -> None:
    domain = await claim(anna, NAME)
    dns.failing = True
    assert codes(await tell(anna, CHECK, id=domain["id"])) == ["PROVIDER_UNAVAILABLE"]
