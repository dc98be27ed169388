"""What strangers wrote, made fit for others to read: no control characters, and nothing that becomes a link."""

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Zero-width and direction marks let one text look like another. The joiners U+200C and U+200D stay: names and emoji
# of several scripts are spelled with them.
INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
_BEFORE_SLASHES = re.compile(r":(?=[/\\])")
_NETWORK_SHARE = re.compile(r"\\(?=\\)")
_DOT_IN_NAME = re.compile("(?<=[^\\W_])[.\u3002\uff0e\uff61](?=[^\\W\\d_]{2})")


def plain(text: str) -> str:
    """The text without control characters, lone surrogates and invisible marks; every kind of line end is `\\n`."""
    unfolded = INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
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
