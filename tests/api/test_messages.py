"""What people read when something cannot be done."""

from collections.abc import Sequence
from string import Formatter

import pytest

from meetings.domain.base import ProblemCode, Rule
from meetings.graphql.error_codes import UserErrorCode
from meetings.graphql.messages import LANGUAGES, WORDS, message, preferred_language

FIGURES = {"least": 1, "most": 3, "options": "a, b", "token": "x", "known": "y", "available": "z"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_words_under_every_code_with_and_without_figures(language: str, rule: Rule) -> None:
    for code in ProblemCode:
        with_figures = message(language, code.name, rule.name, FIGURES)
        assert with_figures
        assert "{" not in with_figures.replace("{{x}}", "")
        if f"{code.name}.{rule.name}" not in WORDS["en"]:
            assert message(language, code.name, rule.name)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", UserErrorCode)
def test_every_code_has_words(language: str, code: UserErrorCode) -> None:
    assert message(language, code.name)


def test_all_languages_have_words_for_the_same_things_with_the_same_figures() -> None:
    for language in LANGUAGES:
        assert {key: _figures(words) for key, words in WORDS[language].items()} == {
            key: _figures(words) for key, words in WORDS["en"].items()
        }


def _figures(words: str | Sequence[str]) -> list[set[str]]:
    wordings = [words] if isinstance(words, str) else words
    return [{name for _, name, _, _ in Formatter().parse(wording) if name} for wording in wordings]


def test_what_people_typed_is_not_taken_for_a_placeholder() -> None:
    told = message("en", "VALIDATION", "UNKNOWN_TOKEN", {"token": "{0.__class__}", "known": "host"})
    assert told == "{{{0.__class__}}} is not known here. Known are: host."


def test_a_code_without_words_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        message("en", "NO_SUCH_CODE")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("fr,en;q=0.5,de;q=0.7", "de"),
        ("en-GB", "en"),
        ("fr", None),
        ("de;q=0,en", "en"),
        ("", None),
        ("de;q=x, en;q=0.1", "en"),
        ("*", None),
    ],
)
def test_the_best_language_of_a_browser_is_chosen(header: str, language: str | None) -> None:
    assert preferred_language(header) == language
