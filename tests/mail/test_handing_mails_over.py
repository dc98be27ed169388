"""A mail leaves once, whatever happens around its hand-over; nobody is left in doubt (S85, OB-7)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from meetings.application.carry_out import carry_out
from meetings.application.ports.crm import ContactDetails
from meetings.application.ports.outbox import LeaseLost
from meetings.application.repeated_commands import IdempotencyConflict
from meetings.application.send_email import queue_email
from meetings.domain.base import InvalidInput, NotFound
from meetings.domain.email import DailyMailLimit, Email, EmailOrigin, EmailState, EmailText
from meetings.domain.email_thread import EmailThread
from meetings.domain.identifiers import EmailId, EmailThreadId
from meetings.domain.mailbox import InboxNotConnected
from tests.databases import BOTH_DATABASES
from tests.mailed import VERA, Mailed

LINK = "https://meet.example.com/meetings/anna/intro"


async def a_step(anna: Mailed) -> EmailId:
    """A mail of a sequence waits for a worker."""
    async with anna.here.tools.begin(anna.here.anna.account_id) as work:
        thread = EmailThread.begin(
            EmailThreadId(uuid4()),
            account_id=anna.here.anna.account_id,
            mailbox=anna.mailbox,
            contact=anna.vera.id,
            contact_email=VERA,
            subject="Step one",
            now=anna.clock(),
        )
        work.emails.add_thread(thread)
        mailbox = await work.mailboxes.get(anna.mailbox.id)
        text = EmailText("Step one", "Hello\n", "<p>Hello</p>")
        email = queue_email(
            work, thread, mailbox, anna.here.anna, VERA, text, now=anna.clock(), origin=EmailOrigin.SEQUENCE
        )
        await work.commit()
    return email.id


async def until_settled(anna: Mailed, email_id: EmailId) -> Email:
    """Workers try again and again while time goes by."""
    for _ in range(10):
        await anna.passes(minutes=11)
        await anna.settle_down()
    return await anna.email(email_id)


async def test_a_mail_whose_answer_was_lost_is_found_and_not_sent_again(anna: Mailed) -> None:
    anna.place.lose_answers(1)
    email_id = await anna.queue()
    await anna.hand_over(email_id)
    email = await until_settled(anna, email_id)
    assert email.state is EmailState.SENT
    (seen,) = anna.delivered()
    assert seen.message_id == email.known_as
    assert len(await anna.timeline()) == 1


async def test_a_mail_that_a_server_failed_to_take_leaves_once_it_works_again(anna: Mailed) -> None:
    email_id = await anna.queue()
    anna.place.fail(times=None)
    assert (await anna.hand_over(email_id)).state is EmailState.QUEUED
    anna.place.recover()
    assert (await until_settled(anna, email_id)).state is EmailState.SENT
    assert len(anna.delivered()) == 1


async def test_a_mail_that_is_not_seen_yet_is_not_sent_again_before_it_is_proven_absent(anna: Mailed) -> None:
    email_id = await anna.queue()
    async with anna.here.tools.begin(anna.here.anna.account_id) as work:  # as if a worker had died right before it
        (await work.emails.get(email_id)).hand_over(now=anna.clock())
        await work.commit()
    assert (await anna.hand_over(email_id)).state is EmailState.QUEUED
    assert anna.delivered() == []
    assert (await until_settled(anna, email_id)).state is EmailState.SENT
    assert len(anna.delivered()) == 1


async def test_a_step_of_a_sequence_of_which_nobody_knows_is_listed_and_never_sent_again(anna: Mailed) -> None:
    """OB-7."""
    email_id = await a_step(anna)
    async with anna.here.tools.begin(anna.here.anna.account_id) as work:
        (await work.emails.get(email_id)).hand_over(now=anna.clock())
        await work.commit()
    assert (await until_settled(anna, email_id)).state is EmailState.UNCERTAIN
    assert anna.delivered() == []
    listed = await anna.here.tools.email_reads.in_state(
        anna.here.anna.account_id, user=anna.here.anna.id, state=EmailState.UNCERTAIN, first=10, after=None
    )
    assert [email.id for _, email in listed.items] == [email_id]


async def test_a_step_of_a_sequence_that_did_leave_is_found(anna: Mailed) -> None:
    """OB-7."""
    anna.place.lose_answers(1)
    email_id = await a_step(anna)
    await anna.hand_over(email_id)
    assert (await until_settled(anna, email_id)).state is EmailState.SENT
    assert len(anna.delivered()) == 1


async def test_an_address_that_is_refused_for_good_fails_the_mail(anna: Mailed) -> None:
    anna.place.refuse(VERA)
    email = await anna.send()
    await anna.settle_down()
    if email.state is EmailState.SENT:
        pytest.skip("this provider takes every mail, and sends a report back")
    assert email.state is EmailState.FAILED
    assert anna.delivered() == []
    assert await anna.timeline() == []


async def test_a_call_too_many_is_repeated_when_the_provider_says(anna: Mailed) -> None:
    if not anna.place.tells_when:
        pytest.skip("this provider does not say when")
    email_id = await anna.queue()
    anna.place.limit_rate(90)
    email = await anna.hand_over(email_id)
    assert (email.state, email.handed_over_at) == (EmailState.QUEUED, None)
    await anna.settle_down()
    assert anna.delivered() == []
    assert (await until_settled(anna, email_id)).state is EmailState.SENT
    assert len(anna.delivered()) == 1


async def test_a_revoked_grant_holds_the_mail_until_the_person_signs_in_again(anna: Mailed) -> None:
    email_id = await anna.queue()
    anna.place.revoke()
    email = await anna.hand_over(email_id)
    assert (email.state, email.handed_over_at) == (EmailState.QUEUED, None)
    async with anna.here.tools.begin(anna.here.anna.account_id) as work:
        mailbox = await work.mailboxes.get(anna.mailbox.id)
        assert not mailbox.usable
        if not anna.place.renewable:
            return  # the simulator has no second password to sign in with
        mailbox.reconnect(provider=mailbox.provider, consent=mailbox.consent, now=anna.clock())
        await work.commit()
    anna.credentials[anna.mailbox.id] = anna.place.sign_in()
    assert (await until_settled(anna, email_id)).state is EmailState.SENT


async def test_mails_of_a_conversation_thread_and_name_what_they_answer(anna: Mailed) -> None:
    """S85."""
    first = await anna.send()
    answer = anna.answer(first)
    await anna.read()
    anna.clock.passes(minutes=1)
    second = await anna.send("Re: Next steps", "Then at nine.", thread_id=first.thread_id)
    assert second.state is EmailState.SENT
    _, seen = anna.delivered()
    assert (seen.in_reply_to, seen.references) == (answer, (first.known_as, answer))


async def test_mails_of_one_conversation_leave_in_order(ada: Mailed) -> None:
    first = await ada.queue("One")
    thread = (await ada.email(first)).thread_id
    second = await ada.queue("Two", thread_id=thread)
    assert (await ada.hand_over(second)).state is EmailState.QUEUED
    ada.place.fail(times=None)
    await ada.hand_over(first)
    assert (await ada.hand_over(second)).state is EmailState.QUEUED
    ada.place.recover()
    await until_settled(ada, second)
    assert [seen.subject for seen in ada.delivered()] == ["One", "Two"]


async def test_a_worker_that_lost_its_lease_hands_nothing_over(ada: Mailed) -> None:
    email_id = await ada.queue()
    intent = await ada.here.tools.outbox.claim_for("send_email", email_id)
    assert intent
    with pytest.raises(LeaseLost):
        await ada.here.tools.outbox.extend(replace(intent, fence=intent.fence - 1))
    await carry_out(replace(intent, fence=intent.fence - 1), ada.here.tools)
    assert ada.delivered() == []


# ---- what is refused ------------------------------------------------------------------------------------------------


async def test_without_a_mailbox_nothing_is_sent(ada: Mailed) -> None:
    """S85: no inbox."""
    async with ada.here.tools.begin(ada.here.anna.account_id) as work:
        (await work.mailboxes.get(ada.mailbox.id)).disconnect(now=ada.clock())
        await work.commit()
    with pytest.raises(InboxNotConnected):
        await ada.queue()
    assert await ada.emails() == []


async def test_a_mail_that_waited_for_a_mailbox_that_was_disconnected_fails(ada: Mailed) -> None:
    email_id = await ada.queue()
    async with ada.here.tools.begin(ada.here.anna.account_id) as work:
        (await work.mailboxes.get(ada.mailbox.id)).disconnect(now=ada.clock())
        await work.commit()
    assert (await ada.hand_over(email_id)).state is EmailState.FAILED


async def test_a_mailbox_sends_so_many_mails_a_day(ada: Mailed) -> None:
    """S85, S86."""
    tools = ada.here.tools
    ada.here.tools = replace(tools, policy=replace(tools.policy, mails_per_day=2))
    await ada.queue()
    ada.clock.passes(hours=1)
    await ada.queue()
    with pytest.raises(DailyMailLimit) as refused:
        await ada.queue()
    assert refused.value.wait == timedelta(hours=23)
    ada.clock.passes(hours=23, minutes=1)
    await ada.queue()


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_of_mails_written_at_the_same_moment_no_more_than_the_limit_are_taken(ada: Mailed) -> None:
    """S85, S86."""
    tools = ada.here.tools
    ada.here.tools = replace(tools, policy=replace(tools.policy, mails_per_day=3))
    tried = await asyncio.gather(*(ada.queue() for _ in range(12)), return_exceptions=True)
    assert len([each for each in tried if isinstance(each, DailyMailLimit)]) == 9
    assert len(await ada.emails()) == 3


async def test_what_one_mailbox_has_sent_does_not_count_for_another(ada: Mailed) -> None:
    tools = ada.here.tools
    ada.here.tools = replace(tools, policy=replace(tools.policy, mails_per_day=1))
    other = await ada.connect(email="anna.private@example.com")
    await ada.queue(mailbox_id=ada.mailbox.id)
    with pytest.raises(DailyMailLimit):
        await ada.queue(mailbox_id=ada.mailbox.id)
    await ada.queue(mailbox_id=other.id)
    with pytest.raises(DailyMailLimit):
        await ada.queue(mailbox_id=other.id)


async def test_the_same_key_sends_one_mail_and_another_text_under_it_is_refused(ada: Mailed) -> None:
    """S85."""
    key = str(uuid4())
    assert await ada.queue(idempotency_key=key) == await ada.queue(idempotency_key=key)
    with pytest.raises(IdempotencyConflict):
        await ada.queue(body="Something else", idempotency_key=key)
    assert len(await ada.emails()) == 1


async def test_a_contact_a_conversation_and_a_page_have_to_be_there(ada: Mailed) -> None:
    with pytest.raises(NotFound, match="contact"):
        await ada.queue(contact_id="nobody")
    with pytest.raises(NotFound, match="email thread"):
        await ada.queue(thread_id=EmailThreadId(uuid4()))
    with pytest.raises(NotFound, match="page"):
        await ada.queue(include_meeting_link=True)
    with pytest.raises(InvalidInput):
        await ada.queue(subject=" ", body="")
    assert await ada.emails() == []


async def test_the_link_to_the_default_page_stands_where_the_text_has_it_or_at_the_end(ada: Mailed) -> None:
    """S47: a mail keeps the link it was written with."""
    await ada.send("One", "Book here: {{ meeting_link }}. Thanks", link=LINK, include_meeting_link=True)
    await ada.send("Two", "Shall we meet?", link=LINK, include_meeting_link=True)
    one, two = ada.delivered()
    assert one.text.strip() == f"Book here: {LINK}. Thanks"
    assert two.text.strip() == f"Shall we meet?\n\n{LINK}"
    assert f'<a href="{LINK}"' in two.html


async def test_what_is_written_as_html_reaches_nobody_as_html(ada: Mailed) -> None:
    await ada.send("One", "<script>x()</script> [a](javascript:x) ![b](https://elsewhere.example/p.png) **c**")
    (seen,) = ada.delivered()
    assert "<script" not in seen.html
    assert "<img" not in seen.html
    assert 'href="javascript' not in seen.html
    assert "<strong>c</strong>" in seen.html


async def test_an_address_that_changed_on_record_is_written_to_from_then_on(ada: Mailed) -> None:
    first = await ada.send()
    assert (await (await ada.crm()).put_contact(ContactDetails(VERA, company="Strangers"))).id == ada.vera.id
    second = await ada.send("Re: Next steps", "Once more", thread_id=first.thread_id)
    assert second.recipients == (VERA,)
