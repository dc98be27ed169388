"""Booking without scripts: `/p/...` (S77), on the same terms as the API."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.domain.booking import BookingState
from meetings.domain.booking_form import ConsentOption, FieldKind, FormField, GuestPolicy
from meetings.domain.page_settings import RollingWindow
from meetings.domain.plan import Hub, Tier
from meetings.infrastructure.database.tables import bookings, intents, journal, slot_holds, visitors
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.demo.name_server import NameServer
from tests.api.documents import BOOK, at, book, working_day
from tests.api.domain_manager import connect, host_of, tell
from tests.api.gates import gated, plan
from tests.api.setting_up import online
from tests.api.test_domains import other_account
from tests.api.test_meeting_links import link
from tests.headless import Browser, browser_path, headless
from tests.product import NO_RATES, ApiClient, Product, product
from tests.siteverify import SECRET, SOLVED, SiteVerify
from tests.without_scripts import Reader, Seen
from tests.world import HOST_EMAIL

NAME = "meet.example.test"
GRACE = {"firstName": "Grace", "lastName": "Hopper", "email": "grace@example.org"}
FIELDS = (
    FormField("company", "Your company", FieldKind.SHORT_TEXT, required=True),
    FormField("about", "What about", FieldKind.LONG_TEXT),
    FormField("size", "How many of you", FieldKind.SELECT, options=("1", "2-10")),
    FormField("topics", "Topics", FieldKind.MULTI_SELECT, options=("Ships", "Compilers", "Bugs")),
    FormField("first", "My first time", FieldKind.CHECKBOX),
    FormField("day", "Founded", FieldKind.DATE),
    FormField("campaign", "Campaign", FieldKind.SHORT_TEXT, hidden=True),
)
CONSENTS = (ConsentOption("terms", "I agree to <everything>.", required=True), ConsentOption("news", "Write to me."))


@pytest.fixture
async def reader(served: Product) -> AsyncIterator[Reader]:
    """Somebody without scripts."""
    async with Reader(served.url) as found:
        yield found


async def chosen(reader: Reader, clock: str = "10:00", path: str = "/p/anna/intro", **more: str) -> Seen:
    """The form for a time of the day that all tests use."""
    return await reader.open(f"{path}?{urlencode({'start': at(clock), **more})}")


# ---- choosing a time ------------------------------------------------------------------------------------------------


async def test_s77_a_visitor_chooses_a_time_fills_in_the_form_and_is_shown_the_confirmed_meeting(
    served: Product, reader: Reader
) -> None:
    await online(served)
    seen = await reader.open("/p/anna/intro")
    assert (seen.status, seen.forms[0].method) == (200, "get")
    form = await reader.follow(seen, seen.link(""))
    assert form.form.names[-3:] == ["firstName", "lastName", "email"]
    sent = await reader.send(form, **GRACE)
    assert sent.status == 303
    manage = await reader.follow(sent, sent.answer.headers["location"])
    assert "This meeting is confirmed." in manage.text
    [event] = served.here.events("Grace Hopper")
    assert datetime.fromisoformat(event["start"]["dateTime"]) == datetime.fromisoformat(seen.times[0])
    again = await reader.open("/p/anna/intro")
    assert again.times[0] == seen.times[1]


async def test_looking_changes_nothing(served: Product, reader: Reader, host: ApiClient) -> None:
    await online(served)
    await served.here.page("anna/free", redirect_url="https://example.org/thanks")
    made = await link(host, singleUse=True)
    day = working_day().date()

    async def rows() -> list[int]:
        async with served.here.runtime.database.snapshot() as connection:
            tables = (bookings, intents, journal, slot_holds, visitors)
            return [(await connection.execute(select(func.count()).select_from(each))).scalar_one() for each in tables]

    await served.here.settle_down()
    before = await rows()
    for query in ("", f"?start={at('10:00')}", f"?link={made['token']}", f"?link={made['token']}&start={at('11:00')}"):
        for path in ("/p/anna/intro", f"/meetings/anna/intro/{day:%Y-%m}"):
            assert (await reader.open(path + query)).status == 200
    assert await rows() == before
    assert reader.http.cookies == {}


async def test_times_are_shown_by_month_in_the_wished_zone_and_language(served: Product, reader: Reader) -> None:
    await online(served, window=RollingWindow(90))
    day = working_day()
    month = await reader.open(f"/p/anna/intro/{day:%Y-%m}?tz=America%2FNew_York&lang=de")
    assert at("10:00") in month.times
    assert all(f"{datetime.fromisoformat(each):%Y-%m}" == f"{day:%Y-%m}" for each in month.times[1:-1])
    assert "Alle Zeiten in America/New_York" in month.text
    local = datetime.fromisoformat(at("10:00")).astimezone(ZoneInfo("America/New_York"))
    assert f"{local:%H:%M}" in month.text
    following = (day.replace(day=1) + timedelta(days=32)).strftime("%Y-%m")
    later = await reader.follow(month, next(href for href, _ in month.links if f"/{following}?" in href))
    assert "tz=America%2FNew_York" in str(later.answer.url)
    assert at("10:00") not in later.times
    form = await reader.follow(month, next(href for href, _ in month.links if quote(at("10:00")) in href))
    assert form.form.one("tz") == "America/New_York"
    assert "Diese Zeit buchen" in form.text


async def test_another_zone_is_chosen_from_a_list_and_everything_else_said_is_kept(
    served: Product, reader: Reader
) -> None:
    await online(served)
    seen = await reader.open("/p/anna/intro?tz=Europe%2FParis&utm_source=letter&firstName=Ada")
    zones = seen.forms[0]
    assert zones.one("tz") == "Europe/Paris"
    assert {"Asia/Kathmandu", "America/New_York"} <= set(zones.offered["tz"])
    told = dict(zones.having({"tz": "Asia/Kathmandu"}))
    there = await reader.open(f"{zones.action}?{urlencode(told)}")
    assert "All times in Asia/Kathmandu" in there.text
    query = parse_qs(urlsplit(there.link("")).query)
    assert (query["utm_source"], query["firstName"], query["tz"]) == (["letter"], ["Ada"], ["Asia/Kathmandu"])


@pytest.mark.parametrize(
    "said", ["tz=Mars%2FX", "duration=17", "duration=x", "date=2026-13-01", "date=9999-12-31", "start=now", "lang=xx"]
)
async def test_what_an_address_says_that_means_nothing_here_counts_as_not_said(
    served: Product, reader: Reader, said: str
) -> None:
    await online(served)
    plain, seen = await reader.open("/p/anna/intro"), await reader.open(f"/p/anna/intro?{said}")
    assert (seen.status, seen.times) == (200, plain.times)


async def test_a_time_is_chosen_by_date_and_wall_clock_time_as_in_a_mail(served: Product, reader: Reader) -> None:
    await online(served, durations_minutes=(30, 60))
    day = f"{working_day():%Y-%m-%d}"
    said = {"date": day, "time": "10:00", "tz": "Europe/Berlin", "duration": "60"}
    form = await reader.open(f"/p/anna/intro?{urlencode(said)}")
    assert (form.form.one("start"), form.form.one("duration")) == (at("10:00"), "60")
    whole_day = await reader.open(f"/p/anna/intro?{urlencode({**said, 'time': ''})}")
    assert {each[:10] for each in whole_day.times} == {day}


async def test_a_chosen_time_that_is_gone_is_said_and_others_are_shown(served: Product, reader: Reader) -> None:
    page = await online(served)
    await served.here.book(page, datetime.fromisoformat(at("10:00")))
    seen = await chosen(reader)
    assert "The time you chose is not free any more." in seen.text
    assert at("10:30") in seen.times
    long_gone = await reader.open("/p/anna/intro?start=2020-01-01T10:00:00Z")
    assert "not free any more" in long_gone.text
    assert long_gone.times


async def test_each_length_of_the_page_can_be_chosen(served: Product, reader: Reader) -> None:
    await online(served, durations_minutes=(30, 45))
    seen = await reader.open("/p/anna/intro")
    assert "30 minutes with Anna Albers" in seen.text
    longer = await reader.follow(seen, seen.link("45"))
    assert "45 minutes with Anna Albers" in longer.text
    form = await reader.follow(longer, next(href for href, _ in longer.links if "start=" in href))
    await reader.send(form, **GRACE)
    assert (await served.here.newest_booking()).end - (await served.here.newest_booking()).start == timedelta(
        minutes=45
    )


async def test_s65_under_the_standard_host_for_pages_the_path_is_the_slug_itself(served: Product) -> None:
    await online(served)
    _, second = served.here.tools.links.standard_hosts
    async with Reader(served.url, host=second) as there:
        seen = await there.open("/anna/intro")
        form = await there.follow(seen, next(href for href, _ in seen.links if "start=" in href))
        assert urlsplit(str(form.answer.url)).path == form.form.action == "/anna/intro"
        month = await there.follow(seen, next(href for href, _ in seen.links if re.search(r"/\d{4}-\d{2}$", href)))
        assert (month.status, bool(month.times)) == (200, True)
        sent = await there.send(form, **GRACE)
        assert (await there.follow(sent, sent.answer.headers["location"])).status == 200


# ---- the form -------------------------------------------------------------------------------------------------------


async def test_everything_the_form_asks_is_answered_without_scripts(served: Product, reader: Reader) -> None:
    await online(served, form_fields=FIELDS, guests=GuestPolicy(True, 2), consents=CONSENTS)
    form = await chosen(reader, campaign="spring", utm_source="letter")
    assert "I agree to <everything>." in form.text
    sent = await reader.send(
        form,
        **GRACE,
        **{
            "answer.company": "Navy",
            "answer.about": "Two\r\nlines",
            "answer.size": "2-10",
            "answer.topics": ["Compilers", "Bugs"],
            "answer.first": "true",
            "answer.day": "1944-07-02",
        },
        guests="a@example.org\r\n\r\n b@example.org ",
        consent="terms",
    )
    assert sent.status == 303
    booked = await served.here.newest_booking()
    assert {answer.key: answer.values for answer in booked.answers} == {
        "company": ("Navy",),
        "about": ("Two\nlines",),
        "size": ("2-10",),
        "topics": ("Compilers", "Bugs"),
        "first": ("true",),
        "day": ("1944-07-02",),
        "campaign": ("spring",),
    }
    assert booked.guests == ("a@example.org", "b@example.org")
    assert [consent.key for consent in booked.consents] == ["terms"]
    assert [(tag.key, tag.value) for tag in booked.source.utm] == [("utm_source", "letter")]


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(served: Product, reader: Reader) -> None:
    await online(served, form_fields=FIELDS, guests=GuestPolicy(True, 2), consents=CONSENTS)
    typed = {
        "firstName": "<b>Grace</b>",
        "lastName": " ",
        "email": "nobody",
        "answer.day": "tomorrow",
        "guests": "x",
        "consent": "news",
    }
    wrong = await reader.send(await chosen(reader), **typed)
    assert wrong.status == 422
    assert set(wrong.problems) == {"lastName", "email", "answer.company", "answer.day", "guests", "consent.terms"}
    assert wrong.problems["answer.company"] == "Please fill this in."
    assert {name: wrong.form.one(name) for name in typed} == typed
    assert "<b>Grace</b>" not in wrong.answer.text
    sent = await reader.send(
        wrong,
        **GRACE,
        **{"answer.company": "Navy", "answer.day": "", "guests": "", "consent": ["terms", "news"]},
    )
    assert sent.status == 303
    assert [consent.key for consent in (await served.here.newest_booking()).consents] == ["terms", "news"]


async def test_the_form_speaks_the_language_it_was_asked_for_in_its_refusals_too(
    served: Product, reader: Reader
) -> None:
    await online(served)
    wrong = await reader.send(await chosen(reader, lang="de"), **{**GRACE, "email": ""})
    assert wrong.problems == {"email": "Bitte ausfüllen."}
    sent = await reader.send(wrong, email="grace@example.org")
    assert sent.status == 303
    assert (await served.here.newest_booking()).invitee.locale == "de"


async def test_a_slot_that_was_taken_meanwhile_is_refused_and_another_one_is_one_click_away(
    served: Product, reader: Reader
) -> None:
    page = await online(served)
    form = await chosen(reader)
    await served.here.book(page, datetime.fromisoformat(at("10:00")))
    taken = await reader.send(form, **GRACE)
    assert taken.status == 409
    assert taken.form.one("email") == "grace@example.org"
    offered = taken.form.offered["instead"]
    assert 0 < len(offered) <= 3
    sent = await reader.send(taken, instead=offered[0])
    assert sent.status == 303
    assert (await served.here.newest_booking()).start == datetime.fromisoformat(offered[0])


async def test_the_same_form_sent_five_times_at_once_is_one_meeting(served: Product, reader: Reader) -> None:
    await online(served)
    form = await chosen(reader)
    answers = await asyncio.gather(*(reader.send(form, **GRACE) for _ in range(5)))
    assert {(answer.status, answer.answer.headers["location"]) for answer in answers} == {
        (303, answers[0].answer.headers["location"])
    }
    assert len(served.here.events("Grace")) == 1


async def test_s10_on_a_page_without_a_calendar_the_time_is_asked_for(served: Product, reader: Reader) -> None:
    await served.here.page()
    form = await chosen(reader)
    assert "Propose this time" in form.text
    sent = await reader.send(form, **GRACE, message="Only if\r\nit suits you")
    assert sent.status == 303
    booked = await served.here.newest_booking()
    assert (booked.state, booked.message) == (BookingState.REQUESTED, "Only if\nit suits you")
    manage = await reader.follow(sent, sent.answer.headers["location"])
    assert "This time was proposed" in manage.text


async def test_s60_a_blocked_page_shows_and_takes_nothing(served: Product, reader: Reader) -> None:
    await online(served)
    form = await chosen(reader)
    await served.here.switch_pages(on=False)
    refused = await reader.send(form, **GRACE)
    assert refused.status == 409
    seen = await reader.open("/p/anna/intro")
    assert (seen.times, seen.forms) == ([], [])
    assert "This page cannot be booked at the moment." in seen.text
    assert served.here.events("Grace") == []


async def test_sp10_a_page_that_sends_people_on_does_so_and_its_policy_allows_just_that(
    served: Product, reader: Reader
) -> None:
    await online(served, redirect_url="https://www.example.org/thanks?a=b")
    form = await chosen(reader)
    assert "form-action 'self' https://www.example.org;" in form.answer.headers["content-security-policy"]
    sent = await reader.send(form, **GRACE)
    assert (sent.status, sent.answer.headers["location"]) == (303, "https://www.example.org/thanks?a=b")


# ---- what is filled in beforehand -----------------------------------------------------------------------------------


async def test_bfo1_the_address_fills_in_the_form_and_never_a_consent(served: Product, reader: Reader) -> None:
    await online(served, form_fields=FIELDS, guests=GuestPolicy(True, 2), consents=CONSENTS)
    said = {
        "name": "Ada King Lovelace",
        "email": "ada@example.org",
        "company": '"><script>alert(1)</script>',
        "size": "2-10",
        "campaign": "spring",
        "terms": "true",
        "consent": "terms",
        "answer.company": "x",
    }
    form = await chosen(reader, **said)
    assert "<script" not in form.answer.text
    held = dict(form.form.held)
    assert (held["firstName"], held["lastName"], held["email"]) == ("Ada", "King Lovelace", "ada@example.org")
    assert (held["answer.company"], held["answer.size"]) == ('"><script>alert(1)</script>', "2-10")
    assert held["answer.campaign"] == "spring"
    assert "consent" not in held
    assert form.form.offered["consent"] == ["terms", "news"]


async def test_a_link_that_was_made_for_somebody_fills_in_the_form_and_is_spent_by_the_meeting(
    served: Product, reader: Reader, host: ApiClient
) -> None:
    await online(served, durations_minutes=(30, 60))
    wishes: dict[str, Any] = {"prefill": [{"key": "email", "values": ["grace@example.org"]}], "singleUse": True}
    made = await link(host, durationMinutes=60, **wishes)
    address = urlsplit(made["url"])
    seen = await reader.open(f"{address.path}?{address.query}")
    assert "60 minutes" in seen.text
    form = await reader.follow(seen, next(href for href, _ in seen.links if "start=" in href))
    assert form.form.one("email") == "grace@example.org"
    assert (await reader.send(form, firstName="Grace", lastName="Hopper")).status == 303
    booked = await served.here.newest_booking()
    assert booked.end - booked.start == timedelta(minutes=60)
    assert (await reader.open(f"{address.path}?{address.query}")).status == 404
    await served.here.page("anna/other")
    other = await link(host, **wishes)
    for path, status in (("/p/anna/intro", 200), ("/p/anna/other", 404)):
        assert (await reader.open(f"{path}?link={other['token']}")).status == status


@pytest.fixture
async def named(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], dns: NameServer
) -> AsyncIterator[Product]:
    """A product with a page of Anna's under a domain of hers."""
    async with product(database_url, *simulators, dns_servers=dns.address) as served, served.host() as anna:
        await online(served, form_fields=FIELDS)
        await connect(anna, dns, NAME)
        yield served


