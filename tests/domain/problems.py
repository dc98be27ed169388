"""Problems with input in a form that reads well in a test."""

from collections.abc import Callable, Iterable

import pytest

from meetings.domain.base import InvalidInput, Problem, ProblemCode, Rule

Told = tuple[str, Rule] | tuple[str, Rule, ProblemCode]


def told(problems: Iterable[Problem | None]) -> list[Told]:
    """Each problem as its dotted path and its rule, and its code where that is not the plain VALIDATION."""
    return [
        (".".join(problem.path), problem.rule)
        if problem.code is ProblemCode.VALIDATION
        else (".".join(problem.path), problem.rule, problem.code)
        for problem in problems
        if problem is not None
    ]


def refused(action: Callable[[], object]) -> list[Told]:
    """What an action is refused for."""
    with pytest.raises(InvalidInput) as refusal:
        action()
    return told(refusal.value.problems)
