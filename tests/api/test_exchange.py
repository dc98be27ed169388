"""Exchange mailboxes through the API: connecting, every way in which that is refused, presets, limits."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from meetings.adapters.exchange.disclosure import DISCLOSURE
from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.application.uses import disclosure_of
from meetings.domain.account_use import BOTH
from meetings.domain.calendar_connection import ConnectionStatus, Provider
from meetings.domain.user import Role
from meetings.graphql.exchange import ExchangeInput
from meetings.infrastructure.database.tables import connections
from tests.api.documents import (
    BOOK,
    CANCEL,
    CONNECT_MAILBOX,
    ERRORS,
    FULL_SYNC,
    MOVE,
    REMOVE_PRESET,
    SET_PRESET,
    TEST_MAILBOX,
    at,
    book,
)
from tests.api.refusals import Refusals, every_code_of
from tests.databases import Simulators
from tests.mailboxes import MAILBOX_PASSWORD, AtExchange, exchange_server, may_call
from tests.product import ApiClient, Product, TopLevelErrors, product, until
from tests.world import HOST_EMAIL

VERSION = DISCLOSURE.version
RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py

SYNC = (
    "mutation($on: Boolean) { updateSettings(input: {calendarSync: $on}) "
    f"{{ settings {{ calendarSync }} {ERRORS} }} }}"
)
MANAGED = (
    "query($token: String!) { bookingByToken(token: $token) "
    "{ status canCancel canReschedule canCancelUntil canRescheduleUntil } }"
)
HOSTED = "{ viewer { bookings { nodes { id status canCancel canReschedule } } } }"


@pytest.fixture
async def served(database_url: str, simulators: Simulators, exchange: ExchangeSimulator) -> AsyncIterator[Product]:
    """The product, allowed to call Anna's Exchange server."""
    async with product(database_url, *simulators, **may_call(exchange)) as started:
        yield started


def given(exchange: ExchangeSimulator, **other: Any) -> dict[str, Any]:
    return {"email": HOST_EMAIL, "password": MAILBOX_PASSWORD, "serverUrl": exchange.ews_url, **other}


async def connect(served: Product, host: ApiClient, exchange: ExchangeSimulator) -> dict[str, Any]:
    """Anna connects, and her calendar is read."""
    payload = (await host.ask(CONNECT_MAILBOX, input=given(exchange), version=VERSION))["connectExchangeCalendar"]
    assert payload["errors"] == []

    async def read() -> bool:
        return (await served.here.connection()).status is ConnectionStatus.ACTIVE

    await until("reading the calendar", read)
    return dict(payload)


# ---- connecting ---------------------------------------------------------------------------------------------------


async def test_the_dialog_lists_exchange_with_its_notice(served: Product, host: ApiClient) -> None:
    """S13, S34, S33: also what S94 to S98 say, and what mail needs."""
    viewer = (
        await host.ask(
            "{ viewer { calendarProviders { provider connectWith helpUrl disclosure { version notes acceptedAt } } } }"
        )
    )["viewer"]
    kinds = {each["provider"]: each for each in viewer["calendarProviders"]}
    assert {name: kind["connectWith"] for name, kind in kinds.items()} == {
        "GOOGLE": "CONSENT_PAGE",
        "EXCHANGE": "PASSWORD",
    }
    shown = disclosure_of(served.here.tools.providers[Provider.EXCHANGE], BOTH)
    assert set(DISCLOSURE.notes) <= set(shown.notes)
    assert shown.version.startswith(f"{VERSION}+")
    assert kinds["EXCHANGE"]["disclosure"] == {
        "version": shown.version,
        "notes": list(shown.notes),
        "acceptedAt": None,
    }
    assert all(kind["helpUrl"].startswith("https://") for kind in kinds.values())


