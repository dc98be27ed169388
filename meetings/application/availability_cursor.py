"""A cursor that says what its holder has seen, so that any process can tell what changed since, for ever.

It holds a short digest of each day's starts: no history is kept, a restart loses nothing, and a cursor of another
question is recognised. 48 bits per day: a change goes unnoticed once in 280 million million.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_VERSION = 1
_ABOUT = 8
_MODE = 2
_DAY = 6


@dataclass(frozen=True)
class Digest:
    """What is kept of one answer: about which question, in which mode, and a digest per day that offers something."""

    about: bytes
    first: date
    mode: bytes
    days: Mapping[date, bytes]

    def __hash__(self) -> int:
        return hash((self.about, self.mode, tuple(self.days.values())))

    @classmethod
    def of(cls, about: Sequence[object], first: date, mode: str, days: Mapping[date, Sequence[int]]) -> "Digest":
        """The digest of an answer that offers `days` (starts in minutes since the epoch) from `first` on."""
        return cls(
            about=_short("|".join(str(part) for part in about), _ABOUT),
            first=first,
            mode=_short(mode, _MODE),
            days={day: _short(",".join(map(str, starts)), _DAY) for day, starts in days.items()},
        )

    def cursor(self) -> str:
        """As opaque text; 15 to 594 characters for up to 62 days."""
        parts = [bytes([_VERSION]), self.about, self.mode]
        parts += [bytes([(day - self.first).days]) + digest for day, digest in self.days.items()]
        return urlsafe_b64encode(b"".join(parts)).decode("ascii").rstrip("=")

    def seen_by(self, cursor: str) -> "Digest | None":
        """The digest a cursor was made of; None when it is none, or belongs to another question."""
        try:
            raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except (BadBase64, UnicodeEncodeError, ValueError):
            return None
        head = 1 + _ABOUT + _MODE
        if len(raw) < head or raw[0] != _VERSION or raw[1 : 1 + _ABOUT] != self.about or (len(raw) - head) % (1 + _DAY):
            return None
        entries = (raw[at : at + 1 + _DAY] for at in range(head, len(raw), 1 + _DAY))
        days = {self.first + timedelta(days=entry[0]): entry[1:] for entry in entries}
        return Digest(self.about, self.first, raw[1 + _ABOUT : head], days)

    def changed_since(self, seen: "Digest") -> tuple[list[date], list[date]]:
        """The days that offer something else now, and those that offer nothing any more; both sorted."""
        changed = sorted(day for day, digest in self.days.items() if seen.days.get(day) != digest)
        emptied = sorted(day for day in seen.days if day not in self.days)
        return changed, emptied


def _short(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=size).digest()
