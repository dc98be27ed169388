"""What other people wrote, made fit for the headers and links of a mail."""

import re
import unicodedata
from urllib.parse import urlsplit

from meetings.application.free_text import INVISIBLE, harmless
from meetings.application.ports.mail import UnsafeLetter

# Far below the 998 characters a line may have (RFC 5322 2.1.1), which a name outside this bound could pass by itself.
_HEADER_LENGTH = 200
_NOT_IN_HEADERS = {"Cc", "Cs", "Zl", "Zp"}


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def header_text(text: str, *, field: str) -> str:
    """One line of text that a header may carry, cut after 200 characters.

    Raises:
        UnsafeLetter: it holds a control character, a line or paragraph separator or a lone surrogate.
    """
    if any(unicodedata.category(character) in _NOT_IN_HEADERS for character in text):
        raise UnsafeLetter(f"{field} holds a control character")
    # A header's text that looks like an encoded word (RFC 2047) would be decoded, and could then hold anything.
    line = one_line(INVISIBLE.sub("", text)).replace("=?", "= ?")
    return line if len(line) <= _HEADER_LENGTH else f"{line[: _HEADER_LENGTH - 1]}…"


def shown_name(text: str, *, field: str) -> str:
    """One line that may stand in a header and in a mail's text, as `header_text` and `harmless` say.

    Raises:
        UnsafeLetter: as `header_text`.
    """
    return harmless(header_text(text, field=field))


def web_link(url: str, *, field: str) -> str:
    """The same address, known to be an http(s) link without characters that could end it early.

    Raises:
        UnsafeLetter: it is anything else.
    """
    if not re.fullmatch(r"https?://[^\s<>\"'\\^`{|}\x00-\x20\x7f-\x9f]+", url):
        raise UnsafeLetter(f"{field} is not a web link")
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    if not host:
        raise UnsafeLetter(f"{field} names no host")
    return url