async def test_one_submit_connects_and_leads_to_the_dashboard(
    served: Product, host: ApiClient, exchange: ExchangeSimulator
) -> None:
    """S2, S40, S41, S17, S30, S58."""
    payload = await connect(served, host, exchange)
    assert payload["redirectTo"] == served.here.tools.links.dashboard_url
    assert payload["selectionKept"] is True
    connection = payload["connection"]
    assert (connection["provider"], connection["accountEmail"]) == ("EXCHANGE", HOST_EMAIL)
    assert connection["serverUrl"] == exchange.ews_url
    assert connection["serverVersion"].startswith("Exchange 2010 SP2 (14.2.")
    assert connection["capabilities"] == []
    assert [calendar["isDefault"] for calendar in connection["busyCalendars"]] == [True]
    assert "password" not in str(payload).lower()
    accepted = await host.ask("{ viewer { calendarDisclosure(provider: EXCHANGE, uses: [CALENDAR]) { acceptedAt } } }")
    assert accepted["viewer"]["calendarDisclosure"]["acceptedAt"]


async def test_connecting_is_refused(served: Product, host: ApiClient, exchange: ExchangeSimulator) -> None:
    """Every code of section 8, each with what helps, and nothing is stored (S40)."""

    def wish(**other: Any) -> dict[str, Any]:
        return {"input": given(exchange, **other), "version": VERSION}

    async with every_code_of(served, "connectExchangeCalendar", elsewhere=[RACES]) as refused:
        await refused.one(
            host, CONNECT_MAILBOX, "CONSENT_REQUIRED", ["acceptedDisclosure"], **{**wish(), "version": "x"}
        )
        errors = await refused.all(host, CONNECT_MAILBOX, input={}, version=VERSION)
        assert {(error["code"], error["rule"], *error["path"]) for error in errors} == {
            ("VALIDATION", "REQUIRED", "input", "email"),
            ("VALIDATION", "REQUIRED", "input", "password"),
        }
        error = await refused.one(
            host, CONNECT_MAILBOX, "VALIDATION", ["input", "email"], **wish(email="not-an-address")
        )
        assert error["rule"] == "NOT_AN_EMAIL"
        await refused.one(host, CONNECT_MAILBOX, "VALIDATION", ["input", "caCertificate"], **wish(caCertificate="x"))
        await refused.one(host, CONNECT_MAILBOX, "NOT_FOUND", ["reconnect"], **wish(), reconnect="nonsense")
        assert exchange.calls == []

        wrong = wish(username="anna", password="wrong")
        await refused.one(host, CONNECT_MAILBOX, "CREDENTIALS_REJECTED", ["input", "password"], **wrong)
        exchange.add_account("two@example.com", password="pw", app_password="abcd-efgh")
        error = await refused.one(
            host,
            CONNECT_MAILBOX,
            "APP_PASSWORD_REQUIRED",
            ["input", "password"],
            **wish(email="two@example.com", password="pw"),
        )
        assert error["helpUrl"].startswith("https://support.microsoft.com/")

        for typed in (exchange.url + "/owa", exchange.ews_url.replace("https", "http")):
            error = await refused.one(
                host, CONNECT_MAILBOX, "EXCHANGE_URL_INVALID", ["input", "serverUrl"], **wish(serverUrl=typed)
            )
            assert error["suggestion"] == exchange.ews_url.lower()
            assert error["suggestion"] in error["message"]
        error = await refused.one(
            host,
            CONNECT_MAILBOX,
            "EXCHANGE_URL_INVALID",
            ["input", "serverUrl"],
            **wish(serverUrl="https://169.254.169.254/ews/exchange.asmx"),
        )
        assert (error["suggestion"], "not allowed to call" in error["message"]) == (None, True)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            closed = listener.getsockname()[1]
        nobody = f"https://localhost:{closed}/ews/exchange.asmx"
        error = await refused.one(
            host, CONNECT_MAILBOX, "EXCHANGE_UNREACHABLE", ["input", "serverUrl"], **wish(serverUrl=nobody)
        )
        assert "allowlist" in error["message"]
        with exchange_server(tls="self-signed") as untrusted:
            error = await refused.one(
                host,
                CONNECT_MAILBOX,
                "EXCHANGE_UNREACHABLE",
                ["input", "serverUrl"],
                **wish(serverUrl=untrusted.ews_url),
            )
            assert "certificate" in error["message"]
            assert untrusted.failed_sign_ins(HOST_EMAIL) == 0
        with exchange_server(version="14.1") as old:
            error = await refused.one(
                host,
                CONNECT_MAILBOX,
                "EXCHANGE_VERSION_UNSUPPORTED",
                ["input", "serverUrl"],
                **wish(serverUrl=old.ews_url, caCertificate=old.ca_pem),
            )
            assert "14.1" in error["serverVersion"]
            assert error["serverVersion"] in error["message"]

        cloud = wish(serverUrl="https://outlook.office365.com/EWS/Exchange.asmx")
        error = await refused.one(host, CONNECT_MAILBOX, "USE_OFFICE365", ["input", "email"], **cloud)
        assert error["useInstead"] == "OFFICE365"
        exchange.add_account("team@example.com", "Team", kind="shared")
        exchange.share_mailbox("team@example.com", HOST_EMAIL)
        error = await refused.one(
            host,
            CONNECT_MAILBOX,
            "SHARED_MAILBOX_NOT_ALLOWED",
            ["input", "email"],
            **wish(email="team@example.com", username=HOST_EMAIL),
        )
        assert "hosted team mail" in error["message"]
        exchange.add_account("nobox@example.com", password="pw", has_mailbox=False)
        nobox = wish(email="nobox@example.com", password="pw")
        await refused.one(host, CONNECT_MAILBOX, "MAILBOX_NOT_FOUND", ["input", "email"], **nobox)
        exchange.set_rights(exchange.calendar_of(HOST_EMAIL), "reader")
        await refused.one(host, CONNECT_MAILBOX, "CALENDAR_NOT_ELIGIBLE", **wish())
        exchange.set_rights(exchange.calendar_of(HOST_EMAIL), "owner")

        exchange.fault("FindFolder", code="ErrorServerBusy", back_off_ms=90_000)
        error = await refused.one(host, CONNECT_MAILBOX, "RATE_LIMITED", **wish())
        assert (error["retryAfter"], error["limit"]) == ("PT1M30S", None)
        exchange.fault("FindFolder", status=500)
        await refused.one(host, CONNECT_MAILBOX, "PROVIDER_UNAVAILABLE", **wish())
        exchange.clear_faults()

        async with served.here.runtime.database.snapshot() as connection:
            assert (await connection.execute(select(connections))).all() == []
        await connect(served, host, exchange)
        await refused.one(host, CONNECT_MAILBOX, "ALREADY_CONNECTED", **wish())


