"""Writing the one event of a booking so that a lost answer, a repetition or a rival makes no second one (PW-1)."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meetings.adapters.google import booking_event
from meetings.adapters.google.authorized import AuthorizedCalls
from meetings.adapters.google.refusals import Asked, Refused
from meetings.application.ports.calendars import (
    CalendarEvent,
    EventKey,
    EventRefused,
    EventRemoved,
    ProviderError,
    ProviderUnavailable,
    WrittenEvent,
)

if TYPE_CHECKING:
    from googleapiclient._apis.calendar.v3 import CalendarResource
    from googleapiclient.http import HttpRequest


@dataclass(frozen=True, slots=True)
class EventWrites:
    """Google mails the guests. `link_seconds`: how long a conference link that is still being made is waited for."""

    calls: AuthorizedCalls
    link_seconds: float

    async def put(self, calendar: str, event: CalendarEvent) -> WrittenEvent:
        """As `Calendars.put_event`. A change reads the event before, and overwrites nothing that changed meanwhile."""
        until = self.calls.limit()
        existing = await self._find(calendar, event.key, until) if event.sequence else None
        if existing is None:
            existing = await self._insert(calendar, event, until)
        if booking_event.is_removed(existing):
            raise EventRemoved("the event was removed in the calendar")
        if not booking_event.is_ours(existing, event.key):
            raise EventRefused("another event has this id")
        patch = booking_event.change(event, existing)
        if patch is not None:
            existing = await self._patch(calendar, existing, patch, until)
        if booking_event.link_is_pending(existing):
            existing = await self._with_link(calendar, event.key, existing, until)
        return booking_event.written(existing)

    async def remove(self, calendar: str, key: EventKey) -> None:
        """As `Calendars.remove_event`. Reads first, so that an event that only has our id is left alone."""
        until = self.calls.limit()
        existing = await self._find(calendar, key, until)
        if existing is None or booking_event.is_removed(existing) or not booking_event.is_ours(existing, key):
            return

        def build(service: "CalendarResource") -> "HttpRequest":
            return service.events().delete(calendarId=calendar, eventId=existing["id"], sendUpdates="all")

        try:
            await self.calls.attempt(build, until)
        except Refused as refused:
            if not refused.says_gone:
                raise self.calls.error(refused, Asked.EVENT) from None

    async def _find(self, calendar: str, key: EventKey, until: float) -> Any:
        """The event with the id of `key`, live or cancelled, anybody's; None when Google knows none."""

        def build(service: "CalendarResource") -> "HttpRequest":
            return service.events().get(
                calendarId=calendar, eventId=booking_event.event_id(key), fields=booking_event.READ_FIELDS
            )

        try:
            return await self.calls.attempt(build, until)
        except Refused as refused:
            if refused.says_gone:
                return None
            raise self.calls.error(refused, Asked.EVENT) from None

    async def _insert(self, calendar: str, event: CalendarEvent, until: float) -> Any:
        """The new event, or the one that has its id: of an earlier try, or of this one when its answer got lost."""
        body = booking_event.new_event(event)

        def build(service: "CalendarResource") -> "HttpRequest":
            return service.events().insert(
                calendarId=calendar,
                body=body,
                sendUpdates="all",
                conferenceDataVersion=1,
                fields=booking_event.READ_FIELDS,
            )

        try:
            return await self.calls.attempt(build, until)
        except Refused as refused:
            if refused.status == 409:
                return await self._find_taken(calendar, event.key, until)
            error = self.calls.error(refused, Asked.EVENT)
        except ProviderUnavailable as unavailable:
            error = unavailable
        if isinstance(error, ProviderUnavailable):
            return await self._find_after(error, calendar, event.key, until)
        raise error

    async def _find_taken(self, calendar: str, key: EventKey, until: float) -> Any:
        found = await self._find(calendar, key, until)
        if found is None:
            # An id stays taken when its event has vanished from the bin (seen in public reports).
            raise EventRemoved("the event was removed in the calendar, long ago")
        return found

    async def _find_after(self, error: ProviderUnavailable, calendar: str, key: EventKey, until: float) -> Any:
        """Whether the event was written although we did not hear so. Not seeing it proves nothing: `error` stands."""
        try:
            found = await self._find(calendar, key, until)
        except ProviderError:
            raise error from None
        if found is None:
            raise error
        return found

    async def _patch(self, calendar: str, existing: Any, patch: Any, until: float) -> Any:
        def build(service: "CalendarResource") -> "HttpRequest":
            request = service.events().patch(
                calendarId=calendar,
                eventId=existing["id"],
                body=patch,
                sendUpdates="all",
                conferenceDataVersion=1,
                fields=booking_event.READ_FIELDS,
            )
            # 412 when somebody changed it since: the caller tries again, and reads again ("Get specific versions").
            request.headers = {**(request.headers or {}), "if-match": existing["etag"]}
            return request

        return await self.calls.call(build, Asked.EVENT, until)

    async def _with_link(self, calendar: str, key: EventKey, existing: Any, until: float) -> Any:
        """One more look. The event is written in any case, so no trouble here is reported."""
        await asyncio.sleep(self.link_seconds)
        try:
            return await self._find(calendar, key, until) or existing
        except ProviderError:
            return existing
