"""The mailbox of one Google account, through Gmail API v1.

Sources: "Create and send email messages", "Manage threads", "Synchronize clients with Gmail", "Batching requests"
(guides). Gmail gives what is sent through its API a Message-ID of its own (gauteh/lieer, issue 198), so ours stands in
another header too, and the one that everybody sees is read once the mail has left.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from meetings.adapters.google import mail_wire as wire
from meetings.adapters.google.authorized import AuthorizedCalls
from meetings.adapters.google.reading import read
from meetings.adapters.google.refusals import Asked, Refused
from meetings.application.mail_fields import WANTED
from meetings.application.mail_message import OWN_ID, as_message
from meetings.application.mail_text import Report
from meetings.application.ports.calendars import ProviderError, ProviderUnavailable
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail_accounts import (
    CursorExpired,
    MailBody,
    MailHeader,
    MailNews,
    OutgoingMail,
    SentMail,
)

if TYPE_CHECKING:
    from googleapiclient._apis.gmail.v1 import GmailResource
    from googleapiclient.http import HttpRequest

_LARGEST_REPORT = 2 * 2**20
_NEWEST_SENT = 100
_SEARCHABLE_ID = re.compile(r"<([!#-'*+./0-9=?A-Z^_`a-z{|}~@-]{3,990})>")


@dataclass(frozen=True, slots=True)
class GoogleMail:
    """`MailAccount` for one Google account.

    `page_size` is how many mails a list tells at once, `batch_size` how many are read in one request; each counts for
    the quota as if it were read alone.
    """

    calls: AuthorizedCalls
    now: Clock
    page_size: int
    batch_size: int

    async def send(self, mail: OutgoingMail) -> SentMail:
        """Two calls: the second reads the message id. When that fails, the mail has left all the same.

        A conversation is joined by its name, the subject and the references together; one that is gone is not.
        """
        raw = as_message(mail, at=self.now()).as_bytes()
        until = self.calls.limit()
        try:
            sent = await self._hand_over(wire.outgoing(raw, mail.thread), until)
        except Refused as refused:
            if not (refused.says_gone and mail.thread):
                raise self.calls.error(refused, Asked.SENDING) from None
            sent = await self.calls.call(partial(_send, body=wire.outgoing(raw, None)), Asked.SENDING, until)
        try:
            found = await self._told([read(wire.id_of, sent)], until)
        except ProviderError as error:
            raise ProviderUnavailable(f"the mail left, but not its message id was told ({error})") from None
        if not found:
            raise ProviderUnavailable("the mail left and is gone")
        return read(wire.sent_mail, found[0])

    async def _hand_over(self, body: Any, until: float) -> Any:
        return await self.calls.attempt(partial(_send, body=body), until)

    async def find_sent(self, message_id: str) -> SentMail | None:
        """Among the mails with this message id, where Gmail kept it, and among the newest that were sent.

        A search may be behind what was just sent (assumed); the list of what was sent is not.
        """
        until = self.calls.limit()
        searchable = _SEARCHABLE_ID.fullmatch(message_id)
        if searchable is None:
            return None
        for query in (f"rfc822msgid:{searchable[1]}", None):
            page = await self.calls.call(
                partial(_list, labelIds=["SENT"], maxResults=_NEWEST_SENT, q=query), Asked.MAILBOX, until
            )
            for mail in await self._told(read(wire.listed, page), until):
                if wire.is_sent(mail) and message_id in (wire.field(mail, OWN_ID), wire.field(mail, "Message-ID")):
                    return read(wire.sent_mail, mail)
        return None

    async def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        """Of the history the mails that were added. Its number is taken from the first page: what is added while the
        others are read is told again the next time."""
        if cursor is None:
            yield MailNews((), await self._begin())
            return
        began = wire.history_id_in(cursor)
        if began is None:
            raise CursorExpired("not a cursor of ours")
        following: str | None = None
        token: str | None = None
        while True:
            page = await self.calls.call(
                partial(_history, startHistoryId=began, maxResults=self.page_size, pageToken=token),
                Asked.HISTORY,
                self.calls.limit(),
            )
            following = following or read(wire.cursor_of, page)
            token = read(wire.next_page, page)
            mails = await self._headers(read(wire.added, page))
            yield MailNews(mails, None if token else following)
            if not token:
                return

    async def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        """By search, newest first; the cursor is taken before, so that nothing falls between."""
        following = await self._begin()
        query = f"after:{int(instant.timestamp())} -in:drafts -in:chats"
        token: str | None = None
        while True:
            page = await self.calls.call(
                partial(_list, q=query, maxResults=self.page_size, pageToken=token),
                Asked.MAILBOX,
                self.calls.limit(),
            )
            token = read(wire.next_page, page)
            mails = await self._headers(read(wire.listed, page))
            yield MailNews(mails, None if token else following)
            if not token:
                return

    async def read(self, mail_id: str) -> MailBody | None:
        def build(service: "GmailResource") -> "HttpRequest":
            return service.users().messages().get(userId="me", id=mail_id, format="full", fields=wire.BODY_FIELDS)

        try:
            mail = await self.calls.attempt(build, self.calls.limit())
            for body in read(wire.kept_apart, mail):
                told = await self.calls.attempt(partial(_attachment, mail_id=mail_id, body=body), self.calls.limit())
                body["data"] = read(wire.data, told)
        except Refused as refused:
            if refused.says_gone:
                return None
            raise self.calls.error(refused, Asked.MAILBOX) from None
        return MailBody(await asyncio.to_thread(read, wire.text, mail))

    async def _begin(self) -> str:
        def build(service: "GmailResource") -> "HttpRequest":
            return service.users().getProfile(userId="me", fields="historyId")

        profile = await self.calls.call(build, Asked.MAILBOX, self.calls.limit())
        return read(wire.cursor_of, profile)

    async def _headers(self, ids: Sequence[str]) -> tuple[MailHeader, ...]:
        found: list[MailHeader] = []
        for mail in await self._told(ids, self.calls.limit()):
            if not read(wire.is_left_out, mail):
                found.append(await self._header(mail))
        return tuple(found)

    async def _header(self, mail: Any) -> MailHeader:
        report = Report(failed=False, about=None)
        if read(wire.is_worth_reading, mail, _LARGEST_REPORT):
            report = await self._report(mail["id"])
        return read(wire.header, mail, report)

    async def _report(self, mail_id: str) -> Report:
        """What a report on a delivery says; only its text tells whether the delivery failed or only takes long."""

        def build(service: "GmailResource") -> "HttpRequest":
            return service.users().messages().get(userId="me", id=mail_id, format="raw", fields="raw")

        try:
            mail = await self.calls.attempt(build, self.calls.limit())
        except Refused as refused:
            if refused.says_gone:
                return Report(failed=False, about=None)
            raise self.calls.error(refused, Asked.MAILBOX) from None
        return await asyncio.to_thread(read, wire.report, mail)

    async def _told(self, ids: Sequence[str], until: float) -> list[Any]:
        """The header fields of these mails, in several requests in one; those that are gone are left out."""
        found: list[Any] = []
        for at in range(0, len(ids), self.batch_size):
            some = ids[at : at + self.batch_size]
            try:
                answers = await self.calls.attempt_together([partial(_metadata, id=each) for each in some], until)
            except Refused as refused:
                raise self.calls.error(refused, Asked.MAILBOX) from None
            for answer in answers:
                if not isinstance(answer, Refused):
                    found.append(answer)
                elif not answer.says_gone:
                    raise self.calls.error(answer, Asked.MAILBOX)
            until = max(until, self.calls.limit())
        return found


def _send(service: "GmailResource", body: Any) -> "HttpRequest":
    return service.users().messages().send(userId="me", body=body, fields="id")


def _list(service: "GmailResource", **parameters: Any) -> "HttpRequest":
    return service.users().messages().list(userId="me", fields=wire.LIST_FIELDS, **parameters)


def _history(service: "GmailResource", **parameters: Any) -> "HttpRequest":
    return (
        service.users()
        .history()
        .list(userId="me", historyTypes=["messageAdded"], fields=wire.HISTORY_FIELDS, **parameters)
    )


def _attachment(service: "GmailResource", mail_id: str, body: Any) -> "HttpRequest":
    return (
        service.users()
        .messages()
        .attachments()
        .get(userId="me", messageId=mail_id, id=str(body["attachmentId"]), fields="data")
    )


def _metadata(service: "GmailResource", id: str) -> "HttpRequest":
    return (
        service.users()
        .messages()
        .get(userId="me", id=id, format="metadata", metadataHeaders=[*WANTED, OWN_ID], fields=wire.HEADER_FIELDS)
    )
