"""A worker that is killed around a step of a sequence: none is sent twice, and what nobody knows is listed (OB-7)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any

import pytest

from meetings.application.ports.crm import ContactDetails
from meetings.application.sequences import SequenceWish, create_sequence, enroll
from meetings.domain.account_use import BOTH
from meetings.domain.email import EmailState
from meetings.domain.enrollment import Enrollment, EnrollmentState, PauseReason
from meetings.domain.period import Period
from meetings.domain.sequence import SequenceStep
from tests.builders import weekday_hours
from tests.databases import BOTH_DATABASES, Simulators
from tests.faults.test_mail_kills import VERA, arrived, nothing_open, on_both, stored
from tests.faults.workers import Nursery, fresh_worker
from tests.waiting import until
from tests.world import World, world

SUBJECTS = ["Step one", "Step two"]
STEPS = [
    "outbox.claim:before",
    "outbox.claim:after",
    "crm.contacts_by_id:before",
    "crm.contacts_by_id:after",
    "mail.send:after",
    "crm.put_mail:before",
    "crm.put_mail:after",
]
AT_WORK = weekday_hours("UTC", start=0, end=24 * 60, days=range(7))


@pytest.fixture
async def here(database_url: str, simulators: Simulators) -> AsyncIterator[World]:
    """Anna works around the clock and her mailbox is connected; leases are short."""
    policy = {"mail_settles_after": 1, "mail_poll": 1}
    async with world(database_url, *simulators, lease_seconds=1, sweep_seconds=0.2, policy=policy) as found:
        found.clock.now = datetime.now(UTC)
        await found.come_back(await found.consent(await found.start(uses=BOTH)))
        async with found.tools.begin(found.anna.account_id) as work:
            anna = await work.users.get(found.anna.id)
            anna.change_settings(replace(anna.settings, working_hours=AT_WORK), now=found.clock.now)
            await work.commit()
        await found.settle_down()
        yield found


async def enrolled(here: World) -> None:
    """Vera is in a sequence of two mails, both due at once; nobody has looked at it yet."""
    tools, caller = here.tools, here.caller
    contact = await (await tools.crm_of(caller.account_id)).put_contact(ContactDetails(VERA))
    steps = tuple(SequenceStep(Period(), subject, "Shall we meet?") for subject in SUBJECTS)
    with_clock: dict[str, Any] = {"begin": tools.begin, "clock": here.clock, "policy": tools.policy}
    sequence = await create_sequence(SequenceWish("New people", steps), caller=caller, **with_clock)
    await enroll(sequence, [contact.id], caller=caller, look=tools.look, crm_of=tools.crm_of, **with_clock)


async def listed(here: World) -> Enrollment:
    """The enrolment as its owner finds it among their own."""
    found = await here.tools.sequence_reads.enrollments(
        here.anna.account_id, user=here.anna.id, sequence=None, contact=None, states=(), first=10, after=None
    )
    ((_, enrollment),) = found.items
    return enrollment


def subjects(here: World) -> list[str]:
    return [str(message_from_bytes(mail.raw)["Subject"]) for mail in arrived(here)]


async def come_to_rest(here: World) -> Enrollment:
    """Another worker does what is left."""

    async def rests() -> bool:
        found = await listed(here)
        return found.state is not EnrollmentState.ACTIVE and await nothing_open(here)

    async with fresh_worker(here.runtime.settings):
        await until("the sequence to come to rest", rests, seconds=75)
    return await listed(here)


@on_both(STEPS, "mail.send:after", "outbox.claim:after")
async def test_a_worker_killed_around_a_step_sends_each_step_once(
    here: World, killable_worker: Nursery, step: str
) -> None:
    await enrolled(here)
    killable_worker.start(here.runtime.settings, step)
    assert await killable_worker.killed()
    ended = await come_to_rest(here)
    assert (ended.state, ended.pause) == (EnrollmentState.FINISHED, None)
    assert subjects(here) == SUBJECTS
    assert [mail.state for mail in await stored(here)] == [EmailState.SENT] * 2


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_a_step_of_which_nobody_knows_is_listed_and_not_sent_by_anybody(
    here: World, killable_worker: Nursery
) -> None:
    """Killed at the hand-over, before the provider was called: to the product it may have left."""
    await enrolled(here)
    killable_worker.start(here.runtime.settings, "mail.send:before")
    assert await killable_worker.killed()
    stuck = await come_to_rest(here)
    assert (stuck.state, stuck.pause, stuck.next_step) == (EnrollmentState.PAUSED, PauseReason.UNCERTAIN, 1)
    assert subjects(here) == []
    assert [mail.state for mail in await stored(here)] == [EmailState.UNCERTAIN]
