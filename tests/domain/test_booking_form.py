from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.domain.base import ProblemCode, Rule
from meetings.domain.booking_form import (
    Answer,
    ConsentOption,
    FieldKind,
    FormField,
    GuestPolicy,
    answer_problems,
    consent_answer_problems,
    consent_problems,
    field_problems,
    guest_problems,
    kept_answers,
)
from tests.domain.problems import told

MISSING, UNKNOWN = ProblemCode.FORM_FIELD_MISSING, ProblemCode.FORM_FIELD_UNKNOWN
NO_GUESTS, NO_CONSENT = ProblemCode.GUESTS_NOT_ALLOWED, ProblemCode.LEGAL_CONSENT_MISSING


def a_field(kind: FieldKind = FieldKind.SHORT_TEXT, key: str = "topic", **given: Any) -> FormField:
    return FormField(key, given.pop("label", "Topic"), kind, **given)


SIZE = a_field(FieldKind.SELECT, "size", options=("S", "M", "L"))
COLOURS = a_field(FieldKind.MULTI_SELECT, "colours", options=("red", "green"))


# ---- the definition of a form -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FieldKind)
def test_every_kind_of_field_can_be_asked(kind: FieldKind) -> None:
    choices = ("a", "b") if kind in (FieldKind.SELECT, FieldKind.MULTI_SELECT) else ()
    assert told(field_problems([a_field(kind, options=choices, contact_property="jobtitle")], "formFields")) == []


@pytest.mark.parametrize(
    ("entry", "problems"),
    [
        (a_field(key=""), [("formFields.0.key", Rule.REQUIRED)]),
        (a_field(key="1st"), [("formFields.0.key", Rule.MALFORMED)]),
        (a_field(key="job title"), [("formFields.0.key", Rule.MALFORMED)]),
        (a_field(key="x" * 41), [("formFields.0.key", Rule.MALFORMED)]),
        *((a_field(key=key), [("formFields.0.key", Rule.RESERVED)]) for key in ("firstName", "lastName", "email")),
        (a_field(label=" "), [("formFields.0.label", Rule.REQUIRED)]),
        (a_field(label="x" * 301), [("formFields.0.label", Rule.TOO_LONG)]),
        (a_field(contact_property="x" * 101), [("formFields.0.contactProperty", Rule.TOO_LONG)]),
        (a_field(contact_property="a\x00"), [("formFields.0.contactProperty", Rule.CONTROL_CHARACTERS)]),
        (a_field(FieldKind.SELECT), [("formFields.0.options", Rule.REQUIRED)]),
        (a_field(FieldKind.MULTI_SELECT), [("formFields.0.options", Rule.REQUIRED)]),
        (a_field(FieldKind.SELECT, options=("a", "a")), [("formFields.0.options", Rule.DUPLICATE)]),
        (a_field(FieldKind.SELECT, options=("a", "")), [("formFields.0.options.1", Rule.REQUIRED)]),
        (
            a_field(FieldKind.SELECT, options=tuple(str(number) for number in range(101))),
            [("formFields.0.options", Rule.TOO_MANY)],
        ),
        (a_field(FieldKind.NUMBER, options=("1",)), [("formFields.0.options", Rule.NOT_ALLOWED_HERE)]),
    ],
)
def test_a_badly_defined_field_is_told_by_its_place(entry: FormField, problems: list[object]) -> None:
    assert told(field_problems([entry], "formFields")) == problems


def test_two_fields_cannot_share_a_key() -> None:
    assert told(field_problems([a_field(), a_field()], "formFields")) == [("formFields.1.key", Rule.DUPLICATE)]


def test_a_form_has_at_most_fifty_fields() -> None:
    fields = [a_field(key=f"field{number}") for number in range(51)]
    assert told(field_problems(fields[:50], "formFields")) == []
    assert told(field_problems(fields, "formFields")) == [("formFields", Rule.TOO_MANY)]


@pytest.mark.parametrize(
    ("options", "problems"),
    [
        ([ConsentOption("terms", "I agree to *this*\nand that")], []),
        ([ConsentOption("", "x")], [("consents.0.key", Rule.REQUIRED)]),
        ([ConsentOption("a b", "x")], [("consents.0.key", Rule.MALFORMED)]),
        ([ConsentOption("a", "x"), ConsentOption("a", "y")], [("consents.1.key", Rule.DUPLICATE)]),
        ([ConsentOption("a", "")], [("consents.0.textMarkdown", Rule.REQUIRED)]),
        ([ConsentOption("a", "x" * 5001)], [("consents.0.textMarkdown", Rule.TOO_LONG)]),
        ([ConsentOption(f"c{number}", "x") for number in range(11)], [("consents", Rule.TOO_MANY)]),
    ],
)
def test_a_badly_defined_consent_is_told_by_its_place(options: list[ConsentOption], problems: list[object]) -> None:
    assert told(consent_problems(options, "consents")) == problems


