"""Guarded HTTP: it goes where the guard lets it, ends in time, and believes nobody without a certificate.

IN-1, IN-2, RT-3, OA-9, S80.
"""

import gzip
import itertools
import os
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from meetings.adapters.exchange.dialling import Egress
from meetings.adapters.exchange.guarded_http import (
    AnswerRefused,
    CallRefused,
    GuardedSession,
    Limits,
    hop,
    refusal_behind,
)
from meetings.application.outbound import Objection, OutboundGuard
from tests.contracts.exchange.connect_proxy import connect_proxy
from tests.contracts.exchange.https_server import Asked, Authority, Server, answering, https_server

HOST = "mail.example.com"
SHORT = Limits(connect_seconds=0.6, total_seconds=0.6)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with https_server(authority.server(HOST), answering()) as running:
        yield running


def open_guard(server: Server, *answers: str) -> OutboundGuard:
    """One that finds `HOST` on this machine and lets calls to the server through."""
    return OutboundGuard([f"{HOST}:{server.port}"], resolver=lambda host, port: answers or ["127.0.0.1"])


def session_to(server: Server, authority: Authority, **named: Any) -> GuardedSession:
    return GuardedSession(open_guard(server), **{"ca_certificates": authority.pem} | named)


def url(server: Server, path: str = "/EWS/Exchange.asmx", host: str = HOST) -> str:
    return f"https://{host}:{server.port}{path}"


# ---- where a call goes ---------------------------------------------------------------------------------------------


def test_the_checked_address_is_called_under_the_name_of_the_host(server: Server, authority: Authority) -> None:
    with session_to(server, authority) as session:
        answer = session.post(url(server), data=b"<ask/>", headers={"Content-Type": "text/xml"})
    assert (answer.status_code, answer.content) == (200, b"<ok/>")
    assert server.server_names == [HOST]
    assert [(asked.headers["host"], asked.body) for asked in server.asked] == [(f"{HOST}:{server.port}", b"<ask/>")]


def test_one_connection_serves_many_calls_and_looks_its_host_up_once(server: Server, authority: Authority) -> None:
    looked_up: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    guard = OutboundGuard([f"{HOST}:{server.port}"], resolver=resolver)
    with GuardedSession(guard, ca_certificates=authority.pem) as session:
        for _ in range(5):
            assert session.get(url(server)).content == b"<ok/>"
    assert (looked_up, server.connections, len(server.asked)) == ([HOST], 1, 5)


def test_a_forbidden_answer_is_refused_before_anything_is_sent(server: Server, authority: Authority) -> None:
    guard = OutboundGuard([f"127.0.0.2:{server.port}"], resolver=lambda host, port: ["127.0.0.1"])
    with GuardedSession(guard, ca_certificates=authority.pem) as session, pytest.raises(CallRefused) as refused:
        session.get(url(server))
    assert refused.value.refused.objection is Objection.NOT_PUBLIC
    assert server.connections == 0


@pytest.mark.parametrize(
    ("address", "objection"),
    [
        ("http://mail.example.com/", Objection.NOT_HTTPS),
        ("https://user:secret@mail.example.com/", Objection.CREDENTIALS),
        ("https://mail.example.com:25/", Objection.PORT),
        ("https://127.0.0.1/", Objection.NOT_PUBLIC),
        ("https://[::ffff:169.254.169.254]/", Objection.NOT_PUBLIC),
    ],
)
def test_an_address_the_guard_refuses_is_not_looked_up(address: str, objection: Objection) -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise AssertionError("a name was looked up")

    request = requests.Request("GET", "https://mail.example.com/").prepare()
    request.url = address
    with GuardedSession(OutboundGuard(resolver=resolver)) as session, pytest.raises(CallRefused) as refused:
        session.send(request)
    assert refused.value.refused.objection is objection