async def test_s67_under_a_custom_domain_a_visitor_who_comes_back_finds_the_form_filled_in(named: Product) -> None:
    async with Reader(named.url, host=host_of(named, NAME)) as grace, Reader(named.url) as elsewhere:
        form = await chosen(grace, path="/meetings/anna/intro")
        sent = await grace.send(form, **GRACE, **{"answer.company": "Navy", "answer.topics": ["Ships", "Bugs"]})
        assert sent.status == 303
        assert sent.answer.headers["location"].startswith("/b/")
        assert (await grace.follow(sent, sent.answer.headers["location"])).status == 200
        [cookie] = sent.answer.headers.get_list("set-cookie")
        assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
        back = await chosen(grace, "11:00", path="/meetings/anna/intro")
        assert {name: back.form.one(name) for name in GRACE} == GRACE
        assert [value for name, value in back.form.held if name == "answer.topics"] == ["Ships", "Bugs"]
        elsewhere.http.cookies = grace.http.cookies
        there = await chosen(elsewhere, "11:00")
        assert {there.form.one(name) for name in GRACE} == {""}
        unspoiled = await elsewhere.send(there, **GRACE, **{"answer.company": "Navy"})
        assert "set-cookie" not in unspoiled.answer.headers


async def test_s70_pages_may_be_found_by_search_engines_and_other_views_of_them_not(named: Product) -> None:
    async with Reader(named.url, host=host_of(named, NAME)) as there:
        plain = await there.open("/meetings/anna/intro")
        assert "x-robots-tag" not in plain.answer.headers
        for path in ("?tz=UTC", f"/{working_day():%Y-%m}", f"?start={at('10:00')}"):
            seen = await there.open(f"/meetings/anna/intro{path}")
            assert (seen.status, seen.answer.headers["x-robots-tag"]) == (200, "noindex")
            assert f'<link rel="canonical" href="http://{named.url.removeprefix("http://")}' in seen.answer.text


