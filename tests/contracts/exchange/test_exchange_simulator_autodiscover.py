"""Autodiscover, in its two forms."""

from typing import Any

import httpx
import pytest
from exchangelib import BASIC, Build, Configuration, Credentials, Version
from exchangelib.autodiscover.protocol import AutodiscoverProtocol
from exchangelib.protocol import BaseProtocol
from lxml import etree

from meetings.adapters.exchange.simulator import (
    EXCHANGE_ONLINE,
    PASSWORD,
    Autodiscover,
    ExchangeSimulator,
    forward_proxy,
)
from tests.contracts.exchange.clients import ADA, http, trusting

OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
REQUEST = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
NAMES = {"a": "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006", "o": OUTLOOK}


def _request(email: str, schema: str = OUTLOOK) -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{REQUEST}"><Request>'
        f"<EMailAddress>{email}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema>"
        "</Request></Autodiscover>"
    )


def _pox(exchange: ExchangeSimulator, content: str, **about: Any) -> httpx.Response:
    with http(exchange, auth=(ADA, PASSWORD)) as client:
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        return client.post("/Autodiscover/Autodiscover.xml", content=content, headers=headers, **about)


def _texts(answer: httpx.Response, path: str) -> list[str]:
    root = etree.fromstring(answer.content)
    return [each.text or "" for each in root.iterfind(path, NAMES)]


def test_an_address_leads_to_the_web_service(exchange: ExchangeSimulator) -> None:
    answer = _pox(exchange, _request(ADA))
    assert _texts(answer, ".//o:Account/o:Action") == ["settings"]
    assert _texts(answer, ".//o:User/o:DisplayName") == ["Ada Lovelace"]
    assert _texts(answer, ".//o:Protocol/o:Type") == ["EXCH", "EXPR"]
    assert _texts(answer, ".//o:Protocol/o:EwsUrl") == [exchange.ews_url] * 2
    assert _texts(answer, ".//o:Protocol/o:ServerVersion") == ["73828186"]


def test_mailboxes_somebody_may_open_are_told_beside_the_own(exchange: ExchangeSimulator) -> None:
    exchange.add_account("sales@example.com", "Sales", kind="shared")
    exchange.share_mailbox("sales@example.com", ADA)
    answer = _pox(exchange, _request(ADA))
    assert _texts(answer, ".//o:AlternativeMailbox/o:SmtpAddress") == ["sales@example.com"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (_request("who@example.com"), "500"),
        (_request(ADA, schema="http://example.com/other"), "600"),
        ("<x/>", "600"),
        ("no xml", "600"),
    ],
)
def test_what_cannot_be_answered_is_an_error_in_the_answer(
    exchange: ExchangeSimulator, content: str, code: str
) -> None:
    answer = _pox(exchange, content)
    assert (answer.status_code, _texts(answer, ".//a:ErrorCode")) == (200, [code])


@pytest.mark.parametrize(
    ("set_up", "path", "told"),
    [
        (Autodiscover(ews_url=EXCHANGE_ONLINE), ".//o:EwsUrl", EXCHANGE_ONLINE),
        (Autodiscover(redirect_url="https://other.example.com/x"), ".//o:RedirectUrl", "https://other.example.com/x"),
        (Autodiscover(redirect_address="ada@corp.example"), ".//o:RedirectAddr", "ada@corp.example"),
        (Autodiscover(error=601), ".//a:ErrorCode", "601"),
    ],
)
def test_it_can_lead_elsewhere(exchange: ExchangeSimulator, set_up: Autodiscover, path: str, told: str) -> None:
    exchange.settings.autodiscover = set_up
    assert _texts(_pox(exchange, _request(ADA)), path)[0] == told


def test_it_asks_who_is_there(exchange: ExchangeSimulator) -> None:
    with http(exchange) as client:
        answer = client.post("/autodiscover/autodiscover.xml", content=_request(ADA))
    assert (answer.status_code, exchange.calls[0].operation) == (401, "autodiscover.pox")


