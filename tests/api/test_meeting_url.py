"""The address of one's pages: S42, S45, S46, S49, S50, S71, S72, A-DO1, and what stays after a downgrade (A-PL5)."""

import asyncio
from collections.abc import AsyncIterator
from itertools import product as pairs
from typing import Any

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.sign_in import NewPerson, found_account
from meetings.domain.plan import Hub, Tier
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.documents import UPDATE_PAGE
from tests.api.gates import (
    FEATURES,
    REVOKE,
    SEAT_GATE,
    SET_DEFAULT,
    SET_URL,
    codes,
    create,
    gated,
    id_of,
    needed,
    new_page,
    plan,
    seat,
)
from tests.databases import BOTH_DATABASES
from tests.product import ApiClient, Product
from tests.world import PASSWORD

PUBLIC = "query($slug: String!) { publicSchedulingPage(at: { slug: { slug: $slug } }) { url headline } }"
BEN_EMAIL = "ben@example.com"
EVE_EMAIL = "eve@elsewhere.example"


@pytest.fixture
async def strict(database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]) -> AsyncIterator[Product]:
    """A product in which plans and seats count."""
    async with gated(database_url, *simulators) as started:
        yield started


@pytest.fixture
async def anna(strict: Product) -> AsyncIterator[ApiClient]:
    async with strict.host() as client:
        yield client


async def set_url(host: ApiClient, url: str) -> dict[str, Any]:
    told: dict[str, Any] = (await host.ask(SET_URL, url=url))["updateMeetingUrl"]
    return told


# ---- who may --------------------------------------------------------------------------------------------------------


async def test_s42_a_seat_and_a_connected_calendar_let_somebody_change_their_url(
    strict: Product, anna: ApiClient
) -> None:
    await plan(strict, (Hub.SALES, Tier.STARTER))
    refused = await set_url(anna, "anna")
    assert needed(refused) == {
        "code": "SEAT_REQUIRED",
        "feature": "EDIT_MEETING_URL",
        "hubs": ["SALES"],
        "tier": None,
        "needsSeat": True,
    }
    await seat(anna, Hub.SALES, strict.here.anna)
    assert codes(await set_url(anna, "anna")) == ["NOT_CONNECTED"]
    await strict.connect()
    assert await set_url(anna, "anna") == {"meetingUrl": "anna", "errors": []}
    assert (await anna.ask(FEATURES))["viewer"]["meetingUrl"] == "anna"


async def test_s45_only_sales_and_service_from_starter_on_open_url_and_default_link(
    strict: Product, anna: ApiClient
) -> None:
    """Every hub at every tier alone; the person has a seat wherever there are seats."""
    page = (await create(anna, "anna/intro"))["page"]["id"]
    await strict.connect()
    for hub in (Hub.SALES, Hub.SERVICE):
        await plan(strict, (hub, Tier.STARTER))
        await seat(anna, hub, strict.here.anna)
    for hub, tier in pairs(Hub, Tier):
        await plan(strict, (hub, tier))
        of_url = await set_url(anna, "anna")
        of_default = (await anna.ask(SET_DEFAULT, id=page))["setDefaultSchedulingPage"]
        if hub in (Hub.SALES, Hub.SERVICE) and tier is not Tier.FREE:
            assert (of_url["errors"], of_default["errors"]) == ([], []), (hub, tier)
        else:
            plan_needed = {"code": "PLAN_REQUIRED", **SEAT_GATE}
            assert needed(of_url) == {**plan_needed, "feature": "EDIT_MEETING_URL"}, (hub, tier)
            assert needed(of_default) == {**plan_needed, "feature": "CHOOSE_DEFAULT_LINK"}, (hub, tier)


async def test_the_words_of_a_refusal_name_what_would_help(strict: Product, anna: ApiClient) -> None:
    (error,) = (await set_url(anna, "anna"))["errors"]
    assert "Sales, Service" in error["message"]
    assert "Starter" in error["message"]


# ---- what it does ---------------------------------------------------------------------------------------------------


