"""Whatever the order, the repetition and the crashes: each reply is logged once, nothing else is, none is missed."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import update

from meetings.application.ports.calendars import CursorExpired, ProviderUnavailable
from meetings.application.ports.mail_accounts import (
    MailAccount,
    MailBody,
    MailHeader,
    MailNews,
    MailPerson,
    OutgoingMail,
    SentMail,
)
from meetings.domain.email import Email
from meetings.infrastructure.database.tables import mail_sync
from meetings.infrastructure.database.types import database_time
from tests.databases import Simulators
from tests.mailed import VERA, Mailed, mailed

STEPS = 30


class Crash(Exception):
    """What a mistake of ours, or the end of a process, does to a read."""


class ShakyMailbox:
    """A mailbox that keeps the contract and no more: pages of any size in any order, some of it told again, answers
    that fail, cursors that expire. `sent` goes through the mailbox behind it."""

    def __init__(self, behind: MailAccount, chance: random.Random) -> None:
        self.mails: list[tuple[MailHeader, str]] = []
        self.calm = False
        self._behind = behind
        self._chance = chance

    async def send(self, mail: OutgoingMail) -> SentMail:
        return await self._behind.send(mail)

    async def find_sent(self, message_id: str) -> SentMail | None:
        return await self._behind.find_sent(message_id)

    async def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        if cursor is None:
            yield MailNews((), str(len(self.mails)))
            return
        self._shake(CursorExpired)
        async for page in self._pages(max(0, int(cursor) - self._chance.randrange(4)) if cursor.isdecimal() else 0):
            yield page

    async def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        first = next((n for n, (mail, _) in enumerate(self.mails) if mail.at >= instant), len(self.mails))
        async for page in self._pages(first):
            yield page

    async def read(self, mail_id: str) -> MailBody | None:
        self._shake(ProviderUnavailable, Crash)
        await asyncio.sleep(0)
        return next((MailBody(text) for mail, text in self.mails if mail.mail_id == mail_id), None)

    async def _pages(self, first: int) -> AsyncIterator[MailNews]:
        end = len(self.mails)
        told = [mail for mail, _ in self.mails[first:end]]
        told += self._chance.sample(told, k=len(told) // 3)
        self._chance.shuffle(told)
        while told:
            size = self._chance.randint(1, 4)
            self._shake(ProviderUnavailable, Crash)
            yield MailNews(tuple(told[:size]), None)
            del told[:size]
        self._shake(ProviderUnavailable, Crash)
        yield MailNews((), str(end))

    def _shake(self, *kinds: type[Exception]) -> None:
        if not self.calm and self._chance.random() < 0.08:
            raise self._chance.choice(kinds)("shaken")


class History:
    """What happens to Anna's mailbox, and what should be on record in the end."""

    def __init__(self, anna: Mailed, seed: int) -> None:
        self.chance = random.Random(seed)
        self.anna = anna
        self.box = ShakyMailbox(anna.account_of(anna.mailbox), self.chance)
        self.sent: list[Email] = []
        self.expected: set[str] = set()
        tools = anna.here.tools
        anna.here.tools = replace(tools, mail_account_of=lambda _: self.box)

    async def write(self) -> None:
        self.sent.append(await self.anna.send(f"Subject {len(self.sent)}"))

    def arrive(self) -> None:
        """Somebody answers, or something comes that is none of our business."""
        self.anna.clock.passes(seconds=self.chance.randint(1, 60))
        number = len(self.box.mails)
        original = self.chance.choice(self.sent)
        good = self.chance.random() < 0.5
        strange = self.chance.choice(("subject", "reference", "nothing"))
        answers = original.known_as if good or strange == "subject" else f"<{number}@nowhere.example>"
        subject = original.content.subject if good or strange == "reference" else "Something else"
        message_id = f"<{number}@elsewhere.example>"
        header = MailHeader(
            mail_id=str(number),
            message_id=message_id,
            sender=MailPerson("Vera", self.chance.choice((VERA, "vera@home.example"))),
            recipients=(self.anna.place.account,),
            subject=f"Re: {subject}",
            at=self.anna.clock(),
            in_reply_to=None if strange == "nothing" and not good else answers,
            automatic=self.chance.random() < 0.2,
        )
        self.box.mails.append((header, f"Text {number}"))
        if good:
            self.expected.add(message_id)

    async def read(self, times: int = 1) -> None:
        """Workers read the mailbox, perhaps at once; a crashed one's lease ends."""
        await self.anna.here.tools.mail_schedule.request(self.anna.mailbox.id)
        await self._leases_end()
        reads = (self.anna.read_once(self.anna.mailbox.id) for _ in range(times))
        for failed in await asyncio.gather(*reads, return_exceptions=True):
            assert failed is None or isinstance(failed, bool | Crash), failed

    async def _leases_end(self) -> None:
        ended = {"lease_until": database_time(-1), "due_at": database_time(-1)}
        async with self.anna.here.runtime.database.transaction() as connection:
            await connection.execute(update(mail_sync).values(**ended))

    async def overtaken(self) -> None:
        """A reader stands still, its lease ends, another one reads; then the first goes on."""
        first = asyncio.create_task(self.anna.read_once(self.anna.mailbox.id))
        for _ in range(self.chance.randrange(30)):
            await asyncio.sleep(0)
        await self.read()
        await asyncio.gather(first, return_exceptions=True)

    async def step(self) -> None:
        doing = self.chance.choices(("write", "arrive", "read", "both", "overtaken"), (1, 6, 3, 2, 2))[0]
        if doing == "write":
            await self.write()
        elif doing == "arrive":
            self.arrive()
        elif doing == "overtaken":
            await self.overtaken()
        else:
            await self.read(2 if doing == "both" else 1)


def logged(emails: Sequence[Email]) -> list[str]:
    return sorted(email.message_id for email in emails)


@pytest.mark.parametrize("seed", range(6))
async def test_each_reply_is_logged_once_whatever_happens(database_url: str, simulators: Simulators, seed: int) -> None:
    async with mailed(database_url, "google", simulators) as anna:
        history = History(anna, seed)
        await history.write()
        for _ in range(STEPS):
            await history.step()
            found = logged(await anna.received())
            assert len(found) == len(set(found))
            assert set(found) <= history.expected
        history.box.calm = True
        await history.read()
        assert logged(await anna.received()) == sorted(history.expected)
        await anna.settle_down()
        assert len(await anna.timeline()) == len(history.sent) + len(history.expected)
