"""Mailboxes through the API: what connects with the calendar, what alone, and what is refused."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.application.uses import disclosure_of
from meetings.domain.account_use import BOTH, EMAIL_ONLY, AccountUse
from meetings.domain.calendar_connection import Provider
from tests.api.documents import CONNECT_MAILBOX, CONNECTIONS
from tests.api.inbox_documents import (
    DISCONNECT_INBOX,
    EXCHANGE_INBOX,
    IMAP_INBOX,
    INBOXES,
    START_CALENDAR,
    START_INBOX,
)
from tests.api.refusals import every_code_of
from tests.contracts.mail.imap_world import ADA, PASSWORD, ImapMailWorld, imap_mail_world
from tests.databases import Simulators
from tests.mailboxes import MAILBOX_PASSWORD, may_call
from tests.product import ApiClient, Product, TopLevelErrors, product
from tests.world import HOST_EMAIL

RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py
OF_EXCHANGE = {
    "CREDENTIALS_REJECTED",
    "APP_PASSWORD_REQUIRED",
    "EXCHANGE_URL_INVALID",
    "EXCHANGE_UNREACHABLE",
    "EXCHANGE_VERSION_UNSUPPORTED",
    "USE_OFFICE365",
    "MAILBOX_NOT_FOUND",
    "CALENDAR_NOT_ELIGIBLE",
    "RATE_LIMITED",
    "PROVIDER_UNAVAILABLE",
}
"""Shown for `connectExchangeCalendar`, which signs in the same way."""


@pytest.fixture
async def served(database_url: str, simulators: Simulators, exchange: ExchangeSimulator) -> AsyncIterator[Product]:
    """The product, allowed to call Anna's Exchange server."""
    async with product(database_url, *simulators, **may_call(exchange)) as started:
        yield started


@pytest.fixture
def imap() -> Iterator[ImapMailWorld]:
    with imap_mail_world(host="localhost") as started:
        yield started


def given(exchange: ExchangeSimulator, **other: Any) -> dict[str, Any]:
    return {"email": HOST_EMAIL, "password": MAILBOX_PASSWORD, "serverUrl": exchange.ews_url, **other}


def version(served: Product, provider: Provider, uses: frozenset[AccountUse]) -> str:
    return disclosure_of(served.here.tools.providers[provider], uses).version


async def go_and_return(served: Product, host: ApiClient, address: str, **choice: Any) -> dict[str, list[str]]:
    """Through the consent page and back; gives what the address says that the browser ends at."""
    back = await asyncio.to_thread(served.google.auto_consent, HOST_EMAIL, address, **choice)
    answer = await host.http.get(back)
    return parse_qs(urlsplit(answer.headers["location"]).query)


async def inboxes(host: ApiClient) -> list[dict[str, Any]]:
    return list((await host.ask(INBOXES))["viewer"]["inboxes"])


async def start_calendar(served: Product, host: ApiClient, **more: Any) -> str:
    disclosed = await host.ask("{ viewer { calendarDisclosure(provider: GOOGLE) { version } } }")
    accepted = disclosed["viewer"]["calendarDisclosure"]["version"]
    wish = {"provider": "GOOGLE", "acceptedDisclosure": accepted, "returnTo": f"{served.url}/dashboard", **more}
    started = (await host.ask(START_CALENDAR, input=wish))["startCalendarConnection"]
    assert started["errors"] == []
    return str(started["authorizationUrl"])


# ---- one sign-in --------------------------------------------------------------------------------------------------


