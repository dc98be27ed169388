"""Connecting with an address and a password, keeping it safe, and what happens when the password changes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.application.account_settings import preset_exchange, remove_exchange_preset
from meetings.application.connect_exchange import (
    NoWritableCalendar,
    ServerAsksToWait,
    examine_exchange,
    login_names,
)
from meetings.application.ports.calendars import (
    LoginProblem,
    LoginRefused,
    LoginStep,
    MailboxCredentials,
    StepOutcome,
)
from meetings.domain.base import ConcurrentChange, InvalidInput, NotFound, PermissionMissing, Rule
from meetings.domain.booking import BookingState
from meetings.domain.booking_mode import BookingMode
from meetings.domain.calendar_connection import (
    WITH_PASSWORD,
    AlreadyConnected,
    ConnectionAction,
    ConnectionStatus,
    ConsentRequired,
    Provider,
)
from meetings.domain.exchange_address import ExchangeUrlInvalid, HostedByMicrosoft
from meetings.domain.identifiers import ConnectionId
from meetings.domain.user import Role
from meetings.infrastructure.database.tables import connections, credentials, idempotency_keys
from tests.application.conftest import EIGHT
from tests.domain.problems import told
from tests.mailboxes import MAILBOX_PASSWORD, AtExchange, at_exchange, exchange_server, may_call, typed
from tests.stored import count, sealed
from tests.world import HOST_EMAIL, World, berlin, outside, world

MONDAY = date(2035, 12, 3)
TEN = berlin("2035-12-03 10:00")
OTHER_ADDRESS = "anna.private@example.com"


@pytest.fixture
async def anna(database_url: str) -> AsyncIterator[AtExchange]:
    """Anna on SQLite and PostgreSQL, her mailbox on an Exchange 2010 SP2, nothing connected yet."""
    async with at_exchange(database_url, now=EIGHT) as found:
        yield found


@pytest.fixture
async def on_sqlite(sqlite_url: str) -> AsyncIterator[AtExchange]:
    """The same on SQLite alone."""
    async with at_exchange(sqlite_url, now=EIGHT) as found:
        yield found


# ---- connecting ---------------------------------------------------------------------------------------------------


async def test_one_submit_connects_reads_the_calendar_and_brings_the_pages_online(anna: AtExchange) -> None:
    """S2, S35, S40, S30, S88, S3, S8."""
    anna.exchange.add_event(anna.calendar, "Dentist", TEN, TEN + timedelta(minutes=30))
    stored = await anna.submit()
    await anna.here.settle_down()
    connection = await anna.here.connection()
    assert (stored.connection_id, stored.selection_kept) == (connection.id, True)
    assert (connection.provider, connection.account_email) == (Provider.EXCHANGE, HOST_EMAIL)
    assert (connection.status, connection.needs_action) == (ConnectionStatus.ACTIVE, None)
    assert connection.consent.accepted_at == anna.here.clock.now
    assert connection.server is not None
    assert connection.server.url == anna.exchange.ews_url
    assert connection.server.version.startswith("Exchange 2010 SP2 (14.2.")
    page = await anna.here.page()
    offered = await anna.here.offered(page, MONDAY)
    assert "10:00" not in offered
    assert "10:30" in offered
    booking = await anna.here.book(page, TEN + timedelta(hours=1))
    assert booking.state is BookingState.CONFIRMED
    assert [event.subject for event in anna.events("Hopper")] == [booking.title]


async def test_a_free_account_and_a_member_without_any_right_connect_as_well(on_sqlite: AtExchange) -> None:
    """S1, S44, S99: nothing but one's own mailbox is needed."""
    here = on_sqlite.here
    bob = await here.add_colleague("Bob", "bob@example.com")
    on_sqlite.exchange.add_account("bob@example.com", "Bob", password="another password")
    await on_sqlite.submit(user=bob, email="bob@example.com", password="another password")
    assert (await here.connection(bob)).account_email == "bob@example.com"


async def test_the_password_is_kept_sealed_and_told_nowhere(anna: AtExchange, caplog: pytest.LogCaptureFixture) -> None:
    """S27, OA-7."""
    with caplog.at_level(0):
        stored = await anna.submit()
        with pytest.raises(LoginRefused) as refused:
            await anna.submit(reconnect=stored.connection_id, password="canary-of-a-wrong-password")
    [kept] = await sealed(anna.here, credentials)
    assert kept
    shown = [kept, repr(stored), repr(await anna.here.connection()), repr(typed(anna.exchange)), caplog.text]
    shown += [str(refused.value), repr(refused.value), repr(vars(refused.value))]
    assert "canary" not in "\n".join(shown)
    assert await count(anna.here, idempotency_keys) == 0


