"""The words of a mail, out of whatever its author's program made of them.

Nothing here raises on what strangers send.
"""

import email
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message

import html2text
from flufl.bounce import all_failures

LONGEST_TEXT = 100_000
_LONGEST_HTML = 200_000
_LONGEST_REPORT = 500_000
_MOST_PARTS = 200
_ATTACHED_ID = re.compile(rb"^Message-ID:\s*(<[^<>\s]{1,990}>)", re.IGNORECASE | re.MULTILINE)

# It logs what it cannot read, which is somebody's mail.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part of a mail that is text and no attachment."""

    html: bool
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a report on a delivery says: whether it failed for good, and the message id of the mail it is about."""

    failed: bool
    about: str | None


def text_of(parts: Iterable[TextPart]) -> str:
    """The plain texts, or where there are none what the HTML says; cut."""
    known = list(parts)
    plain = "\n".join(part.text for part in known if not part.html)
    if plain.strip():
        return plain.replace("\r\n", "\n")[:LONGEST_TEXT]
    return "\n".join(of_html(part.text) for part in known if part.html)[:LONGEST_TEXT]


def of_html(html: str) -> str:
    """What a page says, as plain text without images, emphasis and scripts."""
    reader = html2text.HTML2Text(bodywidth=0)
    reader.ignore_images = reader.ignore_emphasis = reader.ignore_tables = True
    reader.ignore_links = reader.unicode_snob = True
    try:
        return reader.handle(html[:_LONGEST_HTML]).strip()[:LONGEST_TEXT]
    except Exception:
        # The library fails in many ways on what nobody should have written.
        return re.sub(r"<[^<>]{0,1000}>", " ", html[:LONGEST_TEXT])


def text_in(raw: bytes) -> str:
    """The text of a mail as it travels. Slow on what was written to be slow: call it in a thread."""
    try:
        parts = [TextPart(part.get_content_subtype() == "html", decoded(part)) for part in _texts(_parsed(raw))]
    except Exception:
        # As above, and `email` runs out of stack on parts within parts within parts.
        return ""
    return text_of(parts)


def report_in(raw: bytes) -> Report:
    """What a report on a delivery says, in the form of RFC 3464 or one of those that were usual before it."""
    raw = raw[:_LONGEST_REPORT]
    try:
        _, failed = all_failures(_parsed(raw))
    except Exception:
        failed = frozenset()
    _, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    found = _ATTACHED_ID.search(body)
    return Report(bool(failed), found[1].decode("ascii", "replace") if found else None)


def in_charset(content: bytes, charset: str | None) -> str:
    """The text that these bytes are; in a charset that nobody knows, what can be read of it."""
    try:
        return content.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    return in_charset(content, part.get_content_charset()) if isinstance(content, bytes) else ""


def _parsed(raw: bytes) -> Message:
    return email.message_from_bytes(raw)


def _texts(message: Message) -> Iterator[Message]:
    """Parts that are text, without attachments and without mails that hang on to the mail."""
    waiting, seen = [message], 0
    while waiting and seen < _MOST_PARTS:
        part, seen = waiting.pop(0), seen + 1
        kind = part.get_content_type()
        if part.is_multipart() and not kind.startswith("message/"):
            waiting = [*(each for each in part.get_payload() if isinstance(each, Message)), *waiting]
        elif kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
            yield part
