from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from meetings.application.ports.calendars import (
    CalendarUnreadable,
    EventRefused,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.application.ports.mail import MailUnavailable
from meetings.application.retry_schedule import CAP, LONGEST_WAIT, next_try
from meetings.domain.base import ConcurrentChange
from tests.builders import NOW

DOWN = ProviderUnavailable("time-out")
MINUTES, DAY = 60.0, 86_400.0


def pause(error: Exception, attempts: int, chance: float) -> float:
    """Seconds until the next try."""
    return (next_try(error, attempts, now=NOW, chance=chance) - NOW).total_seconds()


@pytest.mark.parametrize(
    ("error", "attempts", "half", "almost_all"),
    [
        (DOWN, 1, 0.5, 1),
        (DOWN, 2, 1, 2),
        (DOWN, 3, 2, 4),
        (DOWN, 4, 4, 8),
        (DOWN, 7, 32, 64),
        (DOWN, 10, 256, 512),
        (DOWN, 11, 5 * MINUTES, 10 * MINUTES),
        (DOWN, 60, 5 * MINUTES, 10 * MINUTES),
        (DOWN, 1_000_000, 5 * MINUTES, 10 * MINUTES),
        (MailUnavailable("greylisted"), 3, 2, 4),
        (ConcurrentChange(), 3, 2, 4),
        (EventRefused("no"), 3, 2, 4),
        (CalendarUnreadable("no"), 3, 2, 4),
        (ValueError("a mistake of ours"), 3, 2, 4),
        (RateLimited(), 3, 2, 4),
        (RateLimited(retry_after=30), 1, 30 + 0.125, 30 + 0.25),
        (RateLimited(retry_after=30), 11, 30 + 75, 30 + 150),
        (RateLimited(retry_after=0), 3, 0.5, 1),
        (RateLimited(retry_after=-5), 3, 0.2, 0.2),
        (RateLimited(retry_after=DAY), 1, DAY + 0.125, DAY + 0.25),
        (RateLimited(retry_after=1e300), 1, DAY + 0.125, DAY + 0.25),
        (RateLimited(retry_after=float("inf")), 1, DAY + 0.125, DAY + 0.25),
        (ReauthorizationNeeded(), 1, 10 * MINUTES, 10 * MINUTES),
        (ReauthorizationNeeded(), 50, 10 * MINUTES, 10 * MINUTES),
    ],
)
def test_the_pause_after_each_error_is_this(error: Exception, attempts: int, half: float, almost_all: float) -> None:
    assert pause(error, attempts, 0.5) == pytest.approx(half)
    assert pause(error, attempts, 1 - 1e-12) == pytest.approx(almost_all)


@pytest.mark.parametrize("attempts", [1, 2, 5, 20])
def test_chance_spreads_the_pause_evenly_from_nothing_to_the_ceiling(attempts: int) -> None:
    ceiling = min(2.0 ** (attempts - 1), CAP.total_seconds())
    found = sorted(pause(DOWN, attempts, number / 1000) for number in range(1000))
    assert found == pytest.approx([max(0.2, ceiling * number / 1000) for number in range(1000)])


def test_nothing_is_tried_again_at_once_nor_later_than_the_cap() -> None:
    random = Random(1)
    pauses = [pause(DOWN, random.randint(1, 100), random.random()) for _ in range(2000)]
    assert min(pauses) >= 0.2
    assert max(pauses) <= CAP.total_seconds()


def test_a_provider_that_says_how_long_to_wait_is_never_asked_earlier() -> None:
    random = Random(2)
    for _ in range(2000):
        wished = random.uniform(0, LONGEST_WAIT.total_seconds())
        assert pause(RateLimited(retry_after=wished), random.randint(1, 100), random.random()) >= round(wished, 6)


def test_a_thousand_that_fail_together_do_not_come_back_together() -> None:
    """RT-1: of all that 1,000 failing intents do after their third try, no second holds more than a twentieth.

    Each single try has its own ceiling besides: from the sixth on, no second of it holds more than a twentieth either.
    """
    random = Random(3)
    instants: Counter[int] = Counter()
    by_try: dict[int, Counter[int]] = {}
    for _ in range(1000):
        at = NOW
        for attempts in range(1, 13):
            pause_began, at = at, next_try(DOWN, attempts, now=at, chance=random.random())
            if attempts >= 3:
                instants[int((at - NOW).total_seconds())] += 1
            by_try.setdefault(attempts, Counter())[int((at - pause_began) / timedelta(seconds=1))] += 1
    assert max(instants.values()) / instants.total() < 0.05
    assert all(max(by_try[attempts].values()) < 50 for attempts in range(6, 13))
