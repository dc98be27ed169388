"""Printing what a tour did and saw, and noticing when something was not as expected."""

import time
from dataclasses import dataclass, field


class NotAsExpected(Exception):
    """A step of the tour saw something else than it should have."""


@dataclass
class Report:
    """The tour's log on the terminal."""

    began: float = field(default_factory=time.monotonic)
    steps: int = 0

    def step(self, title: str) -> None:
        """Begin a step."""
        self.steps += 1
        print(f"\n{self.steps:>2}. {title}  ({self.seconds():.1f} s)", flush=True)

    def saw(self, *lines: str) -> None:
        """Print what was seen."""
        for line in lines:
            for part in line.splitlines() or [""]:
                print(f"    {part}", flush=True)

    def expect(self, true: bool, what: str, found: object = None) -> None:
        """Print that `what` held; raise `NotAsExpected` when it did not."""
        if not true:
            raise NotAsExpected(f"expected: {what}; found: {found!r}")
        print(f"    ✓ {what}", flush=True)

    def seconds(self) -> float:
        """How long the tour has taken so far."""
        return time.monotonic() - self.began
