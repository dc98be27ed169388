"""Connecting with an address and a password (S38, S83, RFC 6186, IN-1, OA-9)."""

import asyncio
import logging
import ssl
from dataclasses import replace
from typing import Any

import pytest
import trustme

from meetings.application.ports.calendars import (
    LoginProblem,
    LoginRefused,
    MailboxCredentials,
    ProviderUnavailable,
    RateLimited,
)
from meetings.application.ports.mail_accounts import ImapCredentials, OpenedMailbox, ServerAddress
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.contracts.calendars.world import HeldCredentials
from tests.contracts.imap.imap_server import ImapServer
from tests.contracts.mail.following import Follower
from tests.contracts.mail.imap_world import ADA, HOST, PASSWORD, ImapMailWorld
from tests.contracts.mail.letters import VERA, an_outgoing


def _typed(world: ImapMailWorld, **other: Any) -> ImapCredentials:
    given = ImapCredentials(
        ADA,
        PASSWORD,
        imap=ServerAddress(HOST, world.imap.port),
        smtp=ServerAddress(HOST, world.smtp.port),
    )
    return replace(given, **other)


async def _connect(world: ImapMailWorld, **other: Any) -> OpenedMailbox:
    login = world.offer.login
    assert login is not None
    opened: OpenedMailbox = await login.connect(_typed(world, **other))
    return opened


async def _refused(world: ImapMailWorld, **other: Any) -> LoginRefused:
    with pytest.raises(LoginRefused) as refused:
        await _connect(world, **other)
    return refused.value


async def test_connecting_gives_credentials_that_read_and_send(world: ImapMailWorld) -> None:
    opened = await _connect(world)
    assert (opened.email, opened.server_version) == (ADA, "IMAP4REV1")
    assert opened.server_url == f"imaps://{HOST}:{world.imap.port}"
    mail = world.offer.mail(HeldCredentials(opened.credentials))
    await Follower(mail).follow()
    await mail.send(an_outgoing(ADA))
    assert len(world.received(VERA.email)) == 1


async def test_connecting_sends_and_writes_nothing(world: ImapMailWorld) -> None:
    await _connect(world)
    assert world.smtp.mails == ()
    assert world.sent() == []


async def test_servers_are_found_by_the_records_of_the_domain(world: ImapMailWorld) -> None:
    world.names.set_services("_imaps._tcp.example.com", f"0 1 {world.imap.port} {HOST}.")
    world.names.set_services("_submissions._tcp.example.com", f"0 1 {world.smtp.port} {HOST}.")
    opened = await _connect(world, imap=None, smtp=None)
    assert opened.server_url == f"imaps://{HOST}:{world.imap.port}"


async def test_without_records_the_server_has_to_be_typed_in(world: ImapMailWorld) -> None:
    refused = await _refused(world, imap=None, smtp=None)
    assert refused.problem is LoginProblem.URL_REQUIRED
    assert world.imap.connections == 0


async def test_a_server_outside_the_domain_is_only_suggested(world: ImapMailWorld) -> None:
    """Records can be forged on their way, and the password would follow them (RFC 6186, 6)."""
    world.names.set_services("_imaps._tcp.example.com", "0 1 993 imap.evil.example.")
    refused = await _refused(world, imap=None, smtp=None)
    assert (refused.problem, refused.suggestion) == (LoginProblem.URL_REQUIRED, "imap.evil.example")


async def test_nobody_who_knows_the_records_is_worth_another_try(world: ImapMailWorld) -> None:
    world.names.failing = True
    with pytest.raises(ProviderUnavailable):
        await _connect(world, imap=None, smtp=None)


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@example.com", "ada@..", "ada@" + "x" * 300])
async def test_an_address_that_is_none_has_no_server(world: ImapMailWorld, email: str) -> None:
    with pytest.raises((LoginRefused, ProviderUnavailable)):
        await _connect(world, email=email, imap=None, smtp=None)
    assert world.imap.connections == 0


async def test_a_wrong_password_is_tried_once(world: ImapMailWorld) -> None:
    refused = await _refused(world, password="wrong")
    assert refused.problem is LoginProblem.CREDENTIALS_REJECTED
    assert world.imap.connections == 1


async def test_a_user_name_is_taken_instead_of_the_address(world: ImapMailWorld) -> None:
    world.imap.set_password("ada-l", PASSWORD)
    refused = await _refused(world, username="ada-l")  # the server for sending knows only the address
    assert refused.problem is LoginProblem.CREDENTIALS_REJECTED
    assert world.imap.connections == 1


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("NO [AUTHENTICATIONFAILED] Invalid credentials", LoginProblem.CREDENTIALS_REJECTED),
        ("NO [ALERT] Application-specific password required", LoginProblem.APP_PASSWORD_REQUIRED),
        ("NO Login failed", LoginProblem.CREDENTIALS_REJECTED),
    ],
)
async def test_each_way_to_say_no_is_understood(world: ImapMailWorld, answer: str, problem: LoginProblem) -> None:
    world.imap.refusing.append(answer)
    assert (await _refused(world)).problem is problem


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        ("NO [LIMIT] Too many", RateLimited),
        ("NO [INUSE] Somebody else", RateLimited),
        ("NO Too many login failures, try again later", RateLimited),
        ("NO [UNAVAILABLE] The directory is away", ProviderUnavailable),
    ],
)
async def test_a_server_that_cannot_tell_now_is_worth_another_try(
    world: ImapMailWorld, answer: str, meaning: type[Exception]
) -> None:
    world.imap.refusing.append(answer)
    with pytest.raises(meaning):
        await _connect(world)


