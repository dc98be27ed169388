"""Where a reader of a mailbox stands, as text: a position in each folder, because Graph follows folders one by one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from meetings.application.ports.mail_accounts import CursorExpired

# A cursor goes with what was asked for: something else, another number here.
_FORM = 1


@dataclass(frozen=True, slots=True)
class Position:
    """The link to go on from in one folder, and the counts the folder had before it was read."""

    link: str
    counts: tuple[int, int]


@dataclass(frozen=True, slots=True)
class MailCursor:
    """`well_known` are ids of folders by name, `at` when the last read began (aware UTC)."""

    at: datetime
    well_known: Mapping[str, str]
    positions: Mapping[str, Position]

    def to_text(self) -> str:
        return json.dumps(
            {
                "form": _FORM,
                "at": self.at.isoformat(),
                "known": dict(self.well_known),
                "folders": {id: [each.link, *each.counts] for id, each in self.positions.items()},
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_text(cls, text: str) -> "MailCursor":
        """Raises CursorExpired for a text that is not ours, or of another form."""
        try:
            told = json.loads(text)
            if told["form"] != _FORM:
                raise ValueError
            at = datetime.fromisoformat(told["at"])
            if at.tzinfo is None:
                raise ValueError
            positions = {
                str(id): Position(str(link), (int(total), int(unread)))
                for id, (link, total, unread) in told["folders"].items()
            }
            return cls(at, {str(name): str(id) for name, id in told["known"].items()}, positions)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise CursorExpired("a cursor of another form") from None
