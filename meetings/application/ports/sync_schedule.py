"""When which calendar is read again, by whom, and which push channels stand behind it (SY-1 to SY-4)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from meetings.application.ports.calendars import PushChannel
from meetings.application.ports.reading_turns import ReadingTurns
from meetings.domain.calendar_connection import Provider
from meetings.domain.identifiers import AccountId, CalendarId, ConnectionId


@dataclass(frozen=True, slots=True)
class SyncClaim:
    """The right to read one calendar, until the lease ends; `fence` proves it is the latest claim."""

    calendar_id: CalendarId
    connection_id: ConnectionId
    account_id: AccountId
    fence: int


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """A push channel of a calendar. The secret it carries is kept as a hash only."""

    channel: PushChannel
    calendar_id: CalendarId
    connection_id: ConnectionId
    account_id: AccountId
    renew_at: datetime


@dataclass(frozen=True, slots=True)
class PlannedConnection:
    """A connection of which calendars are read, which, and when it was last signed in to: the same plan is equal."""

    account_id: AccountId
    connection_id: ConnectionId
    connected_at: datetime
    calendars: frozenset[CalendarId]


class SyncSchedule(ReadingTurns[CalendarId, SyncClaim], Protocol):
    """Whose turn it is to read a calendar, and its push channels."""

    async def plan(self, account_id: AccountId, connection_id: ConnectionId, calendars: list[CalendarId]) -> None:
        """Have exactly these calendars of a connection read, new ones at once; others of it are forgotten."""

    async def planned(self, providers: Collection[Provider], limit: int) -> list[PlannedConnection]:
        """Connections of these providers of which calendars are read, those connected longest first."""

    async def store_channel(self, channel: StoredChannel, *, secret_hash: str) -> None:
        """Remember a channel; a calendar may have an old and a new one for a while."""

    async def channel(self, channel_id: str, secret_hash: str) -> StoredChannel | None:
        """The channel with this id and secret, compared in constant time; None for any other."""

    async def channels_of(self, calendar_id: CalendarId) -> list[StoredChannel]:
        """A calendar's channels, newest first."""

    async def drop_channel(self, channel_id: str) -> None:
        """Forget a channel."""

    async def renew_channel(self, channel_id: str) -> None:
        """Have a channel replaced at the next chance."""

    async def without_channel(
        self, providers: Collection[Provider], limit: int, *, renew_before: datetime
    ) -> list[SyncClaim]:
        """Planned calendars of these providers whose newest channel is missing, or to be renewed before an instant.

        The claims given carry fence 0: they only say which calendar of which connection.
        """
