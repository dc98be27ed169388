"""Writing the one event of a booking so that a lost answer or a repetition makes no second one (PW-3).

Exchange has no ids that we could choose and no way to create only what is missing. So the event is looked up by our key
before each create, and again when the answer to a create got lost. Two writers at once are kept apart in one process
here, and between processes by the lease on each intended write.

These functions block; they run in one of the adapter's threads, several requests in a row.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetings.adapters.exchange import booking_event, wire
from meetings.adapters.exchange.addresses import owner_link
from meetings.adapters.exchange.booking_event import Existing
from meetings.adapters.exchange.refusals import Refused
from meetings.adapters.exchange.transport import Transport, readable
from meetings.adapters.exchange.versions import ServerBuild
from meetings.application.ports.calendars import (
    CalendarEvent,
    EventKey,
    EventRefused,
    EventRemoved,
    ProviderUnavailable,
    WrittenEvent,
)
from meetings.domain.ical_uid import common_ical_uid

if TYPE_CHECKING:
    from meetings.adapters.exchange.soap import Mailbox

_OWA_OPENS_EVENTS = ServerBuild(15, 0)


@dataclass(frozen=True, slots=True)
class EventWrites:
    """Exchange mails the guests. There are no conference links: on-premises servers make none."""

    transport: Transport

    def put(self, mailbox: "Mailbox", calendar: str, event: CalendarEvent) -> WrittenEvent:
        """As `Calendars.put_event`. A first write is three requests; a change overwrites nothing newer."""
        key = booking_event.key_text(event.key)
        with self.transport.alone(f"{calendar}\n{key}", mailbox.until):
            existing = self._find(mailbox, calendar, event.key, event.written_as)
            if existing is None:
                return self._create(mailbox, calendar, event)
            if existing.cancelled:
                raise EventRemoved("the event was cancelled in the calendar")
            if booking_event.needs_change(event, existing):
                self._change(mailbox, existing, event)
            return self._written(mailbox, existing.item_id, existing.uid)

    def remove(self, mailbox: "Mailbox", calendar: str, key: EventKey) -> None:
        """As `Calendars.remove_event`. An event that only has our key is left alone."""
        from meetings.adapters.exchange import event_operations, operations

        text = booking_event.key_text(key)
        with self.transport.alone(f"{calendar}\n{text}", mailbox.until):
            (found,) = event_operations.find_by_key(mailbox, text, operations.folder_with(calendar))
            for existing in map(wire.existing, found):
                if existing.is_ours(key):
                    try:
                        event_operations.delete(mailbox, existing.item_id)
                    except Refused as refused:
                        if not refused.says_gone:
                            raise

    def _find(self, mailbox: "Mailbox", calendar: str, key: EventKey, written_as: str | None) -> Existing | None:
        """The event of this key in the calendar, None when it was never written.

        Raises:
            EventRefused: what has the key is not ours.
            EventRemoved: it lies in the bin, or was written and is nowhere.
        """
        from meetings.adapters.exchange import event_operations, operations

        here, binned = event_operations.find_by_key(
            mailbox,
            booking_event.key_text(key),
            operations.folder_with(calendar),
            operations.own_folder("deleteditems"),
        )
        if here:
            found = [wire.existing(element) for element in here]
            ours = [each for each in found if each.is_ours(key)]
            if not ours:
                raise EventRefused("another event has this key")
            return min(ours, key=lambda each: each.cancelled)
        if any(wire.existing(element).is_ours(key) for element in binned):
            raise EventRemoved("the event was removed in the calendar")
        if written_as is not None:
            raise EventRemoved("the event is not in the calendar any more")
        return None

    def _create(self, mailbox: "Mailbox", calendar: str, event: CalendarEvent) -> WrittenEvent:
        """The new event, or the one that this very request made when its answer got lost."""
        from meetings.adapters.exchange import event_operations

        try:
            with readable():
                created = wire.item_id(event_operations.create(mailbox, calendar, event))
            return self._written(mailbox, created, self._uid(mailbox, created))
        except Refused as refused:
            if not refused.says_unknown:
                raise
            unknown: Exception = refused
        except ProviderUnavailable as unavailable:
            unknown = unavailable
        # Not seeing it proves nothing: it may still be under way, so the first trouble stands.
        with suppress(Refused, ProviderUnavailable, EventRemoved, EventRefused), readable():
            found = self._find(mailbox, calendar, event.key, None)
            if found is not None:
                return self._written(mailbox, found.item_id, found.uid)
        raise unknown

    def _uid(self, mailbox: "Mailbox", item_id: str) -> str:
        """The name that Exchange gave the new event. It is written in any case, so no trouble here is reported."""
        from meetings.adapters.exchange import event_operations

        with suppress(Refused, ProviderUnavailable), readable():
            return wire.existing(event_operations.get(mailbox, item_id)).uid
        return ""

    def _change(self, mailbox: "Mailbox", existing: Existing, event: CalendarEvent) -> None:
        from meetings.adapters.exchange import event_operations

        with_guests = wire.existing(event_operations.get(mailbox, existing.item_id))
        if booking_event.needs_change(event, with_guests):
            event_operations.update(mailbox, with_guests, event, booking_event.guests(event, with_guests))

    def _written(self, mailbox: "Mailbox", item_id: str, uid: str) -> WrittenEvent:
        build = mailbox.build
        modern = build is not None and build >= _OWA_OPENS_EVENTS
        url = owner_link(mailbox.protocol.service_endpoint, item_id, modern=modern)
        return WrittenEvent(item_id, url=url, ical_uid=common_ical_uid(uid) if uid else None)
