"""The part of a mail address behind the "@"."""

import re

from meetings.domain.base import Problem, Rule

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MAX_DOMAIN = 253


def mail_domain(typed: str) -> str | None:
    """A domain, or the domain of an address, in the one form in which domains are compared: small letters, other
    scripts as `xn--` (RFC 5890). None for what is no domain of mail addresses."""
    domain = typed.strip().rpartition("@")[2].rstrip(".").lower()
    try:
        written = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = written.split(".")
    good = len(written) <= MAX_DOMAIN and len(labels) > 1 and all(map(_LABEL.fullmatch, labels))
    return written if good else None


def mail_domain_problem(typed: str, *path: str) -> Problem | None:
    """What keeps a text from being a domain."""
    if not typed.strip():
        return Problem(path, Rule.REQUIRED)
    return Problem(path, Rule.NOT_A_DOMAIN) if "@" in typed or mail_domain(typed) is None else None
