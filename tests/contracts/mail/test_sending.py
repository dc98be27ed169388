"""Mails leave as their owner's, thread, and leave once (S85, OB-7, IN-4)."""

import pytest

from meetings.application.ports.calendars import ProviderUnavailable
from meetings.application.ports.mail_accounts import MailAccount, MailNotAccepted, MailPerson
from tests.contracts.mail.letters import VERA, a_mail, an_outgoing, message_id
from tests.contracts.mail.world import MailWorld, SeenMail


async def test_a_mail_arrives_as_its_owner_wrote_it(world: MailWorld, mail: MailAccount) -> None:
    outgoing = an_outgoing(world.account)
    sent = await mail.send(outgoing)
    (arrived,) = world.received(VERA.email)
    assert arrived == SeenMail(
        message_id=sent.message_id,
        sender=world.account,
        to=frozenset({VERA.email}),
        subject=outgoing.subject,
        text=outgoing.text,
        html=outgoing.html,
        in_reply_to=None,
        references=(),
    )


async def test_the_answer_tells_the_message_id_that_everybody_sees(world: MailWorld, mail: MailAccount) -> None:
    outgoing = an_outgoing(world.account)
    sent = await mail.send(outgoing)
    assert (sent.message_id == outgoing.message_id) is world.keeps_message_ids
    assert (sent.thread is not None) is world.names_threads


async def test_a_mail_to_a_colleague_is_in_their_mailbox(world: MailWorld, mail: MailAccount) -> None:
    await mail.send(an_outgoing(world.account, MailPerson("Bob", world.colleague)))
    assert [each.sender for each in world.received(world.colleague)] == [world.account]


async def test_a_mail_to_several_people_reaches_each_of_them(world: MailWorld, mail: MailAccount) -> None:
    both = (VERA, MailPerson("Bob, of course", world.colleague))
    await mail.send(an_outgoing(world.account, *both))
    for person in both:
        (arrived,) = world.received(person.email)
        assert arrived.to == {VERA.email, world.colleague}


async def test_a_copy_is_among_the_sent_mails(world: MailWorld, mail: MailAccount) -> None:
    sent = await mail.send(an_outgoing(world.account))
    assert [each.message_id for each in world.sent()] == [sent.message_id]


async def test_an_answer_names_the_conversation(world: MailWorld, mail: MailAccount) -> None:
    first = await mail.send(an_outgoing(world.account, subject="Next steps"))
    reply = message_id()
    world.deliver(a_mail(world.account, id=reply, answers=first.message_id))
    answer = an_outgoing(
        world.account, subject="Re: Next steps", references=(first.message_id, reply), thread=first.thread
    )
    second = await mail.send(answer)
    arrived = world.received(VERA.email)[-1]
    assert (arrived.in_reply_to, arrived.references) == (reply, (first.message_id, reply))
    assert second.thread == first.thread


async def test_a_long_conversation_is_named_whole(world: MailWorld, mail: MailAccount) -> None:
    """Message ids are long, and no line may be longer than 998 (RFC 5322, 2.1.1)."""
    ids = tuple(message_id(f"{'a-long-name.' * 12}example") for _ in range(20))
    await mail.send(an_outgoing(world.account, references=ids))
    (arrived,) = world.received(VERA.email)
    assert (arrived.in_reply_to, arrived.references) == (ids[-1], ids)


