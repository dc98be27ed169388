"""Connecting a mailbox with an address and a password (S23 to S31, S36 to S40, S81, S82, S92, A-EX1, A-EX2, OA-9)."""

import logging
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from meetings.adapters.exchange.provider import ExchangeSettings, exchange_provider
from meetings.adapters.exchange.simulator import PASSWORD, ExchangeSimulator, forward_proxy
from meetings.adapters.exchange.trial import APP_PASSWORD_HELP
from meetings.application.ports.calendars import (
    CalendarProvider,
    ConnectedMailbox,
    LoginCheck,
    LoginProblem,
    LoginRefused,
    LoginStep,
    MailboxCredentials,
    ProviderUnavailable,
    RateLimited,
    ServerAuth,
    StepOutcome,
)
from tests.contracts.calendars.wishes import a_wish
from tests.contracts.calendars.world import NOW, HeldCredentials
from tests.contracts.exchange.https_server import Asked, Authority, https_server

ADA, TEAM, ROOM = "ada@example.com", "team@example.com", "room@example.com"
WRITES = {"CreateItem", "UpdateItem", "DeleteItem", "Subscribe"}


def _provider(exchange: ExchangeSimulator, **settings: Any) -> CalendarProvider:
    given = {"private_networks": (f"localhost:{exchange.port}",), "ca_file": exchange.ca_file, **settings}
    return exchange_provider(ExchangeSettings(**given), now=lambda: NOW)


def _typed(exchange: ExchangeSimulator, **changes: Any) -> MailboxCredentials:
    return replace(MailboxCredentials(ADA, PASSWORD, server_url=exchange.ews_url), **changes)


async def _connected(exchange: ExchangeSimulator, given: MailboxCredentials, **settings: Any) -> ConnectedMailbox:
    login = _provider(exchange, **settings).login
    assert login is not None
    return await login.connect(given)


async def _refused(exchange: ExchangeSimulator, given: MailboxCredentials, **settings: Any) -> LoginRefused:
    with pytest.raises(LoginRefused) as refused:
        await _connected(exchange, given, **settings)
    return refused.value


async def _checks(exchange: ExchangeSimulator, given: MailboxCredentials, **settings: Any) -> tuple[LoginCheck, ...]:
    login = _provider(exchange, **settings).login
    assert login is not None
    return await login.examine(given)


# ---- what a login gives ---------------------------------------------------------------------------------------------


async def test_a_login_gives_credentials_that_work_the_version_and_the_calendars(exchange: ExchangeSimulator) -> None:
    choir = exchange.add_calendar(ADA, "Choir")
    connected = await _connected(exchange, _typed(exchange))
    assert connected.account_email == ADA
    assert connected.server_url == exchange.ews_url
    assert connected.server_version.startswith("Exchange 2010 SP2 (14.2.")
    assert [each.external_id for each in connected.calendars] == [exchange.calendar_of(ADA), choir]
    assert [each.time_zone for each in connected.calendars] == ["Europe/Berlin"] * 2
    calendars = _provider(exchange).calendars(HeldCredentials(connected.credentials))
    assert await calendars.list_calendars() == connected.calendars


async def test_a_login_writes_nothing_to_the_mailbox(exchange: ExchangeSimulator) -> None:
    await _connected(exchange, _typed(exchange))
    assert {call.operation for call in exchange.calls}.isdisjoint(WRITES)
    assert (exchange.events(exchange.calendar_of(ADA)), exchange.mails) == ([], [])


@pytest.mark.parametrize("version", ["8.1", "14.1"])
async def test_servers_before_2010_sp2_are_refused_with_their_version(version: str) -> None:
    with ExchangeSimulator(version=version).serve() as old:
        old.add_account(ADA)
        refused = await _refused(old, _typed(old))
    assert refused.problem is LoginProblem.VERSION_UNSUPPORTED
    assert refused.suggestion is not None
    assert f"({version}." in refused.suggestion


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("14.2", "Exchange 2010 SP2"),
        ("15.0", "Exchange 2013"),
        ("15.1", "Exchange 2016"),
        ("15.2", "Exchange 2019"),
    ],
)
async def test_2010_sp2_and_later_connect(version: str, name: str) -> None:
    with ExchangeSimulator(version=version).serve() as server:
        server.add_account(ADA)
        connected = await _connected(server, _typed(server))
    assert connected.server_version.startswith(f"{name} ({version}.")


