"""What a person must read and accept before a calendar is connected (S13, S15, S16). Each provider has its own text."""

from dataclasses import dataclass

from meetings.domain.calendar_connection import ConsentRequired


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One provider's text. A change of the meaning needs a new `version`; what was accepted stays on record."""

    version: str
    title: str
    body_markdown: str
    notes: tuple[str, ...]

    def with_(self, other: "Disclosure") -> "Disclosure":
        """Both texts in one, to be accepted together."""
        return Disclosure(
            version=f"{self.version}+{other.version}",
            title=self.title,
            body_markdown=f"{self.body_markdown.rstrip()}\n\n## {other.title}\n\n{other.body_markdown.lstrip()}",
            notes=(*self.notes, *(note for note in other.notes if note not in self.notes)),
        )

    def check_accepted(self, version: str) -> None:
        """Raise `ConsentRequired` unless exactly this version was accepted."""
        if version != self.version:
            raise ConsentRequired
