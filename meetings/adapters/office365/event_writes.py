"""Writing the one event of a booking so that a lost answer, a repetition or a rival makes no second one (PW-2)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from meetings.adapters.office365 import booking_event
from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.own_events import READ, live_event
from meetings.adapters.office365.paths import events_of, one_event
from meetings.adapters.office365.reading import read
from meetings.adapters.office365.refusals import Asked, Refused
from meetings.application.ports.calendars import (
    CalendarEvent,
    EventKey,
    EventRemoved,
    ProviderError,
    ProviderUnavailable,
    WrittenEvent,
)

_UNKNOWN_ZONE = "TimeZoneNotSupportedException"
# How Graph answers a transaction id with another event than before is not documented; it was seen in public reports.
_USED_BEFORE = "ErrorDuplicateTransactionId"


@dataclass(frozen=True, slots=True)
class EventWrites:
    """Outlook mails the guests. `link_seconds`: how long a link that is still being made is waited for."""

    calls: AuthorizedCalls
    link_seconds: float

    async def put(self, calendar: str, event: CalendarEvent) -> WrittenEvent:
        """As `Calendars.put_event`. Always looks first, and overwrites nothing that changed meanwhile.

        Outlook forgets what was removed, so only `written_as` tells that there was an event.
        """
        until = self.calls.limit()
        existing = await self._live(calendar, event.key, until)
        if existing is None:
            if event.written_as is not None:
                raise EventRemoved("the event was removed in the calendar")
            existing = await self._create(calendar, event, until)
        if existing.get("isCancelled"):
            raise EventRemoved("the event was cancelled in the calendar")
        existing = await self._as_wished(calendar, event, existing, until)
        if event.conference and read(lambda: booking_event.link_is_pending(existing)):
            existing = await self._with_link(calendar, existing, until)
        return read(lambda: booking_event.written(existing, event))

    async def remove(self, calendar: str, key: EventKey) -> None:
        """As `Calendars.remove_event`. Meetings are cancelled, which tells the guests; what nobody was invited to is no
        meeting, and deleted."""
        until = self.calls.limit()
        existing = await self._live(calendar, key, until)
        if existing is None:
            return
        path = one_event(calendar, existing["id"])
        if existing.get("attendees") and await self._cancelled(path, until):
            return
        try:
            await self.calls.attempt(Question("DELETE", path), until)
        except Refused as refused:
            if not refused.says_gone:
                raise self.calls.error(refused, Asked.EVENT) from None

    async def _cancelled(self, path: str, until: float) -> bool:
        """False: only the organiser may ("event: cancel"), who is not this calendar's owner; they can still delete."""
        try:
            await self.calls.attempt(Question("POST", f"{path}/cancel", body={"comment": ""}), until)
        except Refused as refused:
            if refused.status == 400:
                return False
            if not refused.says_gone:
                raise self.calls.error(refused, Asked.EVENT) from None
        return True

    async def _live(self, calendar: str, key: EventKey, until: float) -> Any:
        return await live_event(self.calls, calendar, key, Asked.NEW_EVENT, until)

    async def _create(self, calendar: str, event: CalendarEvent, until: float) -> Any:
        """The new event, or the one an earlier try made. An answer that got lost is looked for once."""

        def question(in_utc: bool) -> Question:
            return Question("POST", events_of(calendar), body=booking_event.new_event(event, in_utc=in_utc))

        try:
            created = await self._in_a_zone(question, until)
            if read(lambda: booking_event.stands_as(event, created)):
                return {**created, **_properties(event)}
            error: Exception = ProviderUnavailable("another event came back than the one that was sent")
        except Refused as refused:
            error = self.calls.error(refused, Asked.NEW_EVENT)
            if refused.code == _USED_BEFORE:
                error = ProviderUnavailable("the event was written before, and cannot be seen yet")
            if not isinstance(error, ProviderUnavailable):
                raise error from None
        except ProviderUnavailable as unavailable:
            error = unavailable
        return await self._find_after(error, calendar, event.key, until)

    async def _find_after(self, error: Exception, calendar: str, key: EventKey, until: float) -> Any:
        """Whether the event was written although we did not hear so. Not seeing it proves nothing: `error` stands."""
        try:
            found = await self._live(calendar, key, until)
        except ProviderError:
            raise error from None
        if found is None:
            raise error
        return found

    async def _as_wished(self, calendar: str, event: CalendarEvent, existing: Any, until: float) -> Any:
        if read(lambda: booking_event.change(event, existing)) is None:
            return existing

        def question(in_utc: bool) -> Question:
            patch = booking_event.change(event, existing, in_utc=in_utc)
            # 412 when somebody changed it since: the caller tries again, and reads again.
            return Question(
                "PATCH", one_event(calendar, existing["id"]), body=patch, if_match=existing.get("@odata.etag")
            )

        try:
            return await self._in_a_zone(question, until)
        except Refused as refused:
            raise self.calls.error(refused, Asked.EVENT) from None

    async def _in_a_zone(self, question: Callable[[bool], Question], until: float) -> Any:
        """Mailbox servers do not know every zone ("Update event"); for those the event is written in UTC."""
        try:
            return await self.calls.attempt(question(False), until)
        except Refused as refused:
            if refused.code != _UNKNOWN_ZONE:
                raise
        return await self.calls.attempt(question(True), until)

    async def _with_link(self, calendar: str, existing: Any, until: float) -> Any:
        """One more look. The event is written in any case, so no trouble here is reported."""
        await asyncio.sleep(self.link_seconds)
        try:
            return await self.calls.call(
                Question("GET", one_event(calendar, existing["id"]), params=READ), Asked.EVENT, until
            )
        except ProviderError:
            return existing


def _properties(event: CalendarEvent) -> Any:
    """What was just stored on a new event; Graph does not repeat it."""
    return {"singleValueExtendedProperties": booking_event.new_event(event)["singleValueExtendedProperties"]}
