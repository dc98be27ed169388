"""Who is calling: sign-in by password, sessions, API tokens. Not tied to one account; tokens are kept as hashes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID

from meetings.domain.account import Account
from meetings.domain.identifiers import AccountId, UserId
from meetings.domain.user import User


class Scope(Enum):
    """What a caller may do: look, or also change (A-AP7)."""

    READ = "READ"
    WRITE = "WRITE"


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person, or a program with their token."""

    account_id: AccountId
    user_id: UserId
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A program's token, without the token."""

    id: UUID
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    last_used_at: datetime | None


class Passwords(Protocol):
    """Hashing and checking passwords; slow on purpose, off the event loop."""

    async def hash(self, password: str) -> str:
        """A new salted hash."""

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the password. Takes as long for None, so that nobody learns who has an account."""


class EmailTaken(Exception):
    """Somebody signs in with this address already."""


class Identities(Protocol):
    """People and programs that can call. Each method is its own transaction."""

    async def found(self, account: Account, owner: User) -> None:
        """Store a new account with its first user. Raises `EmailTaken`."""

    async def enrol(self, user: User) -> None:
        """Store one more user of an account. Raises `EmailTaken`."""

    async def by_email(self, email: str) -> User | None:
        """The active user who signs in with this address, in any letter case."""

    async def open_session(self, user: User, token_hash: str, *, expires_at: datetime) -> None:
        """Remember a session."""

    async def session(self, token_hash: str) -> Caller | None:
        """Who the session belongs to; None when unknown, expired, closed, or its user is not active."""

    async def close_session(self, token_hash: str) -> None:
        """End a session; one that is not there is success."""

    async def add_token(
        self, user_id: UserId, account_id: AccountId, *, name: str, token_hash: str, scopes: Collection[Scope]
    ) -> ApiToken:
        """Remember a program's token."""

    async def token(self, token_hash: str) -> Caller | None:
        """Who a program's token belongs to; None when unknown, revoked, or its user is not active."""

    async def tokens(self, user_id: UserId, account_id: AccountId) -> list[ApiToken]:
        """A person's tokens, newest first."""

    async def revoke_token(self, user_id: UserId, account_id: AccountId, token_id: UUID) -> bool:
        """Revoke a token; false when there is none."""
