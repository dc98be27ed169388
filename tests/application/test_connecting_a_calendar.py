"""To the consent page and back; losing the grant, giving it back, connecting again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from meetings.adapters.google.disclosure import DISCLOSURE as GOOGLE_DISCLOSURE
from meetings.adapters.google.simulator.browser import ConsentRefused
from meetings.application.connect_calendar import ConnectionFailed, StartConnection, TokenInvalid, start_connection
from meetings.application.links import token_hash
from meetings.domain.base import NotFound
from meetings.domain.booking import BookingState
from meetings.domain.booking_mode import BookingMode
from meetings.domain.calendar_connection import (
    AlreadyConnected,
    ConnectionAction,
    ConnectionStatus,
    ConsentRequired,
    Provider,
)
from meetings.domain.identifiers import ConnectionId
from meetings.domain.scheduling_page import PageOffline
from meetings.infrastructure.database.tables import connections, credentials, sign_in_attempts
from meetings.infrastructure.database.types import database_time
from tests.stored import count, sealed
from tests.world import DASHBOARD, HOST_EMAIL, Callback, World, berlin

MONDAY = date(2035, 12, 3)
TEN = berlin("2035-12-03 10:00")
OTHER_ACCOUNT = "anna.private@example.net"


# ---- consent ------------------------------------------------------------------------------------------------------


def test_the_disclosure_says_what_is_read_and_what_is_written() -> None:
    """S21, S22; S13: there are notes to read."""
    disclosure = GOOGLE_DISCLOSURE
    for words in (
        "access to your Google calendar",
        "every calendar you can reach through Google",
        "link events with contacts",
        "create and change calendars",
        "change and delete single events",
    ):
        assert words in " ".join(disclosure.body_markdown.split())
    assert len(disclosure.notes) >= 3


async def test_without_accepting_the_current_disclosure_nothing_is_begun(here: World) -> None:
    """S16: no attempt is stored and no provider is called."""
    tools = here.tools
    for version in ("", "google-2020-01", GOOGLE_DISCLOSURE.version.upper()):
        with pytest.raises(ConsentRequired):
            await start_connection(
                StartConnection(Provider.GOOGLE, version, DASHBOARD),
                caller=here.caller,
                look=tools.look,
                providers=tools.providers,
                attempts=tools.sign_in_attempts,
                links=tools.links,
                clock=here.clock,
                policy=tools.policy,
            )
    assert await count(here, sign_in_attempts) == 0
    assert here.google.calls == []


async def test_the_consent_page_is_asked_for_what_the_disclosure_says(here: World) -> None:
    """S15, S21, S22: reading all calendars and writing; nothing is asked of the provider yet."""
    started = await here.start(login_hint="anna@example.com")
    asked = {name: value for name, [value] in parse_qs(urlsplit(started.authorization_url).query).items()}
    assert "https://www.googleapis.com/auth/calendar" in asked["scope"].split()
    assert asked["login_hint"] == "anna@example.com"
    assert (asked["code_challenge_method"], asked["access_type"]) == ("S256", "offline")
    assert asked["redirect_uri"] == here.tools.links.oauth_callback("GOOGLE")
    assert started.browser_secret not in started.authorization_url
    assert here.google.calls == []


async def test_a_connection_records_the_consent_and_leads_to_the_dashboard(anywhere: World) -> None:
    """S16, S17, A-CC5, and OA-7: what is stored is sealed."""
    finished = await anywhere.come_back(await anywhere.consent(await anywhere.start()))
    await anywhere.settle_down()
    connection = await anywhere.connection()
    assert (finished.connection_id, finished.return_to) == (connection.id, DASHBOARD)
    assert (connection.account_email, connection.status) == (HOST_EMAIL, ConnectionStatus.ACTIVE)
    assert connection.consent.version == GOOGLE_DISCLOSURE.version
    assert connection.consent.accepted_at == anywhere.clock.now
    assert [calendar.name for calendar in connection.selected_calendars] == ["Anna Albers"]
    [stored] = await sealed(anywhere, credentials)
    assert stored
    assert "1//" not in stored
    assert "refresh_token" not in stored
    assert (await anywhere.state(await anywhere.page())).mode is BookingMode.ONLINE


async def test_another_account_than_announced_is_a_warning_and_no_error(here: World) -> None:
    """A-CC5."""
    here.google.add_account(OTHER_ACCOUNT)
    started = await here.start(login_hint=HOST_EMAIL.upper())
    assert not (await here.come_back(await here.consent(started))).other_account
    again = await here.start(reconnect=(await here.connection()).id, login_hint=HOST_EMAIL)
    finished = await here.come_back(await here.consent(again, OTHER_ACCOUNT))
    assert (finished.other_account, finished.selection_kept) == (True, False)


async def test_a_person_has_one_calendar_account(anywhere: World) -> None:
    """A-CC4: also when both consent pages were open at the same time."""
    first, second = await anywhere.start(), await anywhere.start()
    callbacks = [await anywhere.consent(first), await anywhere.consent(second)]
    results = await asyncio.gather(*(anywhere.come_back(each) for each in callbacks), return_exceptions=True)
    assert sum(isinstance(result, ConnectionFailed) for result in results) == 1
    assert await count(anywhere, connections) == 1
    with pytest.raises(AlreadyConnected):
        await anywhere.start()


async def test_nobody_reconnects_what_is_not_theirs(here: World) -> None:
    connection_id = await here.connect()
    bob = await here.add_colleague("Bob", "bob@example.com")
    with pytest.raises(NotFound):
        await here.start(user=bob, reconnect=connection_id)
    with pytest.raises(NotFound):
        await here.start(reconnect=ConnectionId(bob.id))


# ---- bad callbacks (OA-1, B-CC2) ----------------------------------------------------------------------------------

Spoil = Callable[[World, Callback], Awaitable[Callback]]


def swapped(**fields: Any) -> Spoil:
    """The callback with other fields; a function makes one from the true value."""

    async def spoil(here: World, true: Callback) -> Callback:
        made = {name: value(getattr(true, name)) if callable(value) else value for name, value in fields.items()}
        return replace(true, **made)

    return spoil


async def another_attempt(here: World) -> Callback:
    """The callback of another trip of the same person to the consent page."""
    return await here.consent(await here.start())


async def a_colleagues(here: World) -> Callback:
    bob = await here.add_colleague("Bob", "bob@example.com")
    here.google.add_account("bob@example.com")
    return await here.consent(await here.start(user=bob), "bob@example.com")


def from_other(whose: Callable[[World], Awaitable[Callback]], *names: str) -> Spoil:
    async def spoil(here: World, true: Callback) -> Callback:
        other = await whose(here)
        return replace(true, **{name: getattr(other, name) for name in names})

    return spoil


def late(minutes: float) -> Spoil:
    async def spoil(here: World, true: Callback) -> Callback:
        here.clock.passes(minutes=minutes)
        return true

    return spoil


async def late_by_the_database(here: World, true: Callback) -> Callback:
    async with here.runtime.database.transaction() as connection:
        await connection.execute(update(sign_in_attempts).values(expires_at=database_time(-1)))
    return true


async def traded_in_before(here: World, true: Callback) -> Callback:
    assert true.code
    sign_in = here.tools.providers[Provider.GOOGLE].sign_in
    assert sign_in is not None
    with pytest.raises(Exception, match="invalid_grant"):  # Google takes a code once, even with a wrong verifier
        await sign_in.finish(code=true.code, verifier="x" * 50, redirect_uri=here.tools.links.oauth_callback("GOOGLE"))
    return true


async def refused_before(here: World, true: Callback) -> Callback:
    with pytest.raises(TokenInvalid):
        await here.come_back(replace(true, browser_secret="another browser"))
    return true


async def denied_before(here: World, true: Callback) -> Callback:
    with pytest.raises(ConnectionFailed):
        await here.come_back(replace(true, code=None, error="access_denied"))
    return true


async def connected_meanwhile(here: World, true: Callback) -> Callback:
    await here.connect()
    return true


def google_answers(**fault: Any) -> Spoil:
    async def spoil(here: World, true: Callback) -> Callback:
        here.google.fault("oauth.token", **fault)
        return true

    return spoil


BAD_CALLBACKS: dict[str, tuple[Spoil, str | None]] = {
    # what came back, and the reason the person is told; None where nobody knows whose browser it is
    "an unknown state": (swapped(state="unknown"), None),
    "no state": (swapped(state=""), None),
    "a state cut short": (swapped(state=lambda true: true[:-1]), None),
    "a state with something added": (swapped(state=lambda true: f"{true}a"), None),
    "a state in other letters": (swapped(state=lambda true: true.swapcase()), None),
    "a state with a null": (swapped(state=lambda true: f"{true}\x00"), None),
    "what we store of a state": (swapped(state=token_hash), None),
    "a huge state": (swapped(state="s" * 100_000), None),
    "a text that is no text": (swapped(state="\ud800"), None),
    "the state of a colleague": (from_other(a_colleagues, "state"), None),
    "all of a colleague's but the browser": (from_other(a_colleagues, "state", "code"), None),
    "the state of another trip": (from_other(another_attempt, "state"), None),
    "no browser": (swapped(browser_secret=None), None),
    "an empty cookie": (swapped(browser_secret=""), None),
    "another browser": (swapped(browser_secret="another browser"), None),
    "the cookie of another trip": (from_other(another_attempt, "browser_secret"), None),
    "what we store of the cookie": (swapped(browser_secret=token_hash), None),
    "the state as the cookie": (swapped(browser_secret=lambda _: "state"), None),
    "another provider": (swapped(provider=cast(Provider, "OFFICE365")), None),
    "ten minutes later": (late(10), None),
    "a day later": (late(24 * 60), None),
    "late by the database's clock": (late_by_the_database, None),
    "again after it was refused": (refused_before, None),
    "again after it was denied": (denied_before, None),
    "neither code nor error": (swapped(code=None), "TOKEN_INVALID"),
    "denied": (swapped(code=None, error="access_denied"), "OAUTH_DENIED"),
    "an error of the provider": (swapped(code=None, error="server_error"), "TOKEN_INVALID"),
    "an empty code": (swapped(code=""), "TOKEN_INVALID"),
    "a made-up code": (swapped(code="4/0Amade-up"), "TOKEN_INVALID"),
    "a code that was traded in": (traded_in_before, "TOKEN_INVALID"),
    "the code of another trip": (from_other(another_attempt, "code"), "TOKEN_INVALID"),
    "the code of a colleague": (from_other(a_colleagues, "code"), "TOKEN_INVALID"),
    "Google down": (google_answers(status=503), "PROVIDER_UNAVAILABLE"),
    "Google's answer lost": (google_answers(drop_after_commit=True), "PROVIDER_UNAVAILABLE"),
    "Google's answer cut off": (google_answers(cut_off_body=True), "PROVIDER_UNAVAILABLE"),
}


@pytest.mark.parametrize("bad", BAD_CALLBACKS)
async def test_a_bad_callback_connects_nothing(here: World, bad: str) -> None:
    spoil, reason = BAD_CALLBACKS[bad]
    spoiled = await spoil(here, await here.consent(await here.start()))
    if reason is None:
        with pytest.raises(TokenInvalid):
            await here.come_back(spoiled)
    else:
        with pytest.raises(ConnectionFailed) as failed:
            await here.come_back(spoiled)
        assert (failed.value.reason, failed.value.return_to) == (reason, DASHBOARD)
    assert (await count(here, connections), await count(here, credentials)) == (0, 0)
    with pytest.raises(TokenInvalid):  # whatever it was, it cannot be tried a second time
        await here.come_back(spoiled)


async def test_a_callback_works_once(anywhere: World) -> None:
    callback = await anywhere.consent(await anywhere.start())
    results = await asyncio.gather(*(anywhere.come_back(callback) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, TokenInvalid) for result in results) == 4
    assert await count(anywhere, connections) == 1


async def test_connecting_meanwhile_in_another_window_wins(here: World) -> None:
    callback = await connected_meanwhile(here, await here.consent(await here.start()))
    with pytest.raises(ConnectionFailed) as failed:
        await here.come_back(callback)
    assert failed.value.reason == "ALREADY_CONNECTED"
    assert await count(here, connections) == 1


async def test_saying_no_or_leaving_the_calendars_out_connects_nothing(here: World) -> None:
    denied = await here.consent(await here.start(), allow=False)
    assert denied.error == "access_denied"
    with pytest.raises(ConnectionFailed, match="OAUTH_DENIED"):
        await here.come_back(denied)
    too_little = await here.consent(await here.start(), scopes=("openid", "email"))
    with pytest.raises(ConnectionFailed, match="PERMISSION_MISSING"):
        await here.come_back(too_little)
    assert await count(here, connections) == 0


async def test_google_sends_nobody_to_an_address_we_did_not_register(here: World) -> None:
    """OA-2."""
    started = await here.start()
    address = started.authorization_url.replace("%2Foauth%2Fgoogle%2Fcallback", "%2Felsewhere")
    assert address != started.authorization_url
    with pytest.raises(ConsentRefused):
        await here.consent(replace(started, authorization_url=address))


# ---- disconnecting ------------------------------------------------------------------------------------------------


async def test_disconnecting_deletes_the_credentials_and_gives_the_grant_back(anywhere: World) -> None:
    """A-CC8, OA-4."""
    await anywhere.connect()
    page = await anywhere.page()
    await anywhere.disconnect()
    assert await sealed(anywhere, credentials) == [None]
    assert len(anywhere.google.requests_for("oauth.revoke")) == 1
    connection = await anywhere.connection()
    assert (connection.status, connection.needs_action) == (
        ConnectionStatus.DISCONNECTED,
        ConnectionAction.SIGN_IN_AGAIN,
    )
    assert (await anywhere.state(page)).mode is BookingMode.OFFLINE
    with pytest.raises(PageOffline):
        await anywhere.book(page, TEN)
    await anywhere.disconnect()
    assert len(anywhere.google.requests_for("oauth.revoke")) == 1
    assert anywhere.mail.mails == ()


async def test_a_grant_that_cannot_be_given_back_at_once_is_tried_again(here: World) -> None:
    """OA-4."""
    await here.connect()
    here.google.fault("oauth.revoke", status=503)
    await here.disconnect()
    assert [call.status for call in here.google.requests_for("oauth.revoke")] == [503, 200]


async def test_pages_are_offline_and_secrets_gone_also_when_google_does_not_take_the_grant_back(here: World) -> None:
    """A-CC8."""
    await here.connect()
    page = await here.page()
    here.google.fault("oauth.revoke", status=503, times=None)
    await here.disconnect()
    assert (await here.state(page)).mode is BookingMode.OFFLINE
    assert await sealed(here, credentials) == [None]


async def test_nothing_is_read_any_more_once_disconnected(here: World) -> None:
    await here.connect()
    await here.disconnect()
    here.google.forget_calls()
    await here.passes(hours=2)
    await here.settle_down()
    assert here.google.calls == []


# ---- losing the grant, and signing in again -----------------------------------------------------------------------


async def test_a_lost_grant_is_noticed_by_the_next_read_and_told_once(anywhere: World) -> None:
    """OA-5: offline, one mail, and no endless tries."""
    await anywhere.connect()
    page = await anywhere.page()
    anywhere.google.revoke_grants(HOST_EMAIL)
    anywhere.google.forget_calls()
    await anywhere.passes(minutes=4)
    await anywhere.settle_down()
    connection = await anywhere.connection()
    assert (connection.status, connection.needs_action) == (
        ConnectionStatus.REAUTH_REQUIRED,
        ConnectionAction.SIGN_IN_AGAIN,
    )
    assert (await anywhere.state(page)).mode is BookingMode.OFFLINE
    [mail] = anywhere.mail.mails
    assert mail.recipients == (HOST_EMAIL,)
    assert anywhere.tools.links.settings() in mail.text
    calls = len(anywhere.google.calls)
    for _ in range(3):
        await anywhere.passes(minutes=30)
        await anywhere.settle_down()
    assert len(anywhere.google.calls) == calls
    assert len(anywhere.mail.mails) == 1


async def test_a_write_that_finds_the_grant_gone_says_so_at_once(here: World) -> None:
    """OA-5: not only the next poll."""
    await here.connect()
    page = await here.page()
    booking_id = await here.reserve(here.wish(page, TEN))
    here.google.revoke_grants(HOST_EMAIL)
    await here.carry_out_due()
    assert (await here.booking(booking_id)).state is BookingState.PENDING
    assert (await here.connection()).status is ConnectionStatus.REAUTH_REQUIRED
    await here.settle_down()
    assert [mail.recipients for mail in here.mail.mails] == [(HOST_EMAIL,)]


async def test_writes_wait_for_the_host_to_sign_in_again(anywhere: World) -> None:
    """OA-5."""
    connection_id = await anywhere.connect()
    page = await anywhere.page()
    tomorrow = TEN + timedelta(days=1)
    booking_id = await anywhere.reserve(anywhere.wish(page, tomorrow))
    anywhere.google.revoke_grants(HOST_EMAIL)
    await anywhere.settle_down()
    await anywhere.passes(minutes=11)
    await anywhere.settle_down()
    assert (await anywhere.booking(booking_id)).state is BookingState.PENDING
    await anywhere.connect(reconnect=connection_id)
    await anywhere.passes(minutes=11)
    await anywhere.settle_down()
    assert (await anywhere.booking(booking_id)).state is BookingState.CONFIRMED
    assert len(anywhere.events("Hopper")) == 1


async def test_signing_in_again_keeps_selection_and_pages(anywhere: World) -> None:
    """B-CC1."""
    connection_id = await anywhere.connect()
    anywhere.google.add_calendar(HOST_EMAIL, "Rota")
    await anywhere.select_everything()
    page = await anywhere.page()
    before = await anywhere.connection()
    anywhere.google.revoke_grants(HOST_EMAIL)
    await anywhere.sync()
    assert await anywhere.connect(reconnect=connection_id) == connection_id
    after = await anywhere.connection()
    assert [calendar.id for calendar in after.selected_calendars] == [c.id for c in before.selected_calendars]
    assert len(after.selected_calendars) == 2
    assert after.default_calendar_id == before.default_calendar_id
    assert (await anywhere.state(page)).mode is BookingMode.ONLINE
    assert (await anywhere.book(page, TEN)).state is BookingState.CONFIRMED


async def test_connecting_after_disconnecting_goes_on_with_what_was_chosen(here: World) -> None:
    connection_id = await here.connect()
    here.google.add_calendar(HOST_EMAIL, "Rota")
    await here.select_everything()
    await here.disconnect()
    assert await here.connect() == connection_id
    assert len((await here.connection()).selected_calendars) == 2
    assert "10:00" in await here.offered(await here.page(), MONDAY)


async def test_another_account_starts_over_and_gives_the_old_one_back(anywhere: World) -> None:
    """B-CC1; OA-4: nobody could give the old grant back later."""
    connection_id = await anywhere.connect()
    anywhere.google.add_calendar(HOST_EMAIL, "Rota")
    await anywhere.select_everything()
    page = await anywhere.page()
    anywhere.google.add_account(OTHER_ACCOUNT)
    anywhere.google.add_event(OTHER_ACCOUNT, "Dentist", TEN, TEN + timedelta(minutes=30))
    finished = await anywhere.come_back(
        await anywhere.consent(await anywhere.start(reconnect=connection_id), OTHER_ACCOUNT)
    )
    await anywhere.settle_down()
    assert (finished.connection_id, finished.selection_kept) == (connection_id, False)
    [calendar] = (await anywhere.connection()).selected_calendars
    assert calendar.external_id == OTHER_ACCOUNT
    assert (await anywhere.state(page)).mode is BookingMode.ONLINE
    assert "10:00" not in await anywhere.offered(page, MONDAY)
    await anywhere.book(page, TEN + timedelta(hours=1))
    assert anywhere.events("Hopper") == []
    assert len(anywhere.events("Hopper", OTHER_ACCOUNT)) == 1
    assert len(anywhere.google.requests_for("oauth.revoke")) == 1


async def test_an_access_token_that_ran_out_is_renewed_without_anybody_noticing(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    anywhere.google.grants.rotate = True
    anywhere.google.expire_access_tokens(HOST_EMAIL)
    anywhere.google.forget_calls()
    wishes = [anywhere.wish(page, TEN + timedelta(minutes=30 * number)) for number in range(6)]
    ids = await asyncio.gather(*(anywhere.reserve(wish) for wish in wishes))
    settled = [await anywhere.settle(page, booking_id) for booking_id in ids]
    assert {booking.state for booking in settled} == {BookingState.CONFIRMED}
    assert len(anywhere.google.requests_for("oauth.token")) == 1
    assert (await anywhere.connection()).status is ConnectionStatus.ACTIVE
