"""Meetings on a record, as they are stored."""

import asyncio
from dataclasses import fields
from datetime import timedelta
from uuid import uuid4

import pytest

from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.booking import BookedEvent
from meetings.domain.engagement import EngagementEvent, MeetingEngagement, MeetingOutcome, MeetingText
from meetings.domain.identifiers import EngagementId
from meetings.domain.timespan import TimeSpan
from tests.builders import NOW, START, a_booking, calendar_id, user_id
from tests.contracts.database.conftest import Tenant

HOUR = timedelta(hours=1)


def found_in_calendar(tenant: Tenant, uid: str = "a uid") -> MeetingEngagement:
    return MeetingEngagement.in_calendar(
        EngagementId(uuid4()),
        account_id=tenant.account.account_id,
        owner=tenant.host.id,
        contacts=("vera@visitors.example", "willi@visitors.example"),
        text=MeetingText("Intro", "See you.", "Room 1"),
        slot=TimeSpan(START, START + HOUR),
        time_zone="Europe/Berlin",
        event=EngagementEvent(calendar_id(), f"event of {uid}", uid, "https://a.example/1", "https://v.example/1"),
        ical_uid=uid,
        now=NOW,
    )


async def store(tenant: Tenant, engagement: MeetingEngagement) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        work.engagements.add(engagement)
        await work.commit()


def values(engagement: MeetingEngagement) -> dict[str, object]:
    own = {field.name for field in fields(MeetingEngagement)} - {"_events", "version"}
    return {name: getattr(engagement, name) for name in own if not name.startswith("_")}


async def test_everything_of_a_meeting_comes_back(tenant: Tenant) -> None:
    made = MeetingEngagement.on_record(
        EngagementId(uuid4()),
        account_id=tenant.account.account_id,
        owner=tenant.host.id,
        contacts=("vera@visitors.example",),
        text=MeetingText("Intro"),
        slot=TimeSpan(START, START + HOUR),
        time_zone="Europe/Berlin",
        calendar_id=calendar_id(),
        now=NOW,
    )
    made.change(outcome=MeetingOutcome.NO_SHOW, text=MeetingText("Other", None, "Room 2"), now=NOW)
    found = found_in_calendar(tenant)
    found.follow(
        owner=user_id(),
        contacts=("c@visitors.example",),
        text=found.text,
        slot=TimeSpan(START, START + 2 * HOUR),
        now=NOW,
    )
    for engagement in (made, found):
        await store(tenant, engagement)
        async with tenant.look(tenant.account.account_id) as work:
            assert values(await work.engagements.get(engagement.id)) == values(engagement)


async def test_what_changes_is_saved_and_a_stale_change_is_refused(tenant: Tenant) -> None:
    found = found_in_calendar(tenant)
    await store(tenant, found)
    async with tenant.begin(tenant.account.account_id) as work:
        (await work.engagements.get(found.id)).change(outcome=MeetingOutcome.COMPLETED, now=NOW)
        await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        stored = await work.engagements.get(found.id)
        assert stored.outcome is MeetingOutcome.COMPLETED
        stored.version -= 1  # as somebody has it who read before
        stored.vanish(now=NOW)
        with pytest.raises(ConcurrentChange):
            await work.commit()


async def test_a_meeting_is_found_by_what_its_event_is_called(tenant: Tenant, stranger: Tenant) -> None:
    found = found_in_calendar(tenant)
    await store(tenant, found)
    await store(stranger, found_in_calendar(stranger))
    async with tenant.look(tenant.account.account_id) as work:
        by_uid, by_event = (
            await work.engagements.by_ical_uid("a uid"),
            await work.engagements.by_event("event of a uid"),
        )
        assert by_uid is not None
        assert by_event is not None
        assert by_uid.id == by_event.id == found.id
        assert await work.engagements.by_ical_uid("another uid") is None
        assert await work.engagements.by_event("another event") is None
        with pytest.raises(NotFound):
            await work.engagements.get(EngagementId(uuid4()))
    async with stranger.look(stranger.account.account_id) as work:
        with pytest.raises(NotFound):
            await work.engagements.get(found.id)


async def test_one_event_that_two_calendars_show_at_once_makes_one_meeting(tenant: Tenant) -> None:
    """B-CR1: the later one reads again and finds the first."""
    results = await asyncio.gather(
        *(store(tenant, found_in_calendar(tenant)) for _ in range(5)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["ConcurrentChange"] * 4 + ["NoneType"]
    await store(tenant, found_in_calendar(tenant, "another uid"))


async def test_any_number_of_meetings_has_no_event(tenant: Tenant) -> None:
    for _ in range(3):
        made = found_in_calendar(tenant)
        made.event, made.ical_uid = None, None
        await store(tenant, made)


async def test_a_booking_is_found_by_what_its_event_is_called(tenant: Tenant, stranger: Tenant) -> None:
    booking = a_booking(tenant.page, event=BookedEvent("an event", ical_uid="a uid"))
    other = a_booking(stranger.page, event=BookedEvent("an event", ical_uid="a uid"))
    for owner, each in ((tenant, booking), (stranger, other)):
        async with owner.begin(owner.account.account_id) as work:
            work.bookings.add(each)
            await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.bookings.by_ical_uid("a uid")
        assert found is not None
        assert (found.id, found.event) == (booking.id, booking.event)
        assert await work.bookings.by_ical_uid("another uid") is None
