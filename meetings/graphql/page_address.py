"""How visitors name a page."""

from typing import Annotated
from urllib.parse import unquote, urlsplit

import strawberry

from meetings.application.links import Links
from meetings.application.ports.reads import PagePointer
from meetings.application.sites import SiteKind, site_at
from meetings.domain.base import NotFound
from meetings.domain.slug import MAX_SLUG, normal_slug
from meetings.graphql.context import Operation
from meetings.graphql.scalars import URL


@strawberry.input(description="A page by its path.")
class PageSlug:
    """Of a host."""

    slug: str = strawberry.field(
        description="Such as `anna` or `anna/intro`; letter case and outer slashes are ignored, and it may be encoded "
        "as one segment of an address (`team%2Fpage`)."
    )
    host: str | None = strawberry.field(
        default=None,
        description="One of this server's, or a connected domain, where only its account's pages are. Left out, the "
        "host this request came to.",
    )


@strawberry.input(one_of=True, description="Exactly one way to name a page.")
class PageAddress:
    """By address, or by path."""

    url: strawberry.Maybe[URL] = strawberry.field(description="The page's whole address.")
    slug: strawberry.Maybe[PageSlug] = strawberry.field(description="Its path.")


PageArgument = Annotated[PageAddress, strawberry.argument(description="Which page.")]


async def pointer_to(operation: Operation, address: PageAddress) -> PagePointer | None:
    """Where the address leads; None when no page that is up answers there (A-DO2)."""
    if address.slug is not None:
        return await _page_under(operation, address.slug.value.host, address.slug.value.slug)
    return await _page_at(operation, address.url.value) if address.url is not None else None


async def _page_at(operation: Operation, url: str) -> PagePointer | None:
    links = operation.tools.links
    parts = urlsplit(url)
    if parts.scheme != urlsplit(links.public_url).scheme or parts.username is not None:
        return None
    site = await site_at(parts.netloc, links=links, reads=operation.tools.reads)
    if site is None:
        return None
    below = _below(parts.path, links if site.kind is SiteKind.MAIN else None)
    slug = links.slug_in(below, pages_only=site.kind is SiteKind.PAGES)
    return await _page_under(operation, parts.netloc, slug) if slug else None


def _below(path: str, main: Links | None) -> str:
    """A path without that of our own address, where there is one."""
    return path.removeprefix(urlsplit(main.public_url).path) if main else path


async def _page_under(operation: Operation, host: str | None, slug: str) -> PagePointer | None:
    tools = operation.tools
    here = operation.connection.site
    site = here if host is None else await site_at(host.strip(), links=tools.links, reads=tools.reads)
    normal = normal_slug(unquote(slug[: 3 * MAX_SLUG]))
    if site is None or site.kind is SiteKind.CUSTOM:
        operation.sources.used_more()
    if site is None or not normal:
        return None
    pointer = await operation.memory.find(normal, tools.reads)
    return pointer if pointer and site.serves(pointer.account_id) else None


async def page_or_refusal(operation: Operation, address: PageAddress) -> PagePointer:
    """The same; raises `NotFound` when there is none."""
    pointer = await pointer_to(operation, address)
    if pointer is None:
        raise NotFound("page", ("page",))
    return pointer
