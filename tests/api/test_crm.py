"""Customer records over the API: contacts, timelines, meetings made on a record."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from meetings.application.ports.crm import ContactDetails, MailDirection, MailRecord
from meetings.graphql.node_ids import Kind, to_id
from tests.api.documents import BOOK, REQUEST, at, book, request
from tests.api.records import (
    CHANGE_MEETING,
    CONTACT,
    CONTACTS,
    MEETING,
    RECORD_NODE,
    UPDATE_CONTACT,
    codes,
    hours,
    made,
    page_of,
    planned,
)
from tests.api.setting_up import connected, online
from tests.api.test_reading import statements
from tests.product import ApiClient, Product, TopLevelErrors
from tests.waiting import until
from tests.world import HOST_EMAIL, PASSWORD

# ---- contacts -----------------------------------------------------------------------------------------------------


async def test_a_contact_is_created_completed_changed_and_found(served: Product, host: ApiClient) -> None:
    anna = (await host.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    vera = await made(host, "Vera@visitors.example", firstName="Vera", ownerId=anna)
    assert (vera["name"], vera["ownerEmail"], vera["owner"]) == ("Vera", HOST_EMAIL, {"email": HOST_EMAIL})
    again = await made(host, "vera@VISITORS.example", lastName="Vogt", firstName=None)
    assert (again["id"], again["name"], again["email"]) == (vera["id"], "Vera Vogt", "Vera@visitors.example")
    changed = await host.ask(
        UPDATE_CONTACT, id=vera["id"], input={"company": " Acme ", "firstName": None, "ownerId": None}
    )
    contact = changed["updateContact"]["contact"]
    assert (contact["firstName"], contact["lastName"], contact["company"]) == (None, "Vogt", "Acme")
    assert (contact["ownerEmail"], contact["owner"]) == (None, None)
    assert (await host.ask(RECORD_NODE, id=vera["id"]))["node"] == {"__typename": "Contact", **contact}
    assert {key: value for key, value in (await page_of(host, vera)).items() if key != "timeline"} == contact


async def test_contacts_are_listed_newest_first_in_pages_and_searched(host: ApiClient) -> None:
    for number in range(5):
        await made(host, f"visitor{number}@visitors.example", company="Acme" if number % 2 else "Beta")
    seen: list[str] = []
    after = None
    while True:
        page = (await host.ask(CONTACTS, first=2, after=after))["viewer"]["contacts"]
        assert (page["totalCount"], len(page["edges"])) == (5, len(page["nodes"]))
        seen += [node["email"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [f"visitor{number}@visitors.example" for number in reversed(range(5))]
    found = (await host.ask(CONTACTS, first=20, query="acm"))["viewer"]["contacts"]
    assert [node["company"] for node in found["nodes"]] == ["Acme", "Acme"]
    with pytest.raises(TopLevelErrors) as refused:
        await host.ask(CONTACTS, first=20, after="no cursor")
    assert refused.value.codes == ["BAD_USER_INPUT"]


async def test_a_contact_that_does_not_exist_is_null_or_not_found(host: ApiClient) -> None:
    vera = await made(host)
    for nobody in ("", "nobody", vera["id"][:-2], f"{vera['id']}AA"):
        found = await host.ask("query($id: ID!) { viewer { contact(id: $id) { id } } node(id: $id) { id } }", id=nobody)
        assert found == {"viewer": {"contact": None}, "node": None}
        payload = (await host.ask(UPDATE_CONTACT, id=nobody, input={"company": "Acme"}))["updateContact"]
        assert codes(payload) == [("NOT_FOUND", None)]


# ---- bookings on record -------------------------------------------------------------------------------------------


async def test_a_booking_leads_to_its_contact_and_back(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    """A-CR3."""
    await online(served)
    assert (await visitor.ask(BOOK, input=book(at("09:00"))))["bookMeeting"]["errors"] == []
    document = f"""{{ viewer {{ bookings {{ nodes {{ id invitee {{ email }} contact {{ {CONTACT} }}
      engagement {{ {MEETING} }} }} }} }} }}"""

    async def recorded() -> dict[str, Any] | None:
        [booking] = (await host.ask(document))["viewer"]["bookings"]["nodes"]
        return booking if booking["engagement"] else None

    booking = await until("the booking to be on record", recorded)
    assert booking["contact"]["email"] == booking["invitee"]["email"]
    assert booking["contact"]["owner"] == {"email": HOST_EMAIL}
    engagement = booking["engagement"]
    assert engagement["booking"] == {"id": booking["id"], "status": "CONFIRMED"}
    assert (engagement["outcome"], engagement["source"], engagement["start"]) == ("SCHEDULED", "PAGE", at("09:00"))
    assert (engagement["owners"], engagement["invitationSent"]) == ([{"email": HOST_EMAIL}], True)
    assert engagement["calendarEventUrl"]
    [entry] = (await page_of(host, booking["contact"]))["timeline"]["nodes"]
    assert entry == {"__typename": "MeetingEngagement", **engagement}
    assert (await host.ask(RECORD_NODE, id=engagement["id"]))["node"] == entry
    refused = (await host.ask(CHANGE_MEETING, id=engagement["id"], input={"title": "x"}))["updateMeetingEngagement"]
    assert codes(refused) == [("VALIDATION", ["id"])]


async def test_bcr2_of_what_the_link_said_campaigns_are_kept_with_the_booking_and_all_else_is_dropped(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await online(served)
    kept = [{"key": "utm_source", "value": "letter"}, {"key": "utm_campaign", "value": "spring"}]
    dropped = [{"key": "hubspotutk", "value": "a cookie"}, {"key": "email", "value": "grace@example.org"}]
    wish = book(at("09:00"), utm=[kept[0], *dropped, kept[1]])
    assert (await visitor.ask(BOOK, input=wish))["bookMeeting"]["errors"] == []
    found = await host.ask("{ viewer { bookings { nodes { source { utm { key value } } } } } }")
    assert found["viewer"]["bookings"]["nodes"] == [{"source": {"utm": kept}}]


async def test_a_request_has_a_contact_and_no_meeting(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    """A-OF2."""
    await served.here.page()
    assert (await visitor.ask(REQUEST, input=request(at("09:00"))))["requestMeeting"]["errors"] == []
    document = (
        "{ viewer { bookings { nodes { status contact { email timeline { totalCount } } engagement { id } } } } }"
    )

    async def recorded() -> dict[str, Any] | None:
        [booking] = (await host.ask(document))["viewer"]["bookings"]["nodes"]
        return booking if booking["contact"] else None

    booking = await until("the contact to be on record", recorded)
    assert (booking["status"], booking["engagement"]) == ("REQUESTED", None)
    assert booking["contact"]["timeline"] == {"totalCount": 0}


async def test_a_colleague_sees_the_meeting_on_record_but_not_the_booking(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await online(served)
    await visitor.ask(BOOK, input=book(at("09:00")))
    await served.here.add_colleague("Ben", "ben@example.com")
    entries = f"nodes {{ ... on MeetingEngagement {{ {MEETING} }} }}"
    document = f"{{ viewer {{ contacts(first: 2) {{ nodes {{ timeline(first: 2) {{ {entries} }} }} }} }} }}"
    async with served.visitor() as ben:
        await ben.sign_in("ben@example.com", PASSWORD)

        async def recorded() -> dict[str, Any] | None:
            contacts = (await ben.ask(document))["viewer"]["contacts"]["nodes"]
            entries = [entry for contact in contacts for entry in contact["timeline"]["nodes"]]
            return entries[0] if entries else None

        entry = await until("the booking to be on record", recorded)
    assert (entry["booking"], entry["calendarEventUrl"]) == (None, None)
    assert entry["title"]


# ---- meetings made on a record ------------------------------------------------------------------------------------


async def test_a_meeting_made_on_a_record_invites_the_contact_once(served: Product, host: ApiClient) -> None:
    """S19 over the API."""
    await connected(served)
    vera = await made(host, firstName="Vera")
    engagement = await planned(host, vera, attendees=["willi@visitors.example"], body="See you.", location="Room 1")
    assert (engagement["invitationSent"], engagement["outcome"], engagement["source"]) == (True, "SCHEDULED", "RECORD")
    assert engagement["calendarEventUrl"]
    assert engagement["contacts"] == [{"email": "vera@visitors.example"}]
    [event] = served.here.events("Intro with Vera")
    assert {guest["email"] for guest in event["attendees"]} == {"vera@visitors.example", "willi@visitors.example"}
    [entry] = (await page_of(host, vera))["timeline"]["nodes"]
    assert entry == {"__typename": "MeetingEngagement", **engagement}
    assert (await host.ask(RECORD_NODE, id=engagement["id"]))["node"] == entry


async def test_without_a_calendar_it_stands_on_the_record_alone(served: Product, host: ApiClient) -> None:
    """S20."""
    engagement = await planned(host, vera := await made(host))
    assert (engagement["invitationSent"], engagement["calendarEventUrl"]) == (False, None)
    assert [entry["title"] for entry in (await page_of(host, vera))["timeline"]["nodes"]] == ["Intro with Vera"]
    assert served.mail.mails == ()


async def test_a_meeting_is_changed_and_its_outcome_told(served: Product, host: ApiClient) -> None:
    await connected(served)
    vera = await made(host)
    willi = await made(host, "willi@visitors.example")
    engagement = await planned(host, vera, body="See you.", attendees=["eve@visitors.example"])
    changes = {"title": "Moved", "start": at("14:00"), "body": None, "attendees": ["willi@visitors.example"]}
    payload = (await host.ask(CHANGE_MEETING, id=engagement["id"], input=changes))["updateMeetingEngagement"]
    assert payload["errors"] == []
    changed = payload["engagement"]
    assert (changed["title"], changed["body"]) == ("Moved", None)
    assert (changed["start"], changed["end"]) == (at("14:00"), at("15:00"))
    assert {contact["email"] for contact in changed["contacts"]} == {vera["email"], willi["email"]}

    async def moved() -> bool:
        found = served.here.events("Moved")
        return bool(found) and {guest["email"] for guest in found[0]["attendees"]} == {vera["email"], willi["email"]}

    await until("the event to follow", moved)
    assert [entry["title"] for entry in (await page_of(host, willi))["timeline"]["nodes"]] == ["Moved"]
    done = (await host.ask(CHANGE_MEETING, id=engagement["id"], input={"outcome": "NO_SHOW"}))[
        "updateMeetingEngagement"
    ]
    assert done["engagement"]["outcome"] == "NO_SHOW"


async def test_calendar_sync_is_on_once_a_calendar_is_connected_and_whoever_switches_it_off_invites_nobody(
    served: Product, host: ApiClient
) -> None:
    """A-CS2, X2."""
    await connected(served)
    assert (await host.ask("{ viewer { settings { calendarSync } } }"))["viewer"]["settings"] == {"calendarSync": True}
    switch = "mutation { updateSettings(input: {calendarSync: false}) { settings { calendarSync } errors { code } } }"
    assert (await host.ask(switch))["updateSettings"] == {"settings": {"calendarSync": False}, "errors": []}
    engagement = await planned(host, await made(host))
    assert (engagement["invitationSent"], served.here.events("Intro with Vera")) == (False, [])


# ---- pages and what they cost ---------------------------------------------------------------------------------------


async def test_a_timeline_is_walked_in_pages_meetings_and_mails_together(served: Product, host: ApiClient) -> None:
    vera = await made(host)
    for number in range(3):
        await planned(host, vera, title=f"Meeting {number}", **hours(f"1{number}:00", f"1{number}:30"))
        await logged(served, vera, number, owner=HOST_EMAIL)
    seen: list[str] = []
    after = None
    while True:
        timeline = (await page_of(host, vera, first=2, after=after))["timeline"]
        assert timeline["totalCount"] == 6
        seen += [entry.get("title") or entry["subject"] for entry in timeline["nodes"]]
        after = timeline["pageInfo"]["endCursor"]
        if not timeline["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["Mail 2", "Meeting 2", "Mail 1", "Meeting 1", "Mail 0", "Meeting 0"]
    mail = (await page_of(host, vera))["timeline"]["nodes"][0]
    assert (mail["direction"], mail["from"], mail["to"]) == ("INBOUND", vera["email"], [HOST_EMAIL])
    assert mail["owner"] == {"email": HOST_EMAIL}


async def test_a_page_of_contacts_with_their_timelines_needs_few_statements(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    """GQ-2: however many contacts and entries there are."""
    await online(served)
    for number in range(4):
        wish = book(at(f"{9 + number}:00"))
        wish["invitee"]["email"] = f"visitor{number}@visitors.example"
        assert (await visitor.ask(BOOK, input=wish))["bookMeeting"]["errors"] == []
    crm = await served.here.tools.crm_of(served.here.anna.account_id)
    for number in range(8):
        await crm.put_contact(ContactDetails(f"visitor{number}@visitors.example", owner=HOST_EMAIL))
    contacts = (await host.ask(CONTACTS, first=20))["viewer"]["contacts"]["nodes"]
    for contact in contacts:
        await planned(host, contact, sendInvitation=False)
    deepest = f"""{{ viewer {{ user {{ name }} contacts(first: 20) {{ totalCount nodes {{ {CONTACT}
      timeline(first: 5) {{ totalCount nodes {{ ... on MeetingEngagement {{ {MEETING} }} }} }} }} }} }} }}"""

    async def recorded() -> bool:
        nodes = (await host.ask(deepest))["viewer"]["contacts"]["nodes"]
        return sum(int(node["timeline"]["totalCount"]) for node in nodes) == 12

    await until("everything to be on record", recorded)
    with statements(served) as seen:
        found = (await host.ask(deepest))["viewer"]["contacts"]
    assert len(found["nodes"]) == 8
    asked = [statement for statement in seen if "SELECT" in statement.upper()]
    assert 1 <= len(asked) <= 15, "\n\n".join(asked)
    with statements(served) as seen:
        await page_of(host, contacts[-1])
    asked = [statement for statement in seen if "SELECT" in statement.upper()]
    assert 1 <= len(asked) <= 15, "\n\n".join(asked)


async def test_the_page_of_a_contact_needs_no_more_statements_for_many_entries_than_for_few(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    """GQ-2: bookings, meetings with others, and mails, of several people."""
    await online(served)
    vera = await made(host)

    async def happens(*hours_of_day: int) -> None:
        for hour in hours_of_day:
            colleague = await served.here.add_colleague(f"Colleague {hour}", f"colleague{hour}@example.com")
            willi = await made(host, f"willi{hour}@visitors.example", ownerId=to_id(Kind.USER, colleague.id))
            wish = book(at(f"{hour}:00"))
            wish["invitee"]["email"] = vera["email"]
            assert (await visitor.ask(BOOK, input=wish))["bookMeeting"]["errors"] == []
            await planned(host, vera, sendInvitation=False, attendees=[willi["email"]])
            await logged(served, vera, hour, owner=colleague.email)

        async def recorded() -> bool:
            return bool((await page_of(host, vera))["timeline"]["totalCount"] == 3 * wanted)

        await until("everything to be on record", recorded)

    async def asked() -> int:
        with statements(served) as seen:
            entries = (await page_of(host, vera))["timeline"]["nodes"]
        assert len(entries) == 3 * wanted
        return sum("SELECT" in statement.upper() for statement in seen)

    wanted = 1
    await happens(9)
    few = await asked()
    wanted = 6
    await happens(10, 11, 12, 13, 14)
    assert await asked() == few <= 15


async def logged(served: Product, contact: dict[str, Any], number: int, *, owner: str) -> None:
    """A mail of the contact's stands on record."""
    crm = await served.here.tools.crm_of(served.here.anna.account_id)
    known = (await crm.known([contact["email"]]))[contact["email"]]
    mail = MailRecord(
        key=uuid4(),
        contacts=(known.id,),
        owner=owner,
        direction=MailDirection.INBOUND,
        sender=contact["email"],
        recipients=(owner,),
        subject=f"Mail {number}",
        text="Hello",
        sent_at=datetime.fromisoformat(at(f"1{number % 10}:15")),
        message_id=f"<{number}@visitors.example>",
    )
    await crm.put_mail(mail)
