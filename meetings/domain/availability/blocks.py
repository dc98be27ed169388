"""What takes start times away, and why.

A block is a set of starts at which one reason forbids a slot. A start that the opening hours and the grid allow is
offered exactly when no block holds it. Listing slots and explaining missing ones read the same blocks.

A set may reach beyond the span of starts asked about.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from meetings.domain.availability.hosts import BusyKind, BusySpan, HostTime
from meetings.domain.availability.hours import OpeningHours, startable
from meetings.domain.availability.rules import SlotRules
from meetings.domain.availability.spans import Spans, complement, intersection, merged, union
from meetings.domain.availability.zones import DAY, FARTHEST, day_number, instants_between, wall_minute


class Pool(Enum):
    """How many of its hosts a slot of a page needs: all (one-on-one, group) or any one (round robin)."""

    ALL = "all"
    ANY = "any"


class Reason(Enum):
    """Why a start is not offered. The further up, the more lasting."""

    BOOKING_WINDOW = "booking window"
    MINIMUM_NOTICE = "minimum notice"
    DATE_OVERRIDE = "date override"
    OUTSIDE_HOURS = "outside hours"
    NOT_ON_GRID = "not on grid"
    WEEKLY_LIMIT = "weekly limit"
    DAILY_LIMIT = "daily limit"
    BUSY = "busy"
    BUFFER = "buffer"
    HELD = "held"
    HOST_UNREACHABLE = "host unreachable"


class Block(NamedTuple):
    """`source` names the rule, or is the busy span's own source."""

    reason: Reason
    source: str
    starts: Spans


def page_blocks(rules: SlotRules, start: int, end: int, earliest: int, page_meetings: Sequence[int]) -> Iterator[Block]:
    """What the page's rules, hours and grid aside, take from the starts `[start, end)`."""
    if earliest > start:
        yield Block(Reason.MINIMUM_NOTICE, "earliest", [(start, earliest)])
    zone = rules.hours.zone
    if rules.first_date is not None:
        opening = day_number(rules.first_date) * DAY
        too_soon = instants_between(zone, start - FARTHEST, opening, start=start, end=end)
        yield Block(Reason.BOOKING_WINDOW, "first_date", too_soon)
    if rules.last_date is not None:
        closing = (day_number(rules.last_date) + 1) * DAY
        too_late = instants_between(zone, closing, end + FARTHEST, start=start, end=end)
        yield Block(Reason.BOOKING_WINDOW, "last_date", too_late)
    if rules.max_per_day is not None:
        full = _full(zone, page_meetings, rules.max_per_day, _day, start, end)
        yield Block(Reason.DAILY_LIMIT, "max_per_day", full)
    if rules.max_per_week is not None:
        full = _full(zone, page_meetings, rules.max_per_week, _week, start, end)
        yield Block(Reason.WEEKLY_LIMIT, "max_per_week", full)


def hours_blocks(rules: SlotRules, start: int, end: int) -> Iterator[Block]:
    """What opening hours take from the starts `[start, end)`: what a date override took, and the rest."""
    closed = _closed(rules.hours, rules.duration, start, end)
    usually_closed = _closed(rules.hours.without_overrides, rules.duration, start, end)
    usually_open = complement(usually_closed, start, end)
    yield Block(Reason.DATE_OVERRIDE, "overrides", intersection(closed, usually_open))
    yield Block(Reason.OUTSIDE_HOURS, "weekly", intersection(closed, usually_closed))


def pool_blocked(rules: SlotRules, hosts: Sequence[HostTime], pool: Pool, start: int, end: int) -> Spans:
    """The starts for which the hosts that are needed are not free; all of them when there is no host."""
    if not hosts:
        return [(start, end)]
    if pool is Pool.ALL:
        return union([part for host in hosts for part in _parts(rules, host, start, end)])
    nobody = [(start, end)]
    for host in hosts:
        nobody = intersection(nobody, host_blocked(rules, host, start, end))
        if not nobody:
            break
    return nobody


def host_blocked(rules: SlotRules, host: HostTime, start: int, end: int) -> Spans:
    """The starts for which one host is not free."""
    return union(_parts(rules, host, start, end))


