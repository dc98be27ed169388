"""Meetings made on a contact's record, with a calendar at every provider, with sync switched off, and without one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from meetings.application.account_settings import switch_exchange_full_sync
from meetings.application.change_engagement import ChangeEngagement, change_engagement
from meetings.application.change_settings import change_settings
from meetings.application.create_engagement import CreateEngagement, create_engagement
from meetings.application.ports.crm import ContactDetails, RecordedMeeting
from meetings.domain.calendar_connection import Provider
from meetings.domain.engagement import MeetingEngagement, MeetingOutcome, MeetingSource, MeetingText
from meetings.domain.identifiers import EngagementId
from meetings.domain.scheduling_page import SlotTaken
from tests.contracts.calendars.world import CalendarWorld
from tests.databases import Simulators, simulators
from tests.hosted import Hosted, hosted, place
from tests.unreliable_crm import Line
from tests.world import HOST_EMAIL, World

__all__ = ["place", "simulators"]

VERA = "vera@visitors.example"
WILLI = "willi@visitors.example"


def next_monday() -> date:
    today = datetime.now(UTC).date()
    return today + timedelta(days=7 - today.weekday() + 7)


TEN = datetime.combine(next_monday(), time(10), UTC)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
async def anna(sqlite_url: str, place: CalendarWorld, simulators: Simulators) -> AsyncIterator[Hosted]:
    """Anna at each provider in turn, not connected yet; Vera is on record."""
    async with hosted(sqlite_url, place, simulators) as started:
        await (await started.here.tools.crm_of(started.here.anna.account_id)).put_contact(
            ContactDetails(VERA, first_name="Vera")
        )
        yield started


async def plan(here: World, **more: Any) -> EngagementId:
    """Anna plans an hour with Vera on her record, and workers do what follows."""
    crm = await here.tools.crm_of(here.anna.account_id)
    given = {
        "contact": (await crm.known([VERA]))[VERA].id,
        "attendees": (),
        "text": MeetingText("Intro with Vera", "See you.", "Room 1"),
        "start": TEN,
        "end": TEN + HOUR,
    }
    planned = await create_engagement(
        CreateEngagement(**{**given, **more}),
        caller=here.caller,
        begin=here.tools.begin,
        crm_of=here.tools.crm_of,
        clock=here.clock,
    )
    await follow_up(here)
    return planned


async def change(here: World, engagement: EngagementId, **changes: Any) -> None:
    tools = here.tools
    await change_engagement(
        engagement,
        ChangeEngagement(**changes),
        caller=here.caller,
        begin=tools.begin,
        look=tools.look,
        crm_of=tools.crm_of,
        clock=here.clock,
    )
    await follow_up(here)


async def follow_up(here: World) -> None:
    """What follows from changes; no calendar is read."""
    while await here.carry_out_due():
        pass


async def stored(here: World, engagement: EngagementId) -> MeetingEngagement:
    async with here.tools.look(here.anna.account_id) as work:
        return await work.engagements.get(engagement)


async def on_record(here: World, email: str = VERA) -> list[RecordedMeeting]:
    crm = await here.tools.crm_of(here.anna.account_id)
    contact = (await crm.known([email]))[email]
    page = await crm.timeline(contact.id, first=100, after=None)
    return [entry for entry in page.items if isinstance(entry, RecordedMeeting)]


async def switch_sync(here: World, *, on: bool) -> None:
    await change_settings(
        lambda settings: replace(settings, calendar_sync=on),
        caller=here.caller,
        begin=here.tools.begin,
        clock=here.clock,
    )


def invites(anna: Hosted) -> bool:
    """Whether meetings on a record are sent to this provider's calendars."""
    return anna.provider is not Provider.EXCHANGE


# ---- made on a record ---------------------------------------------------------------------------------------------


async def test_it_is_sent_as_an_invitation_where_the_provider_can_and_stays_on_the_record_elsewhere(
    anna: Hosted,
) -> None:
    """S19; S96 for Exchange: zero calls, no invitation."""
    await anna.connect()
    before = anna.place.calls()
    planned = await plan(anna.here)
    [meeting] = await on_record(anna.here)
    assert (meeting.key, meeting.owners, meeting.source) == (planned, (HOST_EMAIL,), MeetingSource.RECORD)
    assert (meeting.title, meeting.body, meeting.location) == ("Intro with Vera", "See you.", "Room 1")
    assert (meeting.start, meeting.end, meeting.outcome) == (TEN, TEN + HOUR, MeetingOutcome.SCHEDULED)
    assert anna.here.mail.mails == ()
    if not invites(anna):
        assert (anna.place.calls(), anna.events(), anna.place.invitations()) == (before, [], [])
        assert not (await stored(anna.here, planned)).invites
        return
    [event] = anna.events()
    assert (event.title, event.start, event.end, event.guests) == (
        "Intro with Vera",
        TEN,
        TEN + HOUR,
        frozenset({VERA}),
    )
    assert event.location == "Room 1"
    assert "See you." in event.description
    assert anna.place.invitations() == [(VERA, "invitation")]


