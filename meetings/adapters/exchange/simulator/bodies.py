"""Bodies in the kind that was asked for, converted when they were written in another ("BodyType")."""

import re
from html import escape, unescape

from meetings.adapters.exchange.simulator.soap import Element, t

_TAG = re.compile(r"<[^>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr)\s*/?>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(style|script|head)\b.*?</\1>", re.IGNORECASE | re.DOTALL)


def body(stored: Element | None, wanted: str) -> Element:
    """`wanted` is Text, HTML or Best: as it was written.

    Plain text comes back with CRLF ends of lines, HTML inside a document of its own (both as seen, details assumed).
    """
    kind = "Text" if stored is None else stored.get("BodyType", "Text")
    content = "" if stored is None else stored.text or ""
    if wanted == "Text" or (wanted == "Best" and kind == "Text"):
        plain = content if kind == "Text" else _as_text(content)
        return t("Body", re.sub(r"\r?\n", "\r\n", plain), BodyType="Text")
    if not content:
        return t("Body", BodyType="HTML")
    inner = content if kind == "HTML" else _as_html(content)
    whole = inner if "<html" in inner.lower() else f"<html>\r\n<body>\r\n{inner}\r\n</body>\r\n</html>\r\n"
    return t("Body", whole, BodyType="HTML")


def _as_html(plain: str) -> str:
    return escape(plain, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")


def _as_text(html: str) -> str:
    one_line = re.sub(r"\s*\r?\n\s*", " ", _UNSEEN.sub("", html))
    return unescape(_TAG.sub("", _BREAK.sub("\n", one_line))).strip()
