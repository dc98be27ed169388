"""Mail and calendars of one account stand and fall each by themselves (RT-5)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from meetings.application.ports.calendars import ProviderResting, ProviderUnavailable, RateLimited
from meetings.application.ports.mail_accounts import (
    MailAccount,
    MailBody,
    MailHeader,
    MailNews,
    MailPerson,
    OutgoingMail,
    SentMail,
)
from meetings.domain.calendar_connection import Consent
from meetings.domain.identifiers import MailboxId
from meetings.domain.mailbox import InboxProvider, Mailbox
from meetings.infrastructure.circuits.circuits import Circuits
from tests.builders import a_connection, account_id, user_id
from tests.infrastructure.test_circuits import Clock, Scripted

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
MAIL = OutgoingMail("<1@x.test>", MailPerson("", "a@x.test"), (MailPerson("", "b@x.test"),), "Hello", "Hello", "Hello")
HEADER = MailHeader("1", "<1@x.test>", MailPerson("", "a@x.test"), (), "Hello", NOW)


@dataclass
class ScriptedMail:
    """A mailbox in memory: every call has this outcome, None is success."""

    outcome: Exception | None = None
    calls: int = 0
    closed: bool = False

    def _answer(self) -> None:
        self.calls += 1
        if self.outcome is not None:
            raise self.outcome

    async def send(self, mail: OutgoingMail) -> SentMail:
        self._answer()
        return SentMail(mail.message_id)

    async def find_sent(self, message_id: str) -> SentMail | None:
        self._answer()
        return None

    async def news(self, cursor: str | None) -> AsyncIterator[MailNews]:
        try:
            for last in (None, "cursor"):
                self._answer()
                yield MailNews((HEADER,), last)
            raise AssertionError("asked for a page after the last one")
        finally:
            self.closed = True

    async def since(self, instant: datetime) -> AsyncIterator[MailNews]:
        async for page in self.news(None):
            yield page

    async def read(self, mail_id: str) -> MailBody | None:
        self._answer()
        return MailBody("Hello")


def a_mailbox() -> Mailbox:
    return Mailbox.connect(
        MailboxId(uuid4()),
        account_id=account_id(),
        user_id=user_id(),
        provider=InboxProvider.GOOGLE,
        email="anna@example.com",
        consent=Consent("1", NOW),
        now=NOW,
    )


async def fail_often(account: MailAccount) -> None:
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            await account.send(MAIL)


async def test_a_mailbox_that_does_not_answer_is_left_alone_and_its_calendar_is_not() -> None:
    circuits = Circuits(clock := Clock())
    mail, calendar = ScriptedMail(ProviderUnavailable("no answer")), Scripted()
    account = circuits.around_mail(mail, a_mailbox())
    await fail_often(account)
    for call in (account.send(MAIL), account.find_sent("<1@x.test>"), account.read("1")):
        with pytest.raises(ProviderResting):
            await call
    assert mail.calls == 5
    await circuits.around(calendar, a_connection(), None).list_calendars()
    clock.now += 30
    mail.outcome = None
    assert await account.read("1") == MailBody("Hello")


async def test_a_mailbox_that_asks_for_patience_gets_it() -> None:
    circuits = Circuits(clock := Clock())
    mail = ScriptedMail(RateLimited("slower", retry_after=60))
    account = circuits.around_mail(mail, a_mailbox())
    for _ in range(3):
        with pytest.raises(RateLimited):
            await account.find_sent("<1@x.test>")
    assert mail.calls == 1
    clock.now += 61
    mail.outcome = None
    assert await account.find_sent("<1@x.test>") is None


async def test_of_news_every_page_is_a_call_and_none_follows_the_last() -> None:
    mail = ScriptedMail()
    account = Circuits(Clock()).around_mail(mail, a_mailbox())
    assert [page.cursor async for page in account.news(None)] == [None, "cursor"]
    assert [page.cursor async for page in account.since(NOW)] == [None, "cursor"]
    assert mail.calls == 4
    assert mail.closed


async def test_one_broken_mailbox_is_not_held_against_others() -> None:
    circuits = Circuits(Clock())
    await fail_often(circuits.around_mail(ScriptedMail(ProviderUnavailable("no answer")), a_mailbox()))
    assert await circuits.around_mail(ScriptedMail(), a_mailbox()).read("1") == MailBody("Hello")
