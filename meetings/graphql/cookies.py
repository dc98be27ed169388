"""The two cookies of the API. Neither can be read by scripts."""

from datetime import timedelta

from meetings.graphql.context import SESSION_COOKIE, Connection

OAUTH_COOKIE = "meetings_oauth"
OAUTH_PATH = "/oauth"
"""Ties a trip to a provider's consent page to the browser that began it (OA-1), and where it is sent."""


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
