"""Unguessable texts that carry what they are about, and are stored nowhere."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Sequence
from dataclasses import dataclass, field

_MAC_BYTES = 18


@dataclass(frozen=True, slots=True)
class SignedTokens:
    """Signs payloads with a 144-bit keyed hash, each purpose apart from the others.

    `keys` are at least one; the first signs, all are accepted.
    """

    keys: Sequence[bytes] = field(repr=False)

    def sign(self, purpose: str, payload: bytes) -> str:
        """A text that is safe in a path. The same payload always gives the same text."""
        return _encode(payload + _mac(self.keys[0], purpose, payload))

    def payload_of(self, purpose: str, token: str, *, size: int) -> bytes | None:
        """What was signed for this purpose, of `size` bytes; None for any other text."""
        try:
            raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (BadBase64, UnicodeEncodeError, ValueError):
            return None
        if len(raw) != size + _MAC_BYTES or _encode(raw) != token:
            return None
        payload, mac = raw[:size], raw[size:]
        matches = [hmac.compare_digest(_mac(key, purpose, payload), mac) for key in self.keys]
        return payload if any(matches) else None


def _mac(key: bytes, purpose: str, payload: bytes) -> bytes:
    return hmac.new(key, purpose.encode() + b":" + payload, hashlib.sha256).digest()[:_MAC_BYTES]


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode("ascii").rstrip("=")
