"""What the booking page shows: free times, then the form for one of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date
from fastapi import Response

from meetings.application.local_times import day_words, locale_of, moment_words, span_words, time_words
from meetings.application.ports.captcha import Captcha
from meetings.graphql.time_zones import canonical_zone
from meetings.infrastructure.http.booking_address import Month
from meetings.infrastructure.http.booking_form import Filled, problems_by_field
from meetings.infrastructure.http.booking_place import Place
from meetings.infrastructure.http.html import origin_of, page, policy

_DAYS_SHOWN = 7
_CONFLICTS = {"SLOT_TAKEN", "SLOT_UNAVAILABLE", "PAGE_OFFLINE", "PAGE_ONLINE", "BOOKING_BLOCKED", "CONCURRENT_CHANGE"}
_STATUS = {"RATE_LIMITED": 429, "PROVIDER_UNAVAILABLE": 503, **dict.fromkeys(_CONFLICTS, 409)}


def times_page(place: Place, seen: Mapping[str, Any], *, today: date) -> Response:
    """The free times the API told of: the next days with any, or a whole month's, each leading to the form."""
    locale, found = locale_of(place.locale), seen["page"]
    days = seen["availability"]["days"]
    if place.month is None:
        days = days[:_DAYS_SHOWN]
    month = place.month or Month.of(today)
    lasts = date.fromisoformat(found["bookableFrom"]), date.fromisoformat(found["bookableTo"])
    around = (month.previous, month.next) if place.month else (month, month.next)
    response = page(
        "page.html",
        place.language,
        **_common(place, seen),
        gone=place.wish.chooses,
        days=[
            (
                day_words(datetime.fromisoformat(day["slots"][0]["start"]), zone=place.zone, locale=locale),
                [_time(slot["start"], place) for slot in day["slots"]],
            )
            for day in days
        ],
        lengths=[
            (minutes, place.to(place.month, duration=str(minutes)), minutes == seen["availability"]["durationMinutes"])
            for minutes in found["durationsMinutes"]
        ],
        months=[
            (str(format_date(each.first, "LLLL yyyy", locale=locale)), place.to(each))
            for each in around
            if each.last >= lasts[0] and each.first <= lasts[1]
        ],
        zone_form=place.to(place.month).partition("?")[0],
        kept=place.wish.without("tz"),
        zones=_zones(),
    )
    if place.wish.pairs or place.month:
        return response
    del response.headers["X-Robots-Tag"]  # pages may be found unless robots.txt says otherwise (S70)
    return response


def form_page(
    place: Place,
    seen: Mapping[str, Any],
    start: str,
    filled: Filled,
    *,
    captcha: Captcha | None,
    errors: Sequence[Mapping[str, Any]] = (),
) -> Response:
    """The form for one start, with what stands in it and what the API found wrong with that; if the page asks for one,
    with the captcha, which is the one thing here that takes a script."""
    locale, found = locale_of(place.locale), seen["page"]
    begin = datetime.fromisoformat(start)
    end = begin + timedelta(minutes=seen["availability"]["durationMinutes"])
    alternatives = [slot["start"] for error in errors for slot in error.get("alternatives", ())]
    zone = place.zone
    asked = captcha if found["captchaSiteKey"] is not None else None
    return _ready(
        page(
            "booking_form.html",
            place.language,
            status=next((_STATUS[error["code"]] for error in errors if error["code"] in _STATUS), 422)
            if errors
            else 200,
            **_common(place, seen),
            when=span_words(begin, end, zone=zone, locale=locale),
            other_times=place.to(),
            action=place.base,
            kept=[
                ("start", start),
                ("tz", zone),
                ("key", filled.key),
                *((name, value) for name in ("duration", "lang", "link") if (value := place.wish.said(name))),
                *place.wish.utm,
            ],
            filled=filled,
            questions=filled.questions(found["formFields"]),
            consents=found["consents"],
            agreed=set(filled.values.get("consent", ())),
            guests=found["guests"],
            problems=problems_by_field(errors),
            alternatives=[
                (each, moment_words(datetime.fromisoformat(each), zone=zone, locale=locale)) for each in alternatives
            ],
            captcha=asked,
        ),
        place,
        asked,
    )


def _ready(response: Response, place: Place, captcha: Captcha | None) -> Response:
    """Let the form come back, its answer lead to where the page sends people, and the captcha be shown; say to
    ourselves where it was."""
    leads_to = origin_of(place.known.state.page.settings.redirect_url or "")
    response.headers["Content-Security-Policy"] = policy(
        *([leads_to] if leads_to else []), scripts_of=origin_of(captcha.widget.script) if captcha else None
    )
    response.headers["Referrer-Policy"] = "same-origin"  # else browsers keep the form's origin to themselves
    return response


def _common(place: Place, seen: Mapping[str, Any]) -> dict[str, Any]:
    found, offered = seen["page"], seen["availability"]
    return {
        "title": found["headline"],
        "canonical": found["url"],
        "description": found["description"],
        "hosts": ", ".join(host["displayName"] for host in found["hosts"]),
        "minutes": offered["durationMinutes"],
        "mode": offered["mode"],
        "branding": found["branding"],
        "time_zone": place.zone,
    }


def _time(start: str, place: Place) -> tuple[str, str, str]:
    """The instant, its time of day, and where it is chosen."""
    local = datetime.fromisoformat(start).astimezone(ZoneInfo(place.zone))
    return start, time_words(local, locale_of(place.locale)), place.to(start=start, tz=place.zone)


def starts_in(seen: Mapping[str, Any]) -> list[str]:
    """All starts the API told of, in order."""
    return [slot["start"] for day in (seen["availability"] or {"days": ()})["days"] for slot in day["slots"]]


@cache
def _zones() -> tuple[str, ...]:
    """What can be chosen from: the names places have today."""
    names = {canonical_zone(name) for name in available_timezones() if "/" in name}
    return tuple(sorted(name for name in names if name and not name.startswith("Etc/")))
