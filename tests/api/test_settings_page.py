"""The settings page as a whole: who may set what, and what comes of it (S5, S6, S44, S48, S77)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.demo.name_server import NameServer
from tests.api.documents import BOOK, ERRORS, at, book
from tests.api.domain_manager import CHOOSE, connect, tell
from tests.api.gates import SET_URL, codes, create, gated
from tests.api.setting_up import connected
from tests.product import Product, product
from tests.world import HOST_EMAIL

BEN_EMAIL = "ben@example.com"
CALENDARS = """{ viewer { calendarConnections { id
  defaultCalendar { id } busyCalendars { id name } availableCalendars { id name selected isDefault access helpUrl }
} } }"""
CHOOSE_CALENDARS = (
    "mutation($id: ID!, $calendars: [ID!]!) { setBusyCalendars(connectionId: $id, calendarIds: $calendars) "
    f"{{ connection {{ busyCalendars {{ name }} }} {ERRORS} }} }}"
)
EVERYTHING = """{ viewer {
  meetingUrl features meetingDomains { domain standard isDefault robotsHint }
  defaultSchedulingPage { slug url } chatProfile { showMeetingLink meetingLinkText schedulingPage { slug } }
  calendarConnections { status availableCalendars { name selected isDefault } }
  schedulingPages { nodes { slug url isDefault } }
} }"""
EDIT = """mutation($id: ID!) {
  updateSchedulingPage(id: $id, input: { headline: "New" }) { page { headline url } errors { code } }
}"""
Simulators = tuple[GoogleSimulator, MailCatcher]


async def test_s5_and_s44_anybody_joins_further_calendars_to_the_connected_one_without_plan_or_seat(
    database_url: str, simulators: Simulators
) -> None:
    async with gated(database_url, *simulators) as served, served.host() as anna, served.visitor() as visitor:
        projects = served.google.add_calendar(HOST_EMAIL, "Projects")
        private = served.google.add_calendar(HOST_EMAIL, "Private")
        await connected(served)
        await served.here.page()
        [own] = (await anna.ask(CALENDARS))["viewer"]["calendarConnections"]
        assert [each["name"] for each in own["busyCalendars"]] == ["Anna Albers"]
        chosen = [each["id"] for each in own["availableCalendars"]]
        assert {each["name"] for each in own["availableCalendars"]} == {"Anna Albers", "Projects", "Private"}
        told = await tell(anna, CHOOSE_CALENDARS, id=own["id"], calendars=chosen)
        assert told["errors"] == []
        assert {each["name"] for each in told["connection"]["busyCalendars"]} == {"Anna Albers", "Projects", "Private"}
        await served.here.settle_down()
        for calendar, clock in ((projects, "10:00"), (private, "11:00")):
            wish = book(at(clock))
            served.google.add_event(calendar, "Elsewhere", *span(at(clock)))
            assert codes(await tell(visitor, BOOK, input=wish)) == ["SLOT_TAKEN"], "asked at the very booking"


def span(start: str) -> tuple[datetime, datetime]:
    begin = datetime.fromisoformat(start)
    return begin, begin + timedelta(minutes=30)


async def test_s44_a_colleague_without_anything_connects_and_chooses_too(
    database_url: str, simulators: Simulators
) -> None:
    async with gated(database_url, *simulators) as served, served.visitor() as browser:
        ben = await served.here.add_colleague("Ben Beck", BEN_EMAIL)
        served.google.add_account(BEN_EMAIL, "Ben Beck", time_zone="Europe/Berlin")
        served.google.add_calendar(BEN_EMAIL, "Rota")
        await served.here.connect(email=BEN_EMAIL, user=ben)
        await browser.sign_in(BEN_EMAIL)
        [own] = (await browser.ask(CALENDARS))["viewer"]["calendarConnections"]
        every = [each["id"] for each in own["availableCalendars"]]
        assert len(every) == 2
        assert (await tell(browser, CHOOSE_CALENDARS, id=own["id"], calendars=every))["errors"] == []
        assert codes(await tell(browser, SET_URL, url="beck")) == ["PLAN_REQUIRED"], "which takes a plan"


async def test_s6_and_s77_a_page_can_be_shared_as_soon_as_it_is_saved_under_whichever_host_was_chosen(
    database_url: str, simulators: Simulators
) -> None:
    with NameServer().serve() as dns:
        more: dict[str, Any] = {"dns_servers": dns.address, "with_worker": False}
        async with (
            product(database_url, *simulators, **more) as served,
            served.host() as anna,
            served.visitor() as visitor,
        ):
            await connected(served)
            assert (await tell(anna, SET_URL, url="albers"))["errors"] == []
            saved = (await create(anna, name="First talk"))["page"]
            assert (await visitor.http.get(saved["url"])).status_code == 200
            await connect(anna, dns, "meet.example.test")
            await tell(anna, CHOOSE, domain="meet.example.test")
            second = (await create(anna, name="Second talk"))["page"]
            assert second["url"].startswith("http://meet.example.test:")
            public = "query($at: PageAddress!) { publicSchedulingPage(at: $at) { url } }"
            shown = (await visitor.ask(public, at={"url": second["url"]}))["publicSchedulingPage"]
            assert shown == {"url": second["url"]}
            edited = await tell(anna, EDIT, id=second["id"])
            assert edited["page"] == {"headline": "New", "url": second["url"]}


@pytest.mark.parametrize("connects", [False, True])
async def test_s48_everything_on_the_page_comes_with_one_question(served: Product, connects: bool) -> None:
    """Settings, General, Calendar: where mails send people to mend their connection."""
    if connects:
        await connected(served)
    async with served.host() as anna:
        await create(anna, "anna/intro")
        shown = (await anna.ask(EVERYTHING))["viewer"]
    assert len(shown["calendarConnections"]) == int(connects)
    assert [each["standard"] for each in shown["meetingDomains"]] == [True, True]
    assert shown["defaultSchedulingPage"] == {"slug": "anna/intro", "url": f"{served.url}/meetings/anna/intro"}
    assert shown["chatProfile"]["showMeetingLink"] is False
    assert "EDIT_MEETING_URL" in shown["features"]
    assert shown["meetingUrl"] is None, "nobody chose one, and no page needed one"
    assert served.here.tools.links.settings().endswith("/settings/calendar")
