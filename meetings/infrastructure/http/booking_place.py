"""Which scheduling page was asked for, under which host, by which link, and in which zone, language and length."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import Request

from meetings.application.local_times import locale_of
from meetings.application.meeting_links import link_at
from meetings.application.page_memory import KnownPage
from meetings.application.ports.reads import PagePointer
from meetings.domain.base import NotFound
from meetings.domain.slug import MAX_SLUG, normal_slug
from meetings.graphql.context import Product
from meetings.graphql.time_zones import canonical_zone
from meetings.infrastructure.http.booking_address import Month, Wish, month_in
from meetings.infrastructure.http.state import site_of

_DAYS_AHEAD = 28


@dataclass(frozen=True)
class Place:
    """A page that was asked for, and how: `base` is the path of its address, `at` how the API is told of it."""

    known: KnownPage
    base: str
    month: Month | None
    wish: Wish
    at: Mapping[str, Any]
    link_minutes: int | None

    @property
    def zone(self) -> str:
        return self.wish.zone or canonical_zone(self.known.state.page.time_zone) or "UTC"

    @property
    def locale(self) -> str:
        return self.wish.language or self.known.state.page.settings.locale

    @property
    def language(self) -> str:
        return str(locale_of(self.locale).language)

    @property
    def minutes(self) -> int | None:
        offered = self.known.state.page.settings.durations_minutes
        return self.wish.duration if self.wish.duration in offered else self.link_minutes

    def days(self, now: datetime) -> tuple[date, date]:
        """From when to when times are looked for."""
        if self.month is not None:
            return self.month.first, self.month.last
        chosen = self.wish.day(self.zone)
        return (chosen, chosen) if chosen is not None else self.coming_days(now)

    def coming_days(self, now: datetime) -> tuple[date, date]:
        today = now.astimezone(ZoneInfo(self.zone)).date()
        return today, today + timedelta(days=_DAYS_AHEAD)

    def to(self, month: Month | None = None, **changed: str) -> str:
        """A path to this page with some of the query changed."""
        query = self.wish.having(**changed)
        path = self.base if month is None else f"{self.base}/{month}"
        return f"{path}?{query}" if query else path


async def place_of(path: str, request: Request, wish: Wish, product: Product) -> Place | None:
    """The page at a path under the host it was asked for; None when there is none, or the link is another page's."""
    pointer, month = await _page_at(path, request, product), None
    if pointer is None and (found := month_in(path)) is not None:
        path, month = found
        pointer = await _page_at(path, request, product)
    if pointer is None:
        return None
    tools = product.tools
    try:
        known = await product.memory.page(pointer, tools.clock())
    except NotFound:
        return None
    slug = known.state.page.slug
    base = urlsplit(tools.links.page(slug, site_of(request).host)).path
    if wish.link is None:
        return Place(known, base, month, wish, {"slug": {"slug": slug}}, None)
    linked = await link_at(wish.link, look=tools.look, tokens=tools.links.tokens)
    if linked is None or linked[1].page_id != pointer.page_id:
        return None
    return Place(known, base, month, wish, {"linkToken": wish.link}, linked[1].duration_minutes)


async def _page_at(path: str, request: Request, product: Product) -> PagePointer | None:
    pointer = await product.memory.find(normal_slug(path[: MAX_SLUG + 20]), product.tools.reads)
    return pointer if pointer is not None and site_of(request).serves(pointer.account_id) else None
