"""Mailboxes with their sealed credentials, as a unit of work gets and saves them."""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.calendar_connection import Consent, Grant, MailServer
from meetings.domain.identifiers import ConnectionId, MailboxId, UserId
from meetings.domain.mailbox import InboxProvider, Mailbox, MailboxAlreadyConnected
from meetings.infrastructure.database.engines import broken_constraint
from meetings.infrastructure.database.mapping import email_key
from meetings.infrastructure.database.sealed_credentials import OF_MAILBOXES, SealedCredentials
from meetings.infrastructure.database.tables import mailboxes
from meetings.infrastructure.database.transaction import AnyRow, Image, Transaction
from meetings.infrastructure.secrets import Secrets

MAILBOXES = (
    select(mailboxes)
    .where(mailboxes.c.account_id == bindparam("account"))
    .order_by(mailboxes.c.connected_at, mailboxes.c.id)
)
BY_ID = MAILBOXES.where(mailboxes.c.id == bindparam("id"))
OF_USER = MAILBOXES.where(mailboxes.c.user_id == bindparam("user"), mailboxes.c.team.is_(False))
BY_ADDRESS = MAILBOXES.where(mailboxes.c.held_address == bindparam("address"))
BORROWING = MAILBOXES.where(mailboxes.c.connection_id == bindparam("connection"))


def mailbox_from(row: AnyRow) -> Mailbox:
    return Mailbox(
        id=MailboxId(row.id),
        account_id=row.account_id,
        version=row.version,
        user_id=UserId(row.user_id),
        provider=InboxProvider(row.provider),
        email=row.email,
        consent=Consent(row.consent_version, row.consent_accepted_at),
        connected_at=row.connected_at,
        connection_id=None if row.connection_id is None else ConnectionId(row.connection_id),
        grant=Grant(row.grant_state),
        server=None if row.server_url is None else MailServer(row.server_url, row.server_version),
        team=row.team,
        log_replies=row.log_replies,
    )


def mailbox_row(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "id": mailbox.id,
        "account_id": mailbox.account_id,
        "user_id": mailbox.user_id,
        "provider": mailbox.provider.value,
        "email": mailbox.email,
        "held_address": None if mailbox.grant is Grant.RETURNED else email_key(mailbox.email),
        "consent_version": mailbox.consent.version,
        "consent_accepted_at": mailbox.consent.accepted_at,
        "connected_at": mailbox.connected_at,
        "connection_id": mailbox.connection_id,
        "grant_state": mailbox.grant.value,
        "server_url": mailbox.server.url if mailbox.server else None,
        "server_version": mailbox.server.version if mailbox.server else None,
        "team": mailbox.team,
        "log_replies": mailbox.log_replies,
    }


class SqlMailboxes:
    def __init__(self, transaction: Transaction, secrets: Secrets) -> None:
        self._transaction = transaction
        self._credentials = SealedCredentials(transaction, secrets, OF_MAILBOXES)

    async def get(self, mailbox_id: MailboxId) -> Mailbox:
        known = self._transaction.known(Mailbox, mailbox_id)
        if known is not None:
            return known
        for row in await self._transaction.rows(BY_ID, {"account": self._transaction.account_id, "id": mailbox_id}):
            return self._transaction.loaded(mailbox_from(row), mailbox_row)
        raise NotFound("mailbox")

    async def of_user(self, user_id: UserId) -> list[Mailbox]:
        rows = await self._transaction.rows(OF_USER, {"account": self._transaction.account_id, "user": user_id})
        return [self._transaction.loaded(mailbox_from(row), mailbox_row) for row in rows]

    async def by_email(self, email: str) -> Mailbox | None:
        values = {"account": self._transaction.account_id, "address": email_key(email)}
        return await self._one(BY_ADDRESS, values)

    async def borrowing(self, connection_id: ConnectionId) -> Mailbox | None:
        return await self._one(BORROWING, {"account": self._transaction.account_id, "connection": connection_id})

    def add(self, mailbox: Mailbox, credentials: str | None) -> None:
        self._transaction.added(mailbox)
        self._credentials.add(mailbox.id, credentials)

    async def replace_credentials(self, mailbox_id: MailboxId, credentials: str | None) -> str | None:
        return await self._credentials.replace(mailbox_id, credentials)

    async def save(self, mailbox: Mailbox, before: Image | None, after: Image) -> None:
        """Write a mailbox down.

        Raises:
            ConcurrentChange: somebody else did since, or another mailbox borrows from the same connection meanwhile.
            MailboxAlreadyConnected: another mailbox of the account has the address.
        """
        try:
            await self._transaction.save(mailboxes, mailbox.version, before, after)
        except IntegrityError as error:
            broken = broken_constraint(error)
            if broken in ("mailboxes_account_id_held_address_idx", "mailboxes.account_id, mailboxes.held_address"):
                raise MailboxAlreadyConnected from error
            if broken in ("mailboxes_connection_id_key", "mailboxes.connection_id"):
                raise ConcurrentChange from error
            raise
        if before is None:
            await self._credentials.write_new(mailbox.id)

    async def _one(self, query: Any, values: dict[str, Any]) -> Mailbox | None:
        for row in await self._transaction.rows(query, values):
            return self._transaction.loaded(mailbox_from(row), mailbox_row)
        return None
