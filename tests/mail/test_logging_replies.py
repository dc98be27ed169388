"""When a reply is logged, and when nothing is kept of it (S87, A-IN1 to A-IN3): one test per condition."""

from dataclasses import replace

from meetings.application.email_settings import set_email_logging
from meetings.application.people import deactivate_person, reactivate_person
from meetings.application.ports.calendars import ProviderUnavailable
from meetings.application.ports.crm import Crm
from meetings.domain.email import EmailOrigin, EmailState
from meetings.domain.identifiers import MailboxId
from meetings.domain.reply_logging import LoggingRule
from meetings.domain.user import Role
from tests.contracts.mail.letters import a_mail, message_id
from tests.mailed import VERA, Mailed


async def log(anna: Mailed, rule: LoggingRule, *never: str) -> None:
    here = anna.here
    await set_email_logging(rule, never, caller=here.caller, begin=here.tools.begin, clock=here.clock)


async def events(anna: Mailed, *kinds: str) -> list[str]:
    """What the journal has of these kinds, oldest first."""
    reads, account = anna.here.tools.reads, anna.here.anna.account_id
    return [entry.kind for entry in await reads.journal(account, after=0, kinds=kinds, limit=100)]


async def test_a_reply_to_a_mail_sent_from_here_is_logged(anna: Mailed) -> None:
    """S87."""
    email = await anna.send()
    anna.answer(email)
    await anna.read()
    (reply,) = await anna.received()
    assert (reply.origin, reply.state, reply.sender.email) == (EmailOrigin.RECEIVED, EmailState.RECEIVED, VERA)
    assert [entry.subject for entry in await anna.timeline()] == ["Next steps", "Re: Next steps"]
    assert await events(anna, "ReplyReceived") == ["ReplyReceived"]


async def test_a_mail_that_answers_nothing_sent_from_here_is_not_kept(anna: Mailed) -> None:
    """A-IN1: only answers to what was sent from here."""
    await anna.send()
    anna.clock.passes(minutes=1)
    anna.place.deliver(a_mail(anna.place.account, answers=message_id()))
    anna.place.deliver(a_mail(anna.place.account, sender="somebody@nowhere.example", subject="Buy"))
    await anna.read()
    assert await anna.received() == []
    assert len(await anna.timeline()) == 1


async def test_the_same_subject_without_a_reference_is_not_logged(anna: Mailed) -> None:
    """A-IN2."""
    email = await anna.send()
    anna.clock.passes(minutes=1)
    anna.place.deliver(a_mail(anna.place.account, subject=f"Re: {email.content.subject}"))
    await anna.read()
    assert await anna.received() == []


async def test_a_reference_under_another_subject_is_not_logged(anna: Mailed) -> None:
    """A-IN1: same subject."""
    email = await anna.send()
    anna.answer(email, subject="Something else entirely")
    await anna.read()
    assert await anna.received() == []


async def test_what_programs_put_before_a_subject_does_not_matter(ada: Mailed) -> None:
    email = await ada.send()
    ada.answer(email, subject="AW: [EXTERN] RE:  next   steps")
    await ada.read()
    assert len(await ada.received()) == 1


async def test_a_reply_to_a_mail_to_an_address_that_is_never_logged_is_not(anna: Mailed) -> None:
    """A-IN1."""
    await log(anna, LoggingRule.REPLIES_ONLY, VERA)
    email = await anna.send()
    anna.answer(email, sender="Vera <vera@private.example>")
    await anna.read()
    assert await anna.received() == []
    assert len(await anna.timeline()) == 1  # what was sent from here is on record all the same


async def test_a_reply_to_a_mail_to_a_domain_that_is_never_logged_is_not(ada: Mailed) -> None:
    """A-IN1."""
    await log(ada, LoggingRule.REPLIES_ONLY, "Elsewhere.example")
    email = await ada.send()
    ada.answer(email)
    await ada.read()
    assert await ada.received() == []


async def test_a_reply_from_another_address_is_logged_on_the_contact_of_the_conversation(anna: Mailed) -> None:
    """A-IN1: and creates none."""
    email = await anna.send()
    anna.answer(email, sender="Vera at home <vera.private@home.example>")
    await anna.read()
    (reply,) = await anna.received()
    assert (reply.contacts, reply.sender.email) == ((anna.vera.id,), "vera.private@home.example")
    assert await (await anna.crm()).known(["vera.private@home.example"]) == {}


