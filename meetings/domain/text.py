"""Checks for text, addresses, zones and colours that several aggregates share."""

import re
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from meetings.domain.base import Problem, ProblemCode, Rule

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]+@[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]+\.[^@\s\x00-\x1f\x7f.]+")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
MAX_EMAIL = 254
MAX_URL = 2_000


def text_problem(value: str, *path: str, most: int, required: bool = True, lines: bool = False) -> Problem | None:
    """What is wrong with a text: missing, longer than `most` characters, or holding control characters.

    With `lines`, line breaks and tabs are fine.
    """
    if required and not value.strip():
        return Problem(path, Rule.REQUIRED)
    if len(value) > most:
        return Problem(path, Rule.TOO_LONG, values={"most": most})
    if any(_is_control(char) and not (lines and char in "\r\n\t") for char in value):
        return Problem(path, Rule.CONTROL_CHARACTERS)
    return None


def _is_control(char: str) -> bool:
    return ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u2029"


def email_problem(value: str, *path: str) -> Problem | None:
    """What keeps `value` from being an address: the shape only, whether it receives mail is not known here."""
    if not value.strip():
        return Problem(path, Rule.REQUIRED)
    if len(value) > MAX_EMAIL or not _EMAIL.fullmatch(value):
        return Problem(path, Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID)
    return None


def url_problem(value: str, *path: str) -> Problem | None:
    """What keeps `value` from being an absolute http(s) address without credentials in it."""
    wrong = Problem(path, Rule.NOT_A_URL)
    if len(value) > MAX_URL or any(_is_control(char) or char in ' <>"\\' for char in value):
        return wrong
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return wrong
    good = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    return None if good else wrong


def time_zone_problem(value: str, *path: str) -> Problem | None:
    """What keeps `value` from being an IANA zone this system knows."""
    if is_time_zone(value):
        return None
    return Problem(path, Rule.NOT_A_TIME_ZONE, ProblemCode.TIMEZONE_INVALID)


def is_time_zone(value: str) -> bool:
    """Whether `value` names an IANA zone (`Europe/Berlin`), of any age."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # unknown; not a key; names a folder of the zone database
        return False
    return True


def locale_problem(value: str, *path: str) -> Problem | None:
    """What keeps `value` from being a language tag such as `de` or `de-DE` (BCP 47: language, script, region)."""
    return None if _LOCALE.fullmatch(value) else Problem(path, Rule.NOT_A_LOCALE)


def color_problem(value: str, *path: str) -> Problem | None:
    """What keeps `value` from being a colour such as `#1a2b3c`."""
    return None if _COLOR.fullmatch(value) else Problem(path, Rule.NOT_A_COLOR)
