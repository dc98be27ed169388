"""A scheduling page for people without scripts, or with nothing but its address: what it is, and when there is time.

Booking itself goes through the API.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_time
from fastapi import APIRouter, Request, Response

from meetings.application.local_times import day_words, locale_of
from meetings.application.read_availability import AvailabilityQuestion, read_availability
from meetings.domain.base import NotFound
from meetings.domain.slug import MAX_SLUG, normal_slug
from meetings.domain.timespan import at_minute
from meetings.infrastructure.http.html import language_of, message_page, page
from meetings.infrastructure.http.state import runtime_of, site_of

router = APIRouter()

_DAYS_AHEAD = 28
_DAYS_SHOWN = 7


@dataclass(frozen=True)
class _Time:
    instant: str
    words: str


@router.get("/meetings/{slug:path}")
@router.get("/p/{slug:path}")
async def show(slug: str, request: Request) -> Response:
    """Headline, host and the next days with free time, in the page's own zone and language."""
    tools = runtime_of(request).toolbox
    pointer = await tools.reads.page_at(normal_slug(slug[: MAX_SLUG + 20]))
    if pointer is None or not site_of(request).serves(pointer.account_id):
        return message_page("unknown", language_of(request), status=404)
    try:
        async with tools.look(pointer.account_id) as work:
            found = await work.pages.get(pointer.page_id)
            host = await work.users.get(found.organizer_id)
        today = tools.clock().astimezone(ZoneInfo(found.time_zone)).date()
        last = today + timedelta(days=_DAYS_AHEAD)
        question = AvailabilityQuestion(pointer, today, last, found.time_zone)
        offered = await read_availability(question, look=tools.look, clock=tools.clock, policy=tools.policy)
    except NotFound:
        return message_page("unknown", language_of(request), status=404)
    locale = locale_of(found.settings.locale)
    days = [
        (_day(starts[0], found.time_zone, locale), [_time(start, found.time_zone, locale) for start in starts])
        for starts in list(offered.days.values())[:_DAYS_SHOWN]
    ]
    return page(
        "page.html",
        locale.language,
        title=found.settings.headline,
        description=found.settings.description,
        host=host.name,
        minutes=offered.duration_minutes,
        mode=offered.mode.value,
        days=days,
        time_zone=found.time_zone,
    )


def _day(start: int, zone: str, locale: Locale) -> str:
    return day_words(at_minute(start), zone=zone, locale=locale)


def _time(start: int, zone: str, locale: Locale) -> _Time:
    at: datetime = at_minute(start)
    words = str(format_time(at.astimezone(ZoneInfo(zone)), "short", locale=locale))
    return _Time(at.isoformat(), words)
