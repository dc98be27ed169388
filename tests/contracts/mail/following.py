"""Whoever follows a mailbox: remembers the cursor, and begins anew when it has expired."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from meetings.application.ports.mail_accounts import CursorExpired, MailAccount, MailHeader, MailNews
from tests.contracts.calendars.world import NOW


class Follower:
    """Mails by their message id, as the news told them last."""

    def __init__(self, mail: MailAccount) -> None:
        self.mail = mail
        self.cursor: str | None = None
        self.seen: dict[str, MailHeader] = {}
        self.pages: list[MailNews] = []
        self.began_anew = 0

    async def follow(self, *, since: datetime = NOW - timedelta(days=1)) -> list[MailHeader]:
        """Read what is new; gives the mails of this read, each once."""
        try:
            return await self._read(self.mail.news(self.cursor))
        except CursorExpired:
            self.began_anew += 1
            return await self._read(self.mail.since(since))

    async def _read(self, news: AsyncIterator[MailNews]) -> list[MailHeader]:
        self.pages = [page async for page in news]
        assert [page.cursor is None for page in self.pages] == [True] * (len(self.pages) - 1) + [False]
        found = {header.message_id: header for page in self.pages for header in page.mails}
        self.seen |= found
        self.cursor = self.pages[-1].cursor
        return list(found.values())


async def following(mail: MailAccount) -> Follower:
    """Somebody who has read what there was, and waits for news."""
    follower = Follower(mail)
    await follower.follow()
    return follower
