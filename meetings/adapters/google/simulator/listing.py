"""events.list and events.instances: what belongs to a list, its pages, and its sync tokens.

Source: events.list (reference: parameters), "Synchronize resources efficiently", "Page through lists of resources".

- A sync token stands for the moment before the first page was read, so a change made between two pages is never missed:
  it comes with the next incremental list ("You don't need to worry about any new entries appearing while you are
  paginating", sync guide).
- A sync token does not remember timeMin and timeMax of the first list: the delta has every instance of a touched series
  (garrytan/gbrain, pull request 5015, measured).
- No sync token comes with orderBy, q, iCalUID, updatedMin or property filters (assumed: those cannot stand beside one).
- Cancelled events in an incremental list are skeletons, unless showDeleted is true (Events resource, `status`).
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from meetings.adapters.google.simulator import errors
from meetings.adapters.google.simulator.errors import Json
from meetings.adapters.google.simulator.events import instance_fields, tombstone
from meetings.adapters.google.simulator.recurrence import occurrences
from meetings.adapters.google.simulator.times import instant, read_instant, read_zone, stamp, written
from meetings.adapters.google.simulator.world import Account, Calendar, StoredEvent, World

DEFAULT_PAGE, LARGEST_PAGE = 250, 2500
# "Too far in the past" is not documented as a number; about four weeks is assumed.
OLDEST_UPDATED_MIN = timedelta(days=28)
_NOT_WITH_SYNC_TOKEN = (
    "iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What a list asks for, read from its query. `since`: only what changed after this number of the calendar."""

    single: bool
    show_deleted: bool
    starts_before: datetime | None
    ends_after: datetime | None
    updated_min: datetime | None
    since: int | None
    zone: ZoneInfo
    query: Json


@dataclass(frozen=True)
class Entry:
    """A line of the list: where it sorts, the event's fields, and whether it is told without details."""

    key: tuple[Any, ...]
    fields: Json
    bare: bool = False


@dataclass(frozen=True)
class Page:
    entries: list[Entry]
    next_page_token: str | None
    next_sync_token: str | None


def list_events(
    world: World, calendar: Calendar, account: Account, query: Json, *, largest: int | None, empty_first: bool
) -> Page:
    """One page. `largest` and `empty_first` force small and empty pages ("may be less than this value, or none at
    all").

    Raises:
        GoogleError: 400 for a combination that events.list forbids, 410 for a dead sync token or an old updatedMin.
    """
    question = _read(world, calendar, account, query)
    cursor, number, snapshot = _read_page_token(query, calendar)
    if empty_first and number == 1 and cursor is None:
        return Page([], _page_token(None, 2, snapshot, query), None)
    lines = sorted(_entries(calendar, question), key=lambda entry: entry.key)
    rest = [entry for entry in lines if cursor is None or entry.key > cursor]
    size = min(query.get("maxResults", DEFAULT_PAGE), LARGEST_PAGE, largest or LARGEST_PAGE)
    if len(rest) > size:
        return Page(rest[:size], _page_token(rest[size - 1].key, number + 1, snapshot, query), None)
    restricted = any(query.get(name) for name in _NOT_WITH_SYNC_TOKEN if name not in ("timeMin", "timeMax"))
    token = None if restricted else _sync_token(calendar, account, snapshot, question.single)
    return Page(rest, None, token)


def list_instances(calendar: Calendar, series: StoredEvent, query: Json, *, largest: int | None) -> Page:
    """events.instances: the instances of one series, moved and (with showDeleted) cancelled ones included."""
    zone = calendar.zone
    question = Question(
        single=True,
        show_deleted=query.get("showDeleted", False),
        starts_before=_moment(query, "timeMax"),
        ends_after=_moment(query, "timeMin"),
        updated_min=None,
        since=None,
        zone=zone,
        query={},
    )
    cursor, number, snapshot = _read_page_token(query, calendar)
    lines = sorted(_instances(series, question), key=lambda entry: entry.key)
    rest = [entry for entry in lines if cursor is None or entry.key > cursor]
    size = min(query.get("maxResults", DEFAULT_PAGE), LARGEST_PAGE, largest or LARGEST_PAGE)
    if len(rest) > size:
        return Page(rest[:size], _page_token(rest[size - 1].key, number + 1, snapshot, query), None)
    return Page(rest, None, None)


