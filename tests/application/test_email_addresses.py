import pytest

from meetings.application.email_addresses import address_problem, addresses_problems
from meetings.domain.base import ProblemCode, Rule
from tests.domain.problems import told

WRONG = (Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID)


@pytest.mark.parametrize(
    "address",
    [
        "ivo@example.org",
        " ivo@example.org ",
        "ivo.visitor+tag@sub.example.co.uk",
        "o'neil@example.org",
        "jos\u00e9@example.org",
        "ivo@m\u00fcller.example.org",
        "ivo@xn--mller-kva.example.org",
    ],
)
def test_an_address_that_could_exist_is_fine(address: str) -> None:
    assert address_problem(address, "email") is None


@pytest.mark.parametrize(
    "address",
    [
        "ivo",
        "ivo@localhost",
        "ivo@nowhere.invalid",
        "ivo@127.0.0.1",
        "ivo@[127.0.0.1]",
        "ivo..visitor@example.org",
        ".ivo@example.org",
        "ivo@-example.org",
        "ivo@example..org",
        "ivo@exam_ple.org",
        '"ivo visitor"@example.org',
        "Ivo <ivo@example.org>",
        "ivo@example.org\r\nBcc: x@example.org",
        "ivo\u202e@example.org",
        "ivo@" + "x" * 64 + ".org",
    ],
)
def test_an_address_that_cannot_exist_is_refused_with_its_own_code(address: str) -> None:
    assert told([address_problem(address, "invitee", "email")]) == [("invitee.email", *WRONG)]


def test_a_missing_address_is_somebody_else_s_problem() -> None:
    assert address_problem("", "email") is None
    assert address_problem("  ", "email") is None


def test_each_bad_address_of_a_list_is_told_by_its_place() -> None:
    assert told(addresses_problems(["a@example.org", "b", "", "c@localhost"], "guests")) == [
        ("guests.1", *WRONG),
        ("guests.3", *WRONG),
    ]
