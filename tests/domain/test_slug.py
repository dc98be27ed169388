import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.domain.base import ProblemCode, Rule
from meetings.domain.slug import MAX_SLUG, RESERVED_WORDS, normal_slug, slug_problem


@pytest.mark.parametrize(
    "slug",
    ["anna", "a", "7", "anna/intro", "anna-host", "anna_host", "v1.2", "anna/api", "strasse", "a" * MAX_SLUG],
)
def test_a_good_slug_has_no_problem(slug: str) -> None:
    assert slug_problem(slug, "slug") is None


@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        ("", Rule.REQUIRED),
        ("   ", Rule.REQUIRED),
        ("/", Rule.REQUIRED),
        ("///", Rule.REQUIRED),
        ("a" * (MAX_SLUG + 1), Rule.TOO_LONG),
        ("anna host", Rule.MALFORMED),
        ("anna?x", Rule.MALFORMED),
        ("anna#top", Rule.MALFORMED),
        ("anna%20host", Rule.MALFORMED),
        ("anna\\host", Rule.MALFORMED),
        ("anna\x00", Rule.MALFORMED),
        ("anna\n", None),  # blanks around it are taken away before anybody looks
        ("änna", Rule.MALFORMED),
        ("..", Rule.MALFORMED),
        ("-anna", Rule.MALFORMED),
        ("anna.", Rule.MALFORMED),
        ("anna//intro", Rule.MALFORMED),
        ("team/anna/intro", Rule.MALFORMED),
        ("graphql", Rule.RESERVED),
        ("API", Rule.RESERVED),
        ("health/live", Rule.RESERVED),
        ("embed.js", Rule.RESERVED),
    ],
)
def test_a_bad_slug_is_refused_with_its_own_code(typed: str, rule: Rule | None) -> None:
    problem = slug_problem(normal_slug(typed), "slug")
    assert (problem and (problem.path, problem.rule, problem.code)) == (
        rule and (("slug",), rule, ProblemCode.SLUG_INVALID)
    )


@pytest.mark.parametrize("typed", ["Anna/Intro", "/anna/intro", "anna/intro/", "  ANNA/intro ", "//anna/intro//"])
def test_slugs_that_differ_in_case_or_outer_slashes_are_the_same(typed: str) -> None:
    assert normal_slug(typed) == "anna/intro"


@settings(max_examples=25)
@given(st.text(max_size=120))
def test_a_slug_without_problems_is_its_own_normal_form_and_safe_in_an_address(typed: str) -> None:
    slug = normal_slug(typed)
    if slug_problem(slug) is None:
        assert normal_slug(slug) == slug
        assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-/")
        assert slug.split("/")[0] not in RESERVED_WORDS
