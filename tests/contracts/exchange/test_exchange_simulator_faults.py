"""Each kind of scripted fault, as exchangelib and a plain client meet it, and which way calls came."""

import concurrent.futures
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import requests
from exchangelib.errors import (
    ErrorInternalServerTransientError,
    ErrorMailboxMoveInProgress,
    ErrorServerBusy,
    MalformedResponseError,
    SOAPError,
    TransportError,
    UnauthorizedError,
)

from meetings.adapters.exchange.simulator import PASSWORD, ExchangeSimulator, forward_proxy
from meetings.adapters.exchange.simulator.hostile import KINDS
from tests.contracts.exchange.clients import (
    ADA,
    BOB,
    account,
    ask,
    envelope,
    http,
    new_item,
    trusting,
    view,
)

LOOK = view("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
MAKE = new_item("<t:Start>2026-03-03T08:00:00Z</t:Start><t:End>2026-03-03T09:00:00Z</t:End>")
NINE = datetime(2026, 3, 3, 8, tzinfo=UTC)
XML = {"Content-Type": "text/xml; charset=utf-8"}


def _post(exchange: ExchangeSimulator, operation: str = LOOK, **about: Any) -> httpx.Response:
    with http(exchange, auth=(ADA, PASSWORD)) as client:
        return client.post("/EWS/Exchange.asmx", content=envelope(operation), headers=XML, **about)


def test_a_fault_hits_the_calls_it_was_told_to(exchange: ExchangeSimulator) -> None:
    exchange.fault("FindItem", on_call=2, times=2, status=500)
    assert [_post(exchange).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert [(call.worked, call.fault) for call in exchange.calls[:2]] == [(True, None), (False, "status")]


def test_a_fault_may_pick_an_account_or_calls_by_a_function(exchange: ExchangeSimulator) -> None:
    fault = exchange.fault(times=None, account=BOB, status=503)
    assert (ask(exchange, LOOK).status, ask(exchange, LOOK, email=BOB).status) == (200, 503)
    exchange.remove_fault(fault)
    exchange.fault(lambda call: b"2026-04-01" in call.raw, times=None, status=500)
    other = view("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z")
    assert (_post(exchange).status_code, _post(exchange, other).status_code) == (500, 200)
    exchange.clear_faults()
    assert _post(exchange).status_code == 200


def test_a_busy_server_says_how_long_to_wait(exchange: ExchangeSimulator) -> None:
    exchange.fault("GetFolder", code="ErrorServerBusy", back_off_ms=297_749)
    with pytest.raises(ErrorServerBusy) as busy:
        _ = account(exchange).calendar
    assert busy.value.back_off == 297.749
    exchange.fault(status=503, retry_after=17)
    answer = _post(exchange)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "17")


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("ErrorMailboxMoveInProgress", ErrorMailboxMoveInProgress),
        ("ErrorInternalServerTransientError", (ErrorInternalServerTransientError, ErrorServerBusy)),
    ],
)
def test_a_code_stands_in_the_message_or_in_a_fault(exchange: ExchangeSimulator, code: str, raised: Any) -> None:
    for as_fault in (False, True):
        exchange.fault(times=2, code=code, as_fault=as_fault)
        answer = _post(exchange, MAKE)
        assert (answer.status_code, code in answer.text) == (500 if as_fault else 200, True)
        with pytest.raises(raised):
            _ = account(exchange).calendar
    assert exchange.events(exchange.calendar_of(ADA)) == []


def test_the_work_is_done_although_the_answer_is_dropped(exchange: ExchangeSimulator) -> None:
    exchange.fault("CreateItem", drop_after_commit=True)
    with pytest.raises(httpx.TransportError):
        _post(exchange, MAKE)
    assert len(exchange.events(exchange.calendar_of(ADA))) == 1


def test_a_reset_comes_before_the_work(exchange: ExchangeSimulator) -> None:
    exchange.fault("CreateItem", reset=True)
    with pytest.raises(httpx.TransportError):
        _post(exchange, MAKE)
    assert exchange.events(exchange.calendar_of(ADA)) == []


