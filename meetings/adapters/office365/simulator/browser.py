"""A person at the consent page, as a program: reads the form, presses a button, follows no redirect."""

import http.client
import ssl
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit


class ConsentRefused(Exception):
    """An error page came instead of the form, or instead of the way back; `status` and `text` are what it showed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


def walk_consent(
    authorization_url: str, email: str, *, allow: bool, scopes: tuple[str, ...] | None, ca_file: str | None
) -> str:
    """The address the browser would be sent to; with `response_mode=form_post` the fields stand in its query.

    Blocks for two requests. An error that comes back at once, without a page, is given too.

    Raises:
        ConsentRefused: an error page came.
        ValueError: the page does not offer this account.
    """
    status, location, body = _request("GET", authorization_url, None, ca_file)
    if status == 302 and location is not None:
        return location
    if status != 200:
        raise ConsentRefused(status, body)
    form = _Form(body)
    if email not in form.accounts:
        raise ValueError(f"the consent page does not offer {email}")
    kept = [(name, value) for name, value in form.hidden if name != "scope" or scopes is None or value in scopes]
    decision = ("decision", "accept" if allow else "cancel")
    fields = urlencode([*kept, ("account", email), decision])
    status, location, body = _request("POST", authorization_url, fields, ca_file)
    if status == 200 and (posted := _Form(body)).action:
        return f"{posted.action}?{urlencode(posted.hidden)}"
    if status not in (302, 303) or location is None:
        raise ConsentRefused(status, body)
    return location


class _Form(HTMLParser):
    """What the page's form offers."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.hidden: list[tuple[str, str]] = []
        self.accounts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        name, value = about.get("name") or "", about.get("value") or ""
        if tag == "form":
            self.action = about.get("action") or ""
        elif tag == "input" and about.get("type") == "hidden":
            self.hidden.append((name, value))
        elif tag == "input" and name == "account":
            self.accounts.append(value)


def _request(verb: str, url: str, form: str | None, ca_file: str | None) -> tuple[int, str | None, str]:
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        trusted = ssl.create_default_context(cafile=ca_file)
        connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=10, context=trusted)
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        connection.request(verb, f"{parts.path}?{parts.query}", body=form, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location"), answer.read().decode()
    finally:
        connection.close()
