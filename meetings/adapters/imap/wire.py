"""IMAP's answers, read: folders, cursors, what stands above a mail. Pure functions.

Sources: RFC 9051 (UIDVALIDITY, UIDNEXT, SEARCH, FETCH), RFC 6154 (special-use folders).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from meetings.application.mail_fields import WANTED, fields_in
from meetings.application.ports.mail_accounts import CursorExpired

HEADER_BYTES = 65_536
HEADERS = f"BODY.PEEK[HEADER.FIELDS ({' '.join(WANTED).upper()})]<0.{HEADER_BYTES}>"
_FORM = 1
_HIDDEN = frozenset({b"\\deleted", b"\\draft"})
# What folders are called by programs that do not say what they are for: the last part of the name, in small letters.
_SENT_NAMES = (
    *("sent", "sent items", "sent messages", "sent mail"),
    *("gesendet", "gesendete objekte", "gesendete elemente", "gesendete nachrichten"),
)
_LEFT_OUT_NAMES = frozenset(
    {
        *("drafts", "draft", "templates", "outbox", "entwürfe", "vorlagen", "postausgang"),
        *("junk", "junk e-mail", "junk-e-mail", "junk mail", "spam", "bulk mail", "spamverdacht"),
        *("trash", "bin", "deleted items", "deleted messages", "papierkorb", "gelöschte elemente", "gelöschte objekte"),
    }
)
_LEFT_OUT_FLAGS = frozenset(
    {b"\\noselect", b"\\nonexistent", b"\\drafts", b"\\junk", b"\\trash", b"\\all", b"\\flagged", b"\\important"}
)
_MOST_FOLDERS = 200
Listed = tuple[Sequence[bytes], bytes | None, str]
"""A folder as a LIST tells it: flags, what separates the parts of its name, name."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a folder was read: mails with a uid below `next` are known, as long as `validity` is the same."""

    validity: int
    next: int


@dataclass(frozen=True, slots=True)
class MailId:
    """The name of a mail: folder, validity of its uids, uid."""

    folder: str
    validity: int
    uid: int

    def to_text(self) -> str:
        return f"{self.validity}:{self.uid}:{self.folder}"

    @classmethod
    def from_text(cls, text: str) -> "MailId | None":
        validity, _, rest = text.partition(":")
        uid, _, folder = rest.partition(":")
        if not (validity.isdecimal() and uid.isdecimal() and folder):
            return None
        return cls(folder, int(validity), int(uid))


@dataclass(frozen=True, slots=True)
class Seen:
    """A mail as a FETCH tells it."""

    uid: int
    at: datetime
    fields: tuple[tuple[str, str], ...]
    hidden: bool


def cursor_of(places: Mapping[str, Place]) -> str:
    return json.dumps([_FORM, {folder: [place.validity, place.next] for folder, place in places.items()}])


def places_in(cursor: str) -> dict[str, Place]:
    """Raises CursorExpired for a text that is no cursor of ours."""
    try:
        form, places = json.loads(cursor)
        if form != _FORM:
            raise ValueError("another form")
        return {str(folder): Place(int(validity), int(next_)) for folder, (validity, next_) in places.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise CursorExpired("not a cursor of ours") from None


def sent_folder(folders: Iterable[Listed]) -> str | None:
    """The folder for sent mails: the one that says so, else one that is called so."""
    known = list(folders)
    marked = [name for flags, _, name in known if b"\\sent" in {flag.lower() for flag in flags}]
    named = sorted((each for each in known if _called(each) in _SENT_NAMES), key=lambda each: _rank(_called(each)))
    return next(iter([*marked, *(name for _, _, name in named)]), None)


def watched_folders(folders: Iterable[Listed], inbox: str) -> list[str]:
    """The inbox first, and whatever mail may be sorted into: not drafts, junk, deleted mails, and no views of all."""
    others = [
        each[2]
        for each in folders
        if each[2].upper() != inbox
        and _LEFT_OUT_FLAGS.isdisjoint({flag.lower() for flag in each[0]})
        and _called(each) not in _LEFT_OUT_NAMES
    ]
    return [inbox, *sorted(others)][:_MOST_FOLDERS]


def _called(folder: Listed) -> str:
    _, separator, name = folder
    last = name.rpartition(separator.decode("ascii", "replace"))[2] if separator else name
    return last.lower()


def _rank(name: str) -> int:
    return _SENT_NAMES.index(name)


def place(answer: Mapping[bytes, Any]) -> Place:
    """What a SELECT or a STATUS tells. A server that does not tell the next uid has none that is known."""
    return Place(int(answer[b"UIDVALIDITY"]), int(answer.get(b"UIDNEXT", 0)))


def seen(answer: Mapping[int, Mapping[bytes, Any]]) -> list[Seen]:
    """The mails of a FETCH, oldest first."""
    return [_seen(uid, told) for uid, told in sorted(answer.items())]


def _seen(uid: int, told: Mapping[bytes, Any]) -> Seen:
    flags = {bytes(flag).lower() for flag in told.get(b"FLAGS", ())}
    at = told.get(b"INTERNALDATE")
    instant = at if isinstance(at, datetime) else datetime.fromtimestamp(0, UTC)
    return Seen(uid, instant.astimezone(UTC), tuple(fields_in(content(told))), not _HIDDEN.isdisjoint(flags))


def content(told: Mapping[bytes, Any]) -> bytes:
    """The bytes of whatever section was asked for; its name comes back in as many spellings as there are servers."""
    found = (value for name, value in told.items() if name.startswith(b"BODY[") and isinstance(value, bytes))
    return next(found, b"")
