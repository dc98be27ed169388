"""What is busy right now (S3, S53, S60, A-AV2, BK-8, BK-10)."""

from datetime import UTC, date, datetime

import pytest

from meetings.application.ports.calendars import (
    BusyStatus,
    Calendars,
    CalendarUnreadable,
    EventTime,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.domain.calendar_connection import CalendarAccess
from meetings.domain.timespan import TimeSpan, at_minute
from tests.contracts.calendars.wishes import a_wish
from tests.contracts.calendars.world import CalendarWorld, at

TUESDAY = TimeSpan(at(3, 0), at(4, 0))


def _times(events: object) -> list[tuple[datetime, datetime]]:
    assert isinstance(events, tuple)
    return sorted((at_minute(each.start), at_minute(each.end)) for each in events if isinstance(each, EventTime))


async def test_an_event_is_busy_from_its_start_to_its_end(world: CalendarWorld, calendars: Calendars) -> None:
    event_id = world.add_event(world.primary, at(3, 9), at(3, 9, 30))
    answer = (await calendars.busy([world.primary], TUESDAY))[world.primary]
    assert isinstance(answer, tuple)
    (event,) = answer
    assert (event.event_id, event.status, event.booking_key) == (event_id, BusyStatus.BUSY, None)
    assert (at_minute(event.start), at_minute(event.end)) == (at(3, 9), at(3, 9, 30))


async def test_every_calendar_that_was_asked_has_its_own_answer(world: CalendarWorld, calendars: Calendars) -> None:
    choir, empty = world.add_calendar("Choir"), world.add_calendar("Empty")
    world.add_event(choir, at(3, 18), at(3, 20))
    world.add_event(world.primary, at(3, 9), at(3, 10))
    answers = await calendars.busy([empty, choir, world.primary, choir], TUESDAY)
    assert {calendar: _times(events) for calendar, events in answers.items()} == {
        empty: [],
        choir: [(at(3, 18), at(3, 20))],
        world.primary: [(at(3, 9), at(3, 10))],
    }


async def test_only_what_blocks_is_busy(world: CalendarWorld, calendars: Calendars) -> None:
    for hour, status in enumerate(sorted(world.statuses, key=lambda each: each.value)):
        world.add_event(world.primary, at(3, hour), at(3, hour + 1), status=status)
    answer = (await calendars.busy([world.primary], TUESDAY))[world.primary]
    assert isinstance(answer, tuple)
    assert {each.status for each in answer} == {status for status in world.statuses if status.blocks}


async def test_an_invitation_is_busy_until_it_is_declined(world: CalendarWorld, calendars: Calendars) -> None:
    event_id = world.invite(at(3, 9), at(3, 10))
    before = await calendars.busy([world.primary], TUESDAY)
    world.decline(event_id)
    after = await calendars.busy([world.primary], TUESDAY)
    assert (_times(before[world.primary]), after[world.primary]) == ([(at(3, 9), at(3, 10))], ())


async def test_a_cancelled_event_is_not_busy(world: CalendarWorld, calendars: Calendars) -> None:
    world.cancel_event(world.primary, world.add_event(world.primary, at(3, 9), at(3, 10)))
    assert (await calendars.busy([world.primary], TUESDAY))[world.primary] == ()


async def test_a_whole_day_is_busy_from_midnight_to_midnight_where_the_host_is(
    world: CalendarWorld, calendars: Calendars
) -> None:
    """The clocks change in Berlin on 29 March: that day has 23 hours."""
    world.add_days(world.primary, date(2026, 3, 29), date(2026, 3, 30))
    answers = await calendars.busy([world.primary], TimeSpan(at(28, 0), at(31, 0)))
    assert _times(answers[world.primary]) == [(at(28, 23), at(29, 22))]


async def test_instances_of_a_series_are_busy_where_they_were_moved_to(
    world: CalendarWorld, calendars: Calendars
) -> None:
    series = world.add_weekly(world.primary, at(3, 9), at(3, 10), times=None)
    world.move_instance(world.primary, series, at(10, 9), at(11, 15), at(11, 16))
    world.cancel_instance(world.primary, series, at(17, 9))
    answers = await calendars.busy([world.primary], TimeSpan(at(2, 0), at(25, 0)))
    assert _times(answers[world.primary]) == [
        (at(3, 9), at(3, 10)),
        (at(11, 15), at(11, 16)),
        (at(24, 9), at(24, 10)),
    ]


async def test_what_only_touches_the_span_is_not_busy_in_it(world: CalendarWorld, calendars: Calendars) -> None:
    world.add_event(world.primary, at(3, 9), at(3, 10))
    answers = await calendars.busy([world.primary], TimeSpan(at(3, 10), at(3, 11)))
    assert answers[world.primary] == ()


async def test_a_long_span_is_answered_whole(world: CalendarWorld, calendars: Calendars) -> None:
    world.add_event(world.primary, at(3, 9), at(3, 10))
    world.add_event(world.primary, at(3, 9, month=8), at(3, 10, month=8))
    span = TimeSpan(at(1, 0), datetime(2027, 1, 1, tzinfo=UTC))
    answers = await calendars.busy([world.primary], span)
    assert _times(answers[world.primary]) == [
        (at(3, 9), at(3, 10)),
        (at(3, 9, month=8), at(3, 10, month=8)),
    ]


async def test_our_own_booking_can_be_told_from_other_events(world: CalendarWorld, calendars: Calendars) -> None:
    wish = a_wish(start=at(3, 9), end=at(3, 10))
    written = await calendars.put_event(world.primary, wish)
    world.add_event(world.primary, at(3, 9, 30), at(3, 11))
    answer = (await calendars.busy([world.primary], TUESDAY))[world.primary]
    assert isinstance(answer, tuple)
    own = [each for each in answer if each.booking_key == wish.key.booking]
    assert [each.event_id for each in own] == [written.event_id]
    assert len(answer) == 2


async def test_a_calendar_that_cannot_be_read_is_an_error_and_the_others_answer(
    world: CalendarWorld, calendars: Calendars
) -> None:
    lost = world.add_calendar("Team", CalendarAccess.READER)
    world.add_event(world.primary, at(3, 9), at(3, 10))
    world.lose_access(lost)
    answers = await calendars.busy([lost, world.primary], TUESDAY)
    assert isinstance(answers[lost], CalendarUnreadable)
    assert _times(answers[world.primary]) == [(at(3, 9), at(3, 10))]
    world.restore_access(lost)
    assert (await calendars.busy([lost], TUESDAY))[lost] == ()


async def test_no_calendar_asked_is_no_answer(calendars: Calendars) -> None:
    assert dict(await calendars.busy([], TUESDAY)) == {}


async def test_trouble_with_the_account_is_raised(world: CalendarWorld, calendars: Calendars) -> None:
    world.revoke()
    with pytest.raises(ReauthorizationNeeded):
        await calendars.busy([world.primary], TUESDAY)


async def test_a_provider_that_is_down_is_never_free(world: CalendarWorld, calendars: Calendars) -> None:
    world.fail(times=None)
    with pytest.raises(ProviderUnavailable):
        await calendars.busy([world.primary], TUESDAY)


async def test_a_provider_that_is_asked_too_much_says_when_to_come_back(
    world: CalendarWorld, calendars: Calendars
) -> None:
    world.limit_rate(17)
    with pytest.raises(RateLimited) as refused:
        await calendars.busy([world.primary], TUESDAY)
    assert refused.value.retry_after == 17
