"""Connected mailboxes on SQLite and PostgreSQL: whose they are, which address they hold, whose credentials they use."""

from typing import Any
from uuid import uuid4

import pytest

from meetings.application.ports.calendars import ReauthorizationNeeded
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.calendar_connection import Consent, MailServer
from meetings.domain.identifiers import MailboxId, UserId
from meetings.domain.mailbox import InboxProvider, Mailbox, MailboxAlreadyConnected
from meetings.infrastructure.credentials import StoredCredentials
from meetings.infrastructure.database.sealed_credentials import OF_MAILBOXES
from meetings.infrastructure.database.unit_of_work import Database
from tests.builders import NOW, a_user
from tests.contracts.database.conftest import Tenant
from tests.contracts.database.test_secrets import everything

CONSENT = Consent("2026-01", NOW)
SERVER = MailServer("imaps://imap.example.com:993", "Dovecot")


def a_mailbox(tenant: Tenant, email: str = "Anna@Example.com", **given: Any) -> Mailbox:
    values: dict[str, Any] = {
        "account_id": tenant.account.account_id,
        "user_id": tenant.host.id,
        "provider": InboxProvider.IMAP,
        "consent": CONSENT,
        "now": NOW,
    }
    return Mailbox.connect(MailboxId(uuid4()), email=email, **(values | given))


async def keep(tenant: Tenant, mailbox: Mailbox, credentials: str | None = "the password") -> Mailbox:
    async with tenant.begin(tenant.account.account_id) as work:
        work.mailboxes.add(mailbox, credentials)
        await work.commit()
    return mailbox


async def test_a_mailbox_comes_back_as_it_was_stored(tenant: Tenant) -> None:
    mailbox = await keep(tenant, a_mailbox(tenant, server=SERVER))
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.mailboxes.get(mailbox.id)
    assert (found.email, found.provider, found.server, found.consent) == (
        "Anna@Example.com",
        InboxProvider.IMAP,
        SERVER,
        CONSENT,
    )
    assert (found.usable, found.team, found.log_replies, found.connection_id) == (True, False, True, None)


async def test_a_mailbox_is_found_by_its_address_in_whatever_letter_case_while_it_has_it(tenant: Tenant) -> None:
    mailbox = await keep(tenant, a_mailbox(tenant))
    async with tenant.begin(tenant.account.account_id) as work:
        found = await work.mailboxes.by_email("anna@EXAMPLE.com")
        assert found is not None
        assert found.id == mailbox.id
        found.disconnect(now=NOW)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        assert await work.mailboxes.by_email("anna@example.com") is None
        assert [each.id for each in await work.mailboxes.of_user(tenant.host.id)] == [mailbox.id]


async def test_an_address_is_connected_once_in_an_account(tenant: Tenant, stranger: Tenant) -> None:
    await keep(tenant, a_mailbox(tenant))
    colleague = a_user(tenant.account.account_id)
    async with tenant.begin(tenant.account.account_id) as work:
        work.users.add(colleague)
        work.mailboxes.add(a_mailbox(tenant, "ANNA@example.com", user_id=colleague.id, team=True), "another password")
        with pytest.raises(MailboxAlreadyConnected):
            await work.commit()
    await keep(stranger, a_mailbox(stranger))


async def test_an_address_that_was_let_go_can_be_connected_by_a_colleague(tenant: Tenant) -> None:
    mailbox = await keep(tenant, a_mailbox(tenant))
    async with tenant.begin(tenant.account.account_id) as work:
        (await work.mailboxes.get(mailbox.id)).disconnect(now=NOW)
        await work.commit()
    again = await keep(tenant, a_mailbox(tenant, "anna@example.com"))
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.mailboxes.by_email("anna@example.com")
        assert found is not None
        assert found.id == again.id


async def test_the_mailbox_of_a_team_is_nobodys_own(tenant: Tenant) -> None:
    await keep(tenant, a_mailbox(tenant, team=True))
    async with tenant.look(tenant.account.account_id) as work:
        assert await work.mailboxes.of_user(tenant.host.id) == []
        found = await work.mailboxes.by_email("anna@example.com")
        assert found is not None
        assert found.team


async def test_one_mailbox_borrows_from_a_connection(tenant: Tenant) -> None:
    mailbox = await keep(tenant, a_mailbox(tenant, connection_id=tenant.connection.id), None)
    async with tenant.begin(tenant.account.account_id) as work:
        work.mailboxes.add(a_mailbox(tenant, "other@example.com", connection_id=tenant.connection.id), None)
        with pytest.raises(ConcurrentChange):
            await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        found = await work.mailboxes.borrowing(tenant.connection.id)
        assert found is not None
        assert found.id == mailbox.id
        found.stand_alone()
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        assert await work.mailboxes.borrowing(tenant.connection.id) is None


async def test_mailboxes_of_another_account_are_not_there(tenant: Tenant, stranger: Tenant) -> None:
    mailbox = await keep(tenant, a_mailbox(tenant))
    async with stranger.look(stranger.account.account_id) as work:
        assert await work.mailboxes.by_email("anna@example.com") is None
        assert await work.mailboxes.of_user(UserId(tenant.host.id)) == []
        with pytest.raises(NotFound):
            await work.mailboxes.get(mailbox.id)


async def test_its_own_credentials_are_sealed_renewed_and_replaced(tenant: Tenant, database: Database) -> None:
    mailbox = await keep(tenant, a_mailbox(tenant), "correct horse battery")
    assert "correct horse battery" not in str(await everything(database))
    stored = StoredCredentials(database, tenant.account.account_id, mailbox.id, place=OF_MAILBOXES)
    assert await stored.current() == "correct horse battery"

    async def newer(old: str) -> str:
        return f"{old} staple"

    assert await stored.renew("correct horse battery", newer) == "correct horse battery staple"
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.mailboxes.replace_credentials(mailbox.id, None) == "correct horse battery staple"
        await work.commit()
    with pytest.raises(ReauthorizationNeeded):
        await stored.current()


async def test_credentials_of_a_mailbox_are_none_of_a_connection(tenant: Tenant, database: Database) -> None:
    mailbox = await keep(tenant, a_mailbox(tenant))
    of_connection = StoredCredentials(database, tenant.account.account_id, mailbox.id)
    with pytest.raises(ReauthorizationNeeded):
        await of_connection.current()
