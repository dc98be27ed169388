"""Forms that are filled in beforehand: S67, A-FO6, B-FO1."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.domain.booking_form import ConsentOption, FieldKind, FormField, GuestPolicy
from meetings.infrastructure.database.tables import bookings, visitors
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.demo.name_server import NameServer
from meetings.infrastructure.housekeeping import tidy_up
from tests.api.documents import BOOK, REQUEST, at, book, page
from tests.api.domain_manager import at_host, connect, host_of, tell
from tests.databases import BOTH_DATABASES
from tests.product import ApiClient, Product, product

NAME = "meet.example.test"
OTHER = "second.example.test"
FORM = """query($at: PageAddress!, $query: String) { publicSchedulingPage(at: $at) {
  prefill(query: $query) { key values source }
} }"""
FIELDS = (
    FormField("company", "Your company", FieldKind.SHORT_TEXT),
    FormField("size", "How many of you", FieldKind.SELECT, options=("1", "2-10")),
    FormField("campaign", "Campaign", FieldKind.SHORT_TEXT, hidden=True),
)
ANSWERS = [{"key": "company", "values": ["Navy"]}, {"key": "size", "values": ["2-10"]}]
CONSENTS = (ConsentOption("terms", "I agree.", required=True),)
GRACE = {"firstName": ["Grace"], "lastName": ["Hopper"], "email": ["grace@example.org"]}
KNOWN = {**GRACE, "company": ["Navy"], "size": ["2-10"]}
COOKIE = "meetings_visitor"


@pytest.fixture
async def named(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], dns: NameServer
) -> AsyncIterator[Product]:
    """A product with a page of Anna's that takes requests, under two domains of hers."""
    async with product(database_url, *simulators, dns_servers=dns.address, with_worker=False) as served:
        more: dict[str, Any] = {"guests": GuestPolicy(True, 2), "form_fields": FIELDS, "consents": CONSENTS}
        await served.here.page(**more)
        async with served.host() as anna:
            for name in (NAME, OTHER):
                await connect(anna, dns, name)
        yield served


@pytest.fixture
async def grace(named: Product) -> AsyncIterator[ApiClient]:
    """A visitor of the custom domain."""
    async with at_host(named, NAME) as client:
        yield client


async def ask_for_a_meeting(client: ApiClient, **more: Any) -> dict[str, Any]:
    wish = {**book(at("10:00")), "answers": ANSWERS, "consents": ["terms"], **more}
    del wish["start"]
    told = await tell(client, REQUEST, input={**wish, "preferredStarts": [at("10:00")]})
    assert told["errors"] == []
    return told


async def form(client: ApiClient, query: str | None = None, source: str | None = None) -> dict[str, list[str]]:
    """The form's values by key, of one source alone if it is named."""
    found = (await client.ask(FORM, at=page(), query=query))["publicSchedulingPage"]["prefill"]
    return {each["key"]: each["values"] for each in found if source in (None, each["source"])}


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_s67_a_known_visitor_of_a_custom_domain_finds_the_form_filled_in(
    named: Product, grace: ApiClient
) -> None:
    assert await form(grace) == {}
    await ask_for_a_meeting(grace)
    assert await form(grace, source="VISITOR") == KNOWN
    token = grace.http.cookies[COOKIE]
    cookie = f"{COOKIE}={token}"
    main, second = named.here.tools.links.standard_hosts
    for standard in (main, second):
        async with ApiClient(named.url, headers={"Host": standard, "Cookie": cookie}) as there:
            assert await form(there) == {}, standard
    async with ApiClient(named.url, headers={"Host": host_of(named, OTHER), "Cookie": cookie}) as there:
        assert await form(there) == {}
    async with ApiClient(named.url, headers={"Host": host_of(named, NAME), "Cookie": cookie}) as there:
        assert await form(there) == KNOWN


async def test_s67_a_forged_token_fills_nothing_in(named: Product, grace: ApiClient) -> None:
    await ask_for_a_meeting(grace)
    token = grace.http.cookies[COOKIE]
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    swapped = ("A" if token[0] != "A" else "B") + token[1:]
    for forged in (changed, swapped, token + "A", token[:-1], "", "x", "A" * len(token), f'"{token[:5]}"'):
        headers = {"Host": host_of(named, NAME), "Cookie": f"{COOKIE}={forged}"}
        async with ApiClient(named.url, headers=headers) as eve:
            assert await form(eve) == {}, forged


async def test_s67_a_booking_under_a_standard_host_is_remembered_nowhere(named: Product, grace: ApiClient) -> None:
    async with named.visitor() as there:
        await ask_for_a_meeting(there)
        assert COOKIE not in there.http.cookies
    assert await form(grace) == {}


