"""The calendars of one Office 365 account, through Microsoft Graph v1.0."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from meetings.adapters.office365 import booking_event, wire
from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.booking_event import KEY_PROPERTY
from meetings.adapters.office365.event_writes import EventWrites
from meetings.adapters.office365.feed import Feed
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.mailbox_zone import MailboxZone
from meetings.adapters.office365.news_feed import NewsFeed
from meetings.adapters.office365.own_events import with_keys
from meetings.adapters.office365.paths import one_calendar
from meetings.adapters.office365.reading import items_of, read
from meetings.adapters.office365.refusals import Asked
from meetings.application.ports.calendars import (
    BusyAnswer,
    CalendarEvent,
    CalendarUnreadable,
    Changes,
    EventKey,
    EventNews,
    MailboxNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
    WrittenEvent,
)
from meetings.domain.calendar_connection import ListedCalendar
from meetings.domain.timespan import TimeSpan

# Whole days are kept as instants of the zone they were made in, and shown as days of the mailbox's: the two differ by
# less than this, so that a view has to be asked for with so much more on each side.
_FURTHEST_ZONES = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Office365Calendars:
    """`Calendars` for one account.

    `busy_seconds` limits one question for busy time in all, `page_size` is how many events are held at once.
    """

    calls: AuthorizedCalls
    writes: EventWrites
    feed: Feed
    news: NewsFeed
    zone: MailboxZone
    busy_seconds: float
    page_size: int

    async def list_calendars(self) -> tuple[ListedCalendar, ...]:
        """Those of the person, and those of others that they opened in Outlook."""
        until = self.calls.limit()
        question = Question("GET", "/me/calendars", params={"$select": wire.CALENDAR_SELECT, "$top": "100"})
        entries: list[Any] = []
        try:
            async for page in self.calls.pages(question, Asked.ACCOUNT, until):
                entries += items_of(page)
        except MailboxNotFound as error:
            raise await self._located(error, until) from None
        zone = await self.zone.name(until)
        return read(lambda: wire.listed_calendars(entries, zone))

    async def _located(self, error: MailboxNotFound, until: float) -> MailboxNotFound:
        """Whether the mailbox is elsewhere (A-CC7), where the refusal leaves it open: an account that an organisation
        keeps on its own servers, and which has an address, has its mailbox there ("user resource type")."""
        if error.hybrid:
            return error
        question = Question("GET", "/me", params={"$select": "mail,onPremisesSyncEnabled"})
        try:
            me = await self.calls.call(question, Asked.ACCOUNT, until)
        except ProviderError:
            return error
        return MailboxNotFound(str(error), hybrid=bool(me.get("mail")) and me.get("onPremisesSyncEnabled") is True)

    async def busy(self, calendars: Sequence[str], span: TimeSpan) -> Mapping[str, BusyAnswer]:
        """One calendar view each, all at once.

        Trouble of the account is everybody's, and raised. What may be either (no answer, a mailbox that is not there)
        is a calendar's own only if Graph said something about another calendar of the account.
        """
        until = self.calls.limit(self.busy_seconds)
        asked = list(dict.fromkeys(calendars))
        answers = dict(
            zip(asked, await asyncio.gather(*(self._busy(each, span, until) for each in asked)), strict=True)
        )
        errors = [answer for answer in answers.values() if isinstance(answer, ProviderError)]
        for error in errors:
            if isinstance(error, ReauthorizationNeeded | RateLimited):
                raise error
        shared = [error for error in errors if isinstance(error, ProviderUnavailable | MailboxNotFound)]
        if shared and len(shared) == len(answers):
            raise shared[0]
        return {each: _own(answer) for each, answer in answers.items()}

    async def _busy(self, calendar: str, span: TimeSpan, until: float) -> BusyAnswer:
        try:
            return await self._busy_events(calendar, span, until)
        except ProviderError as error:
            return error

    async def _busy_events(self, calendar: str, span: TimeSpan, until: float) -> BusyAnswer:
        question = Question(
            "GET",
            f"{one_calendar(calendar)}/calendarView",
            params={
                "startDateTime": wire.stamp(span.start - _FURTHEST_ZONES),
                "endDateTime": wire.stamp(span.end + _FURTHEST_ZONES),
                "$select": wire.EVENT_SELECT,
                "$expand": booking_event.expand(KEY_PROPERTY),
                "$top": str(self.page_size),
            },
        )
        found: list[Any] = []
        async for page in self.calls.pages(question, Asked.CALENDAR, until):
            found += items_of(page)
        found = await with_keys(self.calls, calendar, found, until)
        zone = await self.zone.name(until) if wire.has_whole_days(found) else None
        return read(lambda: wire.blocking_events(found, span, zone))

    def changes(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[Changes]:
        return self.feed.changes(calendar, cursor, window)

    def event_news(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[EventNews]:
        return self.news.news(calendar, cursor, window)

    async def put_event(self, calendar: str, event: CalendarEvent) -> WrittenEvent:
        """A first write is two calls. A wish with a smaller `sequence` than one that was written changes nothing."""
        return await self.writes.put(calendar, event)

    async def remove_event(self, calendar: str, key: EventKey) -> None:
        await self.writes.remove(calendar, key)


def _own(answer: BusyAnswer) -> BusyAnswer:
    """The account has a mailbox, as other calendars showed; this calendar is in one that is not there any more."""
    return CalendarUnreadable(str(answer)) if isinstance(answer, MailboxNotFound) else answer
