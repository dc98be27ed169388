"""Being told of changes where a provider cannot call us: we hold a connection open, and it speaks."""

import logging

from meetings.application.grants import note_lost_grant
from meetings.application.plan_sync import request_sync
from meetings.application.ports.calendars import ListenerOf, ReauthorizationNeeded
from meetings.application.ports.clock import Clock
from meetings.application.ports.sync_schedule import PlannedConnection, SyncSchedule
from meetings.application.ports.unit_of_work import Begin

log = logging.getLogger(__name__)


async def listen_for_changes(
    planned: PlannedConnection,
    *,
    begin: Begin,
    look: Begin,
    listener_of: ListenerOf,
    schedule: SyncSchedule,
    clock: Clock,
) -> None:
    """Have each calendar of a connection read when its provider says that it changed.

    Returns when the provider ends the conversation, or when there is nothing to listen to; to be called again. All
    calendars are read at the start, because nobody tells what happened while nobody listened. What is missed is seen
    by the next poll (SY-1).

    Raises:
        ProviderError: it could not be listened to, or not any more. A grant that is lost is written down before.
    """
    async with look(planned.account_id) as work:
        connection = await work.connections.get(planned.connection_id)
    listener = listener_of(connection) if connection.usable else None
    if listener is None:
        return
    known = {calendar.external_id: calendar.id for calendar in connection.selected_calendars}
    await request_sync(connection, schedule)
    try:
        async for changed in listener.changes(list(known)):
            if changed in known:
                await schedule.request(known[changed])
            else:
                log.info("news of a calendar nobody asked about", extra={"connection": str(connection.id)})
    except ReauthorizationNeeded:
        await note_lost_grant(connection, begin=begin, clock=clock)
        raise
