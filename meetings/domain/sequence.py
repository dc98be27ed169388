"""A sequence: mails that go to a contact one after the other, each some days after the last, until they answer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from meetings.domain.base import Aggregate, DomainEvent, Problem, Rule, refuse
from meetings.domain.email import MAX_BODY, MAX_SUBJECT
from meetings.domain.identifiers import AccountId, SequenceId, UserId
from meetings.domain.period import Period
from meetings.domain.text import text_problem

MAX_NAME = 100
MOST_STEPS = 20
LONGEST_DELAY_DAYS = 90


@dataclass(frozen=True, slots=True)
class SequenceStep:
    """One mail: `delay` after the one before it was sent, the first after somebody was enrolled; then at the next
    business hour of its sender."""

    delay: Period
    subject: str
    body_markdown: str
    include_meeting_link: bool = False


@dataclass(frozen=True, kw_only=True)
class SequenceChange(DomainEvent):
    """Something happened to a sequence."""

    sequence_id: SequenceId
    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class SequenceCreated(SequenceChange):
    """Somebody wrote a sequence."""


@dataclass(frozen=True, kw_only=True)
class SequenceChanged(SequenceChange):
    """It says something else, to whoever has not had it yet."""


@dataclass(frozen=True, kw_only=True)
class SequenceArchived(SequenceChange):
    """Nobody can be enrolled any more."""


@dataclass(kw_only=True, eq=False)
class Sequence(Aggregate):
    """A person's sequence of mails.

    With `ends_by_company`, an answer from anybody at the contact's mail domain ends it too (A-IN4).
    """

    id: SequenceId
    owner: UserId
    name: str
    steps: tuple[SequenceStep, ...]
    created_at: datetime
    updated_at: datetime
    ends_by_company: bool = False
    archived_at: datetime | None = field(default=None)

    @classmethod
    def create(
        cls,
        sequence_id: SequenceId,
        *,
        account_id: AccountId,
        owner: UserId,
        name: str,
        steps: Iterable[SequenceStep],
        ends_by_company: bool,
        now: datetime,
    ) -> "Sequence":
        """Raises `InvalidInput` with everything that is wrong."""
        given = tuple(steps)
        _check(name, given)
        made = cls(
            id=sequence_id,
            account_id=account_id,
            owner=owner,
            name=name.strip(),
            steps=given,
            created_at=now,
            updated_at=now,
            ends_by_company=ends_by_company,
        )
        made.record(SequenceCreated(at=now, sequence_id=made.id, user_id=owner))
        return made

    def change(
        self,
        *,
        now: datetime,
        name: str | None = None,
        steps: Iterable[SequenceStep] | None = None,
        ends_by_company: bool | None = None,
    ) -> None:
        """Say something else from now on; what is None stays. Whoever is in it gets the new steps that are still ahead
        of them, counted by their place. The same again changes nothing.

        Raises:
            InvalidInput: everything that is wrong.
        """
        wanted = (
            self.name if name is None else name.strip(),
            self.steps if steps is None else tuple(steps),
            self.ends_by_company if ends_by_company is None else ends_by_company,
        )
        _check(wanted[0], wanted[1])
        if wanted != (self.name, self.steps, self.ends_by_company):
            self.name, self.steps, self.ends_by_company = wanted
            self.updated_at = now
            self.record(SequenceChanged(at=now, sequence_id=self.id, user_id=self.owner))

    def archive(self, *, now: datetime) -> None:
        """Take nobody in any more; who is in it goes on to its end. A second call changes nothing."""
        if self.archived_at is None:
            self.archived_at = now
            self.record(SequenceArchived(at=now, sequence_id=self.id, user_id=self.owner))


def _check(name: str, steps: tuple[SequenceStep, ...]) -> None:
    refuse(
        text_problem(name, "name", most=MAX_NAME),
        Problem(("steps",), Rule.REQUIRED) if not steps else None,
        Problem(("steps",), Rule.TOO_MANY, values={"most": MOST_STEPS}) if len(steps) > MOST_STEPS else None,
        *(problem for index, step in enumerate(steps[:MOST_STEPS]) for problem in _problems(step, "steps", str(index))),
    )


def _problems(step: SequenceStep, *path: str) -> list[Problem | None]:
    longest = {"most": LONGEST_DELAY_DAYS}
    too_long = step.delay.longest_minutes > LONGEST_DELAY_DAYS * 1440
    return [
        Problem((*path, "delay"), Rule.TOO_SMALL, values={"least": 0}) if step.delay.negative else None,
        Problem((*path, "delay"), Rule.TOO_LARGE, values=longest) if too_long else None,
        text_problem(step.subject, *path, "subject", most=MAX_SUBJECT),
        text_problem(step.body_markdown, *path, "bodyMarkdown", most=MAX_BODY, lines=True),
    ]
