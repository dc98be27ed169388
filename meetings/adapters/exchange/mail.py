"""The mailbox on an Exchange server, through Exchange Web Services."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from meetings.adapters.exchange import mail_wire
from meetings.adapters.exchange.calls import MailboxCalls
from meetings.adapters.exchange.guarded_http import AnswerRefused
from meetings.adapters.exchange.mail_feed import MailFeed
from meetings.adapters.exchange.refusals import Asked, Refused
from meetings.adapters.exchange.xml_limits import XmlRefused
from meetings.application.mail_message import as_message
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail_accounts import MailBody, MailNews, OutgoingMail, SentMail

if TYPE_CHECKING:
    from meetings.adapters.exchange.soap import Mailbox

_WHERE_SENT_MAILS_ARE = ("sentitems", "outbox", "deleteditems")


@dataclass(frozen=True, slots=True)
class ExchangeMail:
    """`MailAccount` for one mailbox.

    A mail is sent in one request, with its headers as they are ("CreateItem operation (e-mail message)", MimeContent);
    the copy among the sent mails carries our message id as a property, and by that it is found. Exchange has a name of
    its own for a conversation, but takes none with a mail that is sent, so none is told.
    """

    calls: MailboxCalls
    feed: MailFeed
    now: Clock

    async def send(self, mail: OutgoingMail) -> SentMail:
        content = bytes(as_message(mail, at=self.now()))

        def work(mailbox: "Mailbox") -> None:
            from meetings.adapters.exchange import mail_operations

            mail_operations.send(mailbox, content, mail.message_id)

        await self.calls.call(work, Asked.NEW_MAIL, self.calls.limit())
        return SentMail(mail.message_id)

    async def find_sent(self, message_id: str) -> SentMail | None:
        """Among the sent mails, those about to leave, and those its owner deleted since."""

        def work(mailbox: "Mailbox") -> SentMail | None:
            from meetings.adapters.exchange import mail_operations, operations

            places = [operations.own_folder(role) for role in _WHERE_SENT_MAILS_ARE]
            found = mail_operations.sent_as(mailbox, message_id, *places)
            return SentMail(mail_wire.message_id(found[0]) or message_id) if found else None

        return await self.calls.call(work, Asked.MAIL, self.calls.limit())

    def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        return self.feed.news(cursor)

    def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        return self.feed.since(instant)

    async def read(self, mail_id: str) -> MailBody | None:
        """Exchange makes the text out of HTML itself. A text that is too long to be read is none."""

        def work(mailbox: "Mailbox") -> MailBody | None:
            from meetings.adapters.exchange import mail_operations

            try:
                return MailBody(mail_wire.body(mail_operations.text(mailbox, mail_id)))
            except (AnswerRefused, XmlRefused):
                return MailBody("")
            except Refused as refused:
                if refused.says_gone:
                    return None
                raise

        return await self.calls.call(work, Asked.MAIL, self.calls.limit())