async def test_s46_and_s50_a_new_url_is_for_pages_created_afterwards_and_old_ones_stay(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await served.connect()
    await set_url(host, "old")
    first = (await create(host))["page"]
    second = (await create(host, name="Über uns & mehr"))["page"]
    assert (first["slug"], second["slug"]) == ("old", "old/uber-uns-mehr")
    assert await set_url(host, "new") == {"meetingUrl": "new", "errors": []}
    third = (await create(host))["page"]
    fourth = (await create(host, name="Intro"))["page"]
    assert (third["slug"], fourth["slug"]) == ("new", "new/intro")
    assert fourth["url"].endswith("/new/intro")
    for page in (first, second, third, fourth):
        found = (await visitor.ask(PUBLIC, slug=page["slug"]))["publicSchedulingPage"]
        assert found["url"] == page["url"]
    assert (await visitor.http.get("/p/old")).status_code == 200


async def test_who_never_chose_a_url_gets_one_from_their_name(served: Product, host: ApiClient) -> None:
    assert (await create(host))["page"]["slug"] == "anna-albers"
    assert (await create(host))["page"]["slug"] == "anna-albers/intro"
    assert (await create(host))["page"]["slug"] == "anna-albers/intro-2"
    assert (await host.ask(FEATURES))["viewer"]["meetingUrl"] == "anna-albers"


async def test_two_people_of_one_name_get_two_urls(served: Product, host: ApiClient) -> None:
    await served.here.add_colleague("Anna Albers", BEN_EMAIL)
    async with served.visitor() as ben:
        await ben.sign_in(BEN_EMAIL)
        assert [(await create(each))["page"]["slug"] for each in (host, ben)] == ["anna-albers", "anna-albers-2"]


@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        ("", "REQUIRED"),
        ("   ", "REQUIRED"),
        ("/", "REQUIRED"),
        ("anna host", "MALFORMED"),
        ("anna/intro", "MALFORMED"),
        ("anna?x", "MALFORMED"),
        ("anna#x", "MALFORMED"),
        ("änna", "MALFORMED"),
        ("graphql", "RESERVED"),
        ("Chat.js", "RESERVED"),
        ("a" * 61, "TOO_LONG"),
    ],
)
async def test_s49_what_cannot_be_part_of_an_address_is_refused(
    served: Product, host: ApiClient, typed: str, rule: str
) -> None:
    await served.connect()
    refused = await set_url(host, typed)
    (error,) = refused["errors"]
    assert (error["code"], error["rule"], error["path"]) == ("SLUG_INVALID", rule, ["meetingUrl"])
    assert (await host.ask(FEATURES))["viewer"]["meetingUrl"] is None


async def test_s49_what_somebody_else_has_is_taken(served: Product, host: ApiClient) -> None:
    await served.connect()
    await served.here.add_colleague("Ben Beck", BEN_EMAIL)
    async with served.visitor() as ben:
        await ben.sign_in(BEN_EMAIL)
        await create(ben)
        await create(ben, "advice")
        assert codes(await set_url(host, "/Ben-Beck/")) == ["SLUG_TAKEN"]
        assert codes(await set_url(host, "advice")) == ["SLUG_TAKEN"]
        await create(host, "mine")
        assert await set_url(host, "Mine/") == {"meetingUrl": "mine", "errors": []}
        assert codes(await create(ben, "mine")) == ["SLUG_TAKEN"]
        await set_url(host, "reserved-for-anna")
        assert codes(await create(ben, "reserved-for-anna")) == ["SLUG_TAKEN"]


# ---- one address, one page ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["example", "Example", "/example/", " EXAMPLE "])
async def test_s71_and_s72_a_slug_is_taken_whatever_account_has_it_and_however_it_is_typed(
    served: Product, host: ApiClient, typed: str
) -> None:
    here = served.here
    await found_account(
        "Elsewhere",
        NewPerson("Eve", EVE_EMAIL, PASSWORD),
        identities=here.tools.identities,
        passwords=here.tools.passwords,
        clock=here.clock,
    )
    assert (await create(host, "example"))["errors"] == []
    async with served.visitor() as eve:
        await eve.sign_in(EVE_EMAIL)
        (error,) = (await create(eve, typed))["errors"]
        assert (error["code"], error["path"]) == ("SLUG_TAKEN", ["input", "slug"])
        other = (await create(eve, "other"))["page"]["id"]
        renamed = (await eve.ask(UPDATE_PAGE, id=other, input={"slug": typed}))["updateSchedulingPage"]
        assert codes(renamed) == ["SLUG_TAKEN"]


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_s72_of_fifty_pages_created_at_once_with_one_slug_one_wins(served: Product, host: ApiClient) -> None:
    answers = await asyncio.gather(*(create(host, ["example", "Example", "/example/"][n % 3]) for n in range(50)))
    won = [answer["page"]["slug"] for answer in answers if answer["page"]]
    lost = [codes(answer) for answer in answers if not answer["page"]]
    assert won == ["example"]
    assert lost == [["SLUG_TAKEN"]] * 49


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_of_people_who_choose_one_url_at_once_one_wins(served: Product, host: ApiClient) -> None:
    await served.connect()
    colleagues = [f"c{number}@example.com" for number in range(4)]
    for email in colleagues:
        user = await served.here.add_colleague("Somebody", email)
        served.google.add_account(email, "Somebody", time_zone="Europe/Berlin")
        await served.here.connect(email=email, user=user)
    clients = [served.visitor() for _ in colleagues]
    for client, email in zip(clients, colleagues, strict=True):
        await client.sign_in(email)
    answers = await asyncio.gather(*(set_url(client, "team") for client in [host, *clients]))
    for client in clients:
        await client.http.aclose()
    assert sorted(bool(answer["errors"]) for answer in answers) == [False, True, True, True, True]
    assert {code for answer in answers for code in codes(answer)} == {"SLUG_TAKEN"}


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_pages_created_at_once_without_a_slug_all_get_one(served: Product, host: ApiClient) -> None:
    answers = await asyncio.gather(*(create(host) for _ in range(4)))
    slugs = sorted(answer["page"]["slug"] for answer in answers)
    assert slugs[0] == "anna-albers"
    assert len(set(slugs)) == 4
    assert all(slug.startswith("anna-albers/intro") for slug in slugs[1:])


