"""What cannot be done with customer records over the API, and who cannot do it."""

from typing import Any

import pytest

from meetings.application.sign_in import NewPerson, found_account
from meetings.domain.user import Role
from tests.api.documents import BOOK, at, book
from tests.api.records import (
    CHANGE_MEETING,
    CONTACTS,
    CREATE_CONTACT,
    PLAN_MEETING,
    RECORD_NODE,
    UPDATE_CONTACT,
    codes,
    hours,
    made,
    planned,
)
from tests.api.refusals import every_code_of
from tests.api.setting_up import online
from tests.product import ApiClient, Product
from tests.waiting import until
from tests.world import PASSWORD

AWAY = "PROVIDER_UNAVAILABLE"  # the built-in records are never away alone; see tests/application/test_contacts.py
RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py


async def test_everything_that_create_contact_refuses(served: Product, host: ApiClient) -> None:
    async with every_code_of(served, "createContact", elsewhere={AWAY}) as refused:
        await refused.one(host, CREATE_CONTACT, "EMAIL_INVALID", ["email"], email="nobody")
        both = await refused.all(host, CREATE_CONTACT, email=" ", input={"firstName": "x" * 201})
        assert [error["path"] for error in both] == [["email"], ["input", "firstName"]]
        unknown = {"ownerId": "nobody"}
        await refused.one(host, CREATE_CONTACT, "NOT_FOUND", ["input", "ownerId"], email="a@b.example", input=unknown)


async def test_everything_that_update_contact_refuses(served: Product, host: ApiClient) -> None:
    vera = (await made(host))["id"]
    async with every_code_of(served, "updateContact", elsewhere={AWAY}) as refused:
        for nobody in ("", "nobody", vera[:-2], f"{vera}AA"):
            await refused.one(host, UPDATE_CONTACT, "NOT_FOUND", None, id=nobody, input={"company": "Acme"})
        for input, path in (({"company": "x\x00"}, "company"), ({"lastName": "x" * 201}, "lastName")):
            await refused.one(host, UPDATE_CONTACT, "VALIDATION", ["input", path], id=vera, input=input)
        await refused.one(host, UPDATE_CONTACT, "NOT_FOUND", ["input", "ownerId"], id=vera, input={"ownerId": vera})


async def test_everything_that_create_meeting_engagement_refuses(served: Product, host: ApiClient) -> None:
    vera = (await made(host))["id"]
    refusals: list[tuple[dict[str, Any], str, list[str]]] = [
        ({"title": " "}, "VALIDATION", ["title"]),
        ({"title": "x" * 251}, "VALIDATION", ["title"]),
        ({"body": "x" * 20_001}, "VALIDATION", ["body"]),
        ({"location": "x\x00"}, "VALIDATION", ["location"]),
        ({"end": at("10:00")}, "VALIDATION", ["end"]),
        ({"end": at("10:00", weeks=7)}, "VALIDATION", ["end"]),
        ({"attendees": ["a@b.example", "nobody"]}, "EMAIL_INVALID", ["attendees", "1"]),
        ({"attendees": [f"v{number}@b.example" for number in range(50)]}, "VALIDATION", ["attendees"]),
        ({"contactId": "nobody"}, "NOT_FOUND", ["contactId"]),
    ]
    async with every_code_of(served, "createMeetingEngagement", elsewhere={AWAY}) as refused:
        for more, code, path in refusals:
            input = {"contactId": vera, "title": "Intro", **hours(), **more}
            await refused.one(host, PLAN_MEETING, code, ["input", *path], input=input)


