"""Whether the ID token that came with a code is meant for us. msal checks no more than the nonce.

Sources: OpenID Connect Core 3.1.3.7; "ID token claims reference" and "Secure applications and APIs by validating
claims" (Microsoft identity platform). The signature is not checked: the token came from Microsoft itself over TLS, not
through a browser (OpenID Connect Core 3.1.3.7, 6).
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_CLOCK_SECONDS = 120
_TENANT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal Microsoft accounts ("ID token claims reference", tid)."""


def is_for_us(
    claims: Mapping[str, Any], *, client_id: str, nonce: str, issuer: str, tenant: str, now: datetime
) -> bool:
    """Audience, nonce, expiry, issuer and tenant.

    `issuer` is what the sign-in service says of itself, where "{tenantid}" stands for the account's tenant; `tenant` is
    whom the operator lets in: anybody (common), any organisation (organizations), or one.
    """
    home = _tenant(claims.get("iss"), issuer)
    expires_at, said_nonce = claims.get("exp"), claims.get("nonce")
    return (
        home is not None
        # Told only to those who ask for the profile, too.
        and claims.get("tid") in (None, home)
        and _is_let_in(home, tenant)
        and claims.get("aud") == client_id
        and isinstance(said_nonce, str)
        and secrets.compare_digest(said_nonce.encode(), hashlib.sha256(nonce.encode()).hexdigest().encode())
        and isinstance(expires_at, int)
        and expires_at + _CLOCK_SECONDS > now.timestamp()
    )


def _tenant(told: Any, issuer: str) -> str | None:
    """The tenant that an issuer names; None unless it is the one we asked, for whatever tenant ("iss")."""
    before, placeholder, after = issuer.partition("{tenantid}")
    if not isinstance(told, str) or not (told.startswith(before) and told.endswith(after)):
        return None
    if not placeholder:
        named = _TENANT.search(issuer)
        return named[0] if named and told == issuer else None
    home = told[len(before) : len(told) - len(after)]
    return home if _TENANT.fullmatch(home) else None


def _is_let_in(home: str, tenant: str) -> bool:
    if tenant == "organizations":
        return home != _PERSONAL
    return not _TENANT.fullmatch(tenant) or home.lower() == tenant.lower()