def test_an_answer_may_be_cut_off(exchange: ExchangeSimulator) -> None:
    exchange.fault(cut_off_body=True)
    with pytest.raises(httpx.RemoteProtocolError):
        _post(exchange)


@pytest.mark.parametrize(("name", "done"), [("delay_before", 0), ("delay", 1)])
def test_an_answer_may_be_late_before_or_after_the_work(exchange: ExchangeSimulator, name: str, done: int) -> None:
    """Work that was late is done all the same, when the client is gone."""
    exchange.fault("CreateItem", **{name: 0.4})
    with pytest.raises(httpx.ReadTimeout):
        _post(exchange, MAKE, timeout=0.15)
    assert len(exchange.events(exchange.calendar_of(ADA))) == done
    deadline = time.monotonic() + 5
    while not exchange.calls[0].worked:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert len(exchange.events(exchange.calendar_of(ADA))) == 1


def test_an_answer_may_drip_or_never_end(exchange: ExchangeSimulator) -> None:
    for about in ({"drip_seconds": 0.01}, {"endless": True}):
        exchange.fault(**about)
        read = 0
        with (
            http(exchange, auth=(ADA, PASSWORD)) as client,
            client.stream("POST", "/EWS/Exchange.asmx", content=envelope(LOOK), headers=XML) as answer,
        ):
            for chunk in answer.iter_raw():
                read += len(chunk)
                if read > (10 if "drip_seconds" in about else 5_000_000):
                    break
        assert _post(exchange).status_code == 200


def test_an_answer_may_be_huge_or_of_another_kind(exchange: ExchangeSimulator) -> None:
    exchange.fault(huge_bytes=3_000_000)
    assert len(_post(exchange).content) > 3_000_000
    exchange.fault(compressed_bytes=30_000_000)
    bomb = _post(exchange)
    assert (int(bomb.headers["content-length"]) < 100_000, len(bomb.content) > 30_000_000) == (True, True)
    exchange.fault(content_type="text/html")
    page = _post(exchange)
    assert (page.headers["content-type"].partition(";")[0], "password" in page.text) == ("text/html", True)
    exchange.fault(body=b"<x/>", content_type="text/xml")
    assert _post(exchange).content == b"<x/>"


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_documents_arrive_as_such(exchange: ExchangeSimulator, kind: str) -> None:
    exchange.fault(times=2, hostile=kind)
    document = _post(exchange).content
    assert document.startswith(b"<?xml")
    assert (b"<!DOCTYPE" in document, document.count(b"<x>")) == (kind != "depth", 100_000 if kind == "depth" else 0)
    with pytest.raises((SOAPError, TransportError, MalformedResponseError)):
        _ = account(exchange).calendar


def test_a_password_may_change_at_any_moment(exchange: ExchangeSimulator) -> None:
    protocol = account(exchange).protocol
    exchange.on_call("ResolveNames", lambda: exchange.change_password(ADA, "another"))
    assert protocol.resolve_names([ADA])
    with pytest.raises(UnauthorizedError):
        protocol.resolve_names([ADA])


def test_a_sign_in_may_be_refused_from_now_on(exchange: ExchangeSimulator) -> None:
    protocol = account(exchange).protocol
    assert protocol.resolve_names([ADA])
    exchange.fault(times=None, status=401)
    answer = _post(exchange)
    assert answer.headers.get_list("www-authenticate") == ['Basic realm="localhost"', "NTLM"]
    with pytest.raises(UnauthorizedError):
        protocol.resolve_names([ADA])
    assert exchange.failed_sign_ins(ADA) == 0


def test_callers_without_a_name_meet_only_faults_that_are_meant_for_them(exchange: ExchangeSimulator) -> None:
    def asked() -> int:
        with http(exchange) as client:
            return client.post("/EWS/Exchange.asmx", content=envelope(LOOK), headers=XML).status_code

    named = exchange.fault("FindItem", times=None, status=503)
    assert (asked(), named.seen) == (401, 0)
    exchange.clear_faults()
    exchange.fault("FindItem", anonymous=True, status=503)
    assert [asked(), asked()] == [503, 401]
    exchange.fault("FindItem", anonymous=True, delay=0.01)
    assert asked() == 401
    exchange.fault("page", status=502)
    with http(exchange) as client:
        assert [client.get("/owa/").status_code for _ in range(2)] == [502, 200]


