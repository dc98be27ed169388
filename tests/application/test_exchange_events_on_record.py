"""What is planned in an Exchange calendar takes its owner's time and goes on no record (S95, S97), until the account
lifts the limits (B-EX2)."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from meetings.application.ports.crm import ContactDetails, RecordedMeeting
from meetings.domain.engagement import MeetingOutcome, MeetingSource
from tests.application.conftest import EIGHT
from tests.mailboxes import AtExchange, at_exchange
from tests.world import HOST_EMAIL, World, berlin

TUESDAY = date(2035, 12, 4)
TEN, ELEVEN = berlin("2035-12-04 10:00"), berlin("2035-12-04 11:00")
TWO, THREE = berlin("2035-12-04 14:00"), berlin("2035-12-04 15:00")
GRACE = "grace@visitor.example"


@pytest.fixture
async def anna(sqlite_url: str) -> AsyncIterator[AtExchange]:
    """Anna with an Exchange mailbox, connected, and Grace, who is a contact."""
    async with at_exchange(sqlite_url, now=EIGHT) as anna:
        await (await anna.here.tools.crm_of(anna.here.anna.account_id)).put_contact(ContactDetails(GRACE))
        await anna.connect()
        yield anna


async def settled(here: World) -> None:
    await here.sync()
    await here.settle_down()


async def meetings(here: World) -> list[RecordedMeeting]:
    crm = await here.tools.crm_of(here.anna.account_id)
    page = await crm.timeline((await crm.known([GRACE]))[GRACE].id, first=100, after=None)
    return [entry for entry in page.items if isinstance(entry, RecordedMeeting)]


def asked_for_people(anna: AtExchange) -> list[Any]:
    """The questions that say who takes part."""
    return anna.exchange.requests_for("GetItem")


async def test_an_exchange_event_with_a_contact_is_busy_and_on_no_record(anna: AtExchange) -> None:
    """S97, X3."""
    page = await anna.here.page()
    event = anna.exchange.add_event(anna.calendar, "Offer", TEN, ELEVEN, attendees=(GRACE,))
    await settled(anna.here)
    assert not {"10:00", "10:30"} & set(await anna.here.offered(page, TUESDAY))
    assert await meetings(anna.here) == []
    anna.exchange.move_event(event, TWO, THREE)
    await settled(anna.here)
    offered = set(await anna.here.offered(page, TUESDAY))
    assert "10:00" in offered
    assert not {"14:00", "14:30"} & offered
    anna.exchange.cancel_event(event)
    await settled(anna.here)
    assert await meetings(anna.here) == []
    assert asked_for_people(anna) == []
    assert [row.reaction for row in await anna.here.unfinished()] == []


async def test_with_the_limits_lifted_it_is_on_record_and_followed(anna: AtExchange) -> None:
    """B-EX2: what was planned before is found as well, once anything happens in the calendar."""
    here = anna.here
    anna.exchange.add_event(anna.calendar, "Planned before", TWO, THREE, attendees=(GRACE,))
    await settled(here)
    await anna.lift_limits()
    event = anna.exchange.add_event(
        anna.calendar, "Offer", TEN, ELEVEN, attendees=(GRACE,), body="Bring the plan.", location="Room 1"
    )
    await settled(here)
    found = {meeting.title: meeting for meeting in await meetings(here)}
    assert set(found) == {"Planned before", "Offer"}
    offer = found["Offer"]
    assert (offer.start, offer.end, offer.body, offer.location) == (TEN, ELEVEN, "Bring the plan.", "Room 1")
    assert (offer.owners, offer.source) == ((HOST_EMAIL,), MeetingSource.CALENDAR)
    anna.exchange.move_event(event, berlin("2035-12-05 10:00"), berlin("2035-12-05 11:00"))
    await settled(here)
    moved = {meeting.title: meeting for meeting in await meetings(here)}["Offer"]
    assert (moved.id, moved.outcome) == (offer.id, MeetingOutcome.RESCHEDULED)
    assert moved.start == berlin("2035-12-05 10:00")
    anna.exchange.cancel_event(event)
    await settled(here)
    gone = {meeting.title: meeting for meeting in await meetings(here)}["Offer"]
    assert (gone.id, gone.outcome) == (offer.id, MeetingOutcome.CANCELLED)


async def test_with_the_limits_back_in_force_nothing_goes_on_record_any_more(anna: AtExchange) -> None:
    """S97."""
    here = anna.here
    await anna.lift_limits()
    event = anna.exchange.add_event(anna.calendar, "Offer", TEN, ELEVEN, attendees=(GRACE,))
    await settled(here)
    await anna.lift_limits(on=False)
    anna.exchange.change_event(event, subject="Unseen")
    anna.exchange.add_event(anna.calendar, "Another", TWO, THREE, attendees=(GRACE,))
    await settled(here)
    assert [meeting.title for meeting in await meetings(here)] == ["Offer"]


async def test_private_ones_and_all_but_the_first_of_a_series_stay_off_records(anna: AtExchange) -> None:
    """A-CR1, with the limits lifted."""
    here = anna.here
    await anna.lift_limits()
    anna.exchange.add_event(anna.calendar, "Doctor", TWO, THREE, attendees=(GRACE,), sensitivity="Private")
    anna.exchange.add_recurring(anna.calendar, "Weekly", TEN, ELEVEN, times=4, attendees=(GRACE,))
    await settled(here)
    assert [(meeting.title, meeting.start) for meeting in await meetings(here)] == [("Weekly", TEN)]


async def test_a_booking_in_an_exchange_calendar_is_no_second_meeting(anna: AtExchange) -> None:
    here = anna.here
    await anna.lift_limits()
    booking = await here.book(await here.page(), TEN, email=GRACE)
    await here.settle_down()
    await settled(here)
    assert [(meeting.key, meeting.source) for meeting in await meetings(here)] == [(booking.id, MeetingSource.PAGE)]