async def test_ado2_nothing_of_another_account_is_served_or_booked_under_a_custom_domain(named: Product) -> None:
    async with named.host() as anna:
        made = await link(anna)
    eve = await other_account(named)
    await named.here.page("eve/intro", owner=eve)
    async with Reader(named.url, host=host_of(named, NAME)) as there, Reader(named.url) as main:
        form = await chosen(main, path="/p/eve/intro")
        assert form.status == 200
        for path in ("/meetings/eve/intro", f"/meetings/eve/intro?link={made['token']}"):
            assert (await there.open(path)).status == 404
        headers = {"Origin": there.origin}
        answer = await there.http.post("/meetings/eve/intro", data=dict(form.form.having(GRACE)), headers=headers)
        assert answer.status_code == 404


# ---- whose form it is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_of_another_site_does_nothing(served: Product, reader: Reader, headers: dict[str, str]) -> None:
    await online(served)
    form = await chosen(reader)
    answer = await reader.http.post("/p/anna/intro", data=dict(form.form.having(GRACE)), headers=headers)
    assert answer.status_code == 403
    assert "nothing was done" in answer.text
    assert served.here.events("Grace") == []


async def test_somebody_signed_in_books_as_any_visitor_would(served: Product, host: ApiClient) -> None:
    await online(served)
    async with Reader(served.url) as reader:
        reader.http.cookies = host.http.cookies
        assert (await reader.send(await chosen(reader), **GRACE)).status == 303
    async with served.here.runtime.database.snapshot() as connection:
        actors = (await connection.execute(select(journal.c.actor).where(journal.c.kind == "SlotReserved"))).scalars()
        assert set(actors) == {"visitor"}


