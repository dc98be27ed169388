"""A person at the consent page, as a program: looks at it, chooses a portal, presses a button, follows no redirect."""

import http.client
from urllib.parse import urlencode, urlsplit


class ConsentRefused(Exception):
    """HubSpot showed an error page instead of asking for consent."""


def walk_consent(authorization_url: str, hub_id: str, *, allow: bool) -> str:
    """The address the browser would be sent to. Blocks for two requests.

    Raises:
        ConsentRefused: an error page came instead of the form, or instead of the redirect.
    """
    status, _, body = _request("GET", authorization_url, None)
    if status != 200 or f'"{hub_id}"' not in body:
        raise ConsentRefused(f"{status}: {body}")
    form = urlencode({"hub_id": hub_id, "decision": "allow" if allow else "deny"})
    status, location, body = _request("POST", authorization_url, form)
    if status != 302 or location is None:
        raise ConsentRefused(f"{status}: {body}")
    return location


def _request(method: str, url: str, body: str | None) -> tuple[int, str | None, str]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        headers = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, f"{parts.path}?{parts.query}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location"), answer.read().decode()
    finally:
        connection.close()