async def test_a_reply_that_came_while_the_mailbox_was_not_connected_is_not_logged(anna: Mailed) -> None:
    """A-IN1."""
    email = await anna.send()
    async with anna.here.tools.begin(anna.here.anna.account_id) as work:
        (await work.mailboxes.get(anna.mailbox.id)).disconnect(now=anna.clock())
        await work.commit()
    await anna.settle_down()
    anna.answer(email)
    anna.clock.passes(minutes=1)
    async with anna.here.tools.begin(anna.here.anna.account_id) as work:
        mailbox = await work.mailboxes.get(anna.mailbox.id)
        mailbox.reconnect(provider=mailbox.provider, consent=mailbox.consent, now=anna.clock())
        await work.commit()
    await anna.settle_down()
    assert await anna.received() == []
    anna.answer(email, text="And once more.")
    await anna.read()
    assert [reply.content.text for reply in await anna.received()] == ["And once more."]


async def test_a_reply_that_came_while_the_person_was_deactivated_is_not_logged(ada: Mailed) -> None:
    """A-IN1."""
    here = ada.here
    boss = await here.add_colleague("Olga", "olga@example.com", Role.OWNER)
    tools = here.tools
    email = await ada.send()
    await deactivate_person(here.anna.id, caller=here.caller_of(boss), begin=tools.begin, clock=here.clock)
    await ada.settle_down()
    ada.answer(email)
    await ada.settle_down()
    ada.clock.passes(minutes=1)
    await reactivate_person(here.anna.id, caller=here.caller_of(boss), begin=tools.begin, clock=here.clock)
    await ada.settle_down()
    assert await ada.received() == []
    ada.answer(email, text="And once more.")
    await ada.read()
    assert [reply.content.text for reply in await ada.received()] == ["And once more."]


async def test_a_mailbox_whose_replies_are_not_to_be_logged_logs_none(ada: Mailed) -> None:
    email = await ada.send()
    async with ada.here.tools.begin(ada.here.anna.account_id) as work:
        (await work.mailboxes.get(ada.mailbox.id)).log_replies = False
        await work.commit()
    ada.answer(email)
    await ada.read()
    assert await ada.received() == []


async def test_other_mail_of_a_contact_is_logged_only_where_the_account_logs_all_mail_with_contacts(
    anna: Mailed,
) -> None:
    """A-IN3: replies only, unless an admin decides otherwise."""
    anna.place.deliver(a_mail(anna.place.account, subject="First question"))
    await anna.read()
    assert await anna.emails() == []
    await log(anna, LoggingRule.KNOWN_CONTACTS)
    anna.clock.passes(minutes=1)
    anna.place.deliver(a_mail(anna.place.account, subject="Second question", text="Are you there?\n"))
    anna.place.deliver(a_mail(anna.place.account, sender="somebody@nowhere.example", subject="Buy"))
    anna.place.send_by_hand(
        a_mail(VERA, sender=f"Ada Lovelace <{anna.place.account}>", subject="By hand", text="I am.\n")
    )
    await anna.read()
    await anna.read()
    logged = {email.content.subject: (email.origin, email.content.text) for email in await anna.emails()}
    assert logged == {
        "Second question": (EmailOrigin.RECEIVED, "Are you there?"),
        "By hand": (EmailOrigin.OTHER_PROGRAM, "I am."),
    }
    assert {entry.subject for entry in await anna.timeline()} == {"Second question", "By hand"}
    assert await events(anna, "ReplyReceived", "MailReceived", "MailSentByPerson") in (
        ["MailReceived", "MailSentByPerson"],
        ["MailSentByPerson", "MailReceived"],
    )


async def test_all_mail_with_contacts_still_leaves_out_what_is_never_logged(ada: Mailed) -> None:
    """A-IN1, A-IN3."""
    await log(ada, LoggingRule.KNOWN_CONTACTS, VERA)
    ada.clock.passes(minutes=1)
    ada.place.deliver(a_mail(ada.place.account, subject="A question"))
    await ada.read()
    assert await ada.emails() == []


async def test_an_automatic_reply_is_logged_and_is_no_answer(anna: Mailed) -> None:
    """A-IN4."""
    email = await anna.send()
    anna.answer(email, text="I am away.", Auto_Submitted="auto-replied")
    await anna.read()
    (reply,) = await anna.received()
    assert (reply.automatic, reply.content.text) == (True, "I am away.")
    assert await events(anna, "ReplyReceived", "AutomaticReplyReceived") == ["AutomaticReplyReceived"]


async def test_a_mail_that_comes_back_is_marked_and_the_report_is_not_kept(anna: Mailed) -> None:
    email = await anna.send()
    anna.clock.passes(minutes=1)
    anna.bounce(email)
    await anna.read()
    await anna.read()
    assert [(each.id, each.state) for each in await anna.emails()] == [(email.id, EmailState.BOUNCED)]
    assert await events(anna, "MailBounced", "ReplyReceived") == ["MailBounced"]


