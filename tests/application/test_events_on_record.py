"""What people plan in their own calendars with contacts stands on the contacts' records (S18, A-CR1, A-CR2, B-CR1).

Every statement holds for Google and for Office 365.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from meetings.application.account_settings import choose_internal_domains
from meetings.application.carry_out import carry_out
from meetings.application.manage_connection import choose_default_calendar
from meetings.application.ports.crm import Contact, Crm
from meetings.domain.booking_form import GuestPolicy
from meetings.domain.engagement import MeetingOutcome, MeetingSource
from meetings.domain.identifiers import AccountId
from meetings.infrastructure.database.tables import metadata
from tests.own_calendars import BEN_EMAIL, EVE, GRACE, HOUR, TEN, People, at_google, at_microsoft
from tests.unreliable_crm import Line, UnreliableCrm
from tests.world import HOST_EMAIL

WORLDS = {"google": at_google, "office365": at_microsoft}
NOON = TEN + 2 * HOUR


@pytest.fixture(params=WORLDS)
async def people(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[People]:
    async with WORLDS[request.param](sqlite_url) as found:
        yield found


@pytest.fixture
async def anywhere_people(database_url: str) -> AsyncIterator[People]:
    """At Google, once on each database: for what the database has a say in."""
    async with at_google(database_url) as found:
        yield found


# ---- S18 ----------------------------------------------------------------------------------------------------------


async def test_an_event_with_a_contact_becomes_one_meeting_on_their_record(people: People) -> None:
    """S18."""
    people.planner.plan(HOST_EMAIL, "Offer", TEN, guests=[GRACE], text="Bring the plan.", place="Room 1")
    await people.settled()
    meeting = await people.meeting()
    assert (meeting.title, meeting.start, meeting.end) == ("Offer", TEN, TEN + HOUR)
    assert (meeting.body, meeting.location, meeting.owners) == ("Bring the plan.", "Room 1", (HOST_EMAIL,))
    assert (meeting.outcome, meeting.source) == (MeetingOutcome.SCHEDULED, MeetingSource.CALENDAR)
    for _ in range(3):
        await people.settled()
    assert await people.meetings() == [meeting]


async def test_an_event_that_was_there_before_connecting_is_on_record_too(sqlite_url: str) -> None:
    """S18."""
    async with at_google(sqlite_url) as people:
        cleo = await people.here.add_colleague("Cleo", "cleo@example.com")
        people.here.google.add_account(cleo.email, "Cleo", time_zone="Europe/Berlin")
        people.planner.plan(cleo.email, "Planned long ago", TEN, guests=[GRACE])
        people.planner.plan(cleo.email, "Over", TEN - timedelta(days=30), guests=[GRACE])
        await people.here.connect(email=cleo.email, user=cleo)
        assert [(meeting.title, meeting.owners) for meeting in await people.meetings()] == [
            ("Planned long ago", (cleo.email,))
        ]


async def test_an_event_a_contact_invited_to_is_on_record(people: People) -> None:
    """S18."""
    people.planner.plan(HOST_EMAIL, "Their idea", TEN, organizer=GRACE, guests=[HOST_EMAIL])
    await people.settled()
    assert (await people.meeting()).title == "Their idea"


async def test_all_contacts_of_an_event_have_it_on_record(people: People) -> None:
    """S18."""
    await people.add_contact(EVE)
    people.planner.plan(HOST_EMAIL, "Three of us", TEN, guests=[GRACE, EVE, "nobody@visitor.example"])
    await people.settled()
    assert (await people.meeting(GRACE)).id == (await people.meeting(EVE)).id
    assert await people.contacts() == {GRACE, EVE}


async def test_an_event_without_a_title_has_one_on_record(people: People) -> None:
    people.planner.plan(HOST_EMAIL, " \u200b ", TEN, guests=[GRACE], text="x\u202e" + "y" * 30_000)
    await people.settled()
    meeting = await people.meeting()
    assert meeting.title == "Meeting"
    assert meeting.body is not None
    assert (meeting.body[:3], len(meeting.body)) == ("xyy", 20_000)


# ---- A-CR1 --------------------------------------------------------------------------------------------------------


async def test_only_events_of_the_primary_calendar_are_on_record(people: People) -> None:
    """A-CR1."""
    second = people.planner.second_calendar(HOST_EMAIL)
    people.planner.plan(HOST_EMAIL, "Elsewhere", TEN, guests=[GRACE], calendar=second)
    here = people.here
    await here.select_everything()
    await people.settled()
    assert await people.meetings() == []
    assert "10:00" not in await here.offered(await here.page(), date(2035, 12, 4))


async def test_a_primary_calendar_that_blocks_no_time_goes_on_records_all_the_same(people: People) -> None:
    """A-CR1: nobody reads it for busy time, so it is looked at whenever another calendar was read."""
    here = people.here
    people.planner.second_calendar(HOST_EMAIL)
    await here.select_everything()
    connection = await here.connection()
    (second,) = [calendar for calendar in connection.calendars if calendar.name == "Second"]
    caller, begin, clock = here.caller, here.tools.begin, here.clock
    await choose_default_calendar(connection.id, second.id, caller=caller, begin=begin, clock=clock)
    await here.select(second.id)
    people.planner.plan(HOST_EMAIL, "Offer", TEN, guests=[GRACE])
    await people.settled()
    assert (await people.meeting()).title == "Offer"
    assert "10:00" in await here.offered(await here.page(), date(2035, 12, 4))


async def test_people_who_are_no_contacts_do_not_become_any(people: People) -> None:
    """A-CR1."""
    people.planner.plan(HOST_EMAIL, "Strangers", TEN, guests=[EVE, "nobody@visitor.example"])
    await people.settled()
    assert await people.contacts() == {GRACE}
    assert await people.meetings() == []


async def test_only_the_very_address_is_the_contacts(people: People) -> None:
    """A-CR1."""
    people.planner.plan(HOST_EMAIL, "Nearly", TEN, guests=["grace@mail.visitor.example", "race@visitor.example"])
    people.planner.plan(HOST_EMAIL, "In capitals", NOON, guests=["Grace@Visitor.Example"])
    await people.settled()
    assert (await people.meeting()).title == "In capitals"


async def test_private_events_stay_private(people: People) -> None:
    """A-CR1."""
    event = people.planner.plan(HOST_EMAIL, "Doctor", TEN, guests=[GRACE], private=True)
    await people.settled()
    assert await people.meetings() == []
    people.planner.replan(HOST_EMAIL, event, private=False)
    await people.settled()
    assert (await people.meeting()).title == "Doctor"
    people.planner.replan(HOST_EMAIL, event, private=True, title="A secret")
    await people.settled()
    assert (await people.meeting()).title == "Doctor"


async def test_colleagues_are_no_contacts_even_if_somebody_put_them_on_record(people: People) -> None:
    """A-CR1."""
    for colleague in (BEN_EMAIL, "cleo@example.com"):
        await people.add_contact(colleague)
    people.planner.plan(HOST_EMAIL, "Among us", TEN, guests=[BEN_EMAIL, "cleo@example.com"])
    await people.settled()
    assert await people.meetings(BEN_EMAIL) == await people.meetings("cleo@example.com") == []


async def test_domains_that_an_admin_calls_internal_are_no_contacts(people: People) -> None:
    """A-CR1."""
    await people.add_contact(EVE)
    here = people.here
    await choose_internal_domains(["Visitor.example"], caller=here.caller, begin=here.tools.begin, clock=here.clock)
    people.planner.plan(HOST_EMAIL, "Among us now", TEN, guests=[EVE])
    await people.settled()
    assert await people.meetings(EVE) == []
    await choose_internal_domains([], caller=here.caller, begin=here.tools.begin, clock=here.clock)
    people.planner.plan(HOST_EMAIL, "Not any more", NOON, guests=[EVE])
    await people.settled()
    assert (await people.meeting(EVE)).title == "Not any more"


async def test_of_a_series_only_the_first_is_on_record(people: People) -> None:
    """A-CR1."""
    series = people.planner.plan(HOST_EMAIL, "Weekly", TEN, guests=[GRACE], weekly=5)
    await people.settled()
    assert ((await people.meeting()).start, (await people.meeting()).end) == (TEN, TEN + HOUR)
    people.planner.replan(HOST_EMAIL, series, title="Every week")
    await people.settled()
    assert ((await people.meeting()).title, (await people.meeting()).start) == ("Every week", TEN)


async def test_a_series_that_began_long_ago_is_not_on_record(people: People) -> None:
    """A-CR1."""
    people.planner.plan(HOST_EMAIL, "Since spring", TEN - timedelta(weeks=20), guests=[GRACE], weekly=60)
    await people.settled()
    assert await people.meetings() == []


async def test_what_this_product_wrote_itself_is_not_found_again(people: People) -> None:
    """A-CR1: neither the host's own event nor the copy of a colleague who was invited."""
    here = people.here
    booking = await here.book(
        await here.page(guests=GuestPolicy(allowed=True, most=3)), TEN, email=GRACE, guests=(BEN_EMAIL,)
    )
    await people.settled()
    meeting = await people.meeting()
    assert (meeting.key, meeting.source) == (booking.id, MeetingSource.PAGE)
    await here.move(booking, NOON)
    await people.settled()
    await here.cancel(booking)
    await here.settle_down()
    await people.settled()
    assert [(each.key, each.outcome) for each in await people.meetings()] == [(booking.id, MeetingOutcome.CANCELLED)]