def test_a_rebinding_name_server_leads_to_no_forbidden_connection_in_a_thousand_tries() -> None:
    """Each answer may be the allowed address, the forbidden one, or both; the next answer is another one."""
    dice = random.Random(20261121)
    with https_server(None, answering(), "127.0.0.2") as allowed, https_server(None, answering()) as forbidden:
        answers = [["127.0.0.2"], ["127.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["::1"]]
        guard = OutboundGuard(["127.0.0.2:1024-65535"], resolver=lambda host, port: dice.choice(answers))
        outcomes: dict[str, int] = {}
        for attempt in range(1000):
            port = (allowed, forbidden)[attempt % 2].port
            with GuardedSession(guard, limits=SHORT) as session, pytest.raises(requests.RequestException) as failed:
                session.get(f"https://{HOST}:{port}/")
            name = type(failed.value).__name__
            outcomes[name] = outcomes.get(name, 0) + 1
        # A call that was let through reached 127.0.0.2, where either the allowed server or nobody listens.
        assert forbidden.connections == 0
        assert allowed.connections > 50
        assert outcomes["CallRefused"] > 500


def test_the_environment_says_nothing(
    server: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {HOST} login somebody password secret\n")
    with connect_proxy() as proxy:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, os.devnull)
        monkeypatch.setenv("NETRC", str(netrc))
        with session_to(server, authority) as session:
            assert session.get(url(server)).content == b"<ok/>"
        assert proxy.heads == []
    assert "authorization" not in server.asked[0].headers


def test_a_proxy_given_to_a_call_is_not_used(server: Server, authority: Authority) -> None:
    with connect_proxy() as proxy, session_to(server, authority) as session:
        session.get(url(server), proxies={"https": f"http://127.0.0.1:{proxy.port}"})
        assert proxy.heads == []


def test_several_addresses_are_tried_in_turn(server: Server, authority: Authority) -> None:
    guard = open_guard(server, "127.0.0.3", "127.0.0.1")
    with GuardedSession(guard, ca_certificates=authority.pem) as session:
        assert session.get(url(server)).content == b"<ok/>"


# ---- redirects -----------------------------------------------------------------------------------------------------


def redirecting(location: str) -> Callable[..., None]:
    return answering(b"", status="302 Found", headers=(f"Location: {location}",))


def test_a_redirect_is_an_answer_and_not_followed(authority: Authority) -> None:
    with https_server(authority.server(HOST), redirecting("https://127.0.0.1/")) as server:
        with session_to(server, authority) as session:
            answer = session.get(url(server))
            followed = session.get(url(server), allow_redirects=True)
        assert (answer.status_code, followed.status_code, server.connections) == (302, 302, 1)
        assert answer.next is None


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("https://other.example.com/autodiscover.xml", "https://other.example.com/autodiscover.xml"),
        ("/autodiscover.xml", "https://mail.example.com:{port}/autodiscover.xml"),
        ("//other.example.com:8443/x", "https://other.example.com:8443/x"),
    ],
)
def test_a_hop_is_told_absolutely(authority: Authority, location: str, leads_to: str) -> None:
    with (
        https_server(authority.server(HOST), redirecting(location)) as server,
        session_to(server, authority) as session,
    ):
        assert hop(open_guard(server), session.get(url(server))) == leads_to.format(port=server.port)


@pytest.mark.parametrize(
    "location",
    [
        "http://other.example.com/",
        "https://127.0.0.1/",
        "https://a:b@c.example/",
        "https://x.example:22/",
        "ftp://x.example/",
    ],
)
def test_a_forbidden_hop_is_refused(authority: Authority, location: str) -> None:
    with (
        https_server(authority.server(HOST), redirecting(location)) as server,
        session_to(server, authority) as session,
        pytest.raises(CallRefused),
    ):
        hop(open_guard(server), session.get(url(server)))


def test_an_answer_that_is_no_redirect_has_no_hop(server: Server, authority: Authority) -> None:
    with session_to(server, authority) as session:
        assert hop(open_guard(server), session.get(url(server))) is None


# ---- certificates --------------------------------------------------------------------------------------------------


def test_a_certificate_for_another_host_is_refused(authority: Authority) -> None:
    with https_server(authority.server("other.example.com"), answering()) as server:
        with session_to(server, authority) as session, pytest.raises(requests.exceptions.SSLError):
            session.get(url(server))
        assert server.asked == []


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    with https_server(authority.server(HOST, expired=True), answering()) as server:
        with session_to(server, authority) as session, pytest.raises(requests.exceptions.SSLError):
            session.get(url(server))
        assert server.asked == []


def test_a_certificate_nobody_vouches_for_is_refused(server: Server) -> None:
    with GuardedSession(open_guard(server)) as session, pytest.raises(requests.exceptions.SSLError):
        session.get(url(server))
    assert server.asked == []


def test_the_authority_of_one_session_is_not_anothers(server: Server, authority: Authority) -> None:
    with session_to(server, authority) as session:
        assert session.get(url(server)).ok
    with (
        session_to(server, authority, ca_certificates=Authority().pem) as other,
        pytest.raises(requests.exceptions.SSLError),
    ):
        other.get(url(server))