def page_number(query: Json) -> int:
    """1 for the first page; for faults that hit page k."""
    token = _decoded(query.get("pageToken"))
    return int(token["n"]) if token else 1


def _read(world: World, calendar: Calendar, account: Account, query: Json) -> Question:
    if query.get("syncToken") and any(query.get(name) for name in _NOT_WITH_SYNC_TOKEN):
        raise errors.sync_token_with_restrictions()
    if query.get("syncToken") and query.get("showDeleted") is False:
        raise errors.sync_token_with_restrictions()
    if query.get("orderBy") == "startTime" and not query.get("singleEvents"):
        raise errors.invalid("The requested ordering is not available for the particular query.", "orderBy")
    ends_after, starts_before = _moment(query, "timeMin"), _moment(query, "timeMax")
    if ends_after and starts_before and starts_before <= ends_after:
        raise errors.time_range_empty()
    updated_min = _moment(query, "updatedMin")
    if updated_min and updated_min < world.now() - OLDEST_UPDATED_MIN:
        raise errors.updated_min_too_long_ago()
    single = query.get("singleEvents", False)
    return Question(
        single=single,
        show_deleted=query.get("showDeleted", False),
        starts_before=starts_before,
        ends_after=ends_after,
        updated_min=updated_min,
        since=_since(calendar, account, query.get("syncToken"), single),
        zone=read_zone(query["timeZone"]) if query.get("timeZone") else calendar.zone,
        query=query,
    )


def _moment(query: Json, name: str) -> datetime | None:
    return read_instant(query[name], name) if query.get(name) else None


def _entries(calendar: Calendar, question: Question) -> Iterator[Entry]:
    for stored in calendar.events.values():
        if stored.is_series or stored.gone:
            yield from _instances(stored, question) if question.single else _series(stored, question)
        if not stored.is_series:
            yield from _plain(stored, stored.changed, question)


def _plain(stored: StoredEvent, changed: int, question: Question) -> Iterator[Entry]:
    fields, deleted = stored.fields, stored.is_cancelled
    told = not deleted or question.show_deleted or question.since is not None or question.updated_min is not None
    if told and _asked(fields, changed, question) and _in_window(fields["start"], fields["end"], question):
        bare = deleted and not question.show_deleted
        yield Entry(_key(fields, stored.position, "", question), fields, bare)


def _series(stored: StoredEvent, question: Question) -> Iterator[Entry]:
    """singleEvents=false: the series itself when any instance is in the window, and each exception."""
    if stored.is_series:
        window = {"ends_after": question.ends_after, "starts_before": question.starts_before}
        touches = not any(window.values()) or bool(occurrences(stored.fields, question.zone, **window))
        told = not stored.is_cancelled or question.show_deleted or question.since is not None
        if told and touches and _asked(stored.fields, stored.changed, question):
            bare = stored.is_cancelled and not question.show_deleted
            yield Entry(_key(stored.fields, stored.position, "", question), stored.fields, bare)
    for key, exception in stored.exceptions.items():
        yield from _exception(stored, key, exception, exception.changed, question, always=True)


def _instances(stored: StoredEvent, question: Question) -> Iterator[Entry]:
    """singleEvents=true: planned instances, exceptions at their own time, and what was taken away."""
    if stored.is_series and not stored.is_cancelled:
        window = {"ends_after": question.ends_after, "starts_before": question.starts_before}
        for occurrence in occurrences(stored.fields, question.zone, **window):
            if occurrence.key not in stored.exceptions and _asked(stored.fields, stored.changed, question):
                fields = instance_fields(stored, occurrence)
                yield Entry(_key(fields, stored.position, occurrence.key, question), fields)
    for key, exception in stored.exceptions.items():
        yield from _exception(stored, key, exception, max(exception.changed, stored.changed), question, always=False)
    for key, (original_start, changed) in stored.gone.items():
        told = question.show_deleted or question.since is not None or question.updated_min is not None
        fields = tombstone(stored, key, original_start)
        if told and _asked(fields, changed, question) and _in_window(original_start, original_start, question):
            yield Entry(_key(fields, stored.position, key, question), fields, bare=True)


