"""The engine against the brute-force oracle, on random pages in every time zone there is."""

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from meetings.domain.availability import Reason, explain, free_hosts, next_open_start, open_starts, why_not
from meetings.domain.availability.zones import instants_of_day
from tests.domain.availability.cases import Case, cases
from tests.domain.availability.oracle import Oracle, wall


def compared(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@compared(150)
@given(cases())
def test_open_starts_are_those_of_the_oracle(case: Case) -> None:
    oracle = Oracle(*case.page, start=case.start, end=case.end, **case.when)
    found = open_starts(*case.page, start=case.start, end=case.end, **case.when)
    event(f"any slot: {bool(found)}")
    assert found == oracle.open_starts()


@compared(80)
@given(cases(), st.data())
def test_free_hosts_are_those_of_the_oracle(case: Case, data: st.DataObject) -> None:
    oracle = Oracle(*case.page, start=case.start, end=case.end, **case.when)
    for start in starts_to_try(case, oracle, data):
        assert free_hosts(case.rules, case.hosts, start=start, **case.when) == oracle.free_hosts(start)


@compared(60)
@given(cases())
def test_each_missing_start_of_a_day_has_exactly_the_reasons_of_the_oracle(case: Case) -> None:
    day, _ = wall(case.rules.hours.zone, case.start)
    told = explain(*case.page, day=day, **case.when)
    minutes = [minute for span in instants_of_day(case.rules.hours.zone, day) for minute in range(*span)]
    oracle = Oracle(*case.page, start=minutes[0], end=minutes[-1] + 1, **case.when)
    for minute in minutes:
        reasons = {(each.reason, each.source, each.host) for each in told if each.start <= minute < each.end}
        assert reasons == oracle.reasons(minute)
        assert oracle.offers(minute) == (not reasons and oracle.on_grid(minute))


@compared(80)
@given(cases(), st.data())
def test_the_reason_against_a_start_is_that_of_the_oracle_and_there_is_none_when_it_is_offered(
    case: Case, data: st.DataObject
) -> None:
    oracle = Oracle(*case.page, start=case.start, end=case.end, **case.when)
    for start in starts_to_try(case, oracle, data):
        missing = why_not(*case.page, start=start, **case.when)
        assert (missing is None) == oracle.offers(start)
        assert (missing and missing.reason) == oracle.most_telling(start)
        if missing and missing.reason is not Reason.NOT_ON_GRID:
            assert (missing.reason, missing.source, missing.host) in oracle.reasons(start)


@compared(60)
@given(cases())
def test_the_next_open_start_is_the_first_of_all(case: Case) -> None:
    oracle = Oracle(*case.page, start=case.start, end=case.end, **case.when)
    found = next_open_start(*case.page, at_or_after=case.start, until=case.end, **case.when)
    assert found == next(iter(oracle.open_starts()), None)


def starts_to_try(case: Case, oracle: Oracle, data: st.DataObject) -> list[int]:
    """A few anywhere, and a few of those on which only the hosts decide."""
    anywhere = data.draw(st.lists(st.integers(case.start, case.end - 1), max_size=3))
    of_page = [each for each in range(case.start, case.end) if oracle.on_grid(each) and not oracle.page_reasons(each)]
    return anywhere + of_page[:: max(1, len(of_page) // 20)]
