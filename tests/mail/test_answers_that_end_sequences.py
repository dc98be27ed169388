"""Whoever answers, or writes, gets no more mails of a sequence, also where nothing of theirs is logged (A-IN4)."""

import pytest

from meetings.application.email_settings import set_email_logging
from meetings.domain.enrollment import EnrollmentState
from meetings.domain.period import Period
from meetings.domain.reply_logging import LoggingRule
from meetings.domain.sequence import SequenceStep
from tests.contracts.mail.letters import a_mail
from tests.mail.sequenced import Sequenced
from tests.mailed import VERA, Mailed

PRIVATE = "Vera at home <vera@home.example>"


async def ended_and_nothing_kept(here: Sequenced, ada: Mailed, *, mails_before: int = 1) -> bool:
    """Read the mailbox; whether the sequence has ended. In any case nothing of the mail that came is stored."""
    enrollments = await ada.here.tools.sequence_reads.enrollments(
        ada.here.anna.account_id, user=ada.here.anna.id, sequence=None, contact=None, states=(), first=10, after=None
    )
    await ada.read()
    await ada.read()
    assert (await ada.received(), len(await ada.timeline())) == ([], mails_before)
    ((_, enrollment),) = enrollments.items
    return (await here.enrollment(enrollment.id)).state is EnrollmentState.ENDED_BY_REPLY


@pytest.mark.parametrize("sender", [f"Vera <{VERA}>", PRIVATE])
async def test_an_answer_that_is_never_logged_ends_it(ada: Mailed, sender: str) -> None:
    """A-IN1 is about what is kept."""
    await set_email_logging(
        LoggingRule.REPLIES_ONLY, [VERA], caller=ada.here.caller, begin=ada.here.tools.begin, clock=ada.clock
    )
    here = await Sequenced.begin(ada)
    ada.answer(await here.next_mail(await here.enroll()), sender=sender)
    assert await ended_and_nothing_kept(here, ada)


@pytest.mark.parametrize("sender", [f"Vera <{VERA}>", PRIVATE])
async def test_an_answer_under_another_subject_ends_it(ada: Mailed, sender: str) -> None:
    here = await Sequenced.begin(ada)
    ada.answer(await here.next_mail(await here.enroll()), sender=sender, subject="Something else entirely")
    assert await ended_and_nothing_kept(here, ada)


async def test_an_answer_to_a_mailbox_whose_replies_are_not_logged_ends_it(ada: Mailed) -> None:
    here = await Sequenced.begin(ada)
    first = await here.next_mail(await here.enroll())
    async with ada.here.tools.begin(ada.here.anna.account_id) as work:
        (await work.mailboxes.get(ada.mailbox.id)).log_replies = False
        await work.commit()
    ada.answer(first)
    assert await ended_and_nothing_kept(here, ada)


async def test_a_machine_of_somebody_who_is_never_logged_does_not(ada: Mailed) -> None:
    await set_email_logging(
        LoggingRule.REPLIES_ONLY, [VERA], caller=ada.here.caller, begin=ada.here.tools.begin, clock=ada.clock
    )
    here = await Sequenced.begin(ada)
    ada.answer(await here.next_mail(await here.enroll()), Auto_Submitted="auto-replied")
    assert not await ended_and_nothing_kept(here, ada)


async def test_whoever_writes_before_the_first_mail_gets_none(ada: Mailed) -> None:
    """There is no conversation with them yet."""
    here = await Sequenced.begin(ada, steps=(SequenceStep(Period(days=2), "An introduction", "Hello"),))
    await here.enroll()
    ada.clock.passes(minutes=1)
    ada.place.deliver(a_mail(ada.place.account, subject="By the way"))
    assert await ended_and_nothing_kept(here, ada, mails_before=0)
    await here.wait(days=7)
    assert ada.delivered() == []


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("met_before", [True, False])
async def test_what_was_written_before_somebody_was_enrolled_ends_nothing(
    ada: Mailed, met_before: bool, answers: bool
) -> None:
    """It is read only afterwards."""
    here = await Sequenced.begin(ada)
    earlier = await ada.send() if met_before else None
    ada.clock.passes(minutes=1)
    if earlier is not None and answers:
        ada.answer(earlier)
    else:
        ada.place.deliver(a_mail(ada.place.account, subject="By the way"))
    ada.clock.passes(minutes=1)
    enrollment = await here.enroll()
    await ada.read()
    assert (await here.enrollment(enrollment)).state is EnrollmentState.ACTIVE
    ada.clock.passes(minutes=1)
    ada.place.deliver(a_mail(ada.place.account, subject="By the way"))
    await ada.read()
    assert (await here.enrollment(enrollment)).state is EnrollmentState.ENDED_BY_REPLY
