"""What a sequence may say, and how it changes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from meetings.domain.base import InvalidInput, Rule
from meetings.domain.email import MAX_BODY, MAX_SUBJECT
from meetings.domain.identifiers import SequenceId
from meetings.domain.period import Period
from meetings.domain.sequence import (
    LONGEST_DELAY_DAYS,
    MAX_NAME,
    MOST_STEPS,
    Sequence,
    SequenceArchived,
    SequenceChanged,
    SequenceCreated,
    SequenceStep,
)
from tests.builders import NOW, account_id, user_id

STEP = SequenceStep(Period(), "Hello", "Shall we meet?")
LATER = NOW + timedelta(hours=1)


def a_sequence(**given: Any) -> Sequence:
    values: dict[str, Any] = {"name": "New people", "steps": [STEP], "ends_by_company": False, **given}
    return Sequence.create(SequenceId(uuid4()), account_id=account_id(), owner=user_id(), now=NOW, **values)


def wrong(**given: Any) -> set[tuple[str, Rule]]:
    with pytest.raises(InvalidInput) as refused:
        a_sequence(**given)
    return {(".".join(problem.path), problem.rule) for problem in refused.value.problems}


def test_a_sequence_is_what_was_said() -> None:
    made = a_sequence(name="  New people ", ends_by_company=True)
    assert (made.name, made.steps, made.ends_by_company) == ("New people", (STEP,), True)
    assert (made.created_at, made.updated_at, made.archived_at) == (NOW, NOW, None)
    assert [type(event) for event in made.pull_events()] == [SequenceCreated]


def test_everything_wrong_is_told_at_once() -> None:
    bad = SequenceStep(Period(days=-1), " ", "")
    late = SequenceStep(Period(days=LONGEST_DELAY_DAYS, minutes=1), "x" * (MAX_SUBJECT + 1), "x" * (MAX_BODY + 1))
    assert wrong(name="x" * (MAX_NAME + 1), steps=[bad, late]) == {
        ("name", Rule.TOO_LONG),
        ("steps.0.delay", Rule.TOO_SMALL),
        ("steps.0.subject", Rule.REQUIRED),
        ("steps.0.bodyMarkdown", Rule.REQUIRED),
        ("steps.1.delay", Rule.TOO_LARGE),
        ("steps.1.subject", Rule.TOO_LONG),
        ("steps.1.bodyMarkdown", Rule.TOO_LONG),
    }


def test_what_is_just_within_the_limits_is_taken() -> None:
    longest = SequenceStep(Period(days=LONGEST_DELAY_DAYS), "x" * MAX_SUBJECT, "x" * MAX_BODY)
    made = a_sequence(name="x" * MAX_NAME, steps=[longest] * MOST_STEPS)
    assert len(made.steps) == MOST_STEPS


@pytest.mark.parametrize(
    ("steps", "rule"), [([], Rule.REQUIRED), ([STEP] * (MOST_STEPS + 1), Rule.TOO_MANY)], ids=["none", "too many"]
)
def test_there_is_a_mail_and_not_too_many(steps: list[SequenceStep], rule: Rule) -> None:
    assert wrong(steps=steps) == {("steps", rule)}


def test_a_subject_has_one_line_and_a_body_many() -> None:
    assert wrong(steps=[replace(STEP, subject="Hello\r\nBcc: everybody@example.com")])
    assert a_sequence(steps=[replace(STEP, body_markdown="Hello\n\nthere")])


def test_a_change_tells_once_and_leaves_what_is_not_named() -> None:
    made = a_sequence()
    made.pull_events()
    made.change(now=LATER, steps=[STEP, replace(STEP, delay=Period(days=2))])
    assert (made.name, len(made.steps), made.updated_at) == ("New people", 2, LATER)
    assert [type(event) for event in made.pull_events()] == [SequenceChanged]
    made.change(now=LATER + timedelta(hours=1), name=" New people ", steps=made.steps, ends_by_company=False)
    assert made.updated_at == LATER
    assert not made.pull_events()


def test_a_change_that_is_refused_changes_nothing() -> None:
    made = a_sequence()
    with pytest.raises(InvalidInput):
        made.change(now=LATER, name="Other", steps=[])
    assert (made.name, made.steps, made.updated_at) == ("New people", (STEP,), NOW)


def test_a_sequence_is_archived_once() -> None:
    made = a_sequence()
    made.pull_events()
    for hours in (1, 2):
        made.archive(now=NOW + timedelta(hours=hours))
    assert made.archived_at == LATER
    assert [type(event) for event in made.pull_events()] == [SequenceArchived]