async def test_connecting_a_calendar_connects_the_mailbox_unless_something_else_is_said(
    served: Product, host: ApiClient
) -> None:
    """A-CC3, X11: after connecting, mail is active; disconnecting it leaves the calendar."""
    assert (await host.ask(INBOXES))["viewer"] == {"inbox": None, "inboxes": []}
    said = await go_and_return(served, host, await start_calendar(served, host))
    assert said == {"calendar": ["connected"], "inbox": ["connected"]}
    [inbox] = await inboxes(host)
    assert (inbox["provider"], inbox["email"], inbox["status"]) == ("GOOGLE", HOST_EMAIL, "ACTIVE")
    assert (inbox["sharesSignIn"], inbox["logReplies"], inbox["needsAction"]) == (True, True, None)
    again = await host.ask("query($id: ID!) { node(id: $id) { ... on InboxConnection { email } } }", id=inbox["id"])
    assert again["node"] == {"email": HOST_EMAIL}

    for _ in range(2):
        left = (await host.ask(DISCONNECT_INBOX, id=inbox["id"]))["disconnectInbox"]
        assert (left["errors"], left["inbox"]["status"]) == ([], "DISCONNECTED")
    assert await inboxes(host) == []
    [calendar] = (await host.ask(CONNECTIONS))["viewer"]["calendarConnections"]
    assert calendar["status"] in ("SYNCING", "ACTIVE")


async def test_signing_in_again_does_not_bring_a_disconnected_mailbox_back(served: Product, host: ApiClient) -> None:
    await go_and_return(served, host, await start_calendar(served, host))
    [inbox] = await inboxes(host)
    await host.ask(DISCONNECT_INBOX, id=inbox["id"])
    [calendar] = (await host.ask(CONNECTIONS))["viewer"]["calendarConnections"]
    said = await go_and_return(served, host, await start_calendar(served, host, reconnect=calendar["id"]))
    assert said == {"calendar": ["connected"]}
    assert await inboxes(host) == []


async def test_a_refused_use_is_told_beside_the_one_that_was_granted(served: Product, host: ApiClient) -> None:
    """OA-3."""
    address = await start_calendar(served, host)
    said = await go_and_return(served, host, address, scopes=("https://www.googleapis.com/auth/calendar",))
    assert said == {"calendar": ["connected"], "inbox": ["failed"], "inboxReason": ["PERMISSION_MISSING"]}
    assert await inboxes(host) == []


async def test_a_mailbox_alone_is_connected_from_its_own_dialog(served: Product, host: ApiClient) -> None:
    wish = {
        "provider": "GOOGLE",
        "returnTo": f"{served.url}/dashboard",
        "version": version(served, Provider.GOOGLE, EMAIL_ONLY),
    }
    started = (await host.ask(START_INBOX, **wish))["startInboxConnection"]
    assert started["errors"] == []
    assert await go_and_return(served, host, started["authorizationUrl"]) == {"inbox": ["connected"]}
    viewer = (await host.ask(INBOXES))["viewer"]
    assert viewer["inbox"] == viewer["inboxes"][0]
    assert viewer["inbox"]["sharesSignIn"] is False
    assert (await host.ask(CONNECTIONS))["viewer"]["calendarConnections"] == []
    started = (await host.ask(START_INBOX, **wish))["startInboxConnection"]
    said = await go_and_return(served, host, started["authorizationUrl"])
    assert said == {"inbox": ["failed"], "reason": ["ALREADY_CONNECTED"]}


async def test_both_settings_offer_exchange(served: Product, host: ApiClient) -> None:
    """S89, S90: whether somebody looks for mail or for calendars."""
    viewer = (
        await host.ask(
            "{ viewer { calendarProviders { provider connectWith } inboxProviders { provider connectWith disclosure "
            "{ version title bodyMarkdown notes } } inboxDisclosure(provider: EXCHANGE) { provider version } } }"
        )
    )["viewer"]
    assert {"provider": "EXCHANGE", "connectWith": "PASSWORD"} in viewer["calendarProviders"]
    kinds = {each["provider"]: each for each in viewer["inboxProviders"]}
    assert kinds["EXCHANGE"]["connectWith"] == "PASSWORD"
    assert kinds["GOOGLE"]["connectWith"] == "CONSENT_PAGE"
    assert all(all(kind["disclosure"].values()) for kind in kinds.values())
    assert viewer["inboxDisclosure"] == {
        "provider": "EXCHANGE",
        "version": version(served, Provider.EXCHANGE, EMAIL_ONLY),
    }


