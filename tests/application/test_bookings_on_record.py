"""A booking on the record of whoever booked; and what a CRM that is away changes: nothing."""

import asyncio
from dataclasses import replace

import pytest

from meetings.application.answer_request import accept_request
from meetings.application.carry_out import carry_out
from meetings.application.change_booking import ByHost
from meetings.application.ports.crm import Contact, ContactDetails, Crm, RecordedMeeting
from meetings.domain.booking import BookedEvent, BookingChannel, BookingSource, BookingState
from meetings.domain.booking_form import FieldKind, FormField
from meetings.domain.engagement import MeetingOutcome, MeetingSource
from meetings.domain.page_settings import LocationKind, MeetingLocation
from tests.builders import a_booking
from tests.unreliable_crm import Line
from tests.world import HOST_EMAIL, World, berlin

TEN = berlin("2035-12-03 10:00")
ELEVEN = berlin("2035-12-03 11:00")
NOON = berlin("2035-12-03 12:00")
GRACE = "grace@example.org"


async def records(here: World) -> Crm:
    return await here.tools.crm_of(here.anna.account_id)


async def contact_of(here: World, email: str = GRACE) -> Contact:
    return (await (await records(here)).known([email]))[email]


async def meetings_of(here: World, email: str = GRACE) -> list[RecordedMeeting]:
    """What stands on somebody's timeline, newest first."""
    crm = await records(here)
    page = await crm.timeline((await contact_of(here, email)).id, first=100, after=None)
    return [entry for entry in page.items if isinstance(entry, RecordedMeeting)]


def with_line(here: World) -> Line:
    """From here on the records are behind a line that may fail."""
    line = Line(here.tools.crm_of)
    here.tools = replace(here.tools, crm_of=line.crm_of)
    return line


# ---- what is written ----------------------------------------------------------------------------------------------


async def test_a_booking_makes_a_contact_and_one_meeting_owned_by_its_host(anywhere: World) -> None:
    """A-CR3, A-CR9."""
    here = anywhere
    await here.connect()
    page = await here.page(location=MeetingLocation(LocationKind.VIDEO))
    booking = await here.book(page, TEN)
    await here.settle_down()
    contact = await contact_of(here)
    assert (contact.first_name, contact.last_name, contact.owner) == ("Grace", "Hopper", HOST_EMAIL)
    [meeting] = await meetings_of(here)
    assert (meeting.key, meeting.contacts, meeting.owners) == (booking.id, (contact.id,), (HOST_EMAIL,))
    assert (meeting.title, meeting.start, meeting.end) == (booking.title, booking.start, booking.end)
    assert (meeting.outcome, meeting.source) == (MeetingOutcome.SCHEDULED, MeetingSource.PAGE)
    assert booking.event is not None
    assert meeting.join_url == booking.event.join_url
    assert meeting.join_url
    assert meeting.activity_type == "Intro"


async def test_the_record_says_where_one_meets_and_what_was_answered_and_holds_no_manage_link(here: World) -> None:
    """A-CR3."""
    await here.connect()
    page = await here.page(
        location=MeetingLocation(LocationKind.CUSTOM, "Room 1"),
        form_fields=(FormField("why", "What is it about?", FieldKind.SHORT_TEXT),),
    )
    booking = await here.book(page, TEN, answers={"why": ("Compilers",)})
    await here.settle_down()
    [meeting] = await meetings_of(here)
    assert meeting.location == "Room 1"
    assert meeting.body
    assert "What is it about?: Compilers" in meeting.body
    assert here.tools.links.manage_token(booking.id) not in meeting.body


async def test_a_meeting_booked_by_a_program_says_so(here: World) -> None:
    """A-CR3."""
    await here.connect()
    await here.book(await here.page(), TEN, source=BookingSource(BookingChannel.API))
    await here.settle_down()
    assert [meeting.source for meeting in await meetings_of(here)] == [MeetingSource.API]