async def test_what_a_server_needs_beyond_the_form_is_asked_for(
    served: Product, host: ApiClient, exchange: ExchangeSimulator
) -> None:
    """S25: the field and the rule."""
    refused = Refusals(served, "connectExchangeCalendar")
    unknown = given(exchange, email="anna@corp.invalid", serverUrl=None)
    error = await refused.one(
        host, CONNECT_MAILBOX, "VALIDATION", ["input", "serverUrl"], input=unknown, version=VERSION
    )
    assert error["rule"] == "REQUIRED_BY_SERVER"
    exchange.add_account("dm@example.com", password="pw", alias="hmueller", names=("alias",))
    nameless = given(exchange, email="dm@example.com", password="pw")
    error = await refused.one(
        host, CONNECT_MAILBOX, "VALIDATION", ["input", "username"], input=nameless, version=VERSION
    )
    assert error["rule"] == "REQUIRED_BY_SERVER"
    named = {**nameless, "username": "hmueller"}
    payload = (await host.ask(CONNECT_MAILBOX, input=named, version=VERSION))["connectExchangeCalendar"]
    assert payload["errors"] == []


async def test_a_dry_run_tells_every_step_and_is_refused_like_connecting(
    served: Product, host: ApiClient, exchange: ExchangeSimulator
) -> None:
    async with every_code_of(
        served, "testExchangeConnection", elsewhere=["RATE_LIMITED", "PROVIDER_UNAVAILABLE"]
    ) as refused:
        await refused.one(host, TEST_MAILBOX, "VALIDATION", ["input", "password"], input=given(exchange, password=" "))
    good = (await host.ask(TEST_MAILBOX, input=given(exchange)))["testExchangeConnection"]
    assert good["errors"] == []
    steps = {check["step"]: check for check in good["checks"]}
    assert list(steps) == [
        "ADDRESS",
        "DISCOVERY",
        "TLS",
        "AUTHENTICATION",
        "VERSION",
        "MAILBOX",
        "CALENDAR",
        "FREE_BUSY",
    ]
    assert {check["outcome"] for name, check in steps.items() if name != "DISCOVERY"} == {"PASSED"}
    assert all(check["detail"] for check in good["checks"])
    bad = given(exchange, password="canary-wrong", username="anna")
    failed = (await host.ask(TEST_MAILBOX, input=bad))["testExchangeConnection"]
    outcomes = {check["step"]: (check["outcome"], check["problem"]) for check in failed["checks"]}
    assert outcomes["AUTHENTICATION"] == ("FAILED", "CREDENTIALS_REJECTED")
    assert outcomes["FREE_BUSY"] == ("SKIPPED", None)
    assert "canary" not in str(failed)
    assert (await host.ask("{ viewer { calendarConnections { id } } }"))["viewer"]["calendarConnections"] == []


