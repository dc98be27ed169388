"""Following a mailbox: the inbox and the sent mails by synchronization, the other folders by looking where something
changed.

Sources: "SyncFolderItems operation", "FindItem operation", "FindFolder operation" (EWS reference).

Rules of Outlook move mail as it comes, so all folders are looked at but those that are left out. One request tells how
many mails each holds; where that is another number, what came since the last search is searched for by its time. A
synchronization state can be had only by walking through the whole folder, a few hundred ids at a time; that is done for
the two folders in which nearly all mail comes and goes, once.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from meetings.adapters.exchange import mail_wire, wire
from meetings.adapters.exchange.calls import MailboxCalls
from meetings.adapters.exchange.guarded_http import AnswerRefused
from meetings.adapters.exchange.mail_cursor import SYNCHRONIZED, MailCursor, Searched
from meetings.adapters.exchange.mail_wire import ROLES, SENT, MailFolder
from meetings.adapters.exchange.refusals import Asked, Refused
from meetings.adapters.exchange.xml_limits import XmlRefused
from meetings.application.mail_text import Report, report_in
from meetings.application.ports.calendars import ProviderUnavailable
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail_accounts import MailHeader, MailNews

if TYPE_CHECKING:
    from meetings.adapters.exchange.operations import Page, SyncPage
    from meetings.adapters.exchange.soap import Mailbox

T = TypeVar("T")

_FOLDERS_AT_ONCE = 250
_MOST_PAGES = 400
_IDS_AT_ONCE = 512
# Clocks differ, and so do the time a mail says it came and the time it stands in a folder.
_OVERLAP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class MailFeed:
    """`page_size` is how many mails are held at once."""

    calls: MailboxCalls
    now: Clock
    page_size: int

    async def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        """As `MailAccount.news`. The first read walks through the inbox and the sent mails, ids only."""
        if cursor is None:
            yield MailNews((), await self._begin(self.now()))
            return
        before, at = MailCursor.from_text(cursor), self.now()
        counts = await self._others(before.by_role)
        states: dict[str, str] = {}
        for role in SYNCHRONIZED:
            async for page in self._walk(before.by_role[role], before.states[role], self.page_size):
                mails = await self._mails(mail_wire.created(page.entries), role, not_before=before.began - _OVERLAP)
                if mails:
                    yield MailNews(mails, None)
                states[role] = page.state
        searched: dict[str, Searched] = {}
        for folder_id, held in counts.items():
            known = before.searched.get(folder_id, Searched(before.at, (0, 0)))
            if known.counts != held:
                async for mails in self._search(folder_id, known.at - _OVERLAP, None):
                    yield MailNews(mails, None)
                known = Searched(at, held)
            searched[folder_id] = known
        yield MailNews((), MailCursor(before.began, at, before.by_role, states, searched).to_text())

    async def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        """As `MailAccount.since`: positions first, then whatever came since by its time."""
        cursor = await self._begin(self.now())
        known = MailCursor.from_text(cursor)
        for folder_id, role in [*((known.by_role[role], role) for role in SYNCHRONIZED), *_without(known.searched)]:
            async for mails in self._search(folder_id, instant, role):
                yield MailNews(mails, None)
        yield MailNews((), cursor)

    async def _begin(self, at: datetime) -> str:
        by_role = await self._by_role()
        counts = await self._others(by_role)
        states: dict[str, str] = {}
        for role in SYNCHRONIZED:
            async for page in self._walk(by_role[role], None, _IDS_AT_ONCE):
                states[role] = page.state
        searched = {folder_id: Searched(at, held) for folder_id, held in counts.items()}
        return MailCursor(at, at, by_role, states, searched).to_text()

    # ---- folders ----------------------------------------------------------------------------------------------------

    async def _by_role(self) -> dict[str, str]:
        """The ids of folders by their role. They never change. Drafts, junk and the like may be missing."""

        def work(mailbox: "Mailbox") -> dict[str, str]:
            from meetings.adapters.exchange import mail_operations

            found: dict[str, str] = {}
            answers = mail_operations.folders_by_role(mailbox, *ROLES)
            for role, each in zip(ROLES, answers, strict=True):
                if not isinstance(each, Refused):
                    found[role] = mail_wire.folder(each).folder_id
                elif role in SYNCHRONIZED or each.code != "ErrorFolderNotFound":
                    raise each
            return found

        return await self._call(work)

    async def _others(self, by_role: Mapping[str, str]) -> dict[str, tuple[int, int]]:
        """How much each folder holds that is followed without being synchronized."""
        found: list[MailFolder] = []
        offset: int | None = 0
        for _ in range(_MOST_PAGES):
            page = await self._call(_folders_from(offset or 0))
            found += [mail_wire.folder(each) for each in page.elements]
            offset = page.next
            if offset is None:
                synchronized = {by_role[role] for role in SYNCHRONIZED}
                followed = mail_wire.followed(found, by_role)
                return {each.folder_id: each.counts for each in followed if each.folder_id not in synchronized}
        raise ProviderUnavailable("a list of folders without end")

    # ---- what is in them --------------------------------------------------------------------------------------------

    async def _walk(self, folder_id: str, state: str | None, largest: int) -> "AsyncIterator[SyncPage]":
        """All that changed since `state`, page by page. Raises ProviderUnavailable for a walk without end."""
        while True:
            page = await self._call(_sync_from(folder_id, state, largest), Asked.MAIL_CHANGES)
            if not page.complete and page.state == state:
                raise ProviderUnavailable("changes that do not go on")
            yield page
            if page.complete:
                return
            state = page.state

    async def _search(
        self, folder_id: str, instant: datetime, role: str | None
    ) -> AsyncIterator[tuple[MailHeader, ...]]:
        """The mails of a folder that came at `instant` or later; none when it is gone meanwhile."""
        since = instant.astimezone(UTC).replace(microsecond=0)
        offset: int | None = 0
        while offset is not None:
            try:
                page = await self._call(_search_from(folder_id, since, self.page_size, offset))
            except _FolderGone:
                return
            mails = await self._mails([wire.item_id(each) for each in page.elements], role)
            if mails:
                yield mails
            if page.next is not None and page.next <= offset:
                raise ProviderUnavailable("a search that does not go on")
            offset = page.next

    async def _mails(
        self, mail_ids: list[str], role: str | None, *, not_before: datetime | None = None
    ) -> tuple[MailHeader, ...]:
        """The headers of these mails, as far as they are still there and came at `not_before` or later: an old one that
        is moved into a folder is no news."""

        def work(mailbox: "Mailbox") -> tuple[MailHeader, ...]:
            from meetings.adapters.exchange import mail_operations

            told = []
            for element in _in_parts(mail_ids, lambda some: mail_operations.headers(mailbox, some)):
                came = mail_wire.received_at(element)
                if came is None or mail_wire.is_draft(element) or (not_before is not None and came < not_before):
                    continue
                report = _report(mailbox, element) if mail_wire.is_report(element) else None
                told.append(mail_wire.header(element, outgoing=role == SENT, report=report))
            return tuple(told)

        return await self._call(work) if mail_ids else ()

    async def _call(self, work: "Callable[[Mailbox], T]", asked: Asked = Asked.MAIL) -> T:
        return await self.calls.call(work, asked, self.calls.limit())


class _FolderGone(ProviderUnavailable):
    """It was there a moment ago."""


def _without(searched: Mapping[str, Searched]) -> list[tuple[str, None]]:
    return [(folder_id, None) for folder_id in searched]


def _folders_from(offset: int) -> "Callable[[Mailbox], Page]":
    def work(mailbox: "Mailbox") -> "Page":
        from meetings.adapters.exchange import mail_operations

        return mail_operations.mail_folders(mailbox, page_size=_FOLDERS_AT_ONCE, offset=offset)

    return work


def _sync_from(folder_id: str, state: str | None, largest: int) -> "Callable[[Mailbox], SyncPage]":
    def work(mailbox: "Mailbox") -> "SyncPage":
        from meetings.adapters.exchange import operations

        return operations.sync(mailbox, folder_id, state, largest=largest, fields=None)

    return work


def _search_from(folder_id: str, since: datetime, page_size: int, offset: int) -> "Callable[[Mailbox], Page]":
    def work(mailbox: "Mailbox") -> "Page":
        from meetings.adapters.exchange import mail_operations

        try:
            return mail_operations.received_since(mailbox, folder_id, since, page_size=page_size, offset=offset)
        except Refused as refused:
            if refused.code in ("ErrorFolderNotFound", "ErrorItemNotFound"):
                raise _FolderGone("a folder that is gone") from None
            raise

    return work


def _in_parts(mail_ids: list[str], ask: Callable[[list[str]], list[T]]) -> list[T]:
    """The answers about these mails, asked for in halves when they are too long together: headers may be, and nobody
    who writes such mails shall keep others from being found."""
    try:
        return ask(mail_ids)
    except (AnswerRefused, XmlRefused):
        if len(mail_ids) < 2:
            raise
        middle = len(mail_ids) // 2
        return [*_in_parts(mail_ids[:middle], ask), *_in_parts(mail_ids[middle:], ask)]


def _report(mailbox: "Mailbox", element: object) -> Report | None:
    """What a report on a delivery says, from the mail as it travelled. Of one that brings a very long mail back, only
    whether it is about a failure."""
    from meetings.adapters.exchange import mail_operations

    try:
        return report_in(mail_wire.mime(mail_operations.mime(mailbox, wire.item_id(element))))
    except (AnswerRefused, XmlRefused):
        return Report(mail_wire.says_failed(element), None)
    except Refused as refused:
        if refused.says_gone:
            return None
        raise
