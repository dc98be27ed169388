from itertools import product

import pytest

from meetings.domain.booking_mode import BookingMode, host_mode, page_mode
from meetings.domain.calendar_connection import CalendarConnection, CalendarHealth, Grant
from meetings.domain.user import UserSettings
from tests.builders import a_calendar, a_connection

ONLINE, OFFLINE, BLOCKED = BookingMode.ONLINE, BookingMode.OFFLINE, BookingMode.BLOCKED
ON, OFF = UserSettings(), UserSettings(scheduling_pages=False)


def a_lost_calendar(**given: bool) -> CalendarConnection:
    lost = a_calendar(health=CalendarHealth.LOST, **given)
    return a_connection(calendars=[a_calendar(), lost])


@pytest.mark.parametrize(
    ("connection", "mode"),
    [
        (None, OFFLINE),
        (a_connection(), ONLINE),
        (a_connection(calendars=[a_calendar(health=CalendarHealth.UNREAD)]), ONLINE),
        (a_connection(grant=Grant.LOST), OFFLINE),
        (a_connection(grant=Grant.RETURNED), OFFLINE),
        (a_lost_calendar(), BLOCKED),
        (a_lost_calendar(selected=False), ONLINE),
        (a_connection(grant=Grant.LOST, calendars=[a_calendar(health=CalendarHealth.LOST)]), OFFLINE),
        (a_connection(default_calendar_id=None), OFFLINE),
    ],
    ids=[
        "never connected",
        "connected",
        "connected and not read yet",
        "the grant was revoked",
        "disconnected",
        "a selected calendar is lost",
        "a calendar nobody selected is lost",
        "the grant was revoked and a calendar lost",
        "no calendar receives bookings",
    ],
)
def test_a_host_without_a_usable_connection_is_offline_and_one_with_a_lost_calendar_blocked(
    connection: CalendarConnection | None, mode: BookingMode
) -> None:
    assert host_mode(ON, connection) is mode
    assert host_mode(OFF, connection) is BLOCKED  # A-CS3: whatever the calendar says


def test_a_page_of_one_host_is_what_the_host_is() -> None:
    for mode, any_host in product(BookingMode, (False, True)):
        assert page_mode([mode], any_host=any_host) is mode


@pytest.mark.parametrize(
    ("modes", "all_hosts", "any_host"),
    [
        ([ONLINE, ONLINE], ONLINE, ONLINE),
        ([ONLINE, OFFLINE], OFFLINE, ONLINE),
        ([ONLINE, BLOCKED], BLOCKED, ONLINE),
        ([OFFLINE, BLOCKED], BLOCKED, OFFLINE),
        ([BLOCKED, OFFLINE, ONLINE], BLOCKED, ONLINE),
        ([BLOCKED, BLOCKED], BLOCKED, BLOCKED),
        ([], BLOCKED, BLOCKED),
    ],
)
def test_a_group_is_as_good_as_its_worst_host_and_a_round_robin_as_its_best(
    modes: list[BookingMode], all_hosts: BookingMode, any_host: BookingMode
) -> None:
    assert page_mode(modes, any_host=False) is all_hosts
    assert page_mode(modes, any_host=True) is any_host