# ---- passwords ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "wished", "used"),
    [
        (("Basic", "NTLM"), ServerAuth.AUTO, "NTLM"),
        (("Basic",), ServerAuth.AUTO, "Basic"),
        (("NTLM",), ServerAuth.AUTO, "NTLM"),
        (("Basic", "NTLM"), ServerAuth.BASIC, "Basic"),
        (("Basic", "NTLM"), ServerAuth.NTLM, "NTLM"),
    ],
)
async def test_the_password_is_shown_as_wished_or_the_best_way_the_server_offers(
    exchange: ExchangeSimulator, offered: tuple[str, ...], wished: ServerAuth, used: str
) -> None:
    exchange.settings.schemes = offered
    connected = await _connected(exchange, _typed(exchange, auth=wished))
    exchange.forget_calls()
    await _provider(exchange).calendars(HeldCredentials(connected.credentials)).list_calendars()
    assert {call.scheme for call in exchange.calls if call.account} <= {used, "connection"}
    assert used in {call.scheme for call in exchange.calls}


async def test_a_way_the_server_does_not_offer_is_not_tried(exchange: ExchangeSimulator) -> None:
    exchange.settings.schemes = ("NTLM",)
    refused = await _refused(exchange, _typed(exchange, auth=ServerAuth.BASIC))
    assert (refused.problem, refused.suggestion) == (LoginProblem.CREDENTIALS_REJECTED, "ntlm")
    assert {call.scheme for call in exchange.calls} == {None}
    assert all("authorization" not in call.headers for call in exchange.calls)


@pytest.mark.parametrize("auth", [ServerAuth.BASIC, ServerAuth.NTLM])
async def test_a_wrong_password_is_tried_once(exchange: ExchangeSimulator, auth: ServerAuth) -> None:
    refused = await _refused(exchange, _typed(exchange, username=ADA, password="wrong", auth=auth))
    assert refused.problem is LoginProblem.CREDENTIALS_REJECTED
    assert exchange.failed_sign_ins(ADA) == 1


@pytest.mark.parametrize("auth", [ServerAuth.BASIC, ServerAuth.NTLM])
async def test_without_a_user_name_a_wrong_password_is_tried_once_per_name(
    exchange: ExchangeSimulator, auth: ServerAuth
) -> None:
    refused = await _refused(exchange, _typed(exchange, password="wrong", auth=auth))
    assert refused.problem is LoginProblem.USERNAME_REQUIRED
    assert (exchange.failed_sign_ins(ADA), exchange.is_locked(ADA)) == (2, False)


async def test_the_part_before_the_at_is_the_second_name(exchange: ExchangeSimulator) -> None:
    exchange.add_account("dora@example.com", names=("alias",))
    connected = await _connected(exchange, _typed(exchange, email="dora@example.com"))
    assert connected.account_email == "dora@example.com"
    assert exchange.failed_sign_ins("dora@example.com") == 0


@pytest.mark.parametrize("username", ["hmueller", r"EXAMPLE\hmueller", "HMueller"])
@pytest.mark.parametrize("auth", [ServerAuth.BASIC, ServerAuth.NTLM])
async def test_a_user_name_may_differ_from_the_address(
    exchange: ExchangeSimulator, username: str, auth: ServerAuth
) -> None:
    exchange.add_account("dmueller@example.com", alias="hmueller", names=("alias", "domain"))
    given = _typed(exchange, email="dmueller@example.com", username=username, auth=auth)
    assert (await _connected(exchange, given)).account_email == "dmueller@example.com"


async def test_a_password_with_letters_of_any_script_is_accepted(exchange: ExchangeSimulator) -> None:
    exchange.add_account("olga@example.com", password="пароль: déjà vu")
    for auth in (ServerAuth.BASIC, ServerAuth.NTLM):
        given = _typed(exchange, email="olga@example.com", password="пароль: déjà vu", auth=auth)
        assert (await _connected(exchange, given)).account_email == "olga@example.com"


