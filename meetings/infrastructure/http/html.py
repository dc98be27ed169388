"""The few pages this server shows itself: small, without scripts, in English and German."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import HTTPConnection

from meetings.infrastructure.http.words import WORDS

_FOLDER = Path(__file__).parent / "templates"
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# Nothing but our own style sheet, and forms that come back here.
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
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


def page(template: str, language: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page that nobody keeps a copy of and that no search engine lists."""
    words: Mapping[str, str] = WORDS[language]
    html = _templates.get_template(template).render(words=words, language=language, style=_STYLE, **values)
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
    return HTMLResponse(html, status, headers)


def message_page(message: str, language: str, *, status: int) -> HTMLResponse:
    """A page with a headline and a sentence, both by the message's name."""
    words = WORDS[language]
    return page("message.html", language, status=status, title=words[f"{message}_title"], text=words[f"{message}_text"])
