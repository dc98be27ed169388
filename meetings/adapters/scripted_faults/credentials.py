"""How a caller shows who it is, in the `Authorization` header."""

import base64
from urllib.parse import unquote


def bearer(header: str | None) -> str | None:
    """The token (RFC 6750 2.1); None without one."""
    kind, _, token = (header or "").partition(" ")
    return token if kind.lower() == "bearer" and token else None


def basic_credentials(header: str | None) -> dict[str, str]:
    """The `client_id` and `client_secret` of a client naming itself by HTTP Basic (RFC 6749 2.3.1); else nothing."""
    kind, _, value = (header or "").partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": unquote(client_id), "client_secret": unquote(secret)}
