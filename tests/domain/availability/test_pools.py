"""Several hosts: group pages need all of them, round robin any one."""

from meetings.domain.availability import HostTime, Pool, free_hosts
from tests.domain.availability.examples import LONG_AGO, a_host, a_page, at, every_day, on

MONDAY = "2026-06-01"
TEN, ELEVEN = at(f"{MONDAY} 10:00"), at(f"{MONDAY} 11:00")
PAGE = a_page("10:00-12:00", duration=60, increment=60)


def a_and_b(**of_b: object) -> list[HostTime]:
    """A is busy at 10, B at 11."""
    return [a_host("A", (TEN, TEN + 60)), a_host("B", (ELEVEN, ELEVEN + 60), **of_b)]


def test_a_group_page_offers_only_times_when_all_are_free() -> None:
    assert on(MONDAY, PAGE, a_and_b(), Pool.ALL) == []
    assert on(MONDAY, PAGE, [a_host("A", (TEN, TEN + 60)), a_host("B")], Pool.ALL) == ["11:00"]


def test_a_round_robin_page_offers_times_when_at_least_one_is_free() -> None:
    assert on(MONDAY, PAGE, a_and_b(), Pool.ANY) == ["10:00", "11:00"]
    assert free_hosts(PAGE, a_and_b(), start=TEN, earliest=LONG_AGO) == ["B"]
    assert free_hosts(PAGE, a_and_b(), start=ELEVEN, earliest=LONG_AGO) == ["A"]


def test_a_round_robin_page_offers_nothing_while_all_are_busy() -> None:
    hosts = [a_host("A", (TEN, TEN + 60)), a_host("B", (TEN - 30, TEN + 10))]
    assert on(MONDAY, PAGE, hosts, Pool.ANY) == ["11:00"]


def test_free_hosts_come_in_the_order_given() -> None:
    hosts = [a_host("C"), a_host("A"), a_host("B")]
    assert free_hosts(PAGE, hosts, start=TEN, earliest=LONG_AGO) == ["C", "A", "B"]


def test_nobody_is_free_for_a_slot_that_the_page_never_offers() -> None:
    for never in (TEN - 60, TEN + 7, TEN + 90):
        assert free_hosts(PAGE, [a_host()], start=never, earliest=LONG_AGO) == []
    assert free_hosts(PAGE, [a_host()], start=TEN, earliest=TEN + 1) == []


def test_a_page_without_hosts_offers_nothing() -> None:
    assert on(MONDAY, PAGE, [], Pool.ALL) == []
    assert on(MONDAY, PAGE, [], Pool.ANY) == []
    assert free_hosts(PAGE, [], start=TEN, earliest=LONG_AGO) == []


# Working hours (A-AV4)


def test_no_slot_lies_outside_the_working_hours_of_the_host() -> None:
    host = a_host(working_hours=every_day("10:00-12:00"))
    assert on(MONDAY, a_page("09:00-17:00"), [host]) == ["10:00", "10:30", "11:00", "11:30"]


def test_working_hours_have_their_own_zone_and_leave_the_grid_alone() -> None:
    host = a_host(working_hours=every_day("09:15-10:30", zone="Europe/London"))
    assert on(MONDAY, a_page("09:00-17:00"), [host]) == ["10:30", "11:00"]


def test_a_round_robin_works_through_the_working_hours_of_all() -> None:
    hosts = [
        a_host("A", working_hours=every_day("09:00-09:30")),
        a_host("B", working_hours=every_day("16:00-24:00")),
    ]
    assert on(MONDAY, a_page("09:00-17:00"), hosts, Pool.ANY) == ["09:00", "16:00", "16:30"]


# Unreachable hosts


def test_one_unreachable_host_blocks_a_group_and_is_left_out_of_a_round_robin() -> None:
    hosts = [a_host("A"), a_host("B", known_from=0, known_until=0)]
    assert on(MONDAY, PAGE, hosts, Pool.ALL) == []
    assert on(MONDAY, PAGE, hosts, Pool.ANY) == ["10:00", "11:00"]
    assert free_hosts(PAGE, hosts, start=TEN, earliest=LONG_AGO) == ["A"]


# A cap of one host


def test_a_host_with_as_many_meetings_as_the_cap_is_not_free_that_day() -> None:
    busy_day = a_host("A", max_per_day=1, meetings=[at(f"{MONDAY} 16:00")])
    hosts = [busy_day, a_host("B")]
    assert free_hosts(PAGE, hosts, start=TEN, earliest=LONG_AGO) == ["B"]
    assert free_hosts(PAGE, hosts, start=TEN + 1440, earliest=LONG_AGO) == ["A", "B"]
    assert on(MONDAY, PAGE, hosts, Pool.ALL) == []
    assert on(MONDAY, PAGE, hosts, Pool.ANY) == ["10:00", "11:00"]
