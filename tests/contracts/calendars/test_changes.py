"""Following a calendar (SY-6, A-AV2): whatever happens there, the copy ends up as the calendar is."""

import random
from datetime import date, datetime, timedelta

import pytest

from meetings.application.ports.calendars import (
    BusyStatus,
    Calendars,
    CalendarUnreadable,
    CursorExpired,
    ProviderUnavailable,
    ReauthorizationNeeded,
)
from meetings.domain.calendar_connection import CalendarAccess
from meetings.domain.timespan import TimeSpan, at_minute
from tests.contracts.calendars.mirror import Mirror
from tests.contracts.calendars.wishes import a_wish
from tests.contracts.calendars.world import CalendarWorld, at

WINDOW = TimeSpan(at(2, 0), at(2, 0, month=5))


@pytest.fixture
def mirror(world: CalendarWorld) -> Mirror:
    return Mirror(world.primary, WINDOW)


async def _truth(world: CalendarWorld, calendars: Calendars) -> Mirror:
    fresh = Mirror(world.primary, WINDOW)
    await fresh.follow(calendars)
    return fresh


async def test_an_empty_calendar_has_a_cursor_too(calendars: Calendars, mirror: Mirror) -> None:
    await mirror.follow(calendars)
    assert (mirror.events, mirror.cursor is None) == ({}, False)


async def test_a_full_read_has_every_event_that_touches_the_window(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror
) -> None:
    inside = world.add_event(world.primary, at(3, 9), at(3, 10))
    across = world.add_event(world.primary, at(1, 23), at(2, 1))
    world.add_event(world.primary, at(1, 9), at(1, 10))
    await mirror.follow(calendars)
    assert {event.event_id for event in mirror.in_window()} == {inside, across}


async def test_an_event_that_was_added_moved_or_cancelled_is_told_once(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror
) -> None:
    kept, moved, gone = (world.add_event(world.primary, at(3, hour), at(3, hour + 1)) for hour in (9, 11, 13))
    await mirror.follow(calendars)
    world.move_event(world.primary, moved, at(5, 9), at(5, 10))
    world.cancel_event(world.primary, gone)
    added = world.add_event(world.primary, at(3, 20), at(3, 21))
    told = [page async for page in calendars.changes(world.primary, mirror.cursor, WINDOW)]
    assert {event.event_id for page in told for event in page.changed} == {moved, added}
    assert [removed.event_id for page in told for removed in page.removed] == [gone]
    await mirror.follow(calendars)
    assert {id: at_minute(event.start) for id, event in mirror.events.items()} == {
        kept: at(3, 9),
        moved: at(5, 9),
        added: at(3, 20),
    }
    assert mirror.full_reads == 1


async def test_without_news_there_is_none(world: CalendarWorld, calendars: Calendars, mirror: Mirror) -> None:
    world.add_event(world.primary, at(3, 9), at(3, 10))
    await mirror.follow(calendars)
    told = [page async for page in calendars.changes(world.primary, mirror.cursor, WINDOW)]
    assert [(page.changed, page.removed) for page in told] == [((), ())]


async def test_a_cursor_can_be_used_again(world: CalendarWorld, calendars: Calendars, mirror: Mirror) -> None:
    await mirror.follow(calendars)
    cursor = mirror.cursor
    world.add_event(world.primary, at(3, 9), at(3, 10))
    first = [page async for page in calendars.changes(world.primary, cursor, WINDOW)]
    second = [page async for page in calendars.changes(world.primary, cursor, WINDOW)]
    assert [page.changed for page in first] == [page.changed for page in second]


async def test_each_event_says_whether_it_blocks(world: CalendarWorld, calendars: Calendars, mirror: Mirror) -> None:
    made = {
        world.add_event(world.primary, at(3, 9), at(3, 10), status=status): status
        for status in sorted(world.statuses, key=lambda each: each.value)
    }
    await mirror.follow(calendars)
    assert {event.event_id: event.status for event in mirror.events.values()} == made


