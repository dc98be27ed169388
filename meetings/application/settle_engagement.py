"""Making a calendar agree with a meeting made on a record: its contacts are invited, or not any more (S19)."""

import asyncio
from datetime import datetime

from meetings.application.event_keys import key_of
from meetings.application.grants import note_lost_grant
from meetings.application.policy import Policy
from meetings.application.ports.calendars import (
    Attendee,
    CalendarEvent,
    Calendars,
    CalendarsOf,
    EventRemoved,
    ProviderUnavailable,
    ReauthorizationNeeded,
    WrittenEvent,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.outbox import Intent
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.calendar_connection import CalendarConnection, ConnectedCalendar
from meetings.domain.engagement import EngagementEvent, MeetingEngagement
from meetings.domain.identifiers import EngagementId


async def settle_engagement(
    intent: Intent, *, begin: Begin, look: Begin, calendars_of: CalendarsOf, clock: Clock, policy: Policy
) -> None:
    """Write, update or remove the event that invites, whatever the meeting says now; doing it again changes nothing.

    A meeting that invites nobody touches no calendar. The outcome and the end of the intent are one commit.

    Raises:
        ProviderError: worth another try (`ReauthorizationNeeded`: once the owner has signed in again); `EventRefused`
            and `CalendarUnreadable` too, for the owner may mend the calendar until the meeting begins.
        LeaseLost: somebody else has the intent now.
    """
    async with look(intent.account_id) as work:
        engagement = await work.engagements.get(EngagementId(intent.subject))
        connection = (await work.connections.of_users([engagement.owner])).get(engagement.owner)
    calendar = _target(engagement, connection)
    if not engagement.invites or (calendar is None and not engagement.takes_place):
        await _finish(intent, begin)
        return
    if connection is None or not connection.usable or calendar is None:
        raise ReauthorizationNeeded("the owner's calendar is not connected")
    calendars = calendars_of(connection)
    async with asyncio.timeout(policy.write_seconds) as limit:
        try:
            if engagement.takes_place:
                await _put(intent, engagement, calendars, calendar, begin=begin, clock=clock)
            else:
                await calendars.remove_event(calendar.external_id, key_of(engagement))
                await _removed(intent, engagement, begin=begin)
        except ReauthorizationNeeded:
            await note_lost_grant(connection, begin=begin, clock=clock)
            raise
        except TimeoutError as late:
            if limit.expired():
                raise ProviderUnavailable("the calendar write took too long") from late
            raise


async def stop_trying_at(intent: Intent, *, look: Begin, policy: Policy) -> datetime:
    """Until when an invitation is tried: the start of the meeting, but at least a day (RT-1)."""
    async with look(intent.account_id) as work:
        engagement = await work.engagements.get(EngagementId(intent.subject))
    return max(engagement.start, intent.created_at + policy.give_up_after)


async def _put(
    intent: Intent,
    engagement: MeetingEngagement,
    calendars: Calendars,
    calendar: ConnectedCalendar,
    *,
    begin: Begin,
    clock: Clock,
) -> None:
    try:
        written = await calendars.put_event(calendar.external_id, _event(engagement, calendar))
    except EventRemoved:
        await _was_removed(intent, engagement, begin=begin, clock=clock)
        if engagement.event is None:
            raise ProviderUnavailable("an earlier event was removed; a new one is due") from None
    else:
        await _written(intent, engagement, calendar, written, begin=begin, clock=clock)


async def _written(
    intent: Intent,
    seen: MeetingEngagement,
    calendar: ConnectedCalendar,
    written: WrittenEvent,
    *,
    begin: Begin,
    clock: Clock,
) -> None:
    """A meeting that changed since was written as it was; its newer intent goes on."""
    async with begin(intent.account_id) as work:
        engagement = await work.engagements.get(seen.id)
        if engagement.sequence == seen.sequence:
            uid = written.ical_uid
            known = await work.engagements.by_ical_uid(uid) if uid else None
            if known is not None and known.id != engagement.id:
                uid = None  # a colleague's calendar showed the event before we had its name
            event = EngagementEvent(calendar.id, written.event_id, uid, written.url, written.join_url)
            engagement.settle(event, now=clock())
        await work.finish(intent)
        await work.commit()


async def _was_removed(intent: Intent, seen: MeetingEngagement, *, begin: Begin, clock: Clock) -> None:
    """Somebody removed the event at the provider: after it was written that was its owner calling the meeting off;
    before, a leftover of an abandoned try, and the next try makes another."""
    async with begin(intent.account_id) as work:
        engagement = await work.engagements.get(seen.id)
        if seen.event is not None:
            engagement.vanish(now=clock())
            await work.finish(intent)
        engagement.start_over()
        await work.commit()


async def _removed(intent: Intent, seen: MeetingEngagement, *, begin: Begin) -> None:
    async with begin(intent.account_id) as work:
        engagement = await work.engagements.get(seen.id)
        if engagement.generation == seen.generation:
            engagement.start_over()
        await work.finish(intent)
        await work.commit()


async def _finish(intent: Intent, begin: Begin) -> None:
    async with begin(intent.account_id) as work:
        await work.finish(intent)
        await work.commit()


def _target(engagement: MeetingEngagement, connection: CalendarConnection | None) -> ConnectedCalendar | None:
    """The calendar that was the default one when the meeting was made; when its owner has connected another account
    since, a meeting that takes place goes into the default calendar there."""
    if connection is None:
        return None
    for calendar in connection.calendars:
        if calendar.id == engagement.calendar_id:
            return calendar
    return connection.default_calendar if engagement.takes_place else None


def _event(engagement: MeetingEngagement, calendar: ConnectedCalendar) -> CalendarEvent:
    event = engagement.event
    return CalendarEvent(
        key=key_of(engagement),
        title=engagement.text.title,
        description=engagement.text.body or "",
        start=engagement.start,
        end=engagement.end,
        time_zone=engagement.time_zone,
        attendees=tuple(Attendee("", contact) for contact in engagement.contacts),
        location=engagement.text.location,
        sequence=engagement.sequence,
        written_as=event.event_id if event and event.calendar_id == calendar.id else None,
    )
