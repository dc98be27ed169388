"""Addresses this product hands out, and the unguessable tokens in some of them."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from meetings.application.signed_tokens import SignedTokens
from meetings.domain.identifiers import BookingId

_MAC_BYTES = 18


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses below `public_url` (no slash at its end). `pages_url` is a second address that has pages
    at `/`; None where there is only one.

    A manage token is the booking's id with a 144-bit keyed hash: it can be made again for every mail and event, is
    stored nowhere, and cannot be guessed. `keys` are at least one; the first makes tokens, all are accepted.
    """

    public_url: str
    dashboard_url: str
    keys: Sequence[bytes] = field(repr=False)
    pages_url: str | None = None

    @property
    def standard_hosts(self) -> tuple[str, ...]:
        """The hosts everybody may have their pages under (S65), as a `Host` header carries them; the first is that of
        `public_url`."""
        addresses = (self.public_url, self.pages_url or self.public_url)
        return tuple(dict.fromkeys(urlsplit(address).netloc.lower() for address in addresses))

    def page(self, slug: str, host: str | None = None) -> str:
        """Where people book, under one of `standard_hosts` or a custom domain; without a host under the first."""
        if host is None or host == self.standard_hosts[0]:
            return f"{self.public_url}/meetings/{quote(slug)}"
        if self.pages_url is not None and host in self.standard_hosts:
            return f"{self.pages_url}/{quote(slug)}"
        own = urlsplit(self.public_url)
        port = own.port
        return f"{own.scheme}://{host}{f':{port}' if port else ''}/meetings/{quote(slug)}"

    def slug_in(self, path: str, *, pages_only: bool) -> str | None:
        """The slug a path of an address names, not decoded; None when it is no page's. With `pages_only` pages are at
        `/` as well."""
        for prefix in ("/meetings/", "/p/"):
            if path.startswith(prefix):
                return path.removeprefix(prefix)
        return path.removeprefix("/") if pages_only else None

    def manage(self, booking_id: BookingId) -> str:
        """Where the invitee sees, moves or cancels the booking."""
        return f"{self.public_url}/b/{self.manage_token(booking_id)}"

    def calendar_file(self, booking_id: BookingId) -> str:
        return f"{self.manage(booking_id)}.ics"

    @property
    def tokens(self) -> SignedTokens:
        """Signs everything else that a link of ours carries."""
        return SignedTokens(self.keys)

    def invitation(self, token: str) -> str:
        """Where somebody joins an account."""
        return f"{self.public_url}/invitations/{token}"

    def export(self, token: str) -> str:
        """Where what is stored of a person is fetched."""
        return f"{self.public_url}/exports/{token}"

    def settings(self) -> str:
        """Where a host mends a calendar connection."""
        return f"{self.dashboard_url}/settings/calendar"

    def oauth_callback(self, provider: str) -> str:
        return f"{self.public_url}/oauth/{provider.lower()}/callback"

    def push_address(self, provider: str) -> str:
        return f"{self.public_url}/webhooks/{provider.lower()}"

    @property
    def host(self) -> str:
        """The host part of our own address."""
        return urlsplit(self.public_url).hostname or "localhost"

    def with_query(self, address: str, **query: str) -> str:
        """`address` with more query parameters, before its fragment if it has one."""
        address, mark, fragment = address.partition("#")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}{mark}{fragment}"

    def manage_token(self, booking_id: BookingId) -> str:
        """46 characters that are safe in a path."""
        return _encode(booking_id.bytes + _mac(self.keys[0], booking_id))

    def booking_of(self, token: str) -> BookingId | None:
        """Whose manage token this is; None for any other text. Takes the same time for every token."""
        try:
            raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (BadBase64, UnicodeEncodeError, ValueError):
            raw = b""
        raw = raw if len(raw) == 16 + _MAC_BYTES and _encode(raw) == token else bytes(16 + _MAC_BYTES)
        booking_id = BookingId(UUID(bytes=raw[:16]))
        matches = [hmac.compare_digest(_mac(key, booking_id), raw[16:]) for key in self.keys]
        return booking_id if any(matches) else None


def host_and_port(host: str, public_url: str) -> tuple[str, int] | None:
    """A `Host` header's name and port, where left out the usual one of the scheme of `public_url`; None for a port
    that is none."""
    name, colon, port = host.lower().rpartition(":")
    if not colon or port.endswith("]"):
        return host.lower(), 443 if public_url.startswith("https://") else 80
    return (name, int(port)) if port.isascii() and port.isdigit() and len(port) <= 5 else None


def _mac(key: bytes, booking_id: BookingId) -> bytes:
    return hmac.new(key, b"manage:" + booking_id.bytes, hashlib.sha256).digest()[:_MAC_BYTES]


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def token_hash(token: str) -> str:
    """What is stored of a random token of at least 128 bits: its SHA-256, as hex. Any text has one."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
