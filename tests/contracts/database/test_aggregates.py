"""People, connections and pages, as units of work keep them; every repository sees its own account alone (TP-1)."""

import asyncio
from datetime import timedelta

import pytest

from meetings.application.ports.calendars import BusyStatus, EventTime
from meetings.application.ports.identities import EmailTaken
from meetings.application.ports.unit_of_work import Attempt, SlotHold
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.booking import BookedEvent
from meetings.domain.calendar_connection import CalendarAccess, CalendarHealth
from meetings.domain.slug import SlugTaken
from meetings.domain.timespan import TimeSpan, floor_minute
from meetings.domain.user import Role, UserSettings, Weekday
from tests.builders import (
    NOW,
    START,
    a_booking,
    a_calendar,
    a_connection,
    a_listed_calendar,
    a_page,
    a_user,
    page_settings,
    weekday_hours,
)
from tests.contracts.database.conftest import Tenant

EVER = TimeSpan(NOW - timedelta(days=999), NOW + timedelta(days=999))


# ---- users ----------------------------------------------------------------------------------------------------------


async def test_a_person_comes_back_as_they_were(tenant: Tenant) -> None:
    settings = UserSettings(
        "Asia/Kathmandu", "de-CH", Weekday.SUNDAY, hour12=True, calendar_sync=False, working_hours=weekday_hours()
    )
    async with tenant.begin(tenant.account.account_id) as work:
        user = await work.users.get(tenant.host.id)
        user.change_settings(settings, now=NOW)
        user.choose_default_page(tenant.page.id, now=NOW)
        user.role, user.avatar_url, user.password_hash = Role.OWNER, "https://example.com/a.png", "hash"
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.users.get(tenant.host.id)
    assert (found.settings, found.default_page_id, found.role, found.avatar_url, found.password_hash) == (
        settings,
        tenant.page.id,
        Role.OWNER,
        "https://example.com/a.png",
        "hash",
    )
    assert (found.name, found.email, found.created_at, found.active) == (tenant.host.name, tenant.host.email, NOW, True)


