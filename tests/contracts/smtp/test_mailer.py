"""Handing letters to a server that works, is slow, refuses, vanishes, or is not the one it claims to be."""

import asyncio
import logging
import socket
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meetings.adapters.smtp.mailer import SmtpMailer, SmtpSecurity, SmtpSettings
from meetings.application.ports.mail import MailRefused, MailUnavailable
from meetings.infrastructure.demo.mail_catcher import Answer, Drop, MailCatcher, Misbehaviour, Silence, Step
from tests.contracts.smtp.certificates import ServerIdentity, issue_server_identity
from tests.contracts.smtp.letters import VERA, WRITTEN_AT, a_letter

PASSWORD = "correct-horse-battery"


def settings_for(catcher: MailCatcher, **changes: Any) -> SmtpSettings:
    settings = SmtpSettings(
        host=catcher.host,
        port=catcher.port,
        sender_name="meetings",
        sender_address="no-reply@meetings.test",
        security=SmtpSecurity.NONE,
        timeout_seconds=0.3,
        total_seconds=1,
    )
    return replace(settings, **changes)


def mailer_with(settings: SmtpSettings) -> SmtpMailer:
    return SmtpMailer(settings, now=lambda: WRITTEN_AT)


@pytest.fixture
def hasty(catcher: MailCatcher) -> SmtpMailer:
    """A mailer that waits 0.3 s for an answer and 1 s in all."""
    return mailer_with(settings_for(catcher))


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> ServerIdentity:
    return issue_server_identity(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def guarded(identity: ServerIdentity) -> Iterator[MailCatcher]:
    """A server that insists on STARTTLS and on a password."""
    with MailCatcher(tls=identity.context, login=("meetings", PASSWORD)) as catcher:
        yield catcher


def guarded_settings(guarded: MailCatcher, identity: ServerIdentity, password: str = PASSWORD) -> SmtpSettings:
    return settings_for(
        guarded,
        security=SmtpSecurity.STARTTLS,
        username="meetings",
        password=password,
        authority_file=str(identity.authority_file),
        timeout_seconds=5,
        total_seconds=5,
    )


@pytest.mark.parametrize(
    ("misbehaviour", "error", "words"),
    [
        (Answer(Step.RECIPIENT, "550 5.1.1 No such user here"), MailRefused, "the recipient: 550 5.1.1"),
        (Answer(Step.RECIPIENT, "553 Never heard of vera@visitor.test"), MailRefused, "the recipient: 553"),
        (Answer(Step.CONTENT, "554 5.7.1 Looks like spam"), MailRefused, "the letter: 554 5.7.1"),
        (Answer(Step.CONTENT, "552 5.3.4 Too big"), MailRefused, "the letter: 552 5.3.4"),
        (Answer(Step.SENDER, "550 5.7.1 Not you"), MailRefused, "the letter: 550 5.7.1"),
        (Answer(Step.SENDER, "530 5.7.0 Authentication required"), MailUnavailable, "the letter now: 530 5.7.0"),
        (Answer(Step.SENDER, "421 4.3.2 Closing"), MailUnavailable, "the letter now: 421 4.3.2"),
        (Answer(Step.RECIPIENT, "450 4.2.1 Greylisted"), MailUnavailable, "the recipient now: 450 4.2.1"),
        (Answer(Step.RECIPIENT, "421 Too many mails"), MailUnavailable, "the recipient now: 421"),
        (Answer(Step.CONTENT, "451 4.3.0 Try later"), MailUnavailable, "the letter now: 451 4.3.0"),
        (Drop(Step.SENDER), MailUnavailable, "did not answer"),
        (Drop(Step.RECIPIENT), MailUnavailable, "did not answer"),
        (Drop(Step.CONTENT), MailUnavailable, "did not answer"),
        (Silence(Step.SENDER), MailUnavailable, "did not answer"),
        (Silence(Step.CONTENT), MailUnavailable, "did not answer"),
    ],
)
async def test_what_the_server_says_decides_whether_it_is_worth_another_try(
    hasty: SmtpMailer,
    catcher: MailCatcher,
    misbehaviour: Misbehaviour,
    error: type[Exception],
    words: str,
) -> None:
    catcher.misbehave(misbehaviour)
    with pytest.raises((MailUnavailable, MailRefused)) as caught:
        await hasty.send(a_letter())
    assert type(caught.value) is error
    assert words in str(caught.value)
    assert catcher.mails == ()
    await hasty.send(a_letter())
    assert len(catcher.mails) == 1


async def test_an_error_repeats_no_word_of_the_server_and_no_address(hasty: SmtpMailer, catcher: MailCatcher) -> None:
    """TP-6: what a server answers may hold the address, and a line break for the log."""
    catcher.misbehave(Answer(Step.RECIPIENT, "550 5.1.1 <vera@visitor.test> is unknown"))
    with pytest.raises(MailRefused) as caught:
        await hasty.send(a_letter())
    assert "visitor" not in "".join(traceback.format_exception(caught.value))


async def test_an_answer_lost_after_the_letter_was_taken_means_the_same_letter_again(
    hasty: SmtpMailer, catcher: MailCatcher
) -> None:
    """OB-7: at least once, and recognisable by Message-ID, UID and SEQUENCE."""
    catcher.misbehave(Drop(Step.CONTENT, kept=True))
    with pytest.raises(MailUnavailable):
        await hasty.send(a_letter())
    await hasty.send(a_letter())
    first, second = catcher.mails
    assert first.message["Message-ID"] == second.message["Message-ID"] == "<booking-1.0@meetings.test>"
    assert first.calendar == second.calendar
    assert (first.subject, first.text) == (second.subject, second.text)


@pytest.mark.parametrize("goodbye", [Drop(Step.GOODBYE), Answer(Step.GOODBYE, "500 What?"), Silence(Step.GOODBYE)])
async def test_a_letter_that_was_taken_is_sent_however_the_connection_ends(
    hasty: SmtpMailer, catcher: MailCatcher, goodbye: Misbehaviour
) -> None:
    catcher.misbehave(goodbye)
    await hasty.send(a_letter())
    assert len(catcher.mails) == 1


async def test_a_server_that_never_greets_costs_no_more_than_the_limit(catcher: MailCatcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mailer = mailer_with(settings_for(catcher, port=mute.getsockname()[1]))
        began = time.monotonic()
        with pytest.raises(MailUnavailable, match="no usable connection to the mail server"):
            await mailer.send(a_letter())
        assert time.monotonic() - began < 1


async def test_a_server_that_is_always_just_in_time_is_cut_off_by_the_total_limit(catcher: MailCatcher) -> None:
    async def dawdle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while await reader.readline():
            await asyncio.sleep(0.15)
            writer.write(b"250 ok\r\n")

    server = await asyncio.start_server(dawdle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        mailer = mailer_with(settings_for(catcher, port=port, timeout_seconds=0.3, total_seconds=0.35))
        began = time.monotonic()
        with pytest.raises(MailUnavailable, match="took too long"):
            await mailer.send(a_letter())
        assert time.monotonic() - began < 1


async def test_nobody_listening_is_worth_another_try(catcher: MailCatcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as briefly:
        port = briefly.getsockname()[1]
    with pytest.raises(MailUnavailable):
        await mailer_with(settings_for(catcher, port=port)).send(a_letter())


async def test_something_that_is_no_mail_server_is_worth_another_try(catcher: MailCatcher) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(MailUnavailable):
            await mailer_with(settings_for(catcher, port=port)).send(a_letter())


async def test_twenty_letters_at_once_all_arrive(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    letters = [a_letter(message_id=f"<parallel-{number}@meetings.test>") for number in range(20)]
    await asyncio.gather(*map(mailer.send, letters))
    assert {mail.message["Message-ID"] for mail in catcher.mails} == {letter.message_id for letter in letters}


async def test_an_international_domain_goes_out_in_its_ascii_form(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    await mailer.send(a_letter(to=replace(VERA, email="vera@straße.example")))
    (mail,) = catcher.mails
    assert mail.recipients == ("vera@xn--strae-oqa.example",)
    assert mail.message["To"].addresses[0].addr_spec == "vera@xn--strae-oqa.example"


async def test_an_international_mailbox_is_reached_where_the_server_can(
    mailer: SmtpMailer, catcher: MailCatcher
) -> None:
    await mailer.send(a_letter(to=replace(VERA, email="véra@visitor.example")))
    assert catcher.mails[0].recipients == ("véra@visitor.example",)


async def test_starttls_and_a_password_lead_in(guarded: MailCatcher, identity: ServerIdentity) -> None:
    guarded.clear()
    await mailer_with(guarded_settings(guarded, identity)).send(a_letter())
    assert [mail.recipients for mail in guarded.mails] == [("vera@visitor.test",)]


async def test_tls_from_the_first_byte_leads_in(identity: ServerIdentity) -> None:
    with MailCatcher(tls=identity.context, implicit_tls=True) as catcher:
        settings = settings_for(
            catcher,
            security=SmtpSecurity.TLS,
            authority_file=str(identity.authority_file),
            timeout_seconds=5,
            total_seconds=5,
        )
        await mailer_with(settings).send(a_letter())
        assert len(catcher.mails) == 1


async def test_a_wrong_password_keeps_the_letter_and_shows_itself_nowhere(
    guarded: MailCatcher, identity: ServerIdentity, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator can mend it, so the letter waits. aiosmtpd's own log is the server's side."""
    guarded.clear()
    secret = "wrong-horse-battery"
    settings = guarded_settings(guarded, identity, password=secret)
    mailer = mailer_with(settings)
    with caplog.at_level(logging.DEBUG), pytest.raises(MailUnavailable, match="turned us away: 535") as caught:
        await mailer.send(a_letter())
    said = "".join(traceback.format_exception(caught.value)) + repr(settings) + str(settings) + repr(mailer)
    said += "".join(record.getMessage() for record in caplog.records if not record.name.startswith("mail."))
    assert secret not in said
    assert guarded.mails == ()


async def test_a_server_whose_certificate_nobody_vouches_for_gets_neither_password_nor_letter(
    guarded: MailCatcher, identity: ServerIdentity
) -> None:
    guarded.clear()
    settings = replace(guarded_settings(guarded, identity), authority_file=None)
    with pytest.raises(MailUnavailable, match="no usable connection"):
        await mailer_with(settings).send(a_letter())
    assert guarded.mails == ()


async def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    elsewhere = issue_server_identity(tmp_path, address="127.0.0.2")
    with MailCatcher(tls=elsewhere.context) as catcher:
        settings = settings_for(
            catcher,
            security=SmtpSecurity.STARTTLS,
            authority_file=str(elsewhere.authority_file),
            timeout_seconds=5,
            total_seconds=5,
        )
        with pytest.raises(MailUnavailable, match="no usable connection"):
            await mailer_with(settings).send(a_letter())
        assert catcher.mails == ()


async def test_a_server_that_offers_no_starttls_gets_nothing_in_the_clear(catcher: MailCatcher) -> None:
    """As when somebody in between strips the offer."""
    settings = settings_for(catcher, security=SmtpSecurity.STARTTLS, username="meetings", password=PASSWORD)
    with pytest.raises(MailUnavailable, match="no usable connection"):
        await mailer_with(settings).send(a_letter())
    assert catcher.mails == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"host": ""},
        {"port": 0},
        {"port": 65536},
        {"timeout_seconds": 0},
        {"total_seconds": -1},
        {"username": "meetings", "security": SmtpSecurity.TLS},
        {"password": PASSWORD, "security": SmtpSecurity.TLS},
        {"username": "meetings", "password": PASSWORD, "security": SmtpSecurity.NONE},
        {"sender_address": "nobody"},
        {"sender_address": "no-reply@meetings.test\r\nBcc: x@evil.example"},
        {"sender_name": "meetings\r\nBcc: x@evil.example"},
    ],
)
def test_settings_that_cannot_work_or_would_leak_the_password_are_refused(
    catcher: MailCatcher, changes: dict[str, object]
) -> None:
    with pytest.raises(ValueError) as caught:
        settings_for(catcher, **changes)
    assert PASSWORD not in str(caught.value)


def test_a_private_server_may_send_as_a_local_name(catcher: MailCatcher) -> None:
    assert settings_for(catcher, sender_address="meetings@localhost").sender_address == "meetings@localhost"


def test_a_taken_port_is_an_error_of_the_catcher(catcher: MailCatcher) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        MailCatcher(catcher.port).start()


async def test_waiting_for_a_mail_ends_when_it_comes_or_when_time_is_up(
    mailer: SmtpMailer, catcher: MailCatcher
) -> None:
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(
            asyncio.to_thread(catcher.wait_for, lambda mail: "Confirmed" in mail.subject, seconds=5)
        )
        await mailer.send(a_letter())
    assert waiting.result().recipients == ("vera@visitor.test",)
    with pytest.raises(TimeoutError, match="Confirmed: Intro call"):
        catcher.wait_for(lambda mail: "Cancelled" in mail.subject, seconds=0.01)