async def test_without_the_current_notice_nothing_is_sent_anywhere(on_sqlite: AtExchange) -> None:
    """S35, S16."""
    for version in ("", "exchange-2020-01", "google-2026-11"):
        with pytest.raises(ConsentRequired):
            await on_sqlite.submit(version=version)
    assert on_sqlite.exchange.calls == []
    assert await count(on_sqlite.here, connections) == 0


BAD_FIELDS: dict[str, tuple[dict[str, Any], list[tuple[str, Rule]]]] = {
    "nothing": ({"email": "", "password": ""}, [("email", Rule.REQUIRED), ("password", Rule.REQUIRED)]),
    "blanks": ({"email": " ", "password": "  "}, [("email", Rule.REQUIRED), ("password", Rule.REQUIRED)]),
    "no address": ({"email": "not-an-address"}, [("email", Rule.NOT_AN_EMAIL)]),
    "a line break in the address": ({"email": "a@example.com\r\nX: y"}, [("email", Rule.CONTROL_CHARACTERS)]),
    "a null in the password": ({"password": "a\x00b"}, [("password", Rule.CONTROL_CHARACTERS)]),
    "long texts": (
        {
            "email": "a" * 250 + "@example.com",
            "password": "p" * 257,
            "username": "u" * 257,
            "server_url": "https://" + "h" * 2000,
        },
        [
            ("email", Rule.TOO_LONG),
            ("password", Rule.TOO_LONG),
            ("username", Rule.TOO_LONG),
            ("serverUrl", Rule.TOO_LONG),
        ],
    ),
    "a line break in the user name": ({"username": "CORP\nanna"}, [("username", Rule.CONTROL_CHARACTERS)]),
    "no certificate": ({"ca_certificate": "Corp CA"}, [("caCertificate", Rule.NOT_A_CERTIFICATE)]),
}


@pytest.mark.parametrize("what", BAD_FIELDS)
async def test_what_is_typed_in_wrongly_is_refused_all_at_once_and_sent_nowhere(
    on_sqlite: AtExchange, what: str
) -> None:
    """S24, S26, S27."""
    given, problems = BAD_FIELDS[what]
    with pytest.raises(InvalidInput) as refused:
        await on_sqlite.submit(**given)
    assert told(refused.value.problems) == problems
    tools = on_sqlite.here.tools
    with pytest.raises(InvalidInput) as same:
        await examine_exchange(
            typed(on_sqlite.exchange, **given), caller=on_sqlite.here.caller, look=tools.look, providers=tools.providers
        )
    assert told(same.value.problems) == problems
    assert on_sqlite.exchange.calls == []


async def test_a_mailbox_that_cannot_be_used_leaves_nothing_behind(on_sqlite: AtExchange) -> None:
    """S40: whatever goes wrong, and whenever."""
    exchange, here = on_sqlite.exchange, on_sqlite.here
    exchange.set_rights(on_sqlite.calendar, "reader")
    with pytest.raises(NoWritableCalendar):
        await on_sqlite.submit()
    exchange.set_rights(on_sqlite.calendar, "owner")
    exchange.fault("FindFolder", code="ErrorServerBusy", back_off_ms=7_000)
    with pytest.raises(ServerAsksToWait) as busy:
        await on_sqlite.submit()
    assert busy.value.retry_after == 7
    exchange.clear_faults()
    exchange.remove_mailbox(HOST_EMAIL)
    with pytest.raises(LoginRefused) as gone:
        await on_sqlite.submit()
    assert gone.value.problem is LoginProblem.MAILBOX_NOT_FOUND
    assert (await count(here, connections), await count(here, credentials)) == (0, 0)


async def test_a_wrong_password_is_shown_to_the_server_once(on_sqlite: AtExchange) -> None:
    """S38: with the name that was typed in; nothing of ours repeats it."""
    with pytest.raises(LoginRefused) as refused:
        await on_sqlite.submit(username="EXAMPLE\\anna", password="wrong")
    assert refused.value.problem is LoginProblem.CREDENTIALS_REJECTED
    assert on_sqlite.exchange.failed_sign_ins(HOST_EMAIL) == 1
    await on_sqlite.here.passes(hours=1)
    await on_sqlite.here.settle_down()
    assert on_sqlite.exchange.failed_sign_ins(HOST_EMAIL) == 1