async def test_two_people_cannot_sign_in_with_one_address(tenant: Tenant, stranger: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        work.users.add(a_user(tenant.account.account_id, email=stranger.host.email.upper()))
        with pytest.raises(EmailTaken):
            await work.commit()


# ---- pages ----------------------------------------------------------------------------------------------------------


async def test_a_page_comes_back_as_it_was(tenant: Tenant) -> None:
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.pages.get(tenant.page.id)
    attributes = ("type", "slug", "organizer_id", "hosts", "settings", "created_at", "updated_at", "archived_at")
    assert [getattr(found, name) for name in attributes] == [getattr(tenant.page, name) for name in attributes]


async def test_pages_of_an_organizer_are_those_not_archived_oldest_first(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        work.pages.add(a_page(tenant.host, slug="third", created_at=NOW + timedelta(minutes=2)))
        work.pages.add(a_page(tenant.host, slug="second", created_at=NOW + timedelta(minutes=1)))
        archived = a_page(tenant.host, slug="archived")
        archived.archive(now=NOW)
        work.pages.add(archived)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.pages.of_organizer(tenant.host.id)
    assert [page.slug for page in found] == [tenant.page.slug, "second", "third"]


async def test_a_slug_is_taken_over_all_accounts_and_by_archived_pages_too(tenant: Tenant, stranger: Tenant) -> None:
    """S71."""
    async with stranger.begin(stranger.account.account_id) as work:
        (await work.pages.get(stranger.page.id)).archive(now=NOW)
        await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        work.pages.add(a_page(tenant.host, slug=stranger.page.slug))
        with pytest.raises(SlugTaken) as refused:
            await work.commit()
    assert refused.value.slug == stranger.page.slug
    async with tenant.begin(tenant.account.account_id) as work:
        (await work.pages.get(tenant.page.id)).change(page_settings(), now=NOW, slug=stranger.page.slug)
        with pytest.raises(SlugTaken):
            await work.commit()


async def test_of_ten_pages_with_one_slug_one_is_stored(tenant: Tenant) -> None:
    async def attempt() -> bool:
        async with tenant.begin(tenant.account.account_id) as work:
            work.pages.add(a_page(tenant.host, slug="wanted"))
            try:
                await work.commit()
            except SlugTaken:
                return False
            return True

    assert sum(await asyncio.gather(*(attempt() for _ in range(10)))) == 1


# ---- connections ----------------------------------------------------------------------------------------------------


async def test_a_connection_comes_back_with_its_calendars_in_order(tenant: Tenant) -> None:
    colleague = a_user(tenant.account.account_id)
    calendars = [
        a_calendar(name="Work", color="#112233", time_zone="Europe/Berlin", primary=True),
        a_calendar(name="Team", access=CalendarAccess.READER, selected=False, health=CalendarHealth.UNREAD),
        a_calendar(name="Gone", listed=False, health=CalendarHealth.LOST),
    ]
    connection = a_connection(colleague, calendars=calendars)
    async with tenant.begin(tenant.account.account_id) as work:
        work.connections.add(connection, "credentials")
        work.users.add(colleague)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.connections.get(connection.id)
        of_users = await work.connections.of_users([colleague.id, tenant.host.id])
    assert found.calendars == calendars
    attributes = ("user_id", "provider", "account_email", "consent", "connected_at", "grant", "default_calendar_id")
    assert [getattr(found, name) for name in attributes] == [getattr(connection, name) for name in attributes]
    assert {user: entry.id for user, entry in of_users.items()} == {
        colleague.id: connection.id,
        tenant.host.id: tenant.connection.id,
    }


async def test_a_new_list_of_calendars_is_saved(tenant: Tenant) -> None:
    first = tenant.connection.calendars[0]
    listed = [
        a_listed_calendar("new@example.com", name="New"),
        a_listed_calendar(first.external_id, name="Renamed"),
        a_listed_calendar("other@example.com", name="Other"),
    ]
    async with tenant.begin(tenant.account.account_id) as work:
        connection = await work.connections.get(tenant.connection.id)
        connection.take_list(listed, now=NOW)
        await work.commit()
        expected = list(connection.calendars)
    async with tenant.begin(tenant.account.account_id) as work:
        connection = await work.connections.get(tenant.connection.id)
        assert connection.calendars == expected
        assert [(calendar.name, calendar.selected) for calendar in expected] == [
            ("New", False),
            ("Renamed", True),
            ("Other", False),
        ]
        connection.take_list(listed[1:2], now=NOW)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        assert [c.name for c in (await work.connections.get(connection.id)).calendars] == ["Renamed"]


async def test_one_person_has_one_connection(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        work.connections.add(a_connection(tenant.host), "credentials")
        with pytest.raises(ConcurrentChange):
            await work.commit()


async def test_credentials_are_replaced_with_the_transaction(tenant: Tenant) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.connections.replace_credentials(tenant.connection.id, "newer") == "the credentials"
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.connections.replace_credentials(tenant.connection.id, "newer") == "the credentials"
        assert await work.connections.replace_credentials(tenant.connection.id, None) == "newer"
        await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.connections.replace_credentials(tenant.connection.id, "again") is None


# ---- nothing of another account -------------------------------------------------------------------------------------


async def test_nothing_of_another_account_is_found(tenant: Tenant, stranger: Tenant) -> None:
    booking = a_booking(stranger.page, event=BookedEvent("event of a stranger"))
    hold = SlotHold(
        "token", stranger.page.id, (stranger.host.id,), START + timedelta(days=1), START + timedelta(days=2), "v", "a"
    )
    attempt = Attempt(stranger.page.id, START, NOW)
    async with stranger.begin(stranger.account.account_id) as work:
        work.bookings.add(booking)
        await work.host_times.hold(hold, minutes=5, most_per_visitor=2, most_per_address=2)
        await work.blocked_attempts.add(stranger.host.id, attempt)
        busy = EventTime("event", floor_minute(NOW), floor_minute(NOW) + 30, BusyStatus.BUSY)
        await work.mirror.apply(stranger.connection.calendars[0].id, [busy], [])
        await work.commit()
    foreign, foreign_page = [stranger.host.id], stranger.page.id
    async with tenant.begin(tenant.account.account_id) as work:
        for missing in (
            work.users.get(stranger.host.id),
            work.pages.get(foreign_page),
            work.connections.get(stranger.connection.id),
            work.connections.replace_credentials(stranger.connection.id, "mine"),
            work.bookings.get(booking.id),
        ):
            with pytest.raises(NotFound):
                await missing
        assert await work.users.of(foreign) == {}
        assert await work.connections.of_users(foreign) == {}
        assert await work.pages.of_organizer(stranger.host.id) == []
        assert await work.bookings.meeting_starts(foreign_page, EVER) == []
        assert await work.bookings.count_on_page(foreign_page) == 0
        assert await work.bookings.by_event("event of a stranger") is None
        assert await work.host_times.taken(foreign, EVER) == []
        assert await work.host_times.release_hold("token") == ()
        assert await work.mirror.of_hosts(foreign, EVER, confirmed_since=NOW) == {}
        assert await work.mirror.by_calendar(stranger.host.id, EVER) == []
        assert await work.blocked_attempts.waiting(stranger.host.id) == []
        await work.blocked_attempts.mark_told(stranger.host.id, [attempt])
        await work.mirror.forget(stranger.connection.calendars[0].id)
    async with stranger.look(stranger.account.account_id) as work:
        assert [time.held for time in await work.host_times.taken(foreign, EVER)].count(True) == 1
        assert await work.blocked_attempts.waiting(stranger.host.id) == [attempt]
        assert (await work.account()).name == stranger.account.name


async def test_an_unknown_account_is_not_found(tenant: Tenant) -> None:
    unknown = a_user().account_id
    async with tenant.look(unknown) as work:
        with pytest.raises(NotFound):
            await work.account()
        with pytest.raises(NotFound):
            await work.pages.get(tenant.page.id)


# ---- blocked attempts -----------------------------------------------------------------------------------------------


async def test_attempts_wait_until_they_are_told(tenant: Tenant) -> None:
    host = tenant.host.id
    first, second, third = (
        Attempt(tenant.page.id, START + timedelta(hours=number), NOW + timedelta(minutes=number)) for number in range(3)
    )
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.blocked_attempts.last_told_at(host) is None
        assert await work.blocked_attempts.add(host, second)
        assert not await work.blocked_attempts.add(host, first)
        await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        told = await work.blocked_attempts.waiting(host)
        assert told == [first, second]
        await work.blocked_attempts.add(host, third)
        await work.blocked_attempts.mark_told(host, told)
        assert await work.blocked_attempts.waiting(host) == [third]
        assert await work.blocked_attempts.last_told_at(host) is not None
        await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        await work.blocked_attempts.mark_told(host, [third])
        assert await work.blocked_attempts.add(host, first)
        await work.commit()


async def test_of_attempts_at_the_same_time_one_is_the_first(tenant: Tenant) -> None:
    async def attempt(number: int) -> bool:
        async with tenant.begin(tenant.account.account_id) as work:
            first = await work.blocked_attempts.add(tenant.host.id, Attempt(tenant.page.id, START, NOW))
            await work.commit()
            return first

    assert sum(await asyncio.gather(*map(attempt, range(8)))) == 1
