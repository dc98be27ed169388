"""A person changes their own settings."""

from collections.abc import Callable

from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.user import UserSettings


async def change_settings(
    changed: Callable[[UserSettings], UserSettings], *, caller: Caller, begin: Begin, clock: Clock
) -> None:
    """Take what `changed` makes of the current settings.

    Raises:
        InvalidInput: everything wrong; nothing is changed then.
    """
    async with begin(caller.account_id) as work:
        user = await work.users.get(caller.user_id)
        user.change_settings(changed(user.settings), now=clock())
        await work.commit()
