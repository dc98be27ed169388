"""Where a reader of a mailbox stands, as text: in each folder, because Exchange follows folders one by one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from meetings.adapters.exchange.mail_wire import INBOX, SENT
from meetings.application.ports.mail_accounts import CursorExpired

SYNCHRONIZED = (INBOX, SENT)
"""Of these folders there are states; in the others mails are looked for by their time."""

# A cursor goes with what was asked for: something else, another number here.
_FORM = 1


@dataclass(frozen=True, slots=True)
class Searched:
    """When a folder was searched last (aware UTC), and how many mails it held then: all, and the unread ones."""

    at: datetime
    counts: tuple[int, int]


@dataclass(frozen=True, slots=True)
class MailCursor:
    """`by_role` are ids of folders, `states` the synchronization states of those that are synchronized, `searched` the
    others. `began` is when the first read was, `at` when the last one began (aware UTC)."""

    began: datetime
    at: datetime
    by_role: Mapping[str, str]
    states: Mapping[str, str]
    searched: Mapping[str, Searched]

    def to_text(self) -> str:
        told = {
            "form": _FORM,
            "began": self.began.isoformat(),
            "at": self.at.isoformat(),
            "roles": dict(self.by_role),
            "states": dict(self.states),
            "searched": {id: [each.at.isoformat(), *each.counts] for id, each in self.searched.items()},
        }
        return json.dumps(told, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> "MailCursor":
        """Raises CursorExpired for a text that is not ours, or of another form."""
        try:
            told = json.loads(text)
            if told["form"] != _FORM:
                raise ValueError
            if not all(role in told["roles"] and role in told["states"] for role in SYNCHRONIZED):
                raise ValueError
            return cls(
                began=_instant(told["began"]),
                at=_instant(told["at"]),
                by_role=_texts(told["roles"]),
                states=_texts(told["states"]),
                searched={
                    str(id): Searched(_instant(at), (int(total), int(unread)))
                    for id, (at, total, unread) in told["searched"].items()
                },
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise CursorExpired("a cursor of another form") from None


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError
    return instant


def _texts(told: dict[str, str]) -> dict[str, str]:
    return {str(name): str(value) for name, value in told.items()}
