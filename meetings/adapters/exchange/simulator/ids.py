"""Ids of folders, items and occurrences, in the forms ConvertId knows.

Ids are opaque and compare with case ("EWS identifiers in Exchange"). The bytes inside are made up (assumed): which
mailbox, a number, and for an occurrence the original start. An id names its folder no more than a real one does.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from meetings.adapters.exchange.simulator.errors import EwsError

_EWS_PREFIX = bytes.fromhex("00032400")
_STORE_PREFIX = bytes.fromhex("00000000")
_LAYOUT = ">c8sQ"
FORMATS = ("EwsLegacyId", "EwsId", "EntryId", "HexEntryId", "StoreId", "OwaId")


@dataclass(frozen=True)
class Key:
    """What an id names. `kind` is "F" for a folder, "I" for an item; `original` is an occurrence's planned start."""

    kind: str
    mailbox: bytes
    number: int
    original: datetime | None = None

    def to_bytes(self) -> bytes:
        packed = struct.pack(_LAYOUT, self.kind.encode(), self.mailbox, self.number)
        return packed if self.original is None else packed + struct.pack(">q", int(self.original.timestamp()))

    def to_text(self) -> str:
        return base64.b64encode(_EWS_PREFIX + self.to_bytes()).decode()


def read_id(text: str) -> Key:
    """The key behind an EwsId. Raises EwsError ErrorInvalidIdMalformed."""
    return _key(_decoded(text, _EWS_PREFIX))


def convert(text: str, source: str, destination: str) -> str:
    """Raises EwsError ErrorInvalidIdMalformed."""
    return _written(_read(text, source), destination)


def change_key(kind: str, version: int) -> str:
    """Opaque as well; another one after each change ("ItemId": identifies a specific version)."""
    return base64.b64encode(struct.pack(">cxxxIQ", kind.encode(), 22, version)).decode()


def read_change_key(text: str) -> int:
    """The version behind a change key. Raises EwsError ErrorInvalidChangeKey."""
    try:
        return int(struct.unpack(">cxxxIQ", base64.b64decode(text, validate=True))[2])
    except (ValueError, struct.error):
        raise EwsError("ErrorInvalidChangeKey") from None


def _read(text: str, form: str) -> Key:
    if form in ("EwsId", "EwsLegacyId"):
        return read_id(text)
    if form == "OwaId":
        return read_id(unquote(text))
    if form == "HexEntryId":
        try:
            return _key(_without_prefix(bytes.fromhex(text), _STORE_PREFIX))
        except ValueError:
            raise EwsError("ErrorInvalidIdMalformed") from None
    return _key(_decoded(text, _STORE_PREFIX))


def _written(key: Key, form: str) -> str:
    if form in ("EwsId", "EwsLegacyId"):
        return key.to_text()
    if form == "OwaId":
        return quote(key.to_text(), safe="")
    stored = _STORE_PREFIX + key.to_bytes()
    return stored.hex().upper() if form == "HexEntryId" else base64.b64encode(stored).decode()


def _decoded(text: str, prefix: bytes) -> bytes:
    try:
        return _without_prefix(base64.b64decode(text, validate=True), prefix)
    except (ValueError, binascii.Error):
        raise EwsError("ErrorInvalidIdMalformed") from None


def _without_prefix(data: bytes, prefix: bytes) -> bytes:
    if not data.startswith(prefix):
        raise EwsError("ErrorInvalidIdMalformed")
    return data[len(prefix) :]


def _key(data: bytes) -> Key:
    size = struct.calcsize(_LAYOUT)
    if len(data) not in (size, size + 8) or data[:1] not in (b"F", b"I"):
        raise EwsError("ErrorInvalidIdMalformed")
    kind, mailbox, number = struct.unpack(_LAYOUT, data[:size])
    original = None
    if len(data) > size:
        original = datetime.fromtimestamp(struct.unpack(">q", data[size:])[0], UTC)
    return Key(kind.decode(), mailbox, number, original)
