"""A web site of somebody else's, with one page."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from tests.loopback import Quiet, on_loopback


@dataclass(frozen=True)
class ForeignSite:
    url: str


def page_of(script: str, attributes: Mapping[str, str]) -> str:
    """A page that includes a script the way a site's owner is told to."""
    given = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>'
        f'<script async src="{escape(script)}" {given}></script></head><body><h1>Shop</h1></body></html>'
    )


@contextmanager
def foreign_site(page: str, *, allowed: str) -> Iterator[ForeignSite]:
    """Serve a page at an origin of its own, with a policy that lets it load from and call `allowed` only."""
    policy = f"default-src 'none'; script-src {allowed}; connect-src {allowed}; img-src https:"

    class Page(Quiet):
        def do_GET(self) -> None:
            body = page.encode() if urlsplit(self.path).path == "/" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body)

    with on_loopback(Page) as port:
        yield ForeignSite(f"http://shop.localhost:{port}/")
