"""Subscriptions of Graph: opening, closing, and what its calls say, sent for real (SY-1, SY-4, SY-5)."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from meetings.adapters.office365.notices import read_push
from meetings.application.ports.calendars import (
    CalendarUnreadable,
    EventRefused,
    News,
    Notice,
    ProviderError,
    ProviderUnavailable,
    PushChannel,
    PushChannels,
)
from tests.contracts.calendars.office365_world import Office365World, office365_world
from tests.contracts.calendars.world import at


@pytest.fixture
def world() -> Iterator[Office365World]:
    with office365_world() as started:
        yield started


@pytest.fixture
def push(world: Office365World) -> PushChannels:
    assert world.provider.push is not None
    return world.provider.push(world.sign_in())


async def _open(world: Office365World, push: PushChannels, channel_id: str = "channel-1") -> PushChannel:
    return await push.open_channel(world.primary, channel_id=channel_id, secret="s3cret", address=world.push_address())


async def _notices(world: Office365World, count: int) -> list[Notice]:
    """All that was told, once there are `count`."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        messages = [read_push(call) for call in list(world.receiver.calls)]
        told = [notice for message in messages if message for notice in message.notices]
        if len(told) >= count:
            return told
        await asyncio.sleep(0.005)
    raise TimeoutError


async def test_a_channel_lives_for_almost_three_days_and_never_longer_than_graph_allows(
    world: Office365World, push: PushChannels
) -> None:
    channel = await _open(world, push)
    life = channel.expires_at - world.clock()
    assert timedelta(minutes=4200) < life <= timedelta(minutes=4230)


async def test_what_happens_to_the_subscription_itself_is_told_too(world: Office365World, push: PushChannels) -> None:
    await _open(world, push)
    (asked,) = world.office.requests_for("subscriptions.create")
    assert asked.body["lifecycleNotificationUrl"] == asked.body["notificationUrl"]
    assert asked.body["notificationUrl"].endswith("/hooks/office365?kind=calendar&channel=channel-1")
    assert asked.body["clientState"] == "s3cret"
    assert world.receiver.validations != []


@pytest.mark.parametrize("channel_id", ["a b&c=d", "ü", "1/2"])
async def test_a_channel_keeps_its_name_through_the_address(
    world: Office365World, push: PushChannels, channel_id: str
) -> None:
    await _open(world, push, channel_id)
    world.add_event(world.primary, at(3, 9), at(3, 10))
    assert (await _notices(world, 1))[0] == Notice(channel_id, "s3cret", News.CHANGED)


@pytest.mark.parametrize(
    ("event", "news"),
    [
        ("miss", News.CHANGED),
        ("require_reauthorization", News.CHANNEL_ENDING),
        ("remove", News.CHANNEL_ENDING),
    ],
)
async def test_each_event_in_the_life_of_a_channel_is_understood(
    world: Office365World, push: PushChannels, event: str, news: News
) -> None:
    channel = await _open(world, push)
    getattr(world.office.push, event)(channel.resource_id)
    assert await _notices(world, 1) == [Notice("channel-1", "s3cret", news)]


async def test_an_address_that_does_not_prove_itself_is_refused(world: Office365World, push: PushChannels) -> None:
    world.receiver.proves_itself = False
    with pytest.raises(EventRefused):
        await _open(world, push)


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"status": 500}, ProviderUnavailable),
        ({"status": 403}, CalendarUnreadable),
        ({"status": 404}, CalendarUnreadable),
        ({"status": 400}, EventRefused),
        ({"status": 404, "body": "<h1>No</h1>", "content_type": "text/html"}, ProviderUnavailable),
        ({"status": 201, "body": '{"id": "s"}'}, ProviderUnavailable),
    ],
)
async def test_trouble_while_opening_is_told(
    world: Office365World, push: PushChannels, fault: dict[str, Any], meaning: type[ProviderError]
) -> None:
    world.office.fault("subscriptions.create", **fault)
    with pytest.raises(ProviderError) as refused:
        await _open(world, push)
    assert type(refused.value) is meaning


async def test_trouble_while_closing_is_told_and_what_is_gone_is_closed(
    world: Office365World, push: PushChannels
) -> None:
    channel = await _open(world, push)
    for fault in ({"status": 500}, {"status": 404, "body": "<h1>No</h1>", "content_type": "text/html"}):
        world.office.fault("subscriptions.delete", **fault)
        with pytest.raises(ProviderUnavailable):
            await push.close_channel(channel)
    for fault in ({"status": 404}, {"status": 400}, {"status": 410}):
        world.office.fault("subscriptions.delete", **fault)
        await push.close_channel(channel)
    await push.close_channel(channel)
    world.add_event(world.primary, at(3, 9), at(3, 10))
    await _open(world, push, "other")
    world.add_event(world.primary, at(4, 9), at(4, 10))
    assert {notice.channel_id for notice in await _notices(world, 1)} == {"other"}


async def test_no_secret_shows_in_a_representation(world: Office365World, push: PushChannels) -> None:
    channel = await _open(world, push)
    assert "s3cret" not in repr(channel) + repr(push)
