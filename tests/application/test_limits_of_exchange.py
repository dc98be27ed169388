"""What cannot be done with meetings in an Exchange calendar (S94 to S97), and the account's switch that lifts it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from meetings.application.account_settings import switch_exchange_full_sync
from meetings.application.answer_request import accept_request
from meetings.application.change_booking import ByHost, ByInvitee, Mover
from meetings.application.change_settings import change_settings
from meetings.application.ports.reads import PagePointer
from meetings.domain.base import PermissionMissing
from meetings.domain.booking import Booking, BookingState, CancelledBy
from meetings.domain.calendar_connection import Capability, CapabilityUnsupported, ConnectionStatus, Provider
from meetings.domain.page_settings import LocationKind, MeetingLocation
from meetings.domain.period import Period
from tests.application.conftest import EIGHT
from tests.mailboxes import AtExchange, at_exchange
from tests.world import HOST_EMAIL, World, berlin

MONDAY = date(2035, 12, 3)
TEN = berlin("2035-12-03 10:00")
NOON = berlin("2035-12-03 12:00")
VISITOR = "grace@example.org"


@pytest.fixture
async def anna(sqlite_url: str) -> AsyncIterator[AtExchange]:
    """Anna with an Exchange mailbox, connected."""
    async with at_exchange(sqlite_url, now=EIGHT) as anna:
        await anna.connect()
        yield anna


def sides(here: World) -> tuple[Mover, Mover]:
    return ByInvitee(), ByHost(here.caller)


async def booked(anna: AtExchange, page: PagePointer | None = None) -> Booking:
    """A confirmed meeting at ten, everybody told, its event read back."""
    booking = await anna.here.book(page or await anna.here.page(), TEN)
    assert booking.state is BookingState.CONFIRMED
    await anna.here.passes(minutes=4)
    await anna.here.settle_down()
    return booking


def letters(here: World) -> str:
    """Everything the visitor was sent, calendar files included."""
    mails = here.mails_to(VISITOR)
    return "\n".join(f"{mail.text}\n{mail.html}\n{(mail.calendar or b'').decode()}" for mail in mails)


# ---- by default ---------------------------------------------------------------------------------------------------


async def test_a_booked_meeting_can_be_moved_and_called_off_by_neither_side(anna: AtExchange) -> None:
    """S94: the refusal names provider and capability, and nothing happens."""
    here = anna.here
    booking = await booked(anna)
    for by in sides(here):
        for change in (here.cancel(booking, by=by), here.move(booking, NOON, by=by)):
            with pytest.raises(CapabilityUnsupported) as refused:
                await change
            assert (refused.value.provider, refused.value.capability) == (
                Provider.EXCHANGE,
                Capability.CHANGE_BOOKINGS,
            )
    await here.settle_down()
    after = await here.booking(booking.id)
    assert (after.state, after.start, after.version) == (BookingState.CONFIRMED, TEN, booking.version)
    [event] = anna.events("Hopper")
    assert event.start == TEN


async def test_neither_the_event_nor_a_letter_has_a_link_to_change_it(anna: AtExchange) -> None:
    """S94, A-BO8; reminders too."""
    page = await anna.here.page(reminders=(Period(minutes=60),))
    booking = await booked(anna, page)
    await anna.here.passes(minutes=61)
    await anna.here.settle_down()
    [event] = anna.events("Hopper")
    manage = anna.here.tools.links.manage(booking.id)
    assert len(anna.here.mails_to(VISITOR)) == 2
    for text in (event.body, letters(anna.here)):
        assert "Grace" in text
        assert manage not in text
        assert "/b/" not in text


async def test_the_limits_hold_while_the_password_is_not_accepted(anna: AtExchange) -> None:
    """The event is still where it cannot be changed."""
    booking = await booked(anna)
    anna.exchange.change_password(HOST_EMAIL, "another one")
    await anna.here.sync()
    assert (await anna.here.connection()).status is ConnectionStatus.REAUTH_REQUIRED
    for by in sides(anna.here):
        with pytest.raises(CapabilityUnsupported):
            await anna.here.cancel(booking, by=by)


async def test_once_the_calendar_is_given_back_nothing_stands_in_the_way(anna: AtExchange) -> None:
    booking = await booked(anna)
    await anna.here.disconnect()
    await anna.here.cancel(booking, by=ByHost(anna.here.caller))
    assert (await anna.here.booking(booking.id)).state is BookingState.CANCELLED


async def test_calendar_sync_cannot_be_set_and_everything_else_can(anna: AtExchange) -> None:
    """S95, A-CS2."""
    here = anna.here
    given: dict[str, Any] = {"caller": here.caller, "begin": here.tools.begin, "clock": here.clock}
    with pytest.raises(CapabilityUnsupported) as refused:
        await change_settings(
            lambda settings: replace(settings, calendar_sync=False, hour12=True),
            needs=(Capability.CALENDAR_SYNC,),
            **given,
        )
    assert refused.value.capability is Capability.CALENDAR_SYNC
    await change_settings(lambda settings: replace(settings, locale="de"), **given)
    async with here.tools.look(here.anna.account_id) as work:
        settings = (await work.users.get(here.anna.id)).settings
    assert (settings.locale, settings.hour12, settings.calendar_sync) == ("de", False, True)


async def test_a_request_that_is_accepted_later_becomes_a_meeting_with_these_limits(anna: AtExchange) -> None:
    """S11, S94: before, the visitor can withdraw it; afterwards it stands in the calendar."""
    here = anna.here
    connection_id = (await here.connection()).id
    await here.disconnect()
    page = await here.page()
    asked, withdrawn = await here.request(page, TEN), await here.request(page, NOON)
    await here.settle_down()
    assert here.tools.links.manage(asked.id) in letters(here)
    assert await anna.connect(reconnect=connection_id) == connection_id
    await here.cancel(withdrawn)
    tools = here.tools
    await accept_request(
        here.caller,
        asked.id,
        TEN,
        begin=tools.begin,
        look=tools.look,
        calendars_of=tools.calendars_of,
        clock=here.clock,
        policy=tools.policy,
    )
    await here.settle_down()
    assert (await here.booking(asked.id)).state is BookingState.CONFIRMED
    [event] = anna.events("Hopper")
    assert "/b/" not in event.body
    assert "/b/" not in here.mails_to(VISITOR)[-1].text
    with pytest.raises(CapabilityUnsupported):
        await here.cancel(asked)
    assert (await here.booking(withdrawn.id)).state is BookingState.CANCELLED


async def test_where_a_link_comes_from_exchange_has_none_and_the_meeting_stands_all_the_same(anna: AtExchange) -> None:
    """Servers of one's own make no conferences."""
    page = await anna.here.page(location=MeetingLocation(LocationKind.VIDEO))
    booking = await booked(anna, page)
    assert booking.event is not None
    assert booking.event.join_url is None


