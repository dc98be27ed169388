"""What every rule and every aggregate is made of: errors, problems with input, events, the aggregate itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from meetings.domain.identifiers import AccountId


class DomainError(Exception):
    """A rule said no. Knows no protocol and no wording; whoever shows it finds the words by its class."""


class ProblemCode(Enum):
    """Why one input value was refused. The names are part of the public API."""

    VALIDATION = "VALIDATION"
    EMAIL_INVALID = "EMAIL_INVALID"
    EMAIL_DOMAIN_BLOCKED = "EMAIL_DOMAIN_BLOCKED"
    TIMEZONE_INVALID = "TIMEZONE_INVALID"
    SLUG_INVALID = "SLUG_INVALID"
    FORM_FIELD_MISSING = "FORM_FIELD_MISSING"
    FORM_FIELD_UNKNOWN = "FORM_FIELD_UNKNOWN"
    GUESTS_NOT_ALLOWED = "GUESTS_NOT_ALLOWED"
    LEGAL_CONSENT_MISSING = "LEGAL_CONSENT_MISSING"
    DURATION_NOT_OFFERED = "DURATION_NOT_OFFERED"
    CALENDAR_NOT_ELIGIBLE = "CALENDAR_NOT_ELIGIBLE"


class Rule(Enum):
    """Which rule a value broke; with the problem's `values` it is all a message needs."""

    REQUIRED = "REQUIRED"
    TOO_LONG = "TOO_LONG"
    TOO_SMALL = "TOO_SMALL"
    TOO_LARGE = "TOO_LARGE"
    TOO_MANY = "TOO_MANY"
    NOT_ONE_OF = "NOT_ONE_OF"
    NOT_A_NUMBER = "NOT_A_NUMBER"
    NOT_A_DATE = "NOT_A_DATE"
    NOT_A_URL = "NOT_A_URL"
    NOT_AN_EMAIL = "NOT_AN_EMAIL"
    NOT_A_PHONE_NUMBER = "NOT_A_PHONE_NUMBER"
    NOT_A_TIME_ZONE = "NOT_A_TIME_ZONE"
    NOT_A_LOCALE = "NOT_A_LOCALE"
    NOT_A_COLOR = "NOT_A_COLOR"
    NOT_YES_OR_NO = "NOT_YES_OR_NO"
    NOT_A_DOMAIN = "NOT_A_DOMAIN"
    NOT_A_CERTIFICATE = "NOT_A_CERTIFICATE"
    CONTROL_CHARACTERS = "CONTROL_CHARACTERS"
    DUPLICATE = "DUPLICATE"
    END_BEFORE_START = "END_BEFORE_START"
    OVERLAPS = "OVERLAPS"
    UNKNOWN_TOKEN = "UNKNOWN_TOKEN"
    UNKNOWN = "UNKNOWN"
    RESERVED = "RESERVED"
    MALFORMED = "MALFORMED"
    CANNOT_CHANGE = "CANNOT_CHANGE"
    NOT_AVAILABLE_YET = "NOT_AVAILABLE_YET"
    WHOLE_DAYS_ONLY = "WHOLE_DAYS_ONLY"
    DEFAULT_CALENDAR_MUST_BLOCK = "DEFAULT_CALENDAR_MUST_BLOCK"
    NOT_WRITABLE = "NOT_WRITABLE"
    MOVE_DEFAULT_FIRST = "MOVE_DEFAULT_FIRST"
    HAS_BOOKINGS = "HAS_BOOKINGS"
    NOT_ALLOWED_HERE = "NOT_ALLOWED_HERE"
    REQUIRED_BY_SERVER = "REQUIRED_BY_SERVER"
    OTHER_MAIL_SETTINGS = "OTHER_MAIL_SETTINGS"
    LAST_OWNER = "LAST_OWNER"


@dataclass(frozen=True, slots=True)
class Problem:
    """One input value that cannot be accepted: where it stands, why, and the figures a message needs."""

    path: tuple[str, ...]
    rule: Rule
    code: ProblemCode = ProblemCode.VALIDATION
    values: Mapping[str, object] = field(default_factory=dict)

    def under(self, *prefix: str) -> "Problem":
        """The same problem, seen from an enclosing input."""
        return Problem((*prefix, *self.path), self.rule, self.code, self.values)


class InvalidInput(DomainError):
    """Input that cannot be a value: every problem at once, at least one."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{'.'.join(p.path)}: {p.rule.value}" for p in self.problems))


def refuse(*problems: Problem | None) -> None:
    """Raise `InvalidInput` with every problem given; None counts as none.

    Raises:
        InvalidInput: at least one problem was given.
    """
    found = [problem for problem in problems if problem is not None]
    if found:
        raise InvalidInput(found)


class NotFound(DomainError):
    """There is no such thing, or the caller may not know of it: both read the same."""

    def __init__(self, what: str, path: tuple[str, ...] = ()) -> None:
        self.what = what
        self.path = path
        super().__init__(f"{what} not found")


class PermissionMissing(DomainError):
    """The caller may see the thing but not do this to it. `permission` names what is missing."""

    def __init__(self, permission: str) -> None:
        self.permission = permission
        super().__init__(f"permission missing: {permission}")


class ConcurrentChange(DomainError):
    """The aggregate was changed by somebody else since it was read; reading it again and retrying is right."""


@dataclass(frozen=True, kw_only=True)
class DomainEvent:
    """Something that happened to one aggregate. Holds ids and figures, never secrets or free text of visitors."""

    at: datetime


@dataclass(kw_only=True, eq=False)
class Aggregate:
    """A cluster of objects that changes as one. Equal by identity; `version` counts saved changes.

    Every change of state records a `DomainEvent`; whoever saves the aggregate takes them with `pull_events`.
    """

    id: UUID
    account_id: AccountId
    version: int = 0
    _events: list[DomainEvent] = field(default_factory=list, init=False, repr=False)

    def record(self, event: DomainEvent) -> None:
        """Remember an event until the aggregate is saved."""
        self._events.append(event)

    def pull_events(self) -> tuple[DomainEvent, ...]:
        """The events since the last call, oldest first; a second call gives none."""
        events, self._events = tuple(self._events), []
        return events
