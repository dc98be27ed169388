"""What only IMAP and SMTP servers do: copies, folders, greedy answers, refusals (RT-3, OB-7)."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from meetings.adapters.imap.refusals import refused_command, refused_login, refused_mail
from meetings.adapters.imap.wire import Listed, MailId, Place, cursor_of, places_in, seen, sent_folder, watched_folders
from meetings.application.ports.calendars import (
    CursorExpired,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.application.ports.mail_accounts import MailAccount, MailNotAccepted, ServerAddress
from meetings.infrastructure.demo.mail_catcher import Answer, Drop, Step
from tests.contracts.calendars.world import HeldCredentials
from tests.contracts.mail.following import Follower
from tests.contracts.mail.imap_world import ADA, HOST, ImapMailWorld
from tests.contracts.mail.letters import VERA, a_mail, an_outgoing, message_id


async def test_a_mail_that_the_server_refuses_leaves_no_copy(world: ImapMailWorld, mail: MailAccount) -> None:
    world.smtp.misbehave(Answer(Step.CONTENT, "554 5.7.1 Looks like junk"))
    outgoing = an_outgoing(ADA)
    with pytest.raises(MailNotAccepted):
        await mail.send(outgoing)
    assert world.sent() == []
    assert await mail.find_sent(outgoing.message_id) is None


async def test_a_mail_that_is_refused_for_now_leaves_no_copy_and_may_be_sent_again(
    world: ImapMailWorld, mail: MailAccount
) -> None:
    world.smtp.misbehave(Answer(Step.CONTENT, "451 4.3.0 Try again later"))
    outgoing = an_outgoing(ADA)
    with pytest.raises(RateLimited):
        await mail.send(outgoing)
    assert await mail.find_sent(outgoing.message_id) is None
    await mail.send(outgoing)
    assert len(world.sent()) == 1


async def test_a_mail_that_broke_off_counts_as_one_that_left(world: ImapMailWorld, mail: MailAccount) -> None:
    """Nobody can tell; none may leave twice."""
    world.smtp.misbehave(Drop(Step.CONTENT, kept=False))
    outgoing = an_outgoing(ADA)
    with pytest.raises(ProviderUnavailable):
        await mail.send(outgoing)
    assert await mail.find_sent(outgoing.message_id) is not None


async def test_a_mail_that_broke_off_before_its_content_has_not_left(world: ImapMailWorld, mail: MailAccount) -> None:
    world.smtp.misbehave(Drop(Step.RECIPIENT))
    outgoing = an_outgoing(ADA)
    with pytest.raises(ProviderUnavailable):
        await mail.send(outgoing)
    assert await mail.find_sent(outgoing.message_id) is None


async def test_without_a_copy_the_mail_does_not_leave(world: ImapMailWorld, mail: MailAccount) -> None:
    world.imap.dropping = None
    with pytest.raises(ProviderUnavailable):
        await mail.send(an_outgoing(ADA))
    assert world.smtp.mails == ()


async def test_the_servers_words_are_in_no_error(world: ImapMailWorld, mail: MailAccount) -> None:
    world.smtp.misbehave(Answer(Step.RECIPIENT, f"550 5.1.1 <{VERA.email}> who is that"))
    with pytest.raises(MailNotAccepted) as refused:
        await mail.send(an_outgoing(ADA))
    assert VERA.email not in str(refused.value)


async def test_what_a_rule_sorts_into_another_folder_is_found(world: ImapMailWorld, mail: MailAccount) -> None:
    world.imap.add_folder(ADA, "Customers/Vera")
    follower = Follower(mail)
    await follower.follow()
    world.imap.append(ADA, "Customers/Vera", a_mail(ADA, id=(id := message_id())))
    (told,) = await follower.follow()
    assert (told.message_id, told.outgoing) == (id, False)
    assert await mail.read(told.mail_id) is not None


async def test_a_folder_that_was_made_since_is_followed_from_then_on(world: ImapMailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.imap.add_folder(ADA, "Later")
    world.imap.append(ADA, "Later", a_mail(ADA, subject="Moved here, and old"))
    assert await follower.follow() == []
    world.imap.append(ADA, "Later", a_mail(ADA, id=(id := message_id())))
    assert [each.message_id for each in await follower.follow()] == [id]


async def test_folders_without_news_are_not_looked_into(world: ImapMailWorld, mail: MailAccount) -> None:
    for number in range(20):
        world.imap.add_folder(ADA, f"Folder {number}")
    follower = Follower(mail)
    await follower.follow()
    before = world.calls()
    assert await follower.follow() == []
    assert world.calls() == before + 1


async def test_mails_marked_as_deleted_are_left_out(world: ImapMailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.imap.append(ADA, "INBOX", a_mail(ADA), b"\\Deleted")
    world.imap.append(ADA, "INBOX", a_mail(ADA), b"\\Draft")
    world.imap.append(ADA, "INBOX", a_mail(ADA, id=(kept := message_id())), b"\\Seen")
    assert [each.message_id for each in await follower.follow()] == [kept]


async def test_reading_marks_nothing_as_read(world: ImapMailWorld, mail: MailAccount) -> None:
    """A second program still sees the mail as new: nothing but PEEK is used, in folders opened for reading."""
    follower = Follower(mail)
    await follower.follow()
    world.deliver(a_mail(ADA))
    (told,) = await follower.follow()
    before = world.imap.flags(ADA, "INBOX")
    assert await mail.read(told.mail_id) is not None
    assert world.imap.flags(ADA, "INBOX") == before == [frozenset()]


async def test_a_name_of_a_mail_that_is_not_ours_is_nobodys(mail: MailAccount) -> None:
    for name in ("", "nonsense", "1:2", "1:2:", "1:x:INBOX", "1:2:INBOX", "1:2:Private"):
        assert await mail.read(name) is None


async def _hostile(answers: list[bytes], world: ImapMailWorld) -> str | None:
    """Follow a mailbox on a server that gives these answers to whatever it is asked; gives the cursor."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(tls)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"* OK ready\r\n")
            for said in answers:
                line = await reader.readline()
                writer.write(said.replace(b"TAG", line.split(b" ")[0]))
                await writer.drain()
            await reader.read()
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    address = ServerAddress(HOST, server.sockets[0].getsockname()[1])
    with authority.cert_pem.tempfile() as ca_file:
        offer = world.offer_with(ca_file=str(Path(ca_file)), total_seconds=2.0)
        access = world.access()
        text = type(access)(ADA, ADA, "password", address, access.smtp).to_text()
        async with server:
            follower = Follower(offer.mail(HeldCredentials(text)))
            await follower.follow()
            return follower.cursor


