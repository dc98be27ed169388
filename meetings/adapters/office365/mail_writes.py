"""Sending one mail so that a lost answer neither loses it nor sends it twice (OB-7).

Sources: "Create message" (MIME content brings its own headers), "message: send", "message resource type"; [MS-OXCMAIL]
for headers of a name that Exchange does not know, which it keeps as properties of the same name in a set of their own.

A mail is made as a draft and then sent. Graph forgets the draft when it was sent: what is among the sent mails has
another id (microsoft-graph-docs, issue 6250), but the same header of ours, and by that it is found.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.reading import items_of, read
from meetings.adapters.office365.refusals import Asked, Refused
from meetings.application.mail_message import OWN_ID, as_message
from meetings.application.ports.calendars import ProviderError, ProviderUnavailable
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail_accounts import OutgoingMail, SentMail

OWN_PROPERTY = f"String {{00020386-0000-0000-c000-000000000046}} Name {OWN_ID}"
"""The header with our message id, as Exchange keeps it (PS_INTERNET_HEADERS)."""

_SELECT = "id,isDraft,internetMessageId,conversationId"


@dataclass(frozen=True, slots=True)
class MailWrites:
    """Mails leave in the name of the mailbox's owner, as the directory writes it."""

    calls: AuthorizedCalls
    now: Clock

    async def send(self, mail: OutgoingMail) -> SentMail:
        """As `MailAccount.send`. Two calls, and a third that takes the draft away when Graph said no to sending it.
        Where the outcome is unknown the draft stays, for `find_sent`."""
        mime = bytes(as_message(mail, at=self.now()))
        until = self.calls.limit()
        draft = await self.calls.call(Question("POST", "/me/messages", mime=mime), Asked.NEW_MAIL, until)
        mail_id, sent = read(lambda: (str(draft["id"]), _sent(draft)))
        try:
            await self.calls.call(Question("POST", f"{_one(mail_id)}/send"), Asked.NEW_MAIL, until)
        except ProviderUnavailable:
            raise
        except ProviderError:
            await self._tidied(mail_id)
            raise
        return sent

    async def find_sent(self, message_id: str) -> SentMail | None:
        """As `MailAccount.find_sent`. A draft of it that did not leave is taken away, so that it never will: if it is
        gone in that moment, it left after all."""
        until = self.calls.limit()
        for _ in range(2):
            found = await self._found(message_id, until)
            for item in found:
                if item.get("isDraft") is not True:
                    return read(partial(_sent, item))
            if all([await self._removed(item["id"], until) for item in found]):
                return None
        return None

    async def _found(self, message_id: str, until: float) -> list[Any]:
        value = message_id.replace("'", "''")
        own = f"singleValueExtendedProperties/Any(ep: ep/id eq '{OWN_PROPERTY}' and ep/value eq '{value}')"
        question = Question("GET", "/me/messages", params={"$filter": own, "$select": _SELECT, "$top": "10"})
        return items_of(await self.calls.call(question, Asked.MAIL, until))

    async def _removed(self, mail_id: str, until: float) -> bool:
        try:
            await self.calls.attempt(Question("DELETE", _one(mail_id)), until)
        except Refused as refused:
            if refused.says_gone:
                return False
            raise self.calls.error(refused, Asked.MAIL) from None
        return True

    async def _tidied(self, mail_id: str) -> None:
        """A draft that never will leave does not stay; one that cannot be taken away now is in its owner's way only."""
        try:
            await asyncio.shield(self._removed(mail_id, self.calls.limit()))
        except ProviderError:
            return


def _one(mail_id: str) -> str:
    return f"/me/messages/{quote(mail_id, safe='')}"


def _sent(item: Any) -> SentMail:
    return SentMail(message_id=str(item["internetMessageId"]), thread=item.get("conversationId") or None)
