"""A worker that is killed on the way from a calendar to a contact's record loses no meeting and doubles none (S18,
A-CR8, OB-3)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from meetings.application.account_settings import switch_exchange_full_sync
from meetings.application.ports.crm import ContactDetails, RecordedMeeting
from meetings.domain.calendar_connection import Provider
from meetings.domain.engagement import MeetingOutcome
from meetings.infrastructure.database.tables import intents, sync_schedule
from tests.contracts.calendars.world import CalendarWorld
from tests.databases import Simulators
from tests.faults.workers import Nursery, fresh_worker
from tests.hosted import Hosted, hosted, place
from tests.waiting import until
from tests.world import HOST_EMAIL

__all__ = ["place"]

GRACE = "grace@visitor.example"
STEPS = ["crm.known:before", "crm.known:after", "crm.put_meeting:before", "crm.put_meeting:after", "outbox.done:before"]


@pytest.fixture
async def anna(sqlite_url: str, place: CalendarWorld, simulators: Simulators) -> AsyncIterator[Hosted]:
    """Anna, with a connected calendar that goes on records; leases are short, so that a test need not wait for them."""
    async with hosted(sqlite_url, place, simulators, lease_seconds=1, sweep_seconds=0.2) as found:
        here = found.here
        await (await here.tools.crm_of(here.anna.account_id)).put_contact(ContactDetails(GRACE))
        if found.provider is Provider.EXCHANGE:
            await switch_exchange_full_sync(on=True, caller=here.caller, begin=here.tools.begin, clock=here.clock)
        await found.connect()
        yield found


async def meetings(anna: Hosted) -> list[RecordedMeeting]:
    crm = await anna.here.tools.crm_of(anna.here.anna.account_id)
    page = await crm.timeline((await crm.known([GRACE]))[GRACE].id, first=100, after=None)
    return [entry for entry in page.items if isinstance(entry, RecordedMeeting)]


async def read_by_a_worker_that_dies(anna: Hosted, killable_worker: Nursery, step: str) -> None:
    """The calendar is read by a worker that dies at the step, and then by one that does not."""
    here = anna.here
    async with here.runtime.database.transaction() as connection:  # as if the lease's minutes had passed
        await connection.execute(update(sync_schedule).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))
    for calendar in (await here.connection()).selected_calendars:
        await here.tools.schedule.request(calendar.id)
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    async with here.runtime.database.transaction() as connection:
        await connection.execute(update(sync_schedule).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(anna))


async def nothing_open(anna: Hosted) -> bool:
    is_open = (intents.c.done_at.is_(None), intents.c.died_at.is_(None))
    async with anna.here.runtime.database.snapshot() as connection:
        return not (await connection.execute(select(intents.c.id).where(*is_open))).all()


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_killed_on_the_way_makes_one_meeting_and_cancels_it_once(
    anna: Hosted, killable_worker: Nursery, step: str
) -> None:
    start = (datetime.now(UTC) + timedelta(days=7)).replace(microsecond=0, second=0)
    end = start + timedelta(hours=1)
    event = anna.place.plan(anna.place.primary, "Offer", start, end, guests=[GRACE])
    await read_by_a_worker_that_dies(anna, killable_worker, step)
    (meeting,) = await meetings(anna)
    assert (meeting.title, meeting.start, meeting.end, meeting.owners) == ("Offer", start, end, (HOST_EMAIL,))
    if step == "crm.put_meeting:after":
        anna.place.cancel_event(anna.place.primary, event)
        await read_by_a_worker_that_dies(anna, killable_worker, step)
        (gone,) = await meetings(anna)
        assert (gone.id, gone.outcome) == (meeting.id, MeetingOutcome.CANCELLED)
