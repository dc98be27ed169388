"""What came and went is found, and nothing else of the mailbox (S87, A-IN1, A-IN2, SY-6)."""

import pytest

from meetings.application.ports.calendars import ProviderUnavailable
from meetings.application.ports.mail_accounts import CursorExpired, MailAccount, conversation
from tests.contracts.mail.following import Follower
from tests.contracts.mail.letters import VERA, a_bounce, a_mail, an_outgoing, message_id
from tests.contracts.mail.world import Folder, MailWorld


async def test_following_begins_now_and_tells_nothing_of_before(world: MailWorld, mail: MailAccount) -> None:
    world.deliver(a_mail(world.account, subject="Private, and old"))
    follower = Follower(mail)
    assert await follower.follow() == []
    assert await follower.follow() == []


async def test_a_reply_is_told_with_the_mail_it_answers(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    sent = await mail.send(an_outgoing(world.account, subject="Next steps"))
    reply = message_id()
    world.deliver(a_mail(world.account, id=reply, answers=sent.message_id, subject="Re: Next – steps"))
    await follower.follow()
    told = follower.seen[reply]
    assert (told.sender.email, told.sender.name) == (VERA.email, "Vera Stranger")
    assert (told.subject, told.in_reply_to, told.references) == (
        "Re: Next – steps",
        sent.message_id,
        (sent.message_id,),
    )
    assert world.account in told.recipients
    assert conversation(told) == (sent.message_id,)
    assert (told.outgoing, told.automatic, told.bounce) == (False, False, False)
    assert told.at.tzinfo is not None


async def test_a_reply_is_in_the_thread_of_what_it_answers(world: MailWorld, mail: MailAccount) -> None:
    if not world.names_threads:
        pytest.skip("the provider has no names for conversations")
    follower = Follower(mail)
    await follower.follow()
    sent = await mail.send(an_outgoing(world.account, subject="Next steps"))
    reply = message_id()
    world.deliver(a_mail(world.account, id=reply, answers=sent.message_id, subject="Re: Next steps"))
    await follower.follow()
    assert follower.seen[reply].thread == sent.thread


async def test_our_own_mails_are_told_as_outgoing_and_only_once(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    sent = await mail.send(an_outgoing(world.account))
    told = await follower.follow()
    assert [(each.message_id, each.outgoing) for each in told] == [(sent.message_id, True)]
    assert await follower.follow() == []


async def test_what_the_owner_sends_from_elsewhere_is_outgoing(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.send_by_hand(a_mail(VERA.email, sender=world.account, id=(id := message_id())))
    await follower.follow()
    assert follower.seen[id].outgoing
    assert follower.seen[id].recipients == (VERA.email,)


async def test_somebody_who_writes_in_the_owners_name_has_not_sent_it(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.deliver(a_mail(world.account, sender=world.account, id=(id := message_id())))
    await follower.follow()
    assert not follower.seen[id].outgoing


@pytest.mark.parametrize("folder", [Folder.DRAFTS, Folder.JUNK, Folder.DELETED])
async def test_drafts_junk_and_deleted_mails_are_left_out(world: MailWorld, mail: MailAccount, folder: Folder) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.deliver(a_mail(world.account, subject="Left out"), folder)
    world.deliver(a_mail(world.account, id=(kept := message_id())))
    await follower.follow()
    assert set(follower.seen) == {kept}
    world.expire_cursors()
    follower.cursor = "spoilt"
    await follower.follow()
    assert set(follower.seen) == {kept}


AUTOMATIC = {
    "Auto-Submitted": "auto-replied",
    "X-Autoreply": "yes",
    "Precedence": "bulk",
    "List-Id": "<announcements.elsewhere.example>",
}


@pytest.mark.parametrize("header", AUTOMATIC)
async def test_an_answering_machine_is_told_apart(world: MailWorld, mail: MailAccount, header: str) -> None:
    follower = Follower(mail)
    await follower.follow()
    raw = a_mail(world.account, id=(id := message_id()), subject="Out of office")
    world.deliver(f"{header}: {AUTOMATIC[header]}\r\n".encode() + raw)
    await follower.follow()
    assert (follower.seen[id].automatic, follower.seen[id].bounce) == (True, False)


async def test_a_person_whose_program_says_so_is_no_machine(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.deliver(a_mail(world.account, id=(id := message_id()), Auto_Submitted="no", Precedence="normal"))
    await follower.follow()
    assert not follower.seen[id].automatic


async def test_a_bounce_names_the_mail_that_did_not_arrive(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    sent = await mail.send(an_outgoing(world.account))
    world.deliver(a_bounce(world.account, sent.message_id))
    (told,) = [each for each in await follower.follow() if not each.outgoing]
    assert told.bounce
    assert sent.message_id in conversation(told)


async def test_a_delay_is_no_bounce(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    sent = await mail.send(an_outgoing(world.account))
    world.deliver(a_bounce(world.account, sent.message_id, action="delayed"))
    (told,) = [each for each in await follower.follow() if not each.outgoing]
    assert (told.bounce, told.automatic) == (False, True)


async def test_pages_tell_everything_and_only_the_last_has_a_cursor(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    ids = [message_id() for _ in range(23)]
    for id in ids:
        world.deliver(a_mail(world.account, id=id))
    world.small_pages(5)
    await follower.follow()
    assert set(follower.seen) == set(ids)
    assert await follower.follow() == []


async def test_a_mail_that_comes_while_news_are_read_is_not_missed(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    ids = [message_id() for _ in range(6)]
    for id in ids:
        world.deliver(a_mail(world.account, id=id))
    world.small_pages(2)

    def meanwhile() -> None:
        ids.append(message_id())
        world.deliver(a_mail(world.account, id=ids[-1]))

    world.during_news(meanwhile)
    await follower.follow()
    await follower.follow()
    assert set(follower.seen) == set(ids)
    assert len(ids) == 7


async def test_a_mail_that_comes_while_following_begins_is_not_missed(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    world.during_news(lambda: world.deliver(a_mail(world.account, id="<early@elsewhere.example>")))
    await follower.follow()
    await follower.follow()
    assert set(follower.seen) <= {"<early@elsewhere.example>"}
    world.deliver(a_mail(world.account, id=(id := message_id())))
    await follower.follow()
    assert id in follower.seen


async def test_a_read_that_breaks_off_is_repeated_from_the_same_cursor(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    for _ in range(6):
        world.deliver(a_mail(world.account))
    world.small_pages(2)
    world.fail()
    with pytest.raises(ProviderUnavailable):
        await follower.follow()
    world.recover()
    assert len(await follower.follow()) == 6


async def test_an_expired_cursor_says_so_and_reading_since_misses_nothing(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.deliver(a_mail(world.account, id=(first := message_id())))
    sent = await mail.send(an_outgoing(world.account))
    world.expire_cursors()
    with pytest.raises(CursorExpired):
        [page async for page in mail.news(follower.cursor)]
    world.small_pages(1)
    await follower.follow()
    assert {first, sent.message_id} <= set(follower.seen)
    world.deliver(a_mail(world.account, id=(second := message_id())))
    await follower.follow()
    assert (second in follower.seen, follower.began_anew) == (True, 1)


@pytest.mark.parametrize("cursor", ["", "nonsense", "1:nonsense", "é"])
async def test_a_cursor_that_is_not_ours_is_expired(world: MailWorld, mail: MailAccount, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        [page async for page in mail.news(cursor)]


async def test_a_mail_that_is_gone_before_it_is_told_is_left_out(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.deliver(a_mail(world.account, id=(gone := message_id())))
    world.deliver(a_mail(world.account, id=(kept := message_id())))
    world.erase(gone)
    await follower.follow()
    assert set(follower.seen) == {kept}


GARBAGE = {
    "no message id": b"From: vera@elsewhere.example\r\nSubject: Hello\r\n\r\nHello\r\n",
    "bytes of another charset": b"From: V\xe9ra <vera@elsewhere.example>\r\nSubject: Gr\xfc\xdfe\r\n\r\nHello\r\n",
    "a charset that nobody knows": b"Subject: =?klingon?q?nuqneH?=\r\n\r\nHello\r\n",
    "nobody wrote it": b"Subject: Hello\r\n\r\nHello\r\n",
    "a sender who is none": b"From: @@@ <<>>, ;;\r\nTo: undisclosed-recipients:;\r\n\r\nHello\r\n",
    "references that are none": b"In-Reply-To: your mail of yesterday\r\nReferences: <a <b> c@d> \x00\r\n\r\nHello\r\n",
    "very long headers": b"Subject: " + b"x" * 50_000 + b"\r\nReferences: " + b"<a@b> " * 5_000 + b"\r\n\r\nHello\r\n",
    "an unfinished multipart": b'Content-Type: multipart/mixed; boundary="never"\r\n\r\nHello\r\n',
    "a report without a report": b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\nHello\r\n",
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_garbage_stops_nobody(world: MailWorld, mail: MailAccount, kind: str) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.deliver(GARBAGE[kind])
    world.deliver(a_mail(world.account, id=(id := message_id())))
    told = await follower.follow()
    assert id in follower.seen
    for each in told:
        body = await mail.read(each.mail_id)
        assert body is None or len(body.text) <= 100_000
