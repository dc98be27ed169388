"""A scheduling page for people without scripts, or with nothing but its address: choose a time, fill in the form, book.

It asks the API what any front end would ask, so the same rules and limits hold. Looking changes nothing; a form counts
only when it comes from a page of this very host.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from meetings.application.sites import SiteKind
from meetings.domain.booking_mode import BookingMode
from meetings.graphql.context import Product
from meetings.graphql.options import ApiOptions
from meetings.graphql.scalars import print_instant
from meetings.infrastructure.http.booking_address import Wish, instant_of
from meetings.infrastructure.http.booking_form import Filled
from meetings.infrastructure.http.booking_operations import BOOK, PAGE, REQUEST
from meetings.infrastructure.http.booking_place import Place, place_of
from meetings.infrastructure.http.booking_view import form_page, starts_in, times_page
from meetings.infrastructure.http.html import from_own_page, language_of, message_page, origin_of
from meetings.infrastructure.http.own_api import OwnApi, Refused
from meetings.infrastructure.http.state import site_of


def booking_routes(product: Callable[[], Product], options: ApiOptions) -> APIRouter:
    """The page at `/p/...` and `/meetings/...`, with `/yyyy-mm` behind it by month. `product` is asked once a request
    is there, so it may come later."""
    router = APIRouter()
    api = OwnApi(product, options)

    @router.get("/meetings/{path:path}")
    @router.get("/p/{path:path}")
    async def show(path: str, request: Request) -> Response:
        """Free times; once one is chosen, the form."""
        place = await place_of(path, request, Wish.read(request.url.query), api.product)
        if place is None:
            return message_page("unknown", language_of(request), status=404)
        try:
            return await _shown(place, request, api)
        except Refused as refused:
            return _refused(refused, place.language)

    @router.post("/meetings/{path:path}")
    @router.post("/p/{path:path}")
    async def submit(path: str, request: Request) -> Response:
        """Book, or ask for the time, and go on to the manage page; else the form again, with what is wrong in it."""
        if not from_own_page(request):
            return message_page("foreign", language_of(request), status=403)
        filled = Filled.sent(await request.form())
        wish = Wish([(name, value) for name, values in filled.values.items() for value in values])
        place = await place_of(path, request, wish, api.product)
        if place is None:
            return message_page("unknown", language_of(request), status=404)
        start = instant_of(filled.one("instead") or filled.one("start"))
        if start is None:
            return RedirectResponse(place.base, 303)
        try:
            return await _submitted(place, print_instant(start), filled, request, api)
        except Refused as refused:
            return _refused(refused, place.language)

    return router


async def _ask(place: Place, days: tuple[date, date], request: Request, api: OwnApi) -> dict[str, Any]:
    first, last = days
    window = {
        "page": place.at,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "timeZone": place.zone,
        "durationMinutes": place.minutes,
    }
    return await api.ask(request, PAGE, {"at": place.at, "query": place.wish.text, "window": window})


async def _shown(place: Place, request: Request, api: OwnApi) -> Response:
    now = api.product.tools.clock()
    seen = await _ask(place, place.days(now), request, api)
    starts = starts_in(seen)
    if place.wish.chooses and not starts:
        seen = await _ask(place, place.coming_days(now), request, api)
    if seen["page"] is None or seen["availability"] is None:
        return message_page("unknown", language_of(request), status=404)
    chosen = place.wish.chosen(starts, place.zone)
    if chosen is not None and seen["availability"]["mode"] != BookingMode.BLOCKED.value:
        filled = Filled.beforehand(seen["page"]["prefill"])
        return form_page(place, seen, chosen, filled, captcha=api.product.tools.captcha)
    return times_page(place, seen, today=place.coming_days(now)[0])


async def _submitted(place: Place, start: str, filled: Filled, request: Request, api: OwnApi) -> Response:
    propose = place.known.state.mode is BookingMode.OFFLINE
    slot = {"page": place.at, "durationMinutes": place.minutes, "timeZone": place.zone, "locale": place.locale}
    captcha = api.product.tools.captcha
    token = filled.one(captcha.widget.field) if captcha else None
    wish = {**filled.wish(slot, start, propose=propose), "captchaToken": token}
    cookies = Response()
    answer = (await api.ask(request, REQUEST if propose else BOOK, {"input": wish}, cookies=cookies))["answer"]
    if answer["booking"] is not None:
        return _done(answer["booking"], request, api.product, cookies)
    day = date.fromisoformat(start[:10])
    seen = await _ask(place, (day, day), request, api)
    if seen["page"] is None:
        return message_page("unknown", language_of(request), status=404)
    return form_page(place, seen, start, Filled(filled.values), captcha=captcha, errors=answer["errors"])


def _done(booking: Mapping[str, Any], request: Request, product: Product, cookies: Response) -> Response:
    """On to where the page sends people, else to the manage page, under the same host."""
    own = f"/b/{booking['manageToken']}"
    if site_of(request).kind is SiteKind.MAIN:
        own = urlsplit(product.tools.links.public_url).path + own
    elsewhere = booking["redirectUrl"]
    response = RedirectResponse(elsewhere if elsewhere and origin_of(elsewhere) else own, 303)
    response.headers["Cache-Control"] = "no-store"
    for value in cookies.headers.getlist("set-cookie"):
        response.headers.append("set-cookie", value)
    return response


def _refused(refused: Refused, language: str) -> Response:
    if refused.code == "RATE_LIMITED":
        return message_page("too_often", language, status=429)
    return message_page("failed", language, status=400)