@pytest.mark.parametrize("auth", [ServerAuth.BASIC, ServerAuth.NTLM])
async def test_an_account_with_two_factors_needs_an_app_password(exchange: ExchangeSimulator, auth: ServerAuth) -> None:
    exchange.add_account("tina@example.com", app_password="abcd efgh ijkl mnop")
    given = _typed(exchange, email="tina@example.com", auth=auth)
    refused = await _refused(exchange, given)
    assert (refused.problem, refused.suggestion) == (LoginProblem.APP_PASSWORD_REQUIRED, APP_PASSWORD_HELP)
    assert exchange.failed_sign_ins("tina@example.com") == 1
    assert await _connected(exchange, replace(given, password="abcd efgh ijkl mnop"))


# ---- whose mailbox --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("full_access", [True, False])
async def test_somebody_elses_mailbox_is_no_personal_one(exchange: ExchangeSimulator, full_access: bool) -> None:
    exchange.add_account(TEAM, kind="shared")
    if full_access:
        exchange.share_mailbox(TEAM, ADA)
    refused = await _refused(exchange, _typed(exchange, email=TEAM, username=ADA))
    assert refused.problem is LoginProblem.SHARED_MAILBOX


async def test_a_room_is_no_personal_mailbox_even_if_it_can_sign_in(exchange: ExchangeSimulator) -> None:
    exchange.add_account(ROOM, kind="room")
    exchange.disable(ROOM, disabled=False)
    refused = await _refused(exchange, _typed(exchange, email=ROOM))
    assert refused.problem is LoginProblem.SHARED_MAILBOX


async def test_an_account_without_a_mailbox_is_told_so(exchange: ExchangeSimulator) -> None:
    exchange.remove_mailbox(ADA)
    assert (await _refused(exchange, _typed(exchange))).problem is LoginProblem.MAILBOX_NOT_FOUND


async def test_an_address_nobody_has_is_no_mailbox(exchange: ExchangeSimulator) -> None:
    refused = await _refused(exchange, _typed(exchange, email="nobody@example.com", username=ADA))
    assert refused.problem is LoginProblem.MAILBOX_NOT_FOUND


async def test_a_mailbox_on_the_move_is_asked_again_later(exchange: ExchangeSimulator) -> None:
    exchange.move_mailbox(ADA)
    with pytest.raises(ProviderUnavailable):
        await _connected(exchange, _typed(exchange))


# ---- the server -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/owa", "/home", "", "/EWS/Exchange.asmx/more"])
async def test_another_address_of_the_server_is_refused_with_the_right_one(
    exchange: ExchangeSimulator, path: str
) -> None:
    refused = await _refused(exchange, _typed(exchange, server_url=exchange.url + path))
    assert refused.problem is LoginProblem.URL_INVALID
    assert refused.suggestion == f"{exchange.url}/ews/exchange.asmx"
    assert exchange.calls == []


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ("200 OK\r\nContent-Type: text/html", LoginProblem.URL_INVALID),
        ("302 Found\r\nLocation: /owa/auth/logon.aspx", LoginProblem.URL_INVALID),
        ("404 Not Found", LoginProblem.URL_INVALID),
        ("403 Forbidden", LoginProblem.UNREACHABLE),
    ],
)
async def test_a_server_that_shows_a_login_page_gets_no_password(head: str, problem: LoginProblem) -> None:
    authority = Authority()

    def answer(connection: Any, asked: Asked) -> None:
        connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: 7\r\n\r\nSign in".encode())

    with https_server(authority.server("localhost"), answer) as server:
        url = f"https://localhost:{server.port}"
        provider = exchange_provider(ExchangeSettings(private_networks=(f"localhost:{server.port}",)), now=lambda: NOW)
        assert provider.login is not None
        given = MailboxCredentials(ADA, PASSWORD, server_url=f"{url}/EWS/Exchange.asmx", ca_certificate=authority.pem)
        with pytest.raises(LoginRefused) as refused:
            await provider.login.connect(given)
    assert refused.value.problem is problem
    assert refused.value.suggestion == (f"{url}/ews/exchange.asmx" if problem is LoginProblem.URL_INVALID else None)
    assert len(server.asked) == 1
    assert "authorization" not in {name.lower() for name in server.asked[0].headers}


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "content_type": "text/html", "body": "<html>Sign in to Outlook</html>"},
        {"status": 302, "headers": {"Location": "/owa/auth/logon.aspx"}},
        {"status": 404},
    ],
)
async def test_a_server_that_shows_a_page_after_signing_in_has_no_web_service_there(
    exchange: ExchangeSimulator, answer: dict[str, Any]
) -> None:
    exchange.fault(times=None, **answer)
    refused = await _refused(exchange, _typed(exchange))
    assert refused.problem is LoginProblem.URL_INVALID
    assert refused.suggestion == f"{exchange.url}/ews/exchange.asmx"


