"""What other people wrote, made fit for a mail: no control characters, no links, nothing a header could break on."""

import re
import unicodedata
from urllib.parse import urlsplit

from meetings.application.ports.mail import UnsafeLetter

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Zero-width and direction marks let one text look like another. The joiners U+200C and U+200D stay: names and emoji
# of several scripts are spelled with them.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
# Far below the 998 characters a line may have (RFC 5322 2.1.1), which a name outside this bound could pass by itself.
_HEADER_LENGTH = 200
_NOT_IN_HEADERS = {"Cc", "Cs", "Zl", "Zp"}

_BEFORE_SLASHES = re.compile(r":(?=[/\\])")
_NETWORK_SHARE = re.compile(r"\\(?=\\)")
_DOT_IN_NAME = re.compile("(?<=[^\\W_])[.\u3002\uff0e\uff61](?=[^\\W\\d_]{2})")


def plain(text: str) -> str:
    """The text without control characters, lone surrogates and invisible marks; every kind of line end is `\\n`."""
    unfolded = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    return "".join(
        character
        for character in unfolded
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs"}
    )


def harmless(text: str) -> str:
    """The text as `plain`, with web addresses spelled so that no mail program makes a link of them.

    Mail programs turn `https://…`, `www.…`, bare host names and network shares into links by themselves, in text and
    in HTML. `https://evil.example/x` becomes `https[:]//evil[.]example/x`: still readable, nothing to click on.
    """
    without_schemes = _BEFORE_SLASHES.sub("[:]", plain(text))
    return _DOT_IN_NAME.sub("[.]", _NETWORK_SHARE.sub(r"\\ ", without_schemes))


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
    line = one_line(_INVISIBLE.sub("", text)).replace("=?", "= ?")
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
