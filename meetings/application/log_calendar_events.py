"""Events that people make in their own calendars become meetings on the records of the contacts they meet (S18).

Which, by A-CR1: those of the primary calendar, with somebody whose very address is a contact's; nobody becomes a
contact by it. Private ones are left alone, people of the organisation are no contacts, of a series only the first
occurrence counts, and what this product wrote itself is on record already.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from meetings.application.event_keys import engagement_of
from meetings.application.free_text import plain
from meetings.application.policy import Policy
from meetings.application.ports.calendars import (
    Calendars,
    CalendarsOf,
    CalendarUnreadable,
    CursorExpired,
    EventDetails,
    EventNews,
    ReauthorizationNeeded,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import Contact, Crm, CrmOf
from meetings.application.ports.outbox import Intent, NewIntent
from meetings.application.ports.unit_of_work import Begin, FeedState, FoundEvent, UnitOfWork
from meetings.application.reactions import LOG_CALENDAR_EVENTS
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.calendar_connection import CalendarConnection, Capability, ConnectedCalendar
from meetings.domain.engagement import (
    MAX_BODY,
    MAX_TITLE,
    EngagementEvent,
    MeetingEngagement,
    MeetingSource,
    MeetingText,
)
from meetings.domain.identifiers import ConnectionId, EngagementId
from meetings.domain.own_addresses import OwnAddresses
from meetings.domain.timespan import TimeSpan
from meetings.domain.user import User

log = logging.getLogger(__name__)

UNTITLED = "Meeting"
"""What an event without a title is called on a record, which cannot be without one."""


def primary_of(connection: CalendarConnection) -> ConnectedCalendar | None:
    """The one calendar whose events go on records."""
    return next((each for each in connection.calendars if each.primary and each.listed), None)


def goes_on_records(connection: CalendarConnection, owner: User) -> bool:
    """Whether what its owner plans in this calendar account is to go on records (A-CS2, S95, B-EX2)."""
    return connection.usable and connection.can(Capability.CALENDAR_SYNC) and owner.settings.calendar_sync


async def ask_for_events(work: UnitOfWork, connection: CalendarConnection) -> None:
    """With this transaction, have a connection's events looked through, if they go on records at all."""
    primary = primary_of(connection)
    if primary is None or not goes_on_records(connection, await work.users.get(connection.user_id)):
        return
    await work.record_feeds.ask(primary.id)
    work.intend(NewIntent(LOG_CALENDAR_EVENTS, connection.id, lane=f"{LOG_CALENDAR_EVENTS}:{connection.id}", once=True))


async def log_calendar_events(
    intent: Intent, *, begin: Begin, look: Begin, calendars_of: CalendarsOf, crm_of: CrmOf, clock: Clock, policy: Policy
) -> None:
    """Read what is new in the primary calendar of a connection, and have the meetings on record agree with it.

    How far it was read is stored after everything up to there is; doing it again changes nothing. When somebody asked
    meanwhile, it is read once more; the end of the intent is part of the last commit. A calendar that cannot be read
    is left to the sync of busy time, which tells its owner.

    Raises:
        ProviderError: the calendar or the records are away; worth another try.
        ConcurrentChange: a colleague's calendar told of the same event at the same time, or an event of ours is being
            written; worth another try.
        LeaseLost: somebody else has the intent now.
    """
    while True:
        async with look(intent.account_id) as work:
            connection = await work.connections.get(ConnectionId(intent.subject))
            owner = await work.users.get(connection.user_id)
            calendar = primary_of(connection)
            if calendar is None or not goes_on_records(connection, owner):
                break
            state = await work.record_feeds.state(calendar.id)
            own = OwnAddresses.of(await work.record_feeds.own_addresses(), (await work.account()).internal_domains)
        reader = _Reader(
            intent, owner, calendar, own, calendars_of(connection), await crm_of(intent.account_id), begin, clock
        )
        try:
            await reader.read(state, policy)
        except (CalendarUnreadable, ReauthorizationNeeded) as error:
            log.info("a calendar could not be read for records", extra={"error": type(error).__name__})
            break
        if await reader.finish(state.asked):
            return
    async with begin(intent.account_id) as work:
        await work.finish(intent)
        await work.commit()


@dataclass(frozen=True, slots=True)
class _Planned:
    """An event with what of it goes on a record: the addresses of the contacts."""

    event: EventDetails
    contacts: tuple[str, ...]


