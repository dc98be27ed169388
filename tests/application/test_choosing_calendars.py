"""Which calendars block a host's time, and what happens when one of them cannot be read (S52 to S63)."""

from datetime import date, timedelta

import pytest

from meetings.application.manage_connection import choose_default_calendar, select_calendars
from meetings.application.ports.calendars import ReauthorizationNeeded
from meetings.application.read_availability import AvailabilityQuestion, Freshness, read_availability
from meetings.domain.base import InvalidInput, NotFound, ProblemCode
from meetings.domain.booking import BookingState
from meetings.domain.booking_mode import BookingMode
from meetings.domain.calendar_connection import (
    CalendarHealth,
    ConnectedCalendar,
    ConnectionAction,
    ConnectionStatus,
    NotConnected,
)
from meetings.domain.identifiers import CalendarId
from meetings.domain.scheduling_page import BookingBlocked, SlotTaken
from tests.world import HOST_EMAIL, World, berlin

MONDAY = date(2035, 12, 3)
TEN = berlin("2035-12-03 10:00")
HALF_AN_HOUR = timedelta(minutes=30)


async def named(here: World, name: str) -> ConnectedCalendar:
    """Anna's calendar with this name."""
    connection = await here.connection()
    return next(calendar for calendar in connection.calendars if calendar.name == name)


async def shared_rota(here: World, role: str = "reader") -> str:
    """A colleague's calendar that is shared with Anna."""
    here.google.add_account("bob@example.com", "Bob")
    calendar = here.google.add_calendar("bob@example.com", "Rota")
    here.google.share_calendar(calendar, HOST_EMAIL, role)
    return calendar


# ---- choosing -----------------------------------------------------------------------------------------------------


async def test_every_calendar_google_lists_can_be_chosen_but_those_that_show_no_events(here: World) -> None:
    """S54, S57, A-CS1."""
    here.google.add_calendar(HOST_EMAIL, "Holidays")
    await shared_rota(here, "freeBusyReader")
    await here.connect()
    listed = {calendar.name: calendar.eligible for calendar in (await here.connection()).calendars}
    assert listed == {"Anna Albers": True, "Holidays": True, "Rota": False}
    with pytest.raises(InvalidInput) as refused:
        await here.select((await named(here, "Anna Albers")).id, (await named(here, "Rota")).id)
    assert [problem.code for problem in refused.value.problems] == [ProblemCode.CALENDAR_NOT_ELIGIBLE]


async def test_every_chosen_calendar_blocks_time(anywhere: World) -> None:
    """S52, S53."""
    own = [anywhere.google.add_calendar(HOST_EMAIL, name) for name in ("Holidays", "Sports")]
    for number, calendar in enumerate(own):
        start = TEN + timedelta(hours=number)
        anywhere.google.add_event(calendar, "Away", start, start + HALF_AN_HOUR)
    await anywhere.connect()
    page = await anywhere.page()
    assert {"10:00", "11:00"} <= set(await anywhere.offered(page, MONDAY))
    await anywhere.select_everything()
    assert not {"10:00", "11:00"} & set(await anywhere.offered(page, MONDAY))
    for calendar in own:
        anywhere.google.add_event(calendar, "Away", berlin("2035-12-03 13:00"), berlin("2035-12-03 13:30"))
    with pytest.raises(SlotTaken):
        await anywhere.book(page, berlin("2035-12-03 13:00"))


async def test_what_is_not_chosen_any_more_blocks_nothing(anywhere: World) -> None:
    """S55."""
    holidays = anywhere.google.add_calendar(HOST_EMAIL, "Holidays")
    anywhere.google.add_event(holidays, "Away", TEN, TEN + HALF_AN_HOUR)
    await anywhere.connect()
    await anywhere.select_everything()
    page = await anywhere.page()
    await anywhere.select((await named(anywhere, "Anna Albers")).id)
    assert "10:00" in await anywhere.offered(page, MONDAY)
    anywhere.google.forget_calls()
    await anywhere.book(page, TEN)
    await anywhere.passes(hours=1)
    await anywhere.settle_down()
    assert not [call for call in anywhere.google.calls if holidays in f"{call.path}{call.body}"]


async def test_one_bad_calendar_changes_nothing(anywhere: World) -> None:
    """S56."""
    anywhere.google.add_calendar(HOST_EMAIL, "Holidays")
    await anywhere.connect()
    primary, holidays = await named(anywhere, "Anna Albers"), await named(anywhere, "Holidays")
    for chosen in (
        [primary.id, holidays.id, CalendarId(anywhere.anna.id)],  # unknown
        [holidays.id],  # without the calendar that receives bookings
        [],
    ):
        with pytest.raises(InvalidInput):
            await anywhere.select(*chosen)
        assert [c.id for c in (await anywhere.connection()).selected_calendars] == [primary.id]


