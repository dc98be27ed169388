"""Id tokens: signed with a key of this process, whose public half the simulator publishes.

Source: "ID token claims reference", "OpenID Connect on the Microsoft identity platform" (discovery document, keys).
`email` comes only with the scope of that name and from the account's mail; `preferred_username`, `oid` and `tid` with
`profile`.
"""

import base64
import hashlib
import json
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from meetings.adapters.office365.simulator.errors import Json
from meetings.adapters.office365.simulator.world import Account

KEY_ID = "office365-simulator-1"


class IdTokens:
    """Makes them, and tells the key they can be checked with."""

    def sign(
        self, account: Account, client_id: str, scopes: set[str], now: datetime, base_url: str, nonce: str | None
    ) -> str:
        issued = int(now.timestamp())
        claims: Json = {
            "aud": client_id,
            "iss": issuer(base_url, account.tenant_id),
            "iat": issued,
            "nbf": issued,
            "exp": issued + 3900,
            # Pairwise: another `sub` for every app.
            "sub": base64url(hashlib.sha256(f"{account.object_id}/{client_id}".encode()).digest()),
            "ver": "2.0",
        }
        if "profile" in scopes:
            claims |= {"name": account.name, "preferred_username": account.user_principal_name}
            claims |= {"oid": account.object_id, "tid": account.tenant_id}
        if "email" in scopes and (account.mailbox or account.hybrid):
            claims["email"] = account.email
        if nonce:
            claims["nonce"] = nonce
        header = {"typ": "JWT", "alg": "RS256", "kid": KEY_ID}
        parts = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        signature = _private_key().sign(parts.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{parts}.{base64url(signature)}"

    def key_set(self) -> Json:
        """The JSON Web Key Set of the keys address."""
        numbers = _private_key().public_key().public_numbers()
        key: dict[str, Any] = {"kty": "RSA", "use": "sig", "kid": KEY_ID, "x5t": KEY_ID}
        return {"keys": [{**key, "n": _number(numbers.n), "e": _number(numbers.e)}]}


@cache
def _private_key() -> rsa.RSAPrivateKey:
    """Making one takes a tenth of a second, so that there is one for all simulators."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def issuer(base_url: str, tenant_id: str) -> str:
    return f"{base_url}/{tenant_id}/v2.0"


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))