async def test_a_colleagues_copy_waits_while_our_event_has_no_name_yet(people: People) -> None:
    """The event stands at the provider, but its answer is lost: nobody knows yet what it is called."""
    here = people.here
    page = await here.page(guests=GuestPolicy(allowed=True, most=3))
    wish = here.wish(page, TEN, email=GRACE, guests=(BEN_EMAIL,))
    booking_id = await here.reserve(wish)
    people.planner.plan(HOST_EMAIL, "The event of the booking", TEN, guests=[GRACE, BEN_EMAIL], length=HOUR / 2)
    for calendar in await people.calendars(people.ben):
        await here.tools.schedule.request(calendar)
    await here.sync_due()
    settling = await here.tools.outbox.claim_for("settle_booking", booking_id)
    assert settling is not None
    await here.carry_out_due()
    assert await people.meetings() == []
    assert "log_calendar_events" in {row.reaction for row in await here.unfinished()}


# ---- A-CR2, A-BO11 ------------------------------------------------------------------------------------------------


async def test_edits_in_the_calendar_are_followed(people: People) -> None:
    """A-CR2."""
    event = people.planner.plan(HOST_EMAIL, "Offer", TEN, guests=[GRACE])
    await people.settled()
    before = await people.meeting()
    people.planner.replan(HOST_EMAIL, event, title="Better offer", text="With a discount", place="Room 2")
    await people.settled()
    after = await people.meeting()
    assert (after.id, after.title, after.body, after.location) == (
        before.id,
        "Better offer",
        "With a discount",
        "Room 2",
    )
    people.planner.move(HOST_EMAIL, event, NOON)
    await people.settled()
    moved = await people.meeting()
    assert (moved.id, moved.start, moved.end) == (before.id, NOON, NOON + HOUR)
    assert moved.outcome is MeetingOutcome.RESCHEDULED