def test_a_hook_runs_between_the_work_and_its_answer(exchange: ExchangeSimulator) -> None:
    calendar = exchange.calendar_of(ADA)

    def meanwhile() -> None:
        exchange.add_event(calendar, "Meanwhile", NINE, NINE + timedelta(hours=1))

    exchange.on_call("FindItem", meanwhile, on_call=2)
    counts = [ask(exchange, LOOK).text.count("<t:ItemId") for _ in range(3)]
    assert counts == [0, 0, 1]


def test_more_calls_at_once_than_the_policy_allows_are_refused(exchange: ExchangeSimulator) -> None:
    exchange.settings.most_at_once = 2
    exchange.fault("FindItem", times=None, delay_before=0.3)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(exchange, LOOK), range(4)))
    assert sorted(answer.status for answer in answers) == [200, 200, 500, 500]
    assert {answer.code for answer in answers if answer.status == 500} == {"ErrorExceededConnectionCount"}


def test_observers_see_every_finished_call(exchange: ExchangeSimulator) -> None:
    seen: list[tuple[str, int]] = []
    exchange.observe(lambda call: seen.append((call.operation, call.status)))
    ask(exchange, LOOK)
    ask(exchange, LOOK, password="wrong")
    assert seen == [("FindItem", 200), ("FindItem", 401)]
    assert [call.at for call in exchange.calls] == [datetime(2026, 3, 2, 8, tzinfo=UTC)] * 2
    exchange.forget_calls()
    assert exchange.calls == []


# -- which way calls came


def test_the_log_tells_where_a_call_came_from(exchange: ExchangeSimulator) -> None:
    transport = httpx.HTTPTransport(verify=trusting(exchange), local_address="127.0.0.9")
    with httpx.Client(transport=transport, base_url=exchange.url, auth=(ADA, PASSWORD)) as client:
        client.post("/EWS/Exchange.asmx", content=envelope(LOOK), headers={**XML, "Via": "1.1 somewhere"})
    _post(exchange)
    assert [(call.peer[0], call.via) for call in exchange.calls] == [
        ("127.0.0.9", "1.1 somewhere"),
        ("127.0.0.1", None),
    ]


def test_a_proxy_tells_which_calls_went_through_it(exchange: ExchangeSimulator) -> None:
    with forward_proxy(source="127.0.0.2") as proxy:
        answer = requests.post(
            exchange.ews_url,
            data=envelope(LOOK),
            headers=XML,
            auth=(ADA, PASSWORD),
            verify=exchange.ca_file,
            proxies={"https": proxy.url},
            timeout=5,
        )
    assert answer.status_code == 200
    _post(exchange)
    (tunnel,) = proxy.tunnels
    assert tunnel.asked == f"localhost:{exchange.port}"
    assert [call.peer == tunnel.left_from for call in exchange.calls] == [True, False]
    assert exchange.calls[0].peer[0] == "127.0.0.2"


def test_a_proxy_refuses_what_is_no_tunnel_or_leads_nowhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = closed.getsockname()[1]
    with forward_proxy() as proxy:
        plain = requests.get("http://localhost:1/x", proxies={"http": proxy.url}, timeout=5)
        assert plain.status_code == 405
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get(f"https://127.0.0.1:{nowhere}/", proxies={"https": proxy.url}, timeout=5)
    assert proxy.refused == ["GET http://localhost:1/x", f"CONNECT 127.0.0.1:{nowhere}"]
    assert proxy.tunnels == []


async def test_it_serves_inside_a_running_loop_as_well() -> None:
    async with ExchangeSimulator().running() as exchange:
        exchange.add_account(ADA)
        async with httpx.AsyncClient(verify=trusting(exchange), trust_env=False) as client:
            answer = await client.post(exchange.ews_url, content=envelope(LOOK), headers=XML, auth=(ADA, PASSWORD))
    assert answer.status_code == 200
