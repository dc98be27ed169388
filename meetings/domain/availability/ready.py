"""Free time kept ready: one bit for each start that a page's opening hours and grid allow.

Bits stand for starts and not for minutes or quarters, and each is worked out from the exact minutes of what takes time
away. So any minute-exact busy time is right, and a year of a usual page is one or two kilobytes a host.

The answers are those of `open_starts`, from the same blocks.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from itertools import compress
from operator import and_, or_

from meetings.domain.availability.blocks import Pool, host_blocked, page_blocks
from meetings.domain.availability.hosts import BusySpan, HostTime
from meetings.domain.availability.hours import OpeningHours, on_grid, startable
from meetings.domain.availability.rules import SlotRules
from meetings.domain.availability.slots import open_starts
from meetings.domain.availability.spans import Spans, merged, union

RULE_SETS = 8
"""For how many sets of rules (usually: durations of pages) a host's bits are kept, those asked for last."""

PATCHED = 32
"""With more changed spans than this, all of a host's bits are made anew."""

_GRIDS = 64
_ZERO, _ONE = b"0", b"1"
_TRUTH = bytes.maketrans(_ZERO + _ONE, b"\0\1")

_Key = tuple[OpeningHours, int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Grid:
    """The starts of `[start, end)` that hours and grid allow, sorted; the first of n is bit n - 1, the last bit 0."""

    starts: list[int]

    def between(self, start: int, end: int) -> tuple[int, int]:
        """Positions of the starts in `[start, end)`."""
        first = bisect_left(self.starts, start)
        return first, bisect_left(self.starts, end, first)

    def bits(self, blocked: Spans, first: int, last: int) -> int:
        """Of the positions `first` to `last` (left out), a bit for each that is not blocked."""
        row = bytearray(_ONE) * (last - first)
        at = first
        for low, high in blocked:
            begin = bisect_left(self.starts, low, at, last)
            at = bisect_left(self.starts, high, begin, last)
            if at > begin:
                row[begin - first : at - first] = _ZERO * (at - begin)
        return int(row, 2) if row else 0


class ReadyHost:
    """One host's time in `[start, end)`, with the bits of the rule sets asked about lately.

    Takes one bit per allowed start and rule set, for `RULE_SETS` of them, beside what `HostTime` takes itself.
    """

    __slots__ = ("_bits", "end", "start", "time")

    def __init__(self, time: HostTime, start: int, end: int) -> None:
        self.time = time
        self.start = start
        self.end = end
        self._bits: OrderedDict[_Key, int] = OrderedDict()

    def change(self, time: HostTime) -> None:
        """Put other knowledge about the same host in place: where only busy time differs, only the starts it touches
        are worked out again."""
        before, self.time = self.time, time
        changed = _changed_busy(before, time)
        if changed is None:
            self._bits.clear()
            return
        for key in self._bits if changed else ():
            self._bits[key] = self._patched(key, changed)

    def free(self, rules: SlotRules) -> int:
        """The bits of the starts at which the host is free."""
        key = (rules.hours, rules.duration, rules.increment, rules.buffer_before, rules.buffer_after)
        bits = self._bits.get(key)
        if bits is None:
            grid = _grid(rules.hours, rules.duration, rules.increment, self.start, self.end)
            bits = grid.bits(host_blocked(rules, self.time, self.start, self.end), 0, len(grid.starts))
            self._bits[key] = bits
            if len(self._bits) > RULE_SETS:
                self._bits.popitem(last=False)
        else:
            self._bits.move_to_end(key)
        return bits

    def _patched(self, key: _Key, changed: Spans) -> int:
        hours, duration, increment, before, after = key
        rules = SlotRules(hours, duration, increment, before, after)
        grid = _grid(hours, duration, increment, self.start, self.end)
        bits, count = self._bits[key], len(grid.starts)
        touched = merged((low - duration - after + 1, high + before) for low, high in changed)
        for low, high in touched:
            first, last = grid.between(max(low, self.start), min(high, self.end))
            if first < last:
                blocked = host_blocked(rules, self.time, grid.starts[first], grid.starts[last - 1] + 1)
                shift = count - last
                mask = ((1 << (last - first)) - 1) << shift
                bits = bits & ~mask | grid.bits(blocked, first, last) << shift
        return bits


def ready_starts(
    rules: SlotRules,
    hosts: Sequence[ReadyHost],
    pool: Pool,
    *,
    start: int,
    end: int,
    earliest: int,
    page_meetings: Sequence[int] = (),
) -> list[int]:
    """What `open_starts` gives for the same hosts; without a sweep while `[start, end)` lies in what they keep ready
    and all of them keep the same span."""
    if not hosts or any((h.start, h.end) != (hosts[0].start, hosts[0].end) for h in hosts):
        return _swept(rules, hosts, pool, start, end, earliest, page_meetings)
    kept_from, kept_until = hosts[0].start, hosts[0].end
    if start < kept_from or end > kept_until:
        return _swept(rules, hosts, pool, start, end, earliest, page_meetings)
    grid = _grid(rules.hours, rules.duration, rules.increment, kept_from, kept_until)
    first, last = grid.between(max(start, earliest), end)
    if first >= last:
        return []
    bits = reduce(and_ if pool is Pool.ALL else or_, (host.free(rules) for host in hosts))
    bits = (bits >> (len(grid.starts) - last)) & ((1 << (last - first)) - 1)
    if not bits:
        return []
    starts = grid.starts[first:last]
    begin, over = starts[0], starts[-1] + 1
    blocked = union([block.starts for block in page_blocks(rules, begin, over, begin, page_meetings)])
    if blocked:
        bits &= grid.bits(blocked, first, last)
    return list(compress(starts, f"{bits:0{last - first}b}".encode().translate(_TRUTH)))


def _swept(
    rules: SlotRules,
    hosts: Sequence[ReadyHost],
    pool: Pool,
    start: int,
    end: int,
    earliest: int,
    page_meetings: Sequence[int],
) -> list[int]:
    times = [host.time for host in hosts]
    return open_starts(rules, times, pool, start=start, end=end, earliest=earliest, page_meetings=page_meetings)


@lru_cache(maxsize=_GRIDS)
def _grid(hours: OpeningHours, duration: int, increment: int, start: int, end: int) -> _Grid:
    return _Grid(on_grid(startable(hours, duration, start, end), increment))


def _changed_busy(before: HostTime, after: HostTime) -> Spans | None:
    """The spans that became busy or free, perhaps a little more; None when it is not worth telling, or something else
    about the host differs, such as how far it is known."""
    nothing: tuple[BusySpan, ...] = ()
    if replace(before, busy=nothing) != replace(after, busy=nothing):
        return None
    changed = set(zip(*before.taken, strict=True)) ^ set(zip(*after.taken, strict=True))
    return merged(changed) if len(changed) <= PATCHED else None