async def test_reading_the_calendar_makes_no_second_meeting_of_it(anna: Hosted) -> None:
    """S19: no echo duplicate, neither by changes nor by a whole read."""
    await anna.connect()
    await plan(anna.here)
    await anna.here.sync()
    await anna.here.settle_down()
    anna.place.expire_cursors(anna.place.primary)
    await anna.here.sync()
    await anna.here.settle_down()
    assert len(await on_record(anna.here)) == 1
    assert len(anna.events()) == (1 if invites(anna) else 0)


async def test_with_sync_off_it_stays_on_the_record(anna: Hosted) -> None:
    """X2: connected, but switched off, is as not connected."""
    await anna.connect()
    await switch_sync(anna.here, on=False)
    before = anna.place.calls()
    await plan(anna.here)
    assert len(await on_record(anna.here)) == 1
    assert (anna.place.calls(), anna.events(), anna.place.invitations()) == (before, [], [])
    assert anna.here.mail.mails == ()


async def test_without_a_calendar_it_stays_on_the_record(anna: Hosted) -> None:
    """S20: provider calls zero, mails zero, engagement one."""
    before = anna.place.calls()
    await plan(anna.here)
    assert len(await on_record(anna.here)) == 1
    assert (anna.place.calls(), anna.events(), anna.place.invitations()) == (before, [], [])
    assert anna.here.mail.mails == ()


async def test_a_calendar_that_was_disconnected_is_none(anna: Hosted) -> None:
    await anna.connect()
    await anna.here.disconnect()
    before = anna.place.calls()
    planned = await plan(anna.here)
    assert (anna.place.calls(), anna.events()) == (before, [])
    assert not (await stored(anna.here, planned)).invites


async def test_whoever_asks_for_no_invitation_sends_none(anna: Hosted) -> None:
    await anna.connect()
    await plan(anna.here, invite=False)
    assert len(await on_record(anna.here)) == 1
    assert (anna.events(), anna.place.invitations()) == ([], [])


async def test_others_who_come_are_invited_and_become_no_contacts(anna: Hosted) -> None:
    await anna.connect()
    await plan(anna.here, attendees=(WILLI, VERA.upper()))
    crm = await anna.here.tools.crm_of(anna.here.anna.account_id)
    assert await crm.known([WILLI]) == {}
    if invites(anna):
        [event] = anna.events()
        assert event.guests == {VERA, WILLI}


async def test_an_account_that_lifted_the_limits_of_exchange_invites_from_there_too(anna: Hosted) -> None:
    """B-EX2."""
    here = anna.here
    await anna.connect()
    await switch_exchange_full_sync(on=True, caller=here.caller, begin=here.tools.begin, clock=here.clock)
    await plan(here)
    [event] = anna.events()
    assert event.guests == {VERA}


# ---- and what becomes of it ---------------------------------------------------------------------------------------


async def test_changes_reach_record_and_calendar_and_cancelling_tells_the_contact(anna: Hosted) -> None:
    """S19; S96 for Exchange."""
    here = anna.here
    await anna.connect()
    planned = await plan(here)
    await change(here, planned, title="Another title", start=TEN + HOUR)
    [meeting] = await on_record(here)
    assert (meeting.title, meeting.start, meeting.end) == ("Another title", TEN + HOUR, TEN + 2 * HOUR)
    if invites(anna):
        [event] = anna.events()
        assert (event.title, event.start, event.guests) == ("Another title", TEN + HOUR, frozenset({VERA}))
    await change(here, planned, outcome=MeetingOutcome.CANCELLED)
    [meeting] = await on_record(here)
    assert meeting.outcome is MeetingOutcome.CANCELLED
    assert anna.events() == []
    if invites(anna):
        assert anna.place.invitations()[-1] == (VERA, "cancellation")