async def test_a_slow_server_is_waited_for_longer_than_other_operations_may_take(
    host: ApiClient, exchange: ExchangeSimulator
) -> None:
    """An operation has ten seconds; somebody's server may need more."""
    exchange.fault("FindFolder", delay_before=6)
    exchange.fault("FindItem", delay_before=6)
    slow = (await host.ask(TEST_MAILBOX, input=given(exchange)))["testExchangeConnection"]
    assert slow["errors"] == []
    assert [check["outcome"] for check in slow["checks"]][-2:] == ["PASSED", "PASSED"]


async def test_tries_are_limited_per_person_and_per_mailbox(
    database_url: str, simulators: Simulators, exchange: ExchangeSimulator
) -> None:
    """Nobody's mailbox gets locked from here; what never left for a server does not count."""
    rates = {"mailbox": ("4/minute",), "mailbox_per_account": ("100/minute",), "mailbox_per_login": ("2/minute",)}
    async with product(database_url, *simulators, rates=rates, **may_call(exchange)) as few:
        await few.here.add_colleague("Ben", "ben@example.com")
        async with few.host() as anna, ApiClient(few.url) as ben:
            await ben.sign_in("ben@example.com")

            async def codes(client: ApiClient, **other: Any) -> list[str]:
                payload = await client.ask(
                    CONNECT_MAILBOX, input=given(exchange, password="wrong", **other), version=VERSION
                )
                return [error["code"] for error in payload["connectExchangeCalendar"]["errors"]]

            for _ in range(9):
                assert await codes(anna, email="nonsense") == ["VALIDATION"]
            assert await codes(anna, username="EXAMPLE\\anna") == ["CREDENTIALS_REJECTED"]
            assert await codes(ben, username="anna") == ["CREDENTIALS_REJECTED"]
            assert await codes(ben, username="EXAMPLE\\ANNA") == ["RATE_LIMITED"]
            assert await codes(anna, email="x@example.com", username="anna") == ["RATE_LIMITED"]
            assert exchange.failed_sign_ins(HOST_EMAIL) == 2
            payload = await anna.ask(TEST_MAILBOX, input=given(exchange))
            [error] = payload["testExchangeConnection"]["errors"]
            assert (error["code"], error["limit"]) == ("RATE_LIMITED", 2)
            assert error["retryAfter"]
            assert await codes(anna, email="other@example.com") == ["VALIDATION"]
            assert await codes(anna, email="another@example.com") == ["RATE_LIMITED"]