def host_blocks(rules: SlotRules, host: HostTime, start: int, end: int) -> Iterator[Block]:
    """What one host takes from the starts `[start, end)`: the parts of `host_blocked`, each with its reason."""
    yield from _host_rule_blocks(rules, host, start, end)
    yield from _busy_blocks(rules, host.busy, start, end)


def _parts(rules: SlotRules, host: HostTime, start: int, end: int) -> list[Spans]:
    """Busy time and rules of one host, as starts; together they are what the host blocks."""
    return [_busy_starts(rules, host, start, end), *(b.starts for b in _host_rule_blocks(rules, host, start, end))]


def _busy_starts(rules: SlotRules, host: HostTime, start: int, end: int) -> Spans:
    """The starts whose slot, widened by the buffers, overlaps busy time."""
    starts, ends = host.taken
    lead, tail = rules.duration + rules.buffer_after - 1, rules.buffer_before
    first, last = bisect_right(ends, start - tail), bisect_left(starts, end + lead)
    if first >= last:
        return []
    result: Spans = []
    low, high = starts[first] - lead, ends[first] + tail
    for begins, over in zip(starts[first:last], ends[first:last], strict=True):
        if begins - lead > high:
            result.append((low, high))
            low = begins - lead
        high = over + tail
    result.append((low, high))
    return result


def _busy_blocks(rules: SlotRules, busy: Sequence[BusySpan | tuple[int, int]], start: int, end: int) -> Iterator[Block]:
    found: defaultdict[tuple[Reason, str], Spans] = defaultdict(list)
    before, after, lead = rules.buffer_before, rules.buffer_after, rules.duration - 1
    for low, high, source, kind in (BusySpan(*span) for span in busy):
        if low >= high or high + before <= start or low - lead - after >= end:
            continue
        if kind is BusyKind.HELD:
            found[Reason.HELD, source].append((low - lead - after, high + before))
            continue
        found[Reason.BUSY, source].append((low - lead, high))
        if after:
            found[Reason.BUFFER, source].append((low - lead - after, low - lead))
        if before:
            found[Reason.BUFFER, source].append((high, high + before))
    for (reason, source), starts in found.items():
        yield Block(reason, source, merged(starts))


def _host_rule_blocks(rules: SlotRules, host: HostTime, start: int, end: int) -> Iterator[Block]:
    last_known = host.known_until - rules.duration + 1
    if host.known_from > start or last_known < end:
        known = [(host.known_from, last_known)] if host.known_from < last_known else []
        yield Block(Reason.HOST_UNREACHABLE, "known", complement(known, start, end))
    if host.working_hours is not None:
        closed = _closed(host.working_hours, rules.duration, start, end)
        yield Block(Reason.OUTSIDE_HOURS, "working_hours", closed)
    if host.max_per_day is not None:
        full = _full(rules.hours.zone, host.meetings, host.max_per_day, _day, start, end)
        yield Block(Reason.DAILY_LIMIT, "max_per_day", full)


def _closed(hours: OpeningHours, duration: int, start: int, end: int) -> Spans:
    """The starts in `[start, end)` whose slot is not open throughout."""
    return complement([(low, high) for low, high, _ in startable(hours, duration, start, end)], start, end)


def _full(zone: str, meetings: Sequence[int], cap: int, period: Callable[[int], range], start: int, end: int) -> Spans:
    """The instants of `[start, end)` in periods, days of the wall clock, that already have `cap` meetings."""
    counts = Counter(period(wall_minute(zone, meeting) // DAY) for meeting in meetings)
    full = [days for days, count in counts.items() if count >= cap]
    return merged(
        span
        for days in full
        for span in instants_between(zone, days.start * DAY, days.stop * DAY, start=start, end=end)
    )


def _day(day: int) -> range:
    return range(day, day + 1)


def _week(day: int) -> range:
    """The ISO week, Monday to Sunday, of a day since 1970-01-01."""
    monday = day - (day + 3) % 7
    return range(monday, monday + 7)
