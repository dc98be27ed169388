"""Lists of events: `/events`, `/calendarView` with expanded series, and `/calendarView/delta`.

Source: "List calendarView", "List events", "Get incremental changes to events in a calendar view", event: delta. Found
by others and followed here:

- A deleted occurrence is not told; the series comes again, its master with all remaining occurrences. A series is never
  split over pages (microsoft-graph-docs, pull request 4501).
- Whatever changed outside the window, new events too, is told as removed (microsoft-graph-docs, issue 6599).
- `$select`, `$expand`, `$filter`, `$orderby` and `$search` are not for delta ("event: delta"); they are ignored
  (assumed: ignored, not refused).
- A removed series is told by its master's id alone (assumed).
"""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from meetings.adapters.office365.simulator import errors
from meetings.adapters.office365.simulator.errors import GraphError, Json
from meetings.adapters.office365.simulator.events import Found, occurrence_fields, occurrence_id
from meetings.adapters.office365.simulator.odata import Filter
from meetings.adapters.office365.simulator.recurrence import occurrences
from meetings.adapters.office365.simulator.times import instant
from meetings.adapters.office365.simulator.world import Account, Calendar, StoredEvent

# Seen since 2019, with this message (microsoft-graph-docs, issue 6284).
LONGEST_VIEW = timedelta(days=1825)


@dataclass(frozen=True)
class Window:
    """Half-open, aware UTC."""

    start: datetime
    end: datetime

    def touches(self, fields: Json) -> bool:
        """An event that only meets the window's edge is outside (assumed)."""
        begins, ends = bounds(fields)
        return (begins < self.end and ends > self.start) or (begins == ends and self.start <= begins < self.end)


@dataclass(frozen=True)
class DeltaEntry:
    """One line of a delta answer: `found` is None for what is gone."""

    id: str
    found: Found | None


@dataclass(frozen=True)
class DeltaPage:
    entries: list[DeltaEntry]
    skip_token: str | None
    delta_token: str | None


@dataclass(frozen=True)
class DeltaState:
    """What a token stands for. `since` is None in the first round. `page` counts from 1."""

    calendar_id: str
    email: str
    epoch: int
    since: int | None
    snapshot: int
    start: str
    end: str
    after: int | None = None
    page: int = 1

    @property
    def window(self) -> Window:
        return Window(datetime.fromisoformat(self.start), datetime.fromisoformat(self.end))

    def to_token(self) -> str:
        values = [getattr(self, name) for name in self.__dataclass_fields__]
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def check_window(window: Window) -> Window:
    """Raises GraphError 400 (what an end before the start gets is assumed)."""
    if window.end < window.start:
        raise GraphError(400, "ErrorInvalidParameter", "The end of the time range is before its start.")
    if window.end - window.start > LONGEST_VIEW:
        words = "Your request can't be completed. The range between the start and end dates is greater than the allowed"
        raise errors.invalid_request(f"{words} range. Maximum number of days: {LONGEST_VIEW.days}")
    return window


def bounds(fields: Json) -> tuple[datetime, datetime]:
    """When an event is, as UTC instants.

    Whole days are shown as days, but kept and searched as the instants they were in the zone they were made in
    (microsoft-graph-docs, issue 16798).
    """
    return instant(fields["start"]), instant(fields["end"])


def view(calendar: Calendar, window: Window) -> list[Found]:
    """Single events, occurrences and exceptions that touch the window, by start."""
    found = [each for stored in _live(calendar) for each in _instances(stored, window)]
    return sorted(found, key=lambda each: (bounds(each.fields)[0], each.id))


def plain_list(calendar: Calendar, wanted: Filter | None) -> list[Found]:
    """Single events and masters of series, by creation (assumed), as far as they pass."""
    found = [Found(stored.id, stored.fields, stored) for stored in _live(calendar)]
    return [each for each in found if wanted is None or _passes(each, wanted)]