async def test_a_mail_of_a_sequence_can_be_unsubscribed_from_with_one_click(
    world: MailWorld, mail: MailAccount
) -> None:
    address = f"https://meetings.example/u/{'a' * 120}"
    await mail.send(an_outgoing(world.account, unsubscribe=address))
    (arrived,) = world.received(VERA.email)
    assert arrived.headers["list-unsubscribe"] == f"<{address}>"
    assert arrived.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    "words",
    [
        "x" * 900,
        "é" * 900,
        "Grüße aus der Straße der Jugend an alle, die länger als eine Zeile lesen mögen",
        "😀" * 200,
        "=?utf-8?q?=0D=0ABcc:_mallory=40evil.example?=",
        "Vera %0d%0aBcc: mallory@evil.example",
    ],
)
async def test_any_words_arrive_as_the_subject_they_are(world: MailWorld, mail: MailAccount, words: str) -> None:
    await mail.send(an_outgoing(world.account, subject=words))
    (arrived,) = world.received(VERA.email)
    assert "".join(arrived.subject.split()) == "".join(words.split())
    assert world.received("mallory@evil.example") == []


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x00", "\x0b", "\x85", "\u2028"])
@pytest.mark.parametrize("where", ["subject", "name", "email", "sender", "message_id", "references", "unsubscribe"])
async def test_nothing_that_would_add_a_header_is_handed_over(
    world: MailWorld, mail: MailAccount, where: str, end: str
) -> None:
    evil = f"{end}Bcc: mallory@evil.example"
    wrong: dict[str, dict[str, object]] = {
        "subject": {"subject": f"Hello{evil}"},
        "name": {"to": (MailPerson(f"Vera{evil}", VERA.email),)},
        "email": {"to": (MailPerson("Vera", f"{VERA.email}{evil}"),)},
        "sender": {"sender": MailPerson(f"Ada{evil}", world.account)},
        "message_id": {"message_id": f"<1@meetings.example>{evil}"},
        "references": {"references": (f"<1@meetings.example>{evil}",)},
        "unsubscribe": {"unsubscribe": f"https://meetings.example/u/1{evil}"},
    }
    before = world.calls()
    with pytest.raises(MailNotAccepted):
        await mail.send(an_outgoing(world.account, **wrong[where]))
    assert (world.calls(), world.sent()) == (before, [])


@pytest.mark.parametrize("address", ["", "vera", "vera@", "@elsewhere.example", "a@b, c@d", "<vera@elsewhere.example>"])
async def test_an_address_that_is_none_is_not_handed_over(world: MailWorld, mail: MailAccount, address: str) -> None:
    before = world.calls()
    with pytest.raises(MailNotAccepted):
        await mail.send(an_outgoing(world.account, MailPerson("Vera", address)))
    assert world.calls() == before


async def test_a_mail_that_is_refused_for_good_is_told_apart_from_one_that_may_have_left(
    world: MailWorld, mail: MailAccount
) -> None:
    world.refuse("gone@elsewhere.example")
    with pytest.raises(MailNotAccepted):
        await mail.send(an_outgoing(world.account, MailPerson("Gone", "gone@elsewhere.example")))
    assert world.sent() == []


async def test_a_mail_whose_answer_was_lost_is_found_and_has_left_once(world: MailWorld, mail: MailAccount) -> None:
    outgoing = an_outgoing(world.account)
    world.lose_answers(1)
    with pytest.raises(ProviderUnavailable):
        await mail.send(outgoing)
    found = await mail.find_sent(outgoing.message_id)
    (arrived,) = world.received(VERA.email)
    assert found is not None
    assert found.message_id == arrived.message_id
    assert (found.thread is not None) is world.names_threads


async def test_twenty_mails_whose_answers_were_lost_are_all_found(world: MailWorld, mail: MailAccount) -> None:
    """OB-7, the quick part: nothing leaves twice when it is looked up first."""
    for _ in range(20):
        outgoing = an_outgoing(world.account)
        world.lose_answers(1)
        with pytest.raises(ProviderUnavailable):
            await mail.send(outgoing)
        if await mail.find_sent(outgoing.message_id) is None:
            await mail.send(outgoing)
    assert len(world.received(VERA.email)) == 20


async def test_a_mail_that_never_left_is_not_found(world: MailWorld, mail: MailAccount) -> None:
    outgoing = an_outgoing(world.account)
    world.fail(times=None)
    with pytest.raises(ProviderUnavailable):
        await mail.send(outgoing)
    world.recover()
    assert await mail.find_sent(outgoing.message_id) is None
    assert world.received(VERA.email) == []
    await mail.send(outgoing)
    assert len(world.received(VERA.email)) == 1


async def test_somebody_elses_mail_is_not_taken_for_ours(world: MailWorld, mail: MailAccount) -> None:
    theirs = message_id()
    world.deliver(a_mail(world.account, id=theirs))
    await mail.send(an_outgoing(world.account))
    assert await mail.find_sent(theirs) is None
    assert await mail.find_sent(message_id("meetings.example")) is None


async def test_a_mail_that_was_sent_is_found_again_later(world: MailWorld, mail: MailAccount) -> None:
    outgoing = an_outgoing(world.account)
    sent = await mail.send(outgoing)
    for _ in range(30):
        await mail.send(an_outgoing(world.account))
    assert await mail.find_sent(outgoing.message_id) == sent
