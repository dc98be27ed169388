"""The path of a scheduling page: `anna`, `anna/intro`."""

import re

from meetings.domain.base import DomainError, Problem, ProblemCode, Rule

MAX_SLUG = 100
RESERVED_WORDS = frozenset(
    "admin api app assets b book docs embed embed.js favicon.ico graphql health help login logout meetings metrics new "
    "oauth p robots.txt schema.graphql settings sign-in static support webhooks www".split()
)
"""First segments that belong to the product itself."""

_SEGMENT = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")


class SlugTaken(DomainError):
    """Another page answers at this slug already, on whatever domain (S71)."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        super().__init__(f"slug taken: {slug}")


def normal_slug(typed: str) -> str:
    """The form slugs are stored and compared in: lower case, no slashes around it (S72)."""
    return typed.strip().strip("/").casefold()


def slug_problem(slug: str, *path: str) -> Problem | None:
    """What keeps a normal slug from being one: letters a-z, digits, `.`, `_`, `-`, at most one slash (A-DO1, S49)."""
    if not slug:
        return Problem(path, Rule.REQUIRED, ProblemCode.SLUG_INVALID)
    if len(slug) > MAX_SLUG:
        return Problem(path, Rule.TOO_LONG, ProblemCode.SLUG_INVALID, values={"most": MAX_SLUG})
    segments = slug.split("/")
    if len(segments) > 2 or not all(_SEGMENT.fullmatch(segment) for segment in segments):
        return Problem(path, Rule.MALFORMED, ProblemCode.SLUG_INVALID)
    if segments[0] in RESERVED_WORDS:
        return Problem(path, Rule.RESERVED, ProblemCode.SLUG_INVALID)
    return None
