"""How far calendars were read for people's records, and which of their events stand for which meetings."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, select, union_all, update

from meetings.application.ports.unit_of_work import FeedState, FoundEvent
from meetings.application.reactions import SETTLE_ENGAGEMENT
from meetings.domain.booking import BookingState
from meetings.domain.engagement import MeetingOutcome, MeetingSource
from meetings.domain.identifiers import CalendarId, EngagementId
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.database.tables import (
    bookings,
    connections,
    engagements,
    found_events,
    intents,
    record_feeds,
    users,
)
from meetings.infrastructure.database.transaction import AnyRow, Transaction

_AT_ONCE = 400
_found, _feeds = found_events.c, record_feeds.c

OF_ACCOUNT = select(found_events).where(_found.account_id == bindparam("account"))
OWN_ADDRESSES = union_all(
    select(users.c.email.label("address")).where(users.c.account_id == bindparam("account")),
    select(connections.c.account_email).where(connections.c.account_id == bindparam("account")),
)
UNDER_WAY = union_all(
    select(bookings.c.id).where(
        bookings.c.account_id == bindparam("account"),
        bookings.c.start_at == bindparam("start"),
        bookings.c.end_at == bindparam("end"),
        bookings.c.state == BookingState.PENDING.value,
    ),
    select(engagements.c.id).where(
        engagements.c.account_id == bindparam("account"),
        engagements.c.start_at == bindparam("start"),
        engagements.c.end_at == bindparam("end"),
        engagements.c.source == MeetingSource.RECORD.value,
        engagements.c.calendar_id.is_not(None),
        engagements.c.event_id.is_(None),
        engagements.c.outcome != MeetingOutcome.CANCELLED.value,
    ),
)
"""Events of ours from then to then whose names are not known yet: they are being written."""


class SqlRecordFeeds:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    # ---- how far a calendar was read --------------------------------------------------------------------------------

    async def state(self, calendar_id: CalendarId) -> FeedState:
        query = select(record_feeds).where(*self._feed(calendar_id))
        for row in await self._transaction.rows(query):
            window = TimeSpan(row.window_start, row.window_end) if row.window_start and row.window_end else None
            return FeedState(row.cursor, window, row.asked)
        return FeedState(None, None, 0)

    async def ask(self, calendar_id: CalendarId) -> None:
        new = self._transaction.insert(record_feeds).values(
            calendar_id=calendar_id, account_id=self._transaction.account_id, asked=1
        )
        once_more = new.on_conflict_do_update(
            index_elements=["calendar_id"],
            set_={"asked": _feeds.asked + 1},
            where=_feeds.account_id == self._transaction.account_id,
        )
        await self._transaction.run(once_more)

    async def keep(self, calendar_id: CalendarId, *, cursor: str | None, window: TimeSpan) -> None:
        values = {"cursor": cursor, "window_start": window.start, "window_end": window.end}
        new = self._transaction.insert(record_feeds).values(
            calendar_id=calendar_id, account_id=self._transaction.account_id, asked=0, **values
        )
        mine = _feeds.account_id == self._transaction.account_id
        await self._transaction.run(new.on_conflict_do_update(index_elements=["calendar_id"], set_=values, where=mine))

    async def unasked_since(self, calendar_id: CalendarId, asked: int) -> bool:
        # Written, not only read, so that whoever asks at the same time waits for this commit, or this for theirs.
        same = update(record_feeds).where(*self._feed(calendar_id), _feeds.asked == asked).values(asked=asked)
        return (await self._transaction.run(same)).rowcount == 1 or (await self.state(calendar_id)).asked == asked

    # ---- which events stand for which meetings ----------------------------------------------------------------------

    async def found(self, calendar_id: CalendarId, event_ids: Collection[str]) -> dict[str, FoundEvent]:
        wanted: list[str] = list(event_ids)
        events: dict[str, FoundEvent] = {}
        for at in range(0, len(wanted), _AT_ONCE):
            some = _found.event_id.in_(wanted[at : at + _AT_ONCE])
            for event in await self._events(OF_ACCOUNT.where(_found.calendar_id == calendar_id, some)):
                events[event.event_id] = event
        return events

    async def standing(self, calendar_id: CalendarId, *, after: datetime) -> list[FoundEvent]:
        later = engagements.c.end_at > after
        query = OF_ACCOUNT.join(engagements, engagements.c.id == _found.engagement_id)
        return await self._events(query.where(_found.calendar_id == calendar_id, later))

    async def copies(self, engagement_id: EngagementId) -> list[FoundEvent]:
        return await self._events(OF_ACCOUNT.where(_found.engagement_id == engagement_id))

    async def note(self, event: FoundEvent) -> None:
        values = {"engagement_id": event.engagement_id, "organized_here": event.organized_here}
        new = self._transaction.insert(found_events).values(
            calendar_id=event.calendar_id,
            event_id=event.event_id,
            account_id=self._transaction.account_id,
            **values,
        )
        mine = _found.account_id == self._transaction.account_id
        known = new.on_conflict_do_update(index_elements=["calendar_id", "event_id"], set_=values, where=mine)
        await self._transaction.run(known)

    async def forget(self, events: Sequence[FoundEvent]) -> None:
        for event in events:
            await self._transaction.run(
                delete(found_events).where(
                    _found.account_id == self._transaction.account_id,
                    _found.calendar_id == event.calendar_id,
                    _found.event_id == event.event_id,
                )
            )

    # ---- what is ours -----------------------------------------------------------------------------------------------

    async def own_addresses(self) -> set[str]:
        rows = await self._transaction.rows(OWN_ADDRESSES, {"account": self._transaction.account_id})
        return {str(row.address) for row in rows}

    async def writes_under_way(self, slot: TimeSpan) -> bool:
        values = {"account": self._transaction.account_id, "start": slot.start, "end": slot.end}
        return bool(await self._transaction.rows(UNDER_WAY.limit(1), values))

    async def is_being_written(self, engagement_id: EngagementId) -> bool:
        open_ones = select(intents.c.id).where(
            intents.c.account_id == self._transaction.account_id,
            intents.c.lane == f"{SETTLE_ENGAGEMENT}:{engagement_id}",
            intents.c.done_at.is_(None),
            intents.c.died_at.is_(None),
        )
        return bool(await self._transaction.rows(open_ones.limit(1)))

    async def _events(self, query: Select[Any]) -> list[FoundEvent]:
        rows = await self._transaction.rows(query, {"account": self._transaction.account_id})
        return [_event(row) for row in rows]

    def _feed(self, calendar_id: CalendarId) -> tuple[Any, Any]:
        return _feeds.calendar_id == calendar_id, _feeds.account_id == self._transaction.account_id


def _event(row: AnyRow) -> FoundEvent:
    return FoundEvent(CalendarId(row.calendar_id), row.event_id, EngagementId(row.engagement_id), row.organized_here)
