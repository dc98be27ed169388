"""Availability: which slots a page offers, who is free for one, and why a time is missing.

Pure functions over integer minutes since 1970-01-01T00:00Z; spans are half-open. `docs/engine.md` tells how to use it.
"""

from meetings.domain.availability.blocks import Pool, Reason
from meetings.domain.availability.explain import Missing, explain, why_not
from meetings.domain.availability.hosts import BusyKind, BusySpan, HostTime
from meetings.domain.availability.hours import DayRange, OpeningHours
from meetings.domain.availability.rules import SlotRules
from meetings.domain.availability.slots import free_hosts, next_open_start, open_starts
from meetings.domain.timespan import at_minute, ceil_minute, floor_minute

__all__ = [
    "BusyKind",
    "BusySpan",
    "DayRange",
    "HostTime",
    "Missing",
    "OpeningHours",
    "Pool",
    "Reason",
    "SlotRules",
    "at_minute",
    "ceil_minute",
    "explain",
    "floor_minute",
    "free_hosts",
    "next_open_start",
    "open_starts",
    "why_not",
]
