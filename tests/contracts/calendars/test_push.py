"""Being called when a calendar changes (SY-1, SY-4)."""

import asyncio
from datetime import timedelta

import pytest

from meetings.application.ports.calendars import CalendarUnreadable, PushChannel, PushChannels
from tests.contracts.calendars.world import NOW, CalendarWorld, HeldCredentials, at


@pytest.fixture
def push(world: CalendarWorld, credentials: HeldCredentials) -> PushChannels:
    if world.provider.push is None:
        pytest.skip("this provider cannot call us")
    return world.provider.push(credentials)


async def test_a_change_is_announced_with_the_channel_and_its_secret(world: CalendarWorld, push: PushChannels) -> None:
    channel = await push.open_channel(
        world.primary, channel_id="channel-1", secret="s3cret", address=world.push_address()
    )
    assert channel.channel_id == "channel-1"
    assert channel.resource_id
    assert NOW + timedelta(days=2) < channel.expires_at
    world.add_event(world.primary, at(3, 9), at(3, 10))
    assert await asyncio.to_thread(world.wait_for_push, 1) == [("channel-1", "s3cret")]


async def test_a_closed_channel_is_silent_and_can_be_closed_again(world: CalendarWorld, push: PushChannels) -> None:
    address = world.push_address()
    closed = await push.open_channel(world.primary, channel_id="old", secret="one", address=address)
    await push.open_channel(world.primary, channel_id="new", secret="two", address=address)
    for _ in range(2):
        await push.close_channel(closed)
    world.add_event(world.primary, at(3, 9), at(3, 10))
    assert await asyncio.to_thread(world.wait_for_push, 1) == [("new", "two")]


async def test_a_channel_nobody_knows_is_closed(push: PushChannels) -> None:
    await push.close_channel(PushChannel("never", "opened", NOW))


async def test_a_lost_calendar_cannot_be_watched(world: CalendarWorld, push: PushChannels) -> None:
    lost = world.add_calendar("Choir")
    world.lose_access(lost)
    with pytest.raises(CalendarUnreadable):
        await push.open_channel(lost, channel_id="channel-1", secret="s", address=world.push_address())
