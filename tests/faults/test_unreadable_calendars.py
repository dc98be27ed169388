"""A calendar that cannot be read is never taken for free, whatever the way (BK-8, BK-10, A-AV15, SY-6)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.ports.calendars import EventTime
from meetings.application.ports.unit_of_work import Begin
from meetings.application.read_availability import AvailabilityQuestion, Freshness, read_availability
from meetings.domain.booking_mode import BookingMode
from meetings.domain.identifiers import CalendarId
from meetings.domain.scheduling_page import BookingBlocked, CalendarUnverified, PageOffline
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.database.mirror import SqlBusyMirror
from meetings.infrastructure.database.tables import bookings, host_times, mirror_times
from meetings.infrastructure.database.transaction import Transaction
from meetings.infrastructure.database.unit_of_work import Database, SqlUnitOfWork
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.databases import BOTH_DATABASES
from tests.world import HOST_EMAIL, World, berlin, world

MONDAY = date(2035, 12, 3)
TEN = berlin("2035-12-03 10:00")
HALF_AN_HOUR = timedelta(minutes=30)

on_both_databases = pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)


@pytest.fixture
async def here(database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]) -> AsyncIterator[World]:
    """Anna with a connected calendar, on a Monday morning."""
    google, mail = simulators
    async with world(database_url, google, mail, now=berlin("2035-12-03 08:00")) as found:
        await found.connect()
        yield found


Spoil = Callable[[World], object]


def fault(operation: str, **about: Any) -> Spoil:
    return lambda here: here.google.fault(operation, times=None, **about)


def with_an_event(spoil: Spoil) -> Spoil:
    """Something is busy, so that which event it is has to be asked too."""

    def both(here: World) -> None:
        here.google.add_event(HOST_EMAIL, "Somewhere", TEN, TEN + HALF_AN_HOUR)
        spoil(here)

    return both


def expired_tokens_and_no_new_ones(here: World) -> None:
    here.google.expire_access_tokens(HOST_EMAIL)
    here.google.fault("oauth.token", status=500, times=None)


# ---- at the moment of booking -------------------------------------------------------------------------------------

UNREADABLE_NOW: dict[str, tuple[Spoil, type[Exception]]] = {
    "access gone (404)": (lambda here: here.google.lose_access(HOST_EMAIL, HOST_EMAIL), BookingBlocked),
    "access gone (403)": (lambda here: here.google.lose_access(HOST_EMAIL, HOST_EMAIL, status=403), BookingBlocked),
    "grant revoked": (lambda here: here.google.revoke_grants(HOST_EMAIL), PageOffline),
    "token refused for ever": (fault("freebusy.query", status=401, reason="authError"), CalendarUnverified),
    "too many calls": (fault("freebusy.query", status=429, retry_after=5), CalendarUnverified),
    "quota": (fault("freebusy.query", status=403, reason="rateLimitExceeded"), CalendarUnverified),
    "broken": (fault("freebusy.query", status=500), CalendarUnverified),
    "away": (fault("freebusy.query", status=503), CalendarUnverified),
    "silent": (fault("freebusy.query", delay_before=3.3), CalendarUnverified),
    "connection reset": (fault("freebusy.query", reset=True), CalendarUnverified),
    "answer cut off": (fault("freebusy.query", cut_off_body=True), CalendarUnverified),
    "no JSON": (fault("freebusy.query", body="<html>", content_type="text/html"), CalendarUnverified),
    "an empty answer": (fault("freebusy.query", body="{}", content_type="application/json"), CalendarUnverified),
    "a calendar left out": (
        fault("freebusy.query", body='{"calendars": {}}', content_type="application/json"),
        CalendarUnverified,
    ),
    "an error inside an answer": (
        fault(
            "freebusy.query",
            body='{"calendars": {"anna@example.com": {"errors": [{"reason": "internalError"}], "busy": []}}}',
            content_type="application/json",
        ),
        CalendarUnverified,
    ),
    "which events it is: broken": (with_an_event(fault("events.list", status=500)), CalendarUnverified),
    "which events it is: gone (410)": (
        with_an_event(fault("events.list", status=410, reason="fullSyncRequired")),
        CalendarUnverified,
    ),
    "which events it is: half a page": (with_an_event(fault("events.list", cut_off_body=True)), CalendarUnverified),
    "tokens cannot be renewed": (expired_tokens_and_no_new_ones, CalendarUnverified),
}


@pytest.mark.parametrize("way", UNREADABLE_NOW)
async def test_a_calendar_that_cannot_be_read_right_now_takes_no_booking_and_nothing_is_written(
    here: World, way: str
) -> None:
    """BK-8."""
    spoil, refusal = UNREADABLE_NOW[way]
    page = await here.page()
    spoil(here)
    with pytest.raises(refusal):
        await here.book(page, TEN)
    async with here.runtime.database.snapshot() as connection:
        for table in (bookings, host_times):
            assert (await connection.execute(select(func.count()).select_from(table))).scalar_one() == 0
    assert here.events("Hopper") == []
    assert here.google.requests_for("events.insert") == []


async def test_a_host_of_two_calendars_is_not_free_when_one_of_them_is_silent(here: World) -> None:
    """S53: the answer about the other one says nothing."""
    here.google.add_calendar(HOST_EMAIL, "Holidays")
    await here.select_everything()
    page = await here.page()
    here.google.fault(
        "freebusy.query",
        body='{"calendars": {"anna@example.com": {"busy": []}}}',
        content_type="application/json",
        times=None,
    )
    with pytest.raises(CalendarUnverified):
        await here.book(page, TEN)


# ---- while reading ------------------------------------------------------------------------------------------------

UNREADABLE_SO_LONG: dict[str, Spoil] = {
    "token refused for ever": fault("events.list", status=401, reason="authError"),
    "too many calls": fault("events.list", status=429, retry_after=3600),
    "broken": fault("events.list", status=500),
    "connection reset": fault("events.list", reset=True),
    "half a page": fault("events.list", cut_off_body=True),
    "no JSON": fault("events.list", body="<html>", content_type="text/html"),
    "a page without its end": fault("events.list", body='{"items": [{}]}', content_type="application/json"),
    "gone (410), again and again": fault("events.list", status=410, reason="fullSyncRequired"),
}


@pytest.mark.parametrize("way", UNREADABLE_SO_LONG)
async def test_what_could_not_be_read_for_half_an_hour_is_not_offered(here: World, way: str) -> None:
    """A-AV15, BK-10."""
    page = await here.page()
    UNREADABLE_SO_LONG[way](here)
    for _ in range(4):
        await here.passes(minutes=8)
        await here.settle_down()
    question = AvailabilityQuestion(page, MONDAY, MONDAY, "Europe/Berlin")
    found = await read_availability(question, look=here.tools.look, clock=here.clock, policy=here.tools.policy)
    assert (list(found.starts), found.freshness) == ([], Freshness.PARTIAL)
    here.google.clear_faults()
    await here.passes(hours=1)
    await here.settle_down()
    assert "10:00" in await here.offered(page, MONDAY)


@pytest.mark.parametrize("status", [403, 404])
async def test_lost_access_is_not_offered_from_the_first_read_on(here: World, status: int) -> None:
    page = await here.page()
    here.google.lose_access(HOST_EMAIL, HOST_EMAIL, status=status)
    await here.sync()
    assert (await here.state(page)).mode is BookingMode.BLOCKED
    assert await here.offered(page, MONDAY) == []


# ---- a whole read that breaks off (SY-6) --------------------------------------------------------------------------

BUSY = ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]
PAGES = 3
BREAKS: dict[str, dict[str, Any]] = {
    "broken": {"status": 500},
    "connection reset": {"reset": True},
    "half a page": {"cut_off_body": True},
    "too many calls": {"status": 429, "retry_after": 1},
    "token refused": {"status": 401, "times": 2},
}


async def shown_free(here: World, broken: dict[str, Any] | None, at_page: int) -> set[str]:
    """What the page offered of busy times while their calendar was read whole, slowly, and the read broke off.

    Meanwhile the calendar stays as it is, so that none of it was ever free.
    """
    here.google.settings.largest_page = len(BUSY) // PAGES
    for time in BUSY:
        start = berlin(f"2035-12-03 {time}")
        here.google.add_event(HOST_EMAIL, "Busy", start, start + HALF_AN_HOUR)
    await here.sync()
    page = await here.page()
    assert not set(BUSY) & set(await here.offered(page, MONDAY))
    here.google.expire_sync_tokens(HOST_EMAIL)
    is_whole_read = {"match": lambda call: call.operation == "events.list" and "syncToken" not in call.query}
    if broken is not None:
        here.google.fault(**is_whole_read, page=at_page, **broken)
    here.google.fault(**is_whole_read, delay=0.03, times=None)
    reading = asyncio.create_task(here.sync())
    seen: set[str] = set()
    while not reading.done():
        seen |= set(await here.offered(page, MONDAY))
        await asyncio.sleep(0)
    await reading
    seen |= set(await here.offered(page, MONDAY))
    return seen & set(BUSY)


@on_both_databases
@pytest.mark.parametrize("at_page", range(1, PAGES + 1))
async def test_a_whole_read_that_breaks_off_at_any_page_never_shows_busy_time_as_free(
    here: World, at_page: int
) -> None:
    assert await shown_free(here, {"status": 500}, at_page) == set()
    here.google.clear_faults()
    await here.passes(minutes=3)
    await here.settle_down()
    page = await here.page("anna/after")
    assert not set(BUSY) & set(await here.offered(page, MONDAY))
    assert "09:00" in await here.offered(page, MONDAY)


@pytest.mark.parametrize("way", BREAKS)
async def test_a_whole_read_may_break_off_in_any_way(here: World, way: str) -> None:
    assert await shown_free(here, BREAKS[way], 2) == set()


@on_both_databases
async def test_while_a_calendar_is_read_whole_its_old_copy_stays_in_force(here: World) -> None:
    assert await shown_free(here, None, 1) == set()


class MirrorWithoutShadow(SqlBusyMirror):
    """The control for SY-6: a whole read goes straight into the copy in force."""

    async def begin_copy(self, calendar_id: CalendarId) -> int:
        state = await self._locked(calendar_id)
        await self._transaction.run(delete(mirror_times).where(mirror_times.c.calendar_id == calendar_id))
        return int(state.copy)

    async def fill_copy(self, calendar_id: CalendarId, copy: int, changed: Any) -> None:
        await self.apply(calendar_id, [event for event in changed if isinstance(event, EventTime)], [])

    async def swap_copy(self, calendar_id: CalendarId, copy: int, window: TimeSpan) -> bool:
        return True


class WorkWithoutShadow(SqlUnitOfWork):
    def _enter_repositories(self, transaction: Transaction) -> None:
        super()._enter_repositories(transaction)
        self.mirror = MirrorWithoutShadow(transaction)


def without_shadow(database: Database) -> Callable[[str], Begin]:
    return lambda actor: lambda account_id: WorkWithoutShadow(database, account_id, actor)


async def test_without_a_shadow_copy_busy_time_would_be_shown_as_free(here: World) -> None:
    """TH-2: the tests above can fail."""
    here.tools = replace(here.tools, begin_as=without_shadow(here.runtime.database))
    assert await shown_free(here, {"status": 500}, 2)