# ---- what visitors answer (A-FO1) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldKind.SHORT_TEXT, "x" * 500),
        (FieldKind.LONG_TEXT, "first line\nsecond line" + "x" * 4000),
        (FieldKind.EMAIL, "colleague@example.org"),
        (FieldKind.PHONE, "+49 (0)30 123-456/7"),
        (FieldKind.NUMBER, "-3.5"),
        (FieldKind.NUMBER, "1000000"),
        (FieldKind.DATE, "2028-02-29"),
        (FieldKind.CHECKBOX, "true"),
        (FieldKind.CHECKBOX, "false"),
    ],
)
def test_an_answer_that_fits_its_field_is_fine(kind: FieldKind, value: str) -> None:
    assert told(answer_problems([a_field(kind)], {"topic": [value]}, "answers")) == []


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        (FieldKind.SHORT_TEXT, "x" * 501, Rule.TOO_LONG),
        (FieldKind.SHORT_TEXT, "two\nlines", Rule.CONTROL_CHARACTERS),
        (FieldKind.LONG_TEXT, "x" * 5001, Rule.TOO_LONG),
        (FieldKind.LONG_TEXT, "\x00", Rule.CONTROL_CHARACTERS),
        (FieldKind.PHONE, "call me", Rule.NOT_A_PHONE_NUMBER),
        (FieldKind.PHONE, "12", Rule.NOT_A_PHONE_NUMBER),
        (FieldKind.NUMBER, "many", Rule.NOT_A_NUMBER),
        (FieldKind.NUMBER, "NaN", Rule.NOT_A_NUMBER),
        (FieldKind.NUMBER, "1e9", Rule.NOT_A_NUMBER),
        (FieldKind.NUMBER, "٣", Rule.NOT_A_NUMBER),
        (FieldKind.NUMBER, "9" * 19, Rule.NOT_A_NUMBER),
        (FieldKind.DATE, "2026-02-29", Rule.NOT_A_DATE),
        (FieldKind.DATE, "3.11.2026", Rule.NOT_A_DATE),
        (FieldKind.DATE, "20261103", Rule.NOT_A_DATE),
        (FieldKind.DATE, "2026-W45-2", Rule.NOT_A_DATE),
        (FieldKind.CHECKBOX, "yes", Rule.NOT_YES_OR_NO),
    ],
)
def test_an_answer_that_does_not_fit_its_field_is_refused(kind: FieldKind, value: str, rule: Rule) -> None:
    assert told(answer_problems([a_field(kind)], {"topic": [value]}, "answers")) == [("answers.topic", rule)]


def test_an_address_in_an_answer_is_judged_like_every_address() -> None:
    assert told(answer_problems([a_field(FieldKind.EMAIL)], {"topic": ["nobody"]}, "answers")) == [
        ("answers.topic", Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID)
    ]


def test_only_offered_options_can_be_chosen() -> None:
    assert told(answer_problems([SIZE, COLOURS], {"size": ["M"], "colours": ["green", "red"]}, "answers")) == []
    assert told(answer_problems([SIZE, COLOURS], {"size": ["XL"], "colours": ["red", "blue"]}, "answers")) == [
        ("answers.size", Rule.NOT_ONE_OF),
        ("answers.colours", Rule.NOT_ONE_OF),
    ]


def test_only_a_field_of_many_takes_more_than_one_value_and_that_has_an_end_too() -> None:
    (one,) = answer_problems([SIZE], {"size": ["S", "M"]}, "answers")
    assert told([one]) == [("answers.size", Rule.TOO_MANY)]
    assert one.values == {"most": 1}
    (many,) = answer_problems([COLOURS], {"colours": ["red"] * 101}, "answers")
    assert told([many]) == [("answers.colours", Rule.TOO_MANY)]
    assert many.values == {"most": 100}


