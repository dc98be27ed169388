"""How visitors name a page."""

from typing import Annotated
from urllib.parse import unquote, urlsplit

import strawberry
from strawberry.http.websocket_origin import normalize_origin

from meetings.application.ports.reads import PagePointer
from meetings.domain.base import NotFound
from meetings.domain.slug import MAX_SLUG, normal_slug
from meetings.graphql.context import Operation
from meetings.graphql.scalars import URL

_PATH = "/p/"


@strawberry.input(description="A page by its path.")
class PageSlug:
    """Of this server."""

    slug: str = strawberry.field(
        description="Such as `anna` or `anna/intro`; letter case and outer slashes are ignored."
    )
    host: str | None = strawberry.field(default=None, description="Left out, the server's own host.")


@strawberry.input(one_of=True, description="Exactly one way to name a page.")
class PageAddress:
    """By address, or by path."""

    url: strawberry.Maybe[URL] = strawberry.field(description="The page's whole address.")
    slug: strawberry.Maybe[PageSlug] = strawberry.field(description="Its path.")

    def path_on(self, public_url: str) -> str | None:
        """The normal slug that is meant; None when the address is not one of this server's pages."""
        if self.slug is not None:
            named = self.slug.value
            own = urlsplit(public_url).netloc.lower()
            if named.host is not None and named.host.strip().lower() != own:
                return None
            return normal_slug(named.slug[: MAX_SLUG + 20])
        return _slug_of(self.url.value, public_url) if self.url is not None else None


def _slug_of(url: str, public_url: str) -> str | None:
    if normalize_origin(url) != normalize_origin(public_url):
        return None
    path = urlsplit(url).path.removeprefix(urlsplit(public_url).path)
    return normal_slug(unquote(path.removeprefix(_PATH))) if path.startswith(_PATH) else None


PageArgument = Annotated[PageAddress, strawberry.argument(description="Which page.")]


async def pointer_to(operation: Operation, address: PageAddress) -> PagePointer | None:
    """Where the address leads; None when no page that is up answers there."""
    slug = address.path_on(operation.tools.links.public_url)
    return await operation.memory.find(slug, operation.tools.reads) if slug else None


async def page_or_refusal(operation: Operation, address: PageAddress) -> PagePointer:
    """The same for a change; raises `NotFound` when there is none."""
    slug = address.path_on(operation.tools.links.public_url)
    pointer = await operation.tools.reads.page_at(slug) if slug else None
    if pointer is None:
        raise NotFound("page", ("page",))
    return pointer