async def test_a_declined_invitation_is_free(world: CalendarWorld, calendars: Calendars, mirror: Mirror) -> None:
    event_id = world.invite(at(3, 9), at(3, 10))
    await mirror.follow(calendars)
    assert mirror.events[event_id].status.blocks
    world.decline(event_id)
    await mirror.follow(calendars)
    assert mirror.events[event_id].status is BusyStatus.FREE


async def test_whole_days_are_days_of_the_host(world: CalendarWorld, calendars: Calendars, mirror: Mirror) -> None:
    world.add_days(world.primary, date(2026, 3, 28), date(2026, 3, 30))
    await mirror.follow(calendars)
    (event,) = mirror.events.values()
    assert (at_minute(event.start), at_minute(event.end)) == (at(27, 23), at(29, 22))


async def test_a_series_keeps_its_wall_time_when_the_clocks_change(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror
) -> None:
    """Weekly at 10:00 in Berlin: 09:00 UTC in winter, 08:00 UTC from 29 March on."""
    series = world.add_weekly(world.primary, at(17, 9), at(17, 10), times=3)
    await mirror.follow(calendars)
    starts = sorted(at_minute(event.start) for event in mirror.events.values())
    assert starts == [at(17, 9), at(24, 9), at(31, 8)]
    assert {event.series_id for event in mirror.events.values()} == {series}


async def test_moved_and_cancelled_instances_of_a_series_are_followed(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror
) -> None:
    series = world.add_weekly(world.primary, at(3, 9), at(3, 10), times=3)
    await mirror.follow(calendars)
    world.move_instance(world.primary, series, at(10, 9), at(12, 15), at(12, 16))
    world.cancel_instance(world.primary, series, at(17, 9))
    await mirror.follow(calendars)
    assert sorted(at_minute(event.start) for event in mirror.events.values()) == [at(3, 9), at(12, 15)]
    assert mirror.full_reads == 1


async def test_a_series_that_is_removed_leaves_nothing(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror
) -> None:
    series = world.add_weekly(world.primary, at(3, 9), at(3, 10), times=None)
    await mirror.follow(calendars)
    world.cancel_event(world.primary, series)
    await mirror.follow(calendars)
    assert mirror.in_window() == set()


async def test_a_series_that_moves_leaves_nothing_behind(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror
) -> None:
    series = world.add_weekly(world.primary, at(3, 9), at(3, 10), times=4)
    await mirror.follow(calendars)
    world.move_event(world.primary, series, at(4, 15), at(4, 16))
    await mirror.follow(calendars)
    assert sorted(at_minute(event.start) for event in mirror.in_window()) == [
        at(4, 15),
        at(11, 15),
        at(18, 15),
        at(25, 15),
    ]


async def test_an_event_that_leaves_the_window_is_not_left_in_it(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror
) -> None:
    event_id = world.add_event(world.primary, at(3, 9), at(3, 10))
    await mirror.follow(calendars)
    world.move_event(world.primary, event_id, at(3, 9, month=9), at(3, 10, month=9))
    await mirror.follow(calendars)
    assert mirror.in_window() == set()


async def test_only_the_last_page_has_a_cursor(world: CalendarWorld, calendars: Calendars) -> None:
    made = {world.add_event(world.primary, at(3, hour), at(3, hour + 1)) for hour in range(9)}
    world.small_pages(2)
    pages = [page async for page in calendars.changes(world.primary, None, WINDOW)]
    assert len(pages) >= 5  # more where pages are spans of time, of which some are empty
    assert {event.event_id for page in pages for event in page.changed} == made
    assert [page.cursor is None for page in pages] == [True] * (len(pages) - 1) + [False]


async def test_a_change_between_two_pages_of_a_full_read_is_not_missed(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror
) -> None:
    first, *_, last = [world.add_event(world.primary, at(3, hour), at(3, hour + 1)) for hour in range(6)]
    world.small_pages(2)

    def meanwhile() -> None:
        world.move_event(world.primary, first, at(7, 9), at(7, 10))
        world.cancel_event(world.primary, last)
        world.add_event(world.primary, at(8, 9), at(8, 10))

    world.during_list(meanwhile)
    await mirror.follow(calendars)
    await mirror.follow(calendars)
    assert mirror.full_reads == 1
    assert mirror.events == (await _truth(world, calendars)).events


