"""What an operation was answered from, and for how long that holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from meetings.graphql.kept_answers import KeptAnswer, Still


@dataclass(slots=True)
class Sources:
    """What one operation was answered from. `roots` counts the root fields that were, `counted` are the rate limits it
    counted against."""

    stills: list[Still] = field(default_factory=list)
    until: datetime = datetime.max.replace(tzinfo=UTC)
    roots: int = 0
    counted: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    complete: bool = False
    beside: bool = False

    def used_more(self) -> None:
        """Something told depends on what no memory watches, such as custom domains: keep nothing."""
        self.beside = True

    def used(self, still: Still, until: datetime | None = None) -> None:
        """A root field told what is true as long as `still` says so, and until a time if the clock decides as well."""
        self.stills.append(still)
        self.until = self.until if until is None else min(self.until, until)
        self.roots += 1

    def finish(self, data: Mapping[str, object] | None) -> None:
        """The operation has ended, without errors, with this."""
        told = [name for name, value in (data or {}).items() if not (name == "__typename" and value == "Query")]
        self.complete = self.roots == len(told) > 0

    def kept(self, body: bytes) -> KeptAnswer | None:
        """What to keep of the answer; None when not all of it was answered from memory."""
        if self.beside or not self.complete:
            return None
        return KeptAnswer(body, self.stills, self.until, self.counted)
