"""The server's side of NTLM, done by pyspnego.

pyspnego checks a client against a file of names and hashes that the environment variable NTLM_USER_FILE points to;
there is no other way to hand them in. So the file holds the one account that is being checked, exists for a moment, and
a lock keeps handshakes apart.
"""

import base64
import os
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import spnego
from spnego._ntlm_raw.crypto import ntowfv1
from spnego.exceptions import SpnegoError

_LOCK = threading.Lock()
_VARIABLE = "NTLM_USER_FILE"


class NtlmRefused(Exception):
    """The client does not know the password."""


class Handshake:
    """One handshake: `challenge` answers the first message, `verify` checks the second."""

    def __init__(self) -> None:
        self._first = b""
        self._context: Any = None

    def challenge(self, message: bytes) -> bytes:
        with _LOCK, _user_file("nobody:0:" + "0" * 32 + ":" + "0" * 32 + ":[U]:LCT-0"):
            self._context = spnego.server(protocol="ntlm")
            return self._context.step(message) or b""

    def login_of(self, message: bytes) -> str:
        """The name in the client's last message (MS-NLMP 2.2.1.3): `DOMAIN\\name`, or the name alone."""
        try:
            domain, user = (_field(message, offset) for offset in (28, 36))
        except (struct.error, UnicodeDecodeError):
            return ""
        return f"{domain}\\{user}" if domain else user

    def verify(self, message: bytes, login: str, password: str) -> None:
        """Raises NtlmRefused."""
        line = f"{login}:0:{'0' * 32}:{base64.b16encode(ntowfv1(password)).decode()}:[U]:LCT-0"
        with _LOCK, _user_file(line):
            try:
                self._context.step(message)
            except (SpnegoError, ValueError, struct.error):
                raise NtlmRefused from None


@contextmanager
def _user_file(line: str) -> Iterator[None]:
    before = os.environ.get(_VARIABLE)
    with tempfile.NamedTemporaryFile("w", suffix=".ntlm", delete=True) as file:
        file.write(line + "\n")
        file.flush()
        os.environ[_VARIABLE] = file.name
        try:
            yield
        finally:
            del os.environ[_VARIABLE]
            if before is not None:
                os.environ[_VARIABLE] = before


def _field(message: bytes, offset: int) -> str:
    length, _, start = struct.unpack("<HHI", message[offset : offset + 8])
    return message[start : start + length].decode("utf-16-le")
