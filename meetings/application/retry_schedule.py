"""When to try again: one pure function (RT-1, RT-2)."""

from datetime import datetime, timedelta

from meetings.application.ports.calendars import ProviderResting, RateLimited, ReauthorizationNeeded

BASE = timedelta(seconds=1)
CAP = timedelta(minutes=10)
LONGEST_WAIT = timedelta(days=1)
"""Asked to wait longer than this, we ask again earlier: more likely the answer is broken than the provider closed."""

RESTED = timedelta(seconds=20)
"""Over this time come back those that waited for the same provider."""

_HIGHEST_POWER = 20


def next_try(error: Exception, attempts: int, *, now: datetime, chance: float) -> datetime:
    """When a failed intent is due again, after `attempts` tries (at least one).

    Exponential with full jitter from 1 s up to 10 min: `chance` is a random number in [0, 1). A provider that says
    how long to wait is obeyed, up to a day. One that was not asked at all is asked once it may be, however often that
    happened. Where a person has to sign in again, trying often helps nobody.
    """
    if isinstance(error, ReauthorizationNeeded):
        return now + CAP
    if isinstance(error, ProviderResting):
        return now + timedelta(seconds=error.retry_after) + RESTED * chance
    ceiling = min(CAP, BASE * int(2 ** min(attempts - 1, _HIGHEST_POWER)))
    pause = ceiling * chance
    if isinstance(error, RateLimited) and error.retry_after is not None:
        pause = timedelta(seconds=min(error.retry_after, LONGEST_WAIT.total_seconds())) + pause / 4
    return now + max(pause, timedelta(milliseconds=200))