@pytest.mark.parametrize("uses", [["EMAIL"], ["CALENDAR"], ["CALENDAR", "EMAIL"]])
async def test_exchange_serves_for_mail_for_the_calendar_or_for_both(
    served: Product, host: ApiClient, exchange: ExchangeSimulator, uses: list[str]
) -> None:
    """S78, S91: one submit, whichever dialog it is in."""
    wanted = frozenset(map(AccountUse, uses))
    accepted = version(served, Provider.EXCHANGE, wanted)
    payload = (await host.ask(EXCHANGE_INBOX, input=given(exchange), version=accepted, uses=uses))[
        "connectExchangeInbox"
    ]
    assert payload["errors"] == []
    assert (payload["inbox"] is not None, payload["connection"] is not None) == ("EMAIL" in uses, "CALENDAR" in uses)
    assert len(await inboxes(host)) == ("EMAIL" in uses)
    assert len((await host.ask(CONNECTIONS))["viewer"]["calendarConnections"]) == ("CALENDAR" in uses)


async def test_connecting_an_exchange_calendar_connects_its_mail_unless_something_else_is_said(
    served: Product, host: ApiClient, exchange: ExchangeSimulator
) -> None:
    """A-CC3, S40."""
    document = CONNECT_MAILBOX.replace(" = [CALENDAR]", "").replace("selectionKept", "selectionKept inboxConnected")
    accepted = version(served, Provider.EXCHANGE, BOTH)
    payload = (await host.ask(document, input=given(exchange), version=accepted))["connectExchangeCalendar"]
    assert (payload["errors"], payload["inboxConnected"]) == ([], True)
    [inbox] = await inboxes(host)
    assert (inbox["provider"], inbox["sharesSignIn"], inbox["serverUrl"]) == ("EXCHANGE", True, exchange.ews_url)


# ---- refusals -----------------------------------------------------------------------------------------------------


async def test_starting_to_connect_a_mailbox_is_refused(served: Product, host: ApiClient) -> None:
    def wish(**more: object) -> dict[str, object]:
        accepted = version(served, Provider.GOOGLE, EMAIL_ONLY)
        return {"provider": "GOOGLE", "returnTo": f"{served.url}/done", "version": accepted, **more}

    async with every_code_of(served, "startInboxConnection") as refused:
        await refused.one(host, START_INBOX, "CONSENT_REQUIRED", ["acceptedDisclosure"], **wish(version="x"))
        for provider in ("EXCHANGE", "IMAP", "OFFICE365"):  # a password; a password; not set up here
            error = await refused.one(host, START_INBOX, "VALIDATION", ["provider"], **wish(provider=provider))
            assert error["rule"] == "NOT_AVAILABLE_YET"
        await refused.one(host, START_INBOX, "VALIDATION", ["returnTo"], **wish(returnTo="https://evil.example/"))
        await refused.one(host, START_INBOX, "NOT_FOUND", ["reconnect"], **wish(reconnect="nonsense"))


async def test_connecting_mail_of_exchange_is_refused(
    served: Product, host: ApiClient, exchange: ExchangeSimulator
) -> None:
    """A-IN6, S92: nothing is stored."""
    accepted = version(served, Provider.EXCHANGE, EMAIL_ONLY)

    def wish(**other: Any) -> dict[str, Any]:
        return {"input": given(exchange, **other), "version": accepted}

    async with every_code_of(served, "connectExchangeInbox", elsewhere=[RACES, "NOT_FOUND", *OF_EXCHANGE]) as refused:
        await refused.one(host, EXCHANGE_INBOX, "CONSENT_REQUIRED", ["acceptedDisclosure"], **wish() | {"version": "x"})
        errors = await refused.all(host, EXCHANGE_INBOX, input={}, version=accepted)
        assert {error["path"][-1] for error in errors} == {"email", "password"}
        exchange.add_account("team@example.com", "Team", kind="shared")
        error = await refused.one(
            host,
            EXCHANGE_INBOX,
            "SHARED_MAILBOX_NOT_ALLOWED",
            ["input", "email"],
            **wish(email="team@example.com", username=HOST_EMAIL),
        )
        assert "hosted team mail" in error["message"]
        assert (await host.ask(EXCHANGE_INBOX, **wish()))["connectExchangeInbox"]["errors"] == []
        error = await refused.one(host, EXCHANGE_INBOX, "ALREADY_CONNECTED", **wish())
        assert "address" in error["message"]