async def test_everything_that_update_meeting_engagement_refuses(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    meeting = (await planned(host, await made(host)))["id"]
    async with every_code_of(served, "updateMeetingEngagement", elsewhere={AWAY, RACES}) as refused:
        empty = {"title": None, "start": None, "end": None, "outcome": None, "contactId": None}
        every = await refused.all(host, CHANGE_MEETING, id=meeting, input=empty)
        assert {error["path"][1] for error in every} == set(empty)
        for input, code, path in (
            ({"end": at("09:00")}, "VALIDATION", ["end"]),
            ({"attendees": ["nobody"]}, "EMAIL_INVALID", ["attendees", "0"]),
            ({"contactId": "nobody"}, "NOT_FOUND", ["contactId"]),
        ):
            await refused.one(host, CHANGE_MEETING, code, ["input", *path], id=meeting, input=input)
        for nobody in ("nobody", meeting[:-2]):
            await refused.one(host, CHANGE_MEETING, "NOT_FOUND", ["id"], id=nobody, input={"title": "x"})


async def test_what_was_booked_is_changed_as_a_booking(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    await online(served)
    await visitor.ask(BOOK, input=book(at("09:00")))

    async def recorded() -> str | None:
        found = await host.ask("{ viewer { bookings { nodes { engagement { id } } } } }")
        [booking] = found["viewer"]["bookings"]["nodes"]
        return booking["engagement"]["id"] if booking["engagement"] else None

    meeting = await until("the booking to be on record", recorded)
    payload = (await host.ask(CHANGE_MEETING, id=meeting, input={"title": "x"}))["updateMeetingEngagement"]
    assert codes(payload) == [("VALIDATION", ["id"])]
    assert payload["errors"][0]["rule"] == "CANNOT_CHANGE"


async def test_only_who_holds_it_and_who_administers_change_a_meeting(served: Product, host: ApiClient) -> None:
    meeting = (await planned(host, await made(host)))["id"]
    await served.here.add_colleague("Ben", "ben@example.com")
    await served.here.add_colleague("Clara", "clara@example.com", Role.ADMIN)
    for email, expected in (("ben@example.com", [("NOT_FOUND", ["id"])]), ("clara@example.com", [])):
        async with served.visitor() as colleague:
            await colleague.sign_in(email, PASSWORD)
            payload = await colleague.ask(CHANGE_MEETING, id=meeting, input={"title": f"By {email}"})
            assert codes(payload["updateMeetingEngagement"]) == expected
    assert (await host.ask(RECORD_NODE, id=meeting))["node"]["title"] == "By clara@example.com"


async def test_another_account_sees_and_changes_none_of_it(served: Product, host: ApiClient) -> None:
    """TP-1: the same answer as for what does not exist."""
    vera = await made(host)
    meeting = await planned(host, vera)
    tools = served.here.tools
    eve = NewPerson("Eve", "eve@example.net", "a long password")
    await found_account("Other", eve, identities=tools.identities, passwords=tools.passwords, clock=served.here.clock)
    async with served.visitor() as stranger:
        await stranger.sign_in("eve@example.net", "a long password")
        for own in (vera["id"], meeting["id"]):
            assert (await stranger.ask(RECORD_NODE, id=own))["node"] is None
        found = await stranger.ask("query($id: ID!) { viewer { contact(id: $id) { id } } }", id=vera["id"])
        assert found == {"viewer": {"contact": None}}
        assert (await stranger.ask(CONTACTS, first=20))["viewer"]["contacts"]["nodes"] == []
        for document, variables, expected in (
            (UPDATE_CONTACT, {"id": vera["id"], "input": {"company": "Evil"}}, ("NOT_FOUND", None)),
            (CHANGE_MEETING, {"id": meeting["id"], "input": {"title": "Evil"}}, ("NOT_FOUND", ["id"])),
            (
                PLAN_MEETING,
                {"input": {"contactId": vera["id"], "title": "Evil", **hours()}},
                ("NOT_FOUND", ["input", "contactId"]),
            ),
        ):
            [payload] = (await stranger.ask(document, **variables)).values()
            assert codes(payload) == [expected]
        mine = await made(stranger, vera["email"])
        assert (mine["id"] != vera["id"], mine["company"]) == (True, None)
    assert (await host.ask(RECORD_NODE, id=meeting["id"]))["node"]["title"] == "Intro with Vera"


@pytest.mark.parametrize("first", [0, 101, -1])
async def test_a_page_of_an_impossible_size_is_refused(host: ApiClient, first: int) -> None:
    answer = (await host.send(CONTACTS, first=first)).json()
    assert answer["errors"][0]["extensions"]["code"] in ("BAD_USER_INPUT", "QUERY_TOO_COMPLEX")
