"""Making the host's calendar agree with a booking: the event is there as booked, or it is not there."""

import asyncio
from datetime import datetime

from meetings.application.event_description import describe
from meetings.application.grants import note_lost_grant
from meetings.application.links import Links
from meetings.application.policy import Policy
from meetings.application.ports.calendars import (
    Attendee,
    CalendarEvent,
    Calendars,
    CalendarsOf,
    CalendarUnreadable,
    EventKey,
    EventRefused,
    EventRemoved,
    ProviderUnavailable,
    ReauthorizationNeeded,
    WrittenEvent,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.outbox import Intent
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.booking import BookedEvent, Booking, BookingClosed, BookingStateInvalid, CancelledBy
from meetings.domain.booking_changes import is_changeable
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.identifiers import BookingId
from meetings.domain.page_settings import LocationKind
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.user import User


async def settle_booking(
    intent: Intent, *, begin: Begin, look: Begin, calendars_of: CalendarsOf, links: Links, clock: Clock, policy: Policy
) -> None:
    """Write, update or remove the booking's event, whatever the booking says now; doing it again changes nothing.

    The outcome and the end of the intent are one commit, so a worker that lost its lease writes nothing down.

    Raises:
        ProviderError: nothing is known to have happened; worth another try (`ReauthorizationNeeded`: once the host
            has signed in again).
        LeaseLost: somebody else has the intent now.
    """
    booking_id = BookingId(intent.subject)
    async with look(intent.account_id) as work:
        booking = await work.bookings.get(booking_id)
        page = await work.pages.get(booking.page_id)
        hosts = await work.users.of(booking.hosts)
        connection = (await work.connections.of_users([booking.host])).get(booking.host)
    calendar = _target(booking, connection)
    if booking.calendar_id is None or (calendar is None and not booking.occupies):
        await _finish(intent, begin)
        return
    if connection is None or not connection.usable or calendar is None:
        raise ReauthorizationNeeded("the host's calendar is not connected")
    calendars = calendars_of(connection)
    key = EventKey(str(booking.id), str(booking.host), booking.generation)
    async with asyncio.timeout(policy.write_seconds) as limit:
        try:
            if booking.occupies:
                event = _event(booking, page, hosts[booking.host], connection, key, links)
                await _put(intent, booking, calendars, calendar, event, begin=begin, clock=clock)
            else:
                await calendars.remove_event(calendar, key)
                await _finish(intent, begin)
        except ReauthorizationNeeded:
            await note_lost_grant(connection, begin=begin, clock=clock)
            raise
        except TimeoutError as late:
            if limit.expired():
                raise ProviderUnavailable("the calendar write took too long") from late
            raise


async def _put(
    intent: Intent,
    booking: Booking,
    calendars: Calendars,
    calendar: str,
    event: CalendarEvent,
    *,
    begin: Begin,
    clock: Clock,
) -> None:
    try:
        written = await calendars.put_event(calendar, event)
    except EventRemoved:
        await _event_was_removed(intent, booking, begin=begin, clock=clock)
        if booking.event is None:
            raise ProviderUnavailable("an earlier event was removed; a new one is due") from None
    except (EventRefused, CalendarUnreadable) as refused:
        await _refused(intent, booking, refused, begin=begin, clock=clock)
    else:
        await _confirm(intent, booking, written, begin=begin, clock=clock)


async def _confirm(intent: Intent, seen: Booking, written: WrittenEvent, *, begin: Begin, clock: Clock) -> None:
    """The second commit of a booking. A booking that changed since was written as it was; its newer intent goes on."""
    async with begin(intent.account_id) as work:
        booking = await work.bookings.get(seen.id)
        if booking.sequence == seen.sequence:
            booking.confirm(BookedEvent(written.event_id, written.url, written.join_url, written.ical_uid), now=clock())
        await work.finish(intent)
        await work.commit()


async def _event_was_removed(intent: Intent, seen: Booking, *, begin: Begin, clock: Clock) -> None:
    """Somebody removed the event at the provider: after it was confirmed that was the host calling the meeting off;
    before, a leftover of an abandoned try, and the next try makes another."""
    async with begin(intent.account_id) as work:
        booking = await work.bookings.get(seen.id)
        if booking.event is None:
            booking.start_over()
        else:
            _call_off(booking, now=clock())
            await work.finish(intent)
        await work.commit()


def _call_off(booking: Booking, *, now: datetime) -> None:
    try:
        booking.cancel(CancelledBy.HOST, None, now=now)
    except BookingClosed:
        booking.fail("the event was removed in the calendar", now=now)
    except BookingStateInvalid:
        return


async def _refused(
    intent: Intent, seen: Booking, refused: EventRefused | CalendarUnreadable, *, begin: Begin, clock: Clock
) -> None:
    async with begin(intent.account_id) as work:
        booking = await work.bookings.get(seen.id)
        if booking.sequence == seen.sequence:
            booking.fail(str(refused), now=clock())
        await work.finish(intent)
        await work.commit()
    if isinstance(refused, CalendarUnreadable) and seen.calendar_id:
        async with begin(intent.account_id) as work:
            connection = (await work.connections.of_users([seen.host])).get(seen.host)
            if connection and any(calendar.id == seen.calendar_id for calendar in connection.calendars):
                connection.mark_lost(seen.calendar_id, now=clock())
            await work.commit()


async def _finish(intent: Intent, begin: Begin) -> None:
    async with begin(intent.account_id) as work:
        await work.finish(intent)
        await work.commit()


def _target(booking: Booking, connection: CalendarConnection | None) -> str | None:
    """The calendar the event belongs into, by the provider's id: the one chosen when the slot was reserved.

    When the host has connected another account since, a meeting that still stands goes into its default calendar.
    """
    if connection is None:
        return None
    for calendar in connection.calendars:
        if calendar.id == booking.calendar_id:
            return calendar.external_id
    default = connection.default_calendar
    return default.external_id if default and booking.occupies else None


def _event(
    booking: Booking, page: SchedulingPage, host: User, connection: CalendarConnection, key: EventKey, links: Links
) -> CalendarEvent:
    manage = links.manage(booking.id) if is_changeable(booking, connection) else None
    guests = tuple(Attendee("", guest) for guest in booking.guests)
    same_account = any(calendar.id == booking.calendar_id for calendar in connection.calendars)
    return CalendarEvent(
        key=key,
        title=booking.title,
        description=describe(booking, page, manage),
        start=booking.start,
        end=booking.end,
        time_zone=booking.invitee.time_zone,
        attendees=(Attendee(booking.invitee.name, booking.invitee.email), *guests),
        location=booking.location.text,
        conference=booking.location.kind is LocationKind.VIDEO,
        sequence=booking.sequence,
        written_as=booking.event.event_id if booking.event and same_account else None,
    )


async def give_up(intent: Intent, *, begin: Begin, clock: Clock) -> None:
    """The calendar could not be written in all the time there was: a pending booking fails, people are told."""
    async with begin(intent.account_id) as work:
        booking = await work.bookings.get(BookingId(intent.subject))
        booking.fail("the calendar could not be reached", now=clock())
        await work.commit()


def give_up_at(intent: Intent, booking: Booking, policy: Policy) -> datetime:
    """Until when the write is repeated: the start of the meeting, but at least a day (RT-1)."""
    return max(booking.start, intent.created_at + policy.give_up_after)