@pytest.mark.parametrize(
    ("email", "server_url"),
    [
        (ADA, "https://outlook.office365.com/EWS/Exchange.asmx"),
        ("ada@contoso.onmicrosoft.com", None),
        ("ada@hotmail.com", None),
    ],
)
async def test_exchange_online_is_sent_to_office_365_without_a_call(
    exchange: ExchangeSimulator, email: str, server_url: str | None
) -> None:
    refused = await _refused(exchange, _typed(exchange, email=email, server_url=server_url))
    assert (refused.problem, exchange.calls) == (LoginProblem.USE_OFFICE365, [])


async def test_a_server_in_a_private_network_is_called_only_if_the_operator_lists_it(
    exchange: ExchangeSimulator,
) -> None:
    for settings in ({"private_networks": ()}, {"private_networks": ("mail.corp.example",)}):
        for url in (exchange.ews_url, f"https://127.0.0.1:{exchange.port}/EWS/Exchange.asmx"):
            refused = await _refused(exchange, _typed(exchange, server_url=url), **settings)
            assert refused.problem is LoginProblem.ADDRESS_FORBIDDEN
    for url in ("https://169.254.169.254/EWS/Exchange.asmx", "https://10.0.0.1/EWS/Exchange.asmx"):
        refused = await _refused(exchange, _typed(exchange, server_url=url))
        assert refused.problem is LoginProblem.ADDRESS_FORBIDDEN
    assert exchange.calls == []


async def test_a_server_that_cannot_be_reached_comes_with_the_addresses_to_let_in(exchange: ExchangeSimulator) -> None:
    settings: dict[str, Any] = {"static_ranges": ("203.0.113.0/28", "203.0.113.64/28"), "egress_address": "127.0.0.1"}
    closed = f"https://localhost:{exchange.port}"
    exchange.fault(lambda call: True, reset=True, times=None)
    refused = await _refused(exchange, _typed(exchange, server_url=f"{closed}/EWS/Exchange.asmx"), **settings)
    assert refused.problem is LoginProblem.UNREACHABLE
    assert refused.suggestion == "203.0.113.0/28, 203.0.113.64/28"
    unknown = await _refused(exchange, _typed(exchange, server_url="https://mail.invalid/EWS/Exchange.asmx"))
    assert (unknown.problem, unknown.suggestion) == (LoginProblem.UNREACHABLE, None)


async def test_a_slow_server_is_unreachable_in_time(exchange: ExchangeSimulator) -> None:
    exchange.fault(lambda call: True, delay_before=5, times=None)
    refused = await _refused(exchange, _typed(exchange), total_seconds=0.3)
    assert refused.problem is LoginProblem.UNREACHABLE


async def test_a_busy_server_says_when_to_come_back(exchange: ExchangeSimulator) -> None:
    exchange.fault("GetFolder", status=503, retry_after=17)
    with pytest.raises(RateLimited) as busy:
        await _connected(exchange, _typed(exchange))
    assert busy.value.retry_after == 17
    for operation in ("GetFolder", "FindFolder"):
        exchange.fault(operation, code="ErrorServerBusy", back_off_ms=9000)
        with pytest.raises(RateLimited) as later:
            await _connected(exchange, _typed(exchange))
        assert later.value.retry_after == 9


# ---- certificates ---------------------------------------------------------------------------------------------------