async def test_answers_about_the_person_become_properties_of_the_contact(here: World) -> None:
    await here.connect()
    page = await here.page(
        form_fields=(
            FormField("firm", "Your company", FieldKind.SHORT_TEXT, contact_property="company"),
            FormField("tel", "Your phone", FieldKind.SHORT_TEXT, contact_property="phone"),
            FormField("why", "What is it about?", FieldKind.SHORT_TEXT),
        )
    )
    await here.book(page, TEN, answers={"firm": ("Navy",), "tel": ("+1 555 0100",), "why": ("Compilers",)})
    await here.settle_down()
    contact = await contact_of(here)
    assert (contact.company, contact.properties) == ("Navy", {"phone": "+1 555 0100"})


async def test_everybody_who_hosts_owns_the_meeting_the_first_being_responsible(here: World) -> None:
    """A-CR3, A-CR9."""
    ben = await here.add_colleague("Ben", "ben@example.com")
    page = await here.page()
    async with here.tools.begin(here.anna.account_id) as work:
        stored = await work.pages.get(page.page_id)
        booking = a_booking(stored, state=BookingState.PENDING, hosts=(ben.id, here.anna.id), start=TEN, end=ELEVEN)
        work.bookings.add(booking)
        await work.commit()
    async with here.tools.begin(here.anna.account_id) as work:
        (await work.bookings.get(booking.id)).confirm(BookedEvent("an event"), now=here.clock())
        await work.commit()
    await here.settle_down()
    [meeting] = await meetings_of(here, booking.invitee.email)
    assert meeting.owners == ("ben@example.com", HOST_EMAIL)
    assert (await contact_of(here, booking.invitee.email)).owner == "ben@example.com"


async def test_somebody_known_in_another_spelling_stays_one_contact_and_keeps_their_owner(anywhere: World) -> None:
    """A-CR4, A-CR9."""
    await anywhere.connect()
    before = await (await records(anywhere)).put_contact(
        ContactDetails("Grace@Example.ORG", company="Navy", owner="ben@example.com")
    )
    await anywhere.book(await anywhere.page(), TEN)
    await anywhere.settle_down()
    contact = await contact_of(anywhere)
    assert contact.id == before.id
    assert (contact.owner, contact.company, contact.first_name) == ("ben@example.com", "Navy", "Grace")
    assert (await (await records(anywhere)).contacts(None, first=10, after=None)).total == 1


async def test_first_bookings_of_one_person_at_the_same_moment_make_one_contact(anywhere: World) -> None:
    """A-CR4."""
    await anywhere.connect()
    page = await anywhere.page()
    for hour, email in enumerate((GRACE, "GRACE@example.org", "Grace@Example.org")):
        await anywhere.book(page, berlin(f"2035-12-03 1{hour}:00"), email=email)
    due = [await anywhere.tools.outbox.claim(each) for each in await anywhere.tools.outbox.due(100)]
    await asyncio.gather(*(carry_out(intent, anywhere.tools) for intent in due if intent))
    await anywhere.settle_down()
    assert (await (await records(anywhere)).contacts(None, first=10, after=None)).total == 1
    assert len(await meetings_of(anywhere)) == 3


# ---- what becomes of it -------------------------------------------------------------------------------------------


async def test_a_move_and_a_cancellation_change_the_one_meeting(anywhere: World) -> None:
    """A-BO10: dates change and the outcome says so; history stays."""
    here = anywhere
    await here.connect()
    booking = await here.book(await here.page(), TEN)
    await here.settle_down()
    booking = await here.move(booking, ELEVEN)
    await here.settle_down()
    [moved] = await meetings_of(here)
    assert (moved.start, moved.outcome) == (ELEVEN, MeetingOutcome.RESCHEDULED)
    await here.cancel(booking, by=ByHost(here.caller))
    await here.settle_down()
    [cancelled] = await meetings_of(here)
    assert (cancelled.id, cancelled.start, cancelled.outcome) == (moved.id, ELEVEN, MeetingOutcome.CANCELLED)


async def test_what_is_only_asked_for_makes_a_contact_and_no_meeting(anywhere: World) -> None:
    """A-OF2: declined or withdrawn it never becomes one."""
    here = anywhere
    page = await here.page()
    booking = await here.request(page, TEN, ELEVEN)
    await here.settle_down()
    assert (await contact_of(here)).owner == HOST_EMAIL
    assert await meetings_of(here) == []
    await here.cancel(booking)
    await here.settle_down()
    assert await meetings_of(here) == []