@pytest.mark.parametrize("answers", [{}, {"topic": []}, {"topic": [""]}, {"topic": ["  ", "\n"]}])
@pytest.mark.parametrize("kind", [FieldKind.SHORT_TEXT, FieldKind.CHECKBOX, FieldKind.DATE])
def test_a_required_answer_that_is_missing_has_its_own_code(kind: FieldKind, answers: dict[str, list[str]]) -> None:
    assert told(answer_problems([a_field(kind, required=True)], answers, "answers")) == [
        ("answers.topic", Rule.REQUIRED, MISSING)
    ]
    assert told(answer_problems([a_field(kind)], answers, "answers")) == []


def test_a_required_checkbox_has_to_be_ticked() -> None:
    box = a_field(FieldKind.CHECKBOX, required=True)
    assert told(answer_problems([box], {"topic": ["true"]}, "answers")) == []
    assert told(answer_problems([box], {"topic": ["false"]}, "answers")) == [("answers.topic", Rule.REQUIRED, MISSING)]


def test_an_answer_the_form_does_not_ask_for_has_its_own_code() -> None:
    assert told(answer_problems([a_field()], {"topic": ["x"], "salary": ["1"]}, "answers")) == [
        ("answers.salary", Rule.UNKNOWN, UNKNOWN)
    ]


def test_all_bad_answers_are_told_at_once() -> None:
    fields = [a_field(required=True), SIZE, a_field(FieldKind.NUMBER, "seats")]
    assert told(answer_problems(fields, {"size": ["XL"], "seats": ["two"], "other": ["x"]}, "answers")) == [
        ("answers.other", Rule.UNKNOWN, UNKNOWN),
        ("answers.topic", Rule.REQUIRED, MISSING),
        ("answers.size", Rule.NOT_ONE_OF),
        ("answers.seats", Rule.NOT_A_NUMBER),
    ]


def test_answers_are_kept_in_the_order_of_the_form_with_the_labels_of_that_day() -> None:
    fields = [a_field(label="What about?"), SIZE, COLOURS]
    given = {"colours": ["red", "", " green"], "topic": ["  the weather "], "size": [" "]}
    assert kept_answers(fields, given) == (
        Answer("topic", "What about?", ("the weather",)),
        Answer("colours", "Topic", ("red", "green")),
    )


@settings(max_examples=25)
@given(st.text(max_size=12))
def test_whatever_counts_as_a_date_is_one(value: str) -> None:
    if not told(answer_problems([a_field(FieldKind.DATE, required=True)], {"topic": [value]})):
        assert date.fromisoformat(value).isoformat() == value


# ---- guests (A-SP12) ----------------------------------------------------------------------------------------------

TWO = GuestPolicy(allowed=True, most=2)


@pytest.mark.parametrize(
    ("policy", "guests", "problems"),
    [
        (GuestPolicy(), [], []),
        (GuestPolicy(allowed=False, most=5), ["a@example.org"], [("guests", Rule.NOT_ALLOWED_HERE, NO_GUESTS)]),
        (TWO, ["a@example.org", "b@example.org"], []),
        (TWO, [f"{name}@example.org" for name in "abc"], [("guests", Rule.TOO_MANY, NO_GUESTS)]),
        (TWO, ["nobody"], [("guests.0", Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID)]),
        (TWO, ["a@example.org", "A@Example.org"], [("guests.1", Rule.DUPLICATE)]),
        (TWO, ["IVO@example.org"], [("guests.0", Rule.DUPLICATE)]),
        (TWO, [""], [("guests.0", Rule.REQUIRED)]),
    ],
)
def test_guests_are_held_to_the_page_s_policy(policy: GuestPolicy, guests: list[str], problems: list[object]) -> None:
    assert told(guest_problems(policy, guests, "ivo@example.org", "guests")) == problems


# ---- consents (A-FO2) ---------------------------------------------------------------------------------------------

OPTIONS = [ConsentOption("terms", "Terms", required=True), ConsentOption("news", "News")]


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        (["terms"], []),
        (["news", "terms"], []),
        ([], [("consents.terms", Rule.REQUIRED, NO_CONSENT)]),
        (["news"], [("consents.terms", Rule.REQUIRED, NO_CONSENT)]),
        (["terms", "else"], [("consents.1", Rule.UNKNOWN)]),
        (["else"], [("consents.0", Rule.UNKNOWN), ("consents.terms", Rule.REQUIRED, NO_CONSENT)]),
    ],
)
def test_a_required_consent_has_to_be_given_and_no_other_can_be(given: list[str], problems: list[object]) -> None:
    assert told(consent_answer_problems(OPTIONS, given, "consents")) == problems
