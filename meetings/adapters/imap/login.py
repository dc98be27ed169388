"""Connecting a mailbox by IMAP and SMTP with an address and a password."""

import ssl
from dataclasses import dataclass

from meetings.adapters.imap.dialling import Dialling
from meetings.adapters.imap.pool import Pool
from meetings.adapters.imap.refusals import refused_login, wants_app_password
from meetings.adapters.imap.sealed import Access
from meetings.adapters.imap.servers import servers_of
from meetings.adapters.imap.submission import submitting
from meetings.application.outbound import AddressRefused
from meetings.application.ports.calendars import (
    LoginProblem,
    LoginRefused,
    MailboxCredentials,
    ReauthorizationNeeded,
)
from meetings.application.ports.dns import ServiceRecords
from meetings.application.ports.mail_accounts import ImapCredentials, OpenedMailbox, ServerAddress


@dataclass(frozen=True, slots=True)
class ImapLogin:
    """`InboxLogin`: reading is tried first, and sending only with what was accepted there. The user name is the one
    that was typed in, or the address; no other is tried."""

    dialling: Dialling
    pool: Pool
    records: ServiceRecords

    async def connect(self, given: MailboxCredentials | ImapCredentials) -> OpenedMailbox:
        if not isinstance(given, ImapCredentials):
            raise LoginRefused(LoginProblem.URL_REQUIRED)
        found = await servers_of(given, self.records)
        email = given.email.strip()
        access = Access(email, given.username or email, given.password, found.imap, found.smtp)
        try:
            version = await self._read(access)
            await self._submit(access)
        except AddressRefused as refused:
            spelling = refused.objection.about_spelling
            raise LoginRefused(LoginProblem.URL_INVALID if spelling else LoginProblem.ADDRESS_FORBIDDEN) from None
        except ssl.SSLCertVerificationError:
            raise LoginRefused(LoginProblem.CERTIFICATE_INVALID) from None
        except OSError:
            raise LoginRefused(LoginProblem.UNREACHABLE) from None
        return OpenedMailbox(email, access.to_text(), _url(found.imap), version)

    async def _read(self, access: Access) -> str:
        """Sign in and open the inbox; what the server says that it is."""
        until = self.pool.limit()

        def work() -> str:
            from meetings.adapters.imap.client import ImapSession, RefusedLogin
            from meetings.adapters.imap.folders import INBOX, Folders

            try:
                session = ImapSession(self.dialling, access, until)
            except RefusedLogin as refused:
                error = refused_login(refused.words)
                if not isinstance(error, ReauthorizationNeeded):
                    raise error from None
                app = wants_app_password(refused.words)
                problem = LoginProblem.APP_PASSWORD_REQUIRED if app else LoginProblem.CREDENTIALS_REJECTED
                raise LoginRefused(problem) from None
            try:
                Folders(session).open(INBOX)
                return session.version()
            finally:
                session.close()

        return await self.pool.run(work, until)

    async def _submit(self, access: Access) -> None:
        try:
            async with submitting(self.dialling, access, self.pool.limit(), self.pool.total_seconds):
                pass
        except ReauthorizationNeeded:
            raise LoginRefused(LoginProblem.CREDENTIALS_REJECTED) from None


def _url(server: ServerAddress) -> str:
    return f"{'imap' if server.starttls else 'imaps'}://{server.host}:{server.port}"