async def test_nothing_but_our_own_style_and_forms_is_allowed(served: Product, reader: Reader) -> None:
    await online(served, form_fields=FIELDS)
    for seen in (await reader.open("/p/anna/intro"), await chosen(reader)):
        policy = seen.answer.headers["content-security-policy"]
        assert re.fullmatch(
            r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; form-action 'self'; base-uri 'none'; "
            r"frame-ancestors 'none'",
            policy,
        )
        assert seen.answer.headers["cache-control"] == "no-store"
        for forbidden in ("<script", " style=", " onclick", "http-equiv", HOST_EMAIL):
            assert forbidden not in seen.answer.text


@pytest.mark.parametrize("body", [b"", b"start=x", b"\xff\xfe", b"a=" + b"b" * 60_000, b"&" * 60_000, b"start=9999-99"])
async def test_a_body_that_is_no_form_of_ours_leads_back_to_the_page(
    served: Product, reader: Reader, body: bytes
) -> None:
    await online(served)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": reader.origin}
    answer = await reader.http.post("/p/anna/intro", content=body, headers=headers)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/meetings/anna/intro")


async def test_a_form_whose_page_is_gone_finds_nothing(served: Product, reader: Reader, host: ApiClient) -> None:
    await online(served)
    form = await chosen(reader)
    [mine] = (await host.ask("{ viewer { schedulingPages { nodes { id } } } }"))["viewer"]["schedulingPages"]["nodes"]
    await host.ask("mutation($id: ID!) { archiveSchedulingPage(id: $id) { errors { code } } }", id=mine["id"])
    assert (await reader.send(form, **GRACE)).status == 404


