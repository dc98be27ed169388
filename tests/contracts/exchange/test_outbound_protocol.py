"""exchangelib over guarded HTTP: nothing of it goes anywhere else, and its parser sees only what was checked."""

import ssl
import time

import pytest
from exchangelib import BASIC, Account, Build, Configuration, Credentials, Version
from exchangelib.errors import ErrorTimeoutExpired, TransportError, UnauthorizedError
from exchangelib.protocol import Protocol
from exchangelib.services import GetServerTimeZones

from meetings.adapters.exchange.guarded_http import AnswerRefused, CallRefused, Limits, refusal_behind
from meetings.adapters.exchange.guarded_protocol import EwsSession, MarkupRefused, guarded_account
from meetings.application.outbound import OutboundGuard
from tests.contracts.exchange.https_server import Answering, Asked, Authority, Server, answering, https_server

HOST = "mail.example.com"
FAULT = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
    b"<faultstring>no</faultstring></s:Fault></s:Body></s:Envelope>"
)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def account_at(server: Server, authority: Authority, *, answer: str = "127.0.0.1", password: str = "secret") -> Account:
    guard = OutboundGuard([f"127.0.0.1:{server.port}"], resolver=lambda host, port: [answer])
    config = Configuration(
        service_endpoint=f"https://{HOST}:{server.port}/EWS/Exchange.asmx",
        credentials=Credentials("CORP\\ada", password),
        auth_type=BASIC,
        version=Version(build=Build(15, 1, 2507, 0)),
    )
    limits = Limits(connect_seconds=1, total_seconds=1)
    return guarded_account(
        "ada@example.com", config, lambda: EwsSession(guard, limits=limits, ca_certificates=authority.pem)
    )


def ask(account: Account) -> None:
    list(GetServerTimeZones(protocol=account.protocol).call(timezones=None))


def refusal_of(authority: Authority, answer: Answering, expected: type[Exception] = ErrorTimeoutExpired) -> Exception:
    with https_server(authority.server(HOST), answer) as server, pytest.raises(expected) as failed:
        ask(account_at(server, authority))
    return failed.value


def test_a_call_of_the_library_goes_through_the_guard(authority: Authority) -> None:
    with https_server(authority.server(HOST), answering(FAULT, status="500 Internal Server Error")) as server:
        with pytest.raises(Exception, match="no"):
            ask(account_at(server, authority))
        assert server.server_names == [HOST]
        assert server.asked[0].headers["authorization"].startswith("Basic ")


def test_an_account_makes_no_call_and_leaves_nothing_behind(authority: Authority) -> None:
    with https_server(authority.server(HOST), answering()) as server:
        before = dict(Protocol._protocol_cache)
        one, other = account_at(server, authority), account_at(server, authority)
        assert Protocol._protocol_cache == before
        assert one.protocol is not other.protocol
        assert server.connections == 0


def test_a_forbidden_server_is_refused_before_the_password_is_sent(authority: Authority) -> None:
    with https_server(authority.server(HOST), answering()) as server:
        with pytest.raises(ErrorTimeoutExpired) as failed:
            ask(account_at(server, authority, answer="127.0.0.2"))
        assert isinstance(refusal_behind(failed.value), CallRefused)
        assert server.connections == 0


def test_a_bomb_does_not_reach_the_parser(authority: Authority) -> None:
    bomb = b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"
    for status in ("200 OK", "500 Internal Server Error"):
        refused = refusal_behind(refusal_of(authority, answering(bomb, status=status)))
        assert isinstance(refused, MarkupRefused)
        assert refused.response is not None
        assert refused.response.content == bomb


def test_a_page_to_log_in_is_told_from_an_answer(authority: Authority) -> None:
    page = answering(b"<!DOCTYPE html><html></html>", headers=("Content-Type: text/html",))
    refused = refusal_behind(refusal_of(authority, page))
    assert isinstance(refused, MarkupRefused)
    assert refused.response is not None
    assert refused.response.headers["content-type"] == "text/html"


def test_a_password_that_is_refused_stays_the_librarys_own_error(authority: Authority) -> None:
    refusal_of(authority, answering(b"", status="401 Unauthorized"), UnauthorizedError)


def test_a_server_nobody_vouches_for_stays_the_librarys_own_error(authority: Authority) -> None:
    refusal_of_tls = Authority()
    with (
        https_server(refusal_of_tls.server(HOST), answering()) as server,
        pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        ask(account_at(server, authority))


def test_an_endless_answer_ends_in_time(authority: Authority) -> None:
    def endless(connection: ssl.SSLSocket, asked: Asked) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1\r\n<\r\n")
            time.sleep(0.05)

    started = time.monotonic()
    refusal_of(authority, endless)
    assert time.monotonic() - started < 4


def test_a_huge_answer_is_told_from_a_slow_one(authority: Authority) -> None:
    def huge(connection: ssl.SSLSocket, asked: Asked) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
        while True:
            connection.sendall(b"x" * 2**20)

    assert isinstance(refusal_behind(refusal_of(authority, huge)), AnswerRefused)


def test_no_error_of_a_refused_call_holds_the_password(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with (
        https_server(authority.server(HOST), answering(b"<!DOCTYPE a><a/>")) as server,
        pytest.raises(ErrorTimeoutExpired) as failed,
    ):
        ask(account_at(server, authority, password="Sesame-1234"))
    assert "Sesame-1234" not in caplog.text + repr(failed.value) + str(failed.value)