_READY = [b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n", b"TAG OK done\r\n"]
HOSTILE = {
    "a literal without an end": [*_READY, b"* LIST () \"/\" {99999999999}\r\n"],
    "a literal of a negative size": [*_READY, b"* LIST () \"/\" {-5}\r\nTAG OK done\r\n"],
    "a line without an end": [*_READY, b"* " + b"x" * 3_000_000],
    "nothing but noise": [*_READY, b"\x00\xff\r\n" * 1000],
    "a goodbye": [*_READY, b"* BYE not today\r\n"],
    "no uids": [*_READY, b"* LIST () \"/\" INBOX\r\nTAG OK done\r\n", b"* 1 EXISTS\r\nTAG OK done\r\n"],
    "silence": [*_READY, b""],
    "a tag of its own": [*_READY, b"* OK\r\nx9 OK\r\n"],
    "not IMAP": [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
}  # fmt: skip


async def test_a_folder_that_may_not_be_read_does_not_keep_the_others_from_being_read(world: ImapMailWorld) -> None:
    cursor = await _hostile(
        [
            *_READY,
            b'* LIST () "/" INBOX\r\n* LIST () "/" Shared\r\n* LIST () "/" Work\r\nTAG OK done\r\n',
            b"* STATUS INBOX (UIDNEXT 5 UIDVALIDITY 1)\r\nTAG OK done\r\n",
            b"TAG NO [NOPERM] not yours\r\n",
            b"* STATUS Work (UIDNEXT 7 UIDVALIDITY 2)\r\nTAG OK done\r\n",
        ],
        world,
    )
    assert places_in(str(cursor)) == {"INBOX": Place(1, 5), "Work": Place(2, 7)}


async def test_an_inbox_that_may_not_be_read_is_a_failure(world: ImapMailWorld) -> None:
    with pytest.raises(ProviderUnavailable):
        await _hostile([*_READY, b'* LIST () "/" INBOX\r\nTAG OK done\r\n', b"TAG NO [SERVERBUG] oops\r\n"], world)


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_server_that_makes_no_sense_ends_in_time(world: ImapMailWorld, kind: str) -> None:
    begun = asyncio.get_running_loop().time()
    with pytest.raises(ProviderUnavailable):
        await _hostile(HOSTILE[kind], world)
    assert asyncio.get_running_loop().time() - begun < 6


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("[AUTHENTICATIONFAILED] Too many words", ReauthorizationNeeded),
        ("[EXPIRED] Your password", ReauthorizationNeeded),
        ("[LIMIT] x", RateLimited),
        ("[UNAVAILABLE] x", ProviderUnavailable),
        ("no", ReauthorizationNeeded),
        ("Too many simultaneous connections", RateLimited),
    ],
)
def test_what_a_refused_login_means(words: str, meaning: type[Exception]) -> None:
    assert type(refused_login(words)) is meaning


