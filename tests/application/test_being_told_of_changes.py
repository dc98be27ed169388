"""Google calls us when a calendar changes (SY-1, SY-3 to SY-5)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from starlette.datastructures import Headers

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.plan_sync import renew_channels, take_notice
from meetings.application.ports.calendars import News, Notice, PushCall
from meetings.domain.calendar_connection import Provider
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.providers import REGISTRY
from tests.contracts.google.receiver import Receiver, listening
from tests.own_calendars import asks_for_busy_time
from tests.waiting import until
from tests.world import HOST_EMAIL, Clock, World, berlin, world

MONDAY = date(2035, 12, 3)
TEN = berlin("2035-12-03 10:00")
HALF_AN_HOUR = timedelta(minutes=30)


@dataclass
class Called:
    """A world that Google can call, with one clock for both. What arrives waits until it is taken."""

    here: World
    receiver: Receiver
    _taken: int = field(default=0)

    async def notices(self) -> list[Notice]:
        """What arrived since the last time, as the webhook reads it."""
        await asyncio.to_thread(self.here.google.sending.wait_until_sent)
        new = self.receiver.messages[self._taken :]
        self._taken += len(new)
        read_push = REGISTRY[Provider.GOOGLE].read_push
        assert read_push is not None
        read = [read_push(PushCall(dict(Headers(message)), {}, b"")) for message in new]
        return [notice for each in read if each for notice in each.notices]

    async def take(self) -> list[bool]:
        """Do what the webhook does with everything that arrived."""
        schedule = self.here.tools.schedule
        return [
            await take_notice(notice, schedule=schedule)
            for notice in await self.notices()
            if notice.news is not News.GREETING
        ]

    async def renew(self) -> int:
        tools = self.here.tools
        return await renew_channels(
            look=tools.look,
            providers=tools.providers,
            push_of=tools.push_of,
            schedule=tools.schedule,
            links=tools.links,
            clock=self.here.clock,
        )


@pytest.fixture
async def called(database_url: str) -> AsyncIterator[Called]:
    clock = Clock(berlin("2035-12-03 08:00"))
    with GoogleSimulator(now=clock).serve() as google, MailCatcher() as mail, listening() as receiver:
        parts = urlsplit(receiver.address)
        own = {"push": True, "public_url": f"{parts.scheme}://{parts.netloc}"}
        async with world(database_url, google, mail, now=clock, **own) as here:
            await here.connect()
            yield Called(here, receiver)


def reads(here: World) -> int:
    return len(here.google.requests_for(asks_for_busy_time))


async def test_a_channel_is_open_as_soon_as_a_calendar_is_connected(called: Called) -> None:
    [channel] = called.here.google.push.channels.values()
    assert (channel.email, channel.calendar_id) == (HOST_EMAIL, HOST_EMAIL)
    assert channel.token
    assert len(channel.token) >= 22  # 128 bits in base64
    assert [notice.news for notice in await called.notices()] == [News.GREETING]


async def test_a_change_is_known_as_soon_as_google_calls(called: Called) -> None:
    here = called.here
    page = await here.page()
    here.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + HALF_AN_HOUR)
    await here.settle_down()
    assert "10:00" in await here.offered(page, MONDAY)
    assert await called.take() == [True]
    await here.settle_down()
    assert "10:00" not in await here.offered(page, MONDAY)


async def test_a_call_that_is_lost_is_made_up_for_by_polling(called: Called) -> None:
    """SY-1: a quarter of an hour at most while there is a channel."""
    here = called.here
    page = await here.page()
    await called.notices()
    here.google.sending.lose_next()
    here.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + HALF_AN_HOUR)
    assert await called.take() == []
    await here.passes(minutes=5)
    await here.settle_down()
    assert "10:00" in await here.offered(page, MONDAY)
    await here.passes(minutes=10, seconds=1)
    await here.settle_down()
    assert "10:00" not in await here.offered(page, MONDAY)


async def test_five_hundred_calls_at_once_are_one_read_and_one_more_after_a_read_that_was_under_way(
    called: Called,
) -> None:
    """SY-3."""
    here = called.here
    here.google.sending.repeat_next(3)
    here.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + HALF_AN_HOUR)
    [_, notice, *_] = await called.notices()
    before = reads(here)
    here.google.fault("events.list", delay=0.5)
    schedule = here.tools.schedule
    await take_notice(notice, schedule=schedule)
    reading = asyncio.create_task(here.sync_due())
    await until("a read", lambda: reads(here) > before)
    for _ in range(10):
        batch = (take_notice(notice, schedule=schedule) for _ in range(50))
        assert all(await asyncio.gather(*batch))
    await reading
    await here.settle_down()
    assert reads(here) == before + 2


async def test_a_forged_call_makes_no_work(called: Called) -> None:
    """SY-5."""
    here = called.here
    here.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + HALF_AN_HOUR)
    [_, true] = await called.notices()
    before = reads(here)
    forged = [
        ("", ""),
        (true.channel_id, ""),
        (true.channel_id, true.secret[:-1]),
        (true.channel_id, f"{true.secret}a"),
        (true.channel_id, true.secret.swapcase()),
        (true.channel_id, true.channel_id),
        (true.channel_id, "é"),
        (true.channel_id, "\x00"),
        (true.secret, true.channel_id),
        (true.channel_id[:-1], true.secret),
        (true.channel_id.upper(), true.secret),
        (f"{true.channel_id}\x00", true.secret),
        ("x" * 10_000, true.secret),
        *((f"channel-{number}", true.secret) for number in range(100)),
        *((true.channel_id, f"secret-{number}") for number in range(100)),
    ]
    for channel_id, secret in forged:
        assert not await take_notice(Notice(channel_id, secret), schedule=here.tools.schedule)
    await here.settle_down()
    assert reads(here) == before


async def test_a_new_channel_is_open_before_the_old_one_ends(called: Called) -> None:
    """SY-4: at half life; at no moment is there none."""
    here = called.here
    [old] = here.google.push.channels.values()
    here.google.forget_calls()
    await here.passes(days=14)
    assert await called.renew() == 0
    await here.passes(days=1, minutes=1)
    assert await called.renew() == 1
    done = [call.operation for call in here.google.calls if call.status in (200, 204)]
    assert [each for each in done if each in ("events.watch", "channels.stop")] == ["events.watch", "channels.stop"]
    [new] = here.google.push.channels.values()
    assert new.id != old.id
    assert new.token != old.token
    await called.notices()
    await here.sync()
    here.google.add_event(HOST_EMAIL, "Dentist", TEN + timedelta(days=21), TEN + timedelta(days=22))
    assert await called.take() == [True]
    assert old.token
    assert not await take_notice(Notice(old.id, old.token), schedule=here.tools.schedule)


async def test_a_channel_that_cannot_be_renewed_goes_on_until_it_ends(called: Called) -> None:
    here = called.here
    [old] = here.google.push.channels
    await here.passes(days=16)
    here.google.fault("events.watch", status=403, reason="forbidden", times=2)
    assert await called.renew() == 0
    here.google.add_event(HOST_EMAIL, "Dentist", TEN + timedelta(days=21), TEN + timedelta(days=22))
    assert await called.take() == [True]
    assert list(here.google.push.channels) == [old]
    assert await called.renew() == 0
    assert await called.renew() == 1


async def test_an_old_channel_that_cannot_be_closed_leaves_the_new_one_alone(called: Called) -> None:
    here = called.here
    await here.passes(days=16)
    here.google.fault("channels.stop", status=500)
    assert await called.renew() == 1
    assert await called.renew() == 0
    assert len(here.google.push.channels) == 2
    await called.notices()
    await here.sync()
    here.google.add_event(HOST_EMAIL, "Dentist", TEN + timedelta(days=21), TEN + timedelta(days=22))
    assert sorted(await called.take()) == [False, True]


async def test_disconnecting_closes_the_channel(called: Called) -> None:
    here = called.here
    [channel] = here.google.push.channels.values()
    await here.disconnect()
    assert here.google.push.channels == {}
    assert channel.token
    assert not await take_notice(Notice(channel.id, channel.token), schedule=here.tools.schedule)


async def test_a_calendar_that_is_not_chosen_any_more_has_no_channel(called: Called) -> None:
    here = called.here
    holidays = here.google.add_calendar(HOST_EMAIL, "Holidays")
    await here.select_everything()
    assert {channel.calendar_id for channel in here.google.push.channels.values()} == {HOST_EMAIL, holidays}
    [primary, _] = (await here.connection()).selected_calendars
    await here.select(primary.id)
    assert {channel.calendar_id for channel in here.google.push.channels.values()} == {HOST_EMAIL}


async def test_what_nobody_can_call_is_polled(called: Called) -> None:
    """Google refuses the address or the calendar: reading goes on every three minutes."""
    here = called.here
    page = await here.page()
    await here.disconnect()
    here.google.fault("events.watch", status=400, reason="push.webhookUrlNotHttps", times=None)
    await here.connect()
    assert here.google.push.channels == {}
    here.google.add_event(HOST_EMAIL, "Dentist", TEN, TEN + HALF_AN_HOUR)
    await here.passes(minutes=3, seconds=1)
    await here.settle_down()
    assert "10:00" not in await here.offered(page, MONDAY)
