from dataclasses import dataclass

import pytest

from meetings.domain.base import DomainEvent, InvalidInput, Problem, ProblemCode, Rule, refuse
from meetings.domain.scheduling_page import PageArchived
from tests.builders import NOW, a_page
from tests.domain.problems import refused

MISSING = Problem(("name",), Rule.REQUIRED)
TOO_LONG = Problem(("title",), Rule.TOO_LONG, values={"most": 5})


def test_every_problem_is_told_at_once_in_the_order_found() -> None:
    assert refused(lambda: refuse(MISSING, None, TOO_LONG)) == [("name", Rule.REQUIRED), ("title", Rule.TOO_LONG)]


def test_no_problem_is_no_refusal() -> None:
    refuse()
    refuse(None, None)


def test_a_refusal_can_be_read_in_a_log() -> None:
    with pytest.raises(InvalidInput, match=r"^name: REQUIRED; title: TOO_LONG$"):
        refuse(MISSING, TOO_LONG)


def test_a_problem_of_a_part_keeps_its_rule_code_and_figures_inside_the_whole() -> None:
    problem = Problem(("from",), Rule.TOO_LARGE, ProblemCode.SLUG_INVALID, {"most": 5})
    assert problem.under("weekly", "2") == Problem(
        ("weekly", "2", "from"), Rule.TOO_LARGE, ProblemCode.SLUG_INVALID, {"most": 5}
    )


def test_events_are_handed_out_once_and_oldest_first() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Noted(DomainEvent):
        number: int

    page = a_page()
    page.record(Noted(at=NOW, number=1))
    page.record(Noted(at=NOW, number=2))
    assert page.pull_events() == (Noted(at=NOW, number=1), Noted(at=NOW, number=2))
    assert page.pull_events() == ()


def test_an_aggregate_is_itself_and_not_another_with_the_same_values() -> None:
    page = a_page()
    same = a_page(page.organizer_id, id=page.id, slug=page.slug)
    assert page == page
    assert page != same


def test_what_is_recorded_survives_until_it_is_pulled() -> None:
    page = a_page()
    page.archive(now=NOW)
    assert page.pull_events() == (PageArchived(at=NOW, page_id=page.id),)
