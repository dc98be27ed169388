"""A visitor's slot is kept for some minutes while they type (BK-6)."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from meetings.application.hold_slot import release_slot
from meetings.application.ports.fan_out import FanOut, Listener
from meetings.application.ports.unit_of_work import HoldLimitReached
from meetings.application.read_availability import AvailabilityQuestion
from meetings.application.watch_availability import AvailabilityWatch, Delta, Snapshot
from meetings.domain.booking import BookingState
from meetings.domain.scheduling_page import BookingBlocked, PageOffline, SlotTaken, SlotUnavailable
from tests.world import World, berlin

MONDAY = date(2035, 12, 3)
TEN = berlin("2035-12-03 10:00")
HALF_PAST = berlin("2035-12-03 10:30")
ELEVEN = berlin("2035-12-03 11:00")


async def test_a_held_slot_is_hidden_from_everybody_else(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    held = await anywhere.hold(page, TEN)
    assert (held.slot.start, held.slot.end) == (TEN, HALF_PAST)
    times = await anywhere.offered(page, MONDAY)
    assert "10:00" not in times
    assert "10:30" in times
    with pytest.raises(SlotTaken):
        await anywhere.book(page, TEN)
    with pytest.raises(SlotTaken):
        await anywhere.hold(page, TEN, visitor="another", address="elsewhere")
    assert anywhere.events() == []


async def test_whoever_has_the_token_books_what_they_held(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    held = await anywhere.hold(page, TEN)
    booking = await anywhere.book(page, TEN, hold_token=held.token)
    assert booking.state is BookingState.CONFIRMED
    assert "10:00" not in await anywhere.offered(page, MONDAY)
    await anywhere.cancel(booking)
    assert "10:00" in await anywhere.offered(page, MONDAY)


async def test_a_hold_ends_five_minutes_later_by_the_databases_clock(anywhere: World) -> None:
    await anywhere.connect()
    held = await anywhere.hold(await anywhere.page(), TEN)
    ahead = held.expires_at - datetime.now(UTC)
    assert timedelta(minutes=4, seconds=30) < ahead <= timedelta(minutes=5, seconds=1)


async def test_booking_another_slot_lets_the_held_one_go(here: World) -> None:
    await here.connect()
    page = await here.page()
    held = await here.hold(page, TEN)
    await here.book(page, ELEVEN, hold_token=held.token)
    assert "10:00" in await here.offered(page, MONDAY)


async def test_replacing_a_hold_keeps_its_token_and_frees_the_old_slot(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    held = await anywhere.hold(page, TEN)
    other = await anywhere.hold(page, ELEVEN, replaces=held.token)
    assert other.token == held.token
    times = await anywhere.offered(page, MONDAY)
    assert "10:00" in times
    assert "11:00" not in times


async def test_a_hold_can_move_to_a_time_that_overlaps_its_own(here: World) -> None:
    await here.connect()
    page = await here.page(start_increment_minutes=15)
    held = await here.hold(page, TEN)
    await here.hold(page, TEN + timedelta(minutes=15), replaces=held.token)
    assert (await here.offered(page, MONDAY))[:4] == ["09:00", "09:15", "09:30", "09:45"]


async def test_a_replacement_that_is_taken_leaves_the_old_hold_as_it_was(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    await anywhere.book(page, ELEVEN)
    held = await anywhere.hold(page, TEN)
    with pytest.raises(SlotTaken):
        await anywhere.hold(page, ELEVEN, replaces=held.token)
    assert "10:00" not in await anywhere.offered(page, MONDAY)
    assert (await anywhere.book(page, TEN, hold_token=held.token)).state is BookingState.CONFIRMED


async def test_a_made_up_token_replaces_nothing_and_is_not_taken_on(here: World) -> None:
    """A token of somebody's own making would be as weak as they like, and nobody could release it."""
    await here.connect()
    page = await here.page()
    for made_up in ("", "mine", "f" * 64, f"{here.anna.account_id.hex}0"):
        held = await here.hold(page, TEN, replaces=made_up)
        assert held.token != made_up
        assert len(held.token) > 40
        await release_slot(held.token, begin=here.tools.begin)
        assert "10:00" in await here.offered(page, MONDAY)


