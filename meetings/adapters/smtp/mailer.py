"""Letters over SMTP (RFC 5321)."""

import asyncio
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from enum import Enum

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from meetings.adapters.smtp.addresses import address_of
from meetings.adapters.smtp.free_text import header_text
from meetings.adapters.smtp.letters import Sender, message_of
from meetings.adapters.smtp.team_letter import team_message
from meetings.application.ports.mail import Letter, MailRefused, MailUnavailable, TeamLetter

# Answers about us rather than about the letter: authentication wanted, too weak, encryption wanted, or wrong
# (RFC 4954 6). An operator can mend them, so the letter waits.
_ABOUT_US = {530, 534, 535, 538}
_GOODBYE_SECONDS = 1.0


class SmtpSecurity(Enum):
    """How the connection is protected; `TLS` from the first byte, `STARTTLS` before anything else is said."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """The mail server to hand letters to, and whom they come from.

    With TLS the certificate must name `host` and come from an authority the system trusts, or from the one in
    `authority_file` (PEM). `timeout_seconds` limits each step (connecting, each answer), `total_seconds` all of them.

    Raises:
        ValueError: values that cannot work, and a password that would cross the network unencrypted.
    """

    host: str
    port: int
    sender_name: str
    sender_address: str
    security: SmtpSecurity = SmtpSecurity.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    authority_file: str | None = None
    timeout_seconds: float = 10.0
    total_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not self.host or not 1 <= self.port <= 65535:
            raise ValueError("the mail server needs a host and a port from 1 to 65535")
        if self.timeout_seconds <= 0 or self.total_seconds <= 0:
            raise ValueError("the mail server's time limits must be positive")
        if (self.username is None) != (self.password is None):
            raise ValueError("the mail server's user name and password belong together")
        if self.password is not None and self.security is SmtpSecurity.NONE:
            raise ValueError("a password for the mail server is only sent over STARTTLS or TLS")
        address_of(self.sender_address, name=header_text(self.sender_name, field="sender.name"), field="sender")


class SmtpMailer:
    """The `Mailer` over SMTP: one connection per letter.

    Errors name the step, the server's code and nothing else: a server's words may repeat an address or a password.
    """

    def __init__(self, settings: SmtpSettings, *, now: Callable[[], datetime]) -> None:
        """`now` gives aware instants.

        Raises:
            OSError: `authority_file` cannot be read or holds no certificate.
        """
        self._settings = settings
        self._sender = Sender(settings.sender_name, settings.sender_address)
        self._envelope_sender = address_of(settings.sender_address, name="", field="sender")
        self._now = now
        self._tls = (
            None
            if settings.security is SmtpSecurity.NONE
            else ssl.create_default_context(cafile=settings.authority_file)
        )

    async def send(self, letter: Letter | TeamLetter) -> None:
        """Hand one letter over; returning means the server took it.

        A server that took the letter but whose answer was lost raises `MailUnavailable` too; the next try carries the
        same Message-ID.

        Raises:
            MailUnavailable: no connection, no answer in time, a temporary refusal (4xx), or we may not send at all.
            MailRefused: the server refused this letter for good (5xx).
            UnsafeLetter: the letter cannot be a mail; nothing was sent.
        """
        if isinstance(letter, TeamLetter):
            message = team_message(letter, written_at=self._now())
            recipient = address_of(letter.to, name="", field="to")
        else:
            message = message_of(letter, sender=self._sender, written_at=self._now())
            recipient = address_of(letter.to.email, name="", field="to")
        connection = self._connection()
        try:
            async with asyncio.timeout(self._settings.total_seconds):
                await _sign_in(connection)
                await _hand_over(connection, message, self._envelope_sender.addr_spec, recipient.addr_spec)
            with suppress(SMTPException, OSError):
                await connection.execute_command(b"QUIT", timeout=_GOODBYE_SECONDS)
        except TimeoutError:
            raise MailUnavailable("the mail server took too long") from None
        finally:
            connection.close()

    def _connection(self) -> SMTP:
        return SMTP(
            hostname=self._settings.host,
            port=self._settings.port,
            username=self._settings.username,
            password=self._settings.password,
            # Otherwise the library asks the name service who we are, which may hang.
            local_hostname=self._envelope_sender.domain,
            timeout=self._settings.timeout_seconds,
            use_tls=self._settings.security is SmtpSecurity.TLS,
            start_tls=self._settings.security is SmtpSecurity.STARTTLS,
            tls_context=self._tls,
        )


async def _sign_in(connection: SMTP) -> None:
    """Connect, secure and authenticate; whatever goes wrong here is no fault of the letter."""
    try:
        await connection.connect()
    except SMTPResponseException as error:
        raise MailUnavailable(f"the mail server turned us away: {_code(error)}") from None
    except (SMTPException, OSError, ValueError) as error:
        raise MailUnavailable(f"no usable connection to the mail server: {type(error).__name__}") from None


async def _hand_over(connection: SMTP, message: EmailMessage, sender: str, recipient: str) -> None:
    try:
        await connection.send_message(message, sender=sender, recipients=[recipient])
    except SMTPRecipientsRefused as error:
        raise _refusal("recipient", error.recipients[0]) from None
    except SMTPResponseException as error:
        raise _refusal("letter", error) from None
    except SMTPNotSupported:
        raise MailRefused("the mail server cannot deliver to an address outside ASCII") from None
    except (SMTPException, OSError) as error:
        raise MailUnavailable(f"the mail server did not answer: {type(error).__name__}") from None


def _refusal(what: str, error: SMTPResponseException) -> MailRefused | MailUnavailable:
    if 500 <= error.code <= 599 and error.code not in _ABOUT_US:
        return MailRefused(f"the mail server refused the {what}: {_code(error)}")
    return MailUnavailable(f"the mail server does not take the {what} now: {_code(error)}")


def _code(error: SMTPResponseException) -> str:
    """The reply code and, where the server gives one, the enhanced status code (RFC 3463): `550 5.1.1`."""
    enhanced = re.match(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)", error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)
