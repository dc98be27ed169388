"""A person changes their own settings."""

from collections.abc import Callable, Collection

from meetings.application.log_calendar_events import ask_for_events
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.calendar_connection import Capability, Grant
from meetings.domain.user import UserSettings


async def change_settings(
    changed: Callable[[UserSettings], UserSettings],
    *,
    caller: Caller,
    begin: Begin,
    clock: Clock,
    needs: Collection[Capability] = (),
) -> None:
    """Take what `changed` makes of the current settings. `needs`: what calendars must be able to do for that. With
    calendar sync switched on again, what was planned meanwhile goes on records.

    Raises:
        CapabilityUnsupported: the person's calendars cannot do one of these (A-CS2).
        InvalidInput: everything wrong; nothing is changed then.
    """
    async with begin(caller.account_id) as work:
        user = await work.users.get(caller.user_id)
        connection = (await work.connections.of_users([user.id])).get(user.id) if needs else None
        if connection is not None and connection.grant is not Grant.RETURNED:
            for capability in needs:
                connection.require(capability)
        synchronized = user.settings.calendar_sync
        user.change_settings(changed(user.settings), now=clock())
        if connection is not None and user.settings.calendar_sync and not synchronized:
            await ask_for_events(work, connection)
        await work.commit()