async def test_a_request_that_is_accepted_becomes_a_meeting(here: World) -> None:
    booking = await here.request(await here.page(), TEN, ELEVEN)
    await here.settle_down()
    await here.connect()
    tools = here.tools
    await accept_request(
        here.caller,
        booking.id,
        ELEVEN,
        begin=tools.begin,
        look=tools.look,
        calendars_of=tools.calendars_of,
        clock=here.clock,
        policy=tools.policy,
    )
    await here.settle_down()
    [meeting] = await meetings_of(here)
    assert (meeting.start, meeting.outcome) == (ELEVEN, MeetingOutcome.SCHEDULED)


async def test_a_booking_that_never_reached_the_calendar_is_no_meeting(here: World) -> None:
    await here.connect()
    page = await here.page()
    async with here.tools.begin(here.anna.account_id) as work:
        stored = await work.pages.get(page.page_id)
        booking = a_booking(stored, state=BookingState.PENDING, start=TEN, end=ELEVEN)
        work.bookings.add(booking)
        await work.commit()
    async with here.tools.begin(here.anna.account_id) as work:
        (await work.bookings.get(booking.id)).fail("refused", now=here.clock())
        await work.commit()
    await here.settle_down()
    assert await meetings_of(here, booking.invitee.email) == []


# ---- a CRM that is away -------------------------------------------------------------------------------------------


async def test_a_crm_that_is_away_delays_no_booking_and_gets_everything_later(anywhere: World) -> None:
    """A-CR8."""
    here = anywhere
    await here.connect()
    line = with_line(here)
    line.down = True
    booking = await here.book(await here.page(), TEN)
    assert booking.state is BookingState.CONFIRMED
    await here.carry_out_due()
    assert len(here.events()) == 1
    assert len(here.mails_to(GRACE)) == 1
    for _ in range(30):
        await here.passes(minutes=10)
        await here.carry_out_due()
    assert len(line.calls) > 20
    assert {row.reaction for row in await here.unfinished()} == {"log_booking"}
    line.down = False
    await here.passes(minutes=10)
    await here.settle_down()
    assert [meeting.key for meeting in await meetings_of(here)] == [booking.id]
    assert await here.unfinished() == []
    assert len(here.mails_to(GRACE)) == 1


async def test_what_happened_while_it_was_away_arrives_as_it_stands_now(here: World) -> None:
    await here.connect()
    line = with_line(here)
    line.down = True
    booking = await here.book(await here.page(), TEN)
    booking = await here.move(booking, ELEVEN)
    booking = await here.move(booking, NOON)
    await here.cancel(booking, by=ByHost(here.caller))
    await here.carry_out_due()
    line.down = False
    await here.passes(minutes=10)
    await here.settle_down()
    [meeting] = await meetings_of(here)
    assert (meeting.start, meeting.outcome) == (NOON, MeetingOutcome.CANCELLED)


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_answers_that_are_lost_leave_one_contact_and_one_meeting(anywhere: World, lost: int) -> None:
    """PW-5."""
    await anywhere.connect()
    line = with_line(anywhere)
    line.answers_lost = lost
    await anywhere.book(await anywhere.page(), TEN)
    for _ in range(5):
        await anywhere.settle_down()
        await anywhere.passes(minutes=10)
    assert line.answers_lost == 0
    assert len(await meetings_of(anywhere)) == 1
    assert (await (await records(anywhere)).contacts(None, first=10, after=None)).total == 1


async def test_an_address_the_records_refuse_is_listed_for_people_and_stops_nobody(here: World) -> None:
    await here.connect()
    page = await here.page()
    booking = await here.book(page, TEN)
    async with here.tools.begin(here.anna.account_id) as work:
        stored = await work.bookings.get(booking.id)
        stored.invitee = replace(stored.invitee, email="no address")
        await work.commit()
    await here.settle_down()
    [dead] = [each for each in await here.tools.outbox.dead(here.anna.account_id, 10) if each.reaction == "log_booking"]
    assert dead.error == "RecordRefused: email is not accepted"
    await here.book(page, ELEVEN)
    await here.settle_down()
    assert len(await meetings_of(here)) == 1
