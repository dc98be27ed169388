"""Somebody tried to book a host whose calendar cannot be read: the host is told (S61)."""

from datetime import datetime

from meetings.application.page_state import PageState
from meetings.application.policy import Policy
from meetings.application.ports.outbox import NewIntent
from meetings.application.ports.unit_of_work import Attempt, Begin
from meetings.application.reactions import TELL_BLOCKED


async def note_blocked_attempt(
    state: PageState, wished_start: datetime, *, begin: Begin, policy: Policy, now: datetime
) -> None:
    """Remember the attempt for every host of the page with a lost calendar.

    The first is told at once, further ones within the bundling time together. Hosts who switched their pages off
    themselves are not told. A host is locked, so that two attempts at once make one mail.
    """
    for host in state.page.hosts:
        connection = state.connections.get(host.user_id)
        if connection is None or not connection.lost_calendars:
            continue
        async with begin(state.page.account_id) as work:
            await work.host_times.lock([host.user_id])
            first = await work.blocked_attempts.add(host.user_id, Attempt(state.page.id, wished_start, now))
            if first:
                told_at = await work.blocked_attempts.last_told_at(host.user_id)
                later = told_at + policy.blocked_bundle if told_at else now
                not_before = later if later > now else None
                lane = f"{TELL_BLOCKED}:{host.user_id}"
                work.intend(NewIntent(TELL_BLOCKED, host.user_id, lane, not_before=not_before))
            await work.commit()