def test_what_a_refused_command_means() -> None:
    assert type(refused_command("select failed: [THROTTLED] wait")) is RateLimited
    assert type(refused_command("append failed: [OVERQUOTA] full")) is ProviderUnavailable
    assert type(refused_command("[AUTHENTICATIONFAILED] bye")) is ReauthorizationNeeded


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (535, ReauthorizationNeeded),
        (530, ProviderUnavailable),
        (534, ProviderUnavailable),
        (550, MailNotAccepted),
        (552, MailNotAccepted),
        (554, MailNotAccepted),
        (421, RateLimited),
        (450, RateLimited),
        (452, RateLimited),
        (454, RateLimited),
        (499, ProviderUnavailable),
        (354, ProviderUnavailable),
    ],
)
def test_what_a_reply_code_means(status: int, meaning: type[Exception]) -> None:
    assert type(refused_mail("mail", status)) is meaning


def test_the_folder_for_sent_mails_is_the_one_that_says_so() -> None:
    folders: list[Listed] = [((b"\\HasNoChildren",), b"/", "Sent"), ((b"\\Sent",), b"/", "Odeslané")]
    assert sent_folder(folders) == "Odeslané"
    assert sent_folder(folders[:1]) == "Sent"
    assert sent_folder([((), b".", "INBOX.Sent"), ((), b".", "INBOX.Sent Items")]) == "INBOX.Sent"
    assert sent_folder([((), b"/", "Gesendete Objekte"), ((), b"/", "Work")]) == "Gesendete Objekte"
    assert sent_folder([((), b"/", "Work")]) is None


def test_folders_that_hold_no_mail_of_people_are_left_out() -> None:
    folders: list[Listed] = [
        ((), b"/", "INBOX"),
        ((), b".", "INBOX.Junk E-Mail"),
        ((b"\\Noselect",), b"/", "[Gmail]"),
        ((b"\\All",), b"/", "[Gmail]/Everything"),
        ((b"\\Trash",), b"/", "Koš"),
        ((), b"/", "Entwürfe"),
        ((), b"/", "Work"),
        ((), None, "Sent"),
    ]
    assert watched_folders(folders, "INBOX") == ["INBOX", "Sent", "Work"]


def test_a_cursor_is_read_as_it_was_written() -> None:
    places = {"INBOX": Place(7, 100), "Odeslané": Place(8, 1)}
    assert places_in(cursor_of(places)) == places


@given(st.text())
def test_any_other_text_is_an_expired_cursor(text: str) -> None:
    try:
        places_in(text)
    except CursorExpired:
        return
    raise AssertionError(text)


@given(st.text())
def test_any_text_is_the_name_of_a_mail_or_of_none(text: str) -> None:
    name = MailId.from_text(text)
    assert name is None or MailId.from_text(name.to_text()) == name


@given(st.dictionaries(st.integers(1, 9), st.dictionaries(st.binary(max_size=9), st.binary(max_size=99))))
def test_whatever_a_server_tells_of_mails_is_read(answer: dict[int, dict[bytes, bytes]]) -> None:
    assert [each.uid for each in seen(answer)] == sorted(answer)