# ---- on the same terms as the API -----------------------------------------------------------------------------------


async def test_limits_count_forms_and_the_api_together(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]
) -> None:
    few = {**NO_RATES, "booking": ("2/hour",), "availability": ("8/hour",)}
    async with product(database_url, *simulators, rates=few) as served, Reader(served.url) as reader:
        await online(served)
        form = await chosen(reader)
        async with served.visitor() as visitor:
            for clock in ("12:00", "13:00"):
                assert (await tell(visitor, BOOK, input=book(at(clock))))["errors"] == []
        refused = await reader.send(form, **GRACE)
        assert refused.status == 429
        assert refused.form.one("email") == "grace@example.org"
        for _ in range(8):
            last = await reader.open("/p/anna/intro")
        assert last.status == 429
        assert "That was too often" in last.text


async def test_asp20_a_branded_page_says_by_whose_product_it_is_made(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]
) -> None:
    async with gated(database_url, *simulators) as served, Reader(served.url) as reader:
        await online(served)
        for subscriptions, branded in (([], True), ([(Hub.SALES, Tier.STARTER)], False)):
            await plan(served, *subscriptions)
            for seen in (await reader.open("/p/anna/intro"), await chosen(reader)):
                assert ("Scheduling by meetings" in seen.text) is branded