async def test_a_meeting_that_takes_place_after_all_is_sent_again(anna: Hosted) -> None:
    here = anna.here
    await anna.connect()
    planned = await plan(here)
    await change(here, planned, outcome=MeetingOutcome.CANCELLED)
    await change(here, planned, outcome=MeetingOutcome.SCHEDULED)
    assert [meeting.outcome for meeting in await on_record(here)] == [MeetingOutcome.SCHEDULED]
    assert len(anna.events()) == (1 if invites(anna) else 0)


async def test_saying_that_it_took_place_leaves_the_calendar_as_it_is(anna: Hosted) -> None:
    here = anna.here
    await anna.connect()
    planned = await plan(here)
    mails = anna.place.invitations()
    await change(here, planned, outcome=MeetingOutcome.COMPLETED)
    assert [meeting.outcome for meeting in await on_record(here)] == [MeetingOutcome.COMPLETED]
    assert len(anna.events()) == (1 if invites(anna) else 0)
    assert not [mail for mail in anna.place.invitations()[len(mails) :] if mail[1] == "cancellation"]


async def test_an_event_that_its_owner_removed_calls_the_meeting_off(anna: Hosted) -> None:
    here = anna.here
    await anna.connect()
    planned = await plan(here)
    engagement = await stored(here, planned)
    if not invites(anna):
        assert engagement.event is None
        return
    assert engagement.event is not None
    anna.place.cancel_event(anna.place.primary, engagement.event.event_id)
    await change(here, planned, title="Another title")
    assert [meeting.outcome for meeting in await on_record(here)] == [MeetingOutcome.CANCELLED]
    assert anna.events() == []


async def test_its_time_is_offered_to_nobody_else(anna: Hosted) -> None:
    """It is an event like any other: no guard of bookings knows it, the calendar does (BK-8)."""
    here = anna.here
    await anna.connect()
    page = await here.page()
    day = TEN.date()
    free = await here.offered(page, day)
    await plan(here)
    if not invites(anna):
        assert await here.offered(page, day) == free
        return
    with pytest.raises(SlotTaken):  # the copy of the calendar does not know it yet, the calendar does
        await here.book(page, TEN)
    await here.sync()
    taken = {f"{each.astimezone(BERLIN):%H:%M}" for each in (TEN, TEN + HOUR / 2)}
    assert set(free) - set(await here.offered(page, day)) == taken


# ---- systems that fail --------------------------------------------------------------------------------------------


async def test_answers_that_are_lost_make_no_second_event_and_no_second_meeting(anna: Hosted) -> None:
    """PW-5."""
    here = anna.here
    await anna.connect()
    anna.place.lose_answers(1)
    line = Line(here.tools.crm_of, answers_lost=1)
    planned = await plan(here)
    here.tools = replace(here.tools, crm_of=line.crm_of)
    await change(here, planned, title="Another title")
    for _ in range(6):
        await here.passes(minutes=11)
        await here.settle_down()
    assert [meeting.title for meeting in await on_record(here)] == ["Another title"]
    assert [event.title for event in anna.events()] == (["Another title"] if invites(anna) else [])


async def test_a_crm_that_goes_away_keeps_nobody_from_being_invited(anna: Hosted) -> None:
    """A-CR8."""
    here = anna.here
    await anna.connect()
    planned = await plan(here)
    line = Line(here.tools.crm_of, down=True)
    here.tools = replace(here.tools, crm_of=line.crm_of)
    tools = here.tools
    async with tools.begin(here.anna.account_id) as work:
        (await work.engagements.get(planned)).change(text=MeetingText("Another title"), now=here.clock())
        await work.commit()
    await follow_up(here)
    assert [event.title for event in anna.events()] == (["Another title"] if invites(anna) else [])
    line.down = False
    for _ in range(2):
        await here.passes(minutes=11)
        await follow_up(here)
    assert [meeting.title for meeting in await on_record(here)] == ["Another title"]


async def test_two_changes_at_once_end_as_one_of_them_everywhere(anna: Hosted) -> None:
    here = anna.here
    await anna.connect()
    planned = await plan(here)
    tools = here.tools

    async def rename(title: str) -> None:
        async with tools.begin(here.anna.account_id) as work:
            (await work.engagements.get(planned)).change(text=MeetingText(title), now=here.clock())
            await work.commit()

    await asyncio.gather(*(rename(f"Title {number}") for number in range(3)), return_exceptions=True)
    await follow_up(here)
    [meeting] = await on_record(here)
    assert meeting.title == (await stored(here, planned)).text.title
    assert [event.title for event in anna.events()] == ([meeting.title] if invites(anna) else [])