async def test_a_dry_run_tells_every_step_and_stores_nothing(on_sqlite: AtExchange) -> None:
    tools, caller = on_sqlite.here.tools, on_sqlite.here.caller

    async def examined(**other: Any) -> dict[LoginStep, StepOutcome]:
        given = typed(on_sqlite.exchange, **other)
        checks = await examine_exchange(given, caller=caller, look=tools.look, providers=tools.providers)
        assert [check.step for check in checks] == list(LoginStep)
        return {check.step: check.outcome for check in checks}

    good = await examined()
    assert good.pop(LoginStep.DISCOVERY) is StepOutcome.SKIPPED
    assert set(good.values()) == {StepOutcome.PASSED}
    wrong = await examined(password="wrong", username="anna")
    assert wrong[LoginStep.AUTHENTICATION] is StepOutcome.FAILED
    assert wrong[LoginStep.CALENDAR] is StepOutcome.SKIPPED
    assert (await count(on_sqlite.here, connections), await count(on_sqlite.here, credentials)) == (0, 0)


# ---- one account per person ---------------------------------------------------------------------------------------


async def test_of_two_submits_at_once_one_connects(anna: AtExchange) -> None:
    """A-CC4."""
    results = await asyncio.gather(anna.submit(), anna.submit(), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["AlreadyConnected", "StoredAccount"]
    assert (await count(anna.here, connections), await count(anna.here, credentials)) == (1, 1)


async def test_whoever_is_connected_already_sends_no_password(on_sqlite: AtExchange) -> None:
    await on_sqlite.connect()
    on_sqlite.exchange.forget_calls()
    with pytest.raises(AlreadyConnected):
        await on_sqlite.submit()
    assert on_sqlite.exchange.calls == []


async def test_nobody_reconnects_what_is_not_theirs(on_sqlite: AtExchange) -> None:
    connection_id = await on_sqlite.connect()
    bob = await on_sqlite.here.add_colleague("Bob", "bob@example.com")
    on_sqlite.exchange.forget_calls()
    for user, named in ((bob, connection_id), (None, ConnectionId(bob.id))):
        with pytest.raises(NotFound):
            await on_sqlite.submit(user=user, reconnect=named)
    assert on_sqlite.exchange.calls == []


# ---- the password changes -----------------------------------------------------------------------------------------


async def test_a_changed_password_is_noticed_once_told_once_and_not_tried_again(anna: AtExchange) -> None:
    """B-EX4, OA-5, X1: offline, one mail that says what to do, and no more failed sign-ins."""
    here = anna.here
    await anna.connect()
    page = await here.page()
    anna.exchange.change_password(HOST_EMAIL, "a new password")
    await here.passes(minutes=4)
    await here.settle_down()
    connection = await here.connection()
    assert (connection.status, connection.needs_action) == (
        ConnectionStatus.REAUTH_REQUIRED,
        ConnectionAction.UPDATE_PASSWORD,
    )
    assert (await here.state(page)).mode is BookingMode.OFFLINE
    [mail] = here.mail.mails
    assert mail.recipients == (HOST_EMAIL,)
    assert mail.subject == "Your Exchange calendar is no longer connected"
    assert "Please enter the password of your Exchange mailbox again" in mail.text
    assert here.tools.links.settings() in mail.text
    failed = anna.exchange.failed_sign_ins(HOST_EMAIL)
    assert failed == 1
    for _ in range(3):
        await here.passes(minutes=30)
        await here.settle_down()
    assert anna.exchange.failed_sign_ins(HOST_EMAIL) == failed
    assert len(here.mail.mails) == 1


async def test_the_new_password_restores_pages_and_selection(anna: AtExchange) -> None:
    """B-CC1; what waited is written."""
    here = anna.here
    connection_id = await anna.connect()
    anna.exchange.add_calendar(HOST_EMAIL, "Rota")
    await here.select_everything()
    page, before = await here.page(), await here.connection()
    assert len(before.selected_calendars) == 2
    waiting = await here.reserve(here.wish(page, TEN + timedelta(days=1)))
    anna.exchange.change_password(HOST_EMAIL, "a new password")
    await here.settle_down()
    assert (await here.booking(waiting)).state is BookingState.PENDING
    stored = await anna.submit(reconnect=connection_id, password="a new password")
    assert (stored.connection_id, stored.selection_kept) == (connection_id, True)
    await here.passes(minutes=11)
    await here.settle_down()
    after = await here.connection()
    assert [calendar.id for calendar in after.selected_calendars] == [c.id for c in before.selected_calendars]
    assert (after.default_calendar_id, after.status) == (before.default_calendar_id, ConnectionStatus.ACTIVE)
    assert (await here.state(page)).mode is BookingMode.ONLINE
    assert (await here.booking(waiting)).state is BookingState.CONFIRMED


async def test_a_calendar_that_is_read_meanwhile_does_not_undo_the_new_password(anna: AtExchange) -> None:
    """The connection changes under the hands of whoever enters it: that is tried again, the password is not."""
    here = anna.here
    connection_id = await anna.connect()
    calendar = (await here.connection()).calendars[0].id
    stop = asyncio.Event()

    async def busy() -> int:
        changes = 0
        while not stop.is_set():
            async with here.tools.begin(here.anna.account_id) as work:
                connection = await work.connections.get(connection_id)
                (connection.mark_lost if changes % 2 else connection.mark_readable)(calendar, now=here.clock())
                await asyncio.sleep(0.005)
                try:
                    await work.commit()
                    changes += 1
                except ConcurrentChange:
                    continue
        return changes

    changing = asyncio.create_task(busy())
    for _ in range(5):
        assert (await anna.submit(reconnect=connection_id)).selection_kept
    stop.set()
    assert await changing > 0


async def test_providers_with_a_password_are_those_the_rules_know(on_sqlite: AtExchange) -> None:
    """What mends a lost grant depends on it."""
    for provider, offered in on_sqlite.here.tools.providers.items():
        assert (provider in WITH_PASSWORD) == (offered.login is not None)


async def test_a_wrong_new_password_changes_nothing(on_sqlite: AtExchange) -> None:
    """S40, for a connection that works."""
    connection_id = await on_sqlite.connect()
    before = await sealed(on_sqlite.here, credentials)
    with pytest.raises(LoginRefused):
        await on_sqlite.submit(reconnect=connection_id, password="wrong")
    assert await sealed(on_sqlite.here, credentials) == before
    assert (await on_sqlite.here.connection()).status is ConnectionStatus.ACTIVE


async def test_another_mailbox_starts_over(on_sqlite: AtExchange) -> None:
    """B-CC1."""
    connection_id = await on_sqlite.connect()
    on_sqlite.exchange.add_calendar(HOST_EMAIL, "Rota")
    await on_sqlite.here.select_everything()
    on_sqlite.exchange.add_account(OTHER_ADDRESS, password=MAILBOX_PASSWORD)
    stored = await on_sqlite.submit(reconnect=connection_id, email=OTHER_ADDRESS)
    assert (stored.connection_id, stored.selection_kept) == (connection_id, False)
    [calendar] = (await on_sqlite.here.connection()).selected_calendars
    assert calendar.primary


async def test_disconnecting_forgets_the_password_at_once(anna: AtExchange) -> None:
    """A-CC8, OA-4: there is no grant to give back, and the server is not asked."""
    await anna.connect()
    page = await anna.here.page()
    anna.exchange.forget_calls()
    await anna.here.disconnect()
    assert await sealed(anna.here, credentials) == [None]
    assert anna.exchange.calls == []
    assert (await anna.here.state(page)).mode is BookingMode.OFFLINE


# ---- from one provider to another ---------------------------------------------------------------------------------


@pytest.mark.parametrize("disconnected", [True, False])
async def test_a_host_moves_from_google_to_exchange_and_keeps_the_pages(anna: AtExchange, disconnected: bool) -> None:
    """The same connection, other calendars; Google gets its grant back, once."""
    here = anna.here
    connection_id = await here.connect()
    page = await here.page()
    if disconnected:
        await here.disconnect()
    stored = await anna.submit(reconnect=None if disconnected else connection_id)
    await here.settle_down()
    assert (stored.connection_id, stored.selection_kept) == (connection_id, False)
    connection = await here.connection()
    assert (connection.provider, connection.status) == (Provider.EXCHANGE, ConnectionStatus.ACTIVE)
    assert len(here.google.requests_for("oauth.revoke")) == 1
    assert (await here.book(page, TEN)).state is BookingState.CONFIRMED
    assert (len(anna.events("Hopper")), here.events("Hopper")) == (1, [])


async def test_a_host_moves_from_exchange_to_google(on_sqlite: AtExchange) -> None:
    connection_id = await on_sqlite.connect()
    assert await on_sqlite.here.connect(reconnect=connection_id) == connection_id
    connection = await on_sqlite.here.connection()
    assert (connection.provider, connection.server) == (Provider.GOOGLE, None)
    assert connection.status is ConnectionStatus.ACTIVE


# ---- presets (A-EX3) ----------------------------------------------------------------------------------------------


async def test_a_preset_of_the_domain_is_taken_where_no_server_is_typed_in(anna: AtExchange) -> None:
    here = anna.here
    admin: dict[str, Any] = {"caller": here.caller, "begin": here.tools.begin, "clock": here.clock}
    await preset_exchange("Example.COM", anna.exchange.ews_url.lower(), **admin)
    await anna.connect(server_url="  ")
    connection = await here.connection()
    assert connection.server is not None
    assert connection.server.url == anna.exchange.ews_url


async def test_what_is_typed_in_beats_the_preset(on_sqlite: AtExchange) -> None:
    here = on_sqlite.here
    nobody = "https://localhost:1024/ews/exchange.asmx"
    await preset_exchange("example.com", nobody, caller=here.caller, begin=here.tools.begin, clock=here.clock)
    await on_sqlite.connect()
    on_sqlite.exchange.forget_calls()
    with pytest.raises(LoginRefused) as refused:
        await on_sqlite.submit(reconnect=(await here.connection()).id, server_url=None)
    assert refused.value.problem is LoginProblem.UNREACHABLE
    assert on_sqlite.exchange.calls == []


async def test_presets_are_for_owners_and_admins_and_for_servers_of_ones_own(here: World) -> None:
    member = await here.add_colleague("Bob", "bob@example.com")
    admin = await here.add_colleague("Ada", "ada@example.com", Role.ADMIN)
    server = "https://mail.example.com/ews/exchange.asmx"
    tools: dict[str, Any] = {"begin": here.tools.begin, "clock": here.clock}
    with pytest.raises(PermissionMissing):
        await preset_exchange("example.com", server, caller=here.caller_of(member), **tools)
    await preset_exchange("example.com", server, caller=here.caller_of(admin), **tools)
    with pytest.raises(PermissionMissing):
        await remove_exchange_preset("example.com", caller=here.caller_of(member), **tools)
    with pytest.raises(ExchangeUrlInvalid):
        await preset_exchange("example.com", "https://mail.example.com/owa", caller=here.caller, **tools)
    with pytest.raises(HostedByMicrosoft):
        await preset_exchange(
            "example.com", "https://outlook.office365.com/ews/exchange.asmx", caller=here.caller, **tools
        )
    with pytest.raises(InvalidInput) as refused:
        await preset_exchange("no domain", server, caller=here.caller, **tools)
    assert told(refused.value.problems) == [("domain", Rule.NOT_A_DOMAIN)]
    async with here.tools.look(here.anna.account_id) as work:
        [preset] = (await work.account()).mail_presets
    assert preset.address == "https://mail.example.com/EWS/Exchange.asmx"
    await remove_exchange_preset("EXAMPLE.com", caller=here.caller, **tools)
    for domain in ("example.com", "no domain"):
        with pytest.raises(NotFound):
            await remove_exchange_preset(domain, caller=here.caller, **tools)


# ---- whose tries are counted together -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("email", "username", "names"),
    [
        ("anna@example.com", None, {"anna@example.com"}),
        (" Anna@Example.com ", "", {"anna@example.com"}),
        ("anna@example.com", "CORP\\Anna", {"anna@example.com"}),
        ("anna@example.com", "hmueller", {"anna@example.com", "hmueller@example.com"}),
        ("x@example.com", "CORP\\victim", {"x@example.com", "victim@example.com"}),
        ("x@example.com", "victim@corp.local", {"x@example.com", "victim@example.com"}),
    ],
)
def test_however_a_mailbox_is_named_its_tries_are_counted_together(
    email: str, username: str | None, names: set[str]
) -> None:
    assert set(login_names(MailboxCredentials(email, "x", username=username))) == names


async def test_a_server_that_is_older_is_named_with_its_version(sqlite_url: str) -> None:
    """S23."""
    with outside() as (google, mail), exchange_server(version="14.1") as old:
        async with world(sqlite_url, google, mail, **may_call(old)) as here:
            with pytest.raises(LoginRefused) as refused:
                await AtExchange(here, old).submit()
    assert refused.value.problem is LoginProblem.VERSION_UNSUPPORTED
    assert "14.1" in (refused.value.suggestion or "")
    assert isinstance(old, ExchangeSimulator)
