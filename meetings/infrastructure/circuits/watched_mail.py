"""One mailbox, with something around each of its calls."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime

from meetings.application.ports.mail_accounts import MailAccount, MailBody, MailNews, OutgoingMail, SentMail
from meetings.infrastructure.circuits.watched import ONE, TWO, Watch, watched_call, watched_pages


class WatchedMailAccount:
    """Another `MailAccount`; of news, every page is a call."""

    def __init__(self, account: MailAccount, watch: Watch) -> None:
        self._account = account
        self._watch = watch

    async def send(self, mail: OutgoingMail) -> SentMail:
        return await watched_call(self._watch, TWO, lambda: self._account.send(mail))

    async def find_sent(self, message_id: str) -> SentMail | None:
        return await watched_call(self._watch, ONE, lambda: self._account.find_sent(message_id))

    async def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        async with aclosing(watched_pages(self._watch, self._account.news(cursor), _is_last)) as pages:
            async for page in pages:
                yield page

    async def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        async with aclosing(watched_pages(self._watch, self._account.since(instant), _is_last)) as pages:
            async for page in pages:
                yield page

    async def read(self, mail_id: str) -> MailBody | None:
        return await watched_call(self._watch, ONE, lambda: self._account.read(mail_id))


def _is_last(page: MailNews) -> bool:
    return page.cursor is not None
