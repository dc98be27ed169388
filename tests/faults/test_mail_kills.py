"""A worker that is killed around a mail sends it once, and logs each reply once (OB-3, OB-7, I5)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from meetings.application.ports.crm import ContactDetails, RecordedMail
from meetings.application.send_email import SendEmail, queue_email, send_email
from meetings.domain.account_use import BOTH
from meetings.domain.email import Email, EmailOrigin, EmailState, EmailText
from meetings.domain.email_thread import EmailThread
from meetings.domain.identifiers import EmailId, EmailThreadId
from meetings.infrastructure.database.emails import email_from
from meetings.infrastructure.database.tables import emails, intents, mail_sync
from tests.contracts.mail.letters import a_mail
from tests.databases import Simulators
from tests.faults.workers import Nursery, fresh_worker
from tests.waiting import until
from tests.world import HOST_EMAIL, World, world

VERA = "vera@elsewhere.example"
SENDING = [
    "outbox.claim:before",
    "outbox.claim:after",
    "mail.send:before",
    "mail.send:after",
    "mail.find_sent:before",
    "crm.put_mail:before",
    "crm.put_mail:after",
    "outbox.done:before",
]
READING = [
    "mail_schedule.claim:before",
    "mail_schedule.claim:after",
    "mail.read:before",
    "mail.read:after",
    "mail_schedule.finish:before",
    "mail_schedule.finish:after",
    "crm.put_mail:after",
]


def on_both(steps: list[str], *once_more: str) -> pytest.MarkDecorator:
    """Every step on SQLite, and some on PostgreSQL: storing is the same for all."""
    runs = [pytest.param("sqlite", step, id=step) for step in steps]
    runs += [
        pytest.param("postgresql", step, id=f"{step}-postgresql", marks=pytest.mark.services) for step in once_more
    ]
    return pytest.mark.parametrize(("database_url", "step"), runs, indirect=["database_url"])


@pytest.fixture
async def here(database_url: str, simulators: Simulators) -> AsyncIterator[World]:
    """Anna's mailbox is connected; leases are short, and what is not seen soon counts as not sent."""
    policy = {"mail_settles_after": 1, "mail_poll": 1}
    async with world(database_url, *simulators, lease_seconds=1, sweep_seconds=0.2, policy=policy) as found:
        found.clock.now = datetime.now(UTC)
        await found.come_back(await found.consent(await found.start(uses=BOTH)))
        await found.settle_down()
        yield found


async def queue(here: World) -> EmailId:
    """Anna wrote to Vera; the mail waits for a worker."""
    tools = here.tools
    crm = await tools.crm_of(here.anna.account_id)
    contact = await crm.put_contact(ContactDetails(VERA))
    return await send_email(
        SendEmail(contact.id, "Next steps", "Shall we meet?", str(uuid4())),
        caller=here.caller,
        link=None,
        begin=tools.begin,
        look=tools.look,
        crm_of=tools.crm_of,
        clock=here.clock,
        policy=tools.policy,
    )


async def queue_step(here: World) -> EmailId:
    """A step of a sequence to Vera waits for a worker."""
    contact = await (await here.tools.crm_of(here.anna.account_id)).put_contact(ContactDetails(VERA))
    async with here.tools.begin(here.anna.account_id) as work:
        (mailbox,) = await work.mailboxes.of_user(here.anna.id)
        thread = EmailThread.begin(
            EmailThreadId(uuid4()),
            account_id=here.anna.account_id,
            mailbox=mailbox,
            contact=contact.id,
            contact_email=VERA,
            subject="Step one",
            now=here.clock(),
        )
        work.emails.add_thread(thread)
        text = EmailText("Step one", "Hello\n", "<p>Hello</p>")
        email = queue_email(work, thread, mailbox, here.anna, VERA, text, now=here.clock(), origin=EmailOrigin.SEQUENCE)
        await work.commit()
    return email.id


async def stored(here: World) -> list[Email]:
    async with here.runtime.database.snapshot() as connection:
        return [email_from(row) for row in await connection.execute(select(emails).order_by(emails.c.at))]


async def nothing_open(here: World) -> bool:
    async with here.runtime.database.snapshot() as connection:
        query = select(intents).where(intents.c.done_at.is_(None), intents.c.died_at.is_(None))
        return not (await connection.execute(query)).all()


async def timeline(here: World) -> list[RecordedMail]:
    crm = await here.tools.crm_of(here.anna.account_id)
    known = (await crm.known([VERA]))[VERA]
    return [e for e in (await crm.timeline(known.id, first=50, after=None)).items if isinstance(e, RecordedMail)]


def arrived(here: World) -> list[Any]:
    return [mail for mail in here.google.mail.left if mail.to == VERA]


@on_both(SENDING, "mail.send:after", "mail.send:before")
async def test_a_worker_killed_while_it_sends_a_mail_sends_it_once(
    here: World, killable_worker: Nursery, step: str
) -> None:
    email_id = await queue(here)
    if step == "mail.find_sent:before":  # a worker died before, and the one that looks for the mail does, too
        killable_worker.start(here.runtime.settings, "mail.send:after")
        assert await killable_worker.killed()
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here))
    (email,) = await stored(here)
    assert (email.id, email.state) == (email_id, EmailState.SENT)
    assert len(arrived(here)) == 1
    assert [entry.key for entry in await timeline(here)] == [email_id]


@on_both(["mail.send:before", "mail.send:after", "outbox.claim:after"], "mail.send:before")
async def test_a_step_of_a_sequence_never_leaves_twice_and_is_listed_when_nobody_knows(
    here: World, killable_worker: Nursery, step: str
) -> None:
    """OB-7: at most once, marked before the hand-over."""
    email_id = await queue_step(here)
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    async with fresh_worker(here.runtime.settings):
        await until("everything to be done", lambda: nothing_open(here))
    (email,) = await stored(here)
    uncertain = step == "mail.send:before"
    assert (email.id, email.state) == (email_id, EmailState.UNCERTAIN if uncertain else EmailState.SENT)
    assert len(arrived(here)) == (0 if uncertain else 1)


@on_both(READING, "mail.read:after", "crm.put_mail:after")
async def test_a_worker_killed_while_it_reads_a_mailbox_logs_each_reply_once(
    here: World, killable_worker: Nursery, step: str
) -> None:
    await queue(here)
    await here.settle_down()
    (email,) = await stored(here)
    for number in range(3):
        raw = a_mail(HOST_EMAIL, sender=f"Vera <{VERA}>", answers=email.known_as, text=f"Answer {number}.\n")
        here.google.mail.deliver(HOST_EMAIL, raw, ("INBOX", "UNREAD"))
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    async with here.runtime.database.transaction() as connection:  # as if the lease's minute had passed
        ended = datetime.now(UTC) - timedelta(seconds=1)
        await connection.execute(update(mail_sync).values(lease_until=ended, due_at=ended))

    async def all_logged() -> bool:
        return len(await stored(here)) == 4 and await nothing_open(here)

    async with fresh_worker(here.runtime.settings):
        await until("the replies to be logged", all_logged)
    assert sorted(each.content.text for each in await stored(here) if not each.outgoing) == [
        "Answer 0.",
        "Answer 1.",
        "Answer 2.",
    ]
    assert len(await timeline(here)) == 4
