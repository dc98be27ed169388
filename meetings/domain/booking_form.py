"""What a visitor fills in: form fields and answers, guests, consents."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from meetings.domain.base import Problem, ProblemCode, Rule
from meetings.domain.text import email_problem, text_problem

MAX_FIELDS = 50
MAX_OPTIONS = 100
MAX_CONSENTS = 10
MAX_GUESTS = 10
FIXED_FIELDS = ("firstName", "lastName", "email")
"""Keys every form has by itself; no custom field may take them (A-FO1)."""

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_PHONE = re.compile(r"\+?[0-9 ()/.\-]{3,40}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}([.,][0-9]{1,9})?")


class FieldKind(Enum):
    """How a custom field is filled in."""

    SHORT_TEXT = "SHORT_TEXT"
    LONG_TEXT = "LONG_TEXT"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    NUMBER = "NUMBER"
    DATE = "DATE"
    SELECT = "SELECT"
    MULTI_SELECT = "MULTI_SELECT"
    CHECKBOX = "CHECKBOX"


_CHOICES = (FieldKind.SELECT, FieldKind.MULTI_SELECT)


@dataclass(frozen=True, slots=True)
class FormField:
    """A custom question of a page's form."""

    key: str
    label: str
    kind: FieldKind
    required: bool = False
    options: tuple[str, ...] = ()
    contact_property: str | None = None
    hidden: bool = False

    @property
    def max_length(self) -> int:
        """How many characters one value may have."""
        return 5_000 if self.kind is FieldKind.LONG_TEXT else 500


@dataclass(frozen=True, slots=True)
class GuestPolicy:
    """Whether, and how many, more people the invitee may bring (A-SP12)."""

    allowed: bool = False
    most: int = 0


@dataclass(frozen=True, slots=True)
class ConsentOption:
    """Something the visitor may or must agree to (A-FO2)."""

    key: str
    text_markdown: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the invitee answered to one custom field; a checkbox answers `true` or `false`."""

    key: str
    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """What the invitee agreed to: the text as it stood, and when."""

    key: str
    text_markdown: str
    given_at: datetime


def field_problems(fields: Sequence[FormField], *path: str) -> Iterator[Problem]:
    """Everything wrong with the definition of a form's custom fields."""
    if len(fields) > MAX_FIELDS:
        yield Problem(path, Rule.TOO_MANY, values={"most": MAX_FIELDS})
    seen: set[str] = set()
    for index, entry in enumerate(fields):
        here = (*path, str(index))
        if not _KEY.fullmatch(entry.key):
            yield Problem((*here, "key"), Rule.MALFORMED if entry.key else Rule.REQUIRED)
        elif entry.key in FIXED_FIELDS:
            yield Problem((*here, "key"), Rule.RESERVED)
        elif entry.key in seen:
            yield Problem((*here, "key"), Rule.DUPLICATE)
        seen.add(entry.key)
        label = text_problem(entry.label, *here, "label", most=300)
        if label:
            yield label
        contact_property = text_problem(
            entry.contact_property or "", *here, "contactProperty", most=100, required=False
        )
        if contact_property:
            yield contact_property
        yield from _option_problems(entry, *here, "options")


def _option_problems(entry: FormField, *path: str) -> Iterator[Problem]:
    if entry.kind not in _CHOICES:
        if entry.options:
            yield Problem(path, Rule.NOT_ALLOWED_HERE)
        return
    if not entry.options:
        yield Problem(path, Rule.REQUIRED)
    if len(entry.options) > MAX_OPTIONS:
        yield Problem(path, Rule.TOO_MANY, values={"most": MAX_OPTIONS})
    if len(set(entry.options)) != len(entry.options):
        yield Problem(path, Rule.DUPLICATE)
    for number, option in enumerate(entry.options):
        wrong = text_problem(option, *path, str(number), most=200)
        if wrong:
            yield wrong


def consent_problems(options: Sequence[ConsentOption], *path: str) -> Iterator[Problem]:
    """Everything wrong with the definition of a page's consents."""
    if len(options) > MAX_CONSENTS:
        yield Problem(path, Rule.TOO_MANY, values={"most": MAX_CONSENTS})
    seen: set[str] = set()
    for index, option in enumerate(options):
        here = (*path, str(index))
        if not _KEY.fullmatch(option.key):
            yield Problem((*here, "key"), Rule.MALFORMED if option.key else Rule.REQUIRED)
        elif option.key in seen:
            yield Problem((*here, "key"), Rule.DUPLICATE)
        seen.add(option.key)
        wrong = text_problem(option.text_markdown, *here, "textMarkdown", most=5_000, lines=True)
        if wrong:
            yield wrong


