"""A-EX1, S29, S82: what people type in as the address of their Exchange server."""

import pytest

from meetings.domain.exchange_address import ExchangeUrlInvalid, HostedByMicrosoft, service_url

GOOD = {
    "https://mail.example.com/ews/exchange.asmx": "https://mail.example.com/EWS/Exchange.asmx",
    "https://mail.example.com/EWS/Exchange.asmx": "https://mail.example.com/EWS/Exchange.asmx",
    "  HTTPS://Mail.Example.COM/EwS/eXcHaNgE.AsMx ": "https://mail.example.com/EWS/Exchange.asmx",
    "https://mail.example.com:8443/ews/exchange.asmx": "https://mail.example.com:8443/EWS/Exchange.asmx",
    "https://192.0.2.7/ews/exchange.asmx": "https://192.0.2.7/EWS/Exchange.asmx",
    "https://[2001:db8::7]:8443/ews/exchange.asmx": "https://[2001:db8::7]:8443/EWS/Exchange.asmx",
    "https://notoffice365.com/ews/exchange.asmx": "https://notoffice365.com/EWS/Exchange.asmx",
}
SUGGESTED = {
    "https://mail.example.com/home": "https://mail.example.com/ews/exchange.asmx",
    "https://mail.example.com/owa": "https://mail.example.com/ews/exchange.asmx",
    "https://mail.example.com/owa/auth/logon.aspx?url=x": "https://mail.example.com/ews/exchange.asmx",
    "https://mail.example.com": "https://mail.example.com/ews/exchange.asmx",
    "http://mail.example.com/ews/exchange.asmx": "https://mail.example.com/ews/exchange.asmx",
    "http://mail.example.com:80/ews/exchange.asmx": "https://mail.example.com/ews/exchange.asmx",
    "mail.example.com/ews/exchange.asmx": "https://mail.example.com/ews/exchange.asmx",
    "mail.example.com": "https://mail.example.com/ews/exchange.asmx",
    "https://mail.example.com/ews/exchange.asmx?x=1": "https://mail.example.com/ews/exchange.asmx",
    "https://mail.example.com/ews/exchange.asmx#top": "https://mail.example.com/ews/exchange.asmx",
    "https://mail.example.com/ews/exchange.asmx/": "https://mail.example.com/ews/exchange.asmx",
    "https://anna:secret@mail.example.com/ews/exchange.asmx": "https://mail.example.com/ews/exchange.asmx",
    "ftp://mail.example.com:2121/ews/exchange.asmx": "https://mail.example.com:2121/ews/exchange.asmx",
}
HOPELESS = [
    "",
    "   ",
    "https://",
    "https:///ews/exchange.asmx",
    "https://a b/ews/exchange.asmx",
    "https://a:99999/",
    "https://[::1",
    "https://a\x00b/",
    "https://" + "a" * 3000,
]
CLOUD = [
    "https://outlook.office365.com/EWS/Exchange.asmx",
    "outlook.office.com",
    "https://anything.OUTLOOK.com/owa",
    "http://example.onmicrosoft.com",
    "https://partner.outlook.cn/EWS/Exchange.asmx",
    "https://outlook.office365.us/",
]


@pytest.mark.parametrize("typed", GOOD)
def test_the_address_of_the_web_service_is_taken_however_its_path_is_capitalised(typed: str) -> None:
    assert service_url(typed) == GOOD[typed]
    assert service_url(GOOD[typed]) == GOOD[typed]


@pytest.mark.parametrize("typed", SUGGESTED)
def test_another_address_of_the_server_is_answered_with_the_one_that_was_meant(typed: str) -> None:
    with pytest.raises(ExchangeUrlInvalid) as refused:
        service_url(typed)
    assert refused.value.suggestion == SUGGESTED[typed]
    service_url(SUGGESTED[typed])
    assert "secret" not in f"{refused.value}{refused.value!r}"


@pytest.mark.parametrize("typed", HOPELESS, ids=repr)
def test_what_names_no_server_gets_no_suggestion(typed: str) -> None:
    with pytest.raises(ExchangeUrlInvalid) as refused:
        service_url(typed)
    assert refused.value.suggestion is None


@pytest.mark.parametrize("typed", CLOUD)
def test_microsofts_own_servers_are_office_365(typed: str) -> None:
    with pytest.raises(HostedByMicrosoft):
        service_url(typed)
