"""The few pages this server shows itself: small, without scripts, in English and German."""

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import HTTPConnection
from strawberry.http.websocket_origin import is_same_origin

from meetings.infrastructure.http.words import WORDS

_FOLDER = Path(__file__).parent / "templates"
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?")
_templates = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def language_of(connection: HTTPConnection) -> str:
    """The first language of the browser's list that there are words for, else English."""
    for entry in connection.headers.get("accept-language", "").split(","):
        language = entry.partition(";")[0].strip().partition("-")[0].lower()
        if language in WORDS:
            return language
    return "en"


def policy(*leads_to: str, scripts_of: str | None = None) -> str:
    """Nothing but our own style sheet, and forms that come back here or lead on to these origins; of `scripts_of`, an
    origin, scripts and frames as well."""
    forms = " ".join(("'self'", *leads_to))
    scripts = f"script-src {scripts_of}; frame-src {scripts_of}; " if scripts_of else ""
    return (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; {scripts}form-action {forms}; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def origin_of(address: str) -> str | None:
    """The origin of an address as a policy can name it; None for one that is written otherwise."""
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if _ORIGIN.fullmatch(origin) else None


def from_own_page(request: HTTPConnection) -> bool:
    """Whether a form was sent from a page of the host it was sent to. What is no browser says nothing of that."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return is_same_origin(origin, request.headers.get("host"))


def page(template: str, language: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page that nobody keeps a copy of and that no search engine lists."""
    words: Mapping[str, str] = WORDS[language]
    html = _templates.get_template(template).render(words=words, language=language, style=_STYLE, **values)
    headers = {"Content-Security-Policy": policy(), "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
    return HTMLResponse(html, status, headers)


def message_page(message: str, language: str, *, status: int) -> HTMLResponse:
    """A page with a headline and a sentence, both by the message's name."""
    words = WORDS[language]
    return page("message.html", language, status=status, title=words[f"{message}_title"], text=words[f"{message}_text"])