def guest_policy_problems(policy: GuestPolicy, *path: str) -> Iterator[Problem]:
    """Guests that are allowed need a maximum from 1 to 10 (AB-4)."""
    if policy.allowed and not 1 <= policy.most <= MAX_GUESTS:
        rule = Rule.TOO_SMALL if policy.most < 1 else Rule.TOO_LARGE
        yield Problem(path, rule, values={"least": 1, "most": MAX_GUESTS})


def answer_problems(fields: Sequence[FormField], answers: Mapping[str, Sequence[str]], *path: str) -> Iterator[Problem]:
    """Everything wrong with a visitor's answers (A-FO1)."""
    known = {entry.key: entry for entry in fields}
    for key in answers:
        if key not in known:
            yield Problem((*path, key), Rule.UNKNOWN, ProblemCode.FORM_FIELD_UNKNOWN)
    for entry in fields:
        values = [value for value in answers.get(entry.key, ()) if value.strip()]
        if entry.required and (not values or (entry.kind is FieldKind.CHECKBOX and values != ["true"])):
            yield Problem((*path, entry.key), Rule.REQUIRED, ProblemCode.FORM_FIELD_MISSING)
            continue
        most = MAX_OPTIONS if entry.kind is FieldKind.MULTI_SELECT else 1
        if len(values) > most:
            yield Problem((*path, entry.key), Rule.TOO_MANY, values={"most": most})
            continue
        for value in values:
            wrong = _value_problem(entry, value, *path, entry.key)
            if wrong:
                yield wrong
                break


def _value_problem(entry: FormField, value: str, *path: str) -> Problem | None:
    wrong = text_problem(value, *path, most=entry.max_length, lines=entry.kind is FieldKind.LONG_TEXT)
    if wrong:
        return wrong
    match entry.kind:
        case FieldKind.EMAIL:
            return email_problem(value, *path)
        case FieldKind.PHONE if not _PHONE.fullmatch(value):
            return Problem(path, Rule.NOT_A_PHONE_NUMBER)
        case FieldKind.NUMBER if not _NUMBER.fullmatch(value):
            return Problem(path, Rule.NOT_A_NUMBER)
        case FieldKind.DATE if not _is_date(value):
            return Problem(path, Rule.NOT_A_DATE)
        case FieldKind.CHECKBOX if value not in ("true", "false"):
            return Problem(path, Rule.NOT_YES_OR_NO)
        case FieldKind.SELECT | FieldKind.MULTI_SELECT if value not in entry.options:
            return Problem(path, Rule.NOT_ONE_OF, values={"options": ", ".join(entry.options)})
    return None


def _is_date(value: str) -> bool:
    """`2026-11-03`; the other forms of ISO 8601, such as `2026-W45-2`, are not what a form sends."""
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def kept_answers(fields: Sequence[FormField], answers: Mapping[str, Sequence[str]]) -> tuple[Answer, ...]:
    """The non-empty answers in the form's order, for answers without problems."""
    return tuple(
        Answer(entry.key, entry.label, values)
        for entry in fields
        if (values := tuple(value.strip() for value in answers.get(entry.key, ()) if value.strip()))
    )


def guest_problems(policy: GuestPolicy, guests: Sequence[str], invitee_email: str, *path: str) -> Iterator[Problem]:
    """Everything wrong with the guests a visitor brings."""
    if guests and not policy.allowed:
        yield Problem(path, Rule.NOT_ALLOWED_HERE, ProblemCode.GUESTS_NOT_ALLOWED)
        return
    if len(guests) > policy.most:
        yield Problem(path, Rule.TOO_MANY, ProblemCode.GUESTS_NOT_ALLOWED, values={"most": policy.most})
    seen = {invitee_email.casefold()}
    for index, guest in enumerate(guests):
        wrong = email_problem(guest, *path, str(index))
        if wrong:
            yield wrong
        elif guest.casefold() in seen:
            yield Problem((*path, str(index)), Rule.DUPLICATE)
        seen.add(guest.casefold())


def consent_answer_problems(options: Sequence[ConsentOption], given: Sequence[str], *path: str) -> Iterator[Problem]:
    """Required consents that are missing, and consents the page does not ask for."""
    known = {option.key for option in options}
    for index, key in enumerate(given):
        if key not in known:
            yield Problem((*path, str(index)), Rule.UNKNOWN)
    for option in options:
        if option.required and option.key not in given:
            yield Problem((*path, option.key), Rule.REQUIRED, ProblemCode.LEGAL_CONSENT_MISSING)
