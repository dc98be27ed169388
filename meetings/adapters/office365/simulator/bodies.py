"""What Exchange makes of an event's text: HTML around plain text, plain text out of HTML, and the Teams part behind it.

Source: "Create event" (examples: HTML comes back inside `<html><head>...`), itemBody; that plain text comes back as
HTML with the comment "converted from text" was seen in public reports. The shape of the Teams part is assumed; that a
changed body has to keep it, or the meeting is no online meeting any more, says "Update event".
"""

import html
import re

from meetings.adapters.office365.simulator.errors import Json

_HEAD = '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
RULE = "_" * 80


def kept_body(given: Json) -> Json:
    """A body of a request as Exchange keeps it: as HTML, whatever it was."""
    content = str(given.get("content") or "")
    if str(given.get("contentType", "text")).lower() == "html":
        inner = re.search(r"<body[^>]*>(.*)</body>", content, re.IGNORECASE | re.DOTALL)
        return {"contentType": "html", "content": _page(inner[1] if inner else content)}
    lines = html.escape(content, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    inner_html = f'<!-- converted from text --><div class="PlainText">{lines}</div>'
    return {"contentType": "html", "content": _page(inner_html if content else "")}


def shown_body(kept: Json, body_type: str) -> Json:
    if body_type == "html":
        return dict(kept)
    return {"contentType": "text", "content": plain_text(kept["content"])}


def plain_text(content: str) -> str:
    """The text of a page as a reader sees it; lines end in \\n."""
    found = re.search(r"<body[^>]*>(.*)</body>", content, re.IGNORECASE | re.DOTALL)
    inner = found[1] if found else content
    inner = re.sub(r"<!--.*?-->|<(style|script)\b.*?</\1>", "", inner, flags=re.IGNORECASE | re.DOTALL)
    inner = re.sub(r"\s*\n\s*", " ", inner)
    inner = re.sub(r"\s*<br\s*/?>\s*", "\n", inner, flags=re.IGNORECASE)
    inner = re.sub(r"\s*</(p|h[1-6])>\s*", "\n\n", inner, flags=re.IGNORECASE)
    inner = re.sub(r"\s*</(div|li|tr)>\s*", "\n", inner, flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^>]+>", "", inner)).replace("\xa0", " ").strip()


def preview(content: str) -> str:
    """bodyPreview: the first 255 characters of the text."""
    return plain_text(content)[:255]


def with_join_link(kept: Json, join_url: str) -> Json:
    part = (
        f'<div style="width:100%"><span>{RULE}</span></div><div class="me-email-text"><p>Microsoft Teams meeting</p>'
        f'<p><a href="{html.escape(join_url)}">Join the meeting now</a></p></div>'
    )
    inner = re.search(r"<body[^>]*>(.*)</body>", kept["content"], re.IGNORECASE | re.DOTALL)
    return {"contentType": "html", "content": _page(f"{inner[1] if inner else ''}<br>\r\n{part}")}


def has_join_link(kept: Json, join_url: str) -> bool:
    return join_url in html.unescape(kept["content"])


def without_join_part(text: str) -> str:
    """The part of a text that the organiser wrote."""
    return text.partition(RULE)[0].rstrip()


def _page(inner: str) -> str:
    return f"{_HEAD}</head><body>\r\n{inner}\r\n</body></html>\r\n"