async def test_a_colleagues_connection_cannot_be_changed(here: World) -> None:
    connection_id = await here.connect()
    bob = await here.add_colleague("Bob", "bob@example.com")
    with pytest.raises(NotFound):
        await select_calendars(connection_id, [], caller=here.caller_of(bob), begin=here.tools.begin, clock=here.clock)


async def test_a_disconnected_account_has_nothing_to_choose(here: World) -> None:
    await here.connect()
    primary = await named(here, "Anna Albers")
    await here.disconnect()
    with pytest.raises(NotConnected):
        await here.select(primary.id)
    with pytest.raises(NotConnected):
        await here.refresh()


async def test_a_calendar_made_at_google_appears_without_connecting_again(here: World) -> None:
    """S58."""
    await here.connect()
    here.google.add_calendar(HOST_EMAIL, "New one")
    await here.refresh()
    new = await named(here, "New one")
    assert (new.selected, new.eligible) == (False, True)


async def test_looking_again_finds_a_lost_grant(here: World) -> None:
    await here.connect()
    here.google.revoke_grants(HOST_EMAIL)
    with pytest.raises(ReauthorizationNeeded):
        await here.refresh()
    assert (await here.connection()).status is ConnectionStatus.REAUTH_REQUIRED


async def test_a_booking_is_written_to_the_default_calendar_only(here: World) -> None:
    """S59."""
    others = [here.google.add_calendar(HOST_EMAIL, name) for name in ("Holidays", "Sports")]
    await here.connect()
    await here.select_everything()
    await here.book(await here.page(), TEN)
    assert len(here.events("Hopper")) == 1
    assert [here.events("", calendar) for calendar in others] == [[], []]
    assert len(here.google.requests_for("events.insert")) == 1


async def test_another_default_calendar_receives_what_is_booked_from_then_on(here: World) -> None:
    meetings = here.google.add_calendar(HOST_EMAIL, "Meetings")
    await here.connect()
    page = await here.page()
    before = await here.book(page, TEN)
    connection, chosen = await here.connection(), await named(here, "Meetings")
    await choose_default_calendar(
        connection.id, chosen.id, caller=here.caller, begin=here.tools.begin, clock=here.clock
    )
    await here.settle_down()
    await here.book(page, TEN + HALF_AN_HOUR, email="alan@example.org", last_name="Turing")
    assert len(here.events("Turing", meetings)) == 1
    moved = await here.move(before, TEN + timedelta(hours=2))
    assert moved.state is BookingState.CONFIRMED
    assert len(here.events("Hopper")) == 1


async def test_what_can_only_be_read_cannot_receive_bookings(here: World) -> None:
    await shared_rota(here)
    await here.connect()
    connection, rota = await here.connection(), await named(here, "Rota")
    with pytest.raises(InvalidInput) as refused:
        await choose_default_calendar(
            connection.id, rota.id, caller=here.caller, begin=here.tools.begin, clock=here.clock
        )
    assert [problem.code for problem in refused.value.problems] == [ProblemCode.CALENDAR_NOT_ELIGIBLE]


# ---- a calendar that cannot be read any more ----------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 404])
async def test_one_lost_calendar_blocks_every_page_of_the_host(anywhere: World, status: int) -> None:
    """S60: found by the next read, or by whoever tries to book first."""
    await anywhere.connect()
    rota = await shared_rota(anywhere)
    await anywhere.select_everything()
    pages = [await anywhere.page(), await anywhere.page("anna/other")]
    anywhere.google.lose_access(HOST_EMAIL, rota, status=status)
    await anywhere.sync()
    connection = await anywhere.connection()
    assert (connection.status, connection.needs_action) == (ConnectionStatus.DEGRADED, ConnectionAction.GRANT_ACCESS)
    assert [calendar.name for calendar in connection.lost_calendars] == ["Rota"]
    for page in pages:
        assert (await anywhere.state(page)).mode is BookingMode.BLOCKED
        assert await anywhere.offered(page, MONDAY) == []
        with pytest.raises(BookingBlocked):
            await anywhere.book(page, TEN)
    assert anywhere.events() == []


async def test_opening_a_blocked_page_tells_nobody(here: World) -> None:
    """S61."""
    await here.connect()
    rota = await shared_rota(here)
    await here.select_everything()
    page = await here.page()
    here.google.lose_access(HOST_EMAIL, rota)
    await here.sync()
    await here.offered(page, MONDAY)
    await here.settle_down()
    assert here.mail.mails == ()