async def test_a_server_that_is_not_public_is_not_called(world: ImapMailWorld) -> None:
    strict = world.offer_with(private_networks=())
    with pytest.raises(LoginRefused) as refused:
        await strict.login.connect(_typed(world))
    assert refused.value.problem in (LoginProblem.ADDRESS_FORBIDDEN, LoginProblem.URL_INVALID)
    assert world.imap.connections == 0


@pytest.mark.parametrize("port", [25, 80, 443, 636, 110])
async def test_a_port_that_is_not_for_mail_is_not_called(world: ImapMailWorld, port: int) -> None:
    refused = await _refused(world, imap=ServerAddress(HOST, port))
    assert refused.problem in (LoginProblem.ADDRESS_FORBIDDEN, LoginProblem.URL_INVALID)


async def test_a_server_for_sending_that_may_not_be_called_is_refused_too(world: ImapMailWorld) -> None:
    refused = await _refused(world, smtp=ServerAddress(HOST, 25))
    assert refused.problem in (LoginProblem.ADDRESS_FORBIDDEN, LoginProblem.URL_INVALID)


async def test_nobody_at_the_port_is_told(world: ImapMailWorld) -> None:
    with MailCatcher() as gone:
        port = gone.port
    assert (await _refused(world, imap=ServerAddress(HOST, port))).problem is LoginProblem.UNREACHABLE
    assert (await _refused(world, smtp=ServerAddress(HOST, port))).problem is LoginProblem.UNREACHABLE


async def test_a_certificate_of_nobody_we_know_gets_no_password(world: ImapMailWorld) -> None:
    stranger, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stranger.issue_cert(HOST).configure_cert(tls)
    with ImapServer(world.clock, tls).serve() as imap, MailCatcher(tls=tls, implicit_tls=True) as smtp:
        for wrong in ({"imap": ServerAddress(HOST, imap.port)}, {"smtp": ServerAddress(HOST, smtp.port)}):
            assert (await _refused(world, **wrong)).problem is LoginProblem.CERTIFICATE_INVALID


async def test_a_server_without_tls_gets_no_password(world: ImapMailWorld) -> None:
    with ImapServer(world.clock, None).serve() as imap:
        for starttls in (False, True):
            with pytest.raises((LoginRefused, ProviderUnavailable)):
                await _connect(world, imap=ServerAddress(HOST, imap.port, starttls))


async def test_starttls_protects_as_well(world: ImapMailWorld) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(tls)
    with authority.cert_pem.tempfile() as ca_file:
        offer = world.offer_with(ca_file=ca_file)
        smtp = MailCatcher(tls=tls, login=(ADA, PASSWORD))
        with ImapServer(world.clock, tls, starttls=True).serve() as imap, smtp:
            imap.set_password(ADA, PASSWORD)
            opened = await offer.login.connect(
                _typed(
                    world,
                    imap=ServerAddress(HOST, imap.port, starttls=True),
                    smtp=ServerAddress(HOST, smtp.port, starttls=True),
                )
            )
            assert opened.server_url.startswith("imap://")
            await offer.mail(HeldCredentials(opened.credentials)).send(an_outgoing(ADA))
            assert len(smtp.mails) == 1
            assert imap.folders(ADA) == ["INBOX", "Sent"]


async def test_starttls_with_a_certificate_of_nobody_we_know_gets_no_password(world: ImapMailWorld) -> None:
    stranger, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stranger.issue_cert(HOST).configure_cert(tls)
    with ImapServer(world.clock, tls, starttls=True).serve() as imap:
        refused = await _refused(world, imap=ServerAddress(HOST, imap.port, starttls=True))
    assert refused.problem is LoginProblem.CERTIFICATE_INVALID


async def test_what_is_typed_in_for_exchange_is_not_enough(world: ImapMailWorld) -> None:
    with pytest.raises(LoginRefused) as refused:
        await world.offer.login.connect(MailboxCredentials(ADA, PASSWORD))
    assert refused.value.problem is LoginProblem.URL_REQUIRED


async def test_the_password_is_in_no_log_and_no_error(world: ImapMailWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    opened = await _connect(world)
    refused = await _refused(world, password=f"{PASSWORD}-wrong")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("pymap", "mail.log"))]
    told = "".join(ours) + repr(refused) + repr(opened) + repr(_typed(world)) + repr(world.access())
    assert PASSWORD not in told


async def test_a_server_that_says_nothing_is_given_up_in_time(world: ImapMailWorld) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    offer = world.offer_with(total_seconds=0.4)
    begun = asyncio.get_running_loop().time()
    async with server:
        for wrong in ({"imap": ServerAddress(HOST, port)}, {"smtp": ServerAddress(HOST, port)}):
            with pytest.raises((LoginRefused, ProviderUnavailable)):
                await offer.login.connect(_typed(world, **wrong))
    assert asyncio.get_running_loop().time() - begun < 5
