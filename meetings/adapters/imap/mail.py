"""A mailbox on any server that speaks IMAP and SMTP.

Sources: RFC 9051, RFC 6154, RFC 4315 (UIDPLUS), RFC 6409.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from meetings.adapters.imap import wire
from meetings.adapters.imap.dialling import Dialling
from meetings.adapters.imap.pool import Pool
from meetings.adapters.imap.refusals import no_answer
from meetings.adapters.imap.sealed import Access
from meetings.adapters.imap.submission import submitting
from meetings.application.mail_message import as_message
from meetings.application.outbound import AddressRefused
from meetings.application.ports.calendars import Credentials, ProviderError, RateLimited
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail_accounts import (
    MailBody,
    MailHeader,
    MailNews,
    MailNotAccepted,
    OutgoingMail,
    SentMail,
)

if TYPE_CHECKING:
    from meetings.adapters.imap.folders import Folders

    Found = Callable[[Folders], tuple[list[tuple[str, wire.Place, list[int]]], str]]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ImapMail:
    """`MailAccount` for one mailbox. `page_size` is how many mails are read at once."""

    credentials: Credentials
    dialling: Dialling
    pool: Pool
    now: Clock
    page_size: int

    async def send(self, mail: OutgoingMail) -> SentMail:
        """By SMTP, with a copy by IMAP. The copy is kept before the server has the mail, and taken back when the
        server refuses it: so a mail whose outcome is unknown counts as one that left, and none leaves twice.
        """
        message = as_message(mail, at=self.now())
        raw = message.as_bytes()
        access, until = await self._access(), self.pool.limit()
        try:
            async with submitting(self.dialling, access, until, self.pool.total_seconds) as submission:
                await submission.address(mail.sender.email, [address.addr_spec for address in message["To"].addresses])
                await self._in_folders(access, lambda folders: folders.keep_copy(raw, self.now()))
                try:
                    await submission.content(raw)
                except (MailNotAccepted, RateLimited):
                    with contextlib.suppress(ProviderError):
                        await self._in_folders(access, lambda folders: folders.drop_copy(mail.message_id))
                    raise
        except (AddressRefused, OSError) as error:
            raise no_answer(error) from None
        return SentMail(mail.message_id)

    async def find_sent(self, message_id: str) -> SentMail | None:
        """Among the sent mails. One whose hand-over began and was not refused is there."""
        if not message_id.isascii() or not message_id.isprintable():
            return None
        found = await self._in_folders(await self._access(), lambda folders: folders.with_message_id(message_id))
        return SentMail(message_id) if found else None

    async def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        """Mails with higher uids than before. A folder whose uids are not the same any more expires the cursor."""
        if cursor is None:
            places = await self._in_folders(await self._access(), lambda folders: folders.places())
            yield MailNews((), wire.cursor_of(places))
            return
        known = wire.places_in(cursor)
        async for page in self._pages(lambda folders: folders.new_since(known), None):
            yield page

    async def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        async for page in self._pages(lambda folders: folders.all_since(instant), instant):
            yield page

    async def read(self, mail_id: str) -> MailBody | None:
        name = wire.MailId.from_text(mail_id)
        if name is None:
            return None
        text = await self._in_folders(await self._access(), lambda folders: folders.text(name))
        return None if text is None else MailBody(text)

    async def _pages(self, find: "Found", not_before: datetime | None) -> AsyncIterator[MailNews]:
        """Each page is a connection of its own, which nothing has to keep open while a page is worked on."""
        access = await self._access()
        found, following = await self._in_folders(access, find)
        pieces = [
            (folder, place, uids[at : at + self.page_size])
            for folder, place, uids in found
            for at in range(0, len(uids), self.page_size)
        ]
        for number, piece in enumerate(pieces, start=1):
            mails = await self._in_folders(access, partial(_headers, piece=piece))
            yield MailNews(_not_before(mails, not_before), following if number == len(pieces) else None)
        if not pieces:
            yield MailNews((), following)

    async def _access(self) -> Access:
        return Access.from_text(await self.credentials.current())

    async def _in_folders(self, access: Access, do: "Callable[[Folders], T]") -> T:
        until = self.pool.limit()

        def work() -> T:
            from meetings.adapters.imap.client import signed_in
            from meetings.adapters.imap.folders import Folders

            with signed_in(self.dialling, access, until) as session:
                return do(Folders(session))

        return await self.pool.run(work, until)


def _headers(folders: "Folders", piece: tuple[str, wire.Place, list[int]]) -> list[MailHeader]:
    return folders.headers(*piece)


def _not_before(mails: list[MailHeader], instant: datetime | None) -> tuple[MailHeader, ...]:
    return tuple(mail for mail in mails if instant is None or mail.at >= instant)