def first_state(calendar: Calendar, account: Account, window: Window) -> DeltaState:
    start, end = window.start.isoformat(), window.end.isoformat()
    return DeltaState(calendar.id, account.email, calendar.sync_epoch, None, calendar.change, start, end)


def read_token(token: str, calendar: Calendar, account: Account) -> DeltaState:
    """Raises GraphError 400 for text that is no token of this calendar, 410 for one that is dead."""
    try:
        state = DeltaState(*token_values(token))
    except (ValueError, TypeError):
        raise errors.sync_state_unreadable() from None
    if (state.calendar_id, state.email) != (calendar.id, account.email):
        raise errors.sync_state_unreadable()
    if state.epoch != calendar.sync_epoch:
        raise errors.sync_state_gone()
    return state


def token_values(token: str) -> Any:
    """Raises ValueError for text that is no token."""
    try:
        return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except binascii.Error:
        raise ValueError("not a token") from None


def delta_round(calendar: Calendar, state: DeltaState) -> DeltaState:
    """The state a delta token starts a new round with."""
    return DeltaState(
        state.calendar_id, state.email, state.epoch, state.snapshot, calendar.change, state.start, state.end
    )


def delta_page(calendar: Calendar, state: DeltaState, size: int, *, empty_first: bool) -> DeltaPage:
    """One page of a round. The delta token stands for the moment before the round's first page was read, so a change
    between two pages comes with the next round (assumed: it may come twice, never not at all)."""
    if empty_first and state.page == 1:
        return DeltaPage([], _next(state, state.after).to_token(), None)
    entries: list[DeltaEntry] = []
    rest = [each for each in _by_position(calendar) if state.after is None or each.position > state.after]
    for number, stored in enumerate(rest):
        entries += _told(stored, state)
        if len(entries) >= size and any(_told(each, state) for each in rest[number + 1 :]):
            return DeltaPage(entries, _next(state, stored.position).to_token(), None)
    return DeltaPage(entries, None, state.to_token())


def _next(state: DeltaState, after: int | None) -> DeltaState:
    values = {name: getattr(state, name) for name in state.__dataclass_fields__}
    return DeltaState(**{**values, "after": after, "page": state.page + 1})


def _told(stored: StoredEvent, state: DeltaState) -> list[DeltaEntry]:
    if state.since is None:
        found = _with_master(stored, state.window)
        return [DeltaEntry(each.id, each) for each in found]
    if stored.changed <= state.since:
        return []
    if stored.removed:
        return [DeltaEntry(stored.id, None)]
    found = _with_master(stored, state.window)
    return [DeltaEntry(each.id, each) for each in found] or [DeltaEntry(stored.id, None)]


def _with_master(stored: StoredEvent, window: Window) -> list[Found]:
    if stored.removed:
        return []
    found = list(_instances(stored, window))
    return [Found(stored.id, stored.fields, stored), *found] if stored.is_series and found else found


def _instances(stored: StoredEvent, window: Window) -> Iterator[Found]:
    if not stored.is_series:
        if window.touches(stored.fields):
            yield Found(stored.id, stored.fields, stored)
        return
    for occurrence in occurrences(stored.fields, window.start, window.end):
        if occurrence.key not in stored.cancelled and occurrence.key not in stored.exceptions:
            fields = occurrence_fields(stored, occurrence)
            yield Found(occurrence_id(stored, occurrence.key), fields, None, stored, occurrence.key)
    for key, exception in stored.exceptions.items():
        if window.touches(exception.fields):
            yield Found(exception.id, exception.fields, exception, stored, key)


def _live(calendar: Calendar) -> list[StoredEvent]:
    return [stored for stored in calendar.events.values() if not stored.removed]


def _by_position(calendar: Calendar) -> list[StoredEvent]:
    return sorted(calendar.events.values(), key=lambda stored: stored.position)


def _passes(found: Found, wanted: Filter) -> bool:
    if wanted.extended is not None:
        return found.stored is not None and found.stored.extended.get(wanted.extended) == wanted.value
    return bool(found.fields.get(wanted.name or "") == wanted.value)
