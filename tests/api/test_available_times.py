"""Free times that are put into a mail, each leading to the page with that time chosen (A-IN8)."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.available_times import INSERT
from tests.api.documents import BOOK, FULL_SYNC, PAGES, book, window, working_day
from tests.api.refusals import every_code_of
from tests.api.setting_up import connected, online
from tests.databases import Simulators
from tests.mailboxes import AtExchange, exchange_server, may_call
from tests.product import ApiClient, Product, product, until

DAY = working_day().date().isoformat()
FREE = "query($input: AvailabilityInput!) { availability(input: $input) { days { slots { start } } } }"


async def wish(host: ApiClient, **more: Any) -> dict[str, Any]:
    page = (await host.ask(PAGES))["viewer"]["schedulingPages"]["nodes"][0]["id"]
    return {"page": page, "from": DAY, "to": DAY, "zone": "Europe/Berlin", "count": 5, **more}


async def inserted(host: ApiClient, **more: Any) -> dict[str, Any]:
    payload = (await host.ask(INSERT, **await wish(host, **more)))["insertAvailableTimes"]
    assert payload["errors"] == []
    offered: dict[str, Any] = payload["availableTimes"]
    return offered


async def test_a_mail_gets_clickable_times_in_html_and_plain_text(served: Product, host: ApiClient) -> None:
    """A-IN8: each leads to the page with that time chosen, told in the reader's zone."""
    await online(served, durations_minutes=(30, 60))
    offered = await inserted(host, count=3, minutes=60, zone="America/New_York")
    assert len(offered["times"]) == 3
    for time in offered["times"]:
        link = urlsplit(time["url"])
        chosen = {name: values[0] for name, values in parse_qs(link.query).items()}
        assert link.path.endswith("/anna/intro")
        assert (chosen["duration"], chosen["tz"]) == ("60", "America/New_York")
        assert time["url"] in offered["text"]
        assert time["url"] in unescape(offered["html"])
        assert chosen["date"] == DAY
    assert "America/New_York" in offered["text"]
    assert len(re.findall("<a href=", offered["html"])) == 3


async def test_a_time_that_was_taken_meanwhile_is_not_offered_again_and_others_are(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    """A-IN8: the page has other times, and so has the refusal."""
    await online(served)
    first = (await inserted(host, count=1))["times"][0]
    start = first["slot"]["start"]
    assert 'name="firstName"' in (await visitor.http.get(first["url"])).text
    booked = (await visitor.ask(BOOK, input=book(start)))["bookMeeting"]
    assert booked["errors"] == []
    lou = {"firstName": "Lou", "lastName": "Late", "email": "late@example.org"}
    [late] = (await visitor.ask(BOOK, input=book(start, invitee=lou)))["bookMeeting"]["errors"]
    assert late["code"] == "SLOT_TAKEN"
    assert len(late["alternatives"]) == 3
    free = [
        slot["start"]
        for day in (await visitor.ask(FREE, input=window(DAY)))["availability"]["days"]
        for slot in day["slots"]
    ]
    assert free
    assert start not in free
    assert start not in [time["slot"]["start"] for time in (await inserted(host, count=20))["times"]]
    late_look = await visitor.http.get(first["url"])
    assert late_look.status_code == 200
    assert 'name="firstName"' not in late_look.text
    assert len(re.findall(r'href="[^"]*start=', late_look.text)) > 3


async def test_without_any_free_time_the_plain_link_is_what_is_inserted(served: Product, host: ApiClient) -> None:
    await online(served)
    sunday = "2020-01-05"
    offered = await inserted(host, **{"from": sunday, "to": sunday})
    assert offered["times"] == []
    assert offered["text"].endswith("/anna/intro")
    assert "tz=" not in offered["html"]


async def test_inserting_times_is_refused(database_url: str, simulators: Simulators) -> None:
    """S98, B-EX3: not for an Exchange calendar, for which the plain link works, until the account lifts the limit."""
    with exchange_server() as exchange:
        async with product(database_url, *simulators, **may_call(exchange)) as served, served.visitor() as host:
            await host.sign_in()
            await served.here.page()
            async with every_code_of(served, "insertAvailableTimes", elsewhere=["BOOKING_BLOCKED"]) as refused:
                given = await wish(host)
                await refused.one(host, INSERT, "PAGE_NOT_FOUND", ["pageId"], **{**given, "page": "nonsense"})
                for count in (0, 21):
                    await refused.one(host, INSERT, "VALIDATION", ["count"], **{**given, "count": count})
                await refused.one(host, INSERT, "DURATION_NOT_OFFERED", ["durationMinutes"], **{**given, "minutes": 17})
                assert len((await inserted(host))["times"]) == 5
                mailbox = AtExchange(served.here, exchange)
                await mailbox.connect()
                error = await refused.one(host, INSERT, "CAPABILITY_UNSUPPORTED", None, **given)
                assert "CLICKABLE_TIMES" in str(error)
            await host.ask(FULL_SYNC, on=True)

            async def offered() -> bool:
                return len((await inserted(host))["times"]) == 5

            await until("times beside what the mailbox has", offered)


async def test_nobody_is_offered_times_of_a_page_that_nobody_can_book(served: Product, host: ApiClient) -> None:
    """S60."""
    await connected(served)
    await served.here.page()
    given = await wish(host)
    served.google.lose_access("anna@example.com", "anna@example.com", status=403)
    await served.here.sync()
    [error] = (await host.ask(INSERT, **given))["insertAvailableTimes"]["errors"]
    assert error["code"] == "BOOKING_BLOCKED"


@pytest.mark.parametrize("zone", ["Mars/Olympus", ""])
async def test_a_zone_that_is_none_is_refused_before_anything_is_asked(
    served: Product, host: ApiClient, zone: str
) -> None:
    await online(served)
    answer = await host.http.post("/graphql", json={"query": INSERT, "variables": await wish(host, zone=zone)})
    assert "errors" in answer.json()