async def test_entering_the_new_password_mends_the_connection(
    served: Product, host: ApiClient, exchange: ExchangeSimulator
) -> None:
    """B-EX4 as a front end sees it."""
    own = (await connect(served, host, exchange))["connection"]["id"]
    exchange.change_password(HOST_EMAIL, "a new one")
    viewer = "{ viewer { calendarConnections { id status needsAction statusMessage } } }"

    async def lost() -> bool:
        await served.here.sync()
        [connection] = (await host.ask(viewer))["viewer"]["calendarConnections"]
        return bool(connection["status"] == "REAUTH_REQUIRED")

    await until("noticing the password", lost)
    [connection] = (await host.ask(viewer))["viewer"]["calendarConnections"]
    assert connection["needsAction"] == "UPDATE_PASSWORD"
    assert "password" in connection["statusMessage"]
    mended = given(exchange, password="a new one")
    payload = (await host.ask(CONNECT_MAILBOX, input=mended, version=VERSION, reconnect=own))["connectExchangeCalendar"]
    assert (payload["errors"], payload["connection"]["needsAction"]) == ([], None)


# ---- presets and the network (A-EX3, S80) -------------------------------------------------------------------------


async def test_an_admin_presets_a_domain_and_its_people_find_the_server_filled_in(
    served: Product, host: ApiClient, exchange: ExchangeSimulator
) -> None:
    await served.here.add_colleague("Ben", "ben@example.com", Role.ADMIN)
    await served.here.add_colleague("Cleo", "cleo@example.com")
    ask = "query($email: String!) { viewer { exchangePreset(email: $email) { domain serverUrl } } }"
    everything = "{ viewer { exchangePresets { domain serverUrl } } }"
    preset = {"domain": "example.com", "serverUrl": exchange.ews_url}
    async with ApiClient(served.url) as ben, ApiClient(served.url) as cleo:
        await ben.sign_in("ben@example.com")
        await cleo.sign_in("cleo@example.com")
        async with every_code_of(served, "setExchangePreset", elsewhere=[RACES]) as refused:
            error = await refused.one(ben, SET_PRESET, "VALIDATION", ["domain"], domain="a@b.example", url="x")
            assert error["rule"] == "NOT_A_DOMAIN"
            error = await refused.one(
                ben, SET_PRESET, "EXCHANGE_URL_INVALID", ["serverUrl"], domain="x.example", url="https://x.example/owa"
            )
            assert error["suggestion"] == "https://x.example/ews/exchange.asmx"
            cloud = "https://outlook.office365.com/ews/exchange.asmx"
            await refused.one(ben, SET_PRESET, "USE_OFFICE365", ["serverUrl"], domain="x.example", url=cloud)
            url = exchange.ews_url
            await refused.one(cleo, SET_PRESET, "PERMISSION_MISSING", domain="example.com", url=url)
        done = (await ben.ask(SET_PRESET, domain=" Example.COM", url=exchange.ews_url.lower()))["setExchangePreset"]
        assert done == {"preset": preset, "errors": []}
        assert (await ben.ask(everything))["viewer"]["exchangePresets"] == [preset]
        with pytest.raises(TopLevelErrors) as closed:
            await cleo.ask(everything)
        assert closed.value.codes == ["FORBIDDEN"]
        assert (await cleo.ask(ask, email="Cleo@EXAMPLE.com"))["viewer"]["exchangePreset"] == preset
        for other in ("cleo@sub.example.com", "nonsense", ""):
            assert (await cleo.ask(ask, email=other))["viewer"]["exchangePreset"] is None

        without = {"email": HOST_EMAIL, "password": MAILBOX_PASSWORD}
        payload = (await host.ask(CONNECT_MAILBOX, input=without, version=VERSION))["connectExchangeCalendar"]
        assert payload["errors"] == []

        async with every_code_of(served, "removeExchangePreset", elsewhere=[RACES]) as refused:
            await refused.one(ben, REMOVE_PRESET, "NOT_FOUND", ["domain"], domain="x.example")
            await refused.one(cleo, REMOVE_PRESET, "PERMISSION_MISSING", domain="example.com")
        gone = (await ben.ask(REMOVE_PRESET, domain="EXAMPLE.com"))["removeExchangePreset"]
        assert gone == {"removedDomain": "example.com", "errors": []}
        assert (await ben.ask(everything))["viewer"]["exchangePresets"] == []