def test_verification_cannot_be_switched_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with GuardedSession(open_guard(server)) as session:
        session.verify = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(url(server), verify=False)
    assert server.asked == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_tls_before_1_2_is_refused(authority: Authority) -> None:
    old = authority.server(HOST)
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    lenient = ssl.create_default_context(cadata=authority.pem)
    lenient.minimum_version = ssl.TLSVersion.TLSv1
    lenient.set_ciphers("DEFAULT:@SECLEVEL=0")
    with https_server(old, answering()) as server, session_to(server, authority) as session:
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            assert lenient.wrap_socket(plain, server_hostname=HOST).version() == "TLSv1.1"
        with pytest.raises(requests.exceptions.SSLError):
            session.get(url(server))
        assert server.asked == []


def test_pem_without_a_certificate_is_no_authority(server: Server) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        GuardedSession(open_guard(server), ca_certificates="not a certificate")


# ---- answers that do not end ---------------------------------------------------------------------------------------


def drip(piece: bytes, seconds: float = 0.05, head: bytes = b"") -> Callable[..., None]:
    def answer(connection: ssl.SSLSocket, asked: Asked) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(seconds)

    return answer


LONG = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 9000000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda connection, asked: time.sleep(30), id="silence"),
        pytest.param(drip(b"H"), id="a head that drips"),
        pytest.param(drip(b"X-More: x\r\n", head=b"HTTP/1.1 200 OK\r\n"), id="endless headers"),
        pytest.param(drip(b"x", head=LONG), id="a body that drips"),
        pytest.param(drip(b"1\r\nx\r\n", head=CHUNKED), id="chunks that drip"),
        pytest.param(drip(b"HTTP/1.1 100 Continue\r\n\r\n"), id="endless interim answers"),
    ],
)
def test_a_slow_answer_ends_at_the_limit(authority: Authority, answer: Callable[..., None]) -> None:
    with https_server(authority.server(HOST), answer) as server, session_to(server, authority, limits=SHORT) as session:
        started = time.monotonic()
        with pytest.raises(requests.RequestException):
            session.get(url(server))
    assert time.monotonic() - started < 3.0


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(drip(b"x" * 65536, 0, LONG.replace(b"9000000", b"90000000")), id="a long body"),
        pytest.param(drip(b"10000\r\n" + b"x" * 65536 + b"\r\n", 0, CHUNKED), id="endless chunks"),
        pytest.param(
            drip(b"x" * 65536, 0, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), id="a body without an end"
        ),
    ],
)
def test_a_huge_answer_is_refused_once_it_is_too_long(authority: Authority, answer: Callable[..., None]) -> None:
    with https_server(authority.server(HOST), answer) as server, session_to(server, authority) as session:
        started = time.monotonic()
        with pytest.raises(AnswerRefused):
            session.get(url(server))
    assert time.monotonic() - started < 10.0


def test_an_answer_may_be_as_long_as_the_limit(authority: Authority) -> None:
    body = b"x" * (10 * 2**20 - 1024)
    with https_server(authority.server(HOST), answering(body)) as server, session_to(server, authority) as session:
        assert session.get(url(server)).content == body
        assert session.get(url(server)).content == body  # the count begins anew with each call


def test_an_answer_is_asked_for_and_taken_uncompressed_only(authority: Authority) -> None:
    bomb = answering(gzip.compress(b"\0" * 2**24), headers=("Content-Encoding: gzip",))
    with https_server(authority.server(HOST), bomb) as server, session_to(server, authority) as session:
        with pytest.raises(AnswerRefused):
            session.get(url(server), headers={"Accept-Encoding": "gzip"})
        assert server.asked[0].headers["accept-encoding"] == "identity"


def test_a_call_may_ask_for_less_time_and_not_for_more(authority: Authority) -> None:
    with (
        https_server(authority.server(HOST), drip(b"x", head=LONG)) as server,
        session_to(server, authority, limits=SHORT) as session,
    ):
        for timeout in (0.3, (1.0, 0.3), 60, None):
            started = time.monotonic()
            with pytest.raises(requests.RequestException):
                session.get(url(server), timeout=timeout)
            assert time.monotonic() - started < (0.9 if timeout in (0.3, (1.0, 0.3)) else 3.0)


def test_an_answer_read_bit_by_bit_keeps_to_the_limit_too(authority: Authority) -> None:
    with (
        https_server(authority.server(HOST), drip(b"1\r\nx\r\n", head=CHUNKED)) as server,
        session_to(server, authority, limits=SHORT) as session,
    ):
        started = time.monotonic()
        answer = session.get(url(server), stream=True)
        with pytest.raises(requests.RequestException):
            for _ in answer.iter_content(chunk_size=None):
                pass
    assert time.monotonic() - started < 3.0


