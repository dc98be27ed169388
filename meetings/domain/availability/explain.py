"""Why a page does not offer a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from meetings.domain.availability.blocks import (
    Block,
    Pool,
    Reason,
    host_blocks,
    hours_blocks,
    page_blocks,
    pool_blocked,
)
from meetings.domain.availability.hosts import HostTime
from meetings.domain.availability.hours import on_grid, startable
from meetings.domain.availability.rules import SlotRules
from meetings.domain.availability.slots import open_starts
from meetings.domain.availability.spans import Spans, intersection
from meetings.domain.availability.zones import instants_of_day

RANK = {reason: rank for rank, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Missing:
    """No slot begins in `[start, end)` (minutes since the epoch, UTC), for one reason.

    `source` is the source of the busy span, or the rule: a field of `SlotRules`, `OpeningHours` or `HostTime`, or
    `earliest`, `hosts` (there is none), `known` (outside the span for which the host's busy time is known). `host` is
    the host concerned, empty when it is the page's own rule.
    """

    start: int
    end: int
    reason: Reason
    source: str
    host: str = ""


def explain(
    rules: SlotRules,
    hosts: Sequence[HostTime],
    pool: Pool,
    *,
    day: date,
    earliest: int,
    page_meetings: Sequence[int] = (),
) -> list[Missing]:
    """Every reason why slots are missing on `day`, a day of the page's zone.

    The spans are spans of starts: with slots of 30 minutes, an event from 10:00 takes the starts from 09:31 on. Every
    reason that holds is told, so spans of different reasons overlap; those of one reason, source and host do not.
    Sorted by start. The grid is left out: a start on the grid is offered exactly when no span holds it.

    For a round robin the reasons of hosts are told only where no host is free.
    """
    return [
        missing
        for start, end in instants_of_day(rules.hours.zone, day)
        for missing in _missing(rules, hosts, pool, start, end, earliest, page_meetings)
    ]


def why_not(
    rules: SlotRules,
    hosts: Sequence[HostTime],
    pool: Pool,
    *,
    start: int,
    earliest: int,
    page_meetings: Sequence[int] = (),
) -> Missing | None:
    """The most telling reason why no slot begins at `start`; None when one does.

    The page's rules come before its hosts; of several reasons the most lasting wins, in the order of `Reason`. A round
    robin is told what holds back the host that is nearest to being free.
    """
    end = start + 1
    if open_starts(rules, hosts, pool, start=start, end=end, earliest=earliest, page_meetings=page_meetings):
        return None
    reasons = _missing(rules, hosts, pool, start, end, earliest, page_meetings)
    of_page = [missing for missing in reasons if not missing.host]
    stretches = startable(rules.hours, rules.duration, start, end)
    if stretches and not on_grid(stretches, rules.increment):
        of_page.append(Missing(start, end, Reason.NOT_ON_GRID, "increment"))
    if of_page:
        return _most_lasting(of_page)
    if pool is Pool.ALL:
        return _most_lasting(reasons)
    return max((_most_lasting([each for each in reasons if each.host == host.host]) for host in hosts), key=_rank)


def _missing(
    rules: SlotRules,
    hosts: Sequence[HostTime],
    pool: Pool,
    start: int,
    end: int,
    earliest: int,
    page_meetings: Sequence[int],
) -> list[Missing]:
    """Every reason for the starts `[start, end)`, the grid aside."""
    asked = [(start, end)]
    hosts = [_near(host, rules, start, end) for host in hosts]
    of_page = [*hours_blocks(rules, start, end), *page_blocks(rules, start, end, earliest, page_meetings)]
    if not hosts:
        of_page.append(Block(Reason.HOST_UNREACHABLE, "hosts", asked))
    found = [missing for block in of_page for missing in _within(asked, block)]
    wanted = pool_blocked(rules, hosts, pool, start, end) if pool is Pool.ANY else asked
    for host in hosts:
        for block in host_blocks(rules, host, start, end):
            found += _within(wanted, block, host.host)
    return sorted(found, key=lambda each: (each.start, each.end, _rank(each), each.host, each.source))


def _near(host: HostTime, rules: SlotRules, start: int, end: int) -> HostTime:
    """The host without the busy spans that touch no slot, nor its buffers, that begins in `[start, end)`."""
    low, high = start - rules.buffer_before, end + rules.duration + rules.buffer_after
    return replace(host, busy=[span for span in host.busy if span[0] < high and span[1] > low])


def _within(spans: Spans, block: Block, host: str = "") -> list[Missing]:
    return [Missing(start, end, block.reason, block.source, host) for start, end in intersection(spans, block.starts)]


def _most_lasting(reasons: Sequence[Missing]) -> Missing:
    return min(reasons, key=_rank)


def _rank(missing: Missing) -> int:
    return RANK[missing.reason]
