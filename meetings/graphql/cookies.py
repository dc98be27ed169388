"""The cookies of the API. None can be read by scripts."""

from datetime import timedelta

from meetings.graphql.context import SESSION_COOKIE, Connection

OAUTH_COOKIE = "meetings_oauth"
OAUTH_PATH = "/oauth"
"""Ties a trip to a provider's consent page to the browser that began it (OA-1), and where it is sent."""


VISITOR_COOKIE = "meetings_visitor"
"""Under a custom domain: which browser this is (S67)."""


def keep_session(connection: Connection, token: str, *, lasts: timedelta) -> None:
    """Sign the browser in. Over a WebSocket there is no answer to carry a cookie, so nothing is set."""
    if connection.response is not None:
        connection.response.set_cookie(
            SESSION_COOKIE,
            token,
            max_age=int(lasts.total_seconds()),
            httponly=True,
            secure=connection.options.secure_cookies,
            samesite="lax",
        )


def drop_session(connection: Connection) -> None:
    """Sign the browser out."""
    if connection.response is not None:
        connection.response.delete_cookie(
            SESSION_COOKIE, httponly=True, secure=connection.options.secure_cookies, samesite="lax"
        )


def keep_browser_secret(connection: Connection, secret: str, *, lasts: timedelta) -> None:
    """Give the browser what it has to bring back from the consent page. `Lax`, because it comes back from there."""
    if connection.response is not None:
        connection.response.set_cookie(
            OAUTH_COOKIE,
            secret,
            max_age=int(lasts.total_seconds()),
            path=OAUTH_PATH,
            httponly=True,
            secure=connection.options.secure_cookies,
            samesite="lax",
        )


def visitor_token(connection: Connection) -> str | None:
    """What a browser that booked before brings along."""
    return connection.http.cookies.get(_visitor_cookie(connection))


def keep_visitor(connection: Connection, token: str, *, days: int) -> None:
    """Have the browser come back as the one it is: to this very host, and not from another site's scripts."""
    if connection.response is not None:
        connection.response.set_cookie(
            _visitor_cookie(connection),
            token,
            max_age=days * 24 * 3600,
            path="/",
            httponly=True,
            secure=connection.options.secure_cookies,
            samesite="lax",
        )


def _visitor_cookie(connection: Connection) -> str:
    """With the prefix that keeps neighbouring hosts from setting it (RFC 6265bis, 4.1.3.2), which takes HTTPS."""
    return f"__Host-{VISITOR_COOKIE}" if connection.options.secure_cookies else VISITOR_COOKIE