# ---- what hosts do in their own calendar --------------------------------------------------------------------------


async def test_a_meeting_the_host_deletes_in_outlook_is_called_off_and_both_sides_are_told(anna: AtExchange) -> None:
    """I4: no CONFIRMED booking without its event, whatever the limits say."""
    booking = await booked(anna)
    assert booking.event is not None
    anna.here.clock.passes(minutes=5)
    anna.exchange.cancel_event(booking.event.event_id)
    await anna.here.sync()
    await anna.here.settle_down()
    after = await anna.here.booking(booking.id)
    assert after.state is BookingState.CANCELLED
    assert after.cancellation is not None
    assert after.cancellation.by is CancelledBy.HOST
    assert "Cancelled" in anna.here.mails_to(VISITOR)[-1].subject
    assert "Cancelled" in anna.here.mails_to(HOST_EMAIL)[-1].subject
    assert "10:00" in await anna.here.offered(PagePointer(after.account_id, after.page_id), MONDAY)


async def test_an_event_that_came_and_went_between_two_reads_is_missed(anna: AtExchange) -> None:
    """I4: Exchange's changes say nothing of it, so what was written since the last read and is not heard of is looked
    at; once, not with every read."""
    page = await anna.here.page()
    gone, kept = await anna.here.book(page, TEN), await anna.here.book(page, NOON)
    assert gone.event is not None
    anna.exchange.cancel_event(gone.event.event_id)
    await anna.here.passes(minutes=4)
    await anna.here.settle_down()
    assert (await anna.here.booking(gone.id)).state is BookingState.CANCELLED
    assert (await anna.here.booking(kept.id)).state is BookingState.CONFIRMED
    assert "Cancelled" in anna.here.mails_to(VISITOR)[-1].subject
    anna.exchange.forget_calls()
    await anna.here.passes(minutes=4)
    await anna.here.settle_down()
    assert {call.operation for call in anna.exchange.calls} == {"SyncFolderItems"}


