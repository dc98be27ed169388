"""A page together with the people behind it and their calendars: everything its mode is derived from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from meetings.application.event_keys import counts_as_busy
from meetings.application.policy import Policy
from meetings.application.ports.calendars import EventTime
from meetings.application.ports.unit_of_work import MirroredTime, TakenTime, UnitOfWork
from meetings.domain.availability import BusyKind, BusySpan, HostTime
from meetings.domain.base import Aggregate, NotFound
from meetings.domain.booking_mode import BookingMode, host_mode, page_mode
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.identifiers import BookingId, PageId, UserId
from meetings.domain.scheduling_page import PageHost, PageType, SchedulingPage
from meetings.domain.timespan import TimeSpan, at_minute
from meetings.domain.user import User

_REACH = timedelta(days=3)
"""A slot and its buffers reach at most this far beyond its start."""

WEEK = timedelta(days=8)
"""Meetings within this of a start may count toward a cap of its day or week."""


@dataclass(frozen=True)
class PageState:
    """A page as of now. `connections` holds those hosts who have one, also a disconnected one."""

    page: SchedulingPage
    users: Mapping[UserId, User]
    connections: Mapping[UserId, CalendarConnection]

    @property
    def versions(self) -> dict[UUID, int]:
        """Those of everything in it, by id."""
        loaded: list[Aggregate] = [self.page, *self.users.values(), *self.connections.values()]
        return {each.id: each.version for each in loaded}

    @property
    def host_ids(self) -> list[UserId]:
        return [host.user_id for host in self.page.hosts]

    def mode_of(self, host: PageHost) -> BookingMode:
        """A host whose calendar is not asked counts as online while they have a calendar to write to.

        Who was deactivated cannot be met.
        """
        if not self.users[host.user_id].active:
            return BookingMode.BLOCKED
        mode = host_mode(self.users[host.user_id].settings, self.connections.get(host.user_id))
        connection = self.connections.get(host.user_id)
        lost = connection is not None and bool(connection.lost_calendars)
        if mode is BookingMode.BLOCKED and lost and not host.check_availability:
            return BookingMode.ONLINE if self.users[host.user_id].settings.scheduling_pages else BookingMode.BLOCKED
        return mode

    @property
    def mode(self) -> BookingMode:
        modes = [self.mode_of(host) for host in self.page.hosts]
        return page_mode(modes, any_host=self.page.type is PageType.ROUND_ROBIN)

    @property
    def is_capped(self) -> bool:
        """Whether meetings of the page count towards a cap."""
        settings = self.page.settings
        return bool(settings.max_per_day or settings.max_per_week or any(host.max_per_day for host in self.page.hosts))

    @property
    def organizer(self) -> User:
        return self.users[self.page.organizer_id]

    @property
    def checked_connections(self) -> list[CalendarConnection]:
        """The connections whose calendars decide: usable, and of hosts whose calendar is asked."""
        return [
            connection
            for host in self.page.hosts
            if host.check_availability and (connection := self.connections.get(host.user_id)) and connection.usable
        ]


async def load_page(work: UnitOfWork, page_id: PageId) -> PageState:
    """The page and its people.

    Raises:
        NotFound: no such page, or it is archived.
    """
    page = await work.pages.get(page_id)
    if page.archived_at is not None:
        raise NotFound("page", ("page",))
    people = {host.user_id for host in page.hosts} | {page.organizer_id}
    return PageState(page, await work.users.of(people), await work.connections.of_users(people))


async def same_or_newer(work: UnitOfWork, seen: PageState) -> PageState:
    """What `load_page` gives; `seen` itself while nothing of it was saved since, which is one question instead of
    three. Its aggregates are not to be changed: they do not belong to `work`."""
    if await work.versions(seen.page.id, list(seen.users)) == seen.versions:
        return seen
    return await load_page(work, seen.page.id)


async def mirrored_times(
    work: UnitOfWork, state: PageState, span: TimeSpan, *, now: datetime, policy: Policy
) -> Mapping[UserId, MirroredTime]:
    """What the copies of the calendars of those hosts say whose calendars decide, around `span`."""
    asked = [host.user_id for host in state.page.hosts if is_asked(state, host)]
    if not asked:
        return {}
    return await work.mirror.of_hosts(asked, reach_of(span), confirmed_since=now - policy.mirror_max_age)


async def times_of_hosts(
    work: UnitOfWork,
    state: PageState,
    span: TimeSpan,
    *,
    now: datetime,
    policy: Policy,
    mirrored: Mapping[UserId, MirroredTime] | None = None,
    live: Mapping[UserId, Sequence[EventTime]] | None = None,
    excluding: BookingId | None = None,
    excluding_hold: str | None = None,
) -> tuple[list[HostTime], list[int]]:
    """What the engine needs to judge starts in `span`: each host's time, and the page's meetings for its caps.

    `live` are events just read from the hosts' calendars, on top of the copy; those this product wrote count by their
    booking instead. One booking (being moved) and one hold (the visitor's own, by token hash) can be left out.
    `mirrored` is what `mirrored_times` gave, if it was asked before. Beyond what a slot in `span` can touch, no host
    counts as known, because it was not read.
    """
    reach = reach_of(span)
    if mirrored is None:
        mirrored = await mirrored_times(work, state, span, now=now, policy=policy)
    taken = await work.host_times.taken(state.host_ids, reach, excluding=excluding, excluding_hold=excluding_hold)
    meetings = await _counted_meetings(work, state, span, excluding)
    return known_times(state, reach, mirrored, taken, meetings, live=live), [start for _, start in meetings]


def known_times(
    state: PageState,
    reach: TimeSpan,
    mirrored: Mapping[UserId, MirroredTime],
    taken: Iterable[TakenTime],
    meetings: Sequence[tuple[UserId, int]],
    *,
    live: Mapping[UserId, Sequence[EventTime]] | None = None,
) -> list[HostTime]:
    """Each host's time within `reach`, put together from what was read of it."""
    spans: dict[UserId, list[BusySpan | tuple[int, int]]] = {host.user_id: [] for host in state.page.hosts}
    for each in taken:
        if each.host in spans:
            label = ("hold", BusyKind.HELD) if each.held else ("booking", BusyKind.BOOKING)
            spans[each.host].append(BusySpan(each.start, each.end, *label))
    times = []
    for host in state.page.hosts:
        known_from, known_until = reach.minutes()
        if is_asked(state, host):
            copy = mirrored.get(host.user_id)
            known_from = max(known_from, copy.known_from) if copy else 0
            known_until = max(known_from, min(known_until, copy.known_until)) if copy else 0
            spans[host.user_id].extend(copy.busy if copy else ())
        elif state.mode_of(host) is BookingMode.BLOCKED:
            known_from = known_until = 0
        events = (live or {}).get(host.user_id, ())
        blocking = [each for each in events if each.status.blocks and counts_as_busy(each.booking_key)]
        spans[host.user_id].extend((each.start, each.end) for each in blocking)
        working = state.users[host.user_id].settings.working_hours
        times.append(
            HostTime(
                host=str(host.user_id),
                busy=spans[host.user_id],
                known_from=known_from,
                known_until=known_until,
                working_hours=working.opening_hours() if working else None,
                max_per_day=host.max_per_day,
                meetings=[start for user_id, start in meetings if user_id == host.user_id],
            )
        )
    return times


def reach_of(span: TimeSpan) -> TimeSpan:
    """What may touch a slot that begins in `span`, buffers included."""
    return TimeSpan(span.start - _REACH, span.end + _REACH)


def is_asked(state: PageState, host: PageHost) -> bool:
    """Whether this host's calendars decide; one that is offline has none, one that is switched off offers nothing."""
    return host.check_availability and state.mode_of(host) is BookingMode.ONLINE


async def _counted_meetings(
    work: UnitOfWork, state: PageState, span: TimeSpan, excluding: BookingId | None
) -> list[tuple[UserId, int]]:
    """Meetings that may count toward a cap of a day or week that `span` touches; none are read without caps."""
    if not state.is_capped:
        return []
    around = TimeSpan(span.start - WEEK, span.end + WEEK)
    return await work.bookings.meeting_starts(state.page.id, around, excluding=excluding)


def slot_span(start: datetime, minutes: int) -> TimeSpan:
    """The slot of `minutes` that begins at `start`."""
    return TimeSpan(start, start + timedelta(minutes=minutes))


def as_span(start_minute: int, minutes: int) -> TimeSpan:
    """The slot of `minutes` that begins `start_minute` minutes after the epoch."""
    return TimeSpan(at_minute(start_minute), at_minute(start_minute + minutes))
