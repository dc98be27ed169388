"""What Exchange adds to the database: presets and the switch of an account, a connection's server and its password."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.versions import ServerBuild
from meetings.application.ports.calendars import ServerAuth
from meetings.domain.account import MailPreset, MailServerKind
from meetings.domain.base import ConcurrentChange
from meetings.domain.booking import BookedEvent, Booking, BookingState
from meetings.domain.calendar_connection import Capability, MailServer, Provider
from meetings.domain.identifiers import BookingId, ConnectionId, UserId
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.database.reads import SqlReads
from meetings.infrastructure.database.unit_of_work import Database
from tests.builders import NOW, START, a_booking, a_connection, a_user
from tests.contracts.database.conftest import Tenant
from tests.contracts.database.test_secrets import everything

SERVER = MailServer("https://mail.example.com/EWS/Exchange.asmx", "Exchange 2016 (15.1.2507.0)")
PRESETS = (
    MailPreset("example.com", MailServerKind.EXCHANGE, SERVER.url),
    MailPreset("xn--bro-hoa.example", MailServerKind.IMAP, "imap.example:993"),
)
FULL = set(Capability)


async def at_exchange(tenant: Tenant, credentials: str = "the credentials") -> tuple[UserId, ConnectionId]:
    """A colleague with an Exchange mailbox: their id and that of the connection."""
    colleague = a_user(tenant.account.account_id)
    connection = a_connection(colleague, provider=Provider.EXCHANGE, server=SERVER)
    async with tenant.begin(tenant.account.account_id) as work:
        work.users.add(colleague)
        work.connections.add(connection, credentials)
        await work.commit()
    return colleague.id, connection.id


async def switch(tenant: Tenant, *, on: bool) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        (await work.account()).switch_exchange_full_sync(on=on, now=NOW)
        await work.commit()


async def test_what_admins_set_comes_back(tenant: Tenant, stranger: Tenant, database: Database) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        account = await work.account()
        for preset in PRESETS:
            account.preset_mail_server(preset, now=NOW)
        account.switch_exchange_full_sync(on=True, now=NOW)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.account()
    shown = await SqlReads(database).account(tenant.account.account_id)
    assert shown is not None
    for account in (found, shown):
        assert (account.mail_presets, account.exchange_full_sync) == (PRESETS, True)
        assert (account.name, account.created_at) == (tenant.account.name, tenant.account.created_at)
    foreign = await SqlReads(database).account(stranger.account.account_id)
    assert foreign is not None
    assert (foreign.mail_presets, foreign.exchange_full_sync) == ((), False)


async def test_of_two_admins_at_once_the_second_has_to_look_again(tenant: Tenant) -> None:
    async with tenant.look(tenant.account.account_id) as work:
        stale = await work.account()
    await switch(tenant, on=True)
    async with tenant.begin(tenant.account.account_id) as work:
        account = await work.account()
        account.version = stale.version
        account.preset_mail_server(PRESETS[0], now=NOW)
        with pytest.raises(ConcurrentChange):
            await work.commit()


async def test_a_connection_comes_back_with_its_server(tenant: Tenant, database: Database) -> None:
    user_id, connection_id = await at_exchange(tenant)
    async with tenant.look(tenant.account.account_id) as work:
        assert (await work.connections.get(connection_id)).server == SERVER
        assert (await work.connections.get(tenant.connection.id)).server is None
    newer = MailServer(SERVER.url, "Exchange 2019 (15.2.1544.4)")
    async with tenant.begin(tenant.account.account_id) as work:
        connection = await work.connections.get(connection_id)
        connection.reconnect(
            provider=Provider.EXCHANGE,
            account_email=connection.account_email,
            consent=connection.consent,
            listed=[],
            server=newer,
            now=NOW,
        )
        await work.commit()
    found = await SqlReads(database).connections(tenant.account.account_id, [user_id])
    assert [each.server for each in found.values()] == [newer]


async def test_a_connection_is_loaded_with_what_its_account_lifted(
    tenant: Tenant, stranger: Tenant, database: Database
) -> None:
    """Everywhere it is loaded, at once, in this account alone, and without a change of the connection itself."""
    user_id, connection_id = await at_exchange(tenant)
    foreign_user, _ = await at_exchange(stranger)
    account, reads = tenant.account.account_id, SqlReads(database)
    for on in (True, False):
        await switch(tenant, on=on)
        async with tenant.look(account) as work:
            loaded = [
                await work.connections.get(connection_id),
                *(await work.connections.of_users([user_id])).values(),
            ]
        loaded += (await reads.connections(account, [user_id])).values()
        loaded += (await reads.connections_by_id(account, [connection_id])).values()
        assert len(loaded) == 4
        for connection in loaded:
            assert {each for each in Capability if connection.can(each)} == (FULL if on else set())
            assert connection.version == 1
    foreign = await reads.connections(stranger.account.account_id, [foreign_user])
    assert not any(connection.lifted for connection in foreign.values())


async def test_the_version_before_goes_on_writing_accounts_beside_this_one(tenant: Tenant, database: Database) -> None:
    """PF-6: its rows have the defaults."""
    before = "INSERT INTO accounts (id, version, name, created_at) SELECT {0}, version, name, created_at FROM accounts"
    new = a_user().account_id
    async with database.transaction() as connection:
        literal = f"'{new}'" if connection.dialect.name == "postgresql" else f"'{new.hex}'"
        await connection.execute(text(before.format(literal)))
    account = await SqlReads(database).account(new)
    assert account is not None
    assert (account.exchange_full_sync, account.mail_presets) == (False, ())


async def test_no_mailbox_password_stands_in_a_copy_of_the_database(tenant: Tenant, database: Database) -> None:
    """OA-7: neither as it was typed in nor in the form it is kept in; the server's address is no secret."""
    access = MailboxAccess(
        email="anna@example.com",
        username="CORP\\anna",
        password="canary-of-a-mailbox-password",
        url=SERVER.url,
        auth=ServerAuth.NTLM,
        build=ServerBuild(15, 1),
    )
    _, connection_id = await at_exchange(tenant, access.to_text())
    copy = repr(await everything(database))
    assert SERVER.url in copy
    assert "canary" not in copy
    assert "CORP" not in copy
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.connections.replace_credentials(connection_id, None) == access.to_text()


