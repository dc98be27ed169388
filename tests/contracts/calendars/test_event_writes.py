"""Writing, moving and removing the event of a booking (PW-1, PW-5, S59, A-BO8, A-BO13, B-BO2)."""

import asyncio
from dataclasses import replace

import pytest

from meetings.application.ports.calendars import (
    Attendee,
    CalendarEvent,
    Calendars,
    CalendarUnreadable,
    EventRefused,
    EventRemoved,
    ProviderUnavailable,
    ReauthorizationNeeded,
    WrittenEvent,
)
from meetings.domain.calendar_connection import CalendarAccess
from tests.contracts.calendars.wishes import VISITOR, a_wish
from tests.contracts.calendars.world import CalendarWorld, HeldCredentials, SeenEvent, at


def _as_seen(wish: CalendarEvent) -> SeenEvent:
    return SeenEvent(
        title=wish.title,
        description=wish.description,
        start=wish.start,
        end=wish.end,
        zone=wish.time_zone,
        guests=frozenset(guest.email for guest in wish.attendees),
        location=wish.location,
        has_link=wish.conference,
    )


async def _put_until_known(calendars: Calendars, calendar: str, wish: CalendarEvent) -> WrittenEvent:
    """Repeat after an unknown outcome, as the worker does."""
    for _ in range(5):
        try:
            return await calendars.put_event(calendar, wish)
        except ProviderUnavailable:
            continue
    raise AssertionError("five tries were not enough")


