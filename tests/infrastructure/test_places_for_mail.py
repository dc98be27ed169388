"""A provider of mailboxes that hangs leaves room for the others (RT-6)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import uuid4

import pytest

from meetings.application.ports.calendars import RateLimited
from meetings.application.ports.mail_accounts import MailBody, MailNews, OutgoingMail, SentMail
from meetings.domain.calendar_connection import Consent
from meetings.domain.identifiers import AccountId, MailboxId, UserId
from meetings.domain.mailbox import InboxProvider, Mailbox
from meetings.infrastructure.circuits.places import Places
from tests.builders import NOW


class Held:
    """A mailbox that answers no look-up before it is released."""

    def __init__(self) -> None:
        self.calls = 0
        self.released = asyncio.Event()

    async def send(self, mail: OutgoingMail) -> SentMail:
        return SentMail(mail.message_id)

    async def find_sent(self, message_id: str) -> SentMail | None:
        self.calls += 1
        await self.released.wait()
        return None

    async def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        yield MailNews((), cursor or "0")

    async def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        yield MailNews((), "0")

    async def read(self, mail_id: str) -> MailBody | None:
        return None


def whose(provider: InboxProvider) -> Mailbox:
    return Mailbox.connect(
        MailboxId(uuid4()),
        account_id=AccountId(uuid4()),
        user_id=UserId(uuid4()),
        provider=provider,
        email="anna@example.com",
        consent=Consent("1", NOW),
        now=NOW,
    )


async def test_a_provider_of_mailboxes_that_hangs_leaves_places_for_another() -> None:
    hanging, prompt = Held(), Held()
    prompt.released.set()
    of = {InboxProvider.GOOGLE: hanging, InboxProvider.IMAP: prompt}
    accounts = Places(2).within_mail(lambda mailbox: of[mailbox.provider])
    stuck = [asyncio.create_task(accounts(whose(InboxProvider.GOOGLE)).find_sent("<1@x>")) for _ in range(3)]
    async with asyncio.timeout(0.9):
        await asyncio.gather(*(accounts(whose(InboxProvider.IMAP)).find_sent("<1@x>") for _ in range(20)))
    done, _ = await asyncio.wait(stuck, timeout=3, return_when=asyncio.FIRST_EXCEPTION)
    with pytest.raises(RateLimited):
        await done.pop()
    assert (hanging.calls, prompt.calls) == (2, 20)
    hanging.released.set()
    await asyncio.gather(*stuck, return_exceptions=True)
