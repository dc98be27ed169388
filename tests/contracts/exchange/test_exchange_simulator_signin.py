"""Who may come in: Basic and NTLM, names, passwords, certificates, and pages for those who are lost."""

import ssl

import httpx
import pytest
from exchangelib import NTLM
from exchangelib.errors import UnauthorizedError

from meetings.adapters.exchange.simulator import PASSWORD, ExchangeSimulator
from tests.contracts.exchange.clients import ADA, CALENDAR, account, ask, envelope, http, trusting

GET_CALENDAR = (
    "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
    f"<m:FolderIds>{CALENDAR}</m:FolderIds></m:GetFolder>"
)
XML = {"Content-Type": "text/xml; charset=utf-8"}


def _status(exchange: ExchangeSimulator, username: str, password: str = PASSWORD) -> int:
    return ask(exchange, GET_CALENDAR, email=username, password=password).status


def _ntlm_works(exchange: ExchangeSimulator, username: str, password: str = PASSWORD) -> bool:
    protocol = account(exchange, username=username, password=password, auth=NTLM).protocol
    try:
        return bool(protocol.resolve_names([ADA]))
    except UnauthorizedError:
        return False


# -- schemes


@pytest.mark.parametrize("schemes", [("Basic", "NTLM"), ("Basic",), ("NTLM",)])
def test_who_says_nothing_hears_which_schemes_there_are(exchange: ExchangeSimulator, schemes: tuple[str, ...]) -> None:
    exchange.settings.schemes = schemes
    with http(exchange) as client:
        answer = client.post("/EWS/Exchange.asmx", content=envelope(GET_CALENDAR), headers=XML)
    assert answer.status_code == 401
    offered = answer.headers.get_list("www-authenticate")
    assert offered == ['Basic realm="localhost"' if each == "Basic" else each for each in schemes]


def test_a_scheme_that_is_not_offered_is_refused(exchange: ExchangeSimulator) -> None:
    exchange.settings.schemes = ("NTLM",)
    assert _status(exchange, ADA) == 401
    assert _ntlm_works(exchange, ADA)
    exchange.settings.schemes = ("Basic",)
    assert _status(exchange, ADA) == 200
    assert exchange.failed_sign_ins(ADA) == 0


def test_ntlm_signs_a_connection_in(exchange: ExchangeSimulator) -> None:
    """Three requests for the first answer, one for each that follows on the connection."""
    protocol = account(exchange, username="EXAMPLE\\ada", auth=NTLM).protocol
    assert protocol.resolve_names([ADA])
    assert [(call.status, call.scheme) for call in exchange.calls] == [(401, None), (401, "NTLM"), (200, "NTLM")]
    assert protocol.resolve_names([ADA])
    assert [(call.status, call.scheme, call.account) for call in exchange.calls[3:]] == [(200, "connection", ADA)]


def test_a_connection_ends_with_the_password(exchange: ExchangeSimulator) -> None:
    ada = account(exchange, auth=NTLM)
    assert ada.calendar.id
    exchange.change_password(ADA, "another")
    with pytest.raises(UnauthorizedError):
        list(ada.calendar.all())
    assert _ntlm_works(exchange, ADA, "another")


def test_a_handshake_nobody_began_is_refused(exchange: ExchangeSimulator) -> None:
    with http(exchange) as client:
        for token in ("nonsense", "TlRMTVNTUAADAAAA"):
            headers = {**XML, "Authorization": f"NTLM {token}"}
            answer = client.post("/EWS/Exchange.asmx", content=envelope(GET_CALENDAR), headers=headers)
            assert answer.status_code == 401


# -- names


@pytest.mark.parametrize(
    ("names", "works"),
    [
        (("upn",), {"dmueller@example.com"}),
        (("domain",), {"EXAMPLE\\hmueller", "example\\HMueller"}),
        (("alias",), {"hmueller"}),
        (("upn", "domain", "alias"), {"dmueller@example.com", "EXAMPLE\\hmueller", "example\\HMueller", "hmueller"}),
    ],
)
def test_each_kind_of_name_works_where_it_is_allowed(
    exchange: ExchangeSimulator, names: tuple[str, ...], works: set[str]
) -> None:
    exchange.add_account("dmueller@example.com", "Mueller", alias="hmueller", names=names)
    exchange.settings.lock_after = None
    given = ("dmueller@example.com", "EXAMPLE\\hmueller", "example\\HMueller", "hmueller", "dmueller")
    assert {name for name in given if _status(exchange, name) == 200} == works
    assert {name for name in given if _ntlm_works(exchange, name)} == works


def test_a_upn_may_be_another_than_the_address(exchange: ExchangeSimulator) -> None:
    exchange.add_account("d.mueller@example.com", upn="dmueller@corp.example", names=("upn",))
    assert [_status(exchange, name) for name in ("dmueller@corp.example", "d.mueller@example.com")] == [200, 401]


# -- passwords