async def test_a_contact_who_joins_later_has_it_on_record_and_who_leaves_keeps_it(people: People) -> None:
    await people.add_contact(EVE)
    event = people.planner.plan(HOST_EMAIL, "Offer", TEN, guests=[GRACE])
    await people.settled()
    people.planner.replan(HOST_EMAIL, event, guests=[EVE])
    await people.settled()
    assert (await people.meeting(GRACE)).id == (await people.meeting(EVE)).id


async def test_an_event_that_is_deleted_stays_on_record_as_cancelled(people: People) -> None:
    """A-BO11, as the product decided."""
    event = people.planner.plan(HOST_EMAIL, "Offer", TEN, guests=[GRACE])
    await people.settled()
    people.planner.cancel(HOST_EMAIL, event)
    await people.settled()
    meeting = await people.meeting()
    assert (meeting.title, meeting.outcome) == ("Offer", MeetingOutcome.CANCELLED)


async def test_an_invitation_that_is_declined_is_off(people: People) -> None:
    event = people.planner.plan(HOST_EMAIL, "Their idea", TEN, organizer=GRACE, guests=[HOST_EMAIL])
    await people.settled()
    assert (await people.meeting()).outcome is MeetingOutcome.SCHEDULED
    people.planner.decline(HOST_EMAIL, event)
    await people.settled()
    assert (await people.meeting()).outcome is MeetingOutcome.CANCELLED


