"""Judging addresses people type, by the email-validator library (RFC 5321, 5322, 6531); nothing is looked up."""

from collections.abc import Iterator, Sequence

from email_validator import EmailNotValidError, validate_email

from meetings.domain.base import Problem, ProblemCode, Rule
from meetings.domain.blocked_addresses import is_reserved


def address_problem(typed: str, *path: str, refuse_reserved: bool = False) -> Problem | None:
    """What keeps an address from being one; an empty one is somebody else's problem. With `refuse_reserved`, one that
    nobody can have is none either (A-FO4)."""
    if not typed.strip():
        return None
    try:
        validate_email(typed.strip(), check_deliverability=False)
    except EmailNotValidError:
        return Problem(path, Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID)
    if refuse_reserved and is_reserved(typed):
        return Problem(path, Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID)
    return None


def addresses_problems(typed: Sequence[str], *path: str) -> Iterator[Problem]:
    """The same for a list, each with its index in the path."""
    for index, address in enumerate(typed):
        problem = address_problem(address, *path, str(index))
        if problem:
            yield problem
