"""How fast the availability engine is: `python -m benchmarks.engine`.

Four works, slots of 30 minutes every 15, open daily from 09:00 to 17:00 in Europe/Berlin, and one that no shortcut
helps. Busy times are random (the same in each run), sorted pairs as a database returns them. Each measured run starts
from these pairs, so sorting out the busy time is part of it; what the clock does in the zone is known from earlier
runs, except in the column `first_ever_ms`. Times are those of the processor, so other programs do not count.
"""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from typing import Any

from meetings.domain.availability import (
    DayRange,
    HostTime,
    Missing,
    OpeningHours,
    Pool,
    SlotRules,
    explain,
    floor_minute,
    hours,
    open_starts,
    zones,
)
from meetings.domain.availability.ready import ReadyHost, ready_starts
from tests.domain.availability.oracle import Oracle

RUNS = 100
DAY = 1440
EXPLAINED = date(2026, 3, 20)
START = floor_minute(datetime(2026, 3, 1, tzinfo=UTC))
PAGE = SlotRules(OpeningHours("Europe/Berlin", ((DayRange(540, 1020),),) * 7), duration=30, increment=15)

Pairs = list[tuple[int, int]]


@dataclass(frozen=True)
class Work:
    name: str
    busy: list[Pairs]
    """One list of busy times per host."""
    days: int
    pool: Pool
    target_ms: float
    """What one sorted sweep in plain Python was measured to need on a machine like this one."""
    warm_target_ms: float
    """What free time kept as bits of one big integer was measured to need there."""

    @property
    def end(self) -> int:
        return START + self.days * DAY

    def hosts(self) -> list[HostTime]:
        return [HostTime(str(number), pairs, START, self.end + DAY) for number, pairs in enumerate(self.busy)]

    def by_engine(self) -> list[int]:
        return open_starts(PAGE, self.hosts(), self.pool, start=START, end=self.end, earliest=START)

    def ready(self) -> list[ReadyHost]:
        return [ReadyHost(host, START, self.end) for host in self.hosts()]

    def by_ready(self, hosts: list[ReadyHost]) -> list[int]:
        return ready_starts(PAGE, hosts, self.pool, start=START, end=self.end, earliest=START)

    def near(self) -> list[Pairs]:
        """What is read to explain `EXPLAINED`: four days around its noon, as the product does."""
        noon = floor_minute(datetime.combine(EXPLAINED, time_of_day(12), UTC))
        return [
            [each for each in pairs if each[1] > noon - 4 * DAY and each[0] < noon + 4 * DAY] for pairs in self.busy
        ]

    def explained(self, near: list[Pairs]) -> list[Missing]:
        hosts = [HostTime(str(number), pairs, START, self.end + DAY) for number, pairs in enumerate(near)]
        return explain(PAGE, hosts, self.pool, day=EXPLAINED, earliest=START)

    def by_oracle(self) -> list[int]:
        return Oracle(PAGE, self.hosts(), self.pool, start=START, end=self.end, earliest=START).open_starts()


def works() -> list[Work]:
    rng = random.Random(2026)
    one, crowd = random_busy(rng, 60, 500), [random_busy(rng, 60, 500) for _ in range(50)]
    return [
        Work("1 host, 60 days, 400 busy", [random_busy(rng, 60, 400)], 60, Pool.ALL, 0.5, 0.16),
        Work("10 hosts, all needed, 500 busy each, 60 days", crowd[:10], 60, Pool.ALL, 2.7, 0.12),
        Work("50 hosts, any, 500 busy each, 60 days", crowd, 60, Pool.ANY, 16, 0.42),
        Work("50 hosts, any, all busy at the same times", [one] * 50, 60, Pool.ANY, 16, 0.42),
        Work("1 host, 365 days, 5,000 busy", [random_busy(rng, 365, 5000)], 365, Pool.ALL, 3.8, 0.46),
    ]


def random_busy(rng: random.Random, days: int, count: int) -> Pairs:
    """Times of 15 to 60 minutes that begin on a quarter from 08:00 to 16:00 UTC, sorted; they may overlap."""
    starts = [START + rng.randrange(days) * DAY + 480 + 15 * rng.randrange(32) for _ in range(count)]
    return sorted((start, start + rng.choice((15, 30, 45, 60))) for start in starts)


def run() -> dict[str, Any]:
    """Measure every work; times in milliseconds, medians but for the single run of the oracle."""
    return {"runs": RUNS, "works": [measure(work) for work in works()]}


def measure(work: Work) -> dict[str, Any]:
    found = work.by_engine()
    engine = statistics.median(milliseconds(work.by_engine) for _ in range(RUNS))
    first = statistics.median(first_ever(work) for _ in range(10))
    hosts, near = work.ready(), work.near()
    assert work.explained(near) == work.explained(work.busy), "what lies further away changes what is explained"
    assert work.by_ready(hosts) == found, f"what is kept ready and the sweep disagree: {work.name}"
    warm = statistics.median(milliseconds(lambda: work.by_ready(hosts)) for _ in range(RUNS))
    started = time.process_time()
    assert work.by_oracle() == found, f"the engine and the oracle disagree: {work.name}"
    oracle = (time.process_time() - started) * 1000
    return {
        "work": work.name,
        "slots": len(found),
        "ms": round(engine, 3),
        "target_ms": work.target_ms,
        "ratio_to_target": round(engine / work.target_ms, 2),
        "first_ever_ms": round(first, 3),
        "warm_ms": round(warm, 3),
        "warm_target_ms": work.warm_target_ms,
        "change_ms": round(statistics.median(change(work, hosts[0]) for _ in range(RUNS)), 3),
        "explain_ms": round(statistics.median(milliseconds(lambda: work.explained(near)) for _ in range(RUNS)), 3),
        "oracle_ms": round(oracle, 1),
        "oracle_ratio": round(oracle / engine),
    }


def milliseconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def change(work: Work, host: ReadyHost) -> float:
    """One busy span more, or one less, with its bits up to date."""
    before = host.time
    busy = before.busy[1:] if len(before.busy) == len(work.busy[0]) else work.busy[0]
    after = HostTime(before.host, busy, before.known_from, before.known_until)
    return milliseconds(lambda: host.change(after))


def first_ever(work: Work) -> float:
    """As in a process that has just started: nothing is kept of zones and opening hours."""
    hours._open_in_block.cache_clear()
    zones._stretches_of_block.cache_clear()
    return milliseconds(work.by_engine)


def table(results: dict[str, Any]) -> str:
    columns = [
        ("work", "<46"),
        ("slots", ">6"),
        ("ms", ">8.3f"),
        ("target_ms", ">11"),
        ("ratio_to_target", ">17.2f"),
        ("first_ever_ms", ">15.3f"),
        ("warm_ms", ">9.3f"),
        ("warm_target_ms", ">16"),
        ("change_ms", ">11.3f"),
        ("explain_ms", ">12.3f"),
        ("oracle_ms", ">11.1f"),
        ("oracle_ratio", ">14"),
    ]
    head = "".join(f"{name:{layout[0]}{layout[1:].split('.')[0]}}" for name, layout in columns)
    return "\n".join(
        [head, *("".join(f"{each[name]:{layout}}" for name, layout in columns) for each in results["works"])]
    )


if __name__ == "__main__":
    print(table(run()))
