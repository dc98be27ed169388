"""Certificates as text."""

import binascii
import re
from base64 import b64decode

from meetings.domain.base import Problem, Rule

MAX_CERTIFICATES = 20_000
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)\s-----END \1-----", re.DOTALL)
_SEQUENCE = 0x30


def certificate_problem(value: str, *path: str) -> Problem | None:
    """What keeps a text from being one or more certificates in PEM (RFC 7468): the form only, not who signed them.

    Words between the blocks are allowed (RFC 7468 section 2); anything else in a block, such as a private key that
    somebody pasted by mistake, is not.
    """
    if len(value) > MAX_CERTIFICATES:
        return Problem(path, Rule.TOO_LONG, values={"most": MAX_CERTIFICATES})
    blocks = _BLOCK.findall(value)
    whole = value.count("-----BEGIN ") == value.count("-----END ") == len(blocks) > 0
    good = whole and all(label == "CERTIFICATE" and _is_der(body) for label, body in blocks)
    return None if good else Problem(path, Rule.NOT_A_CERTIFICATE)


def _is_der(body: str) -> bool:
    """Whether a block holds one whole DER sequence (X.690 8.1.3)."""
    try:
        der = b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(der) < 4 or der[0] != _SEQUENCE:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    octets = der[1] & 0x7F
    return 0 < octets <= 4 and len(der) == 2 + octets + int.from_bytes(der[2 : 2 + octets], "big")