async def test_a_meeting_the_host_moves_in_outlook_moves_here(anna: AtExchange) -> None:
    booking = await booked(anna)
    assert booking.event is not None
    anna.here.clock.passes(minutes=5)
    anna.exchange.move_event(booking.event.event_id, NOON, NOON + timedelta(minutes=30))
    await anna.here.sync()
    await anna.here.settle_down()
    after = await anna.here.booking(booking.id)
    assert (after.state, after.start, after.rescheduled_from) == (BookingState.CONFIRMED, NOON, TEN)
    assert "Moved" in anna.here.mails_to(VISITOR)[-1].subject
    assert "/b/" not in letters(anna.here)


# ---- the switch ---------------------------------------------------------------------------------------------------


async def test_the_switch_is_for_owners_and_admins(anna: AtExchange) -> None:
    here = anna.here
    member = await here.add_colleague("Bob", "bob@example.com")
    with pytest.raises(PermissionMissing):
        await switch_exchange_full_sync(
            on=True, caller=here.caller_of(member), begin=here.tools.begin, clock=here.clock
        )
    assert not (await here.connection()).can(Capability.CHANGE_BOOKINGS)


async def test_with_the_switch_on_meetings_are_moved_and_called_off_in_the_calendar(anna: AtExchange) -> None:
    """B-EX1: the same event moves, and goes."""
    await anna.lift_limits()
    booking = await booked(anna)
    manage = anna.here.tools.links.manage(booking.id)
    [event] = anna.events("Hopper")
    assert manage in event.body
    assert manage in letters(anna.here)
    moved = await anna.here.move(booking, NOON)
    assert moved.state is BookingState.CONFIRMED
    [after] = anna.events("Hopper")
    assert (after.id, after.start) == (event.id, NOON)
    await anna.here.cancel(booking, by=ByHost(anna.here.caller))
    await anna.here.settle_down()
    assert anna.events("Hopper") == []


async def test_the_switch_holds_for_meetings_that_are_booked_already_both_ways(anna: AtExchange) -> None:
    booking = await booked(anna)
    await anna.lift_limits()
    assert (await anna.here.move(booking, NOON)).start == NOON
    [event] = anna.events("Hopper")
    assert anna.here.tools.links.manage(booking.id) in event.body
    await anna.lift_limits(on=False)
    with pytest.raises(CapabilityUnsupported):
        await anna.here.cancel(booking)
    assert (await anna.here.booking(booking.id)).state is BookingState.CONFIRMED


async def test_a_move_that_was_made_before_the_switch_went_off_is_still_written(anna: AtExchange) -> None:
    """I4: what people were promised comes to its end."""
    await anna.lift_limits()
    booking = await booked(anna)
    anna.exchange.fault("UpdateItem", status=503)
    pending = await anna.here.move(booking, NOON)
    await anna.lift_limits(on=False)
    assert pending.state is BookingState.PENDING
    await anna.here.passes(minutes=11)
    await anna.here.settle_down()
    assert (await anna.here.booking(booking.id)).state is BookingState.CONFIRMED
    [event] = anna.events("Hopper")
    assert event.start == NOON


async def test_the_switch_lifts_all_limits_and_nothing_elsewhere(anna: AtExchange) -> None:
    """B-EX1 to B-EX3; Google was never limited."""
    before = await anna.here.connection()
    with pytest.raises(CapabilityUnsupported):
        before.require(Capability.CRM_INVITATIONS)
    await anna.lift_limits()
    connection = await anna.here.connection()
    assert all(connection.can(each) for each in Capability)
    await anna.here.connect(reconnect=connection.id)
    google = await anna.here.connection()
    assert all(google.can(each) for each in Capability)
