"""The page to try out operations."""

import json
from functools import cache
from importlib.resources import files

_CDN = "https://unpkg.com"

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; script-src 'unsafe-inline' {_CDN}; style-src 'unsafe-inline' {_CDN}; "
    f"font-src {_CDN} data:; img-src data: {_CDN}; connect-src 'self'; worker-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""GraphiQL comes from a public network of file copies, checked by its hash; without it the page has a plain editor."""


@cache
def explorer_page() -> str:
    """HTML with GraphiQL and one tab per example operation."""
    folder = files("meetings.graphql")
    page = folder.joinpath("explorer.html").read_text("utf-8")
    examples = _examples(folder.joinpath("examples.graphql").read_text("utf-8"))
    return page.replace("/*EXAMPLES*/[]", json.dumps(examples).replace("<", "\\u003c"))


def example_operations() -> list[str]:
    """The example operations, each a whole document."""
    return [query for _, query in _pairs(files("meetings.graphql").joinpath("examples.graphql").read_text("utf-8"))]


def _examples(text: str) -> list[dict[str, str]]:
    return [{"title": title, "query": query} for title, query in _pairs(text)]


def _pairs(text: str) -> list[tuple[str, str]]:
    """Title and document of each part; a part begins with a line `#: title`."""
    parts = [part for part in text.split("#: ") if part.strip()]
    return [(part.partition("\n")[0].strip(), part.partition("\n")[2].strip() + "\n") for part in parts]