async def test_a_series_that_is_deleted_is_cancelled_on_record(people: People) -> None:
    series = people.planner.plan(HOST_EMAIL, "Weekly", TEN, guests=[GRACE], weekly=5)
    await people.settled()
    people.planner.cancel(HOST_EMAIL, series)
    await people.settled()
    assert (await people.meeting()).outcome is MeetingOutcome.CANCELLED


# ---- B-CR1 --------------------------------------------------------------------------------------------------------


async def test_two_colleagues_on_one_event_are_one_meeting_of_both(people: People) -> None:
    """B-CR1."""
    event = people.planner.plan(HOST_EMAIL, "Together", TEN, guests=[BEN_EMAIL, GRACE])
    await people.settled()
    meeting = await people.meeting()
    assert set(meeting.owners) == {HOST_EMAIL, BEN_EMAIL}
    people.planner.move(HOST_EMAIL, event, NOON)
    await people.settled()
    assert ((await people.meeting()).id, (await people.meeting()).start) == (meeting.id, NOON)
    people.planner.cancel(HOST_EMAIL, event)
    await people.settled()
    assert (await people.meeting()).outcome is MeetingOutcome.CANCELLED


async def test_a_colleague_who_declines_leaves_the_meeting_to_the_other(people: People) -> None:
    """B-CR1."""
    event = people.planner.plan(HOST_EMAIL, "Together", TEN, guests=[BEN_EMAIL, GRACE])
    await people.settled()
    people.planner.decline(BEN_EMAIL, people.planner.copy_of(BEN_EMAIL, event))
    await people.settled()
    assert (await people.meeting()).outcome is MeetingOutcome.SCHEDULED


async def test_an_event_of_two_colleagues_is_one_when_both_are_read_at_once(anywhere_people: People) -> None:
    """B-CR1: of both reads one comes first; the other tries again."""
    people, here = anywhere_people, anywhere_people.here
    people.planner.plan(HOST_EMAIL, "Together", TEN, guests=[BEN_EMAIL, GRACE])
    for calendar in await people.calendars():
        await here.tools.schedule.request(calendar)
    await here.sync_due()
    rows = [row for row in await here.unfinished() if row.reaction == "log_calendar_events"]
    claimed = [await here.tools.outbox.claim(row.id) for row in rows]
    both = [intent for intent in claimed if intent is not None]
    assert len(both) == 2
    await asyncio.gather(*(carry_out(intent, here.tools) for intent in both))
    await here.passes(minutes=11)
    await here.settle_down()
    assert set((await people.meeting()).owners) == {HOST_EMAIL, BEN_EMAIL}


# ---- switching off and on, cursors, outages -----------------------------------------------------------------------


async def test_switching_sync_off_stops_it_and_on_goes_on_without_a_second_one(people: People) -> None:
    """A-CS2, X2."""
    event = people.planner.plan(HOST_EMAIL, "Offer", TEN, guests=[GRACE])
    await people.settled()
    await people.switch_sync(on=False)
    people.planner.replan(HOST_EMAIL, event, title="Unseen")
    people.planner.plan(HOST_EMAIL, "Meanwhile", NOON, guests=[GRACE])
    await _only_anna(people)
    assert [meeting.title for meeting in await people.meetings()] == ["Offer"]
    await people.switch_sync(on=True)
    await people.here.settle_down()
    assert sorted(meeting.title for meeting in await people.meetings()) == ["Meanwhile", "Unseen"]
    await people.settled()
    assert len(await people.meetings()) == 2


