"""The mailbox of one Office 365 account, through Microsoft Graph v1.0."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.mail_feed import MailFeed
from meetings.adapters.office365.mail_writes import MailWrites
from meetings.adapters.office365.reading import read
from meetings.adapters.office365.refusals import Asked, Refused
from meetings.adapters.office365.transport import AnswerTooLong
from meetings.application.mail_text import TextPart, text_of
from meetings.application.ports.mail_accounts import MailBody, MailNews, OutgoingMail, SentMail


@dataclass(frozen=True, slots=True)
class Office365Mail:
    """`MailAccount` for one account. Mails go by their immutable ids, so that moving one changes nothing."""

    calls: AuthorizedCalls
    writes: MailWrites
    feed: MailFeed

    async def send(self, mail: OutgoingMail) -> SentMail:
        return await self.writes.send(mail)

    async def find_sent(self, message_id: str) -> SentMail | None:
        return await self.writes.find_sent(message_id)

    def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        return self.feed.news(cursor)

    def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        return self.feed.since(instant)

    async def read(self, mail_id: str) -> MailBody | None:
        """Exchange makes the text out of HTML itself. Of a text that is too long to be read its beginning is told
        (`bodyPreview`)."""
        try:
            answer = await self._select(mail_id, "body")
            return read(lambda: MailBody(text_of([_part(answer["body"])])))
        except AnswerTooLong:
            answer = await self._select(mail_id, "bodyPreview")
            return read(lambda: MailBody(str(answer["bodyPreview"])))
        except Refused as refused:
            if refused.says_gone:
                return None
            raise self.calls.error(refused, Asked.MAIL) from None

    async def _select(self, mail_id: str, member: str) -> Any:
        question = Question(
            "GET",
            f"/me/messages/{quote(mail_id, safe='')}",
            params={"$select": member},
            prefer=('outlook.body-content-type="text"',),
        )
        return await self.calls.attempt(question, self.calls.limit())


def _part(body: Any) -> TextPart:
    return TextPart(html=str(body["contentType"]).lower() == "html", text=str(body["content"] or ""))
