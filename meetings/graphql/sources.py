"""What an operation was answered from, and for how long that holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from meetings.application.page_memory import KnownPage, PageMemory
from meetings.graphql.kept_answers import KeptAnswer


@dataclass(slots=True)
class Sources:
    """What one operation was answered from. `roots` counts the root fields that were."""

    pages: list[KnownPage] = field(default_factory=list)
    until: datetime | None = None
    roots: int = 0
    counted: int = 0
    complete: bool = False
    beside: bool = False

    def used_more(self) -> None:
        """Something told depends on what the memory of pages does not watch, such as custom domains: keep nothing."""
        self.beside = True

    def used(self, known: KnownPage, until: datetime, *, root: bool = False, counts: bool = False) -> None:
        """A root field, or something below one, told what is true of `known` until a time. `counts`: against the rate
        limit of availability."""
        self.pages.append(known)
        self.until = until if self.until is None else min(self.until, until)
        self.roots += root
        self.counted += counts

    def finish(self, data: Mapping[str, object] | None) -> None:
        """The operation has ended, without errors, with this."""
        told = [name for name, value in (data or {}).items() if not (name == "__typename" and value == "Query")]
        self.complete = self.roots == len(told) > 0

    def kept(self, body: bytes, memory: PageMemory) -> KeptAnswer | None:
        """What to keep of the answer; None when not all of it was answered from memory."""
        if self.until is None or self.beside or not self.complete:
            return None
        return KeptAnswer(body, self.pages, memory, self.until, self.counted)
