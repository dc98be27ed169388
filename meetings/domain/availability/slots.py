"""Which slots a page offers, and who is free for one of them."""

from collections.abc import Sequence

from meetings.domain.availability.blocks import Pool, host_blocked, page_blocks, pool_blocked
from meetings.domain.availability.hosts import HostTime
from meetings.domain.availability.hours import Stretch, on_grid, startable
from meetings.domain.availability.rules import SlotRules
from meetings.domain.availability.spans import Spans, union
from meetings.domain.availability.zones import DAY

NONE_LEFT = (1 << 62, 1 << 62)


def open_starts(
    rules: SlotRules,
    hosts: Sequence[HostTime],
    pool: Pool,
    *,
    start: int,
    end: int,
    earliest: int,
    page_meetings: Sequence[int] = (),
) -> list[int]:
    """The starts offered in `[start, end)`, sorted.

    No slot begins before `earliest`: now plus the page's notice. `page_meetings` are the starts of the page's meetings
    that count towards the caps of `rules`, at least those of every day and week asked about. Whether a start is offered
    does not depend on the span asked about. Without hosts nothing is offered.
    """
    offered = _offered_by_page(rules, start, end, earliest, page_meetings)
    if not offered:
        return []
    return on_grid(_without(offered, pool_blocked(rules, hosts, pool, start, end)), rules.increment)


def free_hosts(
    rules: SlotRules,
    hosts: Sequence[HostTime],
    *,
    start: int,
    earliest: int,
    page_meetings: Sequence[int] = (),
) -> list[str]:
    """The hosts free for the slot that begins at `start`, in the order given; none when the page never offers it.

    `open_starts` offers the slot to a round robin when this names anybody, otherwise when this names everybody.
    """
    offered = _offered_by_page(rules, start, start + 1, earliest, page_meetings)
    return [
        host.host
        for host in hosts
        if on_grid(_without(offered, host_blocked(rules, host, start, start + 1)), rules.increment)
    ]


def next_open_start(
    rules: SlotRules,
    hosts: Sequence[HostTime],
    pool: Pool,
    *,
    at_or_after: int,
    until: int,
    earliest: int,
    page_meetings: Sequence[int] = (),
) -> int | None:
    """The first start offered in `[at_or_after, until)`; the search looks at few days first, then at more at once."""
    start, days = max(at_or_after, earliest), 7
    while start < until:
        end = min(start + days * DAY, until)
        found = open_starts(rules, hosts, pool, start=start, end=end, earliest=earliest, page_meetings=page_meetings)
        if found:
            return found[0]
        start, days = end, days * 2
    return None


def _offered_by_page(
    rules: SlotRules, start: int, end: int, earliest: int, page_meetings: Sequence[int]
) -> list[Stretch]:
    """Where in `[start, end)` the page's own rules let a slot begin, the grid aside."""
    if start >= end:
        return []
    blocked = union([block.starts for block in page_blocks(rules, start, end, earliest, page_meetings)])
    return _without(startable(rules.hours, rules.duration, start, end), blocked)


def _without(stretches: list[Stretch], blocked: Spans) -> list[Stretch]:
    """One sweep over both."""
    left: list[Stretch] = []
    blocks = iter(blocked)
    block_start, block_end = next(blocks, NONE_LEFT)
    for low, high, anchor in stretches:
        while low < high:
            while block_end <= low:
                block_start, block_end = next(blocks, NONE_LEFT)
            if block_start >= high:
                left.append((low, high, anchor))
                break
            if block_start > low:
                left.append((low, block_start, anchor))
            low = block_end
    return left
