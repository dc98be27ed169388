"""Sequences of mails: they leave one after the other in business hours, once each, until something ends them (S86)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from meetings.application.carry_out import carry_out
from meetings.application.create_engagement import CreateEngagement, create_engagement
from meetings.application.email_settings import set_email_logging
from meetings.application.sequences import cancel_enrollment, enroll, pause_enrollment, resume_enrollment
from meetings.application.unsubscribing import unsubscribe, unsubscription_of
from meetings.domain.base import InvalidInput, NotFound
from meetings.domain.email import EmailOrigin, EmailState
from meetings.domain.engagement import MeetingText
from meetings.domain.enrollment import EnrollmentState, PauseReason, Unsubscribed
from meetings.domain.identifiers import EnrollmentId
from meetings.domain.mailbox import InboxNotConnected
from meetings.domain.period import Period
from meetings.domain.reply_logging import LoggingRule
from meetings.domain.sequence import SequenceStep
from tests.builders import weekday_hours
from tests.contracts.mail.letters import a_mail
from tests.mail.sequenced import MONDAY_MORNING, STEPS, Sequenced
from tests.mailed import VERA, Mailed


async def test_steps_leave_one_after_the_other_in_one_conversation(anna: Mailed) -> None:
    """S86."""
    here = await Sequenced.begin(anna)
    enrollment = await here.enroll()
    first = await here.next_mail(enrollment)
    second = await here.next_mail(enrollment)
    third = await here.next_mail(enrollment)
    mails = (first, second, third)
    assert [mail.content.subject for mail in mails] == [step.subject for step in STEPS]
    assert [mail.failure for mail in mails] == [None] * 3
    assert {(mail.state, mail.origin) for mail in mails} == {(EmailState.SENT, EmailOrigin.SEQUENCE)}
    assert len({mail.thread_id for mail in mails}) == 1
    assert "Hello from Anna Albers." in first.content.text
    seen = anna.delivered()
    assert [mail.subject for mail in seen] == [step.subject for step in STEPS]
    await here.wait(minutes=1)
    ended = await here.enrollment(enrollment)
    assert (ended.state, ended.next_send_at) == (EnrollmentState.FINISHED, None)
    assert len(await anna.timeline()) == 3


async def test_each_step_waits_for_its_delay_and_for_business_hours(ada: Mailed) -> None:
    """S86."""
    here = await Sequenced.begin(
        ada,
        steps=(
            STEPS[0],
            SequenceStep(Period(days=4), "Still there?", "Hello?"),
            replace(STEPS[2], delay=Period(days=1)),
        ),
    )
    enrollment = await here.enroll()
    assert (await here.enrollment(enrollment)).next_send_at == MONDAY_MORNING
    await here.next_mail(enrollment)
    friday = (await here.enrollment(enrollment)).next_send_at
    assert friday is not None
    assert friday - MONDAY_MORNING >= timedelta(days=4)
    await here.next_mail(enrollment)
    after_the_weekend = (await here.enrollment(enrollment)).next_send_at
    assert after_the_weekend is not None
    local = after_the_weekend.astimezone(ZoneInfo("Europe/Berlin"))
    assert (local.weekday(), local.hour, local.minute) == (0, 9, 0)


async def test_a_worker_that_comes_at_night_waits_for_the_morning(ada: Mailed) -> None:
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    await here.wait(hours=12)
    assert ada.delivered() == []
    due = (await here.enrollment(enrollment)).next_send_at
    assert due is not None
    assert (due - MONDAY_MORNING).days == 0
    assert due.date() == (MONDAY_MORNING + timedelta(days=1)).date()
    assert (await here.next_mail(enrollment)).state is EmailState.SENT


async def test_business_hours_are_those_the_sender_set_in_their_own_zone(ada: Mailed) -> None:
    """Noon to one in New York is evening in Berlin."""
    here = await Sequenced.begin(ada)
    async with ada.here.tools.begin(ada.here.anna.account_id) as work:
        anna = await work.users.get(ada.here.anna.id)
        hours = weekday_hours("America/New_York", start=12 * 60, end=13 * 60)
        anna.change_settings(
            replace(anna.settings, time_zone="America/New_York", working_hours=hours), now=ada.clock.now
        )
        await work.commit()
    enrollment = await here.enroll()
    due = (await here.enrollment(enrollment)).next_send_at
    assert due is not None
    local = due.astimezone(ZoneInfo("America/New_York"))
    assert (local.date(), local.hour, local.minute) == (MONDAY_MORNING.date(), 12, 0)
    await here.wait(hours=1)
    assert ada.delivered() == []
    assert (await here.next_mail(enrollment)).state is EmailState.SENT


async def test_a_reply_ends_it(anna: Mailed) -> None:
    """A-IN4."""
    here = await Sequenced.begin(anna)
    enrollment = await here.enroll()
    first = await here.next_mail(enrollment)
    anna.answer(first)
    await anna.read()
    ended = await here.enrollment(enrollment)
    assert (ended.state, ended.next_send_at) == (EnrollmentState.ENDED_BY_REPLY, None)
    await here.wait(days=10)
    assert len(anna.delivered()) == 1


async def test_a_reply_from_another_address_ends_it(ada: Mailed) -> None:
    """A-IN4: also from an alias."""
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    ada.answer(await here.next_mail(enrollment), sender="Vera <vera@private.example>")
    await ada.read()
    assert (await here.enrollment(enrollment)).state is EnrollmentState.ENDED_BY_REPLY


async def test_an_automatic_reply_does_not_end_it(anna: Mailed) -> None:
    """A-IN4: somebody who is away has not answered."""
    here = await Sequenced.begin(anna)
    enrollment = await here.enroll()
    anna.answer(await here.next_mail(enrollment), Auto_Submitted="auto-replied")
    await anna.read()
    assert (await here.enrollment(enrollment)).state is EnrollmentState.ACTIVE
    assert (await here.next_mail(enrollment)).state is EmailState.SENT


async def test_any_other_mail_of_the_contact_to_the_enroller_ends_it(ada: Mailed) -> None:
    """A-IN4, also where mails that answer nothing are not logged."""
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    await here.next_mail(enrollment)
    ada.clock.passes(minutes=1)
    ada.place.deliver(a_mail(ada.place.account, subject="Something else"))
    await ada.read()
    assert (await here.enrollment(enrollment)).state is EnrollmentState.ENDED_BY_REPLY
    assert await ada.received() == []


@pytest.mark.parametrize("by_company", [True, False])
async def test_a_colleague_of_the_contact_ends_it_where_the_sequence_says_so(ada: Mailed, by_company: bool) -> None:
    """A-IN4: optional."""
    here = await Sequenced.begin(ada, ends_by_company=by_company)
    colleague = await ada.contact("willi@elsewhere.example")
    earlier = await ada.send(contact_id=colleague.id)
    enrollment = await here.enroll()
    await here.next_mail(enrollment)
    ada.answer(earlier, sender="Willi <willi@elsewhere.example>")
    await ada.read()
    ended = EnrollmentState.ENDED_BY_REPLY if by_company else EnrollmentState.ACTIVE
    assert (await here.enrollment(enrollment)).state is ended


async def test_a_bounce_ends_it(anna: Mailed) -> None:
    """A-IN4."""
    here = await Sequenced.begin(anna)
    enrollment = await here.enroll()
    anna.clock.passes(minutes=1)
    anna.bounce(await here.next_mail(enrollment))
    await anna.read()
    assert (await here.enrollment(enrollment)).state is EnrollmentState.ENDED_BY_BOUNCE


async def test_unsubscribing_ends_all_of_them_and_keeps_the_contact_out(ada: Mailed) -> None:
    """A-IN4, RFC 8058."""
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    mail = await here.next_mail(enrollment)
    assert mail.unsubscribe is not None
    assert mail.unsubscribe in mail.content.text
    links = ada.here.tools.links
    who = unsubscription_of(mail.unsubscribe.rpartition("/")[2], links.tokens)
    assert who is not None
    for _ in range(2):
        await unsubscribe(who, begin=ada.here.tools.begin, clock=ada.clock)
    assert (await here.enrollment(enrollment)).state is EnrollmentState.ENDED_BY_UNSUBSCRIBE
    with pytest.raises(Unsubscribed):
        await here.enroll()
    assert unsubscription_of("nonsense", links.tokens) is None


async def test_a_meeting_with_the_enroller_on_the_record_ends_it_and_one_with_a_colleague_does_not(ada: Mailed) -> None:
    """A-IN4."""
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    ben = await ada.here.add_colleague("Ben", "ben@example.com")
    for owner, state in ((ben, EnrollmentState.ACTIVE), (ada.here.anna, EnrollmentState.ENDED_BY_BOOKING)):
        start = ada.clock.now + timedelta(days=1)
        await create_engagement(
            CreateEngagement(ada.vera.id, (), MeetingText("Lunch"), start, start + timedelta(hours=1)),
            caller=ada.here.caller_of(owner),
            begin=ada.here.tools.begin,
            crm_of=ada.here.tools.crm_of,
            clock=ada.clock,
        )
        await ada.here.carry_out_due()
        assert (await here.enrollment(enrollment)).state is state


async def test_enrolling_twice_is_enrolling_once(ada: Mailed) -> None:
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    assert await here.enroll() == enrollment
    await here.next_mail(enrollment)
    assert await here.enroll() == enrollment
    await here.wait(hours=1)
    assert len(ada.delivered()) == 1


async def test_strangers_and_people_without_a_mailbox_are_refused(ada: Mailed) -> None:
    here = await Sequenced.begin(ada)
    with pytest.raises(InvalidInput) as refused:
        await here.enroll(ada.vera, replace(ada.vera, id="nobody"))
    assert [problem.path for problem in refused.value.problems] == [("contactIds", "1")]
    async with ada.here.tools.begin(ada.here.anna.account_id) as work:
        (await work.mailboxes.get(ada.mailbox.id)).disconnect(now=ada.clock())
        await work.commit()
    with pytest.raises(InboxNotConnected):
        await here.enroll()


async def test_paused_nothing_leaves_and_resumed_it_goes_on(ada: Mailed) -> None:
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    await here.next_mail(enrollment)
    told: dict[str, Any] = {"caller": ada.here.caller, "begin": ada.here.tools.begin, "clock": ada.clock}
    for _ in range(2):
        await pause_enrollment(enrollment, **told)
    await here.wait(days=7)
    assert len(ada.delivered()) == 1
    for _ in range(2):
        await resume_enrollment(enrollment, send_again=False, **told)
    assert (await here.next_mail(enrollment)).content.subject == STEPS[1].subject
    for _ in range(2):
        await cancel_enrollment(enrollment, **told)
    await here.wait(days=7)
    assert len(ada.delivered()) == 2
    assert (await here.enrollment(enrollment)).state is EnrollmentState.CANCELLED


async def test_a_step_nobody_knows_the_fate_of_is_never_sent_again_by_itself(anna: Mailed) -> None:
    """OB-7: its owner may, knowingly."""
    here = await Sequenced.begin(anna)
    enrollment = await here.enroll()
    await anna.passes(seconds=0)
    intent = await anna.here.tools.outbox.claim_for("send_step", enrollment)
    assert intent is not None
    await carry_out(intent, anna.here.tools)
    (mail,) = await anna.emails()
    async with anna.here.tools.begin(anna.here.anna.account_id) as work:  # as if a worker had died right before it
        (await work.emails.get(mail.id)).hand_over(now=anna.clock())
        await work.commit()
    for _ in range(6):
        await here.wait(minutes=11)
    stuck = await here.enrollment(enrollment)
    assert (await anna.email(mail.id)).state is EmailState.UNCERTAIN
    assert (stuck.state, stuck.pause) == (EnrollmentState.PAUSED, PauseReason.UNCERTAIN)
    assert anna.delivered() == []
    told: dict[str, Any] = {"caller": anna.here.caller, "begin": anna.here.tools.begin, "clock": anna.clock}
    await resume_enrollment(enrollment, send_again=True, **told)
    again = await here.next_mail(enrollment)
    assert (again.state, again.content.subject) == (EmailState.SENT, STEPS[0].subject)
    assert len(anna.delivered()) == 1


async def test_a_worker_that_dies_around_a_step_sends_it_at_most_once(ada: Mailed) -> None:
    """OB-7: the step and its mail are one commit, however often the same intent is carried out."""
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    await ada.passes(seconds=0)
    intent = await ada.here.tools.outbox.claim_for("send_step", enrollment)
    assert intent is not None
    await carry_out(intent, ada.here.tools)
    await carry_out(intent, ada.here.tools)  # as another worker would, whose lease had run out
    await here.wait(minutes=5)
    assert len(ada.delivered()) == 1


async def test_a_mailbox_that_sent_enough_today_goes_on_tomorrow(ada: Mailed) -> None:
    """S86: so many a day per mailbox."""
    here = await Sequenced.begin(ada)
    ada.here.tools = replace(ada.here.tools, policy=replace(ada.here.tools.policy, mails_per_day=1))
    willi = await ada.contact("willi@elsewhere.example")
    enrollment = await here.enroll()
    late = await here.enroll(willi)
    await here.wait(minutes=1)
    assert sorted(email.recipients for email in await ada.emails()) == [(VERA,)]
    due = (await here.enrollment(late)).next_send_at
    assert due is not None
    assert due - MONDAY_MORNING >= timedelta(hours=24)
    assert (await here.enrollment(enrollment)).next_step == 1


async def test_without_a_mailbox_it_waits_for_its_owner(ada: Mailed) -> None:
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    async with ada.here.tools.begin(ada.here.anna.account_id) as work:
        (await work.mailboxes.get(ada.mailbox.id)).lose_grant(now=ada.clock())
        await work.commit()
    await here.wait(minutes=1)
    waiting = await here.enrollment(enrollment)
    assert (waiting.state, waiting.pause) == (EnrollmentState.PAUSED, PauseReason.NO_MAILBOX)


async def test_a_contact_that_is_not_on_record_any_more_is_sent_nothing(ada: Mailed) -> None:
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    await (await ada.crm()).erase(VERA)
    await here.wait(minutes=1)
    assert (await here.enrollment(enrollment)).state is EnrollmentState.CANCELLED
    assert ada.delivered() == []


async def test_somebody_elses_enrolment_cannot_be_touched(ada: Mailed) -> None:
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    ben = await ada.here.add_colleague("Ben", "ben@example.com")
    told: dict[str, Any] = {"caller": ada.here.caller_of(ben), "begin": ada.here.tools.begin, "clock": ada.clock}
    for which in (enrollment, EnrollmentId(uuid4())):
        with pytest.raises(NotFound):
            await cancel_enrollment(which, **told)
    with pytest.raises(NotFound):
        await enroll(
            here.sequence,
            [ada.vera.id],
            **told,
            look=ada.here.tools.look,
            crm_of=ada.here.tools.crm_of,
            policy=ada.here.tools.policy,
        )


async def test_all_mail_of_the_contact_ends_it_where_all_mail_is_logged(ada: Mailed) -> None:
    """A-IN3."""
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    await here.next_mail(enrollment)
    await set_email_logging(
        LoggingRule.KNOWN_CONTACTS, (), caller=ada.here.caller, begin=ada.here.tools.begin, clock=ada.clock
    )
    ada.clock.passes(minutes=1)
    ada.place.deliver(a_mail(ada.place.account, subject="Something else"))
    await ada.read()
    assert (await here.enrollment(enrollment)).state is EnrollmentState.ENDED_BY_REPLY