def test_a_resolver_that_hangs_does_not_hold_the_call() -> None:
    released = threading.Event()

    def resolver(host: str, port: int) -> list[str]:
        released.wait(30)
        return ["127.0.0.1"]

    with GuardedSession(OutboundGuard(resolver=resolver), limits=SHORT) as session:
        started = time.monotonic()
        with pytest.raises(requests.exceptions.ConnectTimeout):
            session.get("https://mail.example.com/")
        assert time.monotonic() - started < 3.0
    released.set()


def test_a_server_that_never_shakes_hands_does_not_hold_the_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        guard = OutboundGuard([f"127.0.0.1:{port}"])
        with GuardedSession(guard, limits=SHORT) as session:
            started = time.monotonic()
            with pytest.raises(requests.RequestException):
                session.get(f"https://127.0.0.1:{port}/")
            assert time.monotonic() - started < 3.0


def test_the_refusal_is_found_behind_the_errors_of_libraries() -> None:
    refused = AnswerRefused("the answer is too long")
    outer, middle = ValueError("something"), requests.ConnectionError("something")
    outer.__context__, middle.__cause__ = middle, refused
    assert refusal_behind(outer) is refused
    assert refusal_behind(ValueError()) is None


# ---- which way calls leave -----------------------------------------------------------------------------------------


def test_the_proxy_is_asked_for_the_checked_address_and_never_for_the_name(
    server: Server, authority: Authority
) -> None:
    with connect_proxy() as proxy:
        egress = Egress(proxy=f"http://user%40corp:p%3Ass@127.0.0.1:{proxy.port}")
        with session_to(server, authority, egress=egress) as session:
            assert session.get(url(server)).content == b"<ok/>"
    where = f"127.0.0.1:{server.port}"
    assert proxy.heads == [
        [f"CONNECT {where} HTTP/1.1", f"Host: {where}", "Proxy-Authorization: Basic dXNlckBjb3JwOnA6c3M="]
    ]
    assert server.server_names == [HOST]


def test_a_forbidden_address_is_not_given_to_the_proxy(server: Server, authority: Authority) -> None:
    guard = OutboundGuard([f"127.0.0.2:{server.port}"], resolver=lambda host, port: ["127.0.0.1"])
    with connect_proxy() as proxy:
        egress = Egress(proxy=f"http://127.0.0.1:{proxy.port}")
        with GuardedSession(guard, egress=egress) as session, pytest.raises(CallRefused):
            session.get(url(server))
    assert proxy.heads == []


def test_a_proxy_that_refuses_is_no_connection(server: Server, authority: Authority) -> None:
    with connect_proxy(status="407 Proxy Authentication Required") as proxy:
        egress = Egress(proxy=f"http://127.0.0.1:{proxy.port}")
        with (
            session_to(server, authority, egress=egress) as session,
            pytest.raises(requests.exceptions.ConnectionError),
        ):
            session.get(url(server))
    assert server.connections == 0


def test_calls_leave_from_the_address_the_operator_chose(authority: Authority) -> None:
    callers: list[str] = []

    def answer(connection: ssl.SSLSocket, asked: Asked) -> None:
        callers.append(connection.getpeername()[0])
        answering()(connection, asked)

    with (
        https_server(authority.server(HOST), answer) as server,
        session_to(server, authority, egress=Egress(source_address="127.0.0.9")) as session,
    ):
        session.get(url(server))
    assert callers == ["127.0.0.9"]


def test_an_address_of_another_kind_than_the_chosen_one_is_not_called(server: Server, authority: Authority) -> None:
    with (
        session_to(server, authority, egress=Egress(source_address="::1")) as session,
        pytest.raises(requests.exceptions.ConnectionError),
    ):
        session.get(url(server))
    assert server.connections == 0


@pytest.mark.parametrize(
    "proxy",
    ["https://proxy.example:3128", "proxy.example:3128", "http://proxy.example", "http://:3128", "socks5://x:1"],
)
def test_a_proxy_that_is_none_is_refused_at_once(proxy: str) -> None:
    with pytest.raises(ValueError, match="http://host:port"):
        Egress(proxy=proxy)


def test_the_proxys_password_is_not_shown() -> None:
    assert "secret" not in repr(Egress(proxy="http://user:secret@proxy.example:3128"))


def test_many_sessions_leave_no_threads_behind(server: Server, authority: Authority) -> None:
    before = threading.active_count()
    for _ in itertools.repeat(None, 20):
        with session_to(server, authority) as session:
            session.get(url(server))
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