async def test_each_booking_gives_the_browser_a_new_token_and_the_old_one_ends(
    named: Product, grace: ApiClient
) -> None:
    await ask_for_a_meeting(grace)
    first = grace.http.cookies[COOKIE]
    await ask_for_a_meeting(grace, invitee={"firstName": "Grace", "lastName": "Murray", "email": "gm@example.org"})
    assert grace.http.cookies[COOKIE] != first
    assert (await form(grace))["lastName"] == ["Murray"]
    headers = {"Host": host_of(named, NAME), "Cookie": f"{COOKIE}={first}"}
    async with ApiClient(named.url, headers=headers) as thief:
        assert await form(thief) == {}
    async with named.here.runtime.database.snapshot() as connection:
        assert len((await connection.execute(select(visitors))).all()) == 1


async def test_the_cookie_is_for_this_host_alone_and_no_script_reads_it(named: Product, grace: ApiClient) -> None:
    wish = {**book(at("10:00")), "consents": ["terms"]}
    del wish["start"]
    answer = await grace.send(REQUEST, input={**wish, "preferredStarts": [at("10:00")]})
    [header] = answer.headers.get_list("set-cookie")
    attributes = {part.strip().split("=")[0].lower() for part in header.split(";")[1:]}
    assert {"httponly", "samesite", "path", "max-age"} <= attributes
    assert "domain" not in attributes


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_a_visitor_is_forgotten_with_the_booking_and_with_time(named: Product, grace: ApiClient) -> None:
    database = named.here.runtime.database
    await ask_for_a_meeting(grace)
    async with database.transaction() as connection:
        await connection.execute(delete(bookings))
        assert (await connection.execute(select(visitors))).all() == []
    assert await form(grace) == {}
    await ask_for_a_meeting(grace)
    assert (await tidy_up(database))["visitors"] == 0
    async with database.transaction() as connection:
        await connection.execute(update(visitors).values(expires_at=database_time(-1)))
    assert await form(grace) == {}
    assert (await tidy_up(database))["visitors"] == 1


async def test_afo6_consents_are_never_filled_in(named: Product, grace: ApiClient) -> None:
    await ask_for_a_meeting(grace)
    filled = await form(grace, query="terms=true&consents=terms&consent=terms")
    assert set(filled) == set(KNOWN)
    wish = {**book(at("10:00")), "answers": ANSWERS}
    del wish["start"]
    refused = await tell(grace, REQUEST, input={**wish, "preferredStarts": [at("10:00")]})
    assert [error["code"] for error in refused["errors"]] == ["LEGAL_CONSENT_MISSING"]


async def test_bfo1_the_address_fills_in_fields_the_form_has_and_nothing_else(named: Product) -> None:
    query = (
        "?firstName=Ada&lastName=Lovelace&email=ada%40example.org&company=Analytical%20Engines&size=2-10&campaign=spring"
        "&guests=a%40example.org&guests=b%40example.org&guests=c%40example.org&utm_source=x&terms=true&nothing=1"
    )
    async with named.visitor() as ada:
        assert await form(ada, query, "LINK") == {
            "firstName": ["Ada"],
            "lastName": ["Lovelace"],
            "email": ["ada@example.org"],
            "company": ["Analytical Engines"],
            "size": ["2-10"],
            "campaign": ["spring"],
            "guests": ["a@example.org", "b@example.org"],
        }
        assert await form(ada, f"{named.url}/meetings/anna/intro{query}") == await form(ada, query)
        assert await form(ada, "name=Ada+King+Lovelace") == {"firstName": ["Ada"], "lastName": ["King Lovelace"]}


@pytest.mark.parametrize(
    "query",
    [
        "firstName=" + "x" * 101,
        "company=" + "x" * 501,
        "size=3",
        "email=nobody",
        "firstName=a%0ab",
        "firstName=%00",
        "company=a&company=b",
        "&".join(f"a{n}=b" for n in range(200)) + "&firstName=Ada",
        "firstName",
        "=",
        "%",
    ],
)
async def test_bfo1_what_the_form_would_not_take_is_left_out(named: Product, query: str) -> None:
    async with named.visitor() as visitor:
        assert await form(visitor, query) == {}


async def test_the_address_comes_before_what_was_answered_earlier(named: Product, grace: ApiClient) -> None:
    await ask_for_a_meeting(grace)
    assert await form(grace, "company=Harvard") == {**KNOWN, "company": ["Harvard"]}
    assert await form(grace, "company=Harvard", "VISITOR") == {key: KNOWN[key] for key in KNOWN if key != "company"}


async def test_a_question_that_changed_is_not_filled_in(named: Product, grace: ApiClient) -> None:
    await ask_for_a_meeting(grace)
    other = FormField("company", "Who pays for this", FieldKind.SHORT_TEXT)
    await named.here.page("anna/other", form_fields=(other,))
    found = (await grace.ask(FORM, at=page("anna/other")))["publicSchedulingPage"]["prefill"]
    assert {each["key"] for each in found} == set(GRACE)


async def test_a_booked_slot_is_remembered_as_a_request_is(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], dns: NameServer
) -> None:
    async with product(database_url, *simulators, dns_servers=dns.address) as served, served.host() as anna:
        await served.connect()
        await served.here.page()
        await connect(anna, dns, NAME)
        async with at_host(served, NAME) as visitor:
            assert (await tell(visitor, BOOK, input=book(at("10:00"))))["errors"] == []
            assert await form(visitor) == GRACE
