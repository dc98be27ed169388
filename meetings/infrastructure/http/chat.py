"""What web sites include to show a person and the link to their page: a script, and the answer it asks for.

Both are public, the same for every site and every browser, and neither reads nor sets a cookie; so any site may use
them.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from meetings.application.chat_links import ChatLink, ChatLinks
from meetings.domain.identifiers import UserId
from meetings.domain.timespan import TimeSpan
from meetings.graphql.node_ids import Kind, from_id
from meetings.graphql.options import ApiOptions
from meetings.graphql.rate_limits import Limiter, TooOften, network_of
from meetings.graphql.scalars import print_instant

_SCRIPT = (Path(__file__).parent / "scripts" / "chat.js").read_bytes()
_TAG = f'"{hashlib.sha256(_SCRIPT).hexdigest()[:32]}"'
_FOR_ANY_SITE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_LONGEST = 100
"""Longer texts are no key and no id of ours."""


def chat_router(chat_links: Callable[[], ChatLinks], options: ApiOptions) -> APIRouter:
    """`GET /chat.js` and `GET /chat/link`. `chat_links` is asked once a request is there, so it may come later."""
    router = APIRouter()
    limiter = Limiter(options.rate_storage)

    @router.get("/chat.js")
    async def script(request: Request) -> Response:
        """The script. Browsers keep it for an hour, and ask then whether it is another one."""
        headers = {**_FOR_ANY_SITE, "Cache-Control": "public, max-age=3600", "ETag": _TAG}
        if _TAG in _tags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return Response(_SCRIPT, media_type="text/javascript", headers=headers)

    async def link(request: Request) -> Response:
        """`{"link": ...}` as `chatMeetingLink` gives it; null for everything that shows no link, of whatever reason.
        Nobody keeps it: a link that is switched off is gone at once."""
        key, agent = request.query_params.get("key", ""), request.query_params.get("agent", "")
        headers = {**_FOR_ANY_SITE, "Cache-Control": "no-store"}
        try:
            await limiter.take(options.rates.chat_link, "chat_link", network_of(options.client_address(request)))
        except TooOften as reached:
            return JSONResponse({"link": None}, 429, {**headers, "Retry-After": str(reached.retry_after)})
        if max(len(key), len(agent)) > _LONGEST:
            return JSONResponse({"link": None}, headers=headers)
        found = await chat_links().of(key, UserId(from_id(Kind.USER, agent)))
        return JSONResponse({"link": _told(found) if found else None}, headers=headers)

    router.add_route("/chat/link", link)  # without what the framework does to find arguments, which takes longer
    return router


def _tags(given: str) -> set[str]:
    """The entity tags of an `If-None-Match`, compared weakly (RFC 9110, 13.1.2)."""
    return {tag.strip().removeprefix("W/") for tag in given.split(",")}


def _told(link: ChatLink) -> dict[str, Any]:
    return {
        "agentName": link.agent_name,
        "agentAvatarUrl": link.agent_avatar_url,
        "text": link.text,
        "url": link.url,
        "mode": link.mode.value,
        "nextAvailable": _slot(link.next_available) if link.next_available else None,
    }


def _slot(span: TimeSpan) -> dict[str, str]:
    return {"start": print_instant(span.start), "end": print_instant(span.end)}
