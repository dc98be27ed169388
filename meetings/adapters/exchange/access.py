"""What is sealed for one connection: who signs in, where, and how."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field

from meetings.adapters.exchange.versions import ServerBuild
from meetings.application.ports.calendars import ReauthorizationNeeded, ServerAuth


@dataclass(frozen=True, slots=True)
class MailboxAccess:
    """One mailbox on one server. `auth` is BASIC or NTLM; `ca` is PEM of a private authority, for this server alone.

    `login` is another one each time somebody signs in, so that what was found out about an older password, and
    connections that were opened with it, are never taken for those of this one.
    """

    email: str
    username: str
    password: str = field(repr=False)
    url: str
    auth: ServerAuth
    build: ServerBuild
    ca: str | None = field(default=None, repr=False)
    login: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def fingerprint(self) -> str:
        """Tells these from all other credentials, and tells nothing of them."""
        return hashlib.sha256(self.to_text().encode()).hexdigest()

    def to_text(self) -> str:
        return json.dumps(
            {
                "email": self.email,
                "username": self.username,
                "password": self.password,
                "url": self.url,
                "auth": self.auth.value,
                "build": str(self.build),
                "ca": self.ca,
                "login": self.login,
            }
        )

    @classmethod
    def from_text(cls, text: str) -> "MailboxAccess":
        """Raises ReauthorizationNeeded for what `to_text` did not write."""
        try:
            told = json.loads(text)
            texts = [told[name] for name in ("email", "username", "password", "url")]
            ca = told["ca"]
            if not all(isinstance(each, str) and each for each in texts) or not isinstance(ca, str | None):
                raise TypeError
            login = str(told["login"])
            auth, build = ServerAuth(told["auth"]), ServerBuild.parse(told["build"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ReauthorizationNeeded("stored credentials of another form") from None
        if auth is ServerAuth.AUTO:
            raise ReauthorizationNeeded("stored credentials of another form")
        email, username, password, url = texts
        return cls(email, username, password, url, auth, build, ca, login)
