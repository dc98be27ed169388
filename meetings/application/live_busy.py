"""Asking the hosts' calendars right before a slot is taken (BK-8), and drawing the consequences of what they say."""

import asyncio
from collections.abc import Mapping, Sequence

from meetings.application.grants import note_lost_grant
from meetings.application.page_state import PageState
from meetings.application.ports.calendars import (
    BusyAnswer,
    CalendarsOf,
    CalendarUnreadable,
    EventTime,
    ProviderError,
    ReauthorizationNeeded,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.calendar_connection import CalendarConnection, CalendarHealth
from meetings.domain.identifiers import CalendarId, UserId
from meetings.domain.scheduling_page import CalendarUnverified
from meetings.domain.timespan import TimeSpan


async def read_live(
    state: PageState, span: TimeSpan, *, begin: Begin, calendars_of: CalendarsOf, clock: Clock
) -> tuple[dict[UserId, list[EventTime]], bool]:
    """What is in the hosts' selected calendars in `span` right now, all asked in parallel, outside any transaction;
    and whether that told anything new about the calendars themselves.

    A calendar that turns out to be lost, or to be readable again, and a grant that turns out to be gone are written
    down before this returns or raises: then load the page again to see its mode (S60, S62, X1).

    Raises:
        CalendarUnverified: a calendar could not be read just now; nothing can be said about it (A-AV15).
    """
    connections = state.checked_connections
    answers = await asyncio.gather(*(_ask(connection, span, calendars_of) for connection in connections))
    news = await _write_down(dict(zip([c.id for c in connections], answers, strict=True)), connections, begin, clock)
    busy: dict[UserId, list[EventTime]] = {}
    for connection, answer in zip(connections, answers, strict=True):
        if isinstance(answer, ReauthorizationNeeded):
            continue
        if isinstance(answer, ProviderError):
            raise CalendarUnverified from answer
        for events in answer.values():
            if isinstance(events, CalendarUnreadable):
                continue
            if isinstance(events, ProviderError):
                raise CalendarUnverified from events
            busy.setdefault(connection.user_id, []).extend(events)
    return busy, news


Answer = Mapping[CalendarId, BusyAnswer] | ProviderError


async def _ask(connection: CalendarConnection, span: TimeSpan, calendars_of: CalendarsOf) -> Answer:
    selected = connection.selected_calendars
    try:
        found = await calendars_of(connection).busy([calendar.external_id for calendar in selected], span)
    except ProviderError as error:
        return error
    missing = ProviderError("no answer about this calendar")
    return {calendar.id: found.get(calendar.external_id, missing) for calendar in selected}


async def _write_down(
    answers: Mapping[object, Answer], connections: Sequence[CalendarConnection], begin: Begin, clock: Clock
) -> bool:
    """Save what changed about a connection's health; usually nothing did and no transaction is opened. Gives whether
    anything did."""
    news = False
    for seen in connections:
        answer = answers[seen.id]
        if isinstance(answer, ReauthorizationNeeded):
            await note_lost_grant(seen, begin=begin, clock=clock)
            news = True
        elif not isinstance(answer, ProviderError) and _is_news(seen, answer):
            async with begin(seen.account_id) as work:
                connection = await work.connections.get(seen.id)
                for calendar_id, events in answer.items():
                    note_health(connection, calendar_id, events, clock)
                await work.commit()
            news = True
    return news


def _is_news(connection: CalendarConnection, answer: Mapping[CalendarId, BusyAnswer]) -> bool:
    return any(
        isinstance(events, CalendarUnreadable) != (connection.calendar(calendar_id).health is CalendarHealth.LOST)
        and (isinstance(events, CalendarUnreadable) or not isinstance(events, ProviderError))
        for calendar_id, events in answer.items()
    )


def note_health(connection: CalendarConnection, calendar_id: CalendarId, events: BusyAnswer, clock: Clock) -> None:
    """Write down what an answer says about one calendar. One that was never read stays unread: only a sync reads it
    whole."""
    calendar = next((c for c in connection.calendars if c.id == calendar_id), None)
    if calendar is None:
        return
    if isinstance(events, CalendarUnreadable):
        connection.mark_lost(calendar_id, now=clock())
    elif not isinstance(events, ProviderError) and calendar.health is CalendarHealth.LOST:
        connection.mark_readable(calendar_id, now=clock())