NETWORK = "{ viewer { exchangeNetwork { staticIpEnabled ranges } } }"


async def test_without_fixed_addresses_there_is_none_to_list(host: ApiClient) -> None:
    """A-EX4."""
    network = (await host.ask(NETWORK))["viewer"]["exchangeNetwork"]
    assert network == {"staticIpEnabled": False, "ranges": []}


async def test_the_addresses_for_an_allowlist_are_those_that_calls_leave_from(
    database_url: str, simulators: Simulators, exchange: ExchangeSimulator
) -> None:
    """S80; an unreachable server is answered with them (A-EX2)."""
    more = {**may_call(exchange), "exchange_egress_address": "127.0.0.1", "exchange_static_ranges": "192.0.2.0/28"}
    async with (
        product(database_url, *simulators, **more) as fixed,
        fixed.visitor() as visitor,
        fixed.host() as anna,
    ):
        assert (await visitor.ask(NETWORK))["viewer"] is None
        network = (await anna.ask(NETWORK))["viewer"]["exchangeNetwork"]
        assert network == {"staticIpEnabled": True, "ranges": ["192.0.2.0/28"]}
        nobody = given(exchange, serverUrl="https://localhost:1024/ews/exchange.asmx")
        refused = Refusals(fixed, "connectExchangeCalendar")
        error = await refused.one(
            anna, CONNECT_MAILBOX, "EXCHANGE_UNREACHABLE", ["input", "serverUrl"], input=nobody, version=VERSION
        )
        assert "192.0.2.0/28" in error["message"]
        await connect(fixed, anna, exchange)


# ---- limits (S94, S95) --------------------------------------------------------------------------------------------


async def test_neither_side_can_change_a_meeting_and_everything_says_so(
    served: Product, host: ApiClient, visitor: ApiClient, exchange: ExchangeSimulator
) -> None:
    await connect(served, host, exchange)
    await served.here.page()
    booked = (await visitor.ask(BOOK, input=book(at("10:00"))))["bookMeeting"]
    assert (booked["errors"], booked["booking"]["status"]) == ([], "CONFIRMED")
    token = booked["booking"]["manageToken"]
    managed = (await visitor.ask(MANAGED, token=token))["bookingByToken"]
    assert managed == {
        "status": "CONFIRMED",
        "canCancel": False,
        "canReschedule": False,
        "canCancelUntil": None,
        "canRescheduleUntil": None,
    }
    [own] = (await host.ask(HOSTED))["viewer"]["bookings"]["nodes"]
    assert (own["canCancel"], own["canReschedule"]) == (False, False)
    for client, ref in ((visitor, {"token": token}), (host, {"id": own["id"]})):
        cancelling, moving = Refusals(served, "cancelBooking"), Refusals(served, "rescheduleBooking")
        new = {"start": at("11:00"), "key": f"move-{ref}"}
        for error in (
            await cancelling.one(client, CANCEL, "CAPABILITY_UNSUPPORTED", None, booking=ref),
            await moving.one(client, MOVE, "CAPABILITY_UNSUPPORTED", None, booking=ref, **new),
        ):
            assert (error["provider"], error["capability"]) == ("EXCHANGE", "CHANGE_BOOKINGS")
    page = await visitor.http.get(f"/b/{token}")
    assert "does not let meetings be moved or cancelled from here" in page.text
    assert "<form" not in page.text
    tried = await visitor.http.post(f"/b/{token}/cancel", data={"reason": "x"})
    assert (tried.status_code, "This meeting cannot be changed here" in tried.text) == (409, True)
    file = await visitor.http.get(f"/b/{token}.ics")
    assert "/b/" not in file.text

    async with every_code_of(served, "setExchangeFullSync", elsewhere=[RACES]) as refused:
        await served.here.add_colleague("Cleo", "cleo@example.com")
        async with ApiClient(served.url) as cleo:
            await cleo.sign_in("cleo@example.com")
            await refused.one(cleo, FULL_SYNC, "PERMISSION_MISSING", on=True)
    switched = (await host.ask(FULL_SYNC, on=True))["setExchangeFullSync"]
    assert switched == {"account": {"exchangeFullSync": True}, "errors": []}
    managed = (await visitor.ask(MANAGED, token=token))["bookingByToken"]
    assert (managed["canCancel"], managed["canReschedule"]) == (True, True)
    assert managed["canCancelUntil"]
    [own] = (await host.ask(HOSTED))["viewer"]["bookings"]["nodes"]
    assert (own["canCancel"], own["canReschedule"]) == (True, True)
    assert "<form" in (await visitor.http.get(f"/b/{token}")).text
    cancelled = (await visitor.ask(CANCEL, booking={"token": token}))["cancelBooking"]
    assert cancelled["errors"] == []
    anna = AtExchange(served.here, exchange)
    await until("removing the event", lambda: not anna.events("Hopper"))
    [own] = (await host.ask(HOSTED))["viewer"]["bookings"]["nodes"]
    assert (own["status"], own["canCancel"], own["canReschedule"]) == ("CANCELLED", False, False)


