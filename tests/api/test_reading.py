"""What people and visitors see: lists, nodes, pages, availability, bookings, explanations."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from meetings.application.sign_in import NewPerson, found_account
from meetings.domain.user import Role
from tests.api.documents import (
    AVAILABILITY,
    BOOK,
    BOOKINGS,
    REQUEST,
    at,
    book,
    page,
    request,
    window,
    working_day,
)
from tests.api.setting_up import connected, online
from tests.product import ApiClient, Product, TopLevelErrors
from tests.waiting import until
from tests.world import HOST_EMAIL

DAY = working_day().date().isoformat()
NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
PUBLIC = """query($at: PageAddress!) { publicSchedulingPage(at: $at) {
  url type headline mode isOffline durationsMinutes hostTimeZone bookableFrom bookableTo location
  hosts { displayName isOffline } theme { colorScheme avatarUrl } guests { allowed max }
  formFields { key } consents { key }
} }"""


async def test_a_visitor_sees_a_page_by_its_path_and_its_address(served: Product, visitor: ApiClient) -> None:
    await online(served)
    by_path = (await visitor.ask(PUBLIC, at=page("/Anna/Intro/")))["publicSchedulingPage"]
    assert (by_path["headline"], by_path["mode"], by_path["isOffline"]) == ("Meet Anna", "ONLINE", False)
    assert by_path["hosts"] == [{"displayName": "Anna Albers", "isOffline": False}]
    assert by_path["hostTimeZone"] == "Europe/Berlin"
    for address in (by_path["url"], by_path["url"] + "?utm_source=x"):
        assert (await visitor.ask(PUBLIC, at={"url": address}))["publicSchedulingPage"] == by_path
    own = {"slug": {"slug": "anna/intro", "host": served.url.removeprefix("http://")}}
    assert (await visitor.ask(PUBLIC, at=own))["publicSchedulingPage"] == by_path
    for nowhere in (
        {"url": "https://evil.example/p/anna/intro"},
        {"url": f"{served.url}/b/anna/intro"},
        {"slug": {"slug": "anna/intro", "host": "evil.example"}},
        {"slug": {"slug": ""}},
        {"slug": {"slug": "x" * 10_000}},
    ):
        assert (await visitor.ask(PUBLIC, at=nowhere))["publicSchedulingPage"] is None
    for neither in ({}, {"url": by_path["url"], **page()}, {"slug": None}):
        with pytest.raises(TopLevelErrors):
            await visitor.ask(PUBLIC, at=neither)


async def test_availability_gives_days_counts_and_the_slots_of_chosen_days(served: Product, visitor: ApiClient) -> None:
    await online(served)
    later = (working_day() + timedelta(days=1)).date().isoformat()
    found = (await visitor.ask(AVAILABILITY, input=window(DAY, later), on=[DAY]))["availability"]
    [day] = found["days"]
    assert (day["date"], day["slotCount"], len(day["slots"])) == (DAY, 16, 16)
    assert day["slots"][-1] == {"start": at("16:30"), "end": at("17:00")}
    assert (found["mode"], found["freshness"], found["durationMinutes"]) == ("ONLINE", "LIVE", 30)
    assert found["nextAvailable"] == {"start": at("09:00")}
    assert len((await visitor.ask(AVAILABILITY, input=window(DAY, later)))["availability"]["days"]) == 2
    saturday = (working_day() + timedelta(days=3)).date().isoformat()
    empty = (await visitor.ask(AVAILABILITY, input=window(saturday)))["availability"]
    assert (empty["days"], empty["nextAvailable"]["start"] > saturday) == ([], True)
    other = (await visitor.ask(AVAILABILITY, input=window(DAY, page=page("nobody"))))["availability"]
    assert other is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"from": "2026-12-02", "to": "2026-12-01"}, "VALIDATION"),
        ({"from": "2026-12-01", "to": "2027-12-01"}, "VALIDATION"),
        ({"durationMinutes": 17}, "DURATION_NOT_OFFERED"),
        ({"rescheduleToken": "nonsense"}, "TOKEN_INVALID"),
        ({"timeZone": "Mars/X"}, "TIMEZONE_INVALID"),
    ],
)
async def test_a_window_that_cannot_be_says_why(
    served: Product, visitor: ApiClient, more: dict[str, object], reason: str
) -> None:
    await served.here.page()
    with pytest.raises(TopLevelErrors) as refused:
        await visitor.ask(AVAILABILITY, input=window(DAY) | more)
    assert refused.value.codes == ["BAD_USER_INPUT"]
    assert refused.value.errors[0]["extensions"]["reason"] == reason


async def test_the_time_of_a_booking_that_is_moved_counts_as_free(served: Product, visitor: ApiClient) -> None:
    await online(served)
    booked = (await visitor.ask(BOOK, input=book(at("10:00"))))["bookMeeting"]["booking"]
    count = "query($input: AvailabilityInput!) { availability(input: $input) { days { slotCount } } }"
    without = (await visitor.ask(count, input=window(DAY)))["availability"]["days"]
    moving = (await visitor.ask(count, input=window(DAY, rescheduleToken=booked["manageToken"])))["availability"][
        "days"
    ]
    assert (without, moving) == ([{"slotCount": 15}], [{"slotCount": 16}])


async def test_a_booking_shows_its_invitee_all_that_was_agreed(served: Product, visitor: ApiClient) -> None:
    await online(served, redirect_url="https://example.org/thanks", headline="Hello")
    booked = (await visitor.ask(BOOK, input=book(at("10:00"), locale="de")))["bookMeeting"]["booking"]
    question = """query($token: String!) { bookingByToken(token: $token) {
      status isOffline subject start end durationMinutes timeZone guests answers { key } consents { key } redirectUrl
      canCancelUntil canRescheduleUntil manageUrl location { kind }
      invitee { name firstName lastName email timeZone locale } page { headline }
      calendarLinks { ics google outlook office365 } cancellation { by } rescheduledFrom proposedStarts
    } }"""
    found = (await visitor.ask(question, token=booked["manageToken"]))["bookingByToken"]
    assert found["invitee"] == {
        "name": "Grace Hopper",
        "firstName": "Grace",
        "lastName": "Hopper",
        "email": "grace@example.org",
        "timeZone": "America/New_York",
        "locale": "de",
    }
    assert (found["status"], found["redirectUrl"], found["page"]) == (
        "CONFIRMED",
        "https://example.org/thanks",
        {"headline": "Hello"},
    )
    assert (found["canCancelUntil"], found["canRescheduleUntil"]) == (at("10:00"), at("10:00"))
    links = found["calendarLinks"]
    assert links["ics"] == f"{found['manageUrl']}.ics"
    compact = at("10:00").replace("-", "").replace(":", "")
    assert f"dates={compact}%2F" in links["google"]
    assert links["outlook"].startswith("https://outlook.live.com/")
    assert links["office365"].startswith("https://outlook.office.com/")
    for nonsense in ("", "x" * 48, booked["manageToken"][:-1] + "A", "é"):
        assert (await visitor.ask(question, token=nonsense))["bookingByToken"] in (None, found)
    assert (await visitor.ask(question, token="x" * 48))["bookingByToken"] is None


async def test_everything_private_is_null_or_refused_for_a_visitor(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await online(served)
    await visitor.ask(BOOK, input=book(at("10:00")))
    question = """{ viewer { user { id } account { id } calendarConnections { id }
      schedulingPages { nodes { id } } bookings { nodes { id } } } }"""
    mine = (await host.ask(question))["viewer"]
    ids = [mine["user"]["id"], mine["account"]["id"], mine["calendarConnections"][0]["id"]]
    ids += [mine["schedulingPages"]["nodes"][0]["id"], mine["bookings"]["nodes"][0]["id"]]
    kinds = [(await host.ask(NODE, id=each))["node"]["__typename"] for each in ids]
    assert kinds == ["User", "Account", "CalendarConnection", "SchedulingPage", "Booking"]
    several = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    asked = (await host.ask(several, ids=[ids[4], "nonsense", ids[0]]))["nodes"]
    assert asked == [{"id": ids[4]}, None, {"id": ids[0]}]
    assert (await visitor.ask("{ viewer { role } }"))["viewer"] is None
    assert (await visitor.ask(several, ids=ids))["nodes"] == [None] * 5
    with pytest.raises(TopLevelErrors):
        await host.ask(several, ids=["x"] * 101)


async def test_another_account_sees_none_of_it(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    await online(served)
    await visitor.ask(BOOK, input=book(at("10:00")))
    mine = (await host.ask("{ viewer { user { id } schedulingPages { nodes { id } } bookings { nodes { id } } } }"))[
        "viewer"
    ]
    tools = served.here.tools
    stranger = NewPerson("Eve", "eve@example.net", "a long password")
    await found_account(
        "Other", stranger, identities=tools.identities, passwords=tools.passwords, clock=served.here.clock
    )
    async with ApiClient(served.url) as eve:
        await eve.sign_in("eve@example.net", "a long password")
        for each in (mine["user"], mine["schedulingPages"]["nodes"][0], mine["bookings"]["nodes"][0]):
            assert (await eve.ask(NODE, id=each["id"]))["node"] is None
        question = "{ viewer { schedulingPages { totalCount } bookings(everybody: true) { totalCount } } }"
        assert (await eve.ask(question))["viewer"] == {
            "schedulingPages": {"totalCount": 0},
            "bookings": {"totalCount": 0},
        }


async def test_lists_come_in_pages_without_gap_or_repetition(served: Product, host: ApiClient) -> None:
    for number in range(5):
        await served.here.page(f"anna/{number}")
    question = """query($first: Int!, $after: String) { viewer { schedulingPages(first: $first, after: $after) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { slug } }
    } } }"""
    slugs, after = [], None
    for expected in (True, True, False):
        found = (await host.ask(question, first=2, after=after))["viewer"]["schedulingPages"]
        slugs += [edge["node"]["slug"] for edge in found["edges"]]
        info = found["pageInfo"]
        assert (info["hasNextPage"], info["hasPreviousPage"], found["totalCount"]) == (expected, after is not None, 5)
        assert info["endCursor"] == found["edges"][-1]["cursor"]
        after = info["endCursor"]
    assert slugs == [f"anna/{number}" for number in range(5)]
    for first, cursor in ((0, None), (101, None), (-1, None), (2, "nonsense"), (2, "")):
        with pytest.raises(TopLevelErrors) as refused:
            await host.ask(question, first=first, after=cursor)
        assert refused.value.codes == ["BAD_USER_INPUT"], (first, cursor)


async def test_members_see_their_bookings_and_admins_may_see_everybodys(served: Product, visitor: ApiClient) -> None:
    ben = await served.here.add_colleague("Ben", "ben@example.com")
    await served.here.add_colleague("Ada", "ada@example.com", Role.ADMIN)
    await served.here.page()
    await served.here.page("ben", owner=ben)
    await visitor.ask(REQUEST, input=request(at("10:00")))
    await visitor.ask(REQUEST, input=request(at("11:00"), page=page("ben")))
    everybody = "{ viewer { bookings(everybody: true) { totalCount nodes { host { name } page { slug } } } } }"
    on_pages = "{ viewer { schedulingPages { nodes { slug bookings { totalCount } } } } }"
    async with ApiClient(served.url) as member, ApiClient(served.url) as admin:
        await member.sign_in("ben@example.com")
        await admin.sign_in("ada@example.com")
        assert (await member.ask(BOOKINGS))["viewer"]["bookings"]["totalCount"] == 1
        assert (await admin.ask(BOOKINGS))["viewer"]["bookings"]["totalCount"] == 0
        with pytest.raises(TopLevelErrors) as refused:
            await member.ask(everybody)
        assert refused.value.codes == ["FORBIDDEN"]
        seen = (await admin.ask(everybody))["viewer"]["bookings"]["nodes"]
        assert {each["host"]["name"] for each in seen} == {"Anna Albers", "Ben"}
        counts = {
            each["slug"]: each["bookings"]["totalCount"]
            for each in (await member.ask(on_pages))["viewer"]["schedulingPages"]["nodes"]
        }
        assert counts == {"anna/intro": 0, "ben": 1}
        filtered = """{ viewer { bookings(status: [CONFIRMED]) { totalCount }
          requested: bookings(status: [REQUESTED], from: "2020-01-01T00:00:00Z") { totalCount }
          past: bookings(to: "2020-01-01T00:00:00Z") { totalCount } } }"""
        found = (await member.ask(filtered))["viewer"]
        assert [each["totalCount"] for each in found.values()] == [0, 1, 0]


async def test_the_default_page_is_the_chosen_one_else_the_oldest(served: Product, host: ApiClient) -> None:
    question = "{ viewer { defaultSchedulingPage { slug isDefault } schedulingPages { nodes { slug isDefault } } } }"
    assert (await host.ask(question))["viewer"]["defaultSchedulingPage"] is None
    await served.here.page("anna/1")
    await served.here.page("anna/2")
    found = (await host.ask(question))["viewer"]
    assert found["defaultSchedulingPage"] == {"slug": "anna/1", "isDefault": True}
    assert [each["isDefault"] for each in found["schedulingPages"]["nodes"]] == [True, False]


async def test_a_day_is_explained_to_those_who_may_edit_the_page(served: Product, host: ApiClient) -> None:
    await connected(served)
    ten = working_day().replace(hour=10)
    served.google.add_event(HOST_EMAIL, "Dentist", ten, ten + timedelta(hours=1))
    await served.here.sync()
    await served.here.page()
    question = """query($date: Date!) { viewer { schedulingPages { nodes {
      explain(date: $date) { from to reason source host }
    } } } }"""
    [own] = (await host.ask(question, date=DAY))["viewer"]["schedulingPages"]["nodes"]
    reasons = {each["reason"] for each in own["explain"]}
    assert {"OUTSIDE_HOURS", "BUSY"} <= reasons
    [busy] = [each for each in own["explain"] if each["reason"] == "BUSY"]
    assert (busy["to"], busy["host"]) == (at("11:00"), "Anna Albers")
    assert "Dentist" not in str(own)
    await served.here.add_colleague("Ben", "ben@example.com")
    async with ApiClient(served.url) as ben:
        await ben.sign_in("ben@example.com")
        answer = (await ben.send(question, date=DAY)).json()
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert answer["data"]["viewer"]["schedulingPages"]["nodes"] == [{"explain": None}]


async def test_a_calendar_account_is_shown_with_every_calendar_and_without_secrets(
    served: Product, host: ApiClient
) -> None:
    await connected(served)
    question = """{ viewer {
      calendarDisclosure(provider: GOOGLE, uses: [CALENDAR]) { version acceptedAt body: bodyMarkdown }
      calendarConnections { provider accountEmail status statusMessage needsAction connectedAt
        sync { phase processed total lastSyncedAt }
        availableCalendars { name primary canWrite timeZone helpUrl health }
        defaultCalendar { name isDefault } busyCalendars { name } }
    } server { version locales providers } }"""
    found = await host.ask(question)
    [connection] = found["viewer"]["calendarConnections"]
    assert (connection["provider"], connection["accountEmail"], connection["status"]) == (
        "GOOGLE",
        HOST_EMAIL,
        "ACTIVE",
    )
    assert (connection["sync"]["phase"], connection["sync"]["processed"], connection["sync"]["total"]) == ("IDLE", 1, 1)
    assert connection["sync"]["lastSyncedAt"]
    [calendar] = connection["availableCalendars"]
    assert calendar["helpUrl"].startswith("https://support.google.com/")
    assert (calendar["canWrite"], calendar["health"]) == (True, "READABLE")
    assert found["viewer"]["calendarDisclosure"]["acceptedAt"]
    assert found["server"]["providers"] == ["GOOGLE", "EXCHANGE"]
    lost = served.google.add_calendar(HOST_EMAIL, "Team")
    await served.here.select_everything()
    served.google.lose_access(HOST_EMAIL, lost)
    await served.here.sync()

    async def degraded_connection() -> dict[str, Any] | None:
        [connection] = (await host.ask(question))["viewer"]["calendarConnections"]
        return connection if connection["status"] == "DEGRADED" else None

    degraded = await until("the loss to be noticed", degraded_connection)  # the worker may have been reading just then
    assert degraded["needsAction"] == "GRANT_ACCESS"
    assert "Team" in degraded["statusMessage"]


# ---- how much is asked of the database -----------------------------------------------------------------------------


@contextmanager
def statements(served: Product) -> Iterator[list[str]]:
    """What the web part of the product reads meanwhile; its worker has a database of its own."""
    seen: list[str] = []
    engine = served.app.state.runtime.database._reading.sync_engine

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_the_deepest_lists_need_few_statements(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    await online(served)
    for number in range(12):
        await served.here.page(f"anna/{number}")
    for number in range(12):
        await visitor.ask(BOOK, input=book(at(f"{9 + number // 2}:{number % 2 * 30:02}")))
    deepest = """{ viewer { user { name } account { name } defaultSchedulingPage { slug }
      calendarConnections { sync { phase } }
      schedulingPages { totalCount nodes { mode isDefault isOffline organizer { name } theme { avatarUrl }
        hosts { user { name } calendarStatus } } }
      bookings { totalCount nodes { status host { name } hosts { name }
        page { slug mode organizer { name } hosts { user { name } } } } } } }"""
    await host.ask(deepest)
    with statements(served) as seen:
        found = (await host.ask(deepest))["viewer"]
    assert len(found["bookings"]["nodes"]) == 12
    assert len(found["schedulingPages"]["nodes"]) == 13
    asked = [statement for statement in seen if "SELECT" in statement.upper()]
    assert 1 <= len(asked) <= 15, "\n\n".join(asked)