def _exception(
    series: StoredEvent, key: str, exception: StoredEvent, changed: int, question: Question, *, always: bool
) -> Iterator[Entry]:
    """A moved or cancelled instance. `always`: cancelled ones are told even without showDeleted ("Cancelled instances
    ... will still be included if showDeleted and singleEvents are both False", events.list).
    """
    fields, cancelled = exception.fields, exception.is_cancelled
    if cancelled and not (always or question.show_deleted or question.since is not None or question.updated_min):
        return
    if series.is_cancelled and question.since is None and not question.show_deleted:
        return
    start, end = ("originalStartTime",) * 2 if cancelled else ("start", "end")
    if _asked(fields, changed, question) and _in_window(fields[start], fields[end], question):
        yield Entry(_key(fields, series.position, key, question), fields, bare=cancelled)


def _asked(fields: Json, changed: int, question: Question) -> bool:
    query = question.query
    if question.since is not None and changed <= question.since:
        return False
    if question.updated_min is not None and fields["updated"] < stamp(question.updated_min):
        return False
    if query.get("iCalUID") and fields["iCalUID"] != query["iCalUID"]:
        return False
    if query.get("eventTypes") and fields["eventType"] not in query["eventTypes"]:
        return False
    for kind in ("private", "shared"):
        own = fields.get("extendedProperties", {}).get(kind, {})
        wanted = query.get(f"{kind}ExtendedProperty") or []
        if not all(own.get(name) == value for name, _, value in (each.partition("=") for each in wanted)):
            return False
    return not query.get("q") or _mentions(fields, query["q"])


def _mentions(fields: Json, words: str) -> bool:
    people = [fields["organizer"], *fields.get("attendees", [])]
    texts = [fields.get(name, "") for name in ("summary", "description", "location")]
    texts += [person.get(name, "") for person in people for name in ("email", "displayName")]
    return all(any(word in text.casefold() for text in texts) for word in words.casefold().split())


def _in_window(start: Json, end: Json, question: Question) -> bool:
    """timeMin bounds the end, timeMax the start, both exclusive (events.list)."""
    if question.ends_after is not None and instant(end, question.zone) <= question.ends_after:
        return False
    return question.starts_before is None or instant(start, question.zone) < question.starts_before


def _key(fields: Json, position: int, instance: str, question: Question) -> tuple[Any, ...]:
    order = question.query.get("orderBy")
    if order == "startTime":
        return (written(instant(fields["start"], question.zone), ZoneInfo("UTC")), fields["id"])
    if order == "updated":
        return (fields["updated"], fields["id"])
    return (position, instance)


def _sync_token(calendar: Calendar, account: Account, snapshot: int, single: bool) -> str:
    own = {"c": calendar.id, "a": account.email, "e": calendar.epoch(account.email), "s": snapshot, "x": single}
    return _encoded(own)


def _since(calendar: Calendar, account: Account, token: str | None, single: bool) -> int | None:
    """The change number a sync token stands for.

    Another singleEvents than before is "undefined behavior" in Google's words; here it is refused, to show the mistake.
    """
    if not token:
        return None
    own = _decoded(token)
    if own is None or (own.get("c"), own.get("a"), own.get("e")) != (
        calendar.id,
        account.email,
        calendar.epoch(account.email),
    ):
        raise errors.full_sync_required()
    if own["x"] != single:
        raise errors.sync_token_with_restrictions()
    return int(own["s"])


def _page_token(key: tuple[Any, ...] | None, number: int, snapshot: int, query: Json) -> str:
    return _encoded({"k": key, "n": number, "s": snapshot, "q": _digest(query)})


def _read_page_token(query: Json, calendar: Calendar) -> tuple[tuple[Any, ...] | None, int, int]:
    """The last key of the page before, this page's number, and the calendar's change number when page 1 was read."""
    if not query.get("pageToken"):
        return None, 1, calendar.change
    token = _decoded(query["pageToken"])
    if token is None or token.get("q") != _digest(query):
        # All other parameters must be the same for every page ("Page through lists"); status assumed.
        raise errors.invalid("Invalid page token value.", "pageToken")
    return (tuple(token["k"]) if token["k"] is not None else None), int(token["n"]), int(token["s"])


def _digest(query: Json) -> str:
    same = {name: value for name, value in query.items() if name not in ("pageToken", "maxResults") and value}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:12]


def _encoded(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


def _decoded(token: str | None) -> Json | None:
    try:
        value = json.loads(base64.urlsafe_b64decode((token or "").encode()))
    except (ValueError, binascii.Error):
        return None
    return value if isinstance(value, dict) else None