async def test_a_visitor_has_two_live_holds_at_most(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    first = await anywhere.hold(page, TEN, address="one")
    await anywhere.hold(page, HALF_PAST, address="two")
    with pytest.raises(HoldLimitReached):
        await anywhere.hold(page, ELEVEN, address="three")
    assert "11:00" in await anywhere.offered(page, MONDAY)
    await anywhere.hold(page, ELEVEN, address="three", replaces=first.token)
    await anywhere.hold(page, TEN, visitor="another", address="three")


async def test_an_address_has_ten_live_holds_on_a_page_at_most(anywhere: World) -> None:
    await anywhere.connect()
    page, other = await anywhere.page(), await anywhere.page("anna/other")
    starts = [berlin("2035-12-03 09:00") + timedelta(minutes=30 * number) for number in range(12)]
    for number, start in enumerate(starts[:10]):
        await anywhere.hold(page, start, visitor=f"visitor {number}")
    with pytest.raises(HoldLimitReached):
        await anywhere.hold(page, starts[10], visitor="visitor 10")
    await anywhere.hold(page, starts[10], visitor="visitor 10", address="elsewhere")
    await anywhere.hold(other, starts[11], visitor="visitor 11")


async def test_holds_at_once_keep_to_the_limit(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    starts = [TEN + timedelta(minutes=30 * number) for number in range(6)]
    results = await asyncio.gather(
        *(anywhere.hold(page, start, address=f"{start}") for start in starts), return_exceptions=True
    )
    assert sum(isinstance(result, HoldLimitReached) for result in results) == 4
    assert len(await anywhere.offered(page, MONDAY)) == 14


async def test_expired_holds_block_nobody_and_do_not_count(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    held = await anywhere.hold(page, TEN)
    await anywhere.hold(page, ELEVEN)
    await anywhere.holds_expire()
    assert {"10:00", "11:00"} <= set(await anywhere.offered(page, MONDAY))
    await anywhere.hold(page, HALF_PAST)
    assert (await anywhere.book(page, TEN, email="alan@example.org")).state is BookingState.CONFIRMED
    with pytest.raises(SlotTaken):
        await anywhere.book(page, TEN, hold_token=held.token)
    assert len(anywhere.events("Hopper")) == 1


async def test_of_a_late_holder_and_a_rival_one_gets_the_slot(anywhere: World) -> None:
    """BK-6: a booking that races the end of its hold."""
    await anywhere.connect()
    page = await anywhere.page()
    held = await anywhere.hold(page, TEN)
    await anywhere.holds_expire()
    wishes = [
        anywhere.wish(page, TEN, hold_token=held.token),
        *(anywhere.wish(page, TEN, email=f"v{number}@example.org") for number in range(4)),
    ]
    results = await asyncio.gather(*(anywhere.reserve(wish) for wish in wishes), return_exceptions=True)
    assert sum(isinstance(result, SlotTaken) for result in results) == 4


async def test_a_hold_never_beats_a_booking_or_an_event(here: World) -> None:
    await here.connect()
    page = await here.page()
    await here.book(page, TEN)
    with pytest.raises(SlotTaken):
        await here.hold(page, TEN)
    held = await here.hold(page, ELEVEN)
    here.google.add_event("anna@example.com", "Dentist", ELEVEN, ELEVEN + timedelta(minutes=30))
    with pytest.raises(SlotTaken):
        await here.book(page, ELEVEN, hold_token=held.token)


async def test_only_offered_slots_of_a_page_that_books_can_be_held(here: World) -> None:
    page = await here.page()
    with pytest.raises(PageOffline):
        await here.hold(page, TEN)
    await here.connect()
    with pytest.raises(SlotUnavailable):
        await here.hold(page, TEN + timedelta(minutes=7))
    await here.switch_pages(on=False)
    with pytest.raises(BookingBlocked):
        await here.hold(page, TEN)


async def test_releasing_frees_the_slot_and_can_be_repeated(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    held = await anywhere.hold(page, TEN)
    for _ in range(2):
        await release_slot(held.token, begin=anywhere.tools.begin)
        assert "10:00" in await anywhere.offered(page, MONDAY)
    for nobodys in ("", "x", "\x00", held.token[:-1], "é" * 50):
        await release_slot(nobodys, begin=anywhere.tools.begin)


async def test_who_watches_sees_a_slot_go_when_it_is_held_and_come_back_when_it_is_let_go(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    tools = anywhere.tools
    watch = AvailabilityWatch(look=tools.look, fan_out=tools.fan_out, clock=anywhere.clock, policy=tools.policy)
    looking = watch.watch(AvailabilityQuestion(page, MONDAY, MONDAY, "Europe/Berlin"), None)
    async with asyncio.timeout(10):
        snapshot = await anext(looking)
        assert isinstance(snapshot, Snapshot)
        assert len(snapshot.availability.starts) == 16
        held = await anywhere.hold(page, TEN)
        gone = await anext(looking)
        assert isinstance(gone, Delta)
        assert len(gone.days[MONDAY]) == 15
        await release_slot(held.token, begin=tools.begin)
        back = await anext(looking)
        assert isinstance(back, Delta)
        assert len(back.days[MONDAY]) == 16
        await looking.aclose()
    resumed = watch.watch(AvailabilityQuestion(page, MONDAY, MONDAY, "Europe/Berlin"), gone.cursor)
    async with asyncio.timeout(10):
        missed = await anext(resumed)
        assert isinstance(missed, Delta)
        assert missed.changed == (MONDAY,)
        await resumed.aclose()


class SlowToLeave:
    """The real way to hear of changes, at which it takes a moment to stop listening, as it does over a network."""

    def __init__(self, fan_out: FanOut) -> None:
        self._fan_out = fan_out

    async def poke(self, topics: Collection[str]) -> None:
        await self._fan_out.poke(topics)

    @asynccontextmanager
    async def listen(self, topics: Collection[str]) -> AsyncIterator[Listener]:
        async with self._fan_out.listen(topics) as ear:
            try:
                yield ear
            finally:
                await asyncio.sleep(0.05)


async def test_who_begins_to_watch_while_the_last_one_leaves_is_told_what_changes(here: World) -> None:
    await here.connect()
    page = await here.page()
    fan_out, question = SlowToLeave(here.tools.fan_out), AvailabilityQuestion(page, MONDAY, MONDAY, "Europe/Berlin")
    watch = AvailabilityWatch(look=here.tools.look, fan_out=fan_out, clock=here.clock, policy=here.tools.policy)
    async with asyncio.timeout(10):
        early = watch.watch(question, None)
        await anext(early)
        leaving = asyncio.create_task(early.aclose())
        await asyncio.sleep(0.01)
        late = watch.follow(question)
        assert len((await anext(late)).starts) == 16
        await leaving
        await here.hold(page, TEN)
        assert len((await anext(late)).starts) == 15
        await late.aclose()
