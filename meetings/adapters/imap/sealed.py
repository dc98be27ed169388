"""What is sealed of a mailbox that was connected with a password: who signs in, and where."""

import json
from dataclasses import dataclass, field

from meetings.application.ports.calendars import ReauthorizationNeeded
from meetings.application.ports.mail_accounts import ServerAddress


@dataclass(frozen=True, slots=True)
class Access:
    """The text of `Credentials`, read."""

    email: str
    username: str
    password: str = field(repr=False)
    imap: ServerAddress
    smtp: ServerAddress

    def to_text(self) -> str:
        return json.dumps(
            {
                "email": self.email,
                "username": self.username,
                "password": self.password,
                "imap": [self.imap.host, self.imap.port, self.imap.starttls],
                "smtp": [self.smtp.host, self.smtp.port, self.smtp.starttls],
            }
        )

    @classmethod
    def from_text(cls, text: str) -> "Access":
        """Raises ReauthorizationNeeded for a text that is not ours: only signing in again makes a new one."""
        try:
            told = json.loads(text)
            return cls(
                email=str(told["email"]),
                username=str(told["username"]),
                password=str(told["password"]),
                imap=_server(*told["imap"]),
                smtp=_server(*told["smtp"]),
            )
        except (ValueError, TypeError, KeyError):
            raise ReauthorizationNeeded("the stored credentials cannot be read") from None


def _server(host: str, port: int, starttls: bool) -> ServerAddress:
    return ServerAddress(str(host), int(port), bool(starttls))
