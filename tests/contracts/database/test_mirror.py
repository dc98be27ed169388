"""The copy of calendars' busy time: incremental changes, full reads into a shadow, what counts as known."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from meetings.application.ports.calendars import BusyStatus, EventTime, RemovedEvent
from meetings.application.ports.unit_of_work import MirroredTime, MirrorState
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.calendar_connection import CalendarHealth
from meetings.domain.identifiers import CalendarId
from meetings.domain.timespan import TimeSpan, floor_minute
from meetings.infrastructure.database.unit_of_work import Database
from tests.builders import NOW, a_calendar, a_connection, a_user, calendar_id
from tests.contracts.database.conftest import Tenant

ZERO = floor_minute(NOW)
WINDOW = TimeSpan(NOW - timedelta(days=1), NOW + timedelta(days=30))


def event(event_id: str, start: int, end: int, status: BusyStatus = BusyStatus.BUSY, **given: Any) -> EventTime:
    """An event so many minutes after `NOW`."""
    return EventTime(event_id, ZERO + start, ZERO + end, status, **given)


async def apply(
    tenant: Tenant, *changed: EventTime, removed: Sequence[str] = (), calendar: CalendarId | None = None
) -> bool:
    async with tenant.begin(tenant.account.account_id) as work:
        target = calendar or tenant.connection.calendars[0].id
        news = await work.mirror.apply(target, changed, [RemovedEvent(event_id) for event_id in removed])
        await work.commit()
    return news


async def read_all(tenant: Tenant, *events: EventTime, calendar: CalendarId | None = None) -> bool:
    """A full read, confirmed."""
    async with tenant.begin(tenant.account.account_id) as work:
        target = calendar or tenant.connection.calendars[0].id
        copy = await work.mirror.begin_copy(target)
        await work.mirror.fill_copy(target, copy, events)
        news = await work.mirror.swap_copy(target, copy, WINDOW)
        await work.mirror.confirm(target, cursor="cursor", at=NOW)
        await work.commit()
    return news


async def known(tenant: Tenant, span: TimeSpan = WINDOW, *, since: timedelta = timedelta(minutes=15)) -> MirroredTime:
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.mirror.of_hosts([tenant.host.id], span, confirmed_since=NOW - since)
    return found[tenant.host.id]


async def busy(tenant: Tenant, span: TimeSpan = WINDOW) -> list[tuple[int, int]]:
    return [(start - ZERO, end - ZERO) for start, end in (await known(tenant, span)).busy]


# ---- busy time ------------------------------------------------------------------------------------------------------


async def test_busy_time_is_sorted_and_may_overlap(tenant: Tenant) -> None:
    await read_all(tenant, event("b", 60, 120), event("a", 30, 90), event("c", 200, 210))
    assert await busy(tenant) == [(30, 90), (60, 120), (200, 210)]


async def test_only_busy_time_that_touches_the_span_is_given(tenant: Tenant) -> None:
    await read_all(tenant, event("before", 0, 60), event("in", 60, 90), event("after", 120, 150), event("over", 0, 999))
    span = TimeSpan(NOW + timedelta(minutes=60), NOW + timedelta(minutes=120))
    assert await busy(tenant, span) == [(0, 999), (60, 90)]


async def test_what_does_not_block_is_left_out_and_so_is_what_this_product_wrote(tenant: Tenant) -> None:
    await read_all(
        tenant,
        event("free", 0, 10, BusyStatus.FREE),
        event("elsewhere", 10, 20, BusyStatus.WORKING_ELSEWHERE),
        event("ours", 20, 30, booking_key="booking-1"),
        event("empty", 30, 30),
        event("tentative", 40, 50, BusyStatus.TENTATIVE),
        event("away", 50, 60, BusyStatus.OUT_OF_OFFICE),
        event("unknown", 60, 70, BusyStatus.UNKNOWN),
    )
    assert await busy(tenant) == [(40, 50), (50, 60), (60, 70)]


async def test_changes_are_taken_in_and_say_whether_busy_time_changed(tenant: Tenant) -> None:
    await read_all(tenant, event("a", 0, 30))
    assert await apply(tenant, event("a", 60, 90))
    assert not await apply(tenant, event("a", 60, 90))
    assert not await apply(tenant, event("f", 0, 30, BusyStatus.FREE))
    assert await busy(tenant) == [(60, 90)]
    assert await apply(tenant, event("a", 60, 90, BusyStatus.FREE))
    assert not await apply(tenant, removed=["a", "never seen"])
    assert await apply(tenant, event("b", 0, 30))
    assert await apply(tenant, removed=["b"])
    assert await busy(tenant) == []


async def test_removing_a_series_removes_its_instances(tenant: Tenant) -> None:
    await read_all(
        tenant, event("s_1", 0, 30, series_id="s"), event("s_2", 100, 130, series_id="s"), event("t", 200, 230)
    )
    assert await apply(tenant, removed=["s"])
    assert await busy(tenant) == [(200, 230)]


async def test_a_changed_instance_leaves_its_series_alone(tenant: Tenant) -> None:
    await read_all(tenant, event("s_1", 0, 30, series_id="s"), event("s_2", 100, 130, series_id="s"))
    assert await apply(tenant, event("s", 300, 330))
    assert await busy(tenant) == [(0, 30), (100, 130), (300, 330)]


async def test_an_event_that_is_changed_twice_in_one_batch_stands_as_the_last_says(tenant: Tenant) -> None:
    await read_all(tenant)
    assert await apply(tenant, event("a", 0, 30), event("a", 60, 90))
    assert await busy(tenant) == [(60, 90)]


async def test_many_changes_at_once_are_taken_in(tenant: Tenant) -> None:
    many = [event(f"e{number}", number * 10, number * 10 + 5) for number in range(1_300)]
    await read_all(tenant)
    assert await apply(tenant, *many)
    assert await apply(tenant, *many[:3], removed=[entry.event_id for entry in many[3:]])
    assert await busy(tenant) == [(0, 5), (10, 15), (20, 25)]


# ---- full reads -----------------------------------------------------------------------------------------------------


async def test_a_full_read_replaces_the_copy_in_force(tenant: Tenant) -> None:
    assert await read_all(tenant, event("a", 0, 30))
    assert not await read_all(tenant, event("another id", 0, 30))
    assert await read_all(tenant, event("b", 60, 90))
    assert await busy(tenant) == [(60, 90)]


async def test_a_full_read_that_fails_in_the_middle_leaves_the_old_copy_in_force(tenant: Tenant) -> None:
    """SY-6: whatever page fails, what was busy stays busy."""
    calendar = tenant.connection.calendars[0].id
    await read_all(tenant, event("a", 0, 30))
    async with tenant.begin(tenant.account.account_id) as work:
        copy = await work.mirror.begin_copy(calendar)
        await work.commit()
    for number in range(3):
        async with tenant.begin(tenant.account.account_id) as work:
            await work.mirror.fill_copy(calendar, copy, [event(f"new-{number}", 100, 130)])
            await work.commit()
        assert await busy(tenant) == [(0, 30)]
    # the process dies here; the next full read starts over
    assert await apply(tenant, event("c", 50, 55))
    assert await busy(tenant) == [(0, 30), (50, 55)]
    async with tenant.begin(tenant.account.account_id) as work:
        newer = await work.mirror.begin_copy(calendar)
        await work.mirror.fill_copy(calendar, newer, [event("only", 200, 230)])
        assert await work.mirror.swap_copy(calendar, newer, WINDOW)
        await work.commit()
    assert await busy(tenant) == [(200, 230)]


async def test_an_overtaken_full_read_cannot_take_over(tenant: Tenant) -> None:
    calendar = tenant.connection.calendars[0].id
    async with tenant.begin(tenant.account.account_id) as work:
        older = await work.mirror.begin_copy(calendar)
        await work.mirror.fill_copy(calendar, older, [event("old", 0, 30)])
        newer = await work.mirror.begin_copy(calendar)
        assert newer != older
        await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        with pytest.raises(ConcurrentChange):
            await work.mirror.fill_copy(calendar, older, [event("old", 0, 30)])
        with pytest.raises(ConcurrentChange):
            await work.mirror.swap_copy(calendar, older, WINDOW)
        await work.mirror.fill_copy(calendar, newer, [event("new", 60, 90)])
        await work.mirror.swap_copy(calendar, newer, WINDOW)
        await work.mirror.confirm(calendar, cursor=None, at=NOW)
        await work.commit()
    assert await busy(tenant) == [(60, 90)]


async def test_an_event_that_comes_twice_in_a_full_read_is_there_once(tenant: Tenant) -> None:
    calendar = tenant.connection.calendars[0].id
    async with tenant.begin(tenant.account.account_id) as work:
        copy = await work.mirror.begin_copy(calendar)
        await work.mirror.fill_copy(calendar, copy, [event("a", 0, 30), event("b", 0, 30)])
        await work.mirror.fill_copy(calendar, copy, [event("a", 60, 90), event("b", 0, 30, BusyStatus.FREE)])
        await work.mirror.swap_copy(calendar, copy, WINDOW)
        await work.commit()
    assert await busy(tenant) == [(60, 90)]


# ---- what is known --------------------------------------------------------------------------------------------------


async def test_a_host_is_known_within_the_window_that_was_read(tenant: Tenant) -> None:
    await read_all(tenant)
    found = await known(tenant)
    assert (found.known_from, found.known_until, found.confirmed_at) == (*WINDOW.minutes(), NOW)


async def test_nothing_is_known_of_a_calendar_that_was_never_read(tenant: Tenant) -> None:
    found = await known(tenant)
    assert (found.known_from, found.confirmed_at) == (found.known_until, None)


async def test_nothing_is_known_when_the_last_confirmation_is_too_old(tenant: Tenant) -> None:
    await read_all(tenant, event("a", 0, 30))
    found = await known(tenant, since=timedelta(minutes=-1))
    assert found.known_from == found.known_until
    assert list(found.busy) == [(ZERO, ZERO + 30)]
    assert (await known(tenant, since=timedelta(0))).known_until > ZERO


async def test_nothing_is_known_while_a_selected_calendar_is_lost(tenant: Tenant) -> None:
    """BK-10."""
    await read_all(tenant)
    async with tenant.begin(tenant.account.account_id) as work:
        connection = await work.connections.get(tenant.connection.id)
        connection.mark_lost(connection.calendars[0].id, now=NOW)
        await work.commit()
    found = await known(tenant)
    assert found.known_from == found.known_until


async def test_a_host_without_a_connection_is_not_there(tenant: Tenant) -> None:
    colleague = a_user(tenant.account.account_id)
    async with tenant.begin(tenant.account.account_id) as work:
        work.users.add(colleague)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        assert await work.mirror.of_hosts([colleague.id], WINDOW, confirmed_since=NOW) == {}
        assert await work.mirror.of_hosts([], WINDOW, confirmed_since=NOW) == {}


async def test_several_calendars_of_several_hosts_come_together(tenant: Tenant) -> None:
    colleague = a_user(tenant.account.account_id)
    calendars = [a_calendar(), a_calendar(), a_calendar(selected=False, health=CalendarHealth.UNREAD)]
    async with tenant.begin(tenant.account.account_id) as work:
        work.users.add(colleague)
        work.connections.add(a_connection(colleague, calendars=calendars), "credentials")
        await work.commit()
    await read_all(tenant, event("a", 0, 30))
    await read_all(tenant, event("a", 100, 130), calendar=calendars[0].id)
    async with tenant.begin(tenant.account.account_id) as work:
        narrow = TimeSpan(NOW, NOW + timedelta(days=2))
        copy = await work.mirror.begin_copy(calendars[1].id)
        await work.mirror.fill_copy(calendars[1].id, copy, [event("a", 50, 80)])
        await work.mirror.swap_copy(calendars[1].id, copy, narrow)
        await work.mirror.confirm(calendars[1].id, cursor=None, at=NOW - timedelta(minutes=1))
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        hosts = [tenant.host.id, colleague.id]
        found = await work.mirror.of_hosts(hosts, WINDOW, confirmed_since=NOW - timedelta(minutes=5))
    assert list(found[tenant.host.id].busy) == [(ZERO, ZERO + 30)]
    assert found[colleague.id] == MirroredTime(
        colleague.id,
        [(ZERO + 50, ZERO + 80), (ZERO + 100, ZERO + 130)],
        *narrow.minutes(),
        NOW - timedelta(minutes=1),
    )


async def test_busy_time_can_be_told_by_calendar(tenant: Tenant) -> None:
    await read_all(tenant, event("a", 0, 30), event("b", 60, 90))
    calendar = tenant.connection.calendars[0].id
    async with tenant.look(tenant.account.account_id) as work:
        span = TimeSpan(NOW, NOW + timedelta(minutes=45))
        assert await work.mirror.by_calendar(tenant.host.id, span) == [(ZERO, ZERO + 30, calendar)]


# ---- states ---------------------------------------------------------------------------------------------------------


async def test_a_state_says_how_far_a_copy_has_come(tenant: Tenant) -> None:
    calendar = tenant.connection.calendars[0].id
    empty = MirrorState(calendar, tenant.connection.id, None, None, None, 0)
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.mirror.state(calendar) == empty
        assert [await work.mirror.note_failure(calendar) for _ in range(2)] == [1, 2]
        assert (await work.mirror.state(calendar)).failures == 2
        await work.commit()
    await read_all(tenant)
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.mirror.state(calendar) == MirrorState(
            calendar, tenant.connection.id, "cursor", WINDOW, NOW, 0
        )
        await work.mirror.forget(calendar)
        await work.mirror.forget(calendar)
        assert await work.mirror.state(calendar) == empty
        await work.commit()
    assert await busy(tenant) == []


async def test_a_calendar_that_leaves_the_account_takes_its_copy_along(tenant: Tenant, database: Database) -> None:
    await read_all(tenant, event("a", 0, 30))
    async with tenant.begin(tenant.account.account_id) as work:
        connection = await work.connections.get(tenant.connection.id)
        connection.reconnect(
            provider=connection.provider,
            account_email="other@example.com",
            consent=connection.consent,
            listed=[],
            now=NOW,
        )
        await work.commit()
    found = await known(tenant)
    assert (list(found.busy), found.known_from, found.known_until) == ([], 0, 0)


async def test_calendars_of_others_are_not_found(tenant: Tenant, stranger: Tenant) -> None:
    for target in (stranger.connection.calendars[0].id, calendar_id()):
        async with tenant.begin(tenant.account.account_id) as work:
            for attempt in (
                work.mirror.state(target),
                work.mirror.apply(target, [], []),
                work.mirror.begin_copy(target),
                work.mirror.confirm(target, cursor=None, at=NOW),
                work.mirror.note_failure(target),
            ):
                with pytest.raises(NotFound):
                    await attempt