async def test_what_the_person_sends_on_in_a_conversation_with_another_program_is_logged(anna: Mailed) -> None:
    """A-IN1."""
    email = await anna.send()
    answer = anna.answer(email)
    await anna.read()
    anna.clock.passes(minutes=1)
    own = f"Ada Lovelace <{anna.place.account}>"
    by_hand = a_mail(VERA, sender=own, answers=answer, text="Then at nine.\n")
    anna.place.send_by_hand(by_hand)
    anna.place.send_by_hand(a_mail("bob@example.com", sender=own, subject="Fwd: Next steps", answers=answer))
    await anna.read()
    await anna.read()
    assert [(each.origin, each.content.text) for each in (await anna.emails())[1:]] == [
        (EmailOrigin.RECEIVED, "Gladly."),
        (EmailOrigin.OTHER_PROGRAM, "Then at nine."),
    ]
    assert {each.thread_id for each in await anna.emails()} == {email.thread_id}


async def test_a_reply_to_what_was_sent_with_another_program_is_logged_though_both_are_found_at_once(
    anna: Mailed,
) -> None:
    """A-IN1."""
    email = await anna.send()
    answer = anna.answer(email)
    anna.clock.passes(minutes=1)
    own = f"Ada Lovelace <{anna.place.account}>"
    second = message_id("example.com")
    anna.place.send_by_hand(a_mail(VERA, sender=own, answers=answer, id=second, text="Then at nine.\n"))
    anna.clock.passes(minutes=1)
    anna.place.deliver(a_mail(anna.place.account, answers=second, text="See you.\n"))
    await anna.read()
    assert [each.content.text for each in await anna.emails()] == [
        "Shall we meet?\n",
        "Gladly.",
        "Then at nine.",
        "See you.",
    ]


async def test_somebody_who_writes_anew_is_heard_though_nothing_of_the_mail_is_kept(anna: Mailed) -> None:
    """What a sequence to them has to know (A-IN4)."""
    await anna.send()
    anna.clock.passes(minutes=1)
    anna.place.deliver(a_mail(anna.place.account, subject="By the way"))
    await anna.read()
    await anna.read()
    assert await events(anna, "ContactWrote", "ReplyReceived") == ["ContactWrote"]
    assert len(await anna.emails()) == 1


async def test_a_cursor_that_has_expired_loses_nothing_and_doubles_nothing(anna: Mailed) -> None:
    """S87."""
    email = await anna.send()
    anna.answer(email, text="First.")
    await anna.read()
    anna.answer(email, text="Second.")
    anna.place.expire_cursors()
    await anna.read()
    assert [reply.content.text for reply in await anna.received()] == ["First.", "Second."]
    assert len(await anna.timeline()) == 3


async def test_many_mails_come_in_pages_and_only_the_replies_are_kept(anna: Mailed) -> None:
    anna.place.small_pages(3)
    email = await anna.send()
    for number in range(10):
        anna.place.deliver(a_mail(anna.place.account, subject=f"News {number}"))
    anna.answer(email)
    await anna.read()
    assert [reply.content.text for reply in await anna.received()] == ["Gladly."]


async def test_a_server_that_fails_is_asked_again_and_nothing_is_missed(anna: Mailed) -> None:
    email = await anna.send()
    anna.answer(email)
    anna.place.fail(times=1)
    await anna.read()
    await anna.passes(minutes=3)
    await anna.settle_down()
    assert len(await anna.received()) == 1


async def test_a_revoked_grant_is_noted_and_the_mailbox_is_read_no_more(anna: Mailed) -> None:
    anna.place.revoke()
    await anna.read()
    async with anna.here.tools.look(anna.here.anna.account_id) as work:
        assert not (await work.mailboxes.get(anna.mailbox.id)).usable
        assert await work.mail_reading.state(anna.mailbox.id) is None


async def test_records_that_cannot_be_reached_delay_no_mail_and_lose_none(ada: Mailed) -> None:
    """A-CR8, for mails."""

    async def away(_: object) -> Crm:
        raise ProviderUnavailable("away")

    tools = ada.here.tools
    email_id = await ada.queue()
    ada.here.tools = replace(tools, crm_of=away)
    email = await ada.hand_over(email_id)
    assert email.state is EmailState.SENT
    ada.answer(email)
    await ada.read()
    assert len(await ada.received()) == 1
    ada.here.tools = tools
    assert await ada.timeline() == []
    await ada.passes(minutes=11)
    await ada.settle_down()
    assert [entry.subject for entry in await ada.timeline()] == ["Next steps", "Re: Next steps"]


async def test_a_colleague_who_got_the_reply_too_does_not_log_it(ada: Mailed) -> None:
    bob = await ada.here.add_colleague("Bob", "bob@example.com")
    email = await ada.send()
    ada.answer(email)
    other = await ada.connect(user=bob, email="bob@example.com")  # which reads the same mailbox in this test
    await ada.read_once(MailboxId(other.id))
    assert await ada.received() == []
    await ada.read()
    assert [reply.user_id for reply in await ada.received()] == [ada.here.anna.id]