async def test_the_event_stands_in_the_calendar_as_wished(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    assert world.seen(world.primary) == [_as_seen(wish)]
    assert written.event_id
    assert written.url is not None
    assert world.invitations() == [(VISITOR.email, "invitation")]


async def test_writing_twice_changes_nothing_and_mails_nobody(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish(conference=True)
    first = await calendars.put_event(world.primary, wish)
    second = await calendars.put_event(world.primary, wish)
    assert first == second
    assert (len(world.seen(world.primary)), len(world.invitations())) == (1, 1)


async def test_a_move_keeps_the_event_and_tells_the_guest(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    first = await calendars.put_event(world.primary, wish)
    moved = replace(wish, start=at(5, 8), end=at(5, 9), sequence=1)
    second = await calendars.put_event(world.primary, moved)
    assert (second.event_id, world.seen(world.primary)) == (first.event_id, [_as_seen(moved)])
    assert world.invitations() == [(VISITOR.email, "invitation"), (VISITOR.email, "update")]


async def test_every_field_can_change(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    await calendars.put_event(world.primary, wish)
    changed = a_wish(
        start=at(9, 7),
        end=at(9, 9),
        title="Tea with Vera",
        description="",
        time_zone="Asia/Kathmandu",
        location=None,
        attendees=(VISITOR, Attendee("Gus Guest", "gus@visitors.example")),
        sequence=1,
    )
    await calendars.put_event(world.primary, changed)
    assert world.seen(world.primary) == [_as_seen(changed)]
    without = replace(changed, attendees=(VISITOR,), sequence=2)
    await calendars.put_event(world.primary, without)
    assert world.seen(world.primary) == [_as_seen(without)]


async def test_a_change_of_an_event_that_was_never_written_writes_it(
    world: CalendarWorld, calendars: Calendars
) -> None:
    wish = a_wish(sequence=3)
    await calendars.put_event(world.primary, wish)
    assert world.seen(world.primary) == [_as_seen(wish)]


async def test_guests_whom_the_host_added_stay_invited(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    world.add_guest(world.primary, written.event_id, "colleague@example.com")
    await calendars.put_event(world.primary, replace(wish, start=at(5, 8), end=at(5, 9), sequence=1))
    (event,) = world.seen(world.primary)
    assert event.guests == {VISITOR.email, "colleague@example.com"}


async def test_an_event_the_host_dragged_away_is_put_back(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    world.move_event(world.primary, written.event_id, at(6, 8), at(6, 9))
    await calendars.put_event(world.primary, wish)
    (event,) = world.seen(world.primary)
    assert (event.start, event.end) == (wish.start, wish.end)


async def test_a_wish_that_comes_late_does_not_undo_a_newer_one(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    newer = replace(wish, start=at(5, 8), end=at(5, 9), sequence=2)
    await calendars.put_event(world.primary, newer)
    await calendars.put_event(world.primary, replace(wish, start=at(6, 8), end=at(6, 9), sequence=1))
    await calendars.put_event(world.primary, wish)
    assert world.seen(world.primary) == [_as_seen(newer)]


def _needs_links(world: CalendarWorld) -> None:
    if not world.conferences:
        pytest.skip("the provider makes no links to join a meeting by")


async def test_a_conference_link_comes_with_the_event(world: CalendarWorld, calendars: Calendars) -> None:
    _needs_links(world)
    with_link = await calendars.put_event(world.primary, a_wish("one", conference=True))
    without = await calendars.put_event(world.primary, a_wish("two"))
    assert with_link.join_url is not None
    assert with_link.join_url.startswith("https://")
    assert without.join_url is None


async def test_a_conference_can_come_and_go(world: CalendarWorld, calendars: Calendars) -> None:
    _needs_links(world)
    wish = a_wish()
    await calendars.put_event(world.primary, wish)
    added = await calendars.put_event(world.primary, replace(wish, conference=True, sequence=1))
    gone = await calendars.put_event(world.primary, replace(wish, sequence=2))
    assert (added.join_url is None, gone.join_url) == (False, None)


async def test_hosts_bookings_and_generations_have_events_of_their_own(
    world: CalendarWorld, calendars: Calendars
) -> None:
    wishes = [a_wish(), a_wish(host="host-2"), a_wish(generation=1), a_wish("another")]
    written = [await calendars.put_event(world.primary, wish) for wish in wishes]
    assert len({each.event_id for each in written}) == len(world.seen(world.primary)) == 4


async def test_only_the_named_calendar_gets_the_event(world: CalendarWorld, calendars: Calendars) -> None:
    other = world.add_calendar("Choir")
    await calendars.put_event(other, a_wish())
    assert (len(world.seen(other)), world.seen(world.primary)) == (1, [])


async def test_removing_takes_the_event_away_and_tells_the_guest(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    await calendars.put_event(world.primary, wish)
    await calendars.remove_event(world.primary, wish.key)
    assert world.seen(world.primary) == []
    assert world.invitations() == [(VISITOR.email, "invitation"), (VISITOR.email, "cancellation")]


async def test_removing_twice_or_what_never_was_is_success(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    await calendars.remove_event(world.primary, wish.key)
    await calendars.put_event(world.primary, wish)
    for _ in range(2):
        await calendars.remove_event(world.primary, wish.key)
    assert len(world.invitations()) == 2


async def test_an_event_that_the_host_removed_is_not_written_again(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    world.cancel_event(world.primary, written.event_id)
    known = replace(wish, written_as=written.event_id)
    for again in (known, replace(known, sequence=1)):
        with pytest.raises(EventRemoved):
            await calendars.put_event(world.primary, again)
    assert world.seen(world.primary) == []
    await calendars.put_event(world.primary, a_wish(generation=1))
    assert len(world.seen(world.primary)) == 1


async def test_a_foreign_event_in_its_place_is_left_alone(world: CalendarWorld, calendars: Calendars) -> None:
    if not world.chosen_ids:
        pytest.skip("the provider chooses the ids of events, so nobody else's event can stand in the place of ours")
    wish = a_wish()
    world.occupy(world.primary, wish.key, at(6, 9), at(6, 10))
    before = world.seen(world.primary)
    for each in (wish, replace(wish, sequence=1)):
        with pytest.raises(EventRefused):
            await calendars.put_event(world.primary, each)
    await calendars.remove_event(world.primary, wish.key)
    assert world.seen(world.primary) == before


async def test_lost_answers_to_first_writes_make_no_second_event(world: CalendarWorld, calendars: Calendars) -> None:
    """PW-5: each of 20 writes is done, and each first answer is lost."""
    wishes = [a_wish(f"booking-{number}") for number in range(20)]
    for wish in wishes:
        world.lose_answers(1)
        await _put_until_known(calendars, world.primary, wish)
    assert len(world.seen(world.primary)) == 20
    assert [what for _, what in world.invitations()] == ["invitation"] * 20


async def test_lost_answers_to_changes_and_removals_do_no_harm(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    await calendars.put_event(world.primary, wish)
    moved = replace(wish, start=at(5, 8), end=at(5, 9), sequence=1)
    world.lose_answers(1)
    await _put_until_known(calendars, world.primary, moved)
    assert world.seen(world.primary) == [_as_seen(moved)]
    world.lose_answers(1)
    with pytest.raises(ProviderUnavailable):
        await calendars.remove_event(world.primary, wish.key)
    await calendars.remove_event(world.primary, wish.key)
    assert world.seen(world.primary) == []
    assert [what for _, what in world.invitations()] == ["invitation", "update", "cancellation"]


async def test_the_same_event_written_by_many_at_once_is_one(world: CalendarWorld) -> None:
    async def write() -> WrittenEvent:
        return await world.provider.calendars(world.sign_in()).put_event(world.primary, a_wish(conference=True))

    written = await asyncio.gather(*(write() for _ in range(8)))
    assert len(set(written)) == len(world.seen(world.primary)) == len(world.invitations()) == 1


async def test_a_provider_that_is_down_leaves_the_outcome_unknown(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    world.fail(times=None)
    with pytest.raises(ProviderUnavailable):
        await calendars.put_event(world.primary, wish)
    world.recover()
    await calendars.put_event(world.primary, wish)
    assert world.seen(world.primary) == [_as_seen(wish)]


async def test_a_calendar_that_cannot_be_written_any_more_says_so(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish()
    readable, lost = world.add_calendar("Team", CalendarAccess.READER), world.add_calendar("Choir")
    world.lose_access(lost)
    for calendar in (readable, lost):
        with pytest.raises(CalendarUnreadable):
            await calendars.put_event(calendar, wish)


async def test_what_the_provider_will_never_accept_is_refused(world: CalendarWorld, calendars: Calendars) -> None:
    with pytest.raises(EventRefused):
        await calendars.put_event(world.primary, a_wish(attendees=(Attendee("Nobody", "not an address"),)))
    assert world.seen(world.primary) == []


async def test_a_revoked_grant_needs_the_person(
    world: CalendarWorld, calendars: Calendars, credentials: HeldCredentials
) -> None:
    world.revoke()
    with pytest.raises(ReauthorizationNeeded):
        await calendars.put_event(world.primary, a_wish())
    with pytest.raises(ReauthorizationNeeded):
        await calendars.remove_event(world.primary, a_wish().key)
