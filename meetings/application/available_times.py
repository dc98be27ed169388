"""Clickable times for a mail: some of a page's free times, each a link to the page with that time chosen (A-IN8).

Nothing is held: whoever clicks on a time that was taken meanwhile finds the page with the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from zoneinfo import ZoneInfo

from meetings.application.links import Links
from meetings.application.local_times import day_words, locale_of, time_words, zone_words
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import Begin
from meetings.application.read_availability import Availability, AvailabilityQuestion, read_availability
from meetings.domain.base import Problem, Rule, refuse
from meetings.domain.booking_mode import BookingMode
from meetings.domain.calendar_connection import Capability
from meetings.domain.identifiers import PageId
from meetings.domain.offered_times import MOST_TIMES, spread
from meetings.domain.scheduling_page import BookingBlocked
from meetings.domain.timespan import TimeSpan, at_minute


@dataclass(frozen=True, slots=True)
class OfferTimes:
    """The wish: at most `count` times between two days, both included, of the reader's zone."""

    page_id: PageId
    first: date
    last: date
    time_zone: str
    count: int
    duration_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class OfferedTime:
    """A slot that is free now, and where it is booked."""

    slot: TimeSpan
    url: str


@dataclass(frozen=True, slots=True)
class OfferedTimes:
    """To be put into a mail, as HTML or as plain text. Without any free time both hold the plain link to the page."""

    times: tuple[OfferedTime, ...]
    html: str
    text: str


async def available_times(
    wish: OfferTimes, page_url: str, *, caller: Caller, look: Begin, links: Links, clock: Clock, policy: Policy
) -> OfferedTimes:
    """Some free times of a page of the account, in the page's language. `page_url` is where the page is.

    A start whose local time comes twice that day, when clocks are set back, is left out: its link would be ambiguous.

    Raises:
        NotFound: no such page that is up.
        CapabilityUnsupported: a host's calendar cannot do this (S98).
        BookingBlocked: nobody can book the page now (S60).
        InvalidInput: the count (1 to 20), the zone, the window, or a duration the page does not offer.
    """
    refuse(
        Problem(("count",), Rule.TOO_SMALL, values={"least": 1}) if wish.count < 1 else None,
        Problem(("count",), Rule.TOO_LARGE, values={"most": MOST_TIMES}) if wish.count > MOST_TIMES else None,
    )
    question = AvailabilityQuestion(
        PagePointer(caller.account_id, wish.page_id), wish.first, wish.last, wish.time_zone, wish.duration_minutes
    )
    found = await read_availability(question, look=look, clock=clock, policy=policy)
    for connection in found.state.connections.values():
        if connection.usable:
            connection.require(Capability.CLICKABLE_TIMES)
    if found.mode is BookingMode.BLOCKED:
        raise BookingBlocked
    zone = ZoneInfo(wish.time_zone)
    days = {day: [start for start in starts if _comes_once(start, zone)] for day, starts in found.days.items()}
    chosen = {day: _times(starts, found, page_url, links) for day, starts in spread(days, wish.count).items()}
    if not chosen:
        return OfferedTimes((), f'<p><a href="{escape(page_url)}">{escape(page_url)}</a></p>', page_url)
    times = tuple(time for day in chosen.values() for time in day)
    return OfferedTimes(times, _as_html(chosen, found), _as_text(chosen, found))


def _comes_once(start: int, zone: ZoneInfo) -> bool:
    local = at_minute(start).astimezone(zone)
    return local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()


def _times(starts: Sequence[int], found: Availability, page_url: str, links: Links) -> list[OfferedTime]:
    zone = found.question.time_zone
    offered = []
    for slot in map(found.slot, starts):
        local = slot.start.astimezone(ZoneInfo(zone))
        url = links.with_query(
            page_url,
            date=local.date().isoformat(),
            time=f"{local:%H:%M}",
            duration=str(found.duration_minutes),
            tz=zone,
        )
        offered.append(OfferedTime(slot, url))
    return offered


def _as_html(chosen: Mapping[date, Sequence[OfferedTime]], found: Availability) -> str:
    parts = []
    for times in chosen.values():
        items = "".join(
            f'<li><a href="{escape(time.url)}">{escape(_clock(time.slot.start, found))}</a></li>' for time in times
        )
        parts.append(f"<p>{escape(_heading(times[0].slot.start, found))}</p><ul>{items}</ul>")
    return "".join(parts)


def _as_text(chosen: Mapping[date, Sequence[OfferedTime]], found: Availability) -> str:
    parts = []
    for times in chosen.values():
        lines = [f"- {_clock(time.slot.start, found)}: {time.url}" for time in times]
        parts.append("\n".join([_heading(times[0].slot.start, found), *lines]))
    return "\n\n".join(parts)


def _heading(start: datetime, found: Availability) -> str:
    """The day, and the zone as it is on that day."""
    zone, locale = found.question.time_zone, locale_of(found.state.page.settings.locale)
    local = start.astimezone(ZoneInfo(zone))
    return f"{day_words(start, zone=zone, locale=locale)} ({zone_words(local, locale)})"


def _clock(start: datetime, found: Availability) -> str:
    local = start.astimezone(ZoneInfo(found.question.time_zone))
    return time_words(local, locale_of(found.state.page.settings.locale))
