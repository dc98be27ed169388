"""People and programs that can call: accounts, users, sessions, API tokens."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from meetings.application.ports.identities import ApiToken, Caller, EmailTaken, Scope
from meetings.domain.account import Account
from meetings.domain.base import DomainEvent
from meetings.domain.identifiers import AccountId, UserId
from meetings.domain.user import ApiTokenCreated, ApiTokenRevoked, PersonAdded, User
from meetings.infrastructure.database.engines import broken_constraint
from meetings.infrastructure.database.journal import write_journal
from meetings.infrastructure.database.mapping import account_row, email_key, user_from, user_row
from meetings.infrastructure.database.tables import accounts, api_tokens, sessions, users
from meetings.infrastructure.database.transaction import AnyRow, Transaction, execute
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database

_LAST_USE_SECONDS = 60
"""How exact `last_used_at` is: written down at most this often, so that reading calls seldom write."""


class SqlIdentities:
    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- people -----------------------------------------------------------------------------------------------------

    async def found(self, account: Account, owner: User) -> None:
        await self._store(account, owner)

    async def enrol(self, user: User) -> None:
        await self._store(None, user)

    async def _store(self, account: Account | None, user: User) -> None:
        try:
            async with self._database.transaction() as connection:
                if account is not None:
                    await execute(
                        connection, insert(accounts), {**account_row(account), "version": account.version + 1}
                    )
                    await self._database.secrets.add_account(connection, account.account_id)
                await execute(connection, insert(users), {**user_row(user), "version": user.version + 1})
                if account is None:
                    added = PersonAdded(at=user.created_at, user_id=user.id, role=user.role)
                    await _write_down(connection, user.account_id, "operator", added, user.id)
        except IntegrityError as error:
            if broken_constraint(error) in ("users_email_key_key", "users.email_key"):
                raise EmailTaken from error
            raise
        if account is not None:
            account.version += 1
        user.version += 1

    async def by_email(self, email: str) -> User | None:
        query = select(users).where(users.c.email_key == email_key(email), users.c.active)
        row = await self._one(query)
        return None if row is None else user_from(row)

    # ---- sessions ---------------------------------------------------------------------------------------------------

    async def open_session(self, user: User, token_hash: str, *, expires_at: datetime) -> None:
        row = {
            "token_hash": token_hash,
            "account_id": user.account_id,
            "user_id": user.id,
            "created_at": database_time(),
            "expires_at": expires_at,
        }
        async with self._database.transaction() as connection:
            await execute(connection, insert(sessions).values(row))

    async def session(self, token_hash: str) -> Caller | None:
        query = (
            select(users.c.account_id, users.c.id)
            .join_from(sessions, users, users.c.id == sessions.c.user_id)
            .where(sessions.c.token_hash == token_hash, sessions.c.expires_at > database_time(), users.c.active)
        )
        row = await self._one(query)
        return None if row is None else Caller(AccountId(row.account_id), UserId(row.id), frozenset(Scope))

    async def close_session(self, token_hash: str) -> None:
        async with self._database.transaction() as connection:
            await execute(connection, delete(sessions).where(sessions.c.token_hash == token_hash))

    # ---- tokens of programs -----------------------------------------------------------------------------------------

    async def add_token(
        self, user_id: UserId, account_id: AccountId, *, name: str, token_hash: str, scopes: Collection[Scope]
    ) -> ApiToken:
        told = sorted(scope.value for scope in scopes)
        row = {
            "id": uuid4(),
            "token_hash": token_hash,
            "account_id": account_id,
            "user_id": user_id,
            "name": name,
            "scopes": told,
            "created_at": database_time(),
        }
        async with self._database.transaction() as connection:
            inserted = await execute(connection, insert(api_tokens).values(row).returning(api_tokens))
            token = _token(inserted.one())
            made = ApiTokenCreated(at=token.created_at, user_id=user_id, scopes=tuple(told))
            await _write_down(connection, account_id, f"user:{user_id}", made, token.id)
        return token

    async def token(self, token_hash: str) -> Caller | None:
        query = (
            select(api_tokens, (api_tokens.c.last_used_at > database_time(-_LAST_USE_SECONDS)).label("fresh"))
            .join_from(api_tokens, users, users.c.id == api_tokens.c.user_id)
            .where(api_tokens.c.token_hash == token_hash, users.c.active)
        )
        row = await self._one(query)
        if row is None:
            return None
        if not row.fresh:
            await self._note_use(row.id)
        return Caller(AccountId(row.account_id), UserId(row.user_id), frozenset(map(Scope, row.scopes)))

    async def _note_use(self, token_id: UUID) -> None:
        last = api_tokens.c.last_used_at
        stale = (api_tokens.c.id == token_id, or_(last.is_(None), last <= database_time(-_LAST_USE_SECONDS)))
        async with self._database.transaction() as connection:
            await execute(connection, update(api_tokens).where(*stale).values(last_used_at=database_time()))

    async def tokens(self, user_id: UserId, account_id: AccountId) -> list[ApiToken]:
        query = (
            select(api_tokens)
            .where(api_tokens.c.user_id == user_id, api_tokens.c.account_id == account_id)
            .order_by(api_tokens.c.created_at.desc(), api_tokens.c.id)
        )
        async with self._database.snapshot() as connection:
            return [_token(row) for row in (await execute(connection, query)).all()]

    async def revoke_token(self, user_id: UserId, account_id: AccountId, token_id: UUID) -> bool:
        mine = (
            api_tokens.c.id == token_id,
            api_tokens.c.user_id == user_id,
            api_tokens.c.account_id == account_id,
        )
        async with self._database.transaction() as connection:
            found = (await execute(connection, delete(api_tokens).where(*mine))).rowcount == 1
            if found:
                ended = ApiTokenRevoked(at=datetime.now(UTC), user_id=user_id)
                await _write_down(connection, account_id, f"user:{user_id}", ended, token_id)
        return found

    async def _one(self, query: Select[*tuple[object, ...]]) -> AnyRow | None:
        async with self._database.snapshot() as connection:
            return (await execute(connection, query)).one_or_none()


async def _write_down(
    connection: AsyncConnection, account_id: AccountId, actor: str, event: DomainEvent, subject: UUID
) -> None:
    transaction = Transaction(connection, account_id, keep_images=False)
    await write_journal(transaction, actor, [(event, subject)])


def _token(row: AnyRow) -> ApiToken:
    return ApiToken(row.id, row.name, frozenset(map(Scope, row.scopes)), row.created_at, row.last_used_at)