async def test_ado1_a_slug_of_two_parts_resolves_whole_and_its_parts_do_not(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    page = (await create(host, "team/page"))["page"]
    assert page["url"].endswith("/team/page")
    for address in ("team/page", "/Team/Page/", "team%2Fpage", "team%2fpage"):
        assert (await visitor.ask(PUBLIC, slug=address))["publicSchedulingPage"]["url"] == page["url"]
    by_url = "query($url: URL!) { publicSchedulingPage(at: { url: $url }) { url } }"
    encoded = page["url"].replace("team/page", "team%2Fpage")
    for url in (page["url"], encoded):
        assert (await visitor.ask(by_url, url=url))["publicSchedulingPage"]["url"] == page["url"]
        assert (await visitor.http.get(url)).status_code == 200
    for part in ("page", "team", "team/page/more", "team%252Fpage"):
        assert (await visitor.ask(PUBLIC, slug=part))["publicSchedulingPage"] is None


# ---- plans of pages -------------------------------------------------------------------------------------------------


async def test_asp20_one_page_is_free_and_a_paid_hub_allows_more(strict: Product, anna: ApiClient) -> None:
    assert (await create(anna))["errors"] == []
    refused = await create(anna)
    assert needed(refused) == {
        "code": "PAGE_LIMIT_REACHED",
        "feature": "MANY_PAGES",
        "hubs": ["MARKETING", "SALES", "SERVICE", "CMS"],
        "tier": "STARTER",
        "needsSeat": False,
    }
    assert refused["errors"][0]["limit"] == 1
    await plan(strict, (Hub.CMS, Tier.STARTER))
    assert (await create(anna))["errors"] == []


async def test_apl1_and_asp18_a_team_page_takes_a_plan_and_its_hosts_seats(strict: Product, anna: ApiClient) -> None:
    ben = await strict.here.add_colleague("Ben Beck", BEN_EMAIL)
    hosts = [{"userId": id_of(user)} for user in (strict.here.anna, ben)]
    team: dict[str, Any] = {"type": "ROUND_ROBIN", "hosts": hosts}
    assert needed(await create(anna, "team", **team)) == {
        "code": "PLAN_REQUIRED",
        "feature": "TEAM_PAGES",
        "hubs": ["SALES", "SERVICE"],
        "tier": "STARTER",
        "needsSeat": False,
    }
    await plan(strict, (Hub.SERVICE, Tier.STARTER))
    await seat(anna, Hub.SERVICE, strict.here.anna)
    (error,) = (await create(anna, "team", **team))["errors"]
    assert (error["code"], error["hubs"], error["path"]) == (
        "SEAT_REQUIRED",
        ["SERVICE"],
        ["input", "hosts", "1", "userId"],
    )
    await seat(anna, Hub.SERVICE, ben)
    assert "SEAT_REQUIRED" not in codes(await create(anna, "team", **team))


@pytest.mark.parametrize("hub", [Hub.SALES, Hub.SERVICE])
async def test_apl3_hosts_take_different_shares_from_professional_on_and_with_a_seat(
    strict: Product, anna: ApiClient, hub: Hub
) -> None:
    """Equal shares, whatever number says so, are no rotation."""
    ben = await strict.here.add_colleague("Ben Beck", BEN_EMAIL)

    async def refusal(*weights: int, type: str = "ROUND_ROBIN") -> dict[str, Any]:
        hosts = [
            {"userId": id_of(user), "weight": weight}
            for user, weight in zip((strict.here.anna, ben), weights, strict=True)
        ]
        (error,) = (await create(anna, "team", type=type, hosts=hosts))["errors"]
        return {name: error.get(name) for name in ("code", "feature", "hubs", "tier", "needsSeat")}

    rotation = {"feature": "ROTATIONS", "hubs": ["SALES", "SERVICE"], "tier": "PROFESSIONAL", "needsSeat": True}
    await plan(strict, (hub, Tier.STARTER), (Hub.MARKETING, Tier.ENTERPRISE))
    await seat(anna, hub, strict.here.anna, ben)
    assert await refusal(75, 25) == {"code": "PLAN_REQUIRED", **rotation}
    for weights, type in (((75, 75), "ROUND_ROBIN"), ((75, 25), "GROUP")):
        assert (await refusal(*weights, type=type))["feature"] != "ROTATIONS"
    await plan(strict, (hub, Tier.PROFESSIONAL))
    assert (await refusal(75, 25))["feature"] != "ROTATIONS"
    other = Hub.SERVICE if hub is Hub.SALES else Hub.SALES
    await plan(strict, (other, Tier.PROFESSIONAL), (hub, Tier.STARTER))
    assert await refusal(75, 25) == {
        "code": "SEAT_REQUIRED",
        "feature": "ROTATIONS",
        "hubs": [other.value],
        "tier": None,
        "needsSeat": True,
    }


async def test_apl5_after_a_downgrade_everything_is_served_and_gated_edits_are_refused(
    strict: Product, anna: ApiClient, visitor_of: ApiClient
) -> None:
    await strict.connect()
    await plan(strict, (Hub.SALES, Tier.PROFESSIONAL))
    await seat(anna, Hub.SALES, strict.here.anna)
    await set_url(anna, "anna")
    first, second = [(await create(anna, slug))["page"] for slug in (None, "anna/second")]
    await anna.ask(SET_DEFAULT, id=second["id"])
    await plan(strict)
    for page in (first, second):
        assert (await visitor_of.ask(PUBLIC, slug=page["slug"]))["publicSchedulingPage"]["url"] == page["url"]
    standing = await anna.ask("{ viewer { meetingUrl features defaultSchedulingPage { id } } }")
    assert standing == {"viewer": {"meetingUrl": "anna", "features": [], "defaultSchedulingPage": {"id": second["id"]}}}
    assert codes(await set_url(anna, "other")) == ["PLAN_REQUIRED"]
    assert codes((await anna.ask(SET_DEFAULT, id=first["id"]))["setDefaultSchedulingPage"]) == ["PLAN_REQUIRED"]
    assert codes(await create(anna)) == ["PAGE_LIMIT_REACHED"]
    edited = (await anna.ask(UPDATE_PAGE, id=second["id"], input={"headline": "Still mine"}))["updateSchedulingPage"]
    assert (edited["errors"], edited["page"]["headline"]) == ([], "Still mine")
    await plan(strict, (Hub.SALES, Tier.STARTER))
    assert (await set_url(anna, "other"))["errors"] == []


async def test_apl5_without_the_seat_the_url_stays_and_cannot_be_changed(strict: Product, anna: ApiClient) -> None:
    await strict.connect()
    await plan(strict, (Hub.SALES, Tier.STARTER))
    await seat(anna, Hub.SALES, strict.here.anna)
    await set_url(anna, "anna")
    revoked = (await anna.ask(REVOKE, hub="SALES", users=[id_of(strict.here.anna)]))["revokeSeats"]
    assert revoked["plan"]["subscriptions"] == [{"hub": "SALES", "tier": "STARTER", "seats": None, "seatsUsed": 0}]
    assert codes(await set_url(anna, "other")) == ["SEAT_REQUIRED"]
    assert (await create(anna))["page"]["slug"] == "anna"


@pytest.fixture
async def visitor_of(strict: Product) -> AsyncIterator[ApiClient]:
    async with strict.visitor() as client:
        yield client


async def test_where_nothing_is_gated_nobody_meets_a_gate(served: Product, host: ApiClient) -> None:
    """The default: whoever runs this server gives everybody everything."""
    shown = (await host.ask(FEATURES))["viewer"]
    assert shown["account"] == {"plan": {"allFeatures": True, "subscriptions": []}}
    assert set(shown["features"]) >= {"EDIT_MEETING_URL", "CHOOSE_DEFAULT_LINK", "CUSTOM_DOMAIN", "MANY_PAGES"}
    for _ in range(3):
        assert (await create(host))["errors"] == []
    assert new_page() == {"internalName": "Intro", "durationsMinutes": [30]}