async def test_calendar_sync_is_null_and_cannot_be_set_where_it_is_not_supported(
    served: Product, host: ApiClient, exchange: ExchangeSimulator
) -> None:
    """A-CS2, S95."""
    ask = "{ viewer { settings { calendarSync } account { exchangeFullSync } } }"
    assert (await host.ask(ask))["viewer"] == {
        "settings": {"calendarSync": True},
        "account": {"exchangeFullSync": False},
    }
    await connect(served, host, exchange)
    assert (await host.ask(ask))["viewer"]["settings"] == {"calendarSync": None}
    refused = Refusals(served, "updateSettings")
    for value in (True, False, None):
        error = await refused.one(host, SYNC, "CAPABILITY_UNSUPPORTED", on=value)
        assert (error["provider"], error["capability"]) == ("EXCHANGE", "CALENDAR_SYNC")
    await host.ask(FULL_SYNC, on=True)
    changed = (await host.ask(SYNC, on=False))["updateSettings"]
    assert changed == {"settings": {"calendarSync": False}, "errors": []}
    await host.ask(FULL_SYNC, on=False)
    await served.here.disconnect()
    assert (await host.ask(ask))["viewer"]["settings"] == {"calendarSync": False}


# ---- the password -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "canary", "noSuchField": 1},
        {"password": ["canary"]},
        {"password": {"canary": 1}},
        "canary",
        ["canary"],
    ],
    ids=str,
)
async def test_a_password_in_a_malformed_request_is_not_repeated(host: ApiClient, wrong: object) -> None:
    """Front ends write errors of requests down."""
    with pytest.raises(TopLevelErrors) as refused:
        await host.ask(TEST_MAILBOX, input=wrong)
    assert refused.value.codes == ["BAD_USER_INPUT"]
    assert "canary" not in str(refused.value.errors)


async def test_neither_a_right_nor_a_wrong_password_is_logged(
    served: Product, host: ApiClient, exchange: ExchangeSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    """All of ours, and of libraries what a process ever logs."""

    async def lost() -> bool:
        await served.here.sync()
        return (await served.here.connection()).status is ConnectionStatus.REAUTH_REQUIRED

    with caplog.at_level("INFO"), caplog.at_level("DEBUG", logger="meetings"):
        for password in ("canary-of-a-wrong-password", MAILBOX_PASSWORD):
            typed = given(exchange, password=password, username="anna")
            await host.ask(TEST_MAILBOX, input=typed)
            await host.ask(CONNECT_MAILBOX, input=typed, version=VERSION)
        exchange.change_password(HOST_EMAIL, "canary-of-another-password")
        await until("noticing the password", lost)
    assert "canary" not in caplog.text
    assert "canary" not in repr(ExchangeInput(email=HOST_EMAIL, password=MAILBOX_PASSWORD))