# ---- events to look after -------------------------------------------------------------------------------------------


async def confirmed(tenant: Tenant, *, at: timedelta, start: timedelta = timedelta()) -> Booking:
    """A booking that became CONFIRMED at `NOW` plus `at`."""
    booking = a_booking(
        tenant.page, state=BookingState.PENDING, calendar_id=tenant.connection.calendars[0].id, start=START + start
    )
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(booking)
        booking.confirm(BookedEvent(f"event of {booking.id}"), now=NOW + at)
        await work.commit()
    return booking


async def test_events_written_since_the_last_read_are_those_confirmed_since_then(tenant: Tenant) -> None:
    minute = timedelta(minutes=1)
    early = await confirmed(tenant, at=-minute)
    fresh = await confirmed(tenant, at=minute, start=timedelta(hours=1))
    await confirmed(tenant, at=9 * minute, start=timedelta(hours=2))
    calendar = tenant.connection.calendars[0].id
    span = TimeSpan(NOW, NOW + timedelta(days=9))

    async def standing(since: timedelta | None) -> set[BookingId]:
        async with tenant.look(tenant.account.account_id) as work:
            found = await work.bookings.standing_events(
                calendar,
                span,
                settled_before=NOW + 5 * minute,
                confirmed_since=None if since is None else NOW + since,
            )
        assert all(event_id == f"event of {booking_id}" for booking_id, event_id in found)
        return {booking_id for booking_id, _ in found}

    assert await standing(None) == {early.id, fresh.id}
    assert await standing(timedelta()) == {fresh.id}
    assert await standing(2 * minute) == set()
    async with tenant.begin(tenant.account.account_id) as work:  # looked at again: settled, but not confirmed anew
        booking = await work.bookings.get(early.id)
        booking.confirm(BookedEvent(f"event of {early.id}"), now=NOW + 2 * minute)
        await work.commit()
    assert await standing(timedelta()) == {fresh.id}
