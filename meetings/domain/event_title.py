"""Event titles with personalisation tokens: `Call with {{company}}` (A-SP2)."""

import re
from collections.abc import Iterator, Mapping

from meetings.domain.base import Problem, Rule

STANDARD_TOKENS = frozenset({"firstName", "lastName", "name", "email", "company", "host", "page"})
"""Tokens every page has; the keys of a page's own form fields come on top."""

MAX_TITLE = 300
_TOKEN = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def token_problems(template: str, known: frozenset[str], *path: str) -> Iterator[Problem]:
    """A problem for each token that is not known, in order of appearance."""
    for token in _TOKEN.findall(template):
        if token not in known:
            yield Problem(path, Rule.UNKNOWN_TOKEN, values={"token": token, "known": ", ".join(sorted(known))})


def fill_tokens(template: str, values: Mapping[str, str]) -> tuple[str, frozenset[str]]:
    """The text with its tokens filled in, and which ones it has; a missing value renders empty."""
    return _TOKEN.sub(lambda match: values.get(match[1], ""), template), frozenset(_TOKEN.findall(template))


def render_title(template: str, values: Mapping[str, str]) -> str:
    """Fill in the tokens; a missing value renders empty, never as the raw token.

    Line breaks and runs of blanks in the values become one blank; the result is at most 300 characters.
    """
    text, _ = fill_tokens(template, values)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:MAX_TITLE]
