"""Meetings on record with a calendar at each provider: one conversation with the API per statement (S18 to S20, S96,
S97), and what the providers are not asked."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.at_providers import CALENDARS, Anna, at_provider
from tests.api.documents import AVAILABILITY, FULL_SYNC, at, window, working_day
from tests.api.records import hours, made, planned
from tests.contracts.calendars.exchange_world import ExchangeWorld
from tests.databases import Simulators

HOUR = timedelta(hours=1)
TEN, TWO = datetime.fromisoformat(at("10:00")), datetime.fromisoformat(at("14:00"))
SYNCED = "{ viewer { settings { calendarSync } } }"
SWITCH = "mutation($on: Boolean) { updateSettings(input: {calendarSync: $on}) { errors { code } } }"
WITH_SYNC = pytest.mark.parametrize("anna", ["google", "office365"], indirect=True)
AT_EXCHANGE = pytest.mark.parametrize("anna", ["exchange"], indirect=True)


@pytest.fixture(params=CALENDARS)
async def anna(request: pytest.FixtureRequest, database_url: str, simulators: Simulators) -> AsyncIterator[Anna]:
    """Anna at each provider in turn, not connected yet."""
    async with at_provider(request.param, database_url, simulators) as found:
        yield found


def plan(anna: Anna, title: str, contact: dict[str, Any], **more: Any) -> str:
    """Anna plans an hour with a contact in her own calendar."""
    place = anna.calendar
    return place.plan(place.primary, title, TEN, TEN + HOUR, guests=[contact["email"]], **more)


async def times(anna: Anna) -> set[str]:
    """What Anna's page offers on the day."""
    day = working_day().date().isoformat()
    async with anna.served.visitor() as visitor:
        found = (await visitor.ask(AVAILABILITY, input=window(day)))["availability"]
    return {slot["start"] for each in found["days"] for slot in each["slots"]}


# ---- from the calendar to the record ------------------------------------------------------------------------------


@WITH_SYNC
async def test_s18_an_event_made_in_the_calendar_with_a_contact_is_one_meeting_on_their_record(anna: Anna) -> None:
    """A-CS2: sync is on once a calendar is connected; A-CR2: edits are followed; S18: read again, it is still one."""
    vera = await made(anna.host)
    await anna.connect()
    assert (await anna.host.ask(SYNCED))["viewer"]["settings"] == {"calendarSync": True}
    place, event = anna.calendar, plan(anna, "Offer", vera, text="Bring the plan.")
    for _ in range(2):
        await anna.follow_up()
    [meeting] = await anna.timeline(vera)
    assert (meeting["title"], meeting["start"], meeting["end"]) == ("Offer", at("10:00"), at("11:00"))
    assert (meeting["body"], meeting["outcome"], meeting["source"]) == ("Bring the plan.", "SCHEDULED", "CALENDAR")
    assert (meeting["contacts"], meeting["owners"]) == ([{"email": vera["email"]}], [{"email": "anna@example.com"}])
    place.replan(place.primary, event, title="Better offer")
    place.move_event(place.primary, event, TWO, TWO + HOUR)
    place.expire_cursors(place.primary)
    await anna.follow_up()
    [moved] = await anna.timeline(vera)
    assert (moved["id"], moved["title"], moved["start"], moved["end"]) == (
        meeting["id"],
        "Better offer",
        at("14:00"),
        at("15:00"),
    )
    assert anna.served.mail.mails == ()


@AT_EXCHANGE
async def test_s97_an_event_made_in_an_exchange_calendar_is_busy_and_on_no_record(anna: Anna) -> None:
    """X3; B-EX2: until the account lifts the limits."""
    vera = await made(anna.host)
    await anna.connect()
    await anna.served.here.page()
    assert at("10:00") in await times(anna)
    plan(anna, "Offer", vera)
    await anna.follow_up()
    assert not {at("10:00"), at("10:30")} & await times(anna)
    assert await anna.timeline(vera) == []
    assert isinstance(anna.place, ExchangeWorld)
    assert anna.place.exchange.requests_for("GetItem") == []  # which would tell who takes part
    await anna.lift_limits()
    plan(anna, "Another", vera)
    await anna.follow_up()
    assert {meeting["title"] for meeting in await anna.timeline(vera)} == {"Offer", "Another"}


# ---- from the record to the calendar ------------------------------------------------------------------------------


@WITH_SYNC
async def test_s19_a_meeting_made_on_a_record_reaches_the_contact_as_an_invitation(anna: Anna) -> None:
    """And its echo from the calendar is no second one."""
    vera = await made(anna.host)
    await anna.connect()
    meeting = await planned(anna.host, vera, body="See you.")
    assert (meeting["invitationSent"], meeting["source"]) == (True, "RECORD")
    place = anna.calendar
    for _ in range(2):
        place.expire_cursors(place.primary)
        await anna.follow_up()
    [event] = place.seen(place.primary)
    assert (event.title, event.start, event.end, event.guests) == (
        "Intro with Vera",
        TEN,
        TEN + HOUR,
        frozenset({vera["email"]}),
    )
    assert place.invitations() == [(vera["email"], "invitation")]
    assert [entry["id"] for entry in await anna.timeline(vera)] == [meeting["id"]]
    assert anna.served.mail.mails == ()


async def stays_on_the_record(anna: Anna) -> None:
    """A meeting is made on a record: no provider is called, nobody gets a mail, and the record has it."""
    vera, place = await made(anna.host), anna.calendar
    before = place.calls()
    meeting = await planned(anna.host, vera)
    await anna.served.here.settle_down()
    assert place.calls() == before
    assert (place.seen(place.primary), place.invitations(), anna.served.mail.mails) == ([], [], ())
    assert (meeting["invitationSent"], meeting["calendarEventUrl"]) == (False, None)
    assert [entry["id"] for entry in await anna.timeline(vera)] == [meeting["id"]]


async def test_s20_without_a_calendar_a_meeting_made_on_a_record_stays_there(anna: Anna) -> None:
    await stays_on_the_record(anna)
    assert anna.calendar.calls() == 0


@WITH_SYNC
async def test_s20_with_sync_off_a_meeting_made_on_a_record_stays_there(anna: Anna) -> None:
    """X2."""
    await anna.connect()
    assert (await anna.host.ask(SWITCH, on=False))["updateSettings"]["errors"] == []
    await stays_on_the_record(anna)


@AT_EXCHANGE
async def test_s96_with_exchange_a_meeting_made_on_a_record_stays_there(anna: Anna) -> None:
    """B-EX2: until the account lifts the limits, and again once they are back."""
    await anna.connect()
    await stays_on_the_record(anna)
    await anna.lift_limits()
    place, willi = anna.calendar, await made(anna.host, "willi@visitors.example")
    assert (await planned(anna.host, willi, **hours("15:00", "16:00")))["invitationSent"] is True
    [event] = place.seen(place.primary)
    assert event.guests == {willi["email"]}
    assert (await anna.host.ask(FULL_SYNC, on=False))["setExchangeFullSync"]["errors"] == []
    assert (await planned(anna.host, willi, **hours("16:00", "17:00")))["invitationSent"] is False
    assert len(place.seen(place.primary)) == 1