@pytest.fixture
async def guarded(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], siteverify: SiteVerify
) -> AsyncIterator[Product]:
    """A product with a page of Anna's that asks for a captcha."""
    keys: dict[str, Any] = {
        "turnstile_site_key": "site-key",
        "turnstile_secret": SECRET,
        "turnstile_url": siteverify.url,
        "turnstile_script_url": siteverify.script,
    }
    async with product(database_url, *simulators, **keys) as served:
        await online(served, captcha=True)
        yield served


async def test_afo5_a_form_with_a_captcha_books_with_a_good_token_and_says_what_it_needs(
    guarded: Product, siteverify: SiteVerify
) -> None:
    async with Reader(guarded.url) as reader:
        form = await chosen(reader)
        assert "which needs a browser with scripts" in form.text
        assert 'class="cf-turnstile" data-sitekey="site-key"' in form.answer.text
        policy = form.answer.headers["content-security-policy"]
        origin = siteverify.script.removesuffix("/turnstile/v0/api.js")
        assert f"script-src {origin}; frame-src {origin};" in policy
        assert "unsafe" not in policy
        for token in (None, "", "made up"):
            if token is not None:
                form.form.names.append("cf-turnstile-response")
            refused = await reader.send(form, **GRACE, **({} if token is None else {"cf-turnstile-response": token}))
            assert refused.status == 422
            assert "Please show once more that you are not a program." in refused.text
            assert {name: refused.form.one(name) for name in GRACE} == GRACE
        assert guarded.here.events("Grace") == []
        refused.form.names.append("cf-turnstile-response")
        sent = await reader.send(refused, **{"cf-turnstile-response": siteverify.gives("good")})
        assert sent.status == 303
        assert len(guarded.here.events("Grace Hopper")) == 1


