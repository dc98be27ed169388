"""Meetings made on a record whose invitations stand in a calendar: no echo makes a second one (S19), and what is done
to them there is followed (A-CR2, A-BO11)."""

from collections.abc import AsyncIterator

import pytest

from meetings.application.change_engagement import ChangeEngagement, change_engagement
from meetings.application.create_engagement import CreateEngagement, create_engagement
from meetings.domain.engagement import MeetingOutcome, MeetingSource, MeetingText
from meetings.domain.identifiers import EngagementId
from tests.own_calendars import BEN_EMAIL, GRACE, HOUR, TEN, People, at_google, at_microsoft
from tests.world import HOST_EMAIL

WORLDS = {"google": at_google, "office365": at_microsoft}
NOON, EVENING = TEN + 2 * HOUR, TEN + 8 * HOUR


@pytest.fixture(params=WORLDS)
async def people(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[People]:
    async with WORLDS[request.param](sqlite_url) as found:
        yield found


async def made_on_record(people: People, *attendees: str) -> EngagementId:
    here = people.here
    crm = await here.tools.crm_of(here.anna.account_id)
    contact = (await crm.known([GRACE]))[GRACE]
    made = await create_engagement(
        CreateEngagement(contact.id, attendees, MeetingText("Plan", "What to do"), TEN, TEN + HOUR),
        caller=here.caller,
        begin=here.tools.begin,
        crm_of=here.tools.crm_of,
        clock=here.clock,
    )
    await here.settle_down()
    await here.passes(minutes=1)
    return made


async def event_of(people: People, engagement: EngagementId) -> str:
    async with people.here.tools.look(people.here.anna.account_id) as work:
        event = (await work.engagements.get(engagement)).event
    assert event is not None
    return event.event_id


async def test_the_event_of_an_invitation_is_no_second_meeting(people: People) -> None:
    """S19: neither in the calendar it was written to nor in a colleague's who was invited."""
    made = await made_on_record(people, BEN_EMAIL)
    for _ in range(2):
        await people.settled()
    meeting = await people.meeting()
    assert (meeting.key, meeting.source, meeting.owners) == (made, MeetingSource.RECORD, (HOST_EMAIL,))


async def test_an_invitation_that_is_moved_in_the_calendar_moves_on_the_record(people: People) -> None:
    """A-CR2."""
    made = await made_on_record(people, BEN_EMAIL)
    await people.settled()
    people.planner.move(HOST_EMAIL, await event_of(people, made), NOON)
    await people.settled()
    meeting = await people.meeting()
    assert (meeting.key, meeting.start, meeting.end) == (made, NOON, NOON + HOUR)
    assert (meeting.title, meeting.outcome) == ("Plan", MeetingOutcome.RESCHEDULED)


async def test_an_invitation_that_is_deleted_in_the_calendar_is_cancelled_on_the_record(people: People) -> None:
    """A-BO11."""
    made = await made_on_record(people)
    await people.settled()
    people.planner.cancel(HOST_EMAIL, await event_of(people, made))
    await people.settled()
    assert ((await people.meeting()).key, (await people.meeting()).outcome) == (made, MeetingOutcome.CANCELLED)


async def test_an_old_echo_does_not_undo_a_change_of_the_record(people: People) -> None:
    """The calendar is read while a newer time is still to be written there."""
    here = people.here
    made = await made_on_record(people)
    await people.settled()
    people.planner.replan(HOST_EMAIL, await event_of(people, made), place="Room 9")
    await change_engagement(
        made,
        ChangeEngagement(start=EVENING, end=EVENING + HOUR),
        caller=here.caller,
        begin=here.tools.begin,
        look=here.tools.look,
        crm_of=here.tools.crm_of,
        clock=here.clock,
    )
    for calendar in await people.calendars(here.anna):
        await here.tools.schedule.request(calendar)
    await here.sync_due()
    (reading,) = [row for row in await here.unfinished() if row.reaction == "log_calendar_events"]
    writing = await here.tools.outbox.claim_for("settle_engagement", made)
    assert writing is not None
    await here.carry_out_due()
    assert reading.id not in {row.id for row in await here.unfinished()}
    async with here.tools.look(here.anna.account_id) as work:
        assert (await work.engagements.get(made)).start == EVENING
    await here.tools.outbox.retry(writing, at=here.tools.clock(), error="the test goes on")
    await here.passes(minutes=11)
    await people.settled()
    assert ((await people.meeting()).start, (await people.meeting()).key) == (EVENING, made)
