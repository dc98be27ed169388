"""What events say, told for people's records (S18, A-CR1, A-CR2, B-CR1): who takes part, what about, and what becomes
of it."""

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from meetings.application.ports.calendars import (
    Calendars,
    CalendarUnreadable,
    CursorExpired,
    EventDetails,
    GuestAnswer,
    ProviderUnavailable,
    ReauthorizationNeeded,
)
from meetings.domain.timespan import TimeSpan
from tests.contracts.calendars.news import NewsReader
from tests.contracts.calendars.wishes import a_wish
from tests.contracts.calendars.world import CalendarWorld, at

WINDOW = TimeSpan(at(2, 0), at(2, 0, month=5))
EVE, BOB = "eve@visitor.example", "bob@example.com"


@pytest.fixture
def reader(world: CalendarWorld) -> NewsReader:
    return NewsReader(world.primary, WINDOW)


async def _one(reader: NewsReader, calendars: Calendars) -> EventDetails:
    (told,) = await reader.follow(calendars)
    return told


async def test_an_event_says_what_it_is_about_and_who_takes_part(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    made = world.plan(
        world.primary, "Offer", at(3, 9), at(3, 10), guests=[EVE], text="Bring the plan.\nAnd pens.", place="Room 1"
    )
    told = await _one(reader, calendars)
    assert (told.event_id, told.title, told.description, told.location) == (
        made,
        "Offer",
        "Bring the plan.\nAnd pens.",
        "Room 1",
    )
    assert (told.start, told.end, told.whole_days, told.is_series) == (at(3, 9), at(3, 10), False, False)
    assert told.organizer == world.account
    assert [(guest.email, guest.answer) for guest in told.guests if guest.email != world.account] == [
        (EVE, GuestAnswer.NONE)
    ]
    assert (told.organized_here, told.declined, told.private, told.booking_key) == (True, False, False, None)
    assert told.ical_uid


async def test_nothing_it_says_shows_where_it_is_written_down_for_people_who_mend(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    world.plan(world.primary, "Offer", at(3, 9), at(3, 10), guests=[EVE], text="Secret", place="Room 1")
    shown = repr(await _one(reader, calendars))
    assert not any(word in shown for word in ("Offer", "Secret", "Room 1", EVE))


async def test_a_full_read_has_the_events_of_the_window(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    inside = world.plan(world.primary, "Inside", at(3, 9), at(3, 10), guests=[EVE])
    across = world.plan(world.primary, "Across", at(1, 23), at(2, 1))
    world.plan(world.primary, "Before", at(1, 9), at(1, 10), guests=[EVE])
    await reader.follow(calendars)
    assert set(reader.events) == {inside, across}


async def test_what_was_added_changed_moved_or_removed_is_told(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    kept, other, moved, gone = (
        world.plan(world.primary, f"Plan {hour}", at(3, hour), at(3, hour + 1), guests=[EVE])
        for hour in (9, 11, 13, 15)
    )
    await reader.follow(calendars)
    world.replan(world.primary, other, title="Another plan", guests=[EVE, BOB])
    world.move_event(world.primary, moved, at(5, 9), at(5, 10))
    world.cancel_event(world.primary, gone)
    added = world.plan(world.primary, "Added", at(3, 20), at(3, 21))
    told = await reader.follow(calendars)
    assert {event.event_id for event in told} == {other, moved, added}
    assert set(reader.events) == {kept, other, moved, added}
    assert reader.events[other].title == "Another plan"
    assert {guest.email for guest in reader.events[other].guests} >= {EVE, BOB}
    assert (reader.events[moved].start, reader.events[moved].end) == (at(5, 9), at(5, 10))


async def test_without_news_there_is_none(world: CalendarWorld, calendars: Calendars, reader: NewsReader) -> None:
    world.plan(world.primary, "Offer", at(3, 9), at(3, 10), guests=[EVE])
    await reader.follow(calendars)
    assert await reader.follow(calendars) == []


async def test_a_cursor_can_be_used_again(world: CalendarWorld, calendars: Calendars, reader: NewsReader) -> None:
    await reader.follow(calendars)
    world.plan(world.primary, "Offer", at(3, 9), at(3, 10), guests=[EVE])
    told = [
        [event async for page in calendars.event_news(world.primary, reader.cursor, WINDOW) for event in page.changed]
        for _ in range(2)
    ]
    assert told[0] == told[1] != []


async def test_private_events_say_so(world: CalendarWorld, calendars: Calendars, reader: NewsReader) -> None:
    made = world.plan(world.primary, "Doctor", at(3, 9), at(3, 10), guests=[EVE], private=True)
    assert (await _one(reader, calendars)).private
    world.replan(world.primary, made, private=False)
    assert not (await _one(reader, calendars)).private


async def test_whole_days_begin_at_midnight_of_the_host(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    world.add_days(world.primary, date(2026, 3, 28), date(2026, 3, 30))
    told = await _one(reader, calendars)
    assert (told.start, told.end, told.whole_days) == (at(27, 23), at(29, 22), True)


async def test_a_series_is_one_event_at_its_first_occurrence(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    series = world.plan(world.primary, "Weekly", at(3, 9), at(3, 10), guests=[EVE], weekly=4)
    told = await _one(reader, calendars)
    assert (told.event_id, told.start, told.end, told.is_series) == (series, at(3, 9), at(3, 10), True)
    world.move_instance(world.primary, series, at(10, 9), at(11, 9), at(11, 10))
    world.cancel_instance(world.primary, series, at(17, 9))
    await reader.follow(calendars)
    assert {id: event.start for id, event in reader.events.items()} == {series: at(3, 9)}
    world.cancel_event(world.primary, series)
    await reader.follow(calendars)
    assert reader.events == {}


async def test_colleagues_see_one_event_by_the_same_name(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    credentials, primary = world.colleague()
    made = world.plan(world.primary, "Together", at(3, 9), at(3, 10), guests=[BOB, EVE])
    own = await _one(reader, calendars)
    theirs = await _one(NewsReader(primary, WINDOW), world.provider.calendars(credentials))
    assert own.event_id == made
    assert theirs.ical_uid == own.ical_uid
    assert (own.organized_here, theirs.organized_here) == (True, False)
    assert (theirs.organizer, theirs.title, theirs.start) == (world.account, "Together", at(3, 9))
    assert {guest.email for guest in theirs.guests} >= {EVE}


async def test_two_events_have_two_names(world: CalendarWorld, calendars: Calendars, reader: NewsReader) -> None:
    for hour in (9, 11):
        world.plan(world.primary, "Offer", at(3, hour), at(3, hour + 1), guests=[EVE])
    told = await reader.follow(calendars)
    assert len({event.ical_uid for event in told}) == 2


async def test_a_colleague_sees_that_it_was_cancelled(world: CalendarWorld, calendars: Calendars) -> None:
    credentials, primary = world.colleague()
    theirs, reader = world.provider.calendars(credentials), NewsReader(primary, WINDOW)
    made = world.plan(world.primary, "Together", at(3, 9), at(3, 10), guests=[BOB, EVE])
    await reader.follow(theirs)
    assert len(reader.events) == 1
    world.cancel_event(world.primary, made)
    await reader.follow(theirs)
    assert reader.events == {}


async def test_who_declined_says_so(world: CalendarWorld, calendars: Calendars, reader: NewsReader) -> None:
    invited = world.invite(at(3, 9), at(3, 10))
    told = await _one(reader, calendars)
    assert (told.event_id, told.organizer, told.organized_here, told.declined) == (invited, BOB, False, False)
    world.decline(invited)
    await reader.follow(calendars)
    assert reader.events[invited].declined


async def test_our_own_event_says_whose_it_is_and_has_the_name_it_was_written_by(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    told = await _one(reader, calendars)
    assert (told.event_id, told.booking_key) == (written.event_id, wish.key.booking)
    assert told.ical_uid == written.ical_uid
    again = await calendars.put_event(world.primary, wish)
    assert again.ical_uid == written.ical_uid


async def test_only_the_last_page_has_a_cursor(world: CalendarWorld, calendars: Calendars) -> None:
    for hour in range(9, 16):
        world.plan(world.primary, "Offer", at(3, hour), at(3, hour + 1), guests=[EVE])
    world.small_pages(3)
    pages = [page async for page in calendars.event_news(world.primary, None, WINDOW)]
    assert len(pages) > 1
    assert [page.cursor is not None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert len({event.event_id for page in pages for event in page.changed}) == 7


async def test_a_cursor_that_died_or_is_of_another_feed_is_expired(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    await reader.follow(calendars)
    (other,) = [page.cursor async for page in calendars.changes(world.primary, None, WINDOW) if page.cursor]
    for wrong in ("nonsense", "news1:", other):
        with pytest.raises(CursorExpired):
            [page async for page in calendars.event_news(world.primary, wrong, WINDOW)]
    with pytest.raises(CursorExpired):
        [page async for page in calendars.changes(world.primary, reader.cursor, WINDOW)]
    world.expire_cursors(world.primary)
    with pytest.raises(CursorExpired):
        [page async for page in calendars.event_news(world.primary, reader.cursor, WINDOW)]


async def test_lost_access_and_a_revoked_grant_are_told(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    await reader.follow(calendars)
    world.lose_access(world.primary)
    with pytest.raises((CalendarUnreadable, CursorExpired)):
        [page async for page in calendars.event_news(world.primary, reader.cursor, WINDOW)]
    with pytest.raises(CalendarUnreadable):
        [page async for page in calendars.event_news(world.primary, None, WINDOW)]
    world.restore_access(world.primary)
    world.revoke()
    with pytest.raises(ReauthorizationNeeded):
        [page async for page in calendars.event_news(world.primary, None, WINDOW)]


async def test_trouble_of_the_provider_is_told_as_such(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader
) -> None:
    world.fail(None)
    with pytest.raises(ProviderUnavailable):
        await reader.follow(calendars)
    world.recover()
    world.plan(world.primary, "Offer", at(3, 9), at(3, 10))
    assert len(await reader.follow(calendars)) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_after_any_changes_the_copy_is_as_the_calendar(
    world: CalendarWorld, calendars: Calendars, reader: NewsReader, seed: int
) -> None:
    chance = random.Random(seed)
    alone: list[str] = []

    def plan() -> None:
        start = at(chance.randrange(3, 28), chance.randrange(24))
        guests = chance.sample([EVE, BOB, "kim@visitor.example"], chance.randrange(3))
        alone.append(world.plan(world.primary, "Plan", start, start + timedelta(hours=1), guests=guests))

    def move() -> None:
        start = at(chance.randrange(3, 28), chance.randrange(24))
        world.move_event(world.primary, chance.choice(alone), start, start + timedelta(hours=2))

    def rename() -> None:
        world.replan(world.primary, chance.choice(alone), title=f"Plan {chance.random()}")

    def remove() -> None:
        world.cancel_event(world.primary, alone.pop(chance.randrange(len(alone))))

    for _ in range(12):
        for _ in range(chance.randrange(1, 4)):
            acts: list[Callable[[], None]] = [plan, move, rename, remove] if len(alone) > 1 else [plan]
            chance.choice(acts)()
        if chance.random() < 0.2:
            world.expire_cursors(world.primary)
        await reader.follow(calendars)
        fresh = NewsReader(world.primary, WINDOW)
        await fresh.follow(calendars)
        assert reader.events == fresh.events
        assert set(reader.events) == set(alone)