class _Reader:
    """One read of one calendar."""

    def __init__(
        self,
        intent: Intent,
        owner: User,
        calendar: ConnectedCalendar,
        own: OwnAddresses,
        calendars: Calendars,
        crm: Crm,
        begin: Begin,
        clock: Clock,
    ) -> None:
        self._intent = intent
        self._owner = owner
        self._calendar = calendar
        self._own = own
        self._calendars = calendars
        self._crm = crm
        self._begin = begin
        self._clock = clock
        self._started = clock()

    async def read(self, state: FeedState, policy: Policy) -> None:
        """Take over the changes since the cursor; without one, or with one that died, all that lies ahead."""
        least = timedelta(days=policy.mirror_days_least)
        if state.cursor is not None and state.window is not None and state.window.end - self._started >= least:
            try:
                await self._take_pages(state.cursor, state.window)
                return
            except CursorExpired:
                log.info("cursor expired, reading the whole calendar", extra={"calendar": str(self._calendar.id)})
        window = TimeSpan(
            self._started - timedelta(days=policy.mirror_days_back),
            self._started + timedelta(days=policy.mirror_days_ahead),
        )
        seen = await self._take_pages(None, window)
        await self._miss_what_was_not(seen)

    async def finish(self, asked: int) -> bool:
        """End the intent, unless somebody asked again since; gives whether it ended."""
        async with self._begin(self._intent.account_id) as work:
            ends = await work.record_feeds.unasked_since(self._calendar.id, asked)
            if ends:
                await work.finish(self._intent)
                await work.commit()
        return ends

    async def _take_pages(self, cursor: str | None, window: TimeSpan) -> set[str]:
        seen: set[str] = set()
        following = None
        async for page in self._calendars.event_news(self._calendar.external_id, cursor, window):
            following = page.cursor
            seen.update(event.event_id for event in page.changed)
            if page.changed or page.removed:
                await self._take(page, window)
        if following is not None and following != cursor:
            async with self._begin(self._intent.account_id) as work:
                await work.record_feeds.keep(self._calendar.id, cursor=following, window=window)
                await work.commit()
        return seen

    async def _take(self, page: EventNews, window: TimeSpan) -> None:
        planned = await self._with_contacts(page.changed)
        async with self._begin(self._intent.account_id) as work:
            found = await work.record_feeds.found(self._calendar.id, [each.event_id for each in page.changed])
            new: dict[str, MeetingEngagement] = {}
            for each in planned:
                await self._follow(work, each, found.get(each.event.event_id), new, window)
            for gone in (await work.record_feeds.found(self._calendar.id, page.removed)).values():
                await self._vanish(work, gone)
            await work.commit()

    async def _with_contacts(self, events: Sequence[EventDetails]) -> list[_Planned]:
        """Each event with the contacts who take part: asked of the records all at once, before any transaction."""
        outside = {address for event in events for address in self._outside(event)}
        known: Mapping[str, Contact] = await self._crm.known(outside) if outside else {}
        return [
            _Planned(event, tuple(address for address in self._outside(event) if address in known)) for event in events
        ]

    def _outside(self, event: EventDetails) -> list[str]:
        """Who takes part and is no colleague, each once."""
        people = [event.organizer, *(guest.email for guest in event.guests)]
        addresses = dict.fromkeys(address.strip().casefold() for address in people if address)
        return [address for address in addresses if not self._own.hold(address)]

    async def _follow(
        self,
        work: UnitOfWork,
        planned: _Planned,
        found: FoundEvent | None,
        new: dict[str, MeetingEngagement],
        window: TimeSpan,
    ) -> None:
        """`new` are the meetings that were found in this transaction, by the names of their events."""
        event = planned.event
        written_here = engagement_of(event.booking_key)
        if event.booking_key is not None and written_here is None:
            return  # a booking's: it is followed with the busy time
        if event.declined and found is not None:
            await self._vanish(work, found)
            return
        if event.private or event.declined:
            return
        known = new.get(event.ical_uid) or await _known(work, event, written_here, found)
        if known is not None and known.source is MeetingSource.RECORD:
            await self._follow_own(work, known, event)
        elif known is not None:
            known.follow(
                owner=self._owner.id,
                contacts=planned.contacts,
                text=_text(event),
                slot=TimeSpan(event.start, event.end),
                now=self._clock(),
                join_url=event.join_url,
            )
            await self._note(work, event, known.id)
        elif planned.contacts and event.end > window.start and not await self._is_ours(work, event):
            new[event.ical_uid] = await self._found(work, planned)

    async def _found(self, work: UnitOfWork, planned: _Planned) -> MeetingEngagement:
        event = planned.event
        meeting = MeetingEngagement.in_calendar(
            EngagementId(uuid4()),
            account_id=self._owner.account_id,
            owner=self._owner.id,
            contacts=planned.contacts,
            text=_text(event),
            slot=TimeSpan(event.start, event.end),
            time_zone=self._calendar.time_zone or self._owner.settings.time_zone,
            event=EngagementEvent(self._calendar.id, event.event_id, event.ical_uid, event.url, event.join_url),
            ical_uid=event.ical_uid,
            now=self._clock(),
        )
        work.engagements.add(meeting)
        await self._note(work, event, meeting.id)
        return meeting

    async def _is_ours(self, work: UnitOfWork, event: EventDetails) -> bool:
        """Whether it is an event that this product wrote, or a colleague's copy of one.

        Raises:
            ConcurrentChange: it may be; that one is being written at this moment, so nobody knows its name yet.
        """
        if event.booking_key is not None or await work.bookings.by_ical_uid(event.ical_uid) is not None:
            return True
        called_by_us = event.organizer is not None and self._own.hold(event.organizer)
        may_be = called_by_us and not event.organized_here
        if may_be and await work.record_feeds.writes_under_way(TimeSpan(event.start, event.end)):
            raise ConcurrentChange
        return False

    async def _follow_own(self, work: UnitOfWork, meeting: MeetingEngagement, event: EventDetails) -> None:
        """A meeting made on a record whose invitation its owner moved in the calendar. What it says is ours to say."""
        if meeting.event is None or meeting.event.event_id != event.event_id:
            return
        await self._note(work, event, meeting.id)
        if meeting.takes_place and await self._is_news(work, meeting):
            meeting.follow(
                owner=meeting.owner,
                contacts=(),
                text=meeting.text,
                slot=TimeSpan(event.start, event.end),
                now=self._clock(),
            )

    async def _is_news(self, work: UnitOfWork, meeting: MeetingEngagement) -> bool:
        """Whether what was read is younger than what we wrote, and nothing is being written."""
        settled = meeting.settled_at is not None and self._started > meeting.settled_at
        return settled and not await work.record_feeds.is_being_written(meeting.id)

    async def _vanish(self, work: UnitOfWork, gone: FoundEvent) -> None:
        """An event is gone from this calendar. The meeting is off when its organizer took it away, or nobody of ours
        has it any more."""
        await work.record_feeds.forget([gone])
        try:
            meeting = await work.engagements.get(gone.engagement_id)
        except NotFound:
            return
        if meeting.source is MeetingSource.RECORD:
            is_its_event = meeting.event is not None and meeting.event.event_id == gone.event_id
            if is_its_event and await self._is_news(work, meeting):
                meeting.vanish(now=self._clock())
            return
        left = await work.record_feeds.copies(meeting.id)
        if gone.organized_here or not left:
            meeting.vanish(now=self._clock())
            await work.record_feeds.forget(left)

    async def _miss_what_was_not(self, seen: Collection[str]) -> None:
        """A whole read tells what is there, not what is gone: what it lacks of the meetings ahead is gone."""
        async with self._begin(self._intent.account_id) as work:
            for each in await work.record_feeds.standing(self._calendar.id, after=self._started):
                if each.event_id not in seen:
                    await self._vanish(work, each)
            await work.commit()

    async def _note(self, work: UnitOfWork, event: EventDetails, meeting: EngagementId) -> None:
        await work.record_feeds.note(FoundEvent(self._calendar.id, event.event_id, meeting, event.organized_here))


async def _known(
    work: UnitOfWork, event: EventDetails, written_here: EngagementId | None, found: FoundEvent | None
) -> MeetingEngagement | None:
    """The meeting that an event stands for already."""
    for engagement_id in filter(None, (written_here, found.engagement_id if found else None)):
        try:
            return await work.engagements.get(engagement_id)
        except NotFound:
            continue
    return await work.engagements.by_ical_uid(event.ical_uid)


def _text(event: EventDetails) -> MeetingText:
    """What the event says, cut to what a record takes."""
    title = " ".join(plain(event.title).split())[:MAX_TITLE]
    body = plain(event.description or "").strip()[:MAX_BODY]
    location = " ".join(plain(event.location or "").split())[:MAX_TITLE]
    return MeetingText(title or UNTITLED, body or None, location or None)
