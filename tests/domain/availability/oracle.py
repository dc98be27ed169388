"""The same answers, minute by minute, sharing no line with the engine.

Everything is decided for one minute or one start at a time, with `zoneinfo` asked what the wall clock shows.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from meetings.domain.availability import BusyKind, HostTime, OpeningHours, Pool, Reason, SlotRules

Why = tuple[Reason, str, str]
"""Reason, source, host (empty: the page)."""

LASTING = [
    Reason.BOOKING_WINDOW,
    Reason.MINIMUM_NOTICE,
    Reason.DATE_OVERRIDE,
    Reason.OUTSIDE_HOURS,
    Reason.NOT_ON_GRID,
    Reason.WEEKLY_LIMIT,
    Reason.DAILY_LIMIT,
    Reason.BUSY,
    Reason.BUFFER,
    Reason.HELD,
    Reason.HOST_UNREACHABLE,
]
"""Reasons that will stand for longer come first."""


class Oracle:
    """Answers for starts in `[start, end)`."""

    def __init__(
        self,
        rules: SlotRules,
        hosts: Sequence[HostTime],
        pool: Pool,
        *,
        start: int,
        end: int,
        earliest: int,
        page_meetings: Sequence[int] = (),
    ) -> None:
        self.rules, self.hosts, self.pool = rules, hosts, pool
        self.start, self.end, self.earliest = start, end, earliest
        self.page_days = [wall(rules.hours.zone, meeting)[0] for meeting in page_meetings]
        self.grids: dict[date, set[int]] = {}
        self.open_for = self._open_for(rules.hours)
        self.usually_open_for = self._open_for(OpeningHours(rules.hours.zone, rules.hours.weekly))
        self.working_for = {h.host: self._open_for(h.working_hours) for h in hosts if h.working_hours is not None}
        self.busy_minutes = {h.host: {m for span in h.busy for m in range(span[0], span[1])} for h in hosts}
        self.host_days = {h.host: [wall(rules.hours.zone, meeting)[0] for meeting in h.meetings] for h in hosts}

    def open_starts(self) -> list[int]:
        return [start for start in range(self.start, self.end) if self.offers(start)]

    def offers(self, start: int) -> bool:
        if self.open_for[start] < self.rules.duration or not self.on_grid(start) or self.page_reasons(start):
            return False
        free = [self.is_free(host, start) for host in self.hosts]
        return bool(free) and (all(free) if self.pool is Pool.ALL else any(free))

    def free_hosts(self, start: int) -> list[str]:
        if not self.on_grid(start) or self.page_reasons(start):
            return []
        return [host.host for host in self.hosts if self.is_free(host, start)]

    def reasons(self, start: int) -> set[Why]:
        """Every reason against `start`, the grid aside."""
        of_hosts = [self.host_reasons(host, start) for host in self.hosts]
        if not self.hosts:
            of_hosts = [{(Reason.HOST_UNREACHABLE, "hosts", "")}]
        if self.pool is Pool.ANY and not all(of_hosts):
            of_hosts = []
        return self.page_reasons(start).union(*of_hosts)

    def most_telling(self, start: int) -> Reason | None:
        """The page's reasons before those of hosts, a round robin's nearest host, otherwise the most lasting reason."""
        of_page = {reason for reason, _, host in self.reasons(start) if not host}
        if self.open_for[start] >= self.rules.duration and not self.on_grid(start):
            of_page.add(Reason.NOT_ON_GRID)
        of_hosts = [{reason for reason, _, _ in self.host_reasons(host, start)} for host in self.hosts]
        if of_page:
            return first_of(of_page)
        if self.pool is Pool.ALL:
            together = set().union(*of_hosts)
            return first_of(together) if together else None
        return None if set() in of_hosts else max((first_of(each) for each in of_hosts), key=LASTING.index)

    def on_grid(self, start: int) -> bool:
        """Whether `start` is a whole number of increments after its opening range began on the wall clock."""
        day, minute = wall(self.rules.hours.zone, start)
        if day not in self.grids:
            self.grids[day] = grid_minutes(self.rules, day)
        return minute in self.grids[day]

    def page_reasons(self, start: int) -> set[Why]:
        rules, found = self.rules, set()
        day, _ = wall(rules.hours.zone, start)
        if start < self.earliest:
            found.add((Reason.MINIMUM_NOTICE, "earliest", ""))
        if rules.first_date is not None and day < rules.first_date:
            found.add((Reason.BOOKING_WINDOW, "first_date", ""))
        if rules.last_date is not None and day > rules.last_date:
            found.add((Reason.BOOKING_WINDOW, "last_date", ""))
        if self.open_for[start] < rules.duration:
            if self.usually_open_for[start] < rules.duration:
                found.add((Reason.OUTSIDE_HOURS, "weekly", ""))
            else:
                found.add((Reason.DATE_OVERRIDE, "overrides", ""))
        if rules.max_per_day is not None and self.page_days.count(day) >= rules.max_per_day:
            found.add((Reason.DAILY_LIMIT, "max_per_day", ""))
        if rules.max_per_week is not None:
            this_week = [each for each in self.page_days if each.isocalendar()[:2] == day.isocalendar()[:2]]
            if len(this_week) >= rules.max_per_week:
                found.add((Reason.WEEKLY_LIMIT, "max_per_week", ""))
        return found

    def is_free(self, host: HostTime, start: int) -> bool:
        rules = self.rules
        reach = range(start - rules.buffer_before, start + rules.duration + rules.buffer_after)
        return self.busy_minutes[host.host].isdisjoint(reach) and not self._host_rule_reasons(host, start)

    def host_reasons(self, host: HostTime, start: int) -> set[Why]:
        rules = self.rules
        found = self._host_rule_reasons(host, start)
        end = start + rules.duration
        for span in host.busy:
            source, kind = (span[2], span[3]) if len(span) == 4 else ("", BusyKind.EVENT)
            in_slot = overlap(span[0], span[1], start, end)
            in_reach = overlap(span[0], span[1], start - rules.buffer_before, end + rules.buffer_after)
            if in_reach and kind is BusyKind.HELD:
                found.add((Reason.HELD, source, host.host))
            elif in_reach:
                found.add((Reason.BUSY if in_slot else Reason.BUFFER, source, host.host))
        return found

    def _host_rule_reasons(self, host: HostTime, start: int) -> set[Why]:
        found: set[Why] = set()
        if start < host.known_from or start + self.rules.duration > host.known_until:
            found.add((Reason.HOST_UNREACHABLE, "known", host.host))
        if host.working_hours is not None and self.working_for[host.host][start] < self.rules.duration:
            found.add((Reason.OUTSIDE_HOURS, "working_hours", host.host))
        if host.max_per_day is not None:
            day, _ = wall(self.rules.hours.zone, start)
            if self.host_days[host.host].count(day) >= host.max_per_day:
                found.add((Reason.DAILY_LIMIT, "max_per_day", host.host))
        return found

    def _open_for(self, hours: OpeningHours) -> dict[int, int]:
        """For each start, how many minutes from there are open without a break (counted up to the slot's length)."""
        minutes = range(self.start, self.end + self.rules.duration)
        days: dict[date, set[int]] = {}
        run, found = 0, {}
        for minute in reversed(minutes):
            day, shown = wall(hours.zone, minute)
            if day not in days:
                days[day] = open_minutes(hours, day)
            run = run + 1 if shown in days[day] else 0
            found[minute] = run
        return found


@lru_cache(maxsize=1 << 16)
def wall(zone: str, minute: int) -> tuple[date, int]:
    """Date and minute of the day that the wall clock shows."""
    shown = datetime.fromtimestamp(minute * 60, ZoneInfo(zone))
    return shown.date(), shown.hour * 60 + shown.minute


def open_minutes(hours: OpeningHours, day: date) -> set[int]:
    ranges = hours.overrides[day] if day in hours.overrides else hours.weekly[day.weekday()]
    return {minute for each in ranges for minute in range(each.start, each.end)}


def grid_minutes(rules: SlotRules, day: date) -> set[int]:
    """The minutes of the wall clock that are a whole number of increments after the clock ran into open time."""
    opened, found = open_minutes(rules.hours, day), set()
    for minute in sorted(opened):
        if minute - 1 not in opened:
            first = minute
        if (minute - first) % rules.increment == 0:
            found.add(minute)
    return found


def first_of(reasons: set[Reason]) -> Reason:
    return min(reasons, key=LASTING.index)


def overlap(start: int, end: int, other_start: int, other_end: int) -> bool:
    """Whether two spans share a minute; an empty one shares none."""
    return start < end and max(start, other_start) < min(end, other_end)