async def test_access_granted_again_unblocks_by_the_next_read(anywhere: World) -> None:
    """S62: without any change of settings."""
    await anywhere.connect()
    rota = await shared_rota(anywhere)
    await anywhere.select_everything()
    page = await anywhere.page()
    anywhere.google.lose_access(HOST_EMAIL, rota)
    await anywhere.sync()
    anywhere.google.restore_access(HOST_EMAIL, rota)
    anywhere.google.add_event(rota, "On call", TEN, TEN + HALF_AN_HOUR)
    await anywhere.passes(minutes=4)
    await anywhere.settle_down()
    assert (await anywhere.connection()).status is ConnectionStatus.ACTIVE
    times = await anywhere.offered(page, MONDAY)
    assert "10:30" in times
    assert "10:00" not in times


async def test_access_granted_again_unblocks_by_the_next_booking(here: World) -> None:
    """S62."""
    await here.connect()
    rota = await shared_rota(here)
    await here.select_everything()
    page = await here.page()
    here.google.lose_access(HOST_EMAIL, rota)
    with pytest.raises(BookingBlocked):
        await here.book(page, TEN)
    here.google.restore_access(HOST_EMAIL, rota)
    assert (await here.book(page, TEN)).state is BookingState.CONFIRMED
    assert (await here.connection()).status is ConnectionStatus.ACTIVE


async def test_a_lost_calendar_stays_listed_and_removing_it_unblocks_at_once(anywhere: World) -> None:
    """S63."""
    await anywhere.connect()
    rota = await shared_rota(anywhere)
    await anywhere.select_everything()
    page = await anywhere.page()
    anywhere.google.lose_access(HOST_EMAIL, rota)
    await anywhere.sync()
    await anywhere.refresh()
    lost = await named(anywhere, "Rota")
    assert (lost.selected, lost.listed, lost.health) == (True, False, CalendarHealth.LOST)
    await anywhere.select(*(c.id for c in (await anywhere.connection()).selected_calendars))  # saving as it is: allowed
    assert (await anywhere.state(page)).mode is BookingMode.BLOCKED
    await anywhere.select((await named(anywhere, "Anna Albers")).id)
    assert (await anywhere.state(page)).mode is BookingMode.ONLINE
    assert (await anywhere.book(page, TEN)).state is BookingState.CONFIRMED
    with pytest.raises(InvalidInput):
        await anywhere.select((await named(anywhere, "Anna Albers")).id, lost.id)


async def test_a_calendar_that_was_never_read_blocks_until_it_is(here: World) -> None:
    """BK-10: chosen but not read yet is not free."""
    await here.connect()
    page = await here.page()
    holidays = here.google.add_calendar(HOST_EMAIL, "Holidays")
    here.google.add_event(holidays, "Away", TEN, TEN + HALF_AN_HOUR)
    await here.refresh()
    connection = await here.connection()
    await select_calendars(
        connection.id,
        [c.id for c in connection.calendars],
        caller=here.caller,
        begin=here.tools.begin,
        clock=here.clock,
    )
    question = AvailabilityQuestion(page, MONDAY, MONDAY, "Europe/Berlin")
    found = await read_availability(question, look=here.tools.look, clock=here.clock, policy=here.tools.policy)
    assert (list(found.starts), found.freshness) == ([], Freshness.PARTIAL)
    assert (await here.connection()).status is ConnectionStatus.SYNCING
    await here.settle_down()
    assert len(await here.offered(page, MONDAY)) == 15


async def test_a_default_calendar_that_was_lost_fails_no_booking_that_stands(here: World) -> None:
    meetings = here.google.add_calendar(HOST_EMAIL, "Meetings")
    await here.connect()
    page = await here.page()
    connection, chosen = await here.connection(), await named(here, "Meetings")
    await choose_default_calendar(
        connection.id, chosen.id, caller=here.caller, begin=here.tools.begin, clock=here.clock
    )
    await here.settle_down()
    booking = await here.book(page, TEN)
    here.google.lose_access(HOST_EMAIL, meetings)
    await here.sync()
    assert (await here.state(page)).mode is BookingMode.BLOCKED
    assert (await here.booking(booking.id)).state is BookingState.CONFIRMED


async def test_pages_switched_off_take_nothing_and_tell_nobody(here: World) -> None:
    """A-CS3."""
    await here.connect()
    page = await here.page()
    await here.switch_pages(on=False)
    assert (await here.state(page)).mode is BookingMode.BLOCKED
    assert await here.offered(page, MONDAY) == []
    with pytest.raises(BookingBlocked):
        await here.book(page, TEN)
    with pytest.raises(BookingBlocked):
        await here.request(page, TEN)
    await here.settle_down()
    assert here.mail.mails == ()
    await here.switch_pages(on=True)
    assert (await here.book(page, TEN)).state is BookingState.CONFIRMED
