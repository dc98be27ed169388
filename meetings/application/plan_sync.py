"""Deciding which calendars are read at all, and having the provider call us about them."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from meetings.application.links import Links, token_hash
from meetings.application.ports.calendars import (
    News,
    Notice,
    ProviderError,
    Providers,
    PushOf,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.outbox import Intent
from meetings.application.ports.sync_schedule import StoredChannel, SyncClaim, SyncSchedule
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.base import NotFound
from meetings.domain.calendar_connection import CalendarConnection, ConnectedCalendar
from meetings.domain.identifiers import CalendarId, ConnectionId

log = logging.getLogger(__name__)

_CLOSE_SECONDS = 10.0
_LONGEST_CHANNEL_ID = 200


async def plan_sync(intent: Intent, *, begin: Begin, look: Begin, push_of: PushOf, schedule: SyncSchedule) -> None:
    """Have exactly the selected calendars of a connection read, none while it cannot be used.

    The copies of calendars that are no longer selected are dropped, and nobody needs to call us about them.
    """
    async with look(intent.account_id) as work:
        connection = await work.connections.get(ConnectionId(intent.subject))
    selected = [calendar.id for calendar in connection.selected_calendars] if connection.usable else []
    others = [calendar for calendar in connection.calendars if calendar.id not in selected]
    await close_channels(connection, others, push_of=push_of, schedule=schedule)
    async with begin(intent.account_id) as work:
        for calendar in connection.calendars:
            if not calendar.selected:
                await work.mirror.forget(calendar.id)
        await work.commit()
    await schedule.plan(intent.account_id, connection.id, selected)


async def close_channels(
    connection: CalendarConnection, calendars: Sequence[ConnectedCalendar], *, push_of: PushOf, schedule: SyncSchedule
) -> None:
    """Have nobody call us about these calendars any more. A channel the provider does not close ends by itself."""
    push = push_of(connection) if connection.usable else None
    for calendar in calendars:
        for stored in await schedule.channels_of(calendar.id):
            if push is not None:
                try:
                    async with asyncio.timeout(_CLOSE_SECONDS):
                        await push.close_channel(stored.channel)
                except (ProviderError, TimeoutError):
                    log.info("a push channel could not be closed; it ends by itself", exc_info=True)
            await schedule.drop_channel(stored.channel.channel_id)


async def request_sync(connection: CalendarConnection, schedule: SyncSchedule) -> None:
    """Have every selected calendar of a connection read as soon as possible."""
    for calendar in connection.selected_calendars:
        await schedule.request(calendar.id)


async def renew_channels(
    *,
    look: Begin,
    providers: Providers,
    push_of: PushOf,
    schedule: SyncSchedule,
    links: Links,
    clock: Clock,
    limit: int = 50,
) -> int:
    """Open a push channel for calendars without one, and a new one before an old one runs out (SY-4).

    The new channel is open before the old is closed, so that no notice is lost. Gives how many were opened. A
    provider that refuses is asked again next time; polling goes on anyway.
    """
    opened = 0
    calling = [provider for provider, offered in providers.items() if offered.push is not None]
    for wanted in await schedule.without_channel(calling, limit, renew_before=clock()):
        try:
            opened += await _renew(wanted, look=look, push_of=push_of, schedule=schedule, links=links, clock=clock)
        except RateLimited:
            break
        except (ProviderError, NotFound) as error:
            log.info("no push channel", extra={"calendar": str(wanted.calendar_id), "error": type(error).__name__})
    return opened


async def _renew(
    wanted: SyncClaim, *, look: Begin, push_of: PushOf, schedule: SyncSchedule, links: Links, clock: Clock
) -> bool:
    async with look(wanted.account_id) as work:
        connection = await work.connections.get(wanted.connection_id)
    calendar = next((c for c in connection.selected_calendars if c.id == wanted.calendar_id), None)
    push = push_of(connection) if connection.usable and calendar else None
    if push is None or calendar is None:
        return False
    channel_id, secret = str(uuid4()), secrets.token_urlsafe(24)
    opened_at = clock()
    channel = await push.open_channel(
        calendar.external_id,
        channel_id=channel_id,
        secret=secret,
        address=links.push_address(connection.provider.value),
    )
    stored = StoredChannel(
        channel, calendar.id, connection.id, wanted.account_id, renew_at=_half_way(opened_at, channel.expires_at)
    )
    await schedule.store_channel(stored, secret_hash=token_hash(secret))
    for earlier in await _older_than(channel_id, calendar.id, schedule):
        try:
            await push.close_channel(earlier.channel)
        except ReauthorizationNeeded:
            raise
        except ProviderError:
            log.info("an old push channel could not be closed; it ends by itself", exc_info=True)
        await schedule.drop_channel(earlier.channel.channel_id)
    return True


async def _older_than(channel_id: str, calendar: CalendarId, schedule: SyncSchedule) -> list[StoredChannel]:
    """The calendar's channels from before this one: of two that were opened at the same moment, the newer stays."""
    known = await schedule.channels_of(calendar)
    ids = [each.channel.channel_id for each in known]
    return known[ids.index(channel_id) + 1 :] if channel_id in ids else []


def _half_way(opened_at: datetime, expires_at: datetime) -> datetime:
    """When to renew: at half life."""
    return opened_at + max((expires_at - opened_at) / 2, timedelta(0))


async def take_notice(notice: Notice, *, schedule: SyncSchedule) -> bool:
    """A provider says that a calendar changed: have it read. False, and no work, for a channel that is not ours.

    A channel that ends is replaced at the next chance, and the calendar read, because notices may be missing. A
    greeting asks for nothing, and may come before the channel is known here.
    """
    if notice.news is News.GREETING:
        return True
    if len(notice.channel_id) > _LONGEST_CHANNEL_ID or not notice.channel_id.isprintable():
        return False
    stored = await schedule.channel(notice.channel_id, token_hash(notice.secret))
    if stored is None:
        return False
    if notice.news is News.CHANNEL_ENDING:
        await schedule.renew_channel(notice.channel_id)
    await schedule.request(stored.calendar_id)
    return True
