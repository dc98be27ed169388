"""Which of a page's free times a mail offers: a few, spread over the days, instead of the first few in a row."""

from collections.abc import Mapping, Sequence
from datetime import date

MOST_TIMES = 20


def spread(days: Mapping[date, Sequence[int]], count: int) -> dict[date, list[int]]:
    """At most `count` of the given starts, by day, sorted; days that give none are left out.

    Each day gives one before any gives two. Where there are more days than times, the first days give; within a day the
    times lie evenly apart, the first one included.
    """
    shares = dict.fromkeys(sorted(day for day, starts in days.items() if starts), 0)
    left = count
    while left > 0:
        waiting = [day for day, share in shares.items() if share < len(days[day])][:left]
        if not waiting:
            break
        for day in waiting:
            shares[day] += 1
        left -= len(waiting)
    return {day: _evenly(days[day], share) for day, share in shares.items() if share}


def _evenly(starts: Sequence[int], share: int) -> list[int]:
    ordered = sorted(starts)
    return [ordered[index * len(ordered) // share] for index in range(share)]
