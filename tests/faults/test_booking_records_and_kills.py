"""Workers killed while a booking goes on record (OB-3): one contact and one meeting all the same."""

from collections.abc import AsyncIterator, Iterator

import pytest

from meetings.application.ports.crm import RecordedMeeting
from meetings.domain.engagement import MeetingOutcome
from tests.contracts.calendars.world import CalendarWorld
from tests.databases import Simulators
from tests.faults.test_worker_kills import next_monday, nothing_open, reserve
from tests.faults.workers import Nursery, fresh_worker
from tests.hosted import PLACES, Hosted, hosted, now
from tests.waiting import until

STEPS = ["crm.put_contact:before", "crm.put_contact:after", "crm.put_meeting:before", "crm.put_meeting:after"]
GRACE = "grace@example.org"


@pytest.fixture
def place() -> Iterator[CalendarWorld]:
    with PLACES["google"](clock=now) as started:
        yield started


@pytest.fixture
async def anna(database_url: str, place: CalendarWorld, simulators: Simulators) -> AsyncIterator[Hosted]:
    async with hosted(database_url, place, simulators, lease_seconds=1, sweep_seconds=0.2) as found:
        await found.connect()
        yield found


@pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.services)], indirect=True
)
@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_killed_while_a_booking_goes_on_record_leaves_one_of_each(
    anna: Hosted, killable_worker: Nursery, step: str
) -> None:
    here = anna.here
    _, booking_id = await reserve(here)
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here))
    crm = await here.tools.crm_of(here.anna.account_id)
    people = await crm.contacts(None, first=10, after=None)
    assert [contact.email for contact in people.items] == [GRACE]
    entries = (await crm.timeline(people.items[0].id, first=10, after=None)).items
    assert [(entry.key, entry.start, entry.outcome) for entry in entries if isinstance(entry, RecordedMeeting)] == [
        (booking_id, next_monday(), MeetingOutcome.SCHEDULED)
    ]
