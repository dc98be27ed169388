"""A person at the consent page, as a program: reads the form, ticks, presses a button, follows no redirect."""

import http.client
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit


class ConsentRefused(Exception):
    """Google showed an error page instead of asking for consent; `status` and `text` are what it showed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


def walk_consent(authorization_url: str, email: str, *, allow: bool, scopes: tuple[str, ...] | None) -> str:
    """The address the browser would be sent to. Blocks for two requests.

    Raises:
        ConsentRefused: an error page came instead of the form, or instead of the redirect.
        ValueError: the page does not offer this account.
    """
    status, _, body = _request("GET", authorization_url, None)
    if status != 200:
        raise ConsentRefused(status, body)
    form = _Form(body)
    if email not in form.accounts:
        raise ValueError(f"the consent page does not offer {email}")
    ticked = [scope for scope in form.scopes if scopes is None or scope in scopes]
    fields = [*form.hidden, ("account", email), *(("scope", scope) for scope in ticked)]
    fields.append(("decision", "allow" if allow else "deny"))
    status, location, body = _request("POST", authorization_url, urlencode(fields))
    if status not in (302, 303) or location is None:
        raise ConsentRefused(status, body)
    return location


class _Form(HTMLParser):
    """What the page's form offers; disabled boxes are not sent, as in a browser."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden: list[tuple[str, str]] = []
        self.accounts: list[str] = []
        self.scopes: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        name, value = about.get("name") or "", about.get("value") or ""
        if tag != "input" or "disabled" in about:
            return
        if about.get("type") == "hidden":
            self.hidden.append((name, value))
        elif name == "account":
            self.accounts.append(value)
        elif name == "scope":
            self.scopes.append(value)


def _request(verb: str, url: str, form: str | None) -> tuple[int, str | None, str]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=10)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        connection.request(verb, target, body=form, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location"), answer.read().decode()
    finally:
        connection.close()
