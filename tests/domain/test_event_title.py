import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.domain.base import Rule
from meetings.domain.event_title import MAX_TITLE, STANDARD_TOKENS, render_title, token_problems
from tests.domain.problems import told

VALUES = {"firstName": "Ivo", "lastName": "Visitor", "company": "Example Ltd", "host": "Anna Host"}


@pytest.mark.parametrize(
    ("template", "title"),
    [
        ("Call with {{company}}", "Call with Example Ltd"),
        ("{{ firstName }} and {{host}}", "Ivo and Anna Host"),
        ("{{firstName}}{{lastName}}", "IvoVisitor"),
        ("{{company}} {{company}}", "Example Ltd Example Ltd"),
        ("no token at all", "no token at all"),
        ("{company} {{company", "{company} {{company"),
        ("{{{company}}}", "{Example Ltd}"),
    ],
)
def test_tokens_are_filled_in(template: str, title: str) -> None:
    assert render_title(template, VALUES) == title


def test_a_missing_value_renders_empty_and_never_as_the_raw_token() -> None:
    assert render_title("Call with {{company}} about {{topic}}", {}) == "Call with about"
    assert render_title("{{company}}", {"company": ""}) == ""


def test_a_value_that_looks_like_a_token_is_not_filled_in() -> None:
    assert render_title("{{firstName}}", {"firstName": "{{email}}", "email": "secret@example.org"}) == "{{email}}"


def test_control_characters_and_runs_of_blanks_become_one_blank() -> None:
    assert render_title("A {{name}} B", {"name": "x\r\nBcc: y\t\x00\u2028z   !"}) == "A x Bcc: y z ! B"


def test_letters_of_all_scripts_stay() -> None:
    assert render_title("{{name}}", {"name": "Søren Müller 山田太郎 Ольга"}) == "Søren Müller 山田太郎 Ольга"


def test_a_title_is_cut_at_its_longest() -> None:
    assert render_title("{{name}}", {"name": "x" * 1000}) == "x" * MAX_TITLE


def test_every_unknown_token_is_told_in_order_with_the_known_ones() -> None:
    problems = list(token_problems("{{firstNam}} {{host}} {{}} {{ first name }}", STANDARD_TOKENS, "eventTitle"))
    assert told(problems) == [("eventTitle", Rule.UNKNOWN_TOKEN)] * 3
    assert [problem.values["token"] for problem in problems] == ["firstNam", "", "first name"]
    assert problems[0].values["known"] == "company, email, firstName, host, lastName, name, page"


def test_tokens_are_told_apart_by_case() -> None:
    assert [p.values["token"] for p in token_problems("{{firstname}} {{firstName}}", STANDARD_TOKENS)] == ["firstname"]


@settings(max_examples=25)
@given(st.text(max_size=400), st.dictionaries(st.sampled_from(sorted(STANDARD_TOKENS)), st.text(max_size=400)))
def test_a_title_is_one_printable_line_whatever_goes_in(template: str, values: dict[str, str]) -> None:
    title = render_title(template, values)
    assert len(title) <= MAX_TITLE
    assert title.isprintable()
    assert title == title.strip() or len(title) == MAX_TITLE


@settings(max_examples=25)
@given(st.lists(st.sampled_from(sorted(STANDARD_TOKENS)), max_size=6))
def test_a_template_of_known_tokens_has_no_problem_and_leaves_nothing_without_values(tokens: list[str]) -> None:
    template = " ".join(f"{{{{{token}}}}}" for token in tokens)
    assert list(token_problems(template, STANDARD_TOKENS)) == []
    assert render_title(template, {}) == ""
