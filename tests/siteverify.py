"""A server for captchas on loopback: what Turnstile's documentation says of its `siteverify` call ("Validate the
token") and of widgets that are rendered implicitly ("Embed the widget")."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import orjson

from tests.loopback import Quiet, on_loopback

SECRET = "secret-of-the-widget"
SOLVED = "solved-by-a-person"
_WIDGET = """
const source = new URL(document.currentScript.src);
const show = () => {
  for (const place of document.querySelectorAll(".cf-turnstile[data-sitekey]")) {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "cf-turnstile-response" });
    const frame = Object.assign(document.createElement("iframe"), { src: new URL("widget.html", source).href });
    addEventListener("message", (told) => {
      if (told.origin === source.origin && told.source === frame.contentWindow) field.value = told.data;
    });
    place.append(frame, field);
  }
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
else show();
"""
_FRAME = f"""<!doctype html><button onclick="parent.postMessage('{SOLVED}', '*')">I am a person</button>
<script>document.querySelector("button").click()</script>"""
_FILES = {"/turnstile/v0/api.js": ("text/javascript", _WIDGET), "/turnstile/v0/widget.html": ("text/html", _FRAME)}


@dataclass
class SiteVerify:
    """Knows the tokens its widget gave out; each is good once, but for the same idempotency key. `script` fills in a
    form's token by means of a frame, as soon as somebody looks."""

    url: str = ""
    script: str = ""
    tokens: set[str] = field(default_factory=set)
    used: dict[str, str | None] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    """Instead of an answer."""

    def gives(self, token: str) -> str:
        """Somebody solves the captcha."""
        self.tokens.add(token)
        return token

    @contextmanager
    def serve(self) -> Iterator["SiteVerify"]:
        with on_loopback(_handler(self)) as port:
            self.url = f"http://127.0.0.1:{port}/turnstile/v0/siteverify"
            self.script = f"http://127.0.0.1:{port}/turnstile/v0/api.js"
            yield self

    def answer(self, form: dict[str, str]) -> bytes:
        self.asked.append(form)
        if self.body is not None:
            return self.body
        codes = self._codes(form)
        return orjson.dumps({"success": not codes, "error-codes": codes})

    def _codes(self, form: dict[str, str]) -> list[str]:
        token, attempt = form.get("response", ""), form.get("idempotency_key")
        if form.get("secret") != SECRET:
            return ["invalid-input-secret"]
        if token not in self.tokens:
            return ["invalid-input-response"]
        if token in self.used and (attempt is None or self.used[token] != attempt):
            return ["timeout-or-duplicate"]
        self.used[token] = attempt
        return []


def _handler(here: SiteVerify) -> type[Quiet]:
    class Handler(Quiet):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            body = here.answer({name: values[0] for name, values in parse_qs(text).items()})
            self._send(here.status, "application/json", body)

        def do_GET(self) -> None:
            kind, text = _FILES.get(self.path, ("text/plain", ""))
            self._send(200 if text else 404, kind, text.encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
