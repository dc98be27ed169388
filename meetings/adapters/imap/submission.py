"""Handing a mail over by SMTP (RFC 6409), over TLS, in steps that tell what may have left and what has not."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiosmtplib import SMTP, SMTPException, SMTPResponseException
from aiosmtplib.errors import SMTPConnectResponseError

from meetings.adapters.imap.dialling import Dialling
from meetings.adapters.imap.refusals import no_answer, refused_mail
from meetings.adapters.imap.sealed import Access

_GOODBYE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Submission:
    """A connection to a person's outgoing server. `seconds` limit each step."""

    connection: SMTP

    async def address(self, sender: str, recipients: list[str]) -> None:
        """Say whom the mail is from and whom it is for; nothing has left yet.

        Raises:
            MailNotAccepted: an address is refused for good.
        """
        try:
            await self.connection.mail(sender)
            for recipient in recipients:
                await self.connection.rcpt(recipient)
        except SMTPResponseException as error:
            raise refused_mail("address", error.code) from None
        except (SMTPException, OSError, ValueError) as error:
            raise no_answer(error) from None

    async def content(self, raw: bytes) -> None:
        """Say the mail. It may have left once this has begun and ends without an answer.

        Raises:
            MailNotAccepted, RateLimited: it was refused, and has not left.
            ProviderUnavailable: the outcome is unknown.
        """
        try:
            await self.connection.data(raw)
        except SMTPResponseException as error:
            raise refused_mail("mail", error.code) from None
        except (SMTPException, OSError) as error:
            raise no_answer(error) from None


@contextlib.asynccontextmanager
async def submitting(dialling: Dialling, access: Access, until: float, seconds: float) -> AsyncIterator[Submission]:
    """Connected, secured and signed in; the server is told good-bye at the end.

    Raises any `ProviderError`: `ReauthorizationNeeded` for a password that is not accepted. Why no connection came
    about is left as it is: AddressRefused, or OSError, of which SSLCertVerificationError is one.
    """
    server = access.smtp
    plain = await asyncio.to_thread(dialling.connect, server, until)
    plain.setblocking(False)
    connection = SMTP(
        hostname=server.host,
        sock=plain,
        # Otherwise the library asks the name service who we are, which may hang.
        local_hostname=access.email.rpartition("@")[2].encode("idna").decode() or "localhost",
        timeout=seconds,
        use_tls=not server.starttls,
        start_tls=False,
        tls_context=dialling.tls,
    )
    try:
        await _sign_in(connection, access, server.starttls)
        yield Submission(connection)
        with contextlib.suppress(SMTPException, OSError):
            await connection.execute_command(b"QUIT", timeout=_GOODBYE_SECONDS)
    finally:
        if connection.transport is None:
            plain.close()  # later it is the loop's, which closes it when nothing waits for it any more
        connection.close()


async def _sign_in(connection: SMTP, access: Access, starttls: bool) -> None:
    """Whatever goes wrong here is no fault of the mail."""
    try:
        await connection.connect()
        if starttls:
            await connection.starttls()
        await connection.login(access.username, access.password)
    except SMTPConnectResponseError as error:
        raise refused_mail("connection", 421 if error.code == 554 else error.code) from None
    except SMTPResponseException as error:
        raise refused_mail("login", error.code if error.code in (421, 454, 535) else 530) from None
    except (SMTPException, OSError, ValueError) as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise error.__cause__ from None
        raise no_answer(error) from None
