"""Writing the event of a booking where only Graph is like that (PW-2, PW-5, B-BO2)."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from meetings.adapters.office365.booking_event import key_value, transaction_id
from meetings.application.ports.calendars import (
    Attendee,
    Calendars,
    CalendarUnreadable,
    EventRefused,
    EventRemoved,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from meetings.domain.calendar_connection import CalendarAccess
from meetings.domain.timespan import TimeSpan
from tests.contracts.calendars.office365_world import Office365World, office365_world
from tests.contracts.calendars.wishes import VISITOR, a_wish
from tests.contracts.calendars.world import at

WEEK = TimeSpan(at(2, 0), at(9, 0))


@pytest.fixture
def world() -> Iterator[Office365World]:
    with office365_world() as started:
        yield started


@pytest.fixture
def calendars(world: Office365World) -> Calendars:
    return world.provider.calendars(world.sign_in())


def _operations(world: Office365World) -> list[str]:
    return [call.operation for call in world.office.calls]


def _body(world: Office365World) -> str:
    (event,) = world.office.events(world.primary)
    return str(event["body"]["content"])


async def test_each_write_looks_before_and_changes_only_what_it_saw(
    world: Office365World, calendars: Calendars
) -> None:
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    known = replace(wish, written_as=written.event_id)
    await calendars.put_event(world.primary, replace(known, start=at(5, 8), end=at(5, 9), sequence=1))
    await calendars.remove_event(world.primary, wish.key)
    assert _operations(world) == [
        "events.list",
        "events.create",
        "events.list",
        "events.update",
        "events.list",
        "events.cancel",
    ]
    (create,) = world.office.requests_for("events.create")
    (update,) = world.office.requests_for("events.update")
    assert create.body["transactionId"] == transaction_id(wish.key)
    assert update.headers["if-match"].startswith('W/"')


async def test_what_is_written_can_be_found_by_its_key(world: Office365World, calendars: Calendars) -> None:
    written = await calendars.put_event(world.primary, a_wish())
    stored = world.office.event(world.primary, written.event_id)["singleValueExtendedProperties"]
    assert key_value(a_wish().key) in [each["value"] for each in stored]


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        '{"id": "e"}',
        '{"id": "e", "start": "soon", "end": "later"}',
        '{"id": "e", "start": {"dateTime": "soon"}, "end": {"dateTime": "later"}}',
    ],
)
async def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(
    world: Office365World, calendars: Calendars, body: str
) -> None:
    world.office.fault("events.create", body=body)
    with pytest.raises(ProviderUnavailable):
        await calendars.put_event(world.primary, a_wish())
    assert _operations(world) == ["events.list", "events.create", "events.list"]
    await calendars.put_event(world.primary, a_wish())
    world.office.fault("events.update", body=body)
    with pytest.raises(ProviderUnavailable) if '"id"' not in body else nullcontext():
        await calendars.put_event(world.primary, a_wish(sequence=1))


@pytest.mark.parametrize("fault", [{"drop_after_commit": True}, {"cut_off_body": True}])
async def test_an_event_written_without_our_hearing_of_it_is_found_at_once(
    world: Office365World, calendars: Calendars, fault: dict[str, Any]
) -> None:
    world.office.fault("events.create", **fault)
    written = await calendars.put_event(world.primary, a_wish(conference=True))
    assert [each["id"] for each in world.office.events(world.primary)] == [written.event_id]
    assert written.join_url is not None
    assert _operations(world) == ["events.list", "events.create", "events.list"]


async def test_a_server_error_after_the_write_is_an_unknown_outcome(
    world: Office365World, calendars: Calendars
) -> None:
    world.office.fault("events.create", status=500)
    world.office.fault("events.list", status=500, on_call=2)
    with pytest.raises(ProviderUnavailable):
        await calendars.put_event(world.primary, a_wish())
    assert _operations(world) == ["events.list", "events.create", "events.list"]


@pytest.mark.parametrize(("status", "meaning"), [(400, EventRefused), (403, CalendarUnreadable), (429, RateLimited)])
async def test_a_definite_refusal_is_not_looked_after(
    world: Office365World, calendars: Calendars, status: int, meaning: type[ProviderError]
) -> None:
    world.office.fault("events.create", status=status)
    with pytest.raises(meaning):
        await calendars.put_event(world.primary, a_wish())
    assert _operations(world) == ["events.list", "events.create"]


@pytest.mark.parametrize("refuse", [False, True])
async def test_rivals_with_the_same_transaction_make_one_event(world: Office365World, refuse: bool) -> None:
    world.office.settings.refuse_same_transaction = refuse
    world.office.settings.service_seconds = 0.02

    async def write() -> str:
        calendars = world.provider_with().calendars(world.sign_in())
        return (await calendars.put_event(world.primary, a_wish())).event_id

    ids = await asyncio.gather(*(write() for _ in range(3)))
    assert (len(set(ids)), len(world.office.events(world.primary)), len(world.office.mails)) == (1, 1, 1)


async def test_rivals_with_another_wish_end_with_the_newer_one(world: Office365World) -> None:
    """Both looked before either wrote; the event of one comes back to the other, who then changes it."""
    world.office.settings.service_seconds = 0.02
    older, newer = a_wish(), a_wish(start=at(5, 8), end=at(5, 9), sequence=1)

    async def write(wish: Any) -> None:
        await world.provider_with().calendars(world.sign_in()).put_event(world.primary, wish)

    await asyncio.gather(write(older), write(newer))
    (event,) = world.seen(world.primary)
    assert (event.start, event.end) == (newer.start, newer.end)


async def test_a_transaction_that_somebody_elses_event_has_is_never_ours(
    world: Office365World, calendars: Calendars
) -> None:
    wish = a_wish()
    world.occupy(world.primary, wish.key, at(6, 9), at(6, 10))
    before = world.seen(world.primary)
    with pytest.raises(ProviderUnavailable):
        await calendars.put_event(world.primary, wish)
    await calendars.remove_event(world.primary, wish.key)
    assert world.seen(world.primary) == before


async def test_a_change_does_not_overwrite_what_changed_meanwhile(world: Office365World, calendars: Calendars) -> None:
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    moved = replace(wish, start=at(5, 8), end=at(5, 9), sequence=1)
    world.office.on_call(
        "events.list", lambda: world.add_guest(world.primary, written.event_id, "colleague@example.com")
    )
    with pytest.raises(ProviderUnavailable):
        await calendars.put_event(world.primary, moved)
    await calendars.put_event(world.primary, moved)
    (event,) = world.seen(world.primary)
    assert (event.start, "colleague@example.com" in event.guests) == (moved.start, True)
    assert [call.status for call in world.office.requests_for("events.update")] == [412, 200]


async def test_without_knowing_that_there_was_one_a_removed_event_is_written_again(
    world: Office365World, calendars: Calendars
) -> None:
    """Outlook forgets it; the caller has to say what was written (`written_as`)."""
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    world.cancel_event(world.primary, written.event_id)
    with pytest.raises(EventRemoved):
        await calendars.put_event(world.primary, replace(wish, written_as=written.event_id))
    again = await calendars.put_event(world.primary, wish)
    assert again.event_id != written.event_id


async def test_an_event_that_has_another_id_now_is_found_by_its_key(
    world: Office365World, calendars: Calendars
) -> None:
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    again = await calendars.put_event(world.primary, replace(wish, written_as="another id"))
    assert again.event_id == written.event_id
    assert len(world.seen(world.primary)) == 1


async def test_a_removed_event_is_removed_even_where_its_id_still_names_it(
    world: Office365World, calendars: Calendars
) -> None:
    """Immutable ids stay in the bin: what the id gives is no sign of life."""
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    world.cancel_event(world.primary, written.event_id)
    world.office.settings.bin_can_be_read = True
    with pytest.raises(EventRemoved):
        await calendars.put_event(world.primary, replace(wish, written_as=written.event_id))


async def test_a_copy_made_by_hand_is_left_alone(world: Office365World, calendars: Calendars) -> None:
    """Outlook copies named properties, and not the transaction id."""
    wish = a_wish()
    written = await calendars.put_event(world.primary, wish)
    properties = world.office.event(world.primary, written.event_id)["singleValueExtendedProperties"]
    world.office.add_event(
        world.primary,
        "Copy",
        at(6, 9),
        at(6, 10),
        singleValueExtendedProperties=properties,
        transactionId="localevent:copy",
    )
    assert (await calendars.put_event(world.primary, replace(wish, sequence=1))).event_id == written.event_id
    answer = (await calendars.busy([world.primary], WEEK))[world.primary]
    assert isinstance(answer, tuple)
    assert {each.event_id == written.event_id: each.booking_key for each in answer} == {
        True: wish.key.booking,
        False: None,
    }
    await calendars.remove_event(world.primary, wish.key)
    assert [event.title for event in world.seen(world.primary)] == ["Copy"]


async def test_an_online_meeting_survives_a_new_text_and_a_move(world: Office365World, calendars: Calendars) -> None:
    wish = a_wish(conference=True)
    first = await calendars.put_event(world.primary, wish)
    moved = await calendars.put_event(world.primary, replace(wish, start=at(5, 8), end=at(5, 9), sequence=1))
    changed = await calendars.put_event(
        world.primary, replace(wish, start=at(5, 8), end=at(5, 9), description="New <text>\nhere", sequence=2)
    )
    assert first.join_url is not None
    assert first.join_url == moved.join_url == changed.join_url
    (event,) = world.seen(world.primary)
    assert (event.description, event.has_link) == ("New <text>\nhere", True)
    assert "Join the meeting" in _body(world)
    assert "Agenda" not in _body(world)


async def test_an_online_meeting_that_is_not_wished_any_more_ends(world: Office365World, calendars: Calendars) -> None:
    wish = a_wish(conference=True)
    await calendars.put_event(world.primary, wish)
    without = await calendars.put_event(world.primary, replace(wish, conference=False, sequence=1))
    assert without.join_url is None
    assert "Join the meeting" not in _body(world)


async def test_a_link_that_is_still_being_made_is_looked_for_once(world: Office365World, calendars: Calendars) -> None:
    world.office.settings.link_pending = True
    early = await calendars.put_event(world.primary, a_wish("early", conference=True))
    assert early.join_url is None
    assert _operations(world) == ["events.list", "events.create", "events.get"]
    world.office.finish_online_meeting(world.primary, early.event_id)
    assert (await calendars.put_event(world.primary, a_wish("early", conference=True))).join_url is not None
    assert len(world.office.mails) == 1


async def test_trouble_while_looking_for_the_link_does_not_hide_the_event(
    world: Office365World, calendars: Calendars
) -> None:
    world.office.settings.link_pending = True
    world.office.fault("events.get", status=500)
    written = await calendars.put_event(world.primary, a_wish(conference=True))
    assert (written.join_url, len(world.seen(world.primary))) == (None, 1)


async def test_a_zone_the_mailbox_server_does_not_know_is_written_in_utc(
    world: Office365World, calendars: Calendars
) -> None:
    wish = a_wish()
    for operation in ("events.create", "events.update"):
        world.office.fault(operation, status=400, reason="TimeZoneNotSupportedException")
    await calendars.put_event(world.primary, wish)
    await calendars.put_event(world.primary, replace(wish, start=at(5, 8), end=at(5, 9), sequence=1))
    (event,) = world.seen(world.primary)
    assert (event.start, event.end, event.zone) == (at(5, 8), at(5, 9), "UTC")
    assert (await calendars.put_event(world.primary, replace(wish, start=at(5, 8), end=at(5, 9), sequence=1))).event_id
    assert len(world.office.mails) == 2


@pytest.mark.parametrize("hour", [5, 6])
async def test_each_of_two_equal_wall_times_is_its_own_instant(
    world: Office365World, calendars: Calendars, hour: int
) -> None:
    """01:30 on 1 November 2026 comes twice in New York."""
    wish = a_wish(
        start=datetime(2026, 11, 1, hour, 30, tzinfo=UTC),
        end=datetime(2026, 11, 1, hour + 1, tzinfo=UTC),
        time_zone="America/New_York",
    )
    await calendars.put_event(world.primary, wish)
    (event,) = world.seen(world.primary)
    assert (event.start, event.end) == (wish.start, wish.end)


async def test_an_event_without_guests_is_deleted_and_nobody_hears_of_it(
    world: Office365World, calendars: Calendars
) -> None:
    wish = a_wish(attendees=())
    await calendars.put_event(world.primary, wish)
    await calendars.remove_event(world.primary, wish.key)
    assert (world.seen(world.primary), world.office.mails) == ([], [])
    assert _operations(world)[-1] == "events.delete"


async def test_in_a_calendar_that_others_shared_the_event_is_removed_too(
    world: Office365World, calendars: Calendars
) -> None:
    theirs = world.add_calendar("Team", CalendarAccess.WRITER)
    wish = a_wish()
    await calendars.put_event(theirs, wish)
    assert len(world.seen(theirs)) == 1
    await calendars.remove_event(theirs, wish.key)
    assert world.seen(theirs) == []


async def test_only_an_organiser_can_cancel_and_others_delete(world: Office365World, calendars: Calendars) -> None:
    wish = a_wish()
    await calendars.put_event(world.primary, wish)
    world.office.fault("events.cancel", status=400)
    await calendars.remove_event(world.primary, wish.key)
    assert world.seen(world.primary) == []
    assert _operations(world)[-2:] == ["events.cancel", "events.delete"]


@pytest.mark.parametrize("operation", ["events.cancel", "events.delete"])
async def test_an_event_that_goes_while_it_is_being_removed_is_gone(
    world: Office365World, calendars: Calendars, operation: str
) -> None:
    wish = a_wish(attendees=() if operation == "events.delete" else (VISITOR,))
    await calendars.put_event(world.primary, wish)
    world.office.fault(operation, status=404)
    await calendars.remove_event(world.primary, wish.key)
    assert _operations(world)[-1] == operation


async def test_trouble_while_removing_is_told(world: Office365World, calendars: Calendars) -> None:
    await calendars.put_event(world.primary, a_wish())
    for fault, meaning in (({"status": 500}, ProviderUnavailable), ({"status": 403}, CalendarUnreadable)):
        world.office.fault("events.cancel", **fault)
        with pytest.raises(meaning):
            await calendars.remove_event(world.primary, a_wish().key)
    assert len(world.seen(world.primary)) == 1


async def test_guests_are_told_once_of_each_change(world: Office365World, calendars: Calendars) -> None:
    gus = Attendee("Gus Guest", "gus@visitors.example")
    wish = a_wish(attendees=(VISITOR, gus))
    await calendars.put_event(world.primary, wish)
    moved = replace(wish, start=at(5, 8), end=at(5, 9), sequence=1)
    for _ in range(3):
        await calendars.put_event(world.primary, moved)
    told = sorted((mail.to, mail.kind) for mail in world.office.mails)
    assert told == [
        (gus.email, "invitation"),
        (gus.email, "update"),
        (VISITOR.email, "invitation"),
        (VISITOR.email, "update"),
    ]


async def test_writing_ends_in_time(world: Office365World) -> None:
    calendars = world.provider_with(total_seconds=0.6).calendars(world.sign_in())
    with suppress(ProviderUnavailable):
        await calendars.list_calendars()
    world.office.fault("events.create", delay=3)
    begun = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        await calendars.put_event(world.primary, a_wish())
    assert time.monotonic() - begun < 2.5