@pytest.mark.parametrize("pages_before", [0, 1, 3])
async def test_a_read_that_breaks_off_changes_nothing(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror, pages_before: int
) -> None:
    for hour in range(8):
        world.add_event(world.primary, at(3, hour), at(3, hour + 1))
    await mirror.follow(calendars)
    before = dict(mirror.events)
    world.expire_cursors(world.primary)
    with pytest.raises(CursorExpired):
        [page async for page in calendars.changes(world.primary, mirror.cursor, WINDOW)]
    world.small_pages(2)
    pages = calendars.changes(world.primary, None, WINDOW)
    for _ in range(pages_before):
        assert (await anext(pages)).cursor is None
    world.fail()
    with pytest.raises(ProviderUnavailable):
        await anext(pages)
    await mirror.follow(calendars)
    assert (mirror.events, mirror.full_reads) == (before, 2)


async def test_a_cursor_that_is_not_ours_is_expired(world: CalendarWorld, calendars: Calendars) -> None:
    for cursor in ("", "nonsense", "1:nonsense"):
        with pytest.raises(CursorExpired):
            [page async for page in calendars.changes(world.primary, cursor, WINDOW)]


async def test_lost_access_is_told_and_ends_when_access_is_back(world: CalendarWorld, calendars: Calendars) -> None:
    shared = world.add_calendar("Team", CalendarAccess.READER)
    mirror = Mirror(shared, WINDOW)
    world.add_event(shared, at(3, 9), at(3, 10))
    await mirror.follow(calendars)
    world.lose_access(shared)
    for cursor in (mirror.cursor, None):
        with pytest.raises(CalendarUnreadable):
            [page async for page in calendars.changes(shared, cursor, WINDOW)]
    world.restore_access(shared)
    await mirror.follow(calendars)
    assert len(mirror.events) == 1


async def test_a_revoked_grant_needs_the_person(world: CalendarWorld, calendars: Calendars, mirror: Mirror) -> None:
    world.revoke()
    with pytest.raises(ReauthorizationNeeded):
        await mirror.follow(calendars)


async def test_our_own_event_is_recognised_in_the_feed(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror
) -> None:
    await mirror.follow(calendars)
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    await mirror.follow(calendars)
    assert mirror.events[written.event_id].booking_key == wish.key.booking
    world.cancel_event(world.primary, written.event_id)
    await mirror.follow(calendars)
    assert mirror.events == {}


async def test_after_any_changes_the_copy_is_as_the_calendar(
    world: CalendarWorld, calendars: Calendars, mirror: Mirror
) -> None:
    chance = random.Random(20260302)
    singles: list[str] = []
    series: list[str] = []
    world.small_pages(7)

    def some_time() -> tuple[datetime, datetime]:
        start = at(2, 0) + timedelta(minutes=15 * chance.randrange(4 * 24 * 40))
        return start, start + timedelta(minutes=15 * chance.randrange(1, 12))

    for step in range(120):
        act = chance.choice(["add", "add", "add", "move", "cancel", "series", "move series", "cancel series"])
        start, end = some_time()
        if act == "add":
            status = chance.choice(sorted(world.statuses, key=lambda each: each.value))
            singles.append(world.add_event(world.primary, start, end, status=status))
        elif act == "series":
            series.append(world.add_weekly(world.primary, start, end, times=chance.randrange(2, 6)))
        elif act == "move" and singles:
            world.move_event(world.primary, chance.choice(singles), start, end)
        elif act == "cancel" and singles:
            world.cancel_event(world.primary, singles.pop(chance.randrange(len(singles))))
        elif act == "move series" and series:
            world.move_event(world.primary, chance.choice(series), start, end)
        elif act == "cancel series" and series:
            world.cancel_event(world.primary, series.pop(chance.randrange(len(series))))
        if step % 6 == 5:
            await mirror.follow(calendars)
            assert mirror.in_window() == (await _truth(world, calendars)).in_window(), f"after step {step}"
    assert mirror.in_window()