def test_wrong_passwords_are_counted_and_lock_the_account(exchange: ExchangeSimulator) -> None:
    exchange.settings.lock_after = 3
    assert [_status(exchange, ADA, "wrong") for _ in range(2)] == [401, 401]
    assert _status(exchange, ADA) == 200
    assert [_status(exchange, ADA, "wrong") for _ in range(2)] == [401, 401]
    assert not exchange.is_locked(ADA)
    assert not _ntlm_works(exchange, ADA, "wrong")
    assert exchange.is_locked(ADA)
    assert _status(exchange, ADA) == 401
    assert exchange.failed_sign_ins(ADA) == 5
    exchange.unlock(ADA)
    assert _status(exchange, ADA) == 200


def test_a_disabled_account_and_an_expired_password_are_refused(exchange: ExchangeSimulator) -> None:
    exchange.disable(ADA)
    assert _status(exchange, ADA) == 401
    exchange.disable(ADA, disabled=False)
    exchange.expire_password(ADA)
    assert (_status(exchange, ADA), _ntlm_works(exchange, ADA)) == (401, False)
    exchange.expire_password(ADA, expired=False)
    assert (_status(exchange, ADA), exchange.failed_sign_ins(ADA)) == (200, 0)


def test_two_factors_need_an_app_password(exchange: ExchangeSimulator) -> None:
    exchange.add_account("mfa@example.com", app_password="xkcd-app-pass")
    refused = ask(exchange, GET_CALENDAR, email="mfa@example.com")
    assert refused.status == 401
    assert "app password" in refused.headers["x-ms-diagnostics"]
    wrong = ask(exchange, GET_CALENDAR, email="mfa@example.com", password="wrong")
    assert (wrong.status, "x-ms-diagnostics" in wrong.headers) == (401, False)
    assert _status(exchange, "mfa@example.com", "xkcd-app-pass") == 200
    assert not _ntlm_works(exchange, "mfa@example.com")
    assert _ntlm_works(exchange, "mfa@example.com", "xkcd-app-pass")


def test_a_password_may_hold_anything(exchange: ExchangeSimulator) -> None:
    exchange.add_account("odd@example.com", password="a:b\\c ü\"'")
    assert _status(exchange, "odd@example.com", "a:b\\c ü\"'") == 200
    assert _ntlm_works(exchange, "odd@example.com", "a:b\\c ü\"'")


def test_the_log_holds_no_password(exchange: ExchangeSimulator) -> None:
    _status(exchange, ADA)
    _ntlm_works(exchange, ADA)
    assert {"authorization" in call.headers for call in exchange.calls} == {False}
    assert PASSWORD not in repr(exchange.calls)


# -- certificates


def test_a_certificate_is_valid_for_the_names_of_the_server(exchange: ExchangeSimulator) -> None:
    with http(exchange) as client:
        assert client.get("/owa/").status_code == 200
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(exchange.url, trust_env=False)
    assert ssl.create_default_context(cafile=exchange.ca_file).get_ca_certs()


def test_a_self_signed_certificate_is_believed_by_nobody_who_does_not_know_it() -> None:
    with ExchangeSimulator(tls="self-signed").serve() as exchange, ExchangeSimulator().serve() as other:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(exchange.url, verify=trusting(other), trust_env=False)
        assert httpx.get(f"{exchange.url}/owa/", verify=trusting(exchange), trust_env=False).status_code == 200


def test_a_server_without_tls_answers_too() -> None:
    with ExchangeSimulator(tls="plain").serve() as exchange:
        exchange.add_account(ADA)
        answer = httpx.post(
            exchange.ews_url, content=envelope(GET_CALENDAR), headers=XML, auth=(ADA, PASSWORD), trust_env=False
        )
        assert (exchange.url.startswith("http://"), answer.status_code) == (True, 200)
        assert [call.secure for call in exchange.calls] == [False]


# -- what is not the web service


def test_wrong_addresses_lead_to_pages(exchange: ExchangeSimulator) -> None:
    with http(exchange) as client:
        home, owa = client.get("/"), client.post("/owa/", content=b"x")
        nothing = client.post("/nothing", content=envelope(GET_CALENDAR), headers=XML)
    assert (home.status_code, home.headers["location"]) == (302, "/owa/")
    assert (owa.status_code, owa.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "password" in owa.text
    assert nothing.status_code == 404
    assert [call.operation for call in exchange.calls] == ["page", "page", "unknown"]


def test_the_web_service_takes_posted_xml_alone_at_any_case_of_its_path(unchecked_exchange: ExchangeSimulator) -> None:
    with http(unchecked_exchange, auth=(ADA, PASSWORD)) as client:
        assert client.post("/ews/EXCHANGE.ASMX", content=envelope(GET_CALENDAR), headers=XML).status_code == 200
        assert "text/html" in client.get("/EWS/Exchange.asmx").headers["content-type"]
        assert client.post("/EWS/Exchange.asmx", json={}).status_code == 415
        assert client.post("/EWS/Exchange.asmx", content="<x", headers=XML).status_code == 400
        assert client.post("/EWS/Exchange.asmx", content="<x/>", headers=XML).status_code == 500
