"""Free time kept ready gives what the oracle gives: asked first, asked again, and after each kind of change."""

import sys
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from meetings.domain.availability import BusySpan, HostTime, Pool, SlotRules, open_starts
from meetings.domain.availability.ready import PATCHED, RULE_SETS, ReadyHost, ready_starts
from tests.domain.availability.cases import DAY, Case, cases
from tests.domain.availability.examples import LONG_AGO, a_host, a_page, at
from tests.domain.availability.oracle import Oracle
from tests.domain.availability.test_oracle import compared

changes = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(["add", "remove", "move", "unknown", "working"]), st.integers(0, 3000)
    ),
    max_size=4,
)


def ready(case: Case, hosts: list[HostTime]) -> list[ReadyHost]:
    return [ReadyHost(host, case.start - 2 * DAY, case.end + DAY) for host in hosts]


def asked(case: Case, hosts: list[ReadyHost], *, rules: SlotRules | None = None) -> list[int]:
    page = rules or case.rules
    return ready_starts(page, hosts, case.pool, start=case.start, end=case.end, **case.when)


def by_oracle(case: Case, hosts: list[HostTime]) -> list[int]:
    return Oracle(case.rules, hosts, case.pool, start=case.start, end=case.end, **case.when).open_starts()


def changed(host: HostTime, what: str, amount: int, case: Case) -> HostTime:
    """The same host after one change."""
    near = case.start - 700 + amount
    busy = list(host.busy)
    match what:
        case "add":
            return replace(host, busy=[*busy, (near, near + amount % 97)])
        case "remove":
            return replace(host, busy=busy[1:])
        case "move" if busy:
            first = BusySpan(*busy[0])
            return replace(host, busy=[*busy[1:], (first.start + amount % 61, first.end + amount % 61)])
        case "unknown":
            return replace(host, known_from=near, known_until=near + amount)
        case "working":
            return replace(host, working_hours=None if host.working_hours else case.rules.hours)
    return host


@compared(100)
@given(cases(), changes)
def test_cold_warm_and_after_each_change_it_says_what_the_oracle_says(
    case: Case, steps: list[tuple[int, str, int]]
) -> None:
    hosts = list(case.hosts)
    kept = ready(case, hosts)
    expected = by_oracle(case, hosts)
    assert asked(case, kept) == expected
    assert asked(case, kept) == expected
    other = replace(case.rules, duration=case.rules.duration + 5)
    asked(case, kept, rules=other)
    for who, what, amount in steps if hosts else ():
        position = who % len(hosts)
        hosts[position] = changed(hosts[position], what, amount, case)
        kept[position].change(hosts[position])
        assert asked(case, kept) == by_oracle(case, hosts)
        assert asked(case, kept, rules=other) == asked(case, ready(case, hosts), rules=other)


@compared(40)
@given(cases(), st.integers(-3 * DAY, 3 * DAY))
def test_a_question_beyond_what_is_kept_gets_the_answer_of_the_sweep(case: Case, shift: int) -> None:
    hosts = [ReadyHost(host, case.start + shift, case.end + shift) for host in case.hosts]
    assert asked(case, hosts) == open_starts(*case.page, start=case.start, end=case.end, **case.when)


@compared(40)
@given(cases())
def test_hosts_that_keep_different_spans_get_the_answer_of_the_sweep(case: Case) -> None:
    hosts = [
        ReadyHost(host, case.start - number * DAY, case.end + number * DAY) for number, host in enumerate(case.hosts)
    ]
    assert asked(case, hosts) == open_starts(*case.page, start=case.start, end=case.end, **case.when)


def test_a_change_of_more_spans_than_are_patched_is_right_too() -> None:
    start, end = at("2026-06-01 00:00"), at("2026-06-20 00:00")
    page = a_page("09:00-17:00")
    host = ReadyHost(a_host(), start, end)
    when: dict[str, Any] = {"start": start, "end": end, "earliest": LONG_AGO}
    before = ready_starts(page, [host], Pool.ALL, **when)
    busy = [(at("2026-06-01 09:00") + number * 90, at("2026-06-01 09:00") + number * 90 + 7) for number in range(200)]
    assert len(busy) > PATCHED
    host.change(a_host("Ann", *busy))
    found = ready_starts(page, [host], Pool.ALL, **when)
    assert found == open_starts(page, [a_host("Ann", *busy)], Pool.ALL, **when)
    assert found != before


def test_one_minute_of_busy_time_takes_exactly_the_starts_it_touches() -> None:
    start, end = at("2026-06-01 00:00"), at("2026-06-02 00:00")
    page = a_page("09:00-10:00", duration=7, increment=1)
    host = ReadyHost(a_host(), start, end)
    when: dict[str, Any] = {"start": start, "end": end, "earliest": LONG_AGO}
    before = ready_starts(page, [host], Pool.ALL, **when)
    noon = at("2026-06-01 09:31")
    host.change(a_host("Ann", (noon, noon + 1)))
    taken = sorted(set(before) - set(ready_starts(page, [host], Pool.ALL, **when)))
    assert taken == list(range(noon - 6, noon + 1))


def test_a_year_of_a_usual_page_is_less_than_two_kilobytes_a_host_and_only_a_few_rule_sets_are_kept() -> None:
    start, end = at("2026-01-01 00:00"), at("2027-01-01 00:00")
    host = ReadyHost(a_host(), start, end)
    bits = host.free(a_page("09:00-17:00", increment=15))
    assert sys.getsizeof(bits) < 2_000
    for duration in range(15, 15 + 3 * RULE_SETS):
        host.free(a_page("09:00-17:00", duration=duration, increment=15))
    assert len(host._bits) == RULE_SETS


def test_the_window_and_the_caps_of_the_page_hold_for_kept_time_too() -> None:
    start, end = at("2026-06-01 00:00"), at("2026-06-08 00:00")
    page = a_page("09:00-11:00", max_per_day=1, first_date=date(2026, 6, 2), last_date=date(2026, 6, 4))
    when: dict[str, Any] = {"start": start, "end": end, "earliest": LONG_AGO, "page_meetings": [at("2026-06-03 09:00")]}
    found = ready_starts(page, [ReadyHost(a_host(), start, end)], Pool.ALL, **when)
    assert found == open_starts(page, [a_host()], Pool.ALL, **when)
    assert {(each - start) // DAY for each in found} == {1, 3}
