"""The path of a scheduling page: `anna`, `anna/intro`."""

import re
import unicodedata

from meetings.domain.base import DomainError, Problem, ProblemCode, Rule

MAX_SLUG = 100
RESERVED_WORDS = frozenset(
    "admin api app assets b book chat chat.js docs domains embed embed.js exports favicon.ico graphql health help "
    "invitation invitations link links login logout meetings metrics oauth p robots.txt schema.graphql settings "
    "sign-in sitemap.xml static support tls unsubscribe webhooks www".split()
)
"""First segments that belong to the product itself."""
MAX_MEETING_URL = 60
"""Shorter than a slug, so that a page's name fits behind it."""

_SEGMENT = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")


class SlugTaken(DomainError):
    """Another page answers at this slug already, on whatever domain (S71)."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        super().__init__(f"slug taken: {slug}")


def normal_slug(typed: str) -> str:
    """The form slugs are stored and compared in: lower case, no slashes around it (S72)."""
    return typed.strip().strip("/").casefold()


def meeting_url_problem(path: str, *where: str) -> Problem | None:
    """What keeps a normal slug from being the path that a person's new pages begin with: one segment (S49)."""
    if len(path) > MAX_MEETING_URL:
        return Problem(where, Rule.TOO_LONG, ProblemCode.SLUG_INVALID, values={"most": MAX_MEETING_URL})
    if "/" in path:
        return Problem(where, Rule.MALFORMED, ProblemCode.SLUG_INVALID)
    return slug_problem(path, *where)


def slug_of(words: str, *, most: int = MAX_MEETING_URL) -> str:
    """A segment made of free text, `Ana García` to `ana-garcia`; empty where nothing of it can be kept."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:most].strip("-")


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
