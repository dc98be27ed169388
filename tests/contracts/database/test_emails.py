"""Mails, conversations and the reading of mailboxes on SQLite and PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from meetings.application.ports.emails import MailSyncClaim
from meetings.application.ports.outbox import LeaseLost
from meetings.application.ports.reads import BadCursor
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.email import Correspondent, Email, EmailState, EmailText
from meetings.domain.email_thread import EmailThread, FoundMail
from meetings.domain.identifiers import EmailId, EmailThreadId, MailboxId
from meetings.domain.mailbox import Mailbox
from meetings.domain.reply_logging import EmailLogging, LoggingRule
from meetings.infrastructure.database.email_reads import SqlEmailReads
from meetings.infrastructure.database.mail_schedule import SqlMailSchedule
from meetings.infrastructure.database.tables import mail_sync
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database
from tests.builders import NOW
from tests.contracts.database.conftest import Tenant
from tests.contracts.database.test_mailboxes import a_mailbox, keep

VERA = "vera@elsewhere.example"


def a_thread(mailbox: Mailbox, **other: Any) -> EmailThread:
    given: dict[str, Any] = {"contact": "c1", "contact_email": VERA, "subject": "Next steps", "now": NOW, **other}
    return EmailThread.begin(EmailThreadId(uuid4()), account_id=mailbox.account_id, mailbox=mailbox, **given)


def a_mail(thread: EmailThread, mailbox: Mailbox, message_id: str | None = None, **other: Any) -> Email:
    given: dict[str, Any] = {
        "contact_email": VERA,
        "sender": Correspondent("Anna", mailbox.email),
        "content": EmailText("Next steps", "Shall we meet?\n", "<p>Shall we meet?</p>"),
        "now": NOW,
        **other,
    }
    return thread.compose(EmailId(uuid4()), mailbox=mailbox, message_id=message_id or f"<{uuid4()}@a.example>", **given)


def an_answer(thread: EmailThread, mailbox: Mailbox, message_id: str, at: datetime = NOW) -> Email:
    found = FoundMail(message_id, Correspondent("Vera", VERA), (mailbox.email,), EmailText("Re: x", "Yes."), at)
    return thread.receive(EmailId(uuid4()), found, mailbox=mailbox, contacts=("c1",), answers=True, now=at)


async def stored(tenant: Tenant, *things: EmailThread | Email) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        for thing in things:
            if isinstance(thing, EmailThread):
                work.emails.add_thread(thing)
            else:
                work.emails.add(thing)
        await work.commit()


@pytest.fixture
async def mailbox(tenant: Tenant) -> Mailbox:
    return await keep(tenant, a_mailbox(tenant))


async def test_mails_and_conversations_come_back_as_they_were_stored(tenant: Tenant, mailbox: Mailbox) -> None:
    thread = a_thread(mailbox)
    mail = a_mail(thread, mailbox, unsubscribe="https://a.example/u")
    mail.hand_over(now=NOW)
    mail.sent("<other@provider.example>", now=NOW)
    answer = an_answer(thread, mailbox, "<2@elsewhere.example>", NOW + timedelta(minutes=1))
    await stored(tenant, thread, mail, answer)
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.emails.get(mail.id)
        assert vars(found) | {"_events": []} == vars(mail) | {"_events": [], "version": found.version}
        again = await work.emails.thread(thread.id)
        assert vars(again) | {"_events": []} == vars(thread) | {"_events": [], "version": again.version}
        assert [each.id for each in await work.emails.conversation(thread.id)] == [mail.id, answer.id]
        by_id = await work.emails.by_message_ids([mail.message_id, "<other@provider.example>", "<nobody@x.example>"])
        assert {key: each.id for key, each in by_id.items()} == dict.fromkeys(
            (mail.message_id, "<other@provider.example>"), mail.id
        )
        newest = await work.emails.newest_threads(tenant.host.id, [VERA.upper(), "nobody@x.example"])
        assert {email: each.id for email, each in newest.items()} == {VERA: thread.id}


async def test_many_message_ids_are_looked_for_at_once(tenant: Tenant, mailbox: Mailbox) -> None:
    thread = a_thread(mailbox)
    mail = a_mail(thread, mailbox)
    await stored(tenant, thread, mail)
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.emails.by_message_ids([mail.message_id, *(f"<{n}@x.example>" for n in range(2_000))])
    assert list(found) == [mail.message_id]


async def test_of_two_that_log_one_mail_at_once_one_succeeds(tenant: Tenant, mailbox: Mailbox) -> None:
    thread = a_thread(mailbox)
    await stored(tenant, thread)

    async def log() -> bool:
        async with tenant.begin(tenant.account.account_id) as work:
            own = await work.emails.thread(thread.id)
            work.emails.add(an_answer(own, mailbox, "<the-same@elsewhere.example>"))
            try:
                await work.commit()
            except ConcurrentChange:
                return False
            return True

    assert sorted(await asyncio.gather(*(log() for _ in range(5)))).count(True) == 1
    first = an_answer(thread, mailbox, "<the-same@elsewhere.example>")
    with pytest.raises(ConcurrentChange):
        await stored(tenant, first)


async def test_another_account_sees_nothing_of_it(tenant: Tenant, stranger: Tenant, mailbox: Mailbox) -> None:
    """TP-1; and may have mails with the same message id."""
    thread = a_thread(mailbox)
    mail = a_mail(thread, mailbox, "<1@a.example>")
    await stored(tenant, thread, mail)
    async with stranger.look(stranger.account.account_id) as work:
        with pytest.raises(NotFound):
            await work.emails.get(mail.id)
        with pytest.raises(NotFound):
            await work.emails.thread(thread.id)
        assert await work.emails.by_message_ids(["<1@a.example>"]) == {}
        assert await work.emails.newest_threads(tenant.host.id, [VERA]) == {}
    theirs = await keep(stranger, a_mailbox(stranger))
    own = a_thread(theirs)
    await stored(stranger, own, a_mail(own, theirs, "<1@a.example>"))


async def test_mails_that_were_written_lately_are_counted_for_each_mailbox(tenant: Tenant, mailbox: Mailbox) -> None:
    thread = a_thread(mailbox)
    mails = [a_mail(thread, mailbox, now=NOW + timedelta(minutes=n)) for n in range(4)]
    mails[3].fail("refused", now=NOW)
    await stored(tenant, thread, *mails, an_answer(thread, mailbox, "<2@elsewhere.example>"))
    async with tenant.look(tenant.account.account_id) as work:
        assert await work.emails.written_since(mailbox.id, NOW, 10) == [
            NOW + timedelta(minutes=1),
            NOW + timedelta(minutes=2),
        ]
        assert len(await work.emails.written_since(mailbox.id, NOW - timedelta(days=1), 2)) == 2
        assert await work.emails.written_since(MailboxId(uuid4()), NOW - timedelta(days=1), 10) == []


async def test_mails_whose_hand_over_is_open_are_found(tenant: Tenant, mailbox: Mailbox) -> None:
    thread = a_thread(mailbox)
    waiting, open_, done = (a_mail(thread, mailbox) for _ in range(3))
    open_.hand_over(now=NOW)
    done.hand_over(now=NOW)
    done.sent(done.message_id, now=NOW)
    await stored(tenant, thread, waiting, open_, done)
    async with tenant.look(tenant.account.account_id) as work:
        assert [mail.id for mail in await work.emails.in_between(mailbox.id)] == [open_.id]


async def test_what_an_account_logs_comes_back(tenant: Tenant) -> None:
    logging = EmailLogging(LoggingRule.KNOWN_CONTACTS, ("boss@example.com", "private.example"))
    async with tenant.begin(tenant.account.account_id) as work:
        assert (await work.account()).email_logging == EmailLogging()
        (await work.account()).log_emails(logging, now=NOW)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        assert (await work.account()).email_logging == logging


async def test_lists_come_in_pages_newest_first(tenant: Tenant, mailbox: Mailbox, database: Database) -> None:
    reads, account = SqlEmailReads(database), tenant.account.account_id
    threads = [a_thread(mailbox, now=NOW + timedelta(hours=n), contact=f"c{n % 2}") for n in range(5)]
    threads[3].unread = True
    mails = [a_mail(threads[0], mailbox, now=NOW + timedelta(minutes=n)) for n in range(3)]
    await stored(tenant, *threads, *mails)
    asked: dict[str, Any] = {"user": tenant.host.id, "contact": None, "unread_only": False, "first": 2}
    found, after = [], None
    while True:
        page = await reads.threads(account, **asked, after=after)
        found += [thread.id for _, thread in page.items]
        after = page.items[-1][0]
        if not page.has_next:
            break
    assert found == [thread.id for thread in reversed(threads)]
    odd = await reads.threads(account, **{**asked, "contact": "c1"}, after=None)
    assert [thread.id for _, thread in odd.items] == [threads[3].id, threads[1].id]
    unread = await reads.threads(account, **{**asked, "unread_only": True}, after=None)
    assert [thread.id for _, thread in unread.items] == [threads[3].id]
    newest = await reads.messages(account, threads[0].id, first=2, after=None)
    assert ([mail.id for _, mail in newest.items], newest.has_next) == ([mails[2].id, mails[1].id], True)
    at_once = await reads.newest_messages(account, [thread.id for thread in threads], first=2)
    beginning = at_once[threads[0].id]
    assert ([cursor for cursor, _ in beginning.items], beginning.has_next) == (
        [cursor for cursor, _ in newest.items],
        True,
    )
    assert at_once[threads[1].id].items == []
    queued = await reads.in_state(account, user=tenant.host.id, state=EmailState.QUEUED, first=10, after=None)
    assert {mail.id for _, mail in queued.items} == {mail.id for mail in mails}
    with pytest.raises(BadCursor):
        await reads.messages(account, threads[0].id, first=2, after="nonsense")


# ---- reading in turn ------------------------------------------------------------------------------------------------


async def claimed(schedule: SqlMailSchedule, mailbox: Mailbox) -> MailSyncClaim:
    claim = await schedule.claim(mailbox.id, lease_seconds=60)
    assert claim
    return claim


async def test_a_mailbox_is_read_by_one_at_a_time_and_again_when_asked_for_meanwhile(
    tenant: Tenant, mailbox: Mailbox, database: Database
) -> None:
    schedule, later = SqlMailSchedule(database), datetime.now(UTC) + timedelta(hours=1)
    await schedule.plan(tenant.account.account_id, mailbox.id, begin_at=NOW)
    assert await schedule.due(10) == [mailbox.id]
    claims = await asyncio.gather(*(schedule.claim(mailbox.id, lease_seconds=60) for _ in range(5)))
    (claim,) = [each for each in claims if each]
    assert await schedule.due(10) == []
    assert await schedule.extend(claim, lease_seconds=60)
    await schedule.request(mailbox.id)
    assert await schedule.finish(claim, next_at=later) is True
    assert await schedule.finish(await claimed(schedule, mailbox), next_at=later) is False
    assert await schedule.due(10) == []
    await schedule.request(mailbox.id)
    assert await schedule.due(10) == [mailbox.id]


async def test_whoever_was_overtaken_writes_nothing_down(tenant: Tenant, mailbox: Mailbox, database: Database) -> None:
    schedule = SqlMailSchedule(database)
    await schedule.plan(tenant.account.account_id, mailbox.id, begin_at=NOW)
    first = await claimed(schedule, mailbox)
    async with database.transaction() as connection:
        await connection.execute(update(mail_sync).values(lease_until=database_time(-1)))
    second = await claimed(schedule, mailbox)
    async with tenant.begin(tenant.account.account_id) as work:
        with pytest.raises(LeaseLost):
            await work.mail_reading.hold(first, lease_seconds=60)
    assert await schedule.extend(first, lease_seconds=60) is False
    assert await schedule.finish(first, next_at=NOW) is False
    async with tenant.begin(tenant.account.account_id) as work:
        await work.mail_reading.hold(second, lease_seconds=60)
        assert await work.mail_reading.note_failure(mailbox.id) == 1
        assert await work.mail_reading.note_failure(mailbox.id) == 2
        await work.mail_reading.confirm(mailbox.id, cursor="7", at=NOW)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        state = await work.mail_reading.state(mailbox.id)
    assert state is not None
    assert (state.cursor, state.confirmed_at, state.failures, state.begin_at) == ("7", NOW, 0, NOW)


async def test_a_mailbox_that_is_connected_anew_begins_anew_and_one_that_is_forgotten_is_not_read(
    tenant: Tenant, stranger: Tenant, mailbox: Mailbox, database: Database
) -> None:
    schedule, account = SqlMailSchedule(database), tenant.account.account_id

    async def state() -> Any:
        async with tenant.look(account) as work:
            return await work.mail_reading.state(mailbox.id)

    await schedule.plan(account, mailbox.id, begin_at=NOW)
    claim = await claimed(schedule, mailbox)
    async with tenant.begin(account) as work:
        await work.mail_reading.confirm(mailbox.id, cursor="7", at=NOW)
        await work.commit()
    await schedule.plan(account, mailbox.id, begin_at=NOW)
    assert (await state()).cursor == "7"
    await schedule.plan(account, mailbox.id, begin_at=NOW + timedelta(days=1))
    assert ((await state()).cursor, (await state()).begin_at) == (None, NOW + timedelta(days=1))
    async with tenant.begin(account) as work:
        with pytest.raises(LeaseLost):
            await work.mail_reading.hold(claim, lease_seconds=60)
    await schedule.forget(stranger.account.account_id, mailbox.id)
    assert await state() is not None
    await schedule.forget(account, mailbox.id)
    assert await state() is None
