"""How visitors name a page."""

from typing import Annotated
from urllib.parse import parse_qs, unquote, urlsplit

import strawberry

from meetings.application.links import Links
from meetings.application.meeting_links import link_at
from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import MeetingLink
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
    link_token: strawberry.Maybe[str] = strawberry.field(
        description="The token of a link that `createMeetingLink` made; `url` may be such a link as well."
    )


PageArgument = Annotated[PageAddress, strawberry.argument(description="Which page.")]


async def pointer_to(operation: Operation, address: PageAddress, *, spent: bool = False) -> PagePointer | None:
    """Where the address leads; None when no page that is up answers there (A-DO2).

    A link that leads nowhere any more does so only with `spent`: whoever books by it finds that out, unless they
    repeat what used it up.
    """
    token = _link_token(address)
    if token is not None:
        return await _page_of_link(operation, token, spent=spent)
    if address.slug is not None:
        return await _page_under(operation, address.slug.value.host, address.slug.value.slug)
    return await _page_at(operation, address.url.value) if address.url is not None else None


def _link_token(address: PageAddress) -> str | None:
    if address.link_token is not None:
        return address.link_token.value
    query = parse_qs(urlsplit(address.url.value).query) if address.url is not None else {}
    return query["link"][0] if "link" in query else None


async def _page_of_link(operation: Operation, token: str, *, spent: bool) -> PagePointer | None:
    operation.sources.used_more()
    tools = operation.tools
    found = await link_at(token, look=tools.look, tokens=tools.links.tokens)
    if found is None:
        return None
    account_id, link = found
    page = await operation.loaders(account_id).pages.load(link.page_id)
    if page is None or page.archived_at is not None or not (spent or link.leads_on(now=tools.clock())):
        return None
    return PagePointer(account_id, link.page_id, link.id)


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


async def page_or_refusal(operation: Operation, address: PageAddress, *, spent: bool = False) -> PagePointer:
    """The same; raises `NotFound` when there is none."""
    pointer = await pointer_to(operation, address, spent=spent)
    if pointer is None:
        raise NotFound("page", ("page",))
    return pointer


async def linked(operation: Operation, pointer: PagePointer) -> MeetingLink | None:
    """The link a page was reached by, if it was one."""
    if pointer.link_id is None:
        return None
    async with operation.tools.look(pointer.account_id) as work:
        return await work.links.find(pointer.link_id)
