"""A provider that swallows calls holds up its own work and nobody else's (RT-6)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from meetings.application.ports.reads import PagePointer
from meetings.domain.booking import BookingState
from meetings.domain.identifiers import BookingId
from meetings.domain.user import Role, User
from tests.contracts.calendars.world import CalendarWorld
from tests.databases import Simulators
from tests.faults.invariants import HALF_AN_HOUR
from tests.faults.provider_faults import about_calendars, simulator_of
from tests.faults.test_provider_faults import MORNING
from tests.faults.workers import fresh_worker
from tests.hosted import Hosted, hosted, place
from tests.waiting import until

__all__ = ["place"]

BEN = "ben@example.com"
PLACES = 4
HANGS_SECONDS = 40.0
PATIENCE_SECONDS = 20.0

elsewhere = pytest.mark.parametrize("place", ["office365", "exchange"], indirect=True)


@pytest.fixture
async def anna(database_url: str, place: CalendarWorld, simulators: Simulators) -> AsyncIterator[Hosted]:
    """Anna's calendar is at `place`, that of her colleague Ben at Google; the worker is a small one."""
    small = {"intent_threads": PLACES, "sync_threads": 1, "sweep_seconds": 0.2, "stop_seconds": 0.5}
    async with hosted(database_url, place, simulators, **small) as found:
        await found.connect()
        found.here.google.add_account(BEN, "Ben Berg", time_zone="Europe/Berlin")
        yield found


@pytest.fixture
async def ben(anna: Hosted) -> User:
    colleague = await anna.here.add_colleague("Ben Berg", BEN, Role.ADMIN)
    await anna.here.connect(email=BEN, user=colleague)
    return colleague


async def reserved(anna: Hosted, page: PagePointer, count: int) -> list[BookingId]:
    day = timedelta(days=1)
    starts = [MORNING + (number // 8) * day + (number % 8) * HALF_AN_HOUR for number in range(count)]
    return [await anna.here.reserve(anna.here.wish(page, start)) for start in starts]


def swallow(simulator: Any, match: Any) -> None:
    simulator.fault(match, delay_before=HANGS_SECONDS, times=None)


@elsewhere
@pytest.mark.parametrize("hangs", ["hers", "his"])
async def test_work_for_another_provider_goes_on(anna: Hosted, ben: User, hangs: str) -> None:
    here = anna.here
    hers, his = await here.page(), await here.page("ben/intro", owner=ben)
    stuck, free = (hers, his) if hangs == "hers" else (his, hers)
    held_up = await reserved(anna, stuck, 3 * PLACES)
    prompt = await reserved(anna, free, 6)
    if hangs == "hers":
        swallow(simulator_of(anna.place), about_calendars(anna.place))
    else:
        swallow(here.google, lambda call: not call.operation.startswith("oauth."))

    async def written() -> bool:
        states = {(await here.booking(each)).state for each in prompt}
        return states == {BookingState.CONFIRMED}

    async with fresh_worker(here.runtime.settings):
        await until("the others' events to be written", written, seconds=PATIENCE_SECONDS)
    assert {(await here.booking(each)).state for each in held_up} == {BookingState.PENDING}
