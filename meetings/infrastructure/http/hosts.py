"""Which of its names a request means, and what is answered there."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from meetings.application.links import Links
from meetings.application.sites import Site, SiteKind, standard_site
from meetings.domain.slug import RESERVED_WORDS

FindSite = Callable[[str, Scope], Awaitable[Site | None]]

_ANY_NAME = ("/health/", "/tls/")
"""Asked by address, by whoever runs the product."""
_OF_VISITORS = ("/meetings/", "/b/", "/graphql", "/robots.txt", "/chat", "/link", "/schema.graphql")
"""All there is under a domain that is not our main one."""


class KnownHost:
    """Answers only under names it knows; any other gets 421 and no content (CD-3). Which one it is stands in
    `state.site`.

    `find` looks up whatever is none of the standard hosts. Unless `strict`, an unknown name means the main one, for
    machines that are called by whatever name. Health checks, and whoever asks for whom a certificate may be made, come
    by address, so they are answered under every name; they say nothing of anybody. Under a custom domain there is what
    visitors need, and nothing to sign in at (CD-4); on the host for pages, a path that is none of the product's own is
    a page's.
    """

    def __init__(self, app: ASGIApp, *, links: Links, find: FindSite | None = None, strict: bool = True) -> None:
        self._app = app
        self._links = links
        self._find = find
        self._strict = strict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"].startswith(_ANY_NAME):
            await self._app(scope, receive, send)
            return
        site = await self._site(scope)
        if site is None:
            await _refuse(421, scope, receive, send)
            return
        scope.setdefault("state", {})["site"] = site
        if site.kind is SiteKind.PAGES and _is_a_page(scope["path"]):
            scope = {
                **scope,
                "path": f"/meetings{scope['path']}",
                "raw_path": b"/meetings" + scope.get("raw_path", b""),
            }
        if site.kind is not SiteKind.MAIN and not scope["path"].startswith(_OF_VISITORS):
            await _refuse(404, scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _site(self, scope: Scope) -> Site | None:
        given = Headers(scope=scope).getlist("host")
        found: Site | None = None
        if len(given) == 1:
            found = standard_site(given[0], self._links)
            if found is None and self._find is not None:
                found = await self._find(given[0], scope)
        if found is None and not self._strict:
            return Site(SiteKind.MAIN, self._links.standard_hosts[0])
        return found


def _is_a_page(path: str) -> bool:
    first = path.strip("/").split("/")[0].casefold()
    return bool(first) and first not in RESERVED_WORDS


async def _refuse(status: int, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse("", status)(scope, receive, send)
