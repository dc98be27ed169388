"""Why a day offers what it offers, for the people behind the page (A-AV8)."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from meetings.application.page_state import PageState, load_page, times_of_hosts
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.scheduling_pages import own_page
from meetings.domain.availability import BusySpan, HostTime, Missing, explain
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.timespan import TimeSpan, at_minute

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Explanation:
    """No slot begins between `start` and `end`, for one reason. `source` names the rule, or what takes the time;
    `host` whose time it is, None when it is the page's own rule."""

    start: datetime
    end: datetime
    reason: str
    source: str
    host: str | None


async def explain_day(
    page_id: PageId,
    day: date,
    duration_minutes: int | None,
    *,
    caller: Caller,
    look: Begin,
    clock: Clock,
    policy: Policy,
) -> list[Explanation]:
    """Each span of `day` (in the page's zone) in which no slot begins, with every reason. Sorted by start.

    Raises:
        NotFound, PermissionMissing: not a page of the caller's.
        InvalidInput: a duration the page does not offer.
    """
    now = clock()
    async with look(caller.account_id) as work:
        await own_page(work, caller, page_id)
        state = await load_page(work, page_id)
        page = state.page
        duration = page.offered_duration(duration_minutes)
        noon = datetime.combine(day, time(12), ZoneInfo(page.time_zone))
        span = TimeSpan(noon - _DAY, noon + _DAY)
        times, meetings = await times_of_hosts(work, state, span, now=now, policy=policy)
        found = explain(
            page.slot_rules(duration, now=now),
            [await _named(work, time, state, span) for time in times],
            page.pool,
            day=day,
            earliest=page.earliest(now=now),
            page_meetings=meetings,
        )
    return [_told(missing, state) for missing in found]


async def _named(work: UnitOfWork, time: HostTime, state: PageState, span: TimeSpan) -> HostTime:
    """The same time, each busy span of a calendar with that calendar's name."""
    own = [taken for taken in time.busy if isinstance(taken, BusySpan)]
    if len(own) == len(time.busy):
        return time
    host = UserId(UUID(time.host))
    names = {calendar.id: calendar.name for calendar in state.connections[host].calendars}
    read = await work.mirror.by_calendar(host, span)
    return replace(time, busy=[*own, *(BusySpan(start, end, names[calendar]) for start, end, calendar in read)])


def _told(missing: Missing, state: PageState) -> Explanation:
    names = {str(user_id): user.name for user_id, user in state.users.items()}
    return Explanation(
        start=at_minute(missing.start),
        end=at_minute(missing.end),
        reason=missing.reason.name,
        source=missing.source,
        host=names.get(missing.host),
    )
