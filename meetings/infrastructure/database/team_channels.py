"""Channels of teams, as a unit of work gets and saves them."""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from meetings.domain.base import NotFound
from meetings.domain.identifiers import MailboxId, TeamChannelId, UserId
from meetings.domain.team_channel import TeamChannel, TeamMailProvider, name_taken
from meetings.infrastructure.database.engines import broken_constraint
from meetings.infrastructure.database.tables import team_channels
from meetings.infrastructure.database.transaction import AnyRow, Image, Transaction

STANDING = (
    select(team_channels)
    .where(team_channels.c.account_id == bindparam("account"), team_channels.c.removed_at.is_(None))
    .order_by(team_channels.c.created_at, team_channels.c.id)
)


def name_key(name: str) -> str:
    """The form in which names are compared."""
    return name.strip().casefold()


def team_channel_from(row: AnyRow) -> TeamChannel:
    return TeamChannel(
        id=TeamChannelId(row.id),
        account_id=row.account_id,
        version=row.version,
        name=row.name,
        provider=TeamMailProvider(row.provider),
        hosted_address=row.hosted_address,
        created_by=UserId(row.created_by),
        created_at=row.created_at,
        mailbox_id=None if row.mailbox_id is None else MailboxId(row.mailbox_id),
        removed_at=row.removed_at,
    )


def team_channel_row(channel: TeamChannel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "account_id": channel.account_id,
        "name": channel.name,
        "live_name": None if channel.removed_at else name_key(channel.name),
        "provider": channel.provider.value,
        "hosted_address": channel.hosted_address,
        "created_by": channel.created_by,
        "created_at": channel.created_at,
        "mailbox_id": channel.mailbox_id,
        "removed_at": channel.removed_at,
    }


class SqlTeamChannels:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, channel_id: TeamChannelId) -> TeamChannel:
        for channel in await self.all():
            if channel.id == channel_id:
                return channel
        raise NotFound("team channel", ("channelId",))

    async def all(self) -> list[TeamChannel]:
        rows = await self._transaction.rows(STANDING, {"account": self._transaction.account_id})
        return [self._transaction.loaded(team_channel_from(row), team_channel_row) for row in rows]

    def add(self, channel: TeamChannel) -> None:
        self._transaction.added(channel)

    async def save(self, channel: TeamChannel, before: Image | None, after: Image) -> None:
        """Write a channel down.

        Raises:
            ConcurrentChange: somebody else did since.
            InvalidInput: another channel of the account has the name.
        """
        try:
            await self._transaction.save(team_channels, channel.version, before, after)
        except IntegrityError as error:
            taken = ("team_channels_account_id_live_name_idx", "team_channels.account_id, team_channels.live_name")
            if broken_constraint(error) in taken:
                raise name_taken() from error
            raise