async def test_a_private_authority_is_believed_where_it_was_given_and_nowhere_else(
    exchange: ExchangeSimulator,
) -> None:
    provider = _provider(exchange, ca_file=None)
    assert provider.login is not None
    given = _typed(exchange)
    with pytest.raises(LoginRefused) as refused:
        await provider.login.connect(given)
    assert refused.value.problem is LoginProblem.CERTIFICATE_INVALID
    assert all("authorization" not in call.headers for call in exchange.calls)
    trusted = await provider.login.connect(replace(given, ca_certificate=exchange.ca_pem))
    assert await provider.calendars(HeldCredentials(trusted.credentials)).list_calendars()
    with pytest.raises(LoginRefused) as again:
        await provider.login.connect(given)
    assert again.value.problem is LoginProblem.CERTIFICATE_INVALID


@pytest.mark.parametrize("pem", ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
async def test_what_is_no_certificate_does_not_switch_verification_off(exchange: ExchangeSimulator, pem: str) -> None:
    refused = await _refused(exchange, _typed(exchange, ca_certificate=pem), ca_file=None)
    assert (refused.problem, exchange.calls) == (LoginProblem.CERTIFICATE_INVALID, [])


async def test_a_self_signed_certificate_is_refused_unless_it_was_given() -> None:
    with ExchangeSimulator(tls="self-signed").serve() as server:
        server.add_account(ADA)
        refused = await _refused(server, _typed(server), ca_file=None)
        assert refused.problem is LoginProblem.CERTIFICATE_INVALID
        assert await _connected(server, _typed(server, ca_certificate=server.ca_pem), ca_file=None)


async def test_a_certificate_for_another_name_is_refused() -> None:
    with ExchangeSimulator(hosts=("mail.example.net",)).serve() as server:
        server.add_account(ADA)
        refused = await _refused(server, _typed(server))
    assert refused.problem is LoginProblem.CERTIFICATE_INVALID
    assert server.calls == []


async def test_a_server_without_tls_is_never_shown_a_password() -> None:
    with ExchangeSimulator(tls="plain").serve() as server:
        server.add_account(ADA)
        url = server.ews_url.replace("http://", "https://")
        refused = await _refused(server, _typed(server, server_url=url), ca_file=None)
    assert (refused.problem, server.calls) == (LoginProblem.UNREACHABLE, [])


# ---- the dry run ----------------------------------------------------------------------------------------------------


async def test_a_dry_run_tells_every_step_in_order(exchange: ExchangeSimulator) -> None:
    checks = await _checks(exchange, _typed(exchange))
    assert [check.step for check in checks] == list(LoginStep)
    assert [check.outcome for check in checks if check.step is not LoginStep.DISCOVERY] == [StepOutcome.PASSED] * 7
    assert checks[1].outcome is StepOutcome.SKIPPED
    assert all(check.detail.endswith(".") and check.problem is None for check in checks)
    assert "Exchange 2010 SP2 (14.2." in checks[4].detail


@pytest.mark.parametrize(
    ("changes", "failing", "problem"),
    [
        ({"server_url": "https://localhost/owa"}, LoginStep.ADDRESS, LoginProblem.URL_INVALID),
        ({"email": "ada@mail.invalid", "server_url": None}, LoginStep.DISCOVERY, LoginProblem.URL_REQUIRED),
        ({"ca_certificate": "nonsense"}, LoginStep.TLS, LoginProblem.CERTIFICATE_INVALID),
        ({"username": ADA, "password": "no"}, LoginStep.AUTHENTICATION, LoginProblem.CREDENTIALS_REJECTED),
        ({"email": TEAM, "username": ADA}, LoginStep.MAILBOX, LoginProblem.SHARED_MAILBOX),
    ],
)
async def test_after_a_step_that_failed_the_rest_is_skipped(
    exchange: ExchangeSimulator, changes: dict[str, Any], failing: LoginStep, problem: LoginProblem
) -> None:
    exchange.add_account(TEAM, kind="shared")
    checks = await _checks(exchange, _typed(exchange, **changes))
    (failed,) = [check for check in checks if check.outcome is StepOutcome.FAILED]
    assert (failed.step, failed.problem) == (failing, problem)
    after = checks[list(LoginStep).index(failing) + 1 :]
    assert {check.outcome for check in after} <= {StepOutcome.SKIPPED}
    assert len(checks) == len(LoginStep)


@pytest.mark.parametrize(
    ("operation", "failing"),
    [("FindFolder", LoginStep.CALENDAR), ("FindItem", LoginStep.FREE_BUSY)],
)
async def test_a_dry_run_names_the_step_in_which_a_server_breaks(
    exchange: ExchangeSimulator, operation: str, failing: LoginStep
) -> None:
    exchange.fault(operation, status=500, times=None)
    checks = await _checks(exchange, _typed(exchange))
    assert [check.step for check in checks if check.outcome is StepOutcome.FAILED] == [failing]


async def test_a_dry_run_that_takes_too_long_names_the_step_it_waits_for(exchange: ExchangeSimulator) -> None:
    exchange.fault("FindFolder", delay_before=8, times=None)
    checks = await _checks(exchange, _typed(exchange), total_seconds=2)
    assert [check.step for check in checks if check.outcome is StepOutcome.FAILED] == [LoginStep.CALENDAR]


# ---- secrets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", [ServerAuth.BASIC, ServerAuth.NTLM])
async def test_no_log_shows_a_password_at_any_level(
    exchange: ExchangeSimulator, caplog: pytest.LogCaptureFixture, auth: ServerAuth
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "hunter2 is wrong"
    connected = await _connected(exchange, _typed(exchange, auth=auth))
    await _provider(exchange).calendars(HeldCredentials(connected.credentials)).list_calendars()
    refused = await _refused(exchange, _typed(exchange, username=ADA, password=wrong, auth=auth))
    exchange.fault(lambda call: True, reset=True, times=None)
    unreachable = await _refused(exchange, _typed(exchange, auth=auth))
    shown = caplog.text + repr(refused) + repr(unreachable) + repr(connected) + repr(_typed(exchange))
    for secret in (PASSWORD, wrong):
        assert secret not in shown
        for name in (ADA, "ada"):
            assert b64encode(f"{name}:{secret}".encode()).decode() not in shown
    assert "Authorization" not in caplog.text


# ---- the operator's settings ----------------------------------------------------------------------------------------


async def test_calls_leave_through_the_operators_address(exchange: ExchangeSimulator) -> None:
    settings: dict[str, Any] = {"egress_address": "127.0.0.2", "static_ranges": ("127.0.0.2/32",)}
    connected = await _connected(exchange, _typed(exchange), **settings)
    provider = _provider(exchange, **settings)
    await provider.calendars(HeldCredentials(connected.credentials)).list_calendars()
    assert {call.peer[0] for call in exchange.calls} == {"127.0.0.2"}
    assert provider.login is not None
    assert provider.login.static_ranges == ("127.0.0.2/32",)


async def test_calls_leave_through_the_operators_proxy_which_never_learns_a_name_or_a_word(
    exchange: ExchangeSimulator,
) -> None:
    with forward_proxy(source="127.0.0.3") as proxy:
        settings: dict[str, Any] = {"egress_proxy": proxy.url, "static_ranges": ("127.0.0.3/32",)}
        connected = await _connected(exchange, _typed(exchange), **settings)
        held = HeldCredentials(connected.credentials)
        calendars = _provider(exchange, **settings).calendars(held)
        await calendars.put_event(connected.calendars[0].external_id, a_wish())
    assert {call.peer[0] for call in exchange.calls} == {"127.0.0.3"}
    assert {tunnel.asked for tunnel in proxy.tunnels} == {f"127.0.0.1:{exchange.port}"}
    assert proxy.refused == []


@pytest.mark.parametrize(
    "settings",
    [
        {"static_ranges": ("203.0.113.0/28",)},
        {"egress_proxy": "https://proxy.example"},
        {"egress_address": "everywhere"},
        {"private_networks": ("10.0.0.0/99",)},
    ],
)
def test_settings_that_promise_what_they_do_not_keep_are_refused_at_once(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        exchange_provider(ExchangeSettings(**settings), now=lambda: datetime.now(UTC))


def test_a_file_without_certificates_is_refused_at_once(tmp_path: Any) -> None:
    empty = tmp_path / "authority.pem"
    empty.write_text("nothing here")
    with pytest.raises(ValueError, match="certificate"):
        exchange_provider(ExchangeSettings(ca_file=str(empty)), now=lambda: NOW)
    with pytest.raises(OSError, match="missing"):
        exchange_provider(ExchangeSettings(ca_file=str(tmp_path / "missing.pem")), now=lambda: NOW)
