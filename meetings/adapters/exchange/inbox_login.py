"""Connecting a mailbox for mail, with an address and a password (S40, S90, S91)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetings.adapters.exchange import mail_wire
from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.login import ExchangeLogin
from meetings.adapters.exchange.refusals import Asked, Refused, as_provider_error
from meetings.adapters.exchange.transport import Transport
from meetings.application.ports.calendars import LoginProblem, LoginRefused, MailboxCredentials
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail_accounts import ImapCredentials, OpenedMailbox

if TYPE_CHECKING:
    from meetings.adapters.exchange.soap import Mailbox


@dataclass(frozen=True, slots=True)
class ExchangeInboxLogin:
    """`InboxLogin` for Exchange servers: the login of calendars, which tries a wrong password once and lets nobody in
    with a shared mailbox (S38, S92), and then whether mail can be read and written."""

    login: ExchangeLogin
    transport: Transport
    now: Clock

    async def connect(self, given: MailboxCredentials | ImapCredentials) -> OpenedMailbox:
        if not isinstance(given, MailboxCredentials):
            raise LoginRefused(LoginProblem.URL_INVALID)
        found = await self.login.connect(given)
        access, until = MailboxAccess.from_text(found.credentials), self.transport.limit()
        try:
            await self.transport.in_thread(lambda: self.transport.call(access, _try_mail, until), until)
        except Refused as refused:
            if refused.code.startswith("HTTP") or refused.wait is not None:
                raise as_provider_error(refused, Asked.ACCOUNT, self.now()) from None
            raise LoginRefused(LoginProblem.MAILBOX_NOT_FOUND) from None
        return OpenedMailbox(
            email=found.account_email,
            credentials=found.credentials,
            server_url=found.server_url,
            server_version=found.server_version,
        )


def _try_mail(mailbox: "Mailbox") -> None:
    """Raises Refused when the inbox or the sent mails cannot be had."""
    from meetings.adapters.exchange import mail_operations

    for answer in mail_operations.folders_by_role(mailbox, mail_wire.INBOX, mail_wire.SENT):
        if isinstance(answer, Refused):
            raise answer
