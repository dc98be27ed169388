import pytest

from meetings.domain.base import Rule
from meetings.domain.mail_domain import mail_domain, mail_domain_problem
from tests.domain.problems import told


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("example.com", "example.com"),
        (" Anna@EXAMPLE.com ", "example.com"),
        ("example.com.", "example.com"),
        ("anna@büro.example", "xn--bro-hoa.example"),
        ("xn--bro-hoa.example", "xn--bro-hoa.example"),
        ('"a@b"@example.com', "example.com"),
    ],
)
def test_a_domain_has_one_form(typed: str, domain: str) -> None:
    assert mail_domain(typed) == domain


NO_DOMAINS = [
    "", " ", "com", "example..com", "-a.example", "a b.example", "a_b.example", "a" * 64 + ".example",
    "a." * 130 + "example", "a/b.example", "a\x00.example", "\ud800.example",
]  # fmt: skip


@pytest.mark.parametrize("typed", NO_DOMAINS, ids=ascii)
def test_what_is_no_domain_has_no_form(typed: str) -> None:
    assert mail_domain(typed) is None


def test_where_a_domain_is_asked_for_an_address_is_none() -> None:
    problems = [mail_domain_problem(typed, "domain") for typed in ("example.com", "", "anna@example.com", "x y")]
    assert told(problems) == [
        ("domain", Rule.REQUIRED),
        ("domain", Rule.NOT_A_DOMAIN),
        ("domain", Rule.NOT_A_DOMAIN),
    ]