async def test_a_dead_cursor_makes_no_second_meeting_and_misses_nothing(people: People) -> None:
    """S18."""
    kept, moved, gone = (
        people.planner.plan(HOST_EMAIL, f"Plan {hour}", TEN + hour * HOUR, guests=[GRACE]) for hour in range(3)
    )
    await people.settled()
    before = {meeting.title: meeting.id for meeting in await people.meetings()}
    people.planner.expire_cursors(HOST_EMAIL)
    people.planner.move(HOST_EMAIL, moved, TEN + 5 * HOUR)
    people.planner.cancel(HOST_EMAIL, gone)
    people.planner.plan(HOST_EMAIL, "New", TEN + 6 * HOUR, guests=[GRACE])
    await people.settled()
    after = {meeting.title: meeting for meeting in await people.meetings()}
    assert {title: meeting.id for title, meeting in after.items() if title in before} == before
    assert {title: meeting.outcome for title, meeting in after.items()} == {
        "Plan 0": MeetingOutcome.SCHEDULED,
        "Plan 1": MeetingOutcome.RESCHEDULED,
        "Plan 2": MeetingOutcome.CANCELLED,
        "New": MeetingOutcome.SCHEDULED,
    }
    assert kept


async def test_records_that_are_away_delay_no_busy_time_and_lose_nothing(people: People) -> None:
    """A-CR8: what is busy is known at once; the meeting comes to the record once it is back."""
    here = people.here
    page = await here.page()
    line = Line(here.tools.crm_of, down=True)
    here.tools = replace(here.tools, crm_of=line.crm_of)
    event = people.planner.plan(HOST_EMAIL, "Offer", TEN, guests=[GRACE])
    await people.settled()
    assert "10:00" not in await here.offered(page, date(2035, 12, 4))
    people.planner.replan(HOST_EMAIL, event, title="Better offer")
    await people.settled()
    line.down = False
    assert await people.meetings() == []
    await here.passes(minutes=11)
    await here.settle_down()
    assert (await people.meeting()).title == "Better offer"


async def test_what_is_planned_while_the_calendar_is_read_is_not_lost(anywhere_people: People) -> None:
    """The sync of busy time finds that reading is asked for already; so it is read once more."""
    people, here = anywhere_people, anywhere_people.here
    records = here.tools.crm_of

    async def crm_of(account_id: AccountId) -> Crm:
        return Interrupted(await records(account_id), Line(records), plan_another)

    planned: list[str] = []

    async def plan_another() -> None:
        if not planned:
            planned.append(people.planner.plan(HOST_EMAIL, "Second", NOON, guests=[GRACE]))
            await here.sync()

    people.planner.plan(HOST_EMAIL, "First", TEN, guests=[GRACE])
    await here.sync()
    here.tools = replace(here.tools, crm_of=crm_of)
    await here.settle_down()
    assert sorted(meeting.title for meeting in await people.meetings()) == ["First", "Second"]


async def test_with_sync_off_google_is_not_even_asked(sqlite_url: str) -> None:
    """X2."""
    async with at_google(sqlite_url) as people:
        await people.switch_sync(on=False)
        calls = people.planner.news_calls()
        people.planner.plan(HOST_EMAIL, "Unseen", TEN, guests=[GRACE])
        await _only_anna(people)
        assert people.planner.news_calls() == calls
        await people.switch_sync(on=True)
        await people.here.settle_down()
        assert people.planner.news_calls() > calls


async def test_nothing_that_is_said_in_calendars_lies_in_the_copy_of_busy_time(sqlite_url: str) -> None:
    """Of what is nobody's business nothing is stored at all."""
    async with at_google(sqlite_url) as people:
        people.planner.plan(HOST_EMAIL, "Canary of a title", TEN, guests=[EVE], text="Canary of a text")
        await people.settled()
        async with people.here.runtime.database.snapshot() as connection:
            for table in metadata.sorted_tables:
                rows = (await connection.execute(select(table))).all()
                assert "Canary" not in str(rows), table.name
                assert EVE not in str(rows), table.name


class Interrupted(UnreliableCrm):
    """While it is asked for the first time who is known, something happens."""

    def __init__(self, to: Crm, line: Line, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(to, line)
        self._meanwhile = meanwhile

    async def known(self, emails: Collection[str]) -> Mapping[str, Contact]:
        await self._meanwhile()
        return await super().known(emails)


async def _only_anna(people: People) -> None:
    await people.here.sync()
    await people.here.settle_down()
