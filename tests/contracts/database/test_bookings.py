"""Bookings, the time they take of their hosts, holds, and the rule that no two of a host overlap (I1)."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from meetings.application.ports.unit_of_work import HoldLimitReached, SlotHold, TakenTime
from meetings.domain.base import NotFound
from meetings.domain.booking import BookedEvent, Booking, BookingState, CancelledBy
from meetings.domain.scheduling_page import SlotTaken
from meetings.domain.timespan import TimeSpan, floor_minute
from meetings.infrastructure.database.tables import host_times, slot_holds
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database
from tests.builders import NOW, START, a_booking, a_page, a_user, booking_id
from tests.contracts.database.conftest import Tenant
from tests.unguarded import unguarded, without_constraint

WEEK = TimeSpan(START - timedelta(days=2), START + timedelta(days=5))
CALENDAR_EVENT = BookedEvent("event-1", "https://calendar.example.com/1", "https://video.example.com/1")


async def book(tenant: Tenant, **given: Any) -> Booking:
    booking = a_booking(tenant.page, **given)
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(booking)
        await work.commit()
    return booking


async def change(tenant: Tenant, booking: Booking, what: Callable[[Booking], None]) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        what(await work.bookings.get(booking.id))
        await work.commit()


async def taken(tenant: Tenant, span: TimeSpan = WEEK, **excluding: Any) -> list[tuple[int, int, bool]]:
    """Start and end in minutes from `START`, and whether it is a hold."""
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.host_times.taken([tenant.host.id], span, **excluding)
    zero = floor_minute(START)
    assert {time.host for time in found} <= {tenant.host.id}
    return sorted((time.start - zero, time.end - zero, time.held) for time in found)


def a_hold(tenant: Tenant, token: str = "token", **given: Any) -> SlotHold:
    hold = SlotHold(
        token, tenant.page.id, (tenant.host.id,), START, START + timedelta(minutes=30), "visitor", "address"
    )
    return replace(hold, **given)


async def hold(tenant: Tenant, wanted: SlotHold, *, minutes: int = 5, visitor: int = 2, address: int = 10) -> datetime:
    async with tenant.begin(tenant.account.account_id) as work:
        until = await work.host_times.hold(wanted, minutes=minutes, most_per_visitor=visitor, most_per_address=address)
        await work.commit()
    return until


# ---- round trips ----------------------------------------------------------------------------------------------------


async def test_a_booking_comes_back_as_it_was(tenant: Tenant) -> None:
    booking = await book(tenant)
    await change(tenant, booking, lambda found: found.confirm(CALENDAR_EVENT, now=NOW))
    await change(tenant, booking, lambda found: found.cancel(CancelledBy.INVITEE, "ill", now=NOW))
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.bookings.get(booking.id)
    assert found.event == CALENDAR_EVENT
    assert found.settled_at == NOW
    assert (found.state, found.cancellation and found.cancellation.reason, found.version) == (
        BookingState.CANCELLED,
        "ill",
        3,
    )


async def test_a_booking_is_found_by_its_event(tenant: Tenant) -> None:
    booking = await book(tenant)
    await change(tenant, booking, lambda found: found.confirm(CALENDAR_EVENT, now=NOW))
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.bookings.by_event(CALENDAR_EVENT.event_id)
        assert found
        assert found is await work.bookings.get(booking.id)
        assert await work.bookings.by_event("another") is None


async def test_an_unknown_booking_is_not_found(tenant: Tenant) -> None:
    async with tenant.look(tenant.account.account_id) as work:
        with pytest.raises(NotFound):
            await work.bookings.get(booking_id())


# ---- taken time follows the booking ---------------------------------------------------------------------------------


async def test_a_booking_takes_its_slot_while_it_occupies(tenant: Tenant) -> None:
    booking = await book(tenant)
    assert await taken(tenant) == [(0, 30, False)]
    await change(tenant, booking, lambda found: found.confirm(CALENDAR_EVENT, now=NOW))
    assert await taken(tenant) == [(0, 30, False)]
    later = TimeSpan(START + timedelta(minutes=15), START + timedelta(minutes=45))
    await change(tenant, booking, lambda found: found.move(later, now=NOW))
    assert await taken(tenant) == [(15, 45, False)]
    await change(tenant, booking, lambda found: found.cancel(CancelledBy.HOST, None, now=NOW))
    assert await taken(tenant) == []


async def test_a_request_takes_no_time_until_it_is_accepted(tenant: Tenant) -> None:
    booking = await book(tenant, state=BookingState.REQUESTED, proposed=(START,))
    assert await taken(tenant) == []
    calendar = tenant.connection.calendars[0].id
    await change(tenant, booking, lambda found: found.accept(START, calendar_id=calendar, now=NOW))
    assert await taken(tenant) == [(0, 30, False)]


async def test_a_failed_booking_gives_its_time_back(tenant: Tenant) -> None:
    booking = await book(tenant)
    await change(tenant, booking, lambda found: found.fail("refused", now=NOW))
    assert await taken(tenant) == []
    await book(tenant)


async def test_every_host_of_a_booking_is_taken_or_none(tenant: Tenant) -> None:
    colleague = a_user(tenant.account.account_id)
    hosts = (tenant.host.id, colleague.id)
    async with tenant.begin(tenant.account.account_id) as work:
        work.users.add(colleague)
        await work.commit()
    await book(tenant, hosts=(colleague.id,))
    with pytest.raises(SlotTaken):
        await book(tenant, hosts=hosts)
    assert await taken(tenant) == []
    await book(tenant, hosts=hosts, start=START + timedelta(minutes=30))
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.host_times.taken(hosts, WEEK)
    start = floor_minute(START)
    assert sorted(found, key=lambda time: (time.start, str(time.host))) == [
        TakenTime(colleague.id, start, start + 30, False),
        *sorted((TakenTime(host, start + 30, start + 60, False) for host in hosts), key=lambda time: str(time.host)),
    ]


async def test_taken_times_are_those_that_overlap_the_span(tenant: Tenant) -> None:
    first = await book(tenant)
    await book(tenant, start=START + timedelta(minutes=30))
    span = TimeSpan(START + timedelta(minutes=30), START + timedelta(minutes=31))
    assert await taken(tenant, span) == [(30, 60, False)]
    assert await taken(tenant, excluding=first.id) == [(30, 60, False)]
    before = TimeSpan(START - timedelta(minutes=30), START)
    assert await taken(tenant, before) == []


async def test_meeting_starts_are_those_of_the_page_that_occupy(tenant: Tenant) -> None:
    other_page = a_page(tenant.host)
    async with tenant.begin(tenant.account.account_id) as work:
        work.pages.add(other_page)
        await work.commit()
    first = await book(tenant)
    second = await book(tenant, start=START + timedelta(hours=1))
    cancelled = await book(tenant, start=START + timedelta(hours=2))
    await change(tenant, cancelled, lambda found: found.cancel(CancelledBy.HOST, None, now=NOW))
    await hold(tenant, a_hold(tenant, start=START + timedelta(hours=3), end=START + timedelta(hours=4)))
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(a_booking(other_page, start=START + timedelta(hours=5)))
        await work.commit()
    zero = floor_minute(START)
    async with tenant.look(tenant.account.account_id) as work:
        starts = await work.bookings.meeting_starts(tenant.page.id, WEEK)
        assert sorted(starts) == [(tenant.host.id, zero), (tenant.host.id, zero + 60)]
        assert await work.bookings.meeting_starts(tenant.page.id, WEEK, excluding=first.id) == [
            (tenant.host.id, zero + 60)
        ]
        until_second = TimeSpan(START, second.start)
        assert await work.bookings.meeting_starts(tenant.page.id, until_second) == [(tenant.host.id, zero)]
        assert await work.bookings.count_on_page(tenant.page.id) == 3
        assert await work.bookings.count_on_page(other_page.id) == 1


# ---- no overlap -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "minutes"), [(0, 30), (-15, 30), (15, 30), (10, 10), (-60, 600)])
async def test_an_overlapping_booking_is_refused(tenant: Tenant, start: int, minutes: int) -> None:
    await book(tenant)
    with pytest.raises(SlotTaken):
        await book(tenant, start=START + timedelta(minutes=start), minutes=minutes)
    assert await taken(tenant) == [(0, 30, False)]


@pytest.mark.parametrize("start", [-30, 30])
async def test_a_booking_that_only_touches_is_accepted(tenant: Tenant, start: int) -> None:
    await book(tenant)
    await book(tenant, start=START + timedelta(minutes=start))
    assert len(await taken(tenant)) == 2


async def test_a_move_onto_another_booking_is_refused_and_changes_nothing(tenant: Tenant) -> None:
    booking = await book(tenant)
    other = await book(tenant, start=START + timedelta(hours=1))
    with pytest.raises(SlotTaken):
        await change(tenant, booking, lambda found: found.move(other.slot, now=NOW))
    assert await taken(tenant) == [(0, 30, False), (60, 90, False)]
    async with tenant.look(tenant.account.account_id) as work:
        assert (await work.bookings.get(booking.id)).slot == booking.slot


async def test_a_move_within_its_own_time_is_accepted(tenant: Tenant) -> None:
    booking = await book(tenant)
    slot = TimeSpan(START + timedelta(minutes=10), START + timedelta(minutes=40))
    await change(tenant, booking, lambda found: found.move(slot, now=NOW))
    assert await taken(tenant) == [(10, 40, False)]


async def book_if_free(tenant: Tenant, begin: Callable[[Any], Any], start: datetime, minutes: int = 30) -> bool:
    """What booking does: look, then book under the lock, having looked again."""
    slot = TimeSpan(start, start + timedelta(minutes=minutes))
    async with tenant.look(tenant.account.account_id) as work:
        if await work.host_times.taken([tenant.host.id], slot):
            return False
    try:
        async with begin(tenant.account.account_id) as work:
            await work.host_times.lock([tenant.host.id])
            if await work.host_times.taken([tenant.host.id], slot):
                return False
            work.bookings.add(a_booking(tenant.page, start=start, minutes=minutes))
            await work.commit()
    except SlotTaken:
        return False
    return True


async def rivals(attempt: Callable[[], Awaitable[bool]], count: int = 20) -> int:
    """How many of so many attempts at the same time succeed."""
    return sum(await asyncio.gather(*(attempt() for _ in range(count))))


def overlaps(times: list[tuple[int, int, bool]]) -> int:
    return sum(end > start for (_, end, _), (start, _, _) in itertools.pairwise(times))


async def test_one_of_twenty_rivals_gets_the_slot(tenant: Tenant) -> None:
    """BK-1."""
    for number in range(5):
        start = START + timedelta(hours=number)
        assert await rivals(partial(book_if_free, tenant, tenant.begin, start)) == 1
    assert len(await taken(tenant)) == 5


async def test_of_partly_overlapping_rivals_none_overlap(tenant: Tenant) -> None:
    chance = random.Random(20261103)
    wishes = [(chance.randrange(0, 300), chance.randrange(5, 60)) for _ in range(60)]
    results = await asyncio.gather(
        *(book_if_free(tenant, tenant.begin, START + timedelta(minutes=start), minutes) for start, minutes in wishes)
    )
    times = await taken(tenant)
    assert overlaps(times) == 0
    assert len(times) == sum(results) > 0


async def test_without_lock_and_constraint_rivals_double_book(tenant: Tenant, database: Database) -> None:
    """The control for BK-1: the same rivals, the guards gone. If this books once, the test above proves nothing."""
    await without_constraint(database)
    begin = unguarded(database)("tester")
    doubles = 0
    for number in range(5):
        start = START + timedelta(hours=number)
        doubles += await rivals(partial(book_if_free, tenant, begin, start)) - 1
    assert doubles >= 1
    assert overlaps(await taken(tenant)) >= 1


async def test_the_constraint_alone_lets_one_rival_through(tenant: Tenant, database: Database) -> None:
    begin = unguarded(database)("tester")
    assert await rivals(lambda: book_if_free(tenant, begin, START)) == 1
    assert await taken(tenant) == [(0, 30, False)]


async def test_locks_in_any_order_do_not_deadlock(tenant: Tenant) -> None:
    """BK-2, BK-3: many bookings of overlapping sets of hosts, each set named in a random order."""
    colleagues = [a_user(tenant.account.account_id) for _ in range(4)]
    async with tenant.begin(tenant.account.account_id) as work:
        for colleague in colleagues:
            work.users.add(colleague)
        await work.commit()
    chance = random.Random(7)

    async def attempt() -> bool:
        hosts = tuple(chance.sample([colleague.id for colleague in colleagues], 3))
        try:
            async with tenant.begin(tenant.account.account_id) as work:
                await work.host_times.lock(hosts)
                work.bookings.add(a_booking(tenant.page, hosts=hosts))
                await work.commit()
        except SlotTaken:
            return False
        return True

    assert await rivals(attempt, 24) == 1


# ---- holds ----------------------------------------------------------------------------------------------------------


async def test_a_hold_takes_its_slot_until_it_is_released(tenant: Tenant, database: Database) -> None:
    until = await hold(tenant, a_hold(tenant), minutes=5)
    async with database.snapshot() as connection:
        now = (await connection.execute(select(database_time()))).scalar_one()
    assert timedelta(minutes=4, seconds=50) < until - now <= timedelta(minutes=5)
    assert await taken(tenant) == [(0, 30, True)]
    assert await taken(tenant, excluding_hold="token") == []
    with pytest.raises(SlotTaken):
        await book(tenant)
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.host_times.release_hold("token") == (tenant.host.id,)
        assert await work.host_times.release_hold("token") == ()
        await work.commit()
    await book(tenant)


async def test_a_booking_takes_the_place_of_its_hold(tenant: Tenant) -> None:
    await hold(tenant, a_hold(tenant))
    async with tenant.begin(tenant.account.account_id) as work:
        await work.host_times.lock([tenant.host.id])
        await work.host_times.release_hold("token")
        work.bookings.add(a_booking(tenant.page))
        await work.commit()
    assert await taken(tenant) == [(0, 30, False)]


async def test_an_equal_hold_with_the_same_token_is_renewed(tenant: Tenant) -> None:
    first = await hold(tenant, a_hold(tenant), minutes=1)
    assert await hold(tenant, a_hold(tenant), minutes=10) > first
    assert await taken(tenant) == [(0, 30, True)]


async def test_a_slot_that_is_taken_cannot_be_held(tenant: Tenant) -> None:
    await hold(tenant, a_hold(tenant))
    with pytest.raises(SlotTaken):
        await hold(tenant, a_hold(tenant, "another", visitor="somebody else"))
    await book(tenant, start=START + timedelta(hours=1))
    later = START + timedelta(hours=1)
    with pytest.raises(SlotTaken):
        await hold(tenant, a_hold(tenant, "third", start=later, end=later + timedelta(minutes=10)))


async def test_holds_are_limited_per_visitor_and_per_address(tenant: Tenant) -> None:
    """BK-6."""

    def at(hours: int, **given: Any) -> SlotHold:
        start = START + timedelta(hours=hours)
        return a_hold(tenant, f"token-{hours}", start=start, end=start + timedelta(minutes=30), **given)

    await hold(tenant, at(0))
    await hold(tenant, at(1))
    with pytest.raises(HoldLimitReached):
        await hold(tenant, at(2))
    await hold(tenant, at(2, visitor="another"), address=3)
    with pytest.raises(HoldLimitReached):
        await hold(tenant, at(3, visitor="a third"), address=3)
    await hold(tenant, at(3, visitor="a third", address="elsewhere"), address=3)
    await hold(tenant, at(1))  # renewing does not count twice


async def test_holds_at_the_same_time_do_not_get_around_the_limit(tenant: Tenant) -> None:
    async def attempt(number: int) -> bool:
        start = START + timedelta(hours=number)
        try:
            await hold(tenant, a_hold(tenant, f"token-{number}", start=start, end=start + timedelta(minutes=30)))
        except HoldLimitReached:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt(number) for number in range(8)))) == 2


async def expire(database: Database, token: str) -> None:
    async with database.transaction() as connection:
        gone = {"expires_at": database_time(-1)}
        await connection.execute(update(slot_holds).where(slot_holds.c.token_hash == token).values(gone))
        await connection.execute(update(host_times).where(host_times.c.hold == token).values(gone))


async def test_an_expired_hold_blocks_nothing_and_counts_for_nothing(tenant: Tenant, database: Database) -> None:
    await hold(tenant, a_hold(tenant), visitor=1)
    await expire(database, "token")
    assert await taken(tenant) == []
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.host_times.release_hold("token") == ()
    await hold(tenant, a_hold(tenant, "next"), visitor=1)
    await expire(database, "next")
    await book(tenant)
    assert await taken(tenant) == [(0, 30, False)]


async def test_confirming_an_expiring_hold_and_booking_it_by_somebody_else_has_one_winner(
    tenant: Tenant, database: Database
) -> None:
    await hold(tenant, a_hold(tenant))
    await expire(database, "token")

    async def confirm() -> bool:
        try:
            async with tenant.begin(tenant.account.account_id) as work:
                await work.host_times.lock([tenant.host.id])
                if await work.host_times.taken([tenant.host.id], TimeSpan(START, START + timedelta(minutes=30))):
                    return False
                await work.host_times.release_hold("token")
                work.bookings.add(a_booking(tenant.page))
                await work.commit()
        except SlotTaken:
            return False
        return True

    assert await rivals(confirm, 12) == 1


# ---- waiting --------------------------------------------------------------------------------------------------------


async def test_a_writer_that_is_cancelled_while_it_waits_harms_nobody(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        await work.host_times.lock([tenant.host.id])
        waiting = asyncio.create_task(book(tenant, start=START + timedelta(hours=1)))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        work.bookings.add(a_booking(tenant.page))
        await work.commit()
    async with asyncio.timeout(5):
        await book(tenant, start=START + timedelta(hours=2))
    assert await taken(tenant) == [(0, 30, False), (120, 150, False)]
