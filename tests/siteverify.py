"""A server that checks captcha tokens, on loopback: what Turnstile's documentation says of its `siteverify` call."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import orjson

SECRET = "secret-of-the-widget"


@dataclass
class SiteVerify:
    """Knows the tokens its widget gave out; each is good once, but for the same idempotency key."""

    url: str = ""
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
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{server.server_port}/turnstile/v0/siteverify"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

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


def _handler(here: SiteVerify) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            body = here.answer({name: values[0] for name, values in parse_qs(text).items()})
            self.send_response(here.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *values: object) -> None:
            """Nothing."""

    return Handler