async def test_afo5_a_time_is_proposed_with_a_captcha_as_well(guarded: Product, siteverify: SiteVerify) -> None:
    await guarded.here.disconnect()
    async with Reader(guarded.url) as reader:
        form = await chosen(reader)
        assert "Propose this time" in form.text
        assert (await reader.send(form, **GRACE)).status == 422
        form.form.names.append("cf-turnstile-response")
        sent = await reader.send(form, **GRACE, **{"cf-turnstile-response": siteverify.gives("good")})
        assert sent.status == 303


async def test_afo5_a_page_that_asks_for_no_captcha_loads_no_script_of_one(guarded: Product) -> None:
    await guarded.here.page("anna/open")
    async with Reader(guarded.url) as reader:
        seen = await chosen(reader, path="/p/anna/open")
        assert len(seen.forms) == 1
        assert "<script" not in seen.answer.text
        assert "script-src" not in seen.answer.headers["content-security-policy"]
        plain = await reader.open("/p/anna/intro")
        assert "<script" not in plain.answer.text, "times are looked at without one"


# ---- in a browser ---------------------------------------------------------------------------------------------------


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium of the machine."""
    if browser_path() is None:
        pytest.skip("there is no chromium, chromium-browser or google-chrome on the PATH")
    async with headless() as started:
        yield started


async def test_a_real_browser_books_with_nothing_but_links_and_a_form(served: Product, browser: Browser) -> None:
    """Its own idea of origins, referrers and policies has to agree."""
    await online(served)
    await browser.open(f"{served.url}/p/anna/intro")
    await browser.until("document.querySelector('.slots a')")
    await browser.told("document.querySelector('.slots a').click()")
    await browser.until("document.querySelector('input[name=email]')")
    assert await browser.told("getComputedStyle(document.querySelector('label input')).display") == "block"
    for name, value in GRACE.items():
        await browser.told(f"document.querySelector('input[name={name}]').value = '{value}'")
    await browser.told("document.querySelector('form[method=post] button:last-of-type').click()")
    await browser.until("location.pathname.startsWith('/b/')")
    assert "This meeting is confirmed." in await browser.told("document.body.textContent")
    assert len(served.here.events("Grace Hopper")) == 1


async def test_afo5_a_real_browser_solves_the_captcha_in_a_frame_and_books(
    guarded: Product, siteverify: SiteVerify, browser: Browser
) -> None:
    siteverify.gives(SOLVED)
    await browser.open(f"{guarded.url}/p/anna/intro?{urlencode({'start': at('10:00')})}")
    await browser.until("document.querySelector('input[name=cf-turnstile-response]')?.value")
    assert await browser.told("document.querySelectorAll('noscript p').length") == 0, "nothing is missing here"
    for name, value in GRACE.items():
        await browser.told(f"document.querySelector('input[name={name}]').value = '{value}'")
    await browser.told("document.querySelector('form[method=post] button:last-of-type').click()")
    await browser.until("location.pathname.startsWith('/b/')")
    assert [asked["response"] for asked in siteverify.asked] == [SOLVED]
    assert len(guarded.here.events("Grace Hopper")) == 1
