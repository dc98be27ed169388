"""Checks for text, addresses, zones and colours that several aggregates share."""

import re
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from meetings.domain.base import Problem, ProblemCode, Rule

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]+@[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]+\.[^@\s\x00-\x1f\x7f.]+")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_LANGUAGES = frozenset(
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo "
    "es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka "
    "kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng "
    "nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su "
    "sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu".split()
)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
MAX_EMAIL = 254
MAX_URL = 2_000


def text_problem(value: str, *path: str, most: int, required: bool = True, lines: bool = False) -> Problem | None:
    """What is wrong with a text: missing, longer than `most` characters, or holding characters nobody can show.

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
    """Control characters, and halves of surrogate pairs, which no database and no mail can hold."""
    return ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u2029" or "\ud800" <= char <= "\udfff"


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
    """Whether `value` names an IANA zone (`Europe/Berlin`), of any age.

    What the files of a system offer beyond that is none: its own local time, copies with and without leap seconds.
    """
    if value in ("localtime", "posixrules") or value.startswith(("posix/", "right/")):
        return False
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # unknown; not a key; names a folder of the zone database
        return False
    return True


def locale_problem(value: str, *path: str) -> Problem | None:
    """What keeps `value` from being a language tag such as `de` or `de-DE` (BCP 47: language, script, region).

    A language of two letters has to be one of ISO 639-1; those of three letters are too many to tell.
    """
    language = value.split("-")[0]
    known = _LOCALE.fullmatch(value) and (len(language) == 3 or language in _LANGUAGES)
    return None if known else Problem(path, Rule.NOT_A_LOCALE)


def color_problem(value: str, *path: str) -> Problem | None:
    """What keeps `value` from being a colour such as `#1a2b3c`."""
    return None if _COLOR.fullmatch(value) else Problem(path, Rule.NOT_A_COLOR)
