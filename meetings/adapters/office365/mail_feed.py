"""Following a mailbox through `messages/delta`, folder by folder ("Get incremental changes to messages in a folder").

Rules of Outlook move mail as it comes, so all folders are followed but those that are left out. One call tells how many
mails each folder holds; the inbox, the sent mails and the folders in which that changed are read. A folder that came to
be since is read from a little before the last read on.

Delta takes `$select`, `$expand`, and of `$filter` only `receivedDateTime ge`; what a round began with is in its links.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from meetings.adapters.office365 import mail_headers, wire
from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.mail_cursor import MailCursor, Position
from meetings.adapters.office365.mail_folders import INBOX, SENT, MailFolder, MailFolders, followed
from meetings.adapters.office365.places import few_at_once
from meetings.adapters.office365.reading import items_of, read
from meetings.adapters.office365.refusals import Asked, Refused
from meetings.adapters.office365.transport import AnswerTooLong
from meetings.adapters.office365.view_delta import delta_link
from meetings.application.mail_text import Report, report_in
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail_accounts import CursorExpired, MailHeader, MailNews

# Clocks differ, and so do the time a mail says it came and the time it stands in a folder.
_OVERLAP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to read: from `link` on, or what came since `since`."""

    folder: MailFolder
    link: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class MailFeed:
    """`page_size` is how many mails are held at once."""

    calls: AuthorizedCalls
    folders: MailFolders
    now: Clock
    page_size: int

    async def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        """As `MailAccount.news`."""
        if cursor is None:
            yield MailNews((), await self._begin())
            return
        before = MailCursor.from_text(cursor)
        if not all(self.calls.graph.leads_here(each.link) for each in before.positions.values()):
            raise CursorExpired("a cursor that leads elsewhere")
        at = self.now()
        always = {before.well_known.get(INBOX), before.well_known.get(SENT)}
        positions: dict[str, Position] = {}
        waiting: list[_Folder] = []
        for folder in followed(await self.folders.all(), before.well_known):
            known = before.positions.get(folder.id)
            if known is not None and known.counts == folder.counts and folder.id not in always:
                positions[folder.id] = known
            else:
                waiting.append(_Folder(folder, known.link if known else None, before.at - _OVERLAP))
        async for page in self._read(waiting, before.well_known, positions):
            yield page
        yield MailNews((), MailCursor(at, before.well_known, positions).to_text())

    async def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        """As `MailAccount.since`."""
        at = self.now()
        folders = await self.folders.all()
        well_known = await self.folders.well_known()
        positions: dict[str, Position] = {}
        waiting = [_Folder(folder, None, instant) for folder in followed(folders, well_known)]
        async for page in self._read(waiting, well_known, positions):
            yield page
        yield MailNews((), MailCursor(at, well_known, positions).to_text())

    async def _begin(self) -> str:
        """A position in each folder behind what is there now; the mails that came in this very second are dropped."""
        at = self.now()
        folders = await self.folders.all()
        well_known = await self.folders.well_known()

        async def behind(folder: MailFolder) -> Position | None:
            async for page in self._round(_Folder(folder, None, at)):
                if (link := delta_link(page, self.calls.graph)) is not None:
                    return Position(link, folder.counts)
            return None

        to_follow = followed(folders, well_known)
        found = await few_at_once(behind, to_follow)
        positions = {folder.id: each for folder, each in zip(to_follow, found, strict=True) if each is not None}
        return MailCursor(at, well_known, positions).to_text()

    async def _read(
        self, waiting: list[_Folder], well_known: Mapping[str, str], positions: dict[str, Position]
    ) -> AsyncIterator[MailNews]:
        """One folder after the other, one page in memory at a time; notes in `positions` where each came to an end."""
        for each in waiting:
            async for page in self._round(each):
                mails = await self._mails(items_of(page), well_known.get(SENT))
                if mails:
                    yield MailNews(mails, None)
                if (link := delta_link(page, self.calls.graph)) is not None:
                    positions[each.folder.id] = Position(link, each.folder.counts)

    async def _round(self, each: _Folder) -> AsyncIterator[Any]:
        """The pages of one folder; none when it is gone meanwhile. Headers may be long: a page that is too long is
        asked for again with fewer mails, so that nobody who writes such mails keeps others from being found."""
        question, size = self._question(each), self.page_size
        while True:
            try:
                page = await self.calls.attempt(question, self.calls.limit())
            except AnswerTooLong:
                if size == 1:
                    raise
                size = max(1, size // 10)
                question = replace(question, prefer=(_page_of(size),))
                continue
            except Refused as refused:
                if refused.status == 404 and refused.says_gone:
                    return
                raise self.calls.error(refused, Asked.MAIL_CHANGES) from None
            yield page
            following = page.get("@odata.nextLink")
            if following is None:
                return
            question = self.calls.following(question, following)

    def _question(self, each: _Folder) -> Question:
        prefer = (_page_of(self.page_size),)
        if each.link is not None:
            return Question("GET", each.link, prefer=prefer)
        # Only whole seconds are understood: a smaller part would be cut off or refused.
        since = wire.stamp(each.since.replace(microsecond=0))
        params = {
            "$select": mail_headers.SELECT,
            "$expand": mail_headers.EXPAND,
            "$filter": f"receivedDateTime ge {since}",
        }
        path = f"/me/mailFolders/{quote(each.folder.id, safe='')}/messages/delta"
        return Question("GET", path, params=params, prefer=prefer)

    async def _mails(self, items: list[Any], sent: str | None) -> tuple[MailHeader, ...]:
        told = [item for item in items if mail_headers.is_told(item)]
        suspects = read(lambda: [item for item in told if mail_headers.is_report(item)])
        reports = await few_at_once(self._report, suspects)
        known = {item["id"]: report for item, report in zip(suspects, reports, strict=True)}
        return read(lambda: tuple(mail_headers.header(each, sent=sent, report=known.get(each["id"])) for each in told))

    async def _report(self, item: Any) -> Report | None:
        """What a report on a delivery says, from the mail as it travelled ("Get MIME content of a message"). Of one
        that brings a very long mail back, only whether it is about a failure."""
        question = Question("GET", f"/me/messages/{quote(item['id'], safe='')}/$value", raw=True)
        try:
            raw = await self.calls.attempt(question, self.calls.limit())
        except AnswerTooLong:
            return Report(mail_headers.says_failed(item), None)
        except Refused as refused:
            if refused.says_gone:
                return None
            raise self.calls.error(refused, Asked.MAIL) from None
        return await asyncio.to_thread(report_in, raw)


def _page_of(size: int) -> str:
    return f"odata.maxpagesize={size}"
