"""Our copy of calendars' busy time. A full read fills a shadow copy under its own number, which then takes over."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import Text, and_, bindparam, cast, delete, func, insert, or_, select, update

from meetings.application.event_keys import counts_as_busy
from meetings.application.ports.calendars import EventTime, RemovedEvent
from meetings.application.ports.outbox import LeaseLost
from meetings.application.ports.sync_schedule import SyncClaim
from meetings.application.ports.unit_of_work import MirroredTime, MirrorState
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.calendar_connection import CalendarHealth
from meetings.domain.identifiers import CalendarId, ConnectionId, UserId
from meetings.domain.timespan import TimeSpan, ceil_minute, floor_minute
from meetings.infrastructure.database.reading_turns import CALENDAR_TURNS
from meetings.infrastructure.database.tables import calendars, connections, mirror_states, mirror_times
from meetings.infrastructure.database.transaction import AnyRow, Transaction

T = TypeVar("T")
CHUNK = 500

_states, _times = mirror_states.c, mirror_times.c


BUSY = (
    select(func.aggregate_strings(cast(_times.start_minute, Text) + " " + cast(_times.end_minute, Text), " "))
    .where(
        _times.calendar_id == _states.calendar_id,
        _times.copy == _states.copy,
        _times.end_minute > bindparam("start"),
        _times.start_minute < bindparam("end"),
    )
    .scalar_subquery()
)
"""All busy times of a calendar as one text, "start end start end ...", in any order: there are hundreds, and a row for
each would cost more than all the rest of a question."""

OF_HOSTS = (
    select(
        connections.c.user_id,
        calendars.c.id,
        calendars.c.health,
        _states.window_start,
        _states.window_end,
        _states.confirmed_at,
        BUSY,
    )
    .select_from(
        connections.outerjoin(
            calendars, and_(calendars.c.connection_id == connections.c.id, calendars.c.selected)
        ).outerjoin(mirror_states, _states.calendar_id == calendars.c.id)
    )
    .where(
        connections.c.account_id == bindparam("account"),
        connections.c.user_id.in_(bindparam("hosts", expanding=True)),
    )
)
"""A row per selected calendar of each host with a connection, one without a calendar where none is selected."""

STATE = (
    select(
        calendars.c.id.label("calendar_id"),
        calendars.c.connection_id,
        _states.cursor,
        _states.window_start,
        _states.window_end,
        _states.confirmed_at,
        _states.failures,
    )
    .select_from(calendars.outerjoin(mirror_states, _states.calendar_id == calendars.c.id))
    .where(calendars.c.account_id == bindparam("account"))
)


class SqlBusyMirror:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    # ---- reading ----------------------------------------------------------------------------------------------------

    async def of_hosts(
        self, hosts: Collection[UserId], span: TimeSpan, *, confirmed_since: datetime
    ) -> dict[UserId, MirroredTime]:
        if not hosts:
            return {}
        start, end = span.minutes()
        values = {"account": self._transaction.account_id, "hosts": list(hosts), "start": start, "end": end}
        found: dict[UserId, HostSoFar] = {}
        for user, _, health, window_start, window_end, confirmed_at, busy in await self._transaction.rows(
            OF_HOSTS, values
        ):
            host = found.setdefault(UserId(user), HostSoFar())
            host.take_calendar(health, window_start, window_end, confirmed_at)
            host.take_busy(busy)
        return {user_id: host.known(user_id, confirmed_since) for user_id, host in found.items()}

    async def by_calendar(self, host: UserId, span: TimeSpan) -> list[tuple[int, int, CalendarId]]:
        start, end = span.minutes()
        values = {"account": self._transaction.account_id, "hosts": [host], "start": start, "end": end}
        rows = await self._transaction.rows(OF_HOSTS, values)
        return [(*pair, CalendarId(calendar)) for _, calendar, *_, busy in rows for pair in _pairs(busy)]

    async def state(self, calendar_id: CalendarId) -> MirrorState:
        query = STATE.where(calendars.c.id == calendar_id)
        for row in await self._transaction.rows(query, {"account": self._transaction.account_id}):
            return mirror_state(row)
        raise NotFound("calendar")

    # ---- changing the copy in force ---------------------------------------------------------------------------------

    async def keep_reading(self, claim: SyncClaim, *, lease_seconds: int) -> None:
        renewal = CALENDAR_TURNS.renewal(claim.calendar_id, claim, lease_seconds)
        if (await self._transaction.run(renewal)).rowcount != 1:
            raise LeaseLost

    async def apply(
        self, calendar_id: CalendarId, changed: Sequence[EventTime], removed: Sequence[RemovedEvent]
    ) -> bool:
        copy = (await self._locked(calendar_id)).copy
        here = and_(_times.calendar_id == calendar_id, _times.copy == copy)
        gone = [event.event_id for event in removed]
        touched = [*gone, *(event.event_id for event in changed)]
        before: dict[str, tuple[int, int]] = {}
        for ids in _chunks(touched):
            known = or_(_times.event_id.in_(ids), _times.series_id.in_(set(ids).intersection(gone)))
            query = delete(mirror_times).where(here, known)
            rows = await self._transaction.rows(
                query.returning(_times.event_id, _times.start_minute, _times.end_minute)
            )
            before.update({event_id: (start, end) for event_id, start, end in rows})
        after = {event.event_id: event for event in changed if _blocks(event)}
        await self._insert(calendar_id, copy, after.values())
        return sorted(before.values()) != sorted((event.start, event.end) for event in after.values())

    async def confirm(self, calendar_id: CalendarId, *, cursor: str | None, at: datetime) -> None:
        await self._locked(calendar_id)
        await self._change(calendar_id, cursor=cursor, confirmed_at=at, failures=0)

    async def note_failure(self, calendar_id: CalendarId) -> int:
        failures: int = (await self._locked(calendar_id)).failures + 1
        await self._change(calendar_id, failures=failures)
        return failures

    async def forget(self, calendar_id: CalendarId) -> None:
        mine = and_(_states.calendar_id == calendar_id, _states.account_id == self._transaction.account_id)
        await self._transaction.run(delete(mirror_states).where(mine))

    # ---- shadow copies ----------------------------------------------------------------------------------------------

    async def begin_copy(self, calendar_id: CalendarId) -> int:
        state = await self._locked(calendar_id)
        shadow: int = max(state.copy, state.shadow or 0) + 1
        await self._drop_all_but(calendar_id, state.copy)
        await self._change(calendar_id, shadow=shadow)
        return shadow

    async def fill_copy(self, calendar_id: CalendarId, copy: int, changed: Sequence[EventTime]) -> None:
        await self._locked(calendar_id, shadow=copy)
        here = and_(_times.calendar_id == calendar_id, _times.copy == copy)
        for ids in _chunks(event.event_id for event in changed):
            await self._transaction.run(delete(mirror_times).where(here, _times.event_id.in_(ids)))
        await self._insert(calendar_id, copy, {event.event_id: event for event in changed if _blocks(event)}.values())

    async def swap_copy(self, calendar_id: CalendarId, copy: int, window: TimeSpan) -> bool:
        state = await self._locked(calendar_id, shadow=copy)
        changed = await self._spans(calendar_id, state.copy) != await self._spans(calendar_id, copy)
        await self._change(calendar_id, copy=copy, shadow=None, window_start=window.start, window_end=window.end)
        await self._drop_all_but(calendar_id, copy)
        return changed

    # ---- rows -------------------------------------------------------------------------------------------------------

    async def _locked(self, calendar_id: CalendarId, *, shadow: int | None = None) -> AnyRow:
        """The calendar's state, made if there is none, locked for the rest of the transaction.

        Raises:
            NotFound: the account has no such calendar.
            ConcurrentChange: not `shadow` is being filled, but another copy or none.
        """
        transaction = self._transaction
        mine = and_(calendars.c.id == calendar_id, calendars.c.account_id == transaction.account_id)
        query = select(mirror_states).where(
            _states.calendar_id == calendar_id, _states.account_id == transaction.account_id
        )
        rows = await transaction.rows(query.with_for_update())
        if not rows:
            if not await transaction.rows(select(calendars.c.id).where(mine)):
                raise NotFound("calendar")
            row = {"calendar_id": calendar_id, "account_id": transaction.account_id, "copy": 0, "failures": 0}
            await transaction.run(transaction.insert(mirror_states).values(row).on_conflict_do_nothing())
            rows = await transaction.rows(query.with_for_update())
        if shadow is not None and rows[0].shadow != shadow:
            raise ConcurrentChange
        return rows[0]

    async def _change(self, calendar_id: CalendarId, **values: object) -> None:
        await self._transaction.run(update(mirror_states).where(_states.calendar_id == calendar_id).values(**values))

    async def _insert(self, calendar_id: CalendarId, copy: int, events: Iterable[EventTime]) -> None:
        rows = [
            {
                "calendar_id": calendar_id,
                "copy": copy,
                "event_id": event.event_id,
                "account_id": self._transaction.account_id,
                "series_id": event.series_id,
                "start_minute": event.start,
                "end_minute": event.end,
            }
            for event in events
        ]
        if rows:
            await self._transaction.run(insert(mirror_times), rows)

    async def _spans(self, calendar_id: CalendarId, copy: int) -> list[tuple[int, int]]:
        query = select(_times.start_minute, _times.end_minute).where(
            _times.calendar_id == calendar_id, _times.copy == copy
        )
        return sorted((start, end) for start, end in await self._transaction.rows(query))

    async def _drop_all_but(self, calendar_id: CalendarId, copy: int) -> None:
        other = and_(_times.calendar_id == calendar_id, _times.copy != copy)
        await self._transaction.run(delete(mirror_times).where(other))


@dataclass(slots=True)
class HostSoFar:
    """What the rows read so far say about one host."""

    windows: list[tuple[int, int]] = field(default_factory=list)
    confirmed: list[datetime | None] = field(default_factory=list)
    busy: list[tuple[int, int]] = field(default_factory=list)

    def take_calendar(
        self,
        health: str | None,
        window_start: datetime | None,
        window_end: datetime | None,
        confirmed_at: datetime | None,
    ) -> None:
        if window_start is None or window_end is None or health == CalendarHealth.LOST.value:
            self.windows.append((0, 0))
        else:  # rounded inwards: a minute that was not read whole is not known
            self.windows.append((ceil_minute(window_start), floor_minute(window_end)))
        self.confirmed.append(confirmed_at)

    def take_busy(self, busy: str | None) -> None:
        self.busy.extend(_pairs(busy))

    def known(self, host: UserId, confirmed_since: datetime) -> MirroredTime:
        known_from = max(start for start, _ in self.windows)
        known_until = min(end for _, end in self.windows)
        oldest = min((at for at in self.confirmed if at), default=None) if None not in self.confirmed else None
        if oldest is None or oldest < confirmed_since or known_until <= known_from:
            known_from = known_until = 0
        return MirroredTime(host, sorted(self.busy), known_from, known_until, oldest)


def mirror_state(row: AnyRow) -> MirrorState:
    """The state in a row of `STATE`."""
    return MirrorState(
        calendar_id=CalendarId(row.calendar_id),
        connection_id=ConnectionId(row.connection_id),
        cursor=row.cursor,
        window=None if row.window_start is None else TimeSpan(row.window_start, row.window_end),
        confirmed_at=row.confirmed_at,
        failures=row.failures or 0,
    )


def _blocks(event: EventTime) -> bool:
    """Whether an event counts as busy: a booking's does not, the booking does instead."""
    return event.status.blocks and counts_as_busy(event.booking_key) and event.end > event.start


def _pairs(busy: str | None) -> Iterable[tuple[int, int]]:
    """The start and end minutes in a text of `BUSY`."""
    minutes = list(map(int, busy.split())) if busy else []
    return zip(minutes[::2], minutes[1::2], strict=True)


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk
