"""Ids of the API: opaque text that names one object of one kind over all accounts."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from enum import Enum
from uuid import UUID

import strawberry


class Kind(Enum):
    """What an id names; the value is its mark inside the id and never changes."""

    ACCOUNT = b"a"
    USER = b"u"
    CONNECTION = b"c"
    CALENDAR = b"k"
    PAGE = b"p"
    BOOKING = b"b"
    API_TOKEN = b"t"
    EVENT = b"e"
    DOMAIN = b"d"
    INBOX = b"i"
    TEAM_CHANNEL = b"h"
    ENGAGEMENT = b"g"
    EMAIL = b"n"
    EMAIL_THREAD = b"r"
    SEQUENCE = b"q"
    ENROLLMENT = b"v"


class OutsideKind(Enum):
    """What an id names that another system numbers in its own way; no mark is one of `Kind`."""

    CONTACT = b"o"
    MEETING = b"m"
    MAIL = b"l"


def to_id(kind: Kind, own: UUID) -> strawberry.ID:
    """23 characters that are safe in an address."""
    return strawberry.ID(urlsafe_b64encode(kind.value + own.bytes).decode("ascii").rstrip("="))


def parse_id(given: str) -> tuple[Kind, UUID] | None:
    """What an id names; None for any other text."""
    try:
        raw = urlsafe_b64decode(given.encode("ascii") + b"=" * (-len(given) % 4))
        kind = Kind(raw[:1])
    except (BadBase64, UnicodeEncodeError, ValueError):
        return None
    if len(raw) != 17:
        return None
    own = UUID(bytes=raw[1:])
    return (kind, own) if to_id(kind, own) == given else None


def to_outside_id(kind: OutsideKind, own: str) -> strawberry.ID:
    """As `to_id`, for an id of any text."""
    return strawberry.ID(urlsafe_b64encode(kind.value + own.encode()).decode("ascii").rstrip("="))


def parse_outside_id(given: str) -> tuple[OutsideKind, str] | None:
    """What an id names in another system; None for any other text."""
    try:
        raw = urlsafe_b64decode(given.encode("ascii") + b"=" * (-len(given) % 4))
        kind, own = OutsideKind(raw[:1]), raw[1:].decode()
    except (BadBase64, UnicodeEncodeError, ValueError):
        return None
    return (kind, own) if own and to_outside_id(kind, own) == given else None


def from_outside_id(kind: OutsideKind, given: str) -> str:
    """The other system's id; an empty text, which is nobody's, when the text is no id of this kind."""
    found = parse_outside_id(given)
    return found[1] if found and found[0] is kind else ""


NOBODY = UUID(int=0)
"""An id nothing ever has; what cannot be read as an id reads as this one, so that both are simply not found."""


def from_id(kind: Kind, given: str) -> UUID:
    """The object's own id; `NOBODY` when the text is no id of this kind."""
    found = parse_id(given)
    return found[1] if found and found[0] is kind else NOBODY