async def test_disconnecting_a_mailbox_is_refused(
    served: Product, host: ApiClient, exchange: ExchangeSimulator
) -> None:
    accepted = version(served, Provider.EXCHANGE, EMAIL_ONLY)
    payload = (await host.ask(EXCHANGE_INBOX, input=given(exchange), version=accepted))["connectExchangeInbox"]
    bob = await served.here.add_colleague("Bob", "bob@example.com")
    async with every_code_of(served, "disconnectInbox", elsewhere=[RACES]) as refused:
        await refused.one(host, DISCONNECT_INBOX, "NOT_FOUND", ["connectionId"], id="nonsense")
        async with served.visitor() as colleague:
            await colleague.sign_in(bob.email)
            await refused.one(colleague, DISCONNECT_INBOX, "NOT_FOUND", ["connectionId"], id=payload["inbox"]["id"])
    assert len(await inboxes(host)) == 1


async def test_connecting_by_imap_is_refused(imap: ImapMailWorld, database_url: str, simulators: Simulators) -> None:
    """Every reason, each with what helps; in the end it is connected."""
    known: dict[str, Any] = {"imap_private_networks": ("localhost:1024-65535",), "imap_ca_file": imap.ca_file}
    async with product(database_url, *simulators, **known) as served, served.host() as host:
        shown = await host.ask("{ viewer { inboxDisclosure(provider: IMAP) { version } } }")
        accepted = shown["viewer"]["inboxDisclosure"]["version"]

        def wish(**other: Any) -> dict[str, Any]:
            given = {
                "email": ADA,
                "password": PASSWORD,
                "imap": {"host": "localhost", "port": imap.imap.port},
                "smtp": {"host": "localhost", "port": imap.smtp.port},
            }
            return {"input": {**given, **other}, "version": accepted}

        elsewhere = [RACES, "NOT_FOUND", "APP_PASSWORD_REQUIRED", "PROVIDER_UNAVAILABLE", "RATE_LIMITED"]
        async with every_code_of(served, "connectImapInbox", elsewhere=elsewhere) as refused:
            wrong = wish(email="nobody", password="", imap={"host": "", "port": 0}, smtp={"host": "x", "port": 70_000})
            errors = await refused.all(host, IMAP_INBOX, **wrong)
            assert {tuple(error["path"]) for error in errors} == {
                ("input", "email"),
                ("input", "password"),
                ("input", "imap", "host"),
                ("input", "imap", "port"),
                ("input", "smtp", "port"),
            }
            await refused.one(host, IMAP_INBOX, "CONSENT_REQUIRED", ["acceptedDisclosure"], **wish() | {"version": "x"})
            path = ["input", "password"]
            await refused.one(host, IMAP_INBOX, "CREDENTIALS_REJECTED", path, **wish(password="wrong"))
            nowhere = {"host": "localhost", "port": closed_port()}
            path = ["input", "imap"]
            await refused.one(host, IMAP_INBOX, "MAIL_SERVER_UNREACHABLE", path, **wish(imap=nowhere))
            inside = {"host": "127.0.0.1", "port": imap.imap.port}
            error = await refused.one(host, IMAP_INBOX, "MAIL_SERVER_UNREACHABLE", path, **wish(imap=inside))
            assert "not allowed to call" in error["message"]

            here = served.here
            payload = (await host.ask(IMAP_INBOX, **wish()))["connectImapInbox"]
            assert (payload["errors"], payload["inbox"]["provider"]) == ([], "IMAP")
            await refused.one(host, IMAP_INBOX, "ALREADY_CONNECTED", **wish())
            async with here.tools.begin(here.anna.account_id) as work:
                [mailbox] = await work.mailboxes.of_user(here.anna.id)
                mailbox.team = True
                await work.commit()
            await refused.one(host, IMAP_INBOX, "SHARED_MAILBOX_NOT_ALLOWED", **wish())


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_passwords_are_in_no_answer(served: Product, host: ApiClient) -> None:
    with pytest.raises(TopLevelErrors):
        await host.ask("{ viewer { inboxes { password } } }")
