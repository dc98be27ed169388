"""People, as a unit of work gets and saves them."""

from collections.abc import Collection

from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from meetings.application.ports.identities import EmailTaken
from meetings.domain.base import NotFound
from meetings.domain.identifiers import UserId
from meetings.domain.slug import SlugTaken
from meetings.domain.user import Role, User
from meetings.infrastructure.database.engines import broken_constraint
from meetings.infrastructure.database.mapping import user_from, user_row
from meetings.infrastructure.database.tables import api_tokens, sessions, users
from meetings.infrastructure.database.transaction import Image, Transaction

BY_IDS = select(users).where(
    users.c.account_id == bindparam("account"), users.c.id.in_(bindparam("ids", expanding=True))
)


class SqlUsers:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, user_id: UserId) -> User:
        found = await self.of([user_id])
        if user_id not in found:
            raise NotFound("user")
        return found[user_id]

    async def of(self, user_ids: Collection[UserId]) -> dict[UserId, User]:
        transaction = self._transaction
        found = {user_id: transaction.known(User, user_id) for user_id in user_ids}
        missing = [user_id for user_id, user in found.items() if user is None]
        if missing:
            for row in await transaction.rows(BY_IDS, {"account": transaction.account_id, "ids": missing}):
                found[row.id] = transaction.loaded(user_from(row), user_row)
        return {user_id: user for user_id, user in found.items() if user is not None}

    async def active_owners(self) -> set[UserId]:
        return await self._active(Role.OWNER)

    async def active_admins(self) -> set[UserId]:
        return await self._active(Role.OWNER, Role.ADMIN)

    async def _active(self, *roles: Role) -> set[UserId]:
        wanted = users.c.role.in_([role.value for role in roles])
        mine = (users.c.account_id == self._transaction.account_id, wanted, users.c.active)
        return {UserId(row.id) for row in await self._transaction.rows(select(users.c.id).where(*mine))}

    async def close_doors(self, user_id: UserId) -> None:
        for table in (sessions, api_tokens):
            whose = (table.c.account_id == self._transaction.account_id, table.c.user_id == user_id)
            await self._transaction.run(delete(table).where(*whose))

    def add(self, user: User) -> None:
        self._transaction.added(user)

    async def save(self, user: User, before: Image | None, after: Image) -> None:
        """Write a person down.

        Raises:
            ConcurrentChange: somebody else did since.
            EmailTaken: somebody else signs in with the address.
            SlugTaken: somebody else has the meeting URL.
        """
        try:
            await self._transaction.save(users, user.version, before, after)
        except IntegrityError as error:
            if broken_constraint(error) in ("users_email_key_key", "users.email_key"):
                raise EmailTaken from error
            if broken_constraint(error) in ("users_meeting_url_idx", "users.meeting_url"):
                raise SlugTaken(user.meeting_url or "") from error
            raise