def test_where_there_is_none_nothing_is_found(exchange: ExchangeSimulator) -> None:
    exchange.settings.autodiscover = Autodiscover(absent=True)
    assert _pox(exchange, _request(ADA)).status_code == 404
    with http(exchange) as client:
        assert client.get("/autodiscover/autodiscover.xml").status_code == 404


def test_a_redirect_needs_no_sign_in(exchange: ExchangeSimulator) -> None:
    target = "https://mail.example.com/autodiscover/autodiscover.xml"
    exchange.settings.autodiscover = Autodiscover(http_redirect=target)
    with http(exchange) as client:
        for verb in ("GET", "POST"):
            answer = client.request(verb, "/autodiscover/autodiscover.xml", content=_request(ADA))
            assert (answer.status_code, answer.headers["location"]) == (302, target)


@pytest.mark.parametrize("circular", [False, True])
def test_a_redirect_ends_where_it_leads_to_unless_it_is_circular(exchange: ExchangeSimulator, circular: bool) -> None:
    here = f"{exchange.url}/Autodiscover/autodiscover.xml"
    exchange.settings.autodiscover = Autodiscover(redirect_url=here, redirect_address=ADA.upper(), circular=circular)
    told = _texts(_pox(exchange, _request(ADA)), ".//o:Account/o:Action")
    assert told == (["redirectAddr"] if circular else ["settings"])
    exchange.settings.autodiscover = Autodiscover(http_redirect=here, circular=circular)
    assert _pox(exchange, _request(ADA)).status_code == (302 if circular else 200)


def test_it_may_live_at_one_host_alone(exchange: ExchangeSimulator) -> None:
    exchange.settings.autodiscover = Autodiscover(hosts=("autodiscover.example.com",))
    found = []
    for host in ("example.com", "autodiscover.example.com"):
        with http(exchange, auth=(ADA, PASSWORD)) as client:
            headers = {"Host": host, "Content-Type": "text/xml"}
            answer = client.post("/autodiscover/autodiscover.xml", content=_request(ADA), headers=headers)
        found.append(answer.status_code)
    assert found == [404, 200]


def test_its_usual_names_can_be_reached_through_a_proxy(exchange: ExchangeSimulator) -> None:
    routes = {"autodiscover.example.com:443": ("127.0.0.1", exchange.port)}
    with (
        forward_proxy(routes=routes) as proxy,
        httpx.Client(proxy=proxy.url, verify=trusting(exchange), trust_env=False) as client,
    ):
        answer = client.post(
            "https://autodiscover.example.com/autodiscover/autodiscover.xml",
            content=_request(ADA),
            auth=(ADA, PASSWORD),
        )
    assert _texts(answer, ".//o:EwsUrl")[0] == "https://autodiscover.example.com/EWS/Exchange.asmx"
    assert exchange.calls[-1].host == "autodiscover.example.com"


# -- SOAP, as exchangelib asks


def _settings_of(exchange: ExchangeSimulator, email: str) -> Any:
    assert BaseProtocol.HTTP_ADAPTER_CLS is AutodiscoverProtocol.HTTP_ADAPTER_CLS
    protocol = AutodiscoverProtocol(
        config=Configuration(
            service_endpoint=f"{exchange.url}/autodiscover/autodiscover.svc",
            credentials=Credentials(ADA, PASSWORD),
            auth_type=BASIC,
            version=Version(Build(14, 2)),
        )
    )
    return protocol.get_user_settings(user=email)


def test_the_soap_form_tells_the_same(exchange: ExchangeSimulator) -> None:
    told = _settings_of(exchange, ADA)
    assert (told.ews_url, told.autodiscover_smtp_address) == (exchange.ews_url, ADA)
    exchange.settings.autodiscover = Autodiscover(redirect_address="ada@corp.example")
    assert _settings_of(exchange, ADA).redirect_address == "ada@corp.example"
    exchange.settings.autodiscover = Autodiscover(redirect_url="https://other.example.com/x")
    assert _settings_of(exchange, ADA).redirect_url == "https://other.example.com/x"
