"""Availability: which slots a page offers, who is free for one, and why a time is missing.

Pure functions over integer minutes since 1970-01-01T00:00Z; spans are half-open. `docs/engine.md` tells how to use it.
"""

from meetings.domain.availability.blocks import Pool, Reason
from meetings.domain.availability.explain import Missing, explain, why_not
from meetings.domain.availability.hosts import BusyKind, BusySpan, HostTime
from meetings.domain.availability.hours import DayRange, OpeningHours
from meetings.domain.availability.minutes import instant_of, minute_after, minute_of
from meetings.domain.availability.rules import SlotRules
from meetings.domain.availability.slots import free_hosts, next_open_start, open_starts

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
    "explain",
    "free_hosts",
    "instant_of",
    "minute_after",
    "minute_of",
    "next_open_start",
    "open_starts",
    "why_not",
]
