"""Links with answers filled in: signed, if wished for one meeting or for a time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from meetings.infrastructure.database.tables import meeting_links
from tests.api.documents import BOOK, PAGES, REQUEST, at, book, request
from tests.api.gates import LINK, codes
from tests.api.refusals import every_code_of
from tests.api.setting_up import online
from tests.databases import BOTH_DATABASES
from tests.product import ApiClient, Product

PUBLIC = """query($at: PageAddress!) {
  publicSchedulingPage(at: $at) { headline defaultDurationMinutes prefill { key values source } }
}"""
FREE = """query($input: AvailabilityInput!) { availability(input: $input) { days { slotCount } } }"""
GRACE = [{"key": "email", "values": ["grace@example.org"]}, {"key": "firstName", "values": ["Grace"]}]


async def link(host: ApiClient, **more: Any) -> dict[str, Any]:
    """A link to Anna's page."""
    page = (await host.ask(PAGES))["viewer"]["schedulingPages"]["nodes"][0]["id"]
    made: dict[str, Any] = (await host.ask(LINK, input={"pageId": page, **more}))["createMeetingLink"]
    assert made["errors"] == []
    return made


async def shown(visitor: ApiClient, **address: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await visitor.ask(PUBLIC, at=address))["publicSchedulingPage"]
    return found


async def booked(visitor: ApiClient, token: str, clock: str, **more: Any) -> dict[str, Any]:
    wish = book(at(clock), **{"page": {"linkToken": token}, **more})
    payload: dict[str, Any] = (await visitor.ask(BOOK, input=wish))["bookMeeting"]
    return payload


async def test_a_link_fills_in_the_form_without_a_word_of_it_in_its_address(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await online(served, durations_minutes=(30, 60))
    made = await link(host, prefill=GRACE, durationMinutes=60)
    assert made["url"].endswith(f"/anna/intro?link={made['token']}")
    assert "grace" not in made["url"]
    for address in ({"linkToken": made["token"]}, {"url": made["url"]}):
        page = await shown(visitor, **address)
        assert page == {
            "headline": "Meet Anna",
            "defaultDurationMinutes": 60,
            "prefill": [
                {"key": "firstName", "values": ["Grace"], "source": "LINK"},
                {"key": "email", "values": ["grace@example.org"], "source": "LINK"},
            ],
        }
    window = {"page": {"linkToken": made["token"]}, "from": at("10:00")[:10], "to": at("10:00")[:10]}
    free = await visitor.ask(FREE, input={**window, "timeZone": "Europe/Berlin"})
    assert free["availability"]["days"][0]["slotCount"] > 0
    for clock in ("10:00", "11:00"):
        assert (await booked(visitor, made["token"], clock))["errors"] == []
    assert (await visitor.http.get(made["url"])).status_code == 200


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_a_link_for_one_meeting_books_one_of_many_at_once(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await online(served)
    token = (await link(host, singleUse=True))["token"]
    clocks = ("10:00", "11:00", "12:00", "13:00")
    answers = await asyncio.gather(*(booked(visitor, token, clock, idempotencyKey=clock) for clock in clocks))
    won = [clock for clock, answer in zip(clocks, answers, strict=True) if answer["booking"]]
    assert len(won) == 1
    refused = [answer["errors"][0] for answer in answers if answer["errors"]]
    assert [(error["code"], error["path"]) for error in refused] == [
        ("TOKEN_INVALID", ["input", "page", "linkToken"])
    ] * 3
    again = await booked(visitor, token, won[0], idempotencyKey=won[0])
    assert again["errors"] == []
    assert await shown(visitor, linkToken=token) is None


async def test_a_link_that_has_ended_leads_nowhere_and_its_page_is_still_there(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await online(served)
    token = (await link(host, expiresAt=(datetime.now(UTC) + timedelta(hours=1)).isoformat()))["token"]
    assert await shown(visitor, linkToken=token) is not None
    async with served.here.runtime.database.transaction() as connection:
        await connection.execute(update(meeting_links).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert await shown(visitor, linkToken=token) is None
    assert codes(await booked(visitor, token, "10:00")) == ["TOKEN_INVALID"]
    assert await shown(visitor, slug={"slug": "anna/intro"}) is not None


async def test_a_request_uses_a_link_up_as_well(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    await served.here.page()
    token = (await link(host, singleUse=True))["token"]
    page = {"linkToken": token}
    first = (await visitor.ask(REQUEST, input=request(at("10:00"), page=page)))["requestMeeting"]
    second = (await visitor.ask(REQUEST, input=request(at("11:00"), page=page)))["requestMeeting"]
    assert (first["errors"], codes(second)) == ([], ["TOKEN_INVALID"])


async def test_any_other_token_finds_nothing(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    await online(served)
    token = (await link(host))["token"]
    other = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (other, token + "A", "", "x", "ü" * 40, token.swapcase()):
        assert await shown(visitor, linkToken=wrong) is None
        assert codes(await booked(visitor, wrong, "10:00")) == ["PAGE_NOT_FOUND"]


async def test_making_a_link_is_refused(served: Product, host: ApiClient) -> None:
    await served.here.page()
    page = (await host.ask(PAGES))["viewer"]["schedulingPages"]["nodes"][0]["id"]
    async with every_code_of(served, "createMeetingLink") as refused:
        await refused.one(host, LINK, "PAGE_NOT_FOUND", input={"pageId": "nonsense"})
        await refused.one(
            host,
            LINK,
            "DURATION_NOT_OFFERED",
            ["input", "durationMinutes"],
            input={"pageId": page, "durationMinutes": 17},
        )
        past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
        errors = await refused.all(
            host,
            LINK,
            input={
                "pageId": page,
                "expiresAt": past,
                "prefill": [{"key": "email", "values": ["no address"]}, {"key": "shoeSize", "values": ["43"]}],
            },
        )
        assert {(error["code"], *error["path"]) for error in errors} == {
            ("VALIDATION", "input", "expiresAt"),
            ("VALIDATION", "input", "prefill", "email"),
            ("FORM_FIELD_UNKNOWN", "input", "prefill", "shoeSize"),
        }
